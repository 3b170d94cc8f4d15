"""Recurrent cells over lists of numbers, unit by unit: x[n][t][i] gives h[n][t][k]. The parameters are U of the
inputs, W of the states and b, one row or number for each unit; `factors` multiply the state where it is read."""

from math import exp, tanh


def sigmoid(z):
    return 1/(1 + exp(-z))


def unit(p, gate, k, x, h):
    """b + U x + W h of one unit of a gate."""
    z = p["b" + gate][k]
    for weight, value in zip(p["U" + gate][k], x):
        z += weight*value
    for weight, value in zip(p["W" + gate][k], h):
        z += weight*value
    return z


def each(p, gate, x, h):
    return [unit(p, gate, k, x, h) for k in range(len(p["b" + gate]))]


def rnn(p, x, h):
    return [tanh(z) for z in each(p, "", x, h)]


def lstm(p, x, h, s):
    """The new h and s."""
    forget, take, give = ([sigmoid(z) for z in each(p, gate, x, h)] for gate in "fgo")
    new = [tanh(z) for z in each(p, "", x, h)]
    s = [f*old + g*n for f, old, g, n in zip(forget, s, take, new)]
    return [q*tanh(c) for q, c in zip(give, s)], s


def gru(p, x, h, old=None):
    """`old` is what the update gate keeps, h unless given."""
    update, reset = ([sigmoid(z) for z in each(p, gate, x, h)] for gate in "ur")
    new = [tanh(z) for z in each(p, "", x, [r*e for r, e in zip(reset, h)])]
    return [u*e + (1 - u)*n for u, e, n in zip(update, old or h, new)]


def over_time(cell, p, x, factors=None):
    """[n][t][k] of h, and of s where the cell has it."""
    units = range(len(p["b"]))
    states, inner = [], []
    for n, sequence in enumerate(x):
        h, s, hs, ss = [0.0 for _ in units], [0.0 for _ in units], [], []
        for inputs in sequence:
            read = [f*e for f, e in zip(factors[n], h)] if factors else h
            if cell is lstm:
                h, s = lstm(p, inputs, read, s)
            else:
                h = gru(p, inputs, read, h) if cell is gru else rnn(p, inputs, read)
            hs.append(h)
            ss.append(s)
        states.append(hs)
        inner.append(ss)
    return states, inner
