#!/usr/bin/env python3
"""What the notes claim of dropout.

usage: test_dropout.py [TEXT]      only claims whose names contain it"""

import itertools
import math
import random
import sys

import plain_cells
from claims import claim, distance, main, only, replaced, rows, with_other

NO_DIVISION = only("layers forms", with_other("layers", "dropped dropout", ("x/(1 - p)", "x")))


def inputs(count):
    rng = random.Random(4)
    return [rng.uniform(0.5, 1.5) for _ in range(count)]


# ---- layers

KEPT = ["kept_x", "full_h", "kept_h"]


def after(program, steps):
    return program.train("layers", KEPT, set={"x": inputs(2000)}, steps=steps)[1]


def wrong_rate(name, kept, keep):
    """Within four deviations of the share that should be kept."""
    share, deviation = sum(k != 0 for k in kept)/len(kept), math.sqrt(keep*(1 - keep)/len(kept))
    return [] if abs(share - keep) < 4*deviation else [f"{name}: {share:.3f} are kept"]


HALF_RATE = only("layers", with_other("layers", "dropped dropout", ("if u < p", "if u < p/2")))


@claim("dropout.nn", half_of_the_rate=HALF_RATE,
       the_two_rates_exchanged=only("layers", replaced(("dropout(x, 0.2)", "dropout(x, 0.5)"),
                                                       ("dropout(h, 0.5)", "dropout(h, 0.2)"))))
def eight_tenths_of_inputs_and_half_of_hidden_units_are_kept(program):
    values = after(program, 1)
    shares = [sum(k != 0 for k in values[name])/2000 for name in ("kept_x", "kept_h")]
    program.measured("kept: {:.3f} of 2000 inputs, {:.3f} of 2000 hidden units".format(*shares))
    return wrong_rate("inputs", values["kept_x"], 0.8) + wrong_rate("hidden units", values["kept_h"], 0.5)


@claim("dropout.nn", no_division=NO_DIVISION)
def what_is_kept_is_divided_by_the_chance_to_be_kept(program):
    values = after(program, 1)
    pairs = [("inputs", values["kept_x"], inputs(2000), 0.8),
             ("hidden units", values["kept_h"], values["full_h"], 0.5)]
    return [f"{name}: not x/{keep}" for name, kept, full, keep in pairs
            if any(k != 0 and abs(k - x/keep) > 1e-15 for k, x in zip(kept, full))]


ONE_FOR_ALL = (("variational_dropout(x[N, T, ...]; p = 0.5) -> y[N, T, ...]",
                "dropout(x[N, D]; p = 0.5, inverted = true) -> y[N, D]"),
               ("u[n in N, ...]", "u[d in D]"),
               ("y[n, t, ...] = dropped(x[n, t, ...], u[n, ...], p)", "y[n, d] = dropped(x[n, d], u[d], p)"))


@claim("dropout.nn", one_choice_for_all_samples=only(
    "layers", with_other("layers", "variational_dropout", *ONE_FOR_ALL)))
def the_choice_is_made_anew_for_each_sample_and_step(program):
    chosen = [[k != 0 for k in after(program, steps)["kept_x"]] for steps in (1, 2, 3)]
    problems = [f"steps {i + 1} and {j + 1} drop the same"
                for i, j in ((0, 1), (0, 2), (1, 2)) if chosen[i] == chosen[j]]
    samples = rows(chosen[0], 50)
    return problems + (["samples drop the same"] if len({tuple(s) for s in samples}) < len(samples) else [])


@claim("dropout.nn", dropout_at_inference=only(
    "layers", with_other("layers", "dropout", ("if training and p > 0", "if p > 0"))))
def nothing_is_dropped_at_inference(program):
    values = program.values("layers", ["a", "h", "b"], set={"x": inputs(2000)})
    good = values["a"] == inputs(2000) and values["b"] == values["h"]
    return [] if good else ["inference does not give what it got"]


# ---- both forms


@claim("dropout.nn", no_division_in_training=NO_DIVISION,
       no_factor_at_inference=only("forms", with_other("layers", "dropout", ("y = (1 - p)*x", "y = x"))))
