#!/bin/sh
# MODE=hostile: allocations fail in turn; nnc must say so, end with status 3, and leave no file behind.
[ "$NNC_MODE" = hostile ] || { echo "skip failing allocations: only MODE=hostile can make them fail"; exit 0; }

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

# fail_in_turn NAME ARGUMENTS...: the n-th allocation for n = 1, ... ever further apart, until all succeed
fail_in_turn() {
  name=$1; shift
  rm -rf "$directory"/*
  failing=1
  while :; do
    NNC_FAIL_ALLOCATION=$failing "$NNC" "$@" >"$directory/said" 2>&1
    status=$?
    [ $status = 0 ] && break
    if [ $status != 3 ] || [ "$(cat "$directory/said")" != "nnc: out of memory" ] ||
      [ "$(ls "$directory")" != said ]; then
      echo "FAIL failing allocations, $name: number $failing ends with status $status"
      cat "$directory/said"
      return
    fi
    failing=$((failing + failing / 8 + 1))
  done
  [ $failing -gt 20 ] && echo "ok failing allocations, $name" ||
    echo "FAIL failing allocations, $name: none failed"
}

fail_in_turn fmt fmt tests/syntax/comments-stay-where-they-stood.nn -o "$directory/out.nn"
fail_in_turn check check examples/digits/digits.nn
fail_in_turn show show examples/digits/digits.nn
fail_in_turn compile --standalone --emit=train,infer,gradients examples/digits/digits.nn -o "$directory/digits.c"
