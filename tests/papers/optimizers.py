"""The optimizers of the papers once more, over flat lists of numbers, one list for each parameter. Each
takes the parameters, their gradients, a dictionary `s` that it keeps, and the step from 1; it gives the
new parameters. The gradients are those of `network`."""

from math import sqrt, tanh

from plain import dot, norm

INPUTS, HIDDEN, OUTPUTS = 3, 5, 2
PERCEPTRON = ("p.dense.W", "p.dense.b", "p.dense2.W", "p.dense2.b")


def network(w, x, y):
    """The mean square error of dense, tanh, dense, and its derivatives."""
    W, b, V, c = w
    g, loss, size = zeros(w), 0.0, len(x) * OUTPUTS
    for row, target in zip(x, y):
        h = [tanh(b[j] + dot(row, W[j::HIDDEN])) for j in range(HIDDEN)]
        e = [c[k] + dot(h, V[k::OUTPUTS]) - target[k] for k in range(OUTPUTS)]
        loss += dot(e, e) / size
        for j in range(HIDDEN):
            back = 2 / size * dot(e, V[j * OUTPUTS:(j + 1) * OUTPUTS]) * (1 - h[j] ** 2)
            g[1][j] += back
            for i in range(INPUTS):
                g[0][i * HIDDEN + j] += back * row[i]
            for k in range(OUTPUTS):
                g[2][j * OUTPUTS + k] += 2 / size * e[k] * h[j]
        for k in range(OUTPUTS):
            g[3][k] += 2 / size * e[k]
    return loss, g


def every(f, *lists):
    return [[f(*elements) for elements in zip(*rows)] for rows in zip(*lists)]


def zeros(w):
    return [[0.0] * len(row) for row in w]


def averages(s, g, b1=0.9, b2=0.999):
    s["m"] = every(lambda m, a: b1 * m + (1 - b1) * a, s.get("m", zeros(g)), g)
    s["v"] = every(lambda v, a: b2 * v + (1 - b2) * a * a, s.get("v", zeros(g)), g)


def adan(w, g, s, step, lr=0.02, b1=0.02, b2=0.08, b3=0.01, eps=1e-8, wd=0.02):
    if step == 1:
        s["m"], s["v"], s["n"] = g, zeros(g), every(lambda a: a * a, g)
    else:
        change = every(lambda a, b: a - b, g, s["g"])
        s["m"] = every(lambda m, a: (1 - b1) * m + b1 * a, s["m"], g)
        s["v"] = every(lambda v, a: (1 - b2) * v + b2 * a, s["v"], change)
        s["n"] = every(lambda n, a, b: (1 - b3) * n + b3 * (a + (1 - b2) * b) ** 2, s["n"], g, change)
    s["g"] = g
    return every(lambda x, m, v, n: (x - lr / (sqrt(n) + eps) * (m + (1 - b2) * v)) / (1 + wd * lr),
                 w, s["m"], s["v"], s["n"])


def radam(w, g, s, step, lr=0.02, b1=0.9, b2=0.999):
    averages(s, g)
    most = 2 / (1 - b2) - 1
    rho = most - 2 * step * b2 ** step / (1 - b2 ** step)
    if rho <= 4:
        return every(lambda x, m: x - lr * m / (1 - b1 ** step), w, s["m"])
    r = sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
    return every(lambda x, m, v: x - lr * r * m / (1 - b1 ** step) * sqrt((1 - b2 ** step) / v),
                 w, s["m"], s["v"])


def schedule_free(w, g, s, step, lr=0.1, beta=0.9):
    s["z"] = every(lambda z, a: z - lr * a, s.get("z", w), g)
    s["x"] = every(lambda x, z: x + (z - x) / (step + 1), s.get("x", w), s["z"])
    return every(lambda z, x: (1 - beta) * z + beta * x, s["z"], s["x"])


def prodigy(w, g, s, step, b1=0.9, b2=0.999, eps=1e-8):
    d, start, root = s.get("d", 1e-3), s.setdefault("start", w), sqrt(b2)
    averages(s, every(lambda a: d * a, g))
    s["r"] = root * s.get("r", 0.0) + (1 - root) * d * d * sum(
        dot(a, [u - v for u, v in zip(first, x)]) for a, first, x in zip(g, start, w))
    s["s"] = every(lambda q, a: root * q + (1 - root) * d * d * a, s.get("s", zeros(w)), g)
    s["d"] = max(d, s["r"] / sum(abs(q) for row in s["s"] for q in row))
    return every(lambda x, m, v: x - d * m / (sqrt(v) + d * eps), w, s["m"], s["v"])


