#!/usr/bin/env python3
"""The programs that the language was designed with, as kept in tests/syntax/programs: each passes `check`, is the
same program after `fmt`, and at small sizes runs and trains in C as in the interpreter, to finite numbers.
Definitions that no model of their file uses get models here. With ../shared, the copies are complete.

usage: test_language.py [TEXT]      only files whose names contain it"""

import pathlib
import re
import sys
import tempfile

import agreement
import generated

ROOT = agreement.ROOT
COPIES = ROOT / "tests" / "syntax" / "programs"
DESIGN = ROOT / ".." / "shared" / "design"

IMAGES = """
model images {
  dim N <= 2
  input x[N, 2, 5, 6]
  target t[N] : index(3)
  f = x |> conv2d(3, stride = 2) |> batchnorm@POOL@
  z[n, k in 3] = mean[p, q](f[n, k, p, q])
  loss cross_entropy(z, t, smooth = 0.1) + l2(1e-3)
  train { optimizer sgd(0.1) }
}
"""

SEQUENCES = """
#: tok 0 4
#: len 1 1
model sequences {
  dim N <= 2, T <= 3
  input tok[N, T] : index(5)
  input len[N] : index(1, T + 1)
  target t[N, T, 4]
  state h0[N, 4] = 0
  state c0[N, 4] = 0
  e = embedding(tok, 5, 4)
  h, c = lstm(layernorm(e), h0, c0, 4)
  r = gru(e, len, 4)
  h0[n, k] := h[n, T-1, k]
  c0[n, k] := c[n, T-1, k]
  y = h + r
  output y
  loss mean((y - t)^2)
  train { optimizer sgd(0.1) }
}
"""

ATTENTION = """
model attending {
  dim N <= 2, T <= 3
  input x[N, T, 4]
  y = x |> dense(4) |> attention(2)
  output y
  loss mean(y^2)
  train { optimizer sgd(0.1) }
}
"""

LINE = """
model by_@NAME@ {
  dim N <= 4
  input x[N, 3]
  target t[N]
  param w[3] ~ normal(0, 1)
  y[n] = sum[i](x[n, i]*w[i])
  loss mean[n]((y[n] - t[n])^2)
  train { optimizer @OPTIMIZER@ }
}
"""


def lines(**optimizers):
    return "".join(LINE.replace("@NAME@", name).replace("@OPTIMIZER@", call)
                   for name, call in optimizers.items())


# file: (what makes it small, models of its definitions)
PROGRAMS = {
    "digits_perceptron": ({"784": "6", "256": "5", "dense(128)": "dense(4)", "128": "3"}, ""),
    "two_models": ({"784": "6", "H = 256": "H = 3", "256": "5", "dense(128)": "dense(4)", "N <= 128": "N <= 3",
                    "N <= 32, T <= 64, V = 96": "N <= 2, T <= 3, V = 3", "V, 64": "V, 3"}, ""),
    "character_lstm": ({"N <= 32, T <= 64, V = 96, H = 256": "N <= 2, T <= 3, V = 3, H = 4", "V, 64": "V, 3"}, ""),
    "ragged_gru": ({"N <= 64, T <= 200, V = 20000, C = 2": "N <= 2, T <= 3, V = 3, C = 3", "V, 128": "V, 3",
                    "len, 128": "len, 4", "# A classifier": "#: len 1 1\n# A classifier"}, ""),
    "residual_network": ({"N <= 64": "N <= 2", "x[N, 3, 32, 32]": "x[N, 3, 6, 5]", "conv2d(32": "conv2d(2",
                          "resblock(32) |> resblock(64, 2) |> resblock(128, 2)":
                          "resblock(2) |> resblock(3, 2)"}, ""),
    "transformer": ({"N <= 16, T <= 128, V = 96, D = 192": "N <= 2, T <= 3, V = 3, D = 6",
                     "repeat(4,": "repeat(2,"}, ""),
    "paper_formulas": ({"N <= 32, T <= 50": "N <= 2, T <= 3", "x[N, T, 8]": "x[N, T, 3]", "x, 64": "x, 4",
                        "dense(32)": "dense(4)"}, """
model rearranged {
  dim N <= 2, T <= 3
  input a[N, 2]
  input b[N, 3]
  input x[N, T, 4]
  y = concat(a, b)
  s = split_heads(x, 2)
  z = ste_sign(dense(y, 2))
  output y
  output s
  loss mean(z^2)
  train { optimizer lars(0.1) }
}
"""),
    "layer_formulas": ({}, IMAGES.replace("@POOL@", " |> relu |> maxpool2d(2, 1)") + SEQUENCES + ATTENTION + """
model activations {
  dim N <= 2
  input x[N, 2, 2, 2]
  target t[N, 3]
  z = x |> leaky |> silu |> flatten |> dropout(0.2) |> dense(3) |> gelu |> id
  pooled = global_avgpool(x)
  output p = softmax(z)
  output pooled
  metric error = mse(z, t)
  loss bce(z, t)
  train { optimizer sgd(0.1) }
}
model accuracies {
  dim N <= 4
  input x[N, 3]
  target t[N] : index(3)
  metric acc = accuracy(softplus(x), t)
}
"""),
    "seed_formulas": ({}, IMAGES.replace("@POOL@", "") + SEQUENCES + """
model penalised {
  dim N <= 3
  input x[N, 4]
  target t[N, 2]
  z = x |> dropout(0.5) |> dense(2)
  loss bce(z, t) + l1(1e-3)
  train { optimizer clip_norm(1) |> adamw(lr = linear_decay(0.1, 0.01, 3)) }
}
""" + lines(adagrad="adagrad(0.1)")),
    "attention_formulas": ({}, ATTENTION + """
model signs {
  dim N <= 2
  input x[N, 3]
  y = x |> rmsnorm |> dense(2) |> ste_sign
  loss mean((y - 1)^2)
  train { optimizer lion(0.01) }
}
"""),
    "optimizer_formulas": ({}, lines(
        momentum="sgd(step_decay(0.1, 2, 0.5), momentum = 0.9, nesterov = true, wd = 0.01)", adagrad="adagrad(0.1)",
        rmsprop="clip_value(0.1) |> rmsprop(0.01)", adamw="clip_norm(1) |> adamw(warmup_cosine(0.1, 2, 9), wd = 0.1)")),
}
NOT_RUN = {"comments", "whole_grammar"}  # for the syntax alone


