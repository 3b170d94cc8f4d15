#!/usr/bin/env python3
"""What the notes claim of cross entropy.

usage: test_losses.py [TEXT]      only claims whose names contain it"""

import math
import sys

from claims import claim, instead, main, off, only, rows, with_other

CLASSES = [2, 0, 1, 1]
ANSWERS = [1.0, 0.0, 1.0, 0.0]
N, K = 4, 3


def softmax(row):
    powers = [math.exp(z) for z in row]
    return [e/sum(powers) for e in powers]


def step(program, model, targets, z=None):
    """Logits, the loss, and what a step of rate 1 took off them."""
    start = {"set": {"t": targets, **({"z": z} if z else {})}}
    before = program.values(model, ["z"], **start)["z"]
    losses, after = program.train(model, ["z"], steps=1, **start)
    return before, losses[0], [b - a for b, a in zip(before, after["z"])]


UNSHARP = with_other("losses", "cross_entropy cross_entropy_each", ("lse[k](z[..., k])", "max[k](z[..., k])"))


@claim("losses.nn", the_maximum_for_the_logarithm_of_the_sum=only("classes classes_summed", UNSHARP),
       mean_and_sum_exchanged=instead(classes="classes_summed", classes_summed="classes"))
def cross_entropy_is_the_surprise_of_the_label(program):
    """Its gradient is the probabilities less 1 at the label; the mean has a part for each sample."""
    problems = []
    for model, scale in (("classes", 1/N), ("classes_summed", 1)):
        z, loss, gradient = step(program, model, CLASSES)
        p = [softmax(row) for row in rows(z, K)]
        problems += off(f"{model}", [loss], [-scale*sum(math.log(row[t]) for row, t in zip(p, CLASSES))])
        problems += off(f"the gradient of {model}", gradient,
                        [scale*(e - (k == t)) for row, t in zip(p, CLASSES) for k, e in enumerate(row)])
    return problems


HELD = ("h[...] = lse[k](z[..., k])",
        "h[...] = -log(max(exp(z[..., t[...]] - lse[k](z[..., k])), 1e-30)) + z[..., t[...]]")


@claim("losses.nn", probabilities_held_away_from_0=only("classes", with_other(
    "losses", "cross_entropy cross_entropy_each", HELD)))
def cross_entropy_of_large_logits_is_exact(program):
    z = [1000.0, -1000, 0]*N
    _, loss, gradient = step(program, "classes", CLASSES, z)
    program.measured(f"logits of 1000 and -1000: loss {loss:.6g}")
    return off("the loss", [loss], [(1000 + 0 + 2000 + 2000)/N]) + off(
        "the gradient", gradient, [((k == 0) - (k == t))/N for t in CLASSES for k in range(K)])


@claim("losses.nn", the_minus_forgotten=only("binary", with_other(
    "losses", "bce_probabilities bce_probabilities_sum", ("-(t", "(t"))))
def binary_cross_entropy_is_minus_the_printed_sum(program):
    """On logits and on probabilities, as mean and as sum; the gradient of the sum is y - t."""
    names = ["on_logits", "on_probabilities", "summed", "as_printed"]
    values = program.values("binary", names, set={"t": ANSWERS})
    z, loss, gradient = step(program, "binary", ANSWERS)
    y = [1/(1 + math.exp(-e)) for e in z]
    right = -sum(math.log(p if t else 1 - p) for p, t in zip(y, ANSWERS))
    program.measured(f"sum {right:.6f}, as printed {values['as_printed'][0]:.6f}, mean {values['on_logits'][0]:.6f}")
    problems = off("the loss", [loss], [right]) + off("the gradient", gradient, [p - t for p, t in zip(y, ANSWERS)])
    for name, expected in zip(names, (right/N, right/N, right, -right)):
        problems += off(name, values[name], [expected])
    return problems


def chance_of_right(program, model):
    y = program.train(model, ["y"], set={"t": ANSWERS}, steps=30)[1]["y"]
    return sum(p if t else 1 - p for p, t in zip(y, ANSWERS))/N


@claim("losses.nn", the_minus_put_back=instead(likelihood="corrected"))
def descent_on_the_printed_sum_makes_the_fit_worse(program):
    right = chance_of_right(program, "likelihood")
    program.measured(f"without the minus the chance of the right answer becomes {right:.4f}")
    return [] if right < 0.2 else [f"the chance of the right answer is {right:.4f}"]


@claim("losses.nn", the_minus_forgotten=instead(corrected="likelihood"))
def descent_on_minus_the_printed_sum_makes_it_better(program):
    right = chance_of_right(program, "corrected")
    program.measured(f"with it {right:.4f}")
    return [] if right > 0.9 else [f"the chance of the right answer is {right:.4f}"]


if __name__ == "__main__":
    sys.exit(main())
