#!/usr/bin/env python3
"""What the notes claim of gradients that vanish and explode, and of what helps.

usage: test_gradients.py [TEXT]      only claims whose names contain it"""

import math
import random
import sys

from claims import claim, distance, instead, main, only, replaced, with_other

LAYERS = 40


def in_plane():
    """Sixteen points; on which side of a line they lie is easy to learn."""
    rng = random.Random(1)
    points = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(16)]
    return {"x": sum(points, []), "t": [1.0 if a + b > 0 else 0.0 for a, b in points]}


def entropy(t):
    """The loss of who knows no more than how many there are of each kind."""
    p = sum(t)/len(t)
    return -p*math.log(p) - (1 - p)*math.log(1 - p)


def gradient_norms(program, model, data):
    """Of the weights of each of the forty layers, before the first step."""
    kept = program.kept(model)
    names = [[k for k in kept if f"h.{layer}." in k and k.endswith("W.size")] for layer in range(LAYERS)]
    values = program.train(model, sum(names, []), set=data, steps=1)[1]
    norms = [values[name][0] for name, in names]
    shown = " ".join(f"{norms[i]:.1e}" for i in (0, 9, 19, 29, 39))
    program.measured(f"{model}: lengths of the gradients of layers 1, 10, 20, 30, 40: {shown}")
    return norms


def after_training(program, model):
    """The loss after 200 steps as a part of that of knowing nothing."""
    data = in_plane()
    last = program.train(model, set=data, steps=200)[0][-1]
    program.measured(f"{model}: loss {last:.4f} after 200 steps; {entropy(data['t']):.4f} is that of knowing nothing")
    return last/entropy(data["t"])


@claim("vanishing.nn", rectifiers_and_batch_norm=instead(sigmoid_net="normed_net"),
       residual_connections=instead(sigmoid_net="residual_net"))
def forty_layers_of_sigmoids_do_not_learn(program):
    norms, part = gradient_norms(program, "sigmoid_net", in_plane()), after_training(program, "sigmoid_net")
    problems = [] if part > 0.999 else [f"the loss goes down to {part:.3g} of knowing nothing"]
    grown = [i for i in range(LAYERS - 1) if norms[i] > norms[i + 1]/2]
    problems += [f"the gradient of layer {i + 1} is not half that of the next" for i in grown]
    return problems


def learns(program, model):
    norms, part = gradient_norms(program, model, in_plane()), after_training(program, model)
    problems = [] if part < 0.6 else [f"the loss stays at {part:.4f} of knowing nothing"]
    if norms[0] < 1e-3*norms[-1]:
        problems.append(f"the gradient of the first layer is {norms[0]/norms[-1]:.1e} of that of the last")
    return problems


@claim("vanishing.nn", sigmoids_alone=instead(normed_net="sigmoid_net"))
def with_rectifiers_and_batch_norm_they_learn(program):
    return learns(program, "normed_net")


@claim("vanishing.nn", no_connection_around_a_layer=instead(residual_net="sigmoid_net"))
def with_residual_connections_they_learn(program):
    return learns(program, "residual_net")


def through(program, model):
    """Mean squares of activations after forty layers, and of gradients before them, as parts of what came in."""
    rng = random.Random(2)
    x, c = ([rng.gauss(0, 1) for _ in range(8*64)] for _ in range(2))
    values = program.train(model, ["first", "last", "back"], set={"x": x, "c": c}, steps=1)[1]
    parts = values["last"][0]/values["first"][0], values["back"][0]/(sum(e*e for e in c)/len(c))
    program.measured(f"{model}: forty layers multiply activations' squares by {parts[0]:.1e}, "
                     f"gradients' by {parts[1]:.1e}")
    return parts


def kept_at_one_size(program, model):
    """Chance changes either by a factor of ten or so in forty layers of 64 units, and tanh shrinks."""
    return [f"{model}: {what} are multiplied by {part:.1e}"
            for what, part in zip(("activations", "gradients"), through(program, model)) if not 1e-3 < part < 1e2]