def elaborated(path):
    return generated.run([generated.NNC, "check", "--stop-after=elaborate", "--dump=elaborate", path])


def check_layout(path, folder):
    """`fmt` keeps the program and leaves what it printed as it is."""
    formatted = folder / f"{path.stem}-formatted.nn"
    formatted.write_bytes(generated.run([generated.NNC, "fmt", path]))
    again = generated.run([generated.NNC, "fmt", formatted])
    problems = [] if again == formatted.read_bytes() else ["fmt changes what it printed"]
    problems += [] if elaborated(path) == elaborated(formatted) else ["fmt makes another program"]
    return generated.report(f"layout {path.stem}", problems)


def small_program(path, folder):
    """The program at small sizes, with the models of its definitions."""
    sizes, models = PROGRAMS[path.stem]
    text = path.read_text()
    for old, new in sizes.items():
        if old not in text:
            raise generated.Failure(f"'{old}' is not in {path.name}")
        text = text.replace(old, new)
    small = folder / f"{path.stem}.nn"
    small.write_text(text + models)
    return small


def check_program(path, folder):
    try:
        return check_layout(path, folder) + agreement.check(small_program(path, folder), folder)
    except generated.Failure as failure:
        return generated.report(path.stem, [str(failure)])


ITEM = re.compile(r"^(def|optimizer|model) (\w+)", re.M)


def items_of(*texts):
    return {item for text in texts for item in ITEM.findall(text)}


def check_complete(copies):
    if not DESIGN.exists():
        print("skip nothing-is-forgotten: no ../shared/design")
        return 0
    page = (DESIGN / "language.md").read_text()
    blocks = re.findall(r"^```\n(.*?)^```$", page, re.M | re.S)
    prototypes = [path.read_text() for path in (DESIGN / "prototype" / "language").rglob("*.nn")]
    missing = items_of(*blocks, *prototypes) - items_of(*(path.read_text() for path in copies))
    return generated.report("nothing-is-forgotten", [" ".join(item) for item in sorted(missing)])


def main():
    text = "".join(sys.argv[1:])
    copies = [path for path in sorted(COPIES.glob("*.nn")) if path.stem not in NOT_RUN]
    failures = check_complete(copies)
    with tempfile.TemporaryDirectory(prefix="nnc-language-") as folder:
        failures += sum(check_program(path, pathlib.Path(folder)) for path in copies if text in path.stem)
    return failures != 0


sys.exit(main())