def both_forms_give_at_inference_the_mean_of_training(program):
    """Of 4,000 choices, within five deviations."""
    x = inputs(4)
    means = program.train("forms", ["mean_inverted", "mean_plain"], set={"x": x}, steps=1)[1]
    inference = program.values("forms", ["i", "p"], set={"x": x})
    problems = []
    for name, mean, given, scale in (("inverted", means["mean_inverted"], inference["i"], 1),
                                     ("plain", means["mean_plain"], inference["p"], 0.8)):
        program.measured(f"{name}: mean in training {mean[0]:.4f}, at inference {given[0]:.4f}, input {x[0]:.4f}")
        if distance(given, [scale*e for e in x]) > 1e-15:
            problems.append(f"{name}: inference gives {given}, not {scale} of {x}")
        deviation = scale*math.sqrt(0.2/0.8/4000)
        if any(abs(m - g) > 5*deviation*e for m, g, e in zip(mean, given, x)):
            problems.append(f"{name}: the mean of training is {mean}, inference gives {given}")
    return problems


# ---- ensembles

VALUES = {"v": inputs(10)}


def geometric_mean(v, W, b, keep):
    """As it is printed: products of probabilities and roots."""
    product = [1.0]*3
    for mask in itertools.product((0, 1), repeat=10):
        z = [sum(m*x*row[k] for m, x, row in zip(mask, v, W)) + b[k] for k in range(3)]
        powers = [math.exp(e) for e in z]
        chance = keep**sum(mask)*(1 - keep)**(10 - sum(mask))
        product = [g*(p/sum(powers))**chance for g, p in zip(product, powers)]
    return [g/sum(product) for g in product]


def ask_ensemble(program, keep):
    names = [f"{letter}{keep}" for letter in "gaspi"]
    return [program.values("ensemble", names + ["W", "b"], set=VALUES)[name] for name in names + ["W", "b"]]


@claim("ensemble.nn", the_arithmetic_mean=replaced(("geometric = softmax(mean_of_logs)", "geometric = arithmetic")),
       weights_that_are_not_scaled=replaced(("sum[i](keep*v[i]*W", "sum[i](v[i]*W")),
       one_mask_missing=replaced(("sum[m](chance[m]*log(p[m, k]))", "sum[m if m > 0](chance[m]*log(p[m, k]))")),
       units_between=replaced(("sum[i](bit[m, i]*v[i]*W[i, k])", "tanh(sum[i](bit[m, i]*v[i]*W[i, k]))"),
                              ("sum[i](keep*v[i]*W[i, k])", "tanh(sum[i](keep*v[i]*W[i, k]))")))
def the_geometric_mean_of_all_masks_is_the_net_of_scaled_weights(program):
    problems = []
    for keep in (5, 8):
        geometric, arithmetic, scaled, _, _, W, b = ask_ensemble(program, keep)
        written = geometric_mean(VALUES["v"], rows(W, 3), b, keep/10)
        gaps = distance(geometric, scaled), distance(geometric, written), distance(arithmetic, scaled)
        program.measured(f"keep 0.{keep}: geometric mean and scaled weights differ by {gaps[0]:.1e}, the mean "
                         f"written once more by {gaps[1]:.1e}; the arithmetic mean by {gaps[2]:.1e}")
        problems += [f"keep 0.{keep}: off by {gap:.1e}" for gap in gaps[:2] if gap > 1e-12]
    return problems


@claim("ensemble.nn", no_division=with_other("layers", "dropped", ("x/(1 - p)", "x")),
       weights_that_are_not_scaled=replaced(("sum[i](keep*v[i]*W", "sum[i](v[i]*W")))
def over_all_masks_the_mean_of_logits_is_exact_in_both_forms(program):
    gaps = [max(map(abs, values)) for keep in (5, 8) for values in ask_ensemble(program, keep)[3:5]]
    program.measured(f"the mean logits of both forms are off by up to {max(gaps):.1e}")
    return [f"off by {gap:.1e}" for gap in gaps if gap > 1e-12]


# ---- sequences


def kept_in_sequences(program, steps):
    """[n][t]: which of the ten are kept."""
    values = program.train("sequences", ["kept"], set={"x": inputs(1000)}, steps=steps)[1]["kept"]
    return [rows([k != 0 for k in row], 10) for row in rows(values, 50)]


def sequences_with(*pairs):
    return only("sequences", with_other("layers", "variational_dropout", *pairs))


PER_STEP = sequences_with(("u[n in N, ...]", "u[n in N, t in T, ...]"), ("u[n, ...]", "u[n, t, ...]"))
ALL_ALIKE = sequences_with(("u[n in N, ...]", "u[one in 1, ...]"), ("u[n, ...]", "u[0, ...]"))


