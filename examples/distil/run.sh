#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A small net learns 1,000 pictures, alone and from a teacher, with five seeds each: run.sh DATA TEACHER [FOLDER]
# DATA: CIFAR-10 in its binary form, or an archive that holds the classes in turns, so that its first pictures are of all of
# them. TEACHER: any model of its ten classes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=$1
teacher=$2
out=${3:-.}
: "${WHET:=whet}"
set --
for seed in 1 2 3 4 5; do
  "$WHET" train "$here/student.yaml" --data "$data" --split train:0..1000 --seed $seed --no-test -o "$out/alone$seed.onnx"
  "$WHET" train "$here/student.yaml" --data "$data" --split train:0..1000 --seed $seed --no-test --teacher "$teacher" --temperature 4 --mix 0.9 \
    --teacher-cache "$out/teacher.cache" -o "$out/taught$seed.onnx"
  set -- "$@" "$out/alone$seed.onnx" "$out/taught$seed.onnx"
done
"$WHET" eval "$@" --data "$data"
