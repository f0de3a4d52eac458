#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A small net learns CIFAR-10's pictures, alone and from a teacher, with five seeds each: run.sh DATA TEACHER [FOLDER]
# TEACHER: a float model of ten classes. It learns these very pictures first; then it is asked about each picture as the pupil
# sees it, moved and turned.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=$1
teacher=$2
out=${3:-.}
: "${WHET:=whet}"
set --
same="--shift 2 --flip --epochs 15 --batch 64 --no-test"
"$WHET" train --model "$teacher" --data "$data" --optimizer adamw --rate 0.001 --schedule cosine --warmup 1 --epochs 8 --batch 64 --shift 3 --flip \
  --decay 0.0005 -o "$out/teacher.onnx" --checkpoint "$out/teacher.ckpt"
for seed in 1 2 3 4 5; do
  "$WHET" train "$here/student.yaml" --data "$data" $same --seed $seed -o "$out/alone$seed.onnx"
  "$WHET" train "$here/student.yaml" --data "$data" $same --seed $seed --teacher "$out/teacher.onnx" --temperature 1 --mix 0.9 -o "$out/taught$seed.onnx"
  set -- "$@" "$out/alone$seed.onnx" "$out/taught$seed.onnx"
done
"$WHET" eval "$@" --data "$data"
