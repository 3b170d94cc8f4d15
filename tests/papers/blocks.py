"""The cells and blocks of the papers once more; see norms.py for what goes in and out."""

from math import cos, exp, log, sin, sqrt, tanh

from plain import dense, dot, each, linear, mean, relu, sigmoid, silu, softmax, softplus, squares, surprise


def slstm(p, d, training):
    """Without the stabiliser, which changes nothing but the range of the numbers."""
    W, R, bias, out = p["h.W"], p["h.R"], p["h.b"], []
    for x in d["x"]:
        h, c, n, sequence = [0.0] * 7, [0.0] * 7, [0.0] * 7, []
        for row in x:
            z, i, f, o = ([sum(terms) for terms in zip(linear([row], W[g])[0], linear([h], R[g])[0], bias[g])]
                          for g in range(4))
            c = [sigmoid(f[k]) * c[k] + exp(i[k]) * tanh(z[k]) for k in range(7)]
            n = [sigmoid(f[k]) * n[k] + exp(i[k]) for k in range(7)]
            h = [sigmoid(o[k]) * c[k] / n[k] for k in range(7)]
            sequence.append(dense(p, "o", [h])[0][0])
        out.append(sequence)
    return squares(out, d["y"]), {"p": out}, {}


def selective_scan(p, at, rows):
    A, bias, skip = p[at + "A"], p[at + "bias"], p[at + "skip"]
    h, out = [[0.0] * 4 for _ in range(6)], []
    steps = linear(linear(rows, p[at + "W1"]), p[at + "W2"])
    for u, step, B, C in zip(rows, steps, linear(rows, p[at + "WB"]), linear(rows, p[at + "WC"])):
        for k in range(6):
            D = softplus(bias[k] + step[k])
            for s in range(4):
                held = exp(D * A[k][s])
                h[k][s] = held * h[k][s] + (held - 1) / (D * A[k][s]) * D * B[s] * u[k]
        out.append([dot(C, h[k]) + skip[k] * u[k] for k in range(6)])
    return out


def mamba(p, d, training):
    out = []
    for x in d["x"]:
        y = selective_scan(p, "h.s6.", dense(p, "h.dense", x))
        gate = each(silu, dense(p, "g.dense", x))
        out.append(dense(p, "y", [[a * b for a, b in zip(*rows)] for rows in zip(y, gate)]))
    return squares(out, d["t"]), {"y": out}, {}


def ltc(p, d, training):
    W, R, mu, A, logtau = (p["h.ltc." + name] for name in ("W", "R", "mu", "A", "logtau"))
    out = []
    for rows in d["x"]:
        x, sequence = [0.0] * 9, []
        for row in rows:
            for _ in range(6):
                f = [sigmoid(sum(terms)) for terms in zip(linear([row], W)[0], linear([x], R)[0], mu)]
                x = [(x[k] + 0.1 * f[k] * A[k]) / (1 + 0.1 * (1 / exp(logtau[k]) + f[k])) for k in range(9)]
            sequence.append(dense(p, "h.dense", [x])[0][0])
        out.append(sequence)
    return squares(out, d["y"]), {"p": out}, {}


def shift(rows, mu):
    return [[m * a + (1 - m) * b for m, a, b in zip(mu, row, last)]
            for row, last in zip(rows, [[0.0] * len(mu)] + rows[:-1])]


def layernorm(p, name, rows):
    out = []
    for row in rows:
        m = mean(row)
        root = sqrt(mean((v - m) ** 2 for v in row) + 1e-5)
        out.append([(v - m) / root * g + b for v, g, b in zip(row, p[name + ".g"], p[name + ".b"])])
    return out


def plus(a, b):
    return [[x + y for x, y in zip(*rows)] for rows in zip(a, b)]


def time_mixing(p, at, rows):
    """As a recurrence of numerator and denominator, where the program has two sums."""
    r, k, v = (linear(shift(rows, p[f"{at}{name}.shift.mu"]), p[f"{at}{name}.linear.W"]) for name in "rkv")
    w, u, a, c, out = p[at + "o.wkv.w"], p[at + "o.wkv.u"], [0.0] * 5, [0.0] * 5, []
    for rt, kt, vt in zip(r, k, v):
        now = [exp(u[i] + kt[i]) for i in range(5)]
        out.append([sigmoid(rt[i]) * (a[i] + now[i] * vt[i]) / (c[i] + now[i]) for i in range(5)])
        a = [exp(-w[i]) * a[i] + exp(kt[i]) * vt[i] for i in range(5)]
        c = [exp(-w[i]) * c[i] + exp(kt[i]) for i in range(5)]
    return linear(out, p[at + "o.linear.W"])


def channel_mixing(p, at, rows):
    r, k = (linear(shift(rows, p[f"{at}{name}.shift.mu"]), p[f"{at}{name}.linear.W"]) for name in "rk")
    v = linear(each(lambda x: relu(x) ** 2, k), p[at + "v.W"])
    return [[sigmoid(x) * y for x, y in zip(*both)] for both in zip(r, v)]


def rwkv(p, d, training):
    out = []
    for tokens in d["x"]:
        e = [p["e.E"][token] for token in tokens]
        for at in ("z.0.", "z.1."):
            e = plus(e, time_mixing(p, at + "y.time_mixing.", layernorm(p, at + "y.layernorm", e)))
            e = plus(e, channel_mixing(p, at + "z.channel_mixing.", layernorm(p, at + "z.layernorm", e)))
        out.append(linear(e, p["z.linear.W"]))
    return mean(map(surprise, out, d["y"])), {"z": out}, {}