def lamb(w, g, s, step, lr=0.02, b1=0.9, b2=0.999, eps=1e-6, wd=0.01):
    averages(s, g)
    moves = every(lambda x, m, v: m / (1 - b1 ** step) / (sqrt(v / (1 - b2 ** step)) + eps) + wd * x,
                  w, s["m"], s["v"])
    new = []
    for x, u in zip(w, moves):
        ratio = min(norm(x), 10) / norm(u) if norm(x) > 0 and norm(u) > 0 else 1
        new.append([a - lr * ratio * b for a, b in zip(x, u)])
    return new


def rprop_of_one(x, g, last, delta):
    if g * last > 0:
        delta = min(1.2 * delta, 50)
    elif g * last < 0:
        delta, g = max(0.5 * delta, 1e-6), 0.0
    return x - delta * ((g > 0) - (g < 0)), g, delta


def rprop(w, g, s, step):
    every_one = every(rprop_of_one, w, g, s.get("g", zeros(w)), s.get("delta", every(lambda _: 0.01, w)))
    new, s["g"], s["delta"] = (every(lambda one, i=i: one[i], every_one) for i in range(3))
    return new


def madgrad(w, g, s, step, lr=0.02, c=0.1, eps=1e-6):
    start, rate = s.setdefault("start", w), lr * sqrt(step)
    s["s"] = every(lambda q, a: q + rate * a, s.get("s", zeros(w)), g)
    s["n"] = every(lambda n, a: n + rate * a * a, s.get("n", zeros(w)), g)
    return every(lambda x, first, q, n: (1 - c) * x + c * (first - q / (n ** (1 / 3) + eps)),
                 w, start, s["s"], s["n"])


def perceptron_step(optimizer):
    def step(w, d, s, number):
        loss, g = network(w, d["x"], d["y"])
        return loss, optimizer(w, g, s, number)
    return step


def sam(w, d, s, number):
    """Gradients at the worst point nearby; this network has no biases."""
    def at(W, V):
        loss, g = network([W, [0.0] * HIDDEN, V, [0.0] * OUTPUTS], d["x"], d["y"])
        return loss, [g[0], g[2]]
    g = at(*w)[1]
    length = norm(g[0] + g[1]) + 1e-12
    loss, g = at(*every(lambda x, a: x + 0.05 * a / length, w, g))
    return loss, every(lambda x, a: x - 0.1 * a, w, g)


def adafactor(w, d, s, number, rows=4, columns=3):
    W, b = w
    e = [[b[k] + dot(x, W[k::columns]) - y[k] for k in range(columns)] for x, y in zip(d["x"], d["y"])]
    size = len(e) * columns
    slopes = [[2 / size * v for v in row] for row in e]
    G = [[dot(x, slope) for slope in zip(*slopes)] for x in zip(*d["x"])]
    b2, root = 1 - number ** -0.8, sqrt(rows * columns)
    R = [b2 * r + (1 - b2) * (dot(row, row) + columns * 1e-30) for r, row in zip(s.get("R", [0.0] * rows), G)]
    C = [b2 * c + (1 - b2) * (dot(column, column) + rows * 1e-30)
         for c, column in zip(s.get("C", [0.0] * columns), zip(*G))]
    s["R"], s["C"] = R, C
    U = [G[i][k] / sqrt(R[i] * C[k] / sum(R)) for i in range(rows) for k in range(columns)]
    move = max(1e-3, norm(W) / root) * min(0.05, number ** -0.5) / max(1, norm(U) / root)
    return sum(dot(row, row) for row in e) / size, [
        [x - move * u for x, u in zip(W, U)],
        [x - 0.05 * sum(slope) for x, slope in zip(b, zip(*slopes))]]


# {program: (parameters, step)}: a step takes them, the inputs, what is kept, and its number; it gives the
# loss and the new parameters.
STEPS = {f.__name__: (PERCEPTRON, perceptron_step(f))
         for f in (adan, radam, schedule_free, prodigy, lamb, rprop, madgrad)}
STEPS.update(sam=(("W", "V"), sam), adafactor=(("W", "b"), adafactor))
AVERAGED = {"schedule_free"}  # the program reads `x` of what is kept in place of the parameters outside training
