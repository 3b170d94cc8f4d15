#!/usr/bin/env python3
"""Products in tiles of every target give the bits of products in loops: all edges of rows and columns, with
sizes known to the compiler and to the call alone, with guards that cut tiles, forwards and backwards, in float and
double."""

import pathlib
import sys
import tempfile

import bits
import generated
import test_same_bits

EXTENTS = (1, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33, 48, 65)
SIZES = ({"N": 1, "T": 1}, {"N": 7, "T": 6}, {"N": 8, "T": 16}, {"N": 13, "T": 33}, {"N": 33, "T": 17})

KNOWN = """
model known {{
  input x[3]
{products}
  loss {losses}
  train {{ optimizer sgd(0.01) }}
}}
"""
PRODUCT = """  param a{n}[{rows}, 11] ~ uniform(-1, 1)
  param b{n}[11, {columns}] ~ uniform(-1, 1)
  c{n}[i, j] = sum[k{guard}](a{n}[i, k]*b{n}[k, j])
  l{n} = mean[i, j](tanh(c{n}[i, j])*x[(i + j) % 3])
"""

AT_RUN_TIME = """
model called {
  dim N <= 33, T <= 33
  input x[N, T, 10]
  h = lstm(x, H = 10)
  q = dense(h, 12)
  s[n, t, u] = sum[d](q[n, t, d]*q[n, u, d])
  a[n, t, u] = exp(s[n, t, u] - lse[v](s[n, t, v]))
  p[n, t, u] = if u <= t then exp(s[n, t, u]) else 0
  o[n, t, d] = sum[u](a[n, t, u]*h[n, u, d]) + sum[u](p[n, t, u]*h[n, u, d])
  output o
  loss mean(o^2)
  train { optimizer sgd(0.1) }
}
"""

# Samples lie innermost: windows bound loops of tiles, sums over samples go side by side in lanes, those of the first
# window step by step.
INTERLEAVED = """
model few {
  input x[32, 1, 12, 32]
  z = x |> conv2d(6, size = 5, pad = 2) |> maxpool2d(2) |> conv2d(6, pad = 0, stride = 2)
  output s[n, k] = mean[p, q](z[n, k, p, q])
  loss mean(s^2)
  train { optimizer sgd(0.1) }
}
"""

# The same with a batch of run time, whose rows are filled up; labels, lengths and masks are asked for each sample.
FILLED = """
model filled {
  dim N <= 37
  input x[N, 1, 16, 16]
  input length[N] : index(17)
  target t[N] : index(9)
  h = x |> conv2d(6, size = 5, pad = 2) |> relu |> maxpool2d |> conv2d(9, pad = 0) |> dropout(0.2)
  v[n, k] = sum[p, q if p + q < length[n]](h[n, k, p, q]^2)
  z = flatten(h) |> dense(12) |> tanh |> dense(9)
  s[n, k] = z[n, k] + 0.1*log(1e-3 + v[n, k])
  output s
  loss cross_entropy(s, t)
  train { optimizer sgd(0.1) }
}
"""
BATCHES = (1, 2, 15, 16, 17, 32, 33, 37)

GUARDS = (" if k <= i", " if j <= i", " if i <= k", " if i <= j + 3", " if k <= i and i < k + 4", " if i + k <= 9")


# Behind the tiles of the product stands what reads an earlier step of what stands there, too.
CROSSED = """
model crossed {
  input x[12]
  param p[12, 12] ~ uniform(-1, 1)
  h[t in 20, w in 12] = sin(sum[i in 12](h[t - 1, i | 0.2]*p[i, w]) + 0.4*c[w, t - 1 | 0.1])
  c[w in 12, t in 20] = tanh(0.5*h[t, w] + x[w])
  output h
  loss mean[t in 20, w in 12](h[t, w]^2)
  train { optimizer sgd(0.01) }
}
"""

