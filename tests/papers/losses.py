"""The losses of the papers once more, where possible by their definition and not by the formula that is
tested; see norms.py for what goes in and out."""

from math import acos, cos, erf, exp, gamma, log, pi, sqrt, tanh

from plain import dense, dot, each, mean, norm, softmax, softplus


def perceptron(p, name, rows):
    return dense(p, name + ".dense2", each(tanh, dense(p, name + ".dense", rows)))


def supcon(p, d, training):
    z = [[v / norm(row) for v in row] for row in perceptron(p, "z", d["x"])]
    t, rows, loss = d["t"], range(len(z)), 0
    for i in rows:
        positives = [j for j in rows if j != i and t[j] == t[i]]
        others = sum(exp(dot(z[i], z[a]) / 0.2) for a in rows if a != i)
        loss -= sum(log(exp(dot(z[i], z[j]) / 0.2) / others) for j in positives) / max(len(positives), 1)
    return loss / len(z), {"z": z}, {}


def arcface(p, d, training):
    z = perceptron(p, "z", d["x"])
    W = list(zip(*p["loss.W"]))
    losses = []
    for x, t in zip(z, d["t"]):
        theta = [acos(dot(w, x) / (norm(w) * norm(x))) for w in W]
        losses.append(-log(softmax([8 * cos(a + 0.3 * (j == t)) for j, a in enumerate(theta)])[t]))
    return mean(losses), {"z": z}, {}


def vicreg(p, d, training):
    a, b = perceptron(p, "f.z", d["x"]), perceptron(p, "f.z", d["y"])
    loss = 25 * mean(sum((x - y) ** 2 for x, y in zip(*rows)) for rows in zip(a, b))
    for z in (a, b):
        centred = [[v - mean(column) for v in column] for column in zip(*z)]
        C = [[dot(x, y) / (len(z) - 1) for y in centred] for x in centred]
        loss += 25 * mean(max(0, 1 - sqrt(C[j][j] + 1e-4)) for j in range(3))
        loss += sum(C[i][j] ** 2 for i in range(3) for j in range(3) if i != j) / 3
    return loss, {"a": a}, {}


def integral(f, low, high, parts=400):
    """Simpson's rule."""
    h = (high - low) / parts
    weights = [1] + [4, 2] * (parts // 2 - 1) + [4, 1]
    return h / 3 * sum(w * f(low + k * h) for k, w in enumerate(weights))


def crps_of_normal(mu, sigma, y):
    """The integral of the squared difference of two distribution functions."""
    def below(v):
        return (1 + erf((v - mu) / sigma / sqrt(2))) / 2
    low, high = min(y, mu - 9 * sigma), max(y, mu + 9 * sigma)
    return integral(lambda v: below(v) ** 2, low, y) + integral(lambda v: (1 - below(v)) ** 2, y, high)


def crps(p, d, training):
    o = dense(p, "o", each(tanh, dense(p, "h.dense", d["x"])))
    mu, sigma = [row[0] for row in o], [softplus(row[1]) + 1e-3 for row in o]
    return mean(map(crps_of_normal, mu, sigma, d["y"])), {"mu": mu, "sigma": sigma}, {}


def evidential(p, d, training):
    """Minus the logarithm of Student's distribution with 2 alpha degrees of freedom."""
    losses, means, epistemic = [], [], []
    for (g, nu, a, b), y in zip(perceptron(p, "o", d["x"]), d["y"]):
        nu, a, b = softplus(nu), softplus(a) + 1, softplus(b)
        scale, degrees = b * (1 + nu) / (nu * a), 2 * a
        density = (gamma((degrees + 1) / 2) / gamma(degrees / 2) / sqrt(degrees * pi * scale) *
                   (1 + (y - g) ** 2 / (degrees * scale)) ** (-(degrees + 1) / 2))
        losses.append(-log(density) + 0.01 * abs(y - g) * (2 * nu + a))
        means.append(g)
        epistemic.append(b / (nu * (a - 1)))
    return mean(losses), {"g": means, "epistemic": epistemic}, {}


def sinkhorn(p, d, training):
    """By scaling the kernel, without logarithms."""
    x, y = perceptron(p, "p", d["x"]), d["y"]
    C = [[sum((a - b) ** 2 for a, b in zip(r, q)) for q in y] for r in x]
    K = [[exp(-c / 0.5) for c in row] for row in C]
    v = [1.0] * len(y)
    for _ in range(7):
        u = [1 / len(x) / dot(row, v) for row in K]
        v = [1 / len(y) / dot(column, u) for column in zip(*K)]
    return sum(a * dot([k * c for k, c in zip(*rows)], v) for a, *rows in zip(u, K, C)), {"p": x}, {}


def paths(i, j):
    """All alignments of i + 1 and j + 1 elements."""
    if (i, j) == (0, 0):
        yield [(0, 0)]
    for a, b in ((i - 1, j - 1), (i - 1, j), (i, j - 1)):
        if a >= 0 and b >= 0:
            yield from (path + [(i, j)] for path in paths(a, b))


def soft_dtw(p, d, training):
    P, losses = [perceptron(p, "p", x) for x in d["x"]], []
    every = list(paths(4, 6))
    for x, y in zip(P, d["y"]):
        delta = [[sum((a - b) ** 2 for a, b in zip(r, q)) for q in y] for r in x]
        losses.append(-0.5 * log(sum(exp(-sum(delta[i][j] for i, j in path) / 0.5) for path in every)))
    return mean(losses), {"p": P}, {}


REFERENCES = (supcon, arcface, vicreg, crps, evidential, sinkhorn, soft_dtw)
