#!/usr/bin/env python3
"""What the notes claim of optimizers and learning rates.

usage: test_optimizers.py [TEXT]      only claims whose names contain it"""

import math
import sys

from claims import claim, distance, instead, main, only, replaced, with_other

# ---- rates


def rates(program):
    """Of steps 1 to 20, whose gradient is 1."""
    w = [values["w"][0] for values in program.course("decay", ["w"], 20)]
    return [a - b for a, b in zip(w, w[1:])]


@claim("decay.nn", the_ends_exchanged=replaced(("0.5, 0.02", "0.02, 0.5")),
       no_part_of_the_first_rate=with_other("schedules", "linear_decay", ("(1 - step/tau)*e0", "0*e0")))
def the_rate_falls_in_a_straight_line_until_tau(program):
    found = rates(program)[:10]
    right = [(1 - k/10)*0.5 + k/10*0.02 for k in range(1, 11)]
    program.measured(f"rates of steps 1, 5, 10: {found[0]:.4g}, {found[4]:.4g}, {found[9]:.4g}")
    gap = distance(found, right)
    return [] if gap < 1e-12 else [f"rates are off by {gap:.3g}"]


@claim("decay.nn", no_end_of_the_line=with_other("schedules", "linear_decay", ("if step < tau then ", ""),
                                                 (" else etau", "")))
def the_rate_is_constant_after_tau(program):
    late = rates(program)[10:]
    gap = distance(late, [0.02]*len(late))
    return [] if gap < 1e-12 else [f"the rate of step 20 is {late[-1]:.3g}"]


# ---- AdaGrad and RMSProp


def way_after_the_wall(program, model, start):
    """How far w comes in 300 steps, and the root that divides its steps."""
    found = program.values(model, ["w", "w.s"], set={"w": [start]}, steps=300)
    return found["w"][0] - 1, math.sqrt(found["w.s"][0])


@claim("premature.nn", rmsprop_in_its_place=instead(adagrad="rmsprop"),
       a_mean_in_place_of_the_sum=with_other("optimizers", "adagrad", ("s + d^2", "0.9*s + 0.1*d^2")))
def adagrad_stops_too_early(program):
    """From before the wall a hundredth of the way; from behind it, without the wall in its sum, much more."""
    way, root = way_after_the_wall(program, "adagrad", -1)
    free, free_root = way_after_the_wall(program, "adagrad", 1)
    program.measured(f"AdaGrad: {way:.3g} of 29 after the wall (divided by {root:.3g}), {free:.3g} without it "
                     f"({free_root:.3g})")
    problems = [] if way < 0.03*29 else [f"it comes {way:.3g} of 29 far"]
    return problems + ([] if free > 10*way else [f"without the wall {free:.3g}, with it {way:.3g}"])


@claim("premature.nn", adagrad_in_its_place=instead(rmsprop="adagrad"),
       a_mean_that_hardly_forgets=replaced(("decay = 0.9", "decay = 0.999")))
def rmsprop_forgets_and_arrives(program):
    way, root = way_after_the_wall(program, "rmsprop", -1)
    program.measured(f"RMSProp: {way:.4g} of 29 after the wall (divided by {root:.3g})")
    return [] if abs(way - 29) < 0.5 else [f"it comes {way:.3g} of 29 far"]


# ---- Adam's correction


def step_lengths(program, model):
    """Of steps 1 to 20 in units of the rate: of a and b, whose gradients are 3 and -0.001."""
    places = program.course(model, "ab", 20)
    return [[abs(new[name][0] - old[name][0])/0.1 for old, new in zip(places, places[1:])] for name in "ab"]


@claim("correction.nn", no_correction=instead(corrected="uncorrected"),
       no_correction_of_the_square=with_other("optimizers", "adam", ("/(1 - b2^step)", "")))
def corrected_adam_steps_by_the_rate_from_the_first_step_on(program):
    gap = distance(sum(step_lengths(program, "corrected"), []), [1]*40)
    program.measured(f"Adam: steps are the rate within {gap:.2g}")
    return [] if gap < 1e-9 else [f"steps differ from the rate by {gap:.3g} of it"]


@claim("correction.nn", the_correction=instead(uncorrected="corrected"),
       correction_of_the_mean=with_other("optimizers", "adam", ("(m/(sqrt(u)", "(m/(1 - b1^step)/(sqrt(u)")))
def uncorrected_adam_steps_too_far_at_first(program):
    """By (1 - b1^k)/sqrt(1 - b2^k): 3.16 times the rate at first, and up to 6.6 times."""
    right = [(1 - 0.9**k)/math.sqrt(1 - 0.999**k) for k in range(1, 21)]
    found = step_lengths(program, "uncorrected")
    program.measured(f"without correction: the first step is {found[0][0]:.4g} rates, the longest {max(found[0]):.4g}")
    gap = distance(sum(found, []), right*2)
    return [] if gap < 1e-9 else [f"steps differ from that by {gap:.3g} rates"]


# ---- the book's forms


H = [3, 1, 0.2, 0.01]
STARTS = [1.5, -2.0, 0.7, 1.0]


def slope(x):
    return [h*a + 0.2*a**3 for h, a in zip(H, x)]


def descent(k, x, s):
    """Algorithm 8.1 with equation 8.14."""
    a = min(k/15, 1)
    return [t - ((1 - a)*0.2 + a*0.01)*g for t, g in zip(x, slope(x))]


def momentum(k, x, s, alpha=0.9, eps=0.05):
    """Algorithm 8.2."""
    s["v"] = [alpha*v - eps*g for v, g in zip(s.get("v", [0]*4), slope(x))]
    return [t + v for t, v in zip(x, s["v"])]


