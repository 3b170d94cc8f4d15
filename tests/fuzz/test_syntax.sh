#!/bin/sh
# Damaged programs through the parser and the printer; tests/tools/mutate_syntax.c says what must hold.
exec "$NNC_BUILD/tools/mutate_syntax" $((5000 * ${NNC_ROUNDS:-1})) tests/syntax/programs/*.nn library/*.nn
