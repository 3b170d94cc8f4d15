"""The norms of the papers once more. Each takes the values `p` of parameters and states, the inputs `d`
and whether the step trains; it gives the loss, the outputs and the new values of states."""

from math import sqrt, tanh

from plain import dense, dot, each, mean, norm, relu, softmax, squares, surprise


def frn(p, d, training):
    out = []
    for x in d["x"]:
        row = []
        for k, F in enumerate(p["F"]):
            a = [sum(x[c][i + r][j + s] * F[c][r][s] for c in range(3) for r in range(3) for s in range(3))
                 for i in range(3) for j in range(5)]
            root = sqrt(mean(v * v for v in a) + 1e-6 + abs(p["y.eps"][k]))
            row.append(mean(max(p["y.gamma"][k] * v / root + p["y.beta"][k], p["y.tau"][k]) for v in a))
        out.append(row)
    return squares(out, d["t"]), {"p": out}, {}


def standardise(filters):
    flat = [v for plane in filters for row in plane for v in row]
    mu = mean(flat)
    sigma = sqrt(mean(v * v for v in flat) - mu * mu + 1e-5)
    return [[[(v - mu) / sigma for v in row] for row in plane] for plane in filters]


def weight_standardization(p, d, training):
    V, b = [standardise(filters) for filters in p["h.ws_conv.What"]], p["h.ws_conv.b"]
    z = []
    for x in d["x"]:
        padded = [[[plane[i - 1][j - 1] if 0 < i < 8 and 0 < j < 10 else 0.0 for j in range(11)]
                   for i in range(9)] for plane in x]
        z.append([mean(relu(b[o] + sum(V[o][c][r][s] * padded[c][2 * i + r][2 * j + s]
                                       for c in range(3) for r in range(3) for s in range(3)))
                       for i in range(4) for j in range(5)) for o in range(5)])
    return surprise(z, d["t"]), {"p": [softmax(row) for row in z]}, {}


def batch_renorm(p, d, training):
    at = "h.batch_renorm."
    columns, new = [], {at + "mu": [], at + "sigma": []}
    for k, column in enumerate(zip(*dense(p, "h.dense", d["x"]))):
        mu, sigma, gamma, beta = (p[at + name][k] for name in ("mu", "sigma", "gamma", "beta"))
        m = mean(column)
        s = sqrt(1e-3 + mean((v - m) ** 2 for v in column))
        new[at + "mu"].append(mu + 0.1 * (m - mu))
        new[at + "sigma"].append(sigma + 0.1 * (s - sigma))
        r, shift = min(max(s / sigma, 1 / 1.5), 1.5), min(max((m - mu) / sigma, -0.5), 0.5)
        if training:
            columns.append([tanh(gamma * ((v - m) / s * r + shift) + beta) for v in column])
        else:
            columns.append([tanh(gamma * (v - mu) / sigma + beta) for v in column])
    y = dense(p, "h.dense2", zip(*columns))
    return squares(y, d["t"]), {"h": y}, new


def spectral_layer(p, name, rows):
    W, b, u = p[name + ".W"], p[name + ".b"], p[name + ".u"]
    v = [dot(column, u) for column in zip(*W)]
    v = [e / norm(v) for e in v]
    u = [dot(row, v) for row in W]
    u = [e / norm(u) for e in u]
    sigma = dot(u, [dot(row, v) for row in W])
    return [[dot(w, row) / sigma + c for w, c in zip(W, b)] for row in rows], u


def spectral_norm(p, d, training):
    h, u = spectral_layer(p, "h.spectral_dense", d["x"])
    y, u2 = spectral_layer(p, "h.spectral_dense2", each(relu, h))
    y = [row[0] for row in y]
    loss = mean(max(0, 1 - t * v) for t, v in zip(d["t"], y))
    return loss, {"d": y}, {"h.spectral_dense.u": u, "h.spectral_dense2.u": u2}


def lrn_dyt(p, d, training):
    at = "h.dyt."
    out = []
    for a in d["x"]:
        b = [[a[i][l] / (2 + 0.3 * sum(a[j][l] ** 2 for j in range(max(0, i - 2), min(6, i + 2) + 1))) ** 0.75
              for l in range(3)] for i in range(7)]
        out.append([[gamma * tanh(p[at + "alpha"] * v) + beta
                     for v, gamma, beta in zip(row, p[at + "gamma"], p[at + "beta"])]
                    for row in dense(p, "h.dense", b)])
    return squares(out, d["t"]), {"h": out}, {}


REFERENCES = (frn, weight_standardization, batch_renorm, spectral_norm, lrn_dyt)
