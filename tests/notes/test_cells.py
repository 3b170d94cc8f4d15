#!/usr/bin/env python3
"""Recurrent cells as they are printed: what they compute, by hand, by the library and by numbers of others.

usage: test_cells.py [TEXT]      only claims whose names contain it"""

import random
import sys

import plain_cells
from claims import ROOT, claim, distance, flat, main, off, only, replaced, rows

sys.path.insert(0, str(ROOT / "tests/reference"))

import records  # noqa: E402

N, T, I, H = 2, 5, 4, 5
SIZES = {"N": N, "T": T}
GATES = {"rnn": [""], "lstm": ["f", "g", "o", ""], "gru": ["u", "r", ""]}
CELLS = {"rnn": plain_cells.rnn, "lstm": plain_cells.lstm, "gru": plain_cells.gru}


def data():
    rng = random.Random(5)
    return {"x": [rng.gauss(0, 1) for _ in range(N*T*I)], "t": [rng.gauss(0, 1) for _ in range(N*T*H)]}


def nested(values, steps, width):
    """[n][t][..]"""
    return [rows(sequence, width) for sequence in rows(values, steps*width)]


def names_of(cell):
    return [f"a.{letter}{gate}" for gate in GATES[cell] for letter in "UWb"]


def parameters(values, cell):
    """As plain_cells takes them."""
    widths = {"U": I, "W": H}
    return {name[2:]: rows(values[name], widths[name[2]]) if name[2] in widths else values[name]
            for name in names_of(cell)}


def by_hand(program, cell):
    """Asked values, and h and s by plain_cells of the same parameters."""
    outputs = {"rnn": ["a", "y", "a.V", "a.c"], "lstm": ["a", "s"], "gru": ["a"]}[cell]
    values = program.values(f"{cell}_cells", names_of(cell) + outputs, set=data(), sizes=SIZES)
    return values, plain_cells.over_time(CELLS[cell], parameters(values, cell), nested(data()["x"], T, I))


WITHOUT_FORGETTING = only("lstm_cells", replaced(("f[n, k]*s[n, t-1, k | 0]", "(1 + 0*f[n, k])*s[n, t-1, k | 0]")))
OTHER_GATE = only("lstm_cells", replaced(("f[n, k] = sigmoid(bf[k]", "f[n, k] = sigmoid(bg[k] + 0*bf[k]")))
LSTM_SIGMOID = only("lstm_cells", replaced(("g[n, k]*tanh(a[n, k])", "g[n, k]*sigmoid(a[n, k])")))
GRU_SIGMOID = only("gru_cells", replaced(("(1 - u[n, k])*tanh(a[n, k])", "(1 - u[n, k])*sigmoid(a[n, k])")))
TURNED = only("gru_cells", replaced(("u[n, k]*p[n, k] + (1 - u[n, k])", "(1 - u[n, k])*p[n, k] + u[n, k]")))
RESET_AFTER = only("gru_cells", replaced(("sum[j](W[k, j]*r[n, j]*p[n, j])", "r[n, k]*sum[j](W[k, j]*p[n, j])")))
WITHOUT_PAST = only("rnn_cells", replaced(("b[k] + sum[j](W", "b[k] + 0*sum[j](W")))
SIGMOID = only("rnn_cells", replaced(("= tanh(a[n, k])", "= sigmoid(a[n, k])")))


@claim("cells.nn", no_state_of_the_step_before=WITHOUT_PAST)
def the_simple_recurrent_net_is_as_printed(program):
    values, (h, _) = by_hand(program, "rnn")
    V, c = rows(values["a.V"], H), values["a.c"]
    powers = [[plain_cells.exp(bias + sum(w*e for w, e in zip(row, state))) for row, bias in zip(V, c)]
              for sequence in h for state in sequence]
    return off("h", values["a"], h) + off("y", values["y"], [[e/sum(row) for e in row] for row in powers])


@claim("cells.nn", no_forgetting=WITHOUT_FORGETTING, the_bias_of_another_gate=OTHER_GATE)
def the_lstm_is_as_printed(program):
    values, (h, s) = by_hand(program, "lstm")
    return off("h", values["a"], h) + off("s", values["s"], s)


@claim("cells.nn", the_update_gate_turned_round=TURNED, the_reset_after_the_product=RESET_AFTER)
def the_gru_is_as_printed(program):
    values, (h, _) = by_hand(program, "gru")
    return off("h", values["a"], h)