@claim("initialisation.nn", the_variance_of_glorot=instead(he_net="glorot_net", leaky_net="glorot_net"))
def the_variance_of_he_keeps_rectifiers_and_their_gradients_at_one_size(program):
    return kept_at_one_size(program, "he_net") + kept_at_one_size(program, "leaky_net")


@claim("initialisation.nn", smaller_weights=instead(tanh_net="small_net"))
def the_variance_of_glorot_keeps_tanh_and_its_gradients_at_one_size(program):
    return kept_at_one_size(program, "tanh_net")


@claim("initialisation.nn", the_variance_of_he=instead(glorot_net="he_net"))
def rectifiers_with_the_variance_of_glorot_lose_half_in_each_layer(program):
    part = through(program, "glorot_net")[0]**(1/LAYERS)
    program.measured(f"glorot_net: each layer keeps {part:.3f} of the mean square")
    return [] if 0.4 < part < 0.6 else [f"each layer keeps {part:.3f} of the mean square"]


@claim("initialisation.nn", the_root_of_the_variance_forgotten=only(
    "he_net tanh_net", with_other("initialisers", "he", ("sqrt(2/fan_in)", "2/fan_in"))))
def weights_are_drawn_with_the_variance_that_is_written(program):
    problems = []
    for model, variance in (("he_net", 2/64), ("tanh_net", 2/128)):
        names = [k for k in program.kept(model) if k.endswith(".W")]
        drawn = sum(program.values(model, names).values(), [])
        found = sum(w*w for w in drawn)/len(drawn)
        program.measured(f"{model}: {len(drawn)} weights have variance {found:.6f}, not far from {variance:.6f}")
        if abs(found/variance - 1) > 0.02:
            problems.append(f"{model}: the variance is {found:.4g}, not {variance:.4g}")
        if model == "tanh_net" and max(map(abs, drawn)) > math.sqrt(6/128):
            problems.append(f"there is a weight of {max(map(abs, drawn)):.4g}")
    return problems


# ---- dead units


def trained_unit(program, model):
    """Losses, and how far weights have moved."""
    names = ["y.W", "y.b", "y.v"]
    before = program.values(model, names, set=in_plane())
    losses, after = program.train(model, names, set=in_plane(), steps=50)
    return losses, distance(sum(after.values(), []), sum(before.values(), []))


@claim("leaky.nn", a_slope_below_0=instead(dead="leaky"))
def dead_rectifiers_never_change(program):
    _, moved = trained_unit(program, "dead")
    return [] if moved == 0 else [f"weights moved by {moved:.3g}"]


@claim("leaky.nn", no_slope_below_0=instead(leaky="dead"))
def leaky_rectifiers_come_back(program):
    losses, _ = trained_unit(program, "leaky")
    program.measured(f"leaky: loss {losses[0]:.4f} at first, {losses[-1]:.4f} after 50 steps")
    return [] if losses[-1] < 0.7*losses[0] else [f"the loss goes from {losses[0]:.3g} to {losses[-1]:.3g}"]


# ---- exploding

RATE = 0.02*(1 - 1/380)  # of the first step


def clipping_with(name, *pairs):
    return only("exploding clipped clipped_each", with_other("optimizers", name, *pairs))


WEIGHTS = ["y.Wx", "y.Wh", "y.b", "y.v"]
UNCLIPPED = clipping_with("clip_norm", ("min(1, c/(sqrt(total(g^2)) + 1e-6))", "min(1, c)"))
UNCLIPPED_EACH = clipping_with("clip_value", ("min(max(g, -c), c)", "min(g, inf*c)"))


def sequences():
    rng = random.Random(3)
    x = [[rng.uniform(0, 1) for _ in range(30)] for _ in range(16)]
    return {"x": sum(x, []), "t": [sum(row[-3:])/3 for row in x]}


def losses_of(program, model):
    losses = program.train(model, set=sequences(), steps=400)[0]
    program.measured(f"{model}: loss {losses[0]:.3g} at first, at most {max(losses):.3g}, {losses[-1]:.3g} at last")
    return losses


@claim("exploding.nn", states_of_two_steps_before=only(
    "through_time", replaced(("h[n, t-1, j | 0]", "h[n, t-2, j | 0]"))))
