"""Attention once more, from its papers' formulas; see mathematics.py."""

import cmath
import math

from mathematics import Array, each, formula, standardised, tabulated


def attended(q, k, v, sees):
    """q(n, t, a, e) and so on -> y(n, t, a, e), where sees(n, t, u)."""
    heads, size = q.shape[2:]

    def y(n, t, a, e):
        seen = [u for u in range(k.shape[1]) if sees(n, t, u)]
        weights = [math.exp(sum(q(n, t, a, i) * k(n, u, a, i) for i in range(size)) / math.sqrt(size)) for u in seen]
        return sum(w * v(n, u, a, e) for w, u in zip(weights, seen)) / sum(weights) if seen else 0
    return tabulated(y, q.shape[0], q.shape[1], heads, v.shape[3])


@formula
def attention_with_lengths_and_a_mask(case):
    q, k, v = case.real("q", 2, 3, 2, 4), case.real("k", 2, 5, 2, 4), case.real("v", 2, 5, 2, 3)
    lengths = case.whole("len", 6, [4, 0])
    mask = Array([2, 3, 5], [case.rng.randrange(2) for _ in range(30)])
    case.input("mask", mask.shape, mask.data)
    case.apply("attend(q, k, v, len, mask)")
    case.expect(attended(q, k, v, lambda n, t, u: u < lengths(n) and mask(n, t, u)), 2, 3, 2, 3)


def of_heads(x, w, i, heads, size):
    """x[N, T, D] w[D, part i, A, E]."""
    return tabulated(lambda n, t, a, e: sum(x(n, t, d) * w(d, i, a, e) for d in range(x.shape[2])),
                     x.shape[0], x.shape[1], heads, size)


def out_of_heads(o, w):
    return lambda n, t, d: sum(o(n, t, a, e) * w(a, e, d) for a, e in each(*o.shape[2:]))


