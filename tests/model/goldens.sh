#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every model of the shared folder against its stored outputs, on one thread and on two: goldens.sh SHARED WHET
shared=$1 whet=$2 bad=0 n=0
for model in "$shared"/models/*.onnx "$shared"/models/*.tflite; do
  name=${model##*/}
  [ -d "$shared/goldens/$name" ] || { echo "$name has no stored outputs"; bad=1; continue; }
  for threads in 1 2; do
    out=$("$whet" verify "$model" "$shared/goldens/$name" --threads $threads 2>&1) || { echo "$name, $threads threads: $out"; bad=1; }
  done
  n=$((n + 1))
done
echo "$n models"
exit $bad