# ---- the library's


LIBRARY_GATES = {"rnn": [""], "lstm": ["g", "f", "", "o"], "gru": ["r", "u", ""]}


def as_library(values, cell):
    """The parameters of the printed cell in the order of the library's: [input, gate, unit]."""
    p = parameters(values, cell)
    turned = {letter: [p[letter + gate][k][i] for i in range(width) for gate in LIBRARY_GATES[cell] for k in range(H)]
              for letter, width in (("U", I), ("W", H))}
    return {"c.Wx": turned["U"], "c.Wh": turned["W"],
            "c.b": [e for gate in LIBRARY_GATES[cell] for e in p["b" + gate]]}


def is_of_library(program, cell):
    """The states, and the parameters after five steps."""
    model, start = f"{cell}_cells", dict(set=data(), sizes=SIZES)
    values = program.values(model, names_of(cell), **start)
    start["set"] = {**data(), **as_library(values, cell)}
    found = program.values(model, ["a", "c"], **start)
    trained = program.train(model, names_of(cell) + ["c.Wx", "c.Wh", "c.b"], steps=5, **start)[1]
    problems = off("h", found["a"], found["c"])
    for name, expected in as_library(trained, cell).items():
        problems += off(f"{name} after five steps", trained[name], expected)
    moved = distance(trained["c.Wh"], start["set"]["c.Wh"])
    return problems + ([] if moved > 1e-3 else ["nothing was learnt"])


@claim("cells.nn", no_state_of_the_step_before=WITHOUT_PAST)
def the_rnn_of_the_library_is_the_printed_one(program):
    return is_of_library(program, "rnn")


@claim("cells.nn", no_forgetting=WITHOUT_FORGETTING)
def the_lstm_of_the_library_is_the_printed_one(program):
    return is_of_library(program, "lstm")


@claim("cells.nn", the_reset_after_the_product=RESET_AFTER)
def the_gru_of_the_library_is_the_printed_one(program):
    return is_of_library(program, "gru")


# ---- numbers of others


ONNX_GATES = {"rnn": [""], "lstm": ["g", "o", "f", ""], "gru": ["u", "r", ""]}


def padded(matrix, height, width):
    """Units and inputs more, which nothing reads."""
    filled = [row + [0.0]*(width - len(row)) for row in matrix]
    return filled + [[0.0]*width]*(height - len(filled))


def last_states(program, cell, x, values):
    """Of x[n][t][i] with these parameters."""
    samples, steps = len(x), len(x[0])
    filled = [padded(sequence, steps, I) for sequence in x]
    found = program.values(f"{cell}_cells", ["a"], sizes={"N": samples, "T": steps},
                           set={**values, "x": flat(filled)})["a"]
    return [sequence[-1] for sequence in nested(found, steps, H)]


def onnx_parameters(cell, weights, recurrent, biases):
    """From rows of both, gate after gate, and what is added up to the biases."""
    gates, values = ONNX_GATES[cell], {}
    size = len(weights)//len(gates)
    for number, gate in enumerate(gates):
        part = slice(number*size, (number + 1)*size)
        values[f"a.U{gate}"] = flat(padded(weights[part], H, I))
        values[f"a.W{gate}"] = flat(padded(recurrent[part], H, H))
        values[f"a.b{gate}"] = [sum(both) for both in zip(*(b[part] for b in biases))] + [0.0]*(H - size)
    return values


def onnx_gap(program, cell, case):
    """How far the last states are off, in parts of the tolerance."""
    steps, samples, width = case["inputs"][0]["shape"]
    x, size = rows(case["inputs"][0]["data"], width), case["attributes"]["hidden_size"]
    tensors = {t["name"]: t["data"] for t in case["inputs"]}
    count = size*len(ONNX_GATES[cell])
    biases = [float(e) for e in tensors.get("B", [0]*(2*count))]
    found = last_states(program, cell, [[x[t*samples + n] for t in range(steps)] for n in range(samples)],
                        onnx_parameters(cell, rows(tensors["W"], width), rows(tensors["R"], size),
                                        (biases[:count], biases[count:])))
    pairs = zip(flat([state[:size] for state in found]), case["outputs"][0]["data"])
    return max(abs(f - e)/(1e-7 + 1e-3*abs(e)) for f, e in pairs)


