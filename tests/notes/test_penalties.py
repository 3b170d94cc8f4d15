#!/usr/bin/env python3
"""What the notes claim of penalties on the weights, L2 and L1.

usage: test_penalties.py [TEXT]      only claims whose names contain it"""

import math
import random
import sys

from claims import claim, distance, instead, main, only, replaced, with_other


def drawn(name, *shape):
    """Normal numbers, nested as the shape is."""
    rng = random.Random(name)

    def draw(sizes):
        return [draw(sizes[1:]) for _ in range(sizes[0])] if sizes else rng.gauss(0, 1)
    return draw(shape)


def dot(a, b):
    return sum(x*y for x, y in zip(a, b))


# ---- one step


def step_of(program, model):
    """Values before and after one step, and the gradients of the rest of the loss."""
    given = {"W": drawn("W", 6), "b": drawn("b", 2), "s": drawn("s", 2), "gW": drawn("gW", 6), "gb": drawn("gb", 2)}
    return given, program.values(model, ["W", "b", "s"], set=given, steps=1)


ALL = only("penalised", with_other("losses", "l2", ("total[@weight]", "total")))


@claim("weight_decay.nn", no_penalty=replaced((" + l2(0.1)", "")),
       the_other_sign=only("penalised", with_other("losses", "l2", ("0.5*", "-0.5*"))),
       no_half=only("penalised", with_other("losses", "l2", ("0.5*", ""))))
def a_step_shrinks_weights_and_then_descends(program):
    given, found = step_of(program, "penalised")
    right = [(1 - 0.5*0.1)*w - 0.5*g for w, g in zip(given["W"], given["gW"])]
    gap = distance(found["W"], right)
    program.measured(f"weights after a step are (1 - eps*alpha) w - eps*g within {gap:.1g}")
    return [] if gap < 1e-15 else [f"weights are off by {gap:.3g}"]


@claim("weight_decay.nn", decay_of_all=only("decayed", replaced(("{ wd = 0 }", "{ wd = 0.1 }"))),
       twice_the_decay=only("decayed", replaced(("wd = 0.1)", "wd = 0.2)"))))
def weight_decay_of_the_optimizer_is_the_same_step(program):
    given, found = step_of(program, "decayed")
    right = [(1 - 0.5*0.1)*w - 0.5*g for w, g in zip(given["W"], given["gW"])]
    gap = max(distance(found["W"], right), *(distance(found[k], unpenalised(given, k)) for k in "bs"))
    return [] if gap < 1e-15 else [f"values are off by {gap:.3g}"]


def unpenalised(given, name):
    return [w - 0.5*g for w, g in zip(given[name], given["gb"])]


@claim("weight_decay.nn", a_penalty_on_all=ALL,
       a_bias_that_counts_as_weight=only("penalised", replaced(("@bias\n", "@weight\n"))))
def biases_and_norms_are_not_shrunk(program):
    """To the last bit."""
    given, found = step_of(program, "penalised")
    return [f"{name} is {found[name]}, not {unpenalised(given, name)}" for name in "bs"
            if found[name] != unpenalised(given, name)]


# ---- where the minimum goes


LAMBDAS = [4.0, 1.0, 0.25, 0.05]


def eigenvectors():
    """Of a reflection: orthogonal, and none along an axis."""
    v = drawn("axis", 4)
    return [[(i == j) - 2*v[i]*v[j]/dot(v, v) for j in range(4)] for i in range(4)]


@claim("quadratic.nn", no_penalty=replaced((" + l2(0.5)", "")),
       no_half=with_other("losses", "l2", ("0.5*", "")), the_penalty_of_l1=replaced(("l2(0.5)", "l1(0.5)")))
def a_minimum_shrinks_along_each_eigenvector(program):
    Q, star = eigenvectors(), drawn("star", 4)
    H = [sum(value*q[i]*q[j] for value, q in zip(LAMBDAS, Q)) for i in range(4) for j in range(4)]
    w = program.values("quadratic", ["w"], set={"H": H, "star": star}, steps=200)["w"]
    found = [dot(q, w)/dot(q, star) for q in Q]
    right = [value/(value + 0.5) for value in LAMBDAS]
    gap = distance(found, right)
    program.measured(f"along eigenvalues {LAMBDAS} the minimum shrinks to "
                     f"{', '.join(f'{part:.6f}' for part in found)}; off by {gap:.1g}")
    return [] if gap < 1e-5 else [f"shrunk to {found}, not {right}"]


def solve(A, b):
    """A x = b by elimination."""
    rows = [row[:] + [value] for row, value in zip(A, b)]
    for i in range(len(rows)):
        rows[i] = [value/rows[i][i] for value in rows[i]]
        for k in range(len(rows)):
            if k != i:
                rows[k] = [a - rows[k][i]*c for a, c in zip(rows[k], rows[i])]
    return [row[-1] for row in rows]


