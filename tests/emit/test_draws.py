#!/usr/bin/env python3
"""What a draw depends on: the number at [n, t] is the same whatever size T has in the call, and the calls of
`accumulate` that share a step draw for its samples what one call would."""

import pathlib
import tempfile

import generated

SIZES = """model sizes {
  dim N <= 4, T <= 6
  input x[N, T]
  param w = 1
  u[n in N, t in T] ~ uniform(0, 1)
  v[t in T, n in N] ~ normal(0, 1)
  loss w*mean[n, t](u[n, t]*v[t, n]*x[n, t])
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
  return sizes_train_step(&one, 4, T, x) * (float)(4 * T); /* exact: T is a power of two */
}

int main(void) {
  int differ = 0, apart = 0;
  for (int n = 0; n < 4; n++)
    for (int s = 0; s < 2; s++)
      differ += drawn(2, n, s) != drawn(4, n, s);
  for (int n = 0; n < 4; n++) {
    float x[4] = {0}, parts = 0;
    x[n] = 1;
    sizes_init(&one, 7);
    parts += sizes_accumulate(&one, 1, 1, x);
    parts += 2 * sizes_accumulate(&one, 2, 1, x + 1);
    parts += sizes_accumulate(&one, 1, 1, x + 3);
    apart += parts != drawn(2, n, 0);
  }
  if (apart) printf("FAIL parts of a step draw as one call: %d of 4 do not\\n", apart);
  else puts("ok parts of a step draw as one call");
  if (differ) printf("FAIL draws do not depend on sizes: %d of 8 do\\n", differ);
  else puts("ok draws do not depend on sizes");
  return differ || apart;
}
"""


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "sizes.nn").write_text(SIZES)
        c = generated.compile_source(folder / "sizes.nn", ["--emit=train,gradients"])
        (folder / "main.c").write_text(MAIN)
        generated.run(["cc", "-std=c11", *generated.WARNINGS.split(), "-I", folder, "-o",
                       folder / "main", folder / "main.c", c, *generated.runtime_flags()])
        print(generated.run([folder / "main"]).decode(), end="")


if __name__ == "__main__":
    main()