def agrees_with_onnx(program, cell):
    gaps = {case["test"]: onnx_gap(program, cell, case) for case in records.of_family(cell)}
    program.measured(f"{cell}: {len(gaps)} cases of ONNX, off by at most {max(gaps.values()):.2g} of the tolerance")
    return [f"{name} is off by {gap:.2g} of the tolerance" for name, gap in gaps.items() if not gap <= 1]


@claim("cells.nn", a_sigmoid_in_place_of_tanh=SIGMOID)
def the_simple_recurrent_net_gives_the_numbers_of_onnx(program):
    return agrees_with_onnx(program, "rnn")


@claim("cells.nn", a_sigmoid_of_what_is_taken_in=LSTM_SIGMOID)
def the_lstm_gives_the_numbers_of_onnx(program):
    return agrees_with_onnx(program, "lstm")


@claim("cells.nn", the_update_gate_turned_round=TURNED, a_sigmoid_of_what_is_new=GRU_SIGMOID)
def the_gru_gives_the_numbers_of_onnx(program):
    return agrees_with_onnx(program, "gru")


@claim("cells.nn", the_update_gate_turned_round=TURNED, the_reset_after_the_product=RESET_AFTER)
def the_gru_gives_the_numbers_of_onnx_runtime(program):
    record = next(case for case in records.own("gru_layers") if case["id"] == "onnxruntime_gru_forward_with_bias")
    layer, x = record["layers"][0], record["x"]
    found = last_states(program, "gru", [list(steps) for steps in zip(*x)],
                        onnx_parameters("gru", layer["W"], layer["R"], (layer["Wb"], layer["Rb"])))
    last = record["y"][-1]
    return off("the last state", [state[:len(last[0])] for state in found], last, record["tolerance"])


# The last states of sequences 0, 1, 2, .. where all weights of inputs are 0.01, of states 0.02, and biases 0.03; each
# number is that of all units of a sequence. keras-team/keras, keras/src/layers/rnn/simple_rnn_test.py,
# lstm_test.py and gru_test.py, test_correctness, Apache-2.0: (steps, inputs, units), forget bias, numbers.
KERAS = {
    "rnn": [((3, 4, 4), 0.03, [0.405432, 0.73605347])],
    "lstm": [((6, 4, 3), 1, [0.6288687, 0.86899155, 0.9460773]),
             ((6, 4, 3), 0.03, [0.57019705, 0.8661914, 0.9459622])],
    "gru": [((6, 4, 3), 0.03, [0.51447755, 0.6426879, 0.40208298])],
}


def constant_parameters(cell, width, size, forget):
    values = {}
    for gate in GATES[cell]:
        values[f"a.U{gate}"] = flat(padded([[0.01]*width]*size, H, I))
        values[f"a.W{gate}"] = flat(padded([[0.02]*size]*size, H, H))
        values[f"a.b{gate}"] = [forget if gate == "f" else 0.03]*size + [0.0]*(H - size)
    return values


def agrees_with_keras(program, cell):
    problems = []
    for (steps, width, size), forget, expected in KERAS[cell]:
        x = [[[float((n*steps + t)*width + i) for i in range(width)] for t in range(steps)]
             for n in range(len(expected))]
        found = last_states(program, cell, x, constant_parameters(cell, width, size, forget))
        gap = max(abs(value - e) for state, e in zip(found, expected) for value in state[:size])
        program.measured(f"{cell}: {len(expected)} sequences of {steps} steps of Keras, off by at most {gap:.1e}")
        problems += [] if gap < 1e-6 else [f"off by {gap:.2g}"]
    return problems


@claim("cells.nn", no_state_of_the_step_before=WITHOUT_PAST)
def the_simple_recurrent_net_gives_the_numbers_of_keras(program):
    return agrees_with_keras(program, "rnn")


@claim("cells.nn", no_forgetting=WITHOUT_FORGETTING, a_sigmoid_of_what_is_taken_in=LSTM_SIGMOID)
def the_lstm_gives_the_numbers_of_keras(program):
    return agrees_with_keras(program, "lstm")


@claim("cells.nn", the_update_gate_turned_round=TURNED, a_sigmoid_of_what_is_new=GRU_SIGMOID)
def the_gru_gives_the_numbers_of_keras(program):
    return agrees_with_keras(program, "gru")


if __name__ == "__main__":
    sys.exit(main())
