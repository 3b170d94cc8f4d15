#!/bin/sh
# The header says the least size that the entry accepts, and what must hold between sizes.
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
"$NNC" tests/emit/sizes-start-where-every-extent-is-positive.nn -o "$folder/m.c"
for line in 'N 2..6' 'T 2..9' 'K 1..4' 'where 1 <= T - K'; do
  if grep -qF "     $line" "$folder/m.h"; then echo "ok header-says $line"; else echo "FAIL header-says $line"; fi
done