# What tiles of all rows take of a block is more than the first cache has room for; long rows lie in strips.
SUMMED = """
model summed {
  dim N <= 33
  input x[N, 40]
  param w[20] ~ uniform(-1, 1)
  param v[3, 32] ~ uniform(-1, 1)
  param a[9, 40, 20] ~ uniform(-1, 1)
  param b[9, 40, 3, 32] ~ uniform(-1, 1)
  param c[64, 256] ~ uniform(-1, 1)
  param d[64, 64] ~ uniform(-1, 1)
  h[n, t, i] = tanh(x[n, t]*w[i])
  q[n, t, p, k] = tanh(x[n, t]*v[p, k])
  s[i, p, k] = sum[n, t](h[n, t, i]*q[n, t, p, k])
  g[i, p, k] = sum[n, t](a[n, t, i]*b[n, t, p, k]) + sum[n, t if 2 <= n and n <= 7](a[n, t, i]*b[n, t, p, k])
  r[i, p, k] = sum[n, t if n % 3 == 1](a[n, t, i]*b[n, t, p, k])
  e[n, i] = tanh(c[n, i])
  f[i, k] = sum[n](e[n, i]*d[n, k])
  output s
  loss mean[i, p, k]((s[i, p, k] + g[i, p, k] + r[i, p, k])^2) + mean[i, k](f[i, k]^2)
  train { optimizer sgd(0.01) }
}
"""

# Under their conditions no divisor is 0 and no read outside; without them some are.
DIVIDED = """
model divided {
  dim N <= 5
  input d[N] : index(5)
  input c[40] : index(5)
  input ok[5] : index(2)
  input x[N, 40]
  input v[40]
  a[n] = sum[k if c[k] < d[n]](x[n, k]*(x[n, k] + k//d[n]))
  b[n] = sum[k if c[k] < d[n]](x[n, k]*(7//d[n]))
  e[n] = sum[k if c[k] < d[n] and 7 % d[n] > 0](x[n, k]*v[k])
  f[n] = sum[k if c[k] < d[n] and ok[d[n] - 1] > 0](x[n, k]*v[k])
  g[n, k] = if c[k] < d[n] and ok[d[n] - 1] > 0 then x[n, k] else v[k]
  output a
  output b
  output e
  output f
  output g
}
"""

# Rows that are reduced in lanes lie side by side, where conditions leave out some of them.
ATTENTION = """
model seen {{
  input x[3]
{attentions}
  loss {losses}
  train {{ optimizer sgd(0.05) }}
}}
"""
ATTEND = """  param q{n}[32, 10] ~ uniform(-1, 1)
  param k{n}[{seen}, 10] ~ uniform(-1, 1)
  s{n}[t, u] = sum[e](q{n}[t, e]*k{n}[u, e])
  p{n}[t, u] = if {condition} then exp(s{n}[t, u] - lse[v if {inside}](s{n}[t, v])) else 0
  y{n}[t, e] = sum[u](p{n}[t, u]*k{n}[u, e])
  l{n} = mean[t, e](y{n}[t, e]*x[(t + e) % 3])
"""
SEEN = ((16, "0 <= {0}"), (32, "{0} <= t"), (37, "{0} <= t + 5"), (48, "t <= {0} and {0} < t + 9"), (33, "{0} + t < 40"))


# Windows of two in rows that fill vectors and rows that do not, and below products with their channels last.
WINDOWS = """
model windows {{
  input x[1, 3, 20, 32]
  input w[3, 66]
{rows}
  h = x |> conv2d(6, 5, pad = 0) |> relu |> maxpool2d
  z = h |> conv2d(16, 5, pad = 0) |> relu |> maxpool2d
  output z
  loss mean[n, k, p, q](z[n, k, p, q]^2)
  train {{ optimizer sgd(0.05) }}
}}
"""
ROW_OF_WINDOWS = """  y{n}[i in 3, q in {places}] = max[s in 2](w[i, 2*q + s]) - 0.5*min[s in 2](w[i, 2*q + s])
  v{n}[i in 3, q in {places}] = sum[s in 2](w[i, 2*q + s]) + w[i, q]
  output y{n}
  output v{n}
"""
PLACES = (1, 3, 4, 5, 7, 8, 9, 14, 15, 16, 17, 31, 33)


def windows_model():
    rows = "".join(ROW_OF_WINDOWS.format(n=n, places=places) for n, places in enumerate(PLACES))
    return WINDOWS.format(rows=rows)


def attention_model():
    cases = [ATTEND.format(n=n, seen=seen, condition=condition.format("u"), inside=condition.format("v"))
             for n, (seen, condition) in enumerate(SEEN)]
    return ATTENTION.format(attentions="".join(cases), losses=" + ".join(f"l{n}" for n in range(len(SEEN))))


