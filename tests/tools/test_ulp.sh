#!/bin/sh
# No elementary function errs by more than its bound: a sample of all floats against the C library in
# double, random doubles against MPFR. Each tool prints a line for each function.
status=0
"$NNC_BUILD/tools/ulp_f32" 4999 || status=1
"$NNC_BUILD/tools/ulp_f64" 1500 || status=1
exit $status
