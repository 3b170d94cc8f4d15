"""Layers of the library that no outside suite covers, computed from their papers' formulas element by element:
plain Python over numbers, with nothing of the compiler's. Each function below is a case: it applies a layer and
says what every element must be."""

import itertools
import math
import random

from cases import Case, Expected

CASES = []
ATOL, RTOL = 2e-6, 2e-5  # of single precision


class Array:
    """Numbers in row-major order, read as a(i, j)."""

    def __init__(self, shape, data):
        self.shape, self.data = shape, data

    def __call__(self, *subscripts):
        place = 0
        for size, i in zip(self.shape, subscripts):
            place = place * size + i
        return self.data[place]


def tabulated(f, *shape):
    return Array(shape, [f(*i) for i in itertools.product(*map(range, shape))])


class Formula(Case):
    """A case whose numbers are drawn here."""

    def __init__(self, name):
        super().__init__(name)
        self.rng = random.Random(name)

    def drawn(self, shape):
        return Array(shape, [self.rng.uniform(-1, 1) for _ in range(math.prod(shape))])

    def real(self, name, *shape):
        array = self.drawn(shape)
        self.input(name, shape, array.data)
        return array

    def whole(self, name, bound, data):
        self.input(name, [len(data)], data, f" : index({bound})")
        return Array([len(data)], data)

    def param(self, name, *shape):
        array = self.drawn(shape)
        self.values[name] = array.data
        return array

    def apply(self, text):
        self.line(f"h = {text}")
        self.line("output y0 = h")

    def expect(self, f, *shape):
        self.expected["y0"] = Expected(tabulated(f, *shape).data, ATOL, RTOL)


def formula(function):
    case = Formula(function.__name__)
    function(case)
    CASES.append(case)
    return function


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers)


def standardised(x, members, eps=1e-5):
    members = list(members)
    mu = mean(members)
    return (x - mu) / math.sqrt(mean((m - mu) ** 2 for m in members) + eps)


def each(*sizes):
    return itertools.product(*map(range, sizes))


# ---- norms ------------------------------------------------------------------------------------------