def rotated(z):
    """Neighbours as a complex number, turned by the position."""
    def part(n, t, a, e):
        pair = complex(z(n, t, a, e // 2 * 2), z(n, t, a, e // 2 * 2 + 1))
        pair *= cmath.exp(1j * t * 10000 ** (-(e // 2 * 2) / z.shape[3]))
        return pair.imag if e % 2 else pair.real
    return tabulated(part, *z.shape)


def self_attention(case, path, x, heads, causal, rotary=False):
    size = x.shape[2] // heads
    w, wo = case.param(f"{path}.Wqkv", x.shape[2], 3, heads, size), case.param(f"{path}.Wo", heads, size, x.shape[2])
    q, k, v = (of_heads(x, w, i, heads, size) for i in range(3))
    if rotary:
        q, k = rotated(q), rotated(k)
    return tabulated(out_of_heads(attended(q, k, v, lambda n, t, u: u <= t or not causal), wo), *x.shape)


@formula
def causal_self_attention(case):
    x = case.real("x", 2, 4, 6)
    case.apply("attention(x, heads = 2)")
    case.expect(self_attention(case, "h", x, 2, True), 2, 4, 6)


@formula
def self_attention_in_both_directions(case):
    x = case.real("x", 2, 4, 6)
    case.apply("attention(x, heads = 3, causal = false)")
    case.expect(self_attention(case, "h", x, 3, False), 2, 4, 6)


@formula
def cross_attention(case):
    x, m, lengths = case.real("x", 2, 3, 4), case.real("m", 2, 5, 3), case.whole("len", 6, [5, 2])
    wq, wkv, wo = case.param("h.Wq", 4, 2, 2), case.param("h.Wkv", 3, 2, 2, 2), case.param("h.Wo", 2, 2, 4)
    case.apply("cross_attention(x, m, len, heads = 2)")
    q = tabulated(lambda n, t, a, e: sum(x(n, t, d) * wq(d, a, e) for d in range(4)), 2, 3, 2, 2)
    k, v = (of_heads(m, wkv, i, 2, 2) for i in range(2))
    case.expect(out_of_heads(attended(q, k, v, lambda n, t, u: u < lengths(n)), wo), 2, 3, 4)


def rows_normed(case, path, x):
    size = x.shape[2]
    g, b = case.param(f"{path}.g", size), case.param(f"{path}.b", size)
    return tabulated(lambda n, t, d: g(d) * standardised(x(n, t, d), (x(n, t, i) for i in range(size))) + b(d),
                     *x.shape)


def rows_mapped(case, path, x, size):
    w, b = case.param(f"{path}.W", x.shape[2], size), case.param(f"{path}.b", size)
    return tabulated(lambda n, t, k: sum(x(n, t, d) * w(d, k) for d in range(x.shape[2])) + b(k),
                     x.shape[0], x.shape[1], size)


@formula
def transformer_block(case):
    x = case.real("x", 2, 4, 6)
    case.apply("transformer_block(x, heads = 2, hidden = 5)")
    mixed = self_attention(case, "h.a.attention", rows_normed(case, "h.a.layernorm", x), 2, True)
    a = tabulated(lambda *i: x(*i) + mixed(*i), *x.shape)
    z = rows_mapped(case, "h.y.dense", rows_normed(case, "h.y.layernorm", a), 5)
    gelu = Array(z.shape, [v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in z.data])
    y = rows_mapped(case, "h.y.dense2", gelu, 6)
    case.expect(lambda *i: a(*i) + y(*i), 2, 4, 6)


@formula
def positions(case):
    x = case.real("x", 1, 6, 5)
    case.apply("positions(x)")
    wave = (math.sin, math.cos)
    case.expect(lambda n, t, d: x(n, t, d) + wave[d % 2](t / 10000 ** (d // 2 * 2 / 5)), 1, 6, 5)


def turned(case, layer, pair):
    """Products of one query and one key at all positions: what remains is their distance. Pairs of features are
    complex numbers; `pair` says which two are number i."""
    q, k = case.drawn([6]), case.drawn([6])
    case.input("q0", [6], q.data)
    case.input("k0", [6], k.data)
    for name in "qk":
        case.line(f"{name}[n in 1, t in 5, a in 1, e] = {name}0[e]")
        case.line(f"{name}t = rotary_positions({name}, base = 100{layer})")
    case.line("output y0[t, u] = sum[e](qt[0, t, 0, e]*kt[0, u, 0, e])")

    def product(t, u):
        total = 0
        for i in range(3):
            x, y = (complex(v(pair(i)[0]), v(pair(i)[1])) for v in (q, k))
            total += (x * y.conjugate() * cmath.exp(1j * (t - u) * 100 ** (-i / 3))).real
        return total
    case.expect(product, 5, 5)


@formula
def rotated_products_depend_on_the_distance(case):
    turned(case, "", lambda i: (2 * i, 2 * i + 1))


@formula
def rotated_products_of_halves_depend_on_the_distance(case):
    turned(case, ", interleaved = false", lambda i: (i, i + 3))


@formula
def rotary_positions(case):
    x = case.real("x", 2, 7, 2, 4)
    case.apply("rotary_positions(x)")
    case.expect(rotated(x), 2, 7, 2, 4)


@formula
def rotary_attention(case):
    x = case.real("x", 2, 4, 8)
    case.apply("attention(x, heads = 2, rotary = true)")
    case.expect(self_attention(case, "h", x, 2, True, rotary=True), 2, 4, 8)


@formula
def additive_attention(case):
    x, m, lengths = case.real("x", 2, 3, 4), case.real("m", 2, 5, 3), case.whole("len", 6, [5, 2])
    wq, wk, w = case.param("h.q.W", 4, 6), case.param("h.k.W", 3, 6), case.param("h.y.w", 6)
    case.apply("additive_attention(x, m, len, K = 6)")

    def score(n, t, u):
        return sum(w(i) * math.tanh(sum(x(n, t, d) * wq(d, i) for d in range(4)) +
                                    sum(m(n, u, d) * wk(d, i) for d in range(3))) for i in range(6))

    def y(n, t, e):
        weights = [math.exp(score(n, t, u)) for u in range(lengths(n))]
        return sum(p * m(n, u, e) for u, p in enumerate(weights)) / sum(weights)
    case.expect(y, 2, 3, 3)
