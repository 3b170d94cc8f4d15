#!/usr/bin/env python3
"""What a draw depends on: the number at [n, t] is the same whatever size T has in the call."""

import pathlib
import tempfile

import generated

SIZES = """model sizes {
  dim N <= 4, T <= 6
  input x[N, T]
  param w = 1
  u[n in N, t in T] ~ uniform(0, 1)
  loss w*sum(u*x)
  train { optimizer sgd(0) }
}
"""
MAIN = """#include "sizes.h"
#include <stdio.h>
static sizes one;

static float drawn(int64_t T, int n, int t) {
  float x[24] = {0};
  x[n * T + t] = 1;
  sizes_init(&one, 7);
  return sizes_train_step(&one, 4, T, x);
}

int main(void) {
  int differ = 0;
  for (int n = 0; n < 4; n++)
    for (int s = 0; s < 2; s++)
      differ += drawn(2, n, s) != drawn(3, n, s) || drawn(3, n, s) != drawn(6, n, s);
  if (differ) printf("FAIL draws do not depend on sizes: %d of 8 do\\n", differ);
  else puts("ok draws do not depend on sizes");
  return differ != 0;
}
"""


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "sizes.nn").write_text(SIZES)
        c = generated.compile_source(folder / "sizes.nn")
        (folder / "main.c").write_text(MAIN)
        generated.run(["cc", "-std=c11", *generated.WARNINGS.split(), "-I", folder, "-o",
                       folder / "main", folder / "main.c", c, *generated.runtime_flags()])
        print(generated.run([folder / "main"]).decode(), end="")


if __name__ == "__main__":
    main()
