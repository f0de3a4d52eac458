#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The digits cascade: a small net here, a convolutional one behind `whet serve`.
#   digits.sh MNIST CNN.onnx [RANGE]     MNIST: the folder of idx files; RANGE: what the large net takes (default 0..255)
# Everything is made in ./digits-cascade.
set -eu
whet=${WHET:-whet}
data=$1 cnn=$2 range=${3:-0..255}
mkdir -p digits-cascade/models/cnn/1
cp "$cnn" digits-cascade/models/cnn/1/model.onnx
cd digits-cascade
case $data in /*) ;; *) data=../$data ;; esac

"$whet" train --layers 784,128:relu,10:softmax --data "$data" --split train:0..50000 --optimizer adam --epochs 5 -o small.tflite
"$whet" serve --models models --port 8765 >serve.log 2>&1 &
server=$!
trap 'kill $server' EXIT
for i in 1 2 3 4 5 6 7 8 9 10; do grep -q 8765 serve.log 2>/dev/null && break || sleep 0.3; done
"$whet" cascade tune --local small.tflite --remote http://127.0.0.1:8765 --model cnn --remote-range "$range" \
  --data "$data" --split train:50000.. --max-offload 9.3% -o cascade.yaml --chart cascade.svg
"$whet" cascade run cascade.yaml --data "$data" --split test
