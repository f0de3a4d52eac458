#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Make data, learn what healthy is, watch the machine. usage: run.sh [FOLDER]; WHET names the command.
set -e
here=$(cd "$(dirname "$0")" && pwd)
whet=${WHET:-whet}
mkdir -p "${1:-data}"
DATA=$(cd "${1:-data}" && pwd)
export DATA
python3 "$here/generate.py" "$DATA"
"$whet" pipeline "$here/features.yaml" --quiet
cp "$DATA/train_x.npy" "$DATA/train_y.npy" # it learns to say what it hears
"$whet" train --layers 64,24:relu,6:relu,24:relu,64 --data "$DATA" --loss mse --epochs 150 --no-test -o "$DATA/healthy.onnx" >&2
"$whet" pipeline "$here/vibration.yaml"