def ridge(X, y, alpha):
    columns = list(zip(*X))
    A = [[dot(a, b) + (alpha if i == j else 0) for j, b in enumerate(columns)] for i, a in enumerate(columns)]
    return solve(A, [dot(a, y) for a in columns])


def regression_gaps(program, model):
    """How far the weights are from the solution with alpha = 3, and with alpha/2."""
    X, y = drawn("X", 12, 3), drawn("y", 12)
    w = program.values(model, ["w"], set={"X": sum(X, []), "y": y}, steps=400)["w"]
    gaps = [distance(w, ridge(X, y, alpha)) for alpha in (3, 1.5)]
    program.measured(f"{model}: {gaps[0]:.2g} from the solution with alpha, {gaps[1]:.2g} from that with alpha/2")
    return gaps


def is_solution(near, far):
    return [] if near < 1e-5 < 1e-3 < far else [f"{near:.3g} from one solution, {far:.3g} from the other"]


@claim("ridge.nn", no_half_of_the_squares=instead(halved="printed"),
       no_penalty=only("halved", replaced((" + l2(3)", ""))))
def ridge_regression_reaches_its_closed_form(program):
    return is_solution(*regression_gaps(program, "halved"))


@claim("ridge.nn", half_of_the_squares=instead(printed="halved"),
       no_half_of_the_penalty=only("printed", with_other("losses", "l2", ("0.5*", ""))))
def the_objective_as_printed_has_half_of_alpha(program):
    return is_solution(*reversed(regression_gaps(program, "printed")))


# ---- exact zeros


CURVES = [2.0, 1.0, 0.5, 1.5, 1.0, 0.7]
STAR = [0.9, -1.2, 0.4, -0.1, 0.25, -2.0]
ALPHAS = [0, 0.1, 0.17, 0.22, 0.5, 1.3, 1.5, 2]


def lasso(program, model, alpha, steps):
    found = program.values(model, ["w", "b"], set={"H": CURVES, "star": STAR, "alpha": alpha}, steps=steps)
    right = [math.copysign(max(abs(s) - alpha/h, 0), s) for s, h in zip(STAR, CURVES)]
    return found["w"], right, found["b"][0]


def zeros(w):
    return [i for i, value in enumerate(w) if value == 0]


@claim("lasso.nn", the_subgradient=instead(proximal="subgradient"),
       no_rate_in_the_threshold=only("proximal", with_other("optimizers", "prox_l1", ("lr*alpha", "alpha"))),
       the_other_sign=only("proximal", with_other("optimizers", "prox_l1", ("w - min", "w + min"))))
def proximal_steps_reach_the_minimum_with_exact_zeros(program):
    w, right, _ = lasso(program, "proximal", 0.3, 300)
    gap = distance(w, right)
    program.measured(f"proximal: off by {gap:.1g}, exactly 0: elements {zeros(w)}")
    problems = [] if gap < 1e-5 else [f"off by {gap:.3g}"]
    return problems + ([] if zeros(w) == zeros(right) != [] else [f"{zeros(w)} are 0, not {zeros(right)}"])


@claim("lasso.nn", no_group=only("proximal", replaced(("group @bias { alpha = 0 }", ""))))
def a_bias_is_not_drawn_to_zero(program):
    b = lasso(program, "proximal", 0.3, 300)[2]
    return [] if abs(b - 0.01) < 1e-12 else [f"it is {b:.3g}, not 0.01"]


@claim("lasso.nn", proximal_steps=instead(subgradient="proximal"),
       a_rate_that_stays=only("subgradient", replaced(("exponential_decay(0.3, 1, 0.99)", "0.3"))),
       no_penalty=only("subgradient", replaced((" + l1(alpha)", ""))))
def steps_along_a_subgradient_come_near_and_find_no_zero(program):
    w, right, _ = lasso(program, "subgradient", 0.3, 2500)
    gap = distance(w, right)
    program.measured(f"subgradient: off by {gap:.1g}, exactly 0: elements {zeros(w)}")
    problems = [] if gap < 1e-5 else [f"off by {gap:.3g}"]
    return problems + ([f"{zeros(w)} are 0"] if zeros(w) else [])


@claim("lasso.nn", the_subgradient=instead(proximal="subgradient"),
       a_penalty_that_stays=only("proximal", replaced(("prox_l1(alpha,", "prox_l1(0.3,"))))
def sparsity_grows_with_alpha(program):
    counts = [len(zeros(lasso(program, "proximal", alpha, 300)[0])) for alpha in ALPHAS]
    program.measured(f"zeros of 6 at alpha {ALPHAS}: {counts}")
    grows = counts == sorted(counts) and counts[0] == 0 and counts[-1] == 6 and len(set(counts)) == 7
    return [] if grows else [f"zeros of 6: {counts}"]


if __name__ == "__main__":
    sys.exit(main())
