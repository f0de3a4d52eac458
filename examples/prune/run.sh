#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Train a net, cut half of its multiply-adds out, learn again, compare: run.sh DATA [FOLDER]
# DATA: CIFAR-10, in its binary form or as a folder for each class. Interrupted runs go on where they were.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=$1
out=${2:-.}
: "${WHET:=whet}"
"$WHET" train "$here/net.yaml" --data "$data" -o "$out/net.onnx" --checkpoint "$out/net.ckpt" --chart "$out/net.svg"
"$WHET" prune "$out/net.onnx" --keep 50% -o "$out/half.onnx"
"$WHET" train "$here/tune.yaml" --model "$out/half.onnx" --data "$data" -o "$out/half-tuned.onnx" --checkpoint "$out/half.ckpt"
"$WHET" eval "$out/net.onnx" "$out/half-tuned.onnx" --data "$data" --html "$out/compare.html"
for m in net half-tuned; do "$WHET" bench "$out/$m.onnx" --threads 1; done
