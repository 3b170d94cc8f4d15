#!/bin/sh
# Sequence to sequence learns: after some seconds more than 95 % of strings it never saw come out exactly
# backwards, from a decoder that is fed by its own output.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
here=tests/programs/sequences
"$NNC" $here/reverse.nn -o "$folder/reverse.c"
cc -O2 -I"$folder" "$folder/reverse.c" $here/reverse.c -o "$folder/reverse" $(pkg-config --cflags --libs nnc)
share=$("$folder/reverse")
if awk "BEGIN { exit !($share > 0.95) }"; then
  echo "ok digits are reversed, $share of those kept for the test"
else
  echo "FAIL digits are reversed: only $share of those kept for the test"
  exit 1
fi