@formula
def group_norm(case):
    x, g, b = case.real("x", 2, 6, 3, 2), case.param("h.g", 6), case.param("h.b", 6)
    case.apply("groupnorm(x, groups = 3)")
    case.expect(lambda n, c, p, q: g(c) * standardised(
        x(n, c, p, q), (x(n, c // 2 * 2 + d, i, j) for d, i, j in each(2, 3, 2))) + b(c), 2, 6, 3, 2)


@formula
def layer_norm_over_two_axes(case):
    x, g, b = case.real("x", 2, 3, 4, 2), case.param("h.g", 4, 2), case.param("h.b", 4, 2)
    case.apply("layernorm2d(x)")
    case.expect(lambda n, c, p, q: g(p, q) * standardised(
        x(n, c, p, q), (x(n, c, i, j) for i, j in each(4, 2))) + b(p, q), 2, 3, 4, 2)


@formula
def layer_norm_over_three_axes(case):
    x, g, b = case.real("x", 2, 3, 4, 2), case.param("h.g", 3, 4, 2), case.param("h.b", 3, 4, 2)
    case.apply("layernorm3d(x)")
    case.expect(lambda n, c, p, q: g(c, p, q) * standardised(
        x(n, c, p, q), (x(n, d, i, j) for d, i, j in each(3, 4, 2))) + b(c, p, q), 2, 3, 4, 2)


# ---- convolutions and shortcuts -----------------------------------------------------------------------


def convolved(x, w, stride=1, pad=None):
    """Of images x[N, C, H, W] with windows w[K, C, size, size]; without a bias."""
    pad = w.shape[2] // 2 if pad is None else pad

    def at(n, c, i, j):
        inside = 0 <= i < x.shape[2] and 0 <= j < x.shape[3]
        return x(n, c, i, j) if inside else 0

    def y(n, k, p, q):
        return sum(at(n, c, stride * p + r - pad, stride * q + s - pad) * w(k, c, r, s)
                   for c, r, s in each(*w.shape[1:]))
    height, width = ((size + 2 * pad - w.shape[2]) // stride + 1 for size in x.shape[2:])
    return tabulated(y, x.shape[0], w.shape[0], height, width)


@formula
def separable_convolution(case):
    x = case.real("x", 2, 2, 4, 3)
    depth, point, b = case.param("h.y.conv2d.w", 2, 1, 3, 3), case.param("h.y.conv2d2.w", 3, 2, 1, 1), \
        case.param("h.y.conv2d2.b", 3)
    case.apply("separable2d(x, 3)")
    channels = [convolved(tabulated(lambda n, _, i, j: x(n, c, i, j), 2, 1, 4, 3),
                          tabulated(lambda k, _, r, s: depth(c, 0, r, s), 1, 1, 3, 3)) for c in range(2)]
    case.expect(lambda n, k, p, q: b(k) + sum(point(k, c, 0, 0) * channels[c](n, 0, p, q) for c in range(2)),
                2, 3, 4, 3)


def running_norm(case, path, x):
    """Batch norm by its running statistics, as outside training."""
    size = x.shape[1]
    g, b, mu = (case.param(f"{path}.{name}", size) for name in ("g", "b", "rm"))
    var = Array([size], [case.rng.uniform(0.5, 2) for _ in range(size)])
    case.values[f"{path}.rv"] = var.data
    return tabulated(lambda n, c, p, q: g(c) * (x(n, c, p, q) - mu(c)) / math.sqrt(var(c) + 1e-5) + b(c), *x.shape)


@formula
def residual_block(case):
    x = case.real("x", 2, 2, 5, 3)
    case.apply("residual_block(x, 4, 2)")
    a = running_norm(case, "h.f.batchnorm", convolved(x, case.param("h.f.conv2d.w", 4, 2, 3, 3), 2))
    a = Array(a.shape, [max(v, 0) for v in a.data])
    f = running_norm(case, "h.f.batchnorm2", convolved(a, case.param("h.f.conv2d2.w", 4, 4, 3, 3)))
    s = running_norm(case, "h.s.batchnorm", convolved(x, case.param("h.s.conv2d.w", 4, 2, 1, 1), 2))
    case.expect(lambda *i: max(f(*i) + s(*i), 0), 2, 4, 3, 2)


@formula
def residual(case):
    x, w, b = case.real("x", 2, 3), case.param("h.f.W", 3, 3), case.param("h.f.b", 3)
    case.apply("residual(x, body = dense(3))")
    case.expect(lambda n, k: x(n, k) + sum(x(n, i) * w(i, k) for i in range(3)) + b(k), 2, 3)


@formula
def flattened(case):
    x = case.real("x", 2, 3, 2, 4)
    case.apply("flatten(x)")
    case.expect(lambda n, f: x(n, f // 8, f // 4 % 2, f % 4), 2, 24)


@formula
def lines_flattened(case):
    x = case.real("x", 2, 3, 4)
    case.apply("flatten1d(x)")
    case.expect(lambda n, f: x(n, f // 4, f % 4), 2, 12)


@formula
def rectifier_that_leaks(case):
    x = case.real("x", 3, 4)
    case.apply("leaky(x, slope = 0.2)")
    case.expect(lambda n, k: max(x(n, k), 0) + 0.2 * min(x(n, k), 0), 3, 4)


# ---- dropout of sequences ------------------------------------------------------------------------------


@formula
def variational_dropout_at_inference(case):
    x = case.real("x", 2, 3, 4)
    case.apply("variational_dropout(x, p = 0.3)")
    case.expect(x, 2, 3, 4)


@formula
def variational_dropout_in_training(case):
    """What is kept, c, is kept at all steps of a sequence, and is x/(1 - p); a share of 1 - p is kept, of each
    sequence something else."""
    for line in ("y = variational_dropout(x, p = 0.3)", "c[n, t, k] = float(y[n, t, k] != 0)",
                 "state moved = 0", "moved := sum[n, t, k](abs(c[n, t, k] - c[n, 0, k]))",
                 "state wrong = 1", "wrong := max[n, t, k](abs(y[n, t, k] - c[n, t, k]*x[n, t, k]/0.7))",
                 "state share = 0", "share := mean[n, k](c[n, 0, k])",
                 "state alike = 0", "alike := mean[n, k](float(c[n, 0, k] == c[0, 0, k]))",
                 "param w = 1", "loss w*moved", "train { optimizer still() }"):
        case.line(line)
    case.head.append("optimizer still() { w := w }")
    x = Array([100, 3, 10], [case.rng.uniform(0.5, 1.5) for _ in range(3000)])
    case.input("x", x.shape, x.data)
    case.batches = [{"x": x.data}] * 2
    case.expected = {"moved": Expected([0], 0, 0), "wrong": Expected([0], ATOL, 0),
                     "share": Expected([0.7], 0.05, 0), "alike": Expected([0.7 ** 2 + 0.3 ** 2], 0.08, 0)}


# ---- recurrences --------------------------------------------------------------------------------------


def gates(case, path, inputs, count, size):
    """z(x, p)[gate][k], with the products of the state alone, from lists of numbers x and p."""
    wx, wh, b = case.param(f"{path}.Wx", inputs, count, size), case.param(f"{path}.Wh", size, count, size), \
        case.param(f"{path}.b", count, size)

    def of_input(x, g, k):
        return sum(x[i] * wx(i, g, k) for i in range(inputs)) + b(g, k)

    def of_state(p, g, k):
        return sum(p[j] * wh(j, g, k) for j in range(size))
    return of_input, of_state


def rnn_step(case, path, inputs, size):
    wx, wh, b = case.param(f"{path}.Wx", inputs, size), case.param(f"{path}.Wh", size, size), \
        case.param(f"{path}.b", size)
    return lambda x, p: [math.tanh(sum(x[i] * wx(i, k) for i in range(inputs)) +
                                   sum(p[j] * wh(j, k) for j in range(size)) + b(k)) for k in range(size)]


def gru_step(case, path, inputs, size, reset_after=True):
    a, u = gates(case, path, inputs, 3, size)
    bn = case.param(f"{path}.bn", size) if reset_after else None

    def step(x, p):
        r = [sigmoid(a(x, 0, k) + u(p, 0, k)) for k in range(size)]
        z = [sigmoid(a(x, 1, k) + u(p, 1, k)) for k in range(size)]
        reset = [r[j] * p[j] for j in range(size)]
        s = [r[k] * (u(p, 2, k) + bn(k)) if reset_after else u(reset, 2, k) for k in range(size)]
        return [(1 - z[k]) * math.tanh(a(x, 2, k) + s[k]) + z[k] * p[k] for k in range(size)]
    return step


def lstm_cells(z, m, peeps=None):
    """h and c, one after the other, from the sums z[input, forget, candidate, output] and the cells before."""
    size = range(len(m))
    p = peeps or (lambda gate, k: 0)
    c = [sigmoid(z[1][k] + p(1, k) * m[k]) * m[k] + sigmoid(z[0][k] + p(0, k) * m[k]) * math.tanh(z[2][k])
         for k in size]
    return [sigmoid(z[3][k] + p(2, k) * c[k]) * math.tanh(c[k]) for k in size] + c


def lstm_step(case, path, inputs, size, peepholes=False):
    """States are h and c, one after the other."""
    a, u = gates(case, path, inputs, 4, size)
    peeps = case.param(f"{path}.P", 3, size) if peepholes else None

    def step(x, p):
        h, m = p[:size], p[size:]
        return lstm_cells([[a(x, gate, k) + u(h, gate, k) for k in range(size)] for gate in range(4)], m, peeps)
    return step


def coupled_lstm_step(case, path, inputs, size):
    """As an lstm, the sums of whose forget gate are those of the input gate with the other sign."""
    a, u = gates(case, path, inputs, 3, size)

    def step(x, p):
        h, m = p[:size], p[size:]
        i, g, o = ([a(x, gate, k) + u(h, gate, k) for k in range(size)] for gate in range(3))
        return lstm_cells([i, [-s for s in i], g, o], m)
    return step


def layernorm_lstm_step(case, path, inputs, size):
    a, u = gates(case, path, inputs, 4, size)
    b, norms = case.values[f"{path}.b"], []
    for name, dims in ("normed_x", [4, size]), ("normed_h", [4, size]), ("normed_c", [size]):
        norms.append([case.param(f"{path}.{name}.{part}", *dims).data for part in "gb"])

    def normed(numbers, norm):
        return [g * standardised(x, numbers) + shift for x, g, shift in zip(numbers, *norm)]

    def step(x, p):
        h, m = p[:size], p[size:]
        places = list(each(4, size))
        from_x = normed([a(x, g, k) - b[g * size + k] for g, k in places], norms[0])
        from_h = normed([u(h, g, k) for g, k in places], norms[1])
        z = [v + w + b[g * size + k] for v, w, (g, k) in zip(from_x, from_h, places)]
        rows = [z[g * size:(g + 1) * size] for g in range(4)]
        c = lstm_cells(rows, m)[size:]
        return [sigmoid(o) * math.tanh(s) for o, s in zip(rows[3], normed(c, norms[2]))] + c
    return step


def run_over(step, steps, start, length=None):
    """The states after each of the steps; from `length` on the last one stays."""
    states, p = [], start
    for t, x in enumerate(steps):
        p = step(x, p) if length is None or t < length else p
        states.append(p)
    return states


def sequences(x):
    """[n][t] -> list of numbers."""
    n, t, size = x.shape
    return [[[x(i, j, k) for k in range(size)] for j in range(t)] for i in range(n)]


@formula
def rnn_of_lengths_from_a_state(case):
    x, start = case.real("x", 3, 5, 2), case.real("start", 3, 4)
    lengths = case.whole("len", 6, [5, 0, 3])
    case.apply("rnn(x, start, len, H = 4)")
    step = rnn_step(case, "h", 2, 4)
    states = [run_over(step, rows, [start(n, k) for k in range(4)], lengths(n))
              for n, rows in enumerate(sequences(x))]
    case.expect(lambda n, t, k: states[n][t][k], 3, 5, 4)


def lstm_of_lengths(case, layer, maker):
    x, h0, c0 = case.real("x", 3, 5, 2), case.real("h0", 3, 4), case.real("c0", 3, 4)
    lengths = case.whole("len", 6, [5, 0, 3])
    case.line(f"h, c = {layer}")
    case.line("y0[n, t, i in 8] = if i < 4 then h[n, t, i] else c[n, t, i-4]")
    case.line("output y0")
    step = maker(case, "h", 2, 4)
    states = [run_over(step, rows, [h0(n, k) for k in range(4)] + [c0(n, k) for k in range(4)], lengths(n))
              for n, rows in enumerate(sequences(x))]
    case.expect(lambda n, t, k: states[n][t][k], 3, 5, 8)


@formula
def lstm_of_lengths_from_states(case):
    lstm_of_lengths(case, "lstm(x, h0, c0, len, H = 4)", lstm_step)


@formula
def lstm_with_peepholes(case):
    lstm_of_lengths(case, "peephole_lstm(x, h0, c0, len, H = 4)",
                    lambda *of: lstm_step(*of, peepholes=True))


@formula
def lstm_with_coupled_gates(case):
    lstm_of_lengths(case, "coupled_lstm(x, h0, c0, len, H = 4)", coupled_lstm_step)


@formula
def lstm_with_layer_norm(case):
    lstm_of_lengths(case, "layernorm_lstm(x, h0, c0, len, H = 4)", layernorm_lstm_step)


def gru_of_lengths(case, reset_after):
    x, start = case.real("x", 3, 5, 2), case.real("start", 3, 4)
    lengths = case.whole("len", 6, [5, 0, 3])
    case.apply(f"gru(x, len, start, H = 4, reset_after = {str(reset_after).lower()})")
    step = gru_step(case, "h", 2, 4, reset_after)
    states = [run_over(step, rows, [start(n, k) for k in range(4)], lengths(n))
              for n, rows in enumerate(sequences(x))]
    case.expect(lambda n, t, k: states[n][t][k], 3, 5, 4)


@formula
def gru_resets_after_the_product(case):
    gru_of_lengths(case, True)


@formula
def gru_resets_before_the_product(case):
    gru_of_lengths(case, False)


@formula
def bidirectional_of_lengths(case):
    x, lengths = case.real("x", 3, 5, 2), case.whole("len", 6, [5, 1, 3])
    case.apply("bidirectional(x, len, layer = gru(H = 4))")
    forth, back = gru_step(case, "h.forth", 2, 4), gru_step(case, "h.back", 2, 4)
    states = []
    for n, rows in enumerate(sequences(x)):
        size = lengths(n)
        first = run_over(forth, rows, [0] * 4)
        other = run_over(back, rows[:size][::-1] + rows[size:], [0] * 4)
        states.append([a + b for a, b in zip(first, other[:size][::-1] + other[size:])])
    case.expect(lambda n, t, k: states[n][t][k], 3, 5, 8)


@formula
def stacked(case):
    x = case.real("x", 2, 4, 2)
    case.apply("stacked(x, depth = 3, layer = rnn(H = 3))")
    paths = {"h.first": 2, "h.y.0": 3, "h.y.1": 3}
    steps = [rnn_step(case, path, inputs, 3) for path, inputs in paths.items()]
    states = sequences(x)
    for step in steps:
        states = [run_over(step, rows, [0] * 3) for rows in states]
    case.expect(lambda n, t, k: states[n][t][k], 2, 4, 3)


def decoder(case, path, symbols, forced):
    """The logits of an lstm of four units over t[4] from a state, of five symbols, which are those of t or, not
    forced, its own."""
    table, step = case.param(f"{path}.table.E", 6, 2), lstm_step(case, f"{path}.cell", 2, 4)
    w, b = case.param(f"{path}.out.W", 4, 5), case.param(f"{path}.out.b", 5)

    def run(n, state):
        last, logits = 5, []
        for u in range(4):
            state = step([table(last, d) for d in range(2)], state)
            logits.append([sum(state[j] * w(j, k) for j in range(4)) + b(k) for k in range(5)])
            last = symbols(n, u) if forced else logits[-1].index(max(logits[-1]))
        return logits
    return run


def symbols_below(case, name, bound, *shape):
    data = [case.rng.randrange(bound) for _ in range(math.prod(shape))]
    case.input(name, shape, data, f" : index({bound})")
    return Array(shape, data)


def decoder_from_states(case, forced):
    h0, c0 = case.real("h0", 3, 4), case.real("c0", 3, 4)
    run = decoder(case, "h", symbols_below(case, "t", 5, 3, 4), forced)
    case.apply(f"lstm_decoder(t, h0, c0, D = 2, forced = {str(forced).lower()})")
    logits = [run(n, h0.data[4 * n:4 * n + 4] + c0.data[4 * n:4 * n + 4]) for n in range(3)]
    case.expect(lambda n, u, k: logits[n][u][k], 3, 4, 5)


@formula
def decoder_with_a_teacher(case):
    decoder_from_states(case, True)


@formula
def decoder_fed_by_its_own_output(case):
    decoder_from_states(case, False)


def encoder_decoder(case, forced):
    """Three sequences of up to six symbols of seven, read from their ends; then the decoder."""
    s, t = symbols_below(case, "s", 7, 3, 6), symbols_below(case, "t", 5, 3, 4)
    lengths = case.whole("len", 7, [6, 1, 4])
    case.apply(f"encoder_decoder(s, t, len, D = 2, H = 4, forced = {str(forced).lower()})")
    table, step = case.param("h.e.E", 7, 2), lstm_step(case, "h.encoder", 2, 4)
    run = decoder(case, "h.decoder", t, forced)

    def encoded(n):
        read = [[table(s(n, i), d) for d in range(2)] for i in reversed(range(lengths(n)))]
        return run_over(step, read, [0] * 8)[-1]
    logits = [run(n, encoded(n)) for n in range(3)]
    case.expect(lambda n, u, k: logits[n][u][k], 3, 4, 5)


@formula
def encoder_decoder_with_a_teacher(case):
    encoder_decoder(case, True)


@formula
def encoder_decoder_fed_by_its_own_output(case):
    encoder_decoder(case, False)
