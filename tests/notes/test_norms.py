#!/usr/bin/env python3
"""What the notes claim of batch norm and layer norm.

usage: test_norms.py [TEXT]      only claims whose names contain it"""

import math
import random
import sys

from claims import claim, distance, flat, main, off, replaced, rows, with_other

N, D = 6, 4
EPS = 1e-5


def samples(shift=()):
    """N samples, some of them moved."""
    rng = random.Random(1)
    x = [[rng.gauss(d, 1 + d) for d in range(D)] for _ in range(N)]
    return [[value + 3*d + 1 if n in shift else value for d, value in enumerate(row)] for n, row in enumerate(x)]


def moved(dim):
    """The samples, one dimension of all of them stretched."""
    return [[3*value + 1 if d == dim else value for d, value in enumerate(row)] for row in samples()]


def in_training(program, x, **parameters):
    """[n][d] of each norm, of one training step."""
    values = program.train("norms", ["batch", "layer"], sizes={"N": len(x)}, steps=1,
                           set={"x": flat(x), **parameters})[1]
    return rows(values["batch"], D)[:len(x)], rows(values["layer"], D)[:len(x)]


def in_inference(program, x):
    """[n][d] of batch norm with the statistics that it starts with."""
    return rows(program.values("norms", ["b"], set={"x": flat(x)})["b"], D)


def columns(y):
    return [list(column) for column in zip(*y)]


def moments(values):
    mean = sum(values)/len(values)
    return mean, sum((v - mean)**2 for v in values)/len(values)


def not_standard(kind, before, after):
    """What is wrong with vectors that should have mean 0 and variance v/(v + eps)."""
    problems = []
    for number, (x, y) in enumerate(zip(before, after)):
        variance = moments(x)[1]
        mean, found = moments(y)
        if not (abs(mean) < 1e-12 and abs(found - variance/(variance + EPS)) < 1e-12):
            problems.append(f"{kind} {number} has mean {mean:.3g} and variance {found:.9g}")
    return problems


EXCHANGED = replaced(("b = batchnorm(x)", "b = layernorm(x)"), ("l = layernorm(x)", "l = batchnorm(x)"))
LAYER_NORM = replaced(("b = batchnorm(x)", "b = layernorm(x)"))
OF_THE_FIRST = ("mean[n, ...](x[n, c, ...])", "mean[...](x[0, c, ...])")
ALWAYS_BATCH = [("mu = rm", "mu[c] = mean[n, ...](x[n, c, ...])"),
                ("var = rv", "var[c] = mean[n, ...]((x[n, c, ...] - mu[c])^2)")]


@claim("norms.nn", the_mean_of_one_sample=with_other("norms", "batchnorm", OF_THE_FIRST),
       layer_norm_in_its_place=LAYER_NORM)
def batch_norm_normalises_each_dimension_over_the_batch(program):
    x = samples()
    return not_standard("dimension", columns(x), columns(in_training(program, x)[0]))


@claim("norms.nn", batch_norm_in_its_place=replaced(("l = layernorm(x)", "l = batchnorm(x)")))
def layer_norm_normalises_each_sample_by_itself(program):
    x = samples()
    return not_standard("sample", x, in_training(program, x)[1])


@claim("norms.nn", batch_norm_and_layer_norm_exchanged=EXCHANGED)
def other_samples_change_a_batch_normed_sample_and_no_bit_of_a_layer_normed_one(program):
    batch, layer = in_training(program, samples())
    new_batch, new_layer = in_training(program, samples(shift=(1, 4)))
    problems, still = [], [n for n in range(N) if n not in (1, 4)]
    problems += [f"layer-normed sample {n} changed" for n in still if layer[n] != new_layer[n]]
    problems += [f"batch-normed sample {n} did not change" for n in still if batch[n] == new_batch[n]]
    problems += [f"layer-normed sample {n} did not change" for n in (1, 4) if layer[n] == new_layer[n]]
    change = max(abs(a - b) for n in still for a, b in zip(batch[n], new_batch[n]))
    program.measured(f"samples that stayed: batch norm changed them by up to {change:.3g}, layer norm no bit of them")
    return problems


@claim("norms.nn", batch_norm_and_layer_norm_exchanged=EXCHANGED)
def alone_a_layer_normed_sample_keeps_its_bits_and_a_batch_normed_one_is_0(program):
    layer = in_training(program, samples())[1]
    alone = [in_training(program, samples()[n:n + 1]) for n in range(N)]
    problems = [f"layer-normed sample {n} changed" for n in range(N) if alone[n][1] != layer[n:n + 1]]
    return problems + [f"batch-normed sample {n} is {alone[n][0]}" for n in range(N) if any(flat(alone[n][0]))]


@claim("norms.nn", layer_norm_in_its_place=LAYER_NORM)
def batch_norm_can_give_back_what_it_got(program):
    """With the deviations as g and the means as b."""
    x = samples()
    of_dims = [moments(column) for column in columns(x)]
    y = in_training(program, x, **{"b.g": [math.sqrt(variance + EPS) for _, variance in of_dims],
                                   "b.b": [mean for mean, _ in of_dims]})[0]
    return off("what it gives back", y, x)


@claim("norms.nn", batch_norm_and_layer_norm_exchanged=EXCHANGED)
def another_dimension_changes_a_layer_normed_one_and_no_bit_of_a_batch_normed_one(program):
    batch, layer = in_training(program, samples())
    new_batch, new_layer = in_training(program, moved(2))
    problems, still = [], [d for d in range(D) if d != 2]
    for d in still:
        if columns(batch)[d] != columns(new_batch)[d]:
            problems.append(f"batch-normed dimension {d} changed")
        if columns(layer)[d] == columns(new_layer)[d]:
            problems.append(f"layer-normed dimension {d} did not change")
    return problems


@claim("norms.nn", batch_statistics_outside_training=with_other("norms", "batchnorm", *ALWAYS_BATCH),
       running_means_that_stay=with_other("norms", "batchnorm", ("+ momentum*mu[c]", "+ 0*mu[c]")))
def outside_training_batch_norm_uses_running_statistics(program):
    """They are means of the batches' with weight 0.1 for the newest, and other samples do not matter."""
    x, mean, variance = samples(), [0.0]*D, [1.0]*D
    for _ in range(3):
        of_batch = [moments(column) for column in columns(x)]
        mean = [0.9*m + 0.1*new for m, (new, _) in zip(mean, of_batch)]
        variance = [0.9*v + 0.1*new for v, (_, new) in zip(variance, of_batch)]
    kept = program.values("norms", ["b.rm", "b.rv"], set={"x": flat(x)}, steps=3)
    problems = []
    if distance(kept["b.rm"] + kept["b.rv"], mean + variance) > 1e-12:
        problems.append(f"running statistics are {kept}, not {mean} and {variance}")
    before, after = in_inference(program, samples()), in_inference(program, samples(shift=(1, 4)))
    problems += [f"sample {n} depends on others" for n in (0, 2, 3, 5) if before[n] != after[n]]
    return problems


if __name__ == "__main__":
    sys.exit(main())