def nesterov(k, x, s, alpha=0.9, eps=0.05):
    """Algorithm 8.3."""
    v = s.get("v", [0]*4)
    g = slope([t + alpha*a for t, a in zip(x, v)])
    s["v"] = [alpha*a - eps*b for a, b in zip(v, g)]
    return [t + a for t, a in zip(x, s["v"])]


def adagrad(k, x, s, eps=0.1, delta=1e-7):
    """Algorithm 8.4."""
    g = slope(x)
    s["r"] = [r + a*a for r, a in zip(s.get("r", [0]*4), g)]
    return [t - eps/(delta + math.sqrt(r))*a for t, r, a in zip(x, s["r"], g)]


def rmsprop(k, x, s, rho=0.9, eps=0.02, delta=1e-6):
    """Algorithm 8.5."""
    g = slope(x)
    s["r"] = [rho*r + (1 - rho)*a*a for r, a in zip(s.get("r", [0]*4), g)]
    return [t - eps/math.sqrt(delta + r)*a for t, r, a in zip(x, s["r"], g)]


def rmsprop_nesterov(k, x, s, rho=0.9, eps=0.02, alpha=0.5):
    """Algorithm 8.6."""
    v = s.get("v", [0]*4)
    g = slope([t + alpha*a for t, a in zip(x, v)])
    s["r"] = [rho*r + (1 - rho)*a*a for r, a in zip(s.get("r", [0]*4), g)]
    s["v"] = [alpha*a - eps/math.sqrt(r)*b for a, r, b in zip(v, s["r"], g)]
    return [t + a for t, a in zip(x, s["v"])]


def adam(k, x, s, eps=0.02, rho1=0.9, rho2=0.999, delta=1e-8):
    """Algorithm 8.7."""
    g = slope(x)
    s["s"] = [rho1*a + (1 - rho1)*b for a, b in zip(s.get("s", [0]*4), g)]
    s["r"] = [rho2*a + (1 - rho2)*b*b for a, b in zip(s.get("r", [0]*4), g)]
    first, second = ([a/(1 - rho**k) for a in s[name]] for name, rho in (("s", rho1), ("r", rho2)))
    return [t - eps*a/(math.sqrt(b) + delta) for t, a, b in zip(x, first, second)]


def as_the_book_prints_it(rule, ahead=0):
    """Whether the program's w is theta + ahead*v after each of 25 steps."""
    model = rule.__name__

    def check(program):
        x, s, right = STARTS, {}, []
        for k in range(1, 26):
            x = rule(k, x, s)
            right += [t + ahead*v for t, v in zip(x, s["v"])] if ahead else x
        course = program.course(model, ["w"], 25, set={"w": STARTS})
        gap = distance(sum((values["w"] for values in course[1:]), []), right)
        program.measured(f"{model}: 25 steps as printed within {gap:.1g}")
        return [] if gap < 1e-12 else [f"off by {gap:.3g}"]
    check.__name__ = f"{model}_is_as_the_book_prints_it"
    return check


def changed(model, name, *pairs):
    return only(model, with_other("optimizers", name, *pairs))


claim("forms.nn", a_rate_that_stays=only("descent", replaced(("linear_decay(0.2, 0.01, 15)", "0.2"))))(
    as_the_book_prints_it(descent))
claim("forms.nn", momentum_of_the_other_sign=changed("momentum", "sgd", ("momentum*v + d", "d - momentum*v")),
      looking_ahead=instead(momentum="nesterov"))(as_the_book_prints_it(momentum))
claim("forms.nn", no_looking_ahead=instead(nesterov="momentum"))(as_the_book_prints_it(nesterov, 0.9))
claim("forms.nn", no_root=changed("adagrad", "adagrad", ("else sqrt(s) + eps", "else s + eps")),
      rmsprop_in_its_place=instead(adagrad="rmsprop"))(as_the_book_prints_it(adagrad))
claim("forms.nn", delta_outside=instead(rmsprop="outside"),
      no_square=changed("rmsprop", "rmsprop", ("*d^2", "*d")))(as_the_book_prints_it(rmsprop))
claim("forms.nn", no_looking_ahead=only("rmsprop_nesterov", replaced((", nesterov = true)", ")"))))(
    as_the_book_prints_it(rmsprop_nesterov, 0.5))
claim("forms.nn", no_correction=only("adam", replaced(("adam(0.02)", "adam(0.02, corrected = false)"))),
      means_that_keep_less=only("adam", replaced(("adam(0.02)", "adam(0.02, b2 = 0.9)"))))(
    as_the_book_prints_it(adam))


@claim("forms.nn", both_inside=instead(outside="rmsprop"), both_outside=instead(rmsprop="outside"))
def delta_inside_the_root_stops_where_gradients_are_small(program):
    """The first step from 1e-3, down the slope of 1e-5: outside, delta is small beside the gradient; inside it is
    its root, 1e-3, that counts."""
    start = [0, 0, 0, 1e-3]
    g = slope(start)[3]
    length = {model: start[3] - program.values(model, ["w"], set={"w": start}, steps=1)["w"][3]
              for model in ("outside", "rmsprop")}
    right = {"outside": 0.02*g/(math.sqrt(0.1)*g + 1e-6), "rmsprop": 0.02*g/math.sqrt(0.1*g*g + 1e-6)}
    program.measured(f"the first step is {length['outside']:.4g} with delta outside, {length['rmsprop']:.4g} inside")
    return [f"{model}: {length[model]:.4g}, not {right[model]:.4g}" for model in length
            if not abs(length[model]/right[model] - 1) < 1e-9]


if __name__ == "__main__":
    sys.exit(main())
