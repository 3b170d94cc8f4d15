#!/usr/bin/env python3
"""`scan t in T checkpoint K`: the same bits as without, for every K and at every size, over several train
steps of the generated C; and memory of T/K + K steps where it was T.

usage: test_checkpoints.py [CELL...]"""

import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "emit"))
import generated

MOST = 11
SEGMENTS = (None, 1, 3, 8, MOST, 20)
SIZES = ({"N": 3, "T": MOST}, {"N": 1, "T": 1}, {"N": 2, "T": 8}, {"N": 3, "T": 7}, {"N": 1, "T": 10})
STEPS = 4

RECURRENT = (generated.ROOT / "library" / "recurrent.nn").read_text()

HEAD = """
  dim N <= 3, T <= 11
  input x[N, T, 2]
  input len[N] : index(T + 1)
  target y[N, 3]
"""
TAIL = """
  train { optimizer adam(0.05) }
"""
LAST = """
  last[n, k] = h[n, T-1, k]
  z = dense(last, 3)
  output z
  loss mean((z - y)^2)
"""

# Cells as they are in the library or in a user's file; @ stands for the checkpoint.
CELLS = {
    "lstm": ("lstm", "h, c = @lstm(x, len = len, H = 4)" + LAST),
    "lstm_all_steps": ("lstm", """h, c = @lstm(x, H = 4)
  z = dense(h, 3)
  output z
  loss mean[n, t, k](if t < len[n] then (z[n, t, k] - y[n, k])^2 else 0)"""),
    "gru": ("gru", "h = @gru(x, len, H = 4)" + LAST),
    "gru_reset_before": ("gru", "h = @gru(x, len, H = 4, reset_after = false)" + LAST),
    "stacked": ("lstm", """g, c = @lstm(x, len = len, H = 3)
  h, d = @lstm(g, len = len, H = 4)""" + LAST),
    "carried": ("lstm", """state h0[N, 4] = 0
  state c0[N, 4] = 0.5
  h, c = @lstm(x, h0, c0, H = 4)
  h0[n, k] := h[n, T-1, k]
  c0[n, k] := c[n, T-1, k]""" + LAST),
    "without_names": (None, """param u[4, 4] ~ orthogonal(1)
  param w[2, 4] ~ normal(0, 0.5)
  scan t in T@ {
    h[n, t, k] = tanh(sum[i](x[n, t, i]*w[i, k]) + sum[j](h[n, t-1, j | 0.25]*u[j, k]))
  }""" + LAST),
    "from_the_end": (None, """param u[4, 4] ~ orthogonal(1)
  param w[2, 4] ~ normal(0, 0.5)
  scan t in T@ {
    p[n, k] = h[n, t+1, k | 0.25]
    a[n, k] = sum[i](x[n, t, i]*w[i, k])
    h[n, t, k in 4] = tanh(a[n, k] + sum[j](p[n, j]*u[j, k]))
  }
  first[n, k] = h[n, 0, k]
  z = dense(first, 3)
  output z
  loss mean((z - y)^2)"""),
    "several_lags": (None, """param u[4, 4] ~ orthogonal(1)
  param w[2, 4] ~ normal(0, 0.5)
  param b[4] = 0.1
  scan t in T@ {
    a[n, k] = sum[i](x[n, t, i]*w[i, k])
    g[n, k] = sigmoid(h[n, t-3, k | b[k]] + a[n, k])
    h[n, t, k in 4] = tanh(a[n, k]*g[n, k] + sum[j](h[n, t-1, j | 0]*u[j, k]))
  }""" + LAST),
    "dropped": (None, """param u[4, 4] ~ orthogonal(1)
  param w[2, 4] ~ normal(0, 0.5)
  scan t in T@ {
    a[n, k] = sum[i](x[n, t, i]*w[i, k])
    q = dropout(a, 0.3)
    h[n, t, k in 4] = tanh(q[n, k] + sum[j](h[n, t-1, j | 0]*u[j, k]))
  }""" + LAST),
}


