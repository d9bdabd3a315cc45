#!/bin/sh
# The whole test run in two halves side by side, each with services of its own: pages and dataset, and all the rest.
# `test.sh PYTEST...` runs both; what the first half says is kept until the other has ended.
set -u
said=$(mktemp)
"$@" tests/browser tests/exports >"$said" 2>&1 &
first=$!
trap 'kill "$first" 2>/dev/null; cat "$said"; rm -f "$said"; exit 130' INT TERM
"$@" tests --ignore=tests/browser --ignore=tests/exports
rest=$?
wait "$first"
pages=$?
cat "$said"
rm -f "$said"
[ "$rest" -eq 0 ] && [ "$pages" -eq 0 ]
