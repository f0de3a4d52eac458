#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demo: the small digits model looks at ten pictures that it has never seen. Started by ./do demo after the build.
set -eu
cd "$(dirname "$0")/.."
model=tools/demo_model/digits.tflite samples=tools/demo_model/samples whet=build/whet out=build/demo
rm -rf "$out"
mkdir -p "$out"

# Colours and half blocks on a terminal that has them, letters elsewhere.
style=letters
if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
  case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in *[Uu][Tt][Ff]*) style=blocks ;; esac
fi

# A picture (bytes of a 28x28 .pgm) beside a bar for each of the ten probabilities (a .npy of float32).
show() {
  { tail -c 784 "$1" | od -An -v -tu1 -w28; tail -c 40 "$2" | od -An -v -tf4 -w40; } | awk -v style="$style" -v truth="$3" '
    NR <= 28 { for (i = 1; i <= 28; i++) pixel[NR, i] = $i; next }
    { for (i = 1; i <= 10; i++) { p[i - 1] = $i; if ($i > p[best]) best = i - 1 } }
    function grey(v) { return 232 + int(v * 23 / 255) }
    END {
      ramp = " .:-=+*#%@"
      for (row = 1; row <= 14; row++) {
        line = "  "
        for (i = 1; i <= 28; i++) {
          up = pixel[2 * row - 1, i]; down = pixel[2 * row, i]
          if (style == "blocks") line = line sprintf("\033[38;5;%d;48;5;%dm\342\226\200", grey(up), grey(down))
          else line = line substr(ramp, 1 + int((up + down) / 2 * 9.99 / 255), 1)
        }
        if (style == "blocks") line = line "\033[0m"
        if (row >= 3 && row <= 12) {
          d = row - 3; bar = ""
          for (k = 0; k < int(p[d] * 30 + .5); k++) bar = bar (style == "blocks" ? "\342\226\210" : "#")
          line = line sprintf("   %d %5.1f %%  %s", d, 100 * p[d], bar)
          if (d == best) line = line (d == truth ? "  <- right" : "  <- wrong: it is a " truth)
        }
        print line
      }
      print ""
    }'
}

right=0
for digit in 3 1 4 5 9 2 6 8 7 0; do
  mkdir -p "$out/$digit"
  "$whet" run "$model" --input "$samples/$digit.pgm" --output "$out/$digit" >"$out/$digit/text"
  show "$samples/$digit.pgm" "$out/$digit/output_0.npy" "$digit" >"$out/$digit/shown"
  cat "$out/$digit/shown"
  ! grep -q 'right$' "$out/$digit/shown" || right=$((right + 1))
done

"$whet" bench "$model" --threads 1 --min-time 0.3 --json >"$out/bench.json"
number() { tr -d ' \n' <"$out/bench.json" | sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }
awk -v right=$right -v us="$(number median)" -v rss="$(number peak_rss_kb)" -v arena="$(number arena_bytes)" \
  -v weights="$(number weights_bytes)" -v load="$(number load_us)" 'BEGIN {
    printf "%d of 10 right. One picture takes %.0f microseconds on one core; loading the model took %.1f ms.\n", right, us, load / 1000
    printf "Memory: %.0f kB for activations, %.0f kB for weights; the whole process at its peak %.1f MB.\n", arena / 1024, weights / 1024, rss / 1024
  }'
cat <<END

Next:
  build/whet run $model --input $samples/5.pgm --top 3   one picture
  build/whet inspect $model                   what is in the model, and what it will cost
  build/whet bench $model --profile           where the time goes
  build/whet --help                                            all commands
  ./do test                                                    the tests
  examples/digits.c                                            the same in C
END
