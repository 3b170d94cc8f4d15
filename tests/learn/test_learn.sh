#!/bin/sh
# The tasks of learn/: their programs are programs, and the smallest is learned as `make learn` learns it.
set -eu

for program in learn/*.nn; do
  if "$NNC" check "$program"; then echo "ok $program"; else echo "FAIL $program: see above"; fi
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$NNC" learn/spirals.nn -o "$folder/spirals.c"
cc -O1 -Wall -Wextra -Wconversion -Iruntime/core -I"$folder" -Ilearn -o "$folder/spirals" \
  learn/spirals.c learn/learn.c "$folder/spirals.c" -L"$NNC_BUILD" -lnnrt -lm
if "$folder/spirals"; then echo "ok two spirals"; else echo "FAIL two spirals: not learned"; fi