@claim("dropout.nn", a_choice_for_each_step_of_time=PER_STEP, one_choice_for_all_sequences=ALL_ALIKE)
def a_sequence_keeps_one_choice_at_all_steps_of_time(program):
    first, second = kept_in_sequences(program, 1), kept_in_sequences(program, 2)
    problems = [f"sequence {n} changes its choice" for n, steps in enumerate(first)
                if any(s != steps[0] for s in steps)]
    if len({tuple(steps[0]) for steps in first}) < 15:
        problems.append("sequences drop the same")
    problems += ["two steps of training drop the same"] if first == second else []
    return problems + wrong_rate("sequences", [k for steps in first for k in steps[0]], 0.5)


@claim("dropout.nn", dropout_at_inference=sequences_with(("if training and p > 0", "if p > 0")))
def sequences_pass_unchanged_at_inference(program):
    y = program.values("sequences", ["y"], set={"x": inputs(1000)})["y"]
    return [] if y == inputs(1000) else ["inference does not give what it got"]


# ---- the states of recurrent cells

CELLS = {"rnn": ("a", plain_cells.rnn, [""]), "lstm": ("b", plain_cells.lstm, ["g", "f", "", "o"]),
         "gru": ("d", plain_cells.gru, ["r", "u", ""])}


def cell_parameters(values, name, gates):
    """As plain_cells takes them; the library has [input, gate, unit]."""
    p, count = {}, 5*len(gates)
    for letter, own in (("U", "Wx"), ("W", "Wh")):
        table = rows(values[f"{name}.{own}"], count)
        p.update({letter + gate: [[row[5*g + k] for row in table] for k in range(5)] for g, gate in enumerate(gates)})
    p.update({"b" + gate: row for gate, row in zip(gates, rows(values[f"{name}.b"], 5))})
    return p


def choices(program, kind, h):
    """For each sequence the units that, left out at every step, explain its states: None where none do."""
    name, cell, gates = CELLS[kind]
    values = program.values("recurrent", [f"{name}.Wx", f"{name}.Wh", f"{name}.b"])
    p, found = cell_parameters(values, name, gates), []
    for x, states in zip(rows(rows(inputs(48), 3), 4), rows(h, 20)):
        fitting = [kept for kept in itertools.product((0, 1), repeat=5) if distance(
            states, sum(plain_cells.over_time(cell, p, [x], [[k/0.6 for k in kept]])[0][0], [])) < 1e-12]
        found.append(fitting[0] if fitting else None)
    return found


def in_training(program, steps):
    names = [f"of_{kind}" for kind in CELLS]
    values = program.train("recurrent", names, set={"x": inputs(48)}, steps=steps)[1]
    return {kind: choices(program, kind, values[f"of_{kind}"]) for kind in CELLS}


def cells_with(name, *pairs):
    return only("recurrent", with_other("recurrent", name, *pairs))


SPARED = ("q[n, k] = kept[n, k]*p[n, k]", "q[n, k] = (if t == 2 then 1 else kept[n, k])*p[n, k]")


@claim("dropout.nn", one_step_spared_in_rnn=cells_with("rnn", SPARED),
       one_step_spared_in_lstm=cells_with("lstm", SPARED),
       the_old_state_of_the_gru_dropped=cells_with("gru", ("z[n, k]*p[n, k] else", "z[n, k]*q[n, k] else")))
def recurrent_cells_do_not_read_the_same_units_at_all_steps(program):
    """Another choice for each sequence, cell and step of training."""
    first, second = in_training(program, 1), in_training(program, 2)
    problems = [f"no choice explains the states of {kind}" for kind in CELLS if None in first[kind] + second[kind]]
    if not problems:
        program.measured(f"rnn, first step: {first['rnn']}")
    problems += [f"{kind} makes one choice" for kind in CELLS
                 if first[kind] == second[kind] or len(set(first[kind])) == 1]
    return problems + (["cells choose alike"] if first["rnn"] == first["gru"] else [])


@claim("dropout.nn", factors_at_inference=cells_with(
    "rnn", ("kept = dropout_factors(h0, drop)", "kept[n in N, k in H] = 2*(k % 2) + 0*h0[n, k]")))
def recurrent_cells_read_all_units_at_inference(program):
    problems = []
    for kind, (name, cell, gates) in CELLS.items():
        values = program.values("recurrent", [name, f"{name}.Wx", f"{name}.Wh", f"{name}.b"], set={"x": inputs(48)})
        h, _ = plain_cells.over_time(cell, cell_parameters(values, name, gates), rows(rows(inputs(48), 3), 4))
        gap = distance(values[name], [e for sequence in h for state in sequence for e in state])
        problems += [] if gap < 1e-12 else [f"{kind} is off by {gap:.2g}"]
    return problems


if __name__ == "__main__":
    sys.exit(main())
