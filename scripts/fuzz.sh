#!/bin/bash
# usage: scripts/fuzz.sh [SECONDS [TARGET]]
#
# Runs the fuzzers of tests/fuzz (libFuzzer, AddressSanitizer, UndefinedBehaviorSanitizer; preset fuzz), each for SECONDS (default: 600);
# TARGET (parse, check, …) runs one. Seeds are the programs of the repository and tests/fuzz/corpus. What a fuzzer learns stays in
# build/fuzz/corpus and is where the next run begins. An input that crashes, breaks a rule of tests/fuzz/rules.h, takes more than 10 s
# or 2 GB is made small and put into tests/fuzz/corpus, which the ordinary tests replay. Exit code 1 where something was found, 5 when the build failed.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/bin:/bin:$PATH"
seconds=${1:-600}
only=${2:-}

./scripts/build.sh fuzz mlp-fuzzers || exit 5
shopt -s nullglob
work=build/fuzz
mkdir -p "$work/seeds" "$work/findings"
while IFS= read -r file; do
  cp "$file" "$work/seeds/$(tr / _ <<<"$file")"
done < <(find tests/golden examples benchmarks stdlib tests/fuzz/corpus -type f \( -name '*.mlp' -o -path 'tests/fuzz/corpus/*' \) -size -64k)
# Whole words reach further than letters do.
{
  sed -n '/^tokens {/,/^}/p' grammar/MlpLexer.g4 | grep -oE '\b[KR]_[A-Z_]+' | sed 's/^._//; s/.*/"\L&"/'
  printf '"%s"\n' '??' '->' '..' '==' '!=' '<=' '>=' '##' '`' '@key' '@time' '@label' '7d' '12:30' '10%' '1e-3' '\"\"\"' 'r\"' '\x0a' '\xef\xbb\xbf'
} >"$work/words.dict"

options=(-timeout=10 -rss_limit_mb=2048 -max_len=20000 -dict="$work/words.dict" -print_final_stats=1)
export ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
found=0 ran=0
for fuzzer in "$work"/bin/fuzz_*; do
  target=${fuzzer##*/fuzz_}
  [[ -z $only || $only == "$target" ]] || continue
  ran=1
  corpus=$work/corpus/$target findings=$work/findings/$target-
  mkdir -p "$corpus"
  rm -f "$findings"*
  echo "fuzz_$target for $seconds s"
  "$fuzzer" "${options[@]}" -max_total_time="$seconds" -artifact_prefix="$findings" "$corpus" "$work/seeds" 2>"$work/$target.log" || true
  grep -E '^stat::|^SUMMARY|^broken rule|cov:' "$work/$target.log" | grep -E '^stat::|^SUMMARY|^broken rule' || true
  grep -E 'cov:' "$work/$target.log" | tail -1 || true
  for finding in "$findings"*; do
    [[ $finding == *slow-unit* ]] && continue  # below the limit
    found=1
    kept=tests/fuzz/corpus/$target-$(sha256sum "$finding" | cut -c1-12)
    cp "$finding" "$kept"
    # Of what takes long or much memory nothing smaller is looked for: that takes hours.
    if [[ $finding == *crash* ]]; then
      "$fuzzer" "${options[@]}" -minimize_crash=1 -max_total_time=120 -exact_artifact_path="$work/smaller" "$finding" >/dev/null 2>&1 || true
      [[ -s $work/smaller ]] && mv "$work/smaller" "$kept"
    fi
    echo "found $kept ($(stat -c %s "$kept") bytes); the log is $work/$target.log"
  done
done
((ran)) || { echo "there is no fuzzer fuzz_$only in tests/fuzz" >&2; exit 2; }
exit $found