def a_gradient_grows_or_fades_with_each_step_back_in_time(program):
    """Units above 0 stay there and others do not matter below the last step: each step multiplies the gradient
    by what the weights begin with."""
    values = program.values("through_time", ["growing", "fading"], set={"x": sequences()["x"]})
    problems = []
    for name, gain in (("growing", 1.1), ("fading", 0.6)):
        lengths = values[name]
        shown = " ".join(f"{lengths[t]:.3g}" for t in (0, 9, 19, 28))
        program.measured(f"{name}: lengths of gradients at steps 1, 10, 20, 29: {shown}")
        problems += [f"{name}: step {t + 1} does not multiply the gradient by {gain}" for t in range(28)
                     if abs(lengths[t] - gain*lengths[t + 1]) > 1e-12*lengths[t]]
    return problems


def variance_of_targets():
    t = sequences()["t"]
    return sum((v - sum(t)/len(t))**2 for v in t)/len(t)


@claim("exploding.nn", clipping=instead(exploding="clipped"), a_smaller_beginning=instead(exploding="small"))
def a_recurrent_net_diverges(program):
    losses = losses_of(program, "exploding")
    good = max(losses) > 1e100*losses[0] and losses[-1] > variance_of_targets()
    return [] if good else [f"the loss is at most {max(losses):.3g} and {losses[-1]:.3g} at last"]


def learns_after_all(program, model, bound):
    losses = losses_of(program, model)
    good = max(losses) < 1.01*losses[0] and losses[-1] < bound
    return [] if good else [f"the loss is at most {max(losses):.3g} and {losses[-1]:.3g} at last"]


@claim("exploding.nn", no_clipping=UNCLIPPED)
def clipping_by_length_rescues_it(program):
    return learns_after_all(program, "clipped", variance_of_targets()/2)


@claim("exploding.nn", no_clipping=UNCLIPPED_EACH)
def clipping_by_elements_keeps_it_from_diverging(program):
    first = program.train("clipped_each", set=sequences(), steps=1)[0][0]
    return learns_after_all(program, "clipped_each", first/1000)


@claim("exploding.nn", a_greater_beginning=instead(small="exploding"))
def a_smaller_beginning_rescues_it(program):
    return learns_after_all(program, "small", variance_of_targets()/2)


def first_step(program, model, **values):
    """The gradient as the optimizer applied it."""
    data = {**sequences(), **values}
    before = program.values(model, WEIGHTS, set=data)
    after = program.train(model, WEIGHTS, set=data, steps=1)[1]
    return [(a - b)/RATE for name in WEIGHTS for a, b in zip(before[name], after[name])]


def length(g):
    return math.sqrt(sum(e*e for e in g))


@claim("exploding.nn", each_parameter_by_its_own_length=clipping_with("clip_norm", ("total(", "sum(")),
       no_clipping=UNCLIPPED)
def clipping_by_length_keeps_the_direction_of_all_gradients_together(program):
    g, clipped = first_step(program, "exploding"), first_step(program, "clipped")
    program.measured(f"a gradient of length {length(g):.5g} became one of {length(clipped):.9g}")
    gap = distance(clipped, [e/length(g) for e in g])
    return [] if gap < 1e-6 else [f"the clipped gradient is off by {gap:.2g}"]


@claim("exploding.nn", every_gradient_scaled=clipping_with("clip_norm", ("min(1, c/", "min(9, c/")))
def a_short_gradient_is_not_clipped(program):
    still = {"y.Wh": 0.0, "y.v": 0.0, "t": 0.1}
    g, clipped = (first_step(program, model, **still) for model in ("exploding", "clipped"))
    problems = [] if 0 < length(g) < 1 else [f"the gradient has length {length(g):.3g}"]
    return problems + ([] if g == clipped else ["it changed"])


@claim("exploding.nn", no_clipping=UNCLIPPED_EACH)
def clipping_by_value_holds_each_element_within_its_bounds(program):
    g, clipped = first_step(program, "exploding"), first_step(program, "clipped_each")
    gap = distance(clipped, [min(max(e, -0.1), 0.1) for e in g])
    return [] if gap < 1e-12 else [f"the clipped gradient is off by {gap:.2g}"]


if __name__ == "__main__":
    sys.exit(main())