def spline(x, g, degree):
    def knot(i):
        return -1 + (i - 3) * 0.5
    if degree == 0:
        return float(knot(g) <= x < knot(g + 1))
    return ((x - knot(g)) / (knot(g + degree) - knot(g)) * spline(x, g, degree - 1) +
            (knot(g + degree + 1) - x) / (knot(g + degree + 1) - knot(g + 1)) * spline(x, g + 1, degree - 1))


def kan_layer(p, at, rows):
    c, wb, ws = p[at + ".c"], p[at + ".wb"], p[at + ".ws"]
    return [[sum(wb[i][o] * silu(x) + ws[i][o] * sum(c[i][o][g] * spline(x, g, 3) for g in range(7))
                 for i, x in enumerate(row)) for o in range(len(wb[0]))] for row in rows]


def kan(p, d, training):
    y = [row[0] for row in kan_layer(p, "h.kan2", kan_layer(p, "h.kan", d["x"]))]
    return squares(y, d["y"]), {"p": y}, {}


def squash(s):
    q = dot(s, s)
    return [q / (1 + q) * v / sqrt(q + 1e-9) for v in s]


def route(W, u):
    uhat = [[[dot(w, u[i]) for w in W[i][j]] for j in range(3)] for i in range(4)]
    b = [[0.0] * 3 for _ in range(4)]
    for _ in range(3):
        c = [softmax(row) for row in b]
        v = [squash([sum(c[i][j] * uhat[i][j][k] for i in range(4)) for k in range(5)]) for j in range(3)]
        b = [[b[i][j] + dot(uhat[i][j], v[j]) for j in range(3)] for i in range(4)]
    return v


def capsules(p, d, training):
    out = []
    for h in dense(p, "h", d["x"]):
        v = route(p["v.capsules.W"], [squash(h[3 * i:3 * i + 3]) for i in range(4)])
        out.append([sqrt(dot(q, q) + 1e-12) for q in v])
    loss = mean(sum(max(0, 0.9 - l) ** 2 if k == t else 0.5 * max(0, l - 0.1) ** 2 for k, l in enumerate(row))
                for row, t in zip(out, d["t"]))
    return loss, {"length": out}, {}


def rotate(row, t):
    """Pairs as complex numbers."""
    turned = [complex(row[2 * i], row[2 * i + 1]) * complex(cos(a), sin(a))
              for i in range(3) for a in [t * 10000 ** (-i / 3)]]
    return [part for number in turned for part in (number.real, number.imag)]


def head(p, h, x):
    at, group = "z.gqa.", h // 2
    q, k, v = (linear(x, W) for W in (p[at + "Wq"][h], p[at + "Wk"][group], p[at + "Wv"][group]))
    out = []
    for t in range(len(x)):
        seen = [u for u in range(len(x)) if u <= t < u + 3]
        scores = [dot(rotate(q[t], t), rotate(k[u], u)) / sqrt(6) - (t - u) / 4 ** (h + 1) for u in seen]
        out.append([dot(softmax(scores), [v[u][i] for u in seen]) for i in range(6)])
    return linear(out, p[at + "Wo"][h])


def attention(p, d, training):
    out = []
    for x in d["x"]:
        x = dense(p, "z.dense", x)
        heads = [head(p, h, x) for h in range(4)]
        out.append(dense(p, "z.dense2", [[sum(parts) for parts in zip(*rows)] for rows in zip(*heads)]))
    return mean(map(surprise, out, d["y"])), {"z": out}, {}


def vae(p, d, training):
    """At variances of nearly 0, so that nothing depends on the draw."""
    h = each(tanh, dense(p, "h.dense", d["x"]))
    mu, logvar = dense(p, "mu", h), dense(p, "logvar", h)
    y = each(sigmoid, dense(p, "y.dense2", each(tanh, dense(p, "y.dense", mu))))
    divergence = mean(sum((exp(b) + a * a - 1 - b) / 2 for a, b in zip(*rows)) for rows in zip(mu, logvar))
    missing = mean(-sum(a * log(b) + (1 - a) * log(1 - b) for a, b in zip(*rows)) for rows in zip(d["x"], y))
    return divergence + missing, {"mu": mu, "y": y}, {}


def neural_ode(p, d, training):
    def f(h, t):
        return dense(p, "f.f.dense2", each(tanh, dense(p, "f.f.dense", [h + [t]])))[0]

    def moved(h, step, k):
        return [a + step * b for a, b in zip(h, k)]
    out, dt = [], 0.2
    for h in d["x"]:
        for i in range(5):
            k1 = f(h, i * dt)
            k2 = f(moved(h, dt / 2, k1), i * dt + dt / 2)
            k3 = f(moved(h, dt / 2, k2), i * dt + dt / 2)
            k4 = f(moved(h, dt, k3), i * dt + dt)
            h = moved(h, dt / 6, [a + 2 * b + 2 * c + e for a, b, c, e in zip(k1, k2, k3, k4)])
        out.append(h)
    return squares(out, d["y"]), {"p": out}, {}


REFERENCES = (slstm, mamba, ltc, rwkv, kan, capsules, attention, vae, neural_ode)