def definition_of(name, segment):
    """The library's definition under another name, its scan with checkpoints."""
    if name is None:
        return ""
    text = re.search(rf"^def {name}\(.*?^}}", RECURRENT, re.M | re.S)[0]
    text = text.replace(f"def {name}(", f"def {name}_{segment}(")
    return text.replace("scan t in T", "scan t in T" + checkpoint(segment)) + "\n"


def checkpoint(segment):
    return f" checkpoint {segment}" if segment else ""


def program_of(cell, segments):
    definition, body = CELLS[cell]
    texts = []
    for segment in segments:
        own = body.replace("@lstm(", f"lstm_{segment}(").replace("@gru(", f"gru_{segment}(")
        own = own.replace("T@", "T" + checkpoint(segment))
        texts.append(f"{definition_of(definition, segment)}model m{segment} {{{HEAD}  {own}{TAIL}}}\n")
    return "\n".join(texts)


def results_of(driver, model, description):
    """What four train steps leave, and what is inferred then, at each size."""
    kept, found = generated.kept_names(description), []
    for sizes in SIZES:
        here = generated.describe(driver, [model], sizes=sizes)[model]
        inputs = generated.draw_inputs(here, 5)
        inputs["len"] = [1 + (3 * i + sizes["T"]) % sizes["T"] for i in range(sizes["N"])]
        request = dict(model=model, seed=3, sizes=sizes, set=inputs)
        found += generated.drive(driver, [dict(request, entry="train_step", steps=STEPS, ask=kept + ["z"])])
    return found


def problems_of(cell, folder):
    source = folder / f"{cell}.nn"
    source.write_text(program_of(cell, SEGMENTS))
    models = {f"m{segment}": source for segment in SEGMENTS}
    driver = generated.build_driver(folder, [generated.compile_source(source)], models)
    described = generated.describe(driver, models)
    found = {model: results_of(driver, model, described[model]) for model in models}
    return [f"{model} differs at {sizes}" for model in models
            for sizes, left, right in zip(SIZES, found[model], found["mNone"]) if left != right]


# Memory ---------------------------------------------------------------------------------------------

LONG, SEGMENT = 1024, 32
# Values that others read at every step, and the adjoints of these, keep their steps.
WHOLE = {"lstm_all_steps": {"h.h", "z.z", "d.z.y", "d.h.h.1"}, "stacked": {"g.h", "d.g.h.1"}}


def memory_of(cell, segment, folder):
    """The scratch of a training step over many steps, and the values stored at each of them."""
    source = folder / f"{cell}_{segment}.nn"
    text = program_of(cell, [segment])
    source.write_text(text.replace(f"T <= {MOST}", f"T <= {LONG}").replace("N <= 3", "N <= 16"))
    shown = generated.run([generated.NNC, "show", "--explain", "memory", source]).decode()
    step = shown.split("eval_step")[0]
    rows = re.findall(r"^  (\S+) +\[(.*?)\] +\d+ ", step, re.M)
    whole = {name for name, shape in rows if "T" in shape.split(", ")}
    return int(re.search(r"^  scratch +(\d+)", step, re.M)[1]), whole


def memory_problems(cell, folder):
    before, _ = memory_of(cell, None, folder)
    after, whole = memory_of(cell, SEGMENT, folder)
    problems = []
    if whole != WHOLE.get(cell, set()):
        problems.append(f"of all steps there are {sorted(whole)}")
    if cell not in WHOLE and after > before * (SEGMENT + LONG // SEGMENT) / LONG * 2:
        problems.append(f"{after} bytes of scratch, {before} without checkpoints")
    return problems


def main():
    failures = 0
    for cell in sys.argv[1:] or CELLS:
        with tempfile.TemporaryDirectory(prefix="nnc-checkpoints-") as folder:
            for what, check in (("bits", problems_of), ("memory", memory_problems)):
                try:
                    problems = check(cell, pathlib.Path(folder))
                except generated.Failure as failure:
                    problems = [str(failure)]
                failures += generated.report(f"{what} with checkpoints, {cell}", problems)
    return failures != 0


sys.exit(main())
