#!/bin/sh
# Every derivative of ops.def, each of them made wrong, and every definition of the library.
status=0
for mode in --operations --mutants --library; do
  "$NNC_BUILD/tools/gradcheck" $mode || status=1
done
exit $status