def known_model():
    count = len(EXTENTS)
    cases = [(EXTENTS[i], EXTENTS[(i + 4) % count], "") for i in range(count)]
    cases += [(rows, 33, guard) for rows in (9, 16) for guard in GUARDS]
    products = "".join(PRODUCT.format(n=n, rows=rows, columns=columns, guard=guard)
                       for n, (rows, columns, guard) in enumerate(cases))
    return KNOWN.format(products=products, losses=" + ".join(f"l{n}" for n in range(len(cases))))


def targets(profile, real):
    """The first is written with loops. In double those with the shortest and the longest vectors will do."""
    tiny = generated.ROOT / "tests" / "fuzz" / "models" / "tiles.yaml"
    found = [str(target) for target, _ in test_same_bits.builds(profile)]
    found = found + [str(tiny)] if profile == "plain" else sorted(found, key=lambda name: "without" not in name)
    return found if real == "float" else [found[0], found[-1]]


def built(folder, target, real):
    there = folder / f"{pathlib.Path(target).stem}-{real}"
    there.mkdir()
    source = there / "m.nn"
    fixed = AT_RUN_TIME + INTERLEAVED + FILLED + CROSSED + SUMMED + DIVIDED
    source.write_text(known_model() + fixed + attention_model() + windows_model())
    c = generated.compile_source(source, [f"--target={target}", f"--real={real}"])
    models = ["known", "called", "few", "filled", "crossed", "summed", "divided", "seen", "windows"]
    return generated.build_driver(there, [c], models, [*generated.CC, *flags_of(target)])


def flags_of(target):
    if "without" in target:
        return ["-mfma"] if bits.X86 else []
    return [f"-march={target}"] if target in ("x86-64-v3", "x86-64-v4") else []


def requests():
    images = [(i*29 % 83 - 41) / 41 for i in range(32*12*32)]
    asked = [
        dict(model="known", set={"x": [0.5, -1, 2]}, steps=2),
        dict(model="seen", set={"x": [0.5, -1, 2]}, steps=2),
        dict(model="windows", set={"x": images[:3*20*32], "w": images[:3*66]}, steps=2,
             ask=["z", *(f"{name}{n}" for n in range(len(PLACES)) for name in "yv")]),
        dict(model="few", set={"x": images}, steps=2, ask=["s"]),
        dict(model="divided", ask=["a", "b", "e", "f", "g"],
             set={"x": images[:200], "v": images[:40], "d": [0, 1, 2, 3, 4], "c": [i*3 % 5 for i in range(40)],
                  "ok": [1, 0, 1, 0, 1]}),
        dict(model="crossed", set={"x": [i/12 for i in range(12)]}, steps=2, ask=["h"]),
    ]
    for sizes in SIZES:
        count = sizes["N"] * sizes["T"] * 10
        data = [(i*37 % 101 - 50) / 50 for i in range(count)]
        asked.append(dict(model="called", sizes=sizes, set={"x": data}, steps=2, ask=["o"]))
    for count in BATCHES:
        values = {"x": [(i*31 % 89 - 44) / 44 for i in range(count*16*16)], "length": [i*7 % 17 for i in range(count)],
                  "t": [i % 9 for i in range(count)]}
        asked.append(dict(model="filled", sizes={"N": count}, set=values, steps=2, ask=["s"]))
    for count in (1, 2, 33):
        rows = [(i*37 % 101 - 50) / 50 for i in range(40*count)]
        asked.append(dict(model="summed", sizes={"N": count}, set={"x": rows}, steps=2, ask=["s"]))
    return asked


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="nnc-tiles-") as name:
        folder = pathlib.Path(name)
        for profile in ("plain", "fused"):
            for real in ("float", "double"):
                expected = None
                for target in targets(profile, real):
                    results = generated.drive(built(folder, target, real), requests())
                    found = [(result["losses"], result["hash"], result["values"]) for result in results]
                    expected = expected or found
                    wrong = [f"request {i}" for i, (f, e) in enumerate(zip(found, expected, strict=True)) if f != e]
                    failures += generated.report(f"tiles of {pathlib.Path(target).stem}, {real}", wrong)
    return failures != 0


sys.exit(main())
