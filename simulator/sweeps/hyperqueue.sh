#!/usr/bin/env bash
# Runs a sweep as a HyperQueue array on this machine, kills one of two workers midway, and merges the parts.
# Needs `hq` (PyPI: hyperqueue) and `secagg-simulator` in PATH. Usage: hyperqueue.sh DESIGN.toml OUT [PARTS]
set -euo pipefail
design=$(realpath "$1") out=$(realpath -m "$2") parts=${3:-24}
mkdir -p "$out"
export HQ_SERVER_DIR="$out/.hq"
hq server start >"$out/server.log" 2>&1 &
trap 'hq server stop >/dev/null' EXIT
until hq server info >/dev/null 2>&1; do sleep 0.2; done
hq worker start --cpus 1 >"$out/worker-1.log" 2>&1 &
victim=$!
hq worker start --cpus 1 >"$out/worker-2.log" 2>&1 &
# A task whose worker dies is given to another one; a part appears whole or not at all.
hq submit --array "0-$((parts - 1))" --cpus 1 --stdout none --stderr none --crash-limit 5 -- \
    "$(command -v secagg-simulator)" sweep "$design" --of "$parts" --out "$out"
until compgen -G "$out/part-*" >/dev/null; do sleep 0.05; done
kill -9 "$victim"
echo "one worker killed after $(compgen -G "$out/part-*" | wc -l) of $parts parts"
hq job wait last
secagg-simulator merge "$out" -o "$out/sweep.parquet"
echo "merged into $out/sweep.parquet"
