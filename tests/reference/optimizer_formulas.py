"""The library's optimizers once more, as the update rules that the documentation of PyTorch or Keras prints, or
that the paper has where neither does: plain Python over the numbers of one parameter, with nothing of the compiler's.

A case trains a matrix and a vector for some steps by gradients drawn here. Each rule below takes a parameter w,
its gradient g, what it keeps, s, and the step from 1, and gives the new parameter."""

import random
from math import copysign, inf, sqrt

from cases import Case, Expected

CASES = []
STEPS = 7
SIZES = {"W": 12, "b": 4}
ATOL, RTOL = 2e-6, 2e-5  # of single precision


def keep(s, name, value, old, new):
    """The elementwise mean value*old + (1 - value)*new of what is kept as `name`."""
    s[name] = [value * a + (1 - value) * b for a, b in zip(s.get(name, [old] * len(new)), new)]
    return s[name]


def decayed(w, g, wd):
    return [a + wd * x for a, x in zip(g, w)]


def accumulate(s, name, factor, new):
    s[name] = [factor * a + b for a, b in zip(s.get(name, [0.0] * len(new)), new)]
    return s[name]


# ---- rules


def sgd(w, g, s, t, lr, momentum=0, nesterov=False, wd=0):
    """torch.optim.SGD without dampening."""
    g = decayed(w, g, wd)
    if momentum:
        b = accumulate(s, "b", momentum, g)
        g = [a + momentum * v for a, v in zip(g, b)] if nesterov else b
    return [x - lr * a for x, a in zip(w, g)]


def adagrad(w, g, s, t, lr, decay=0, wd=0, start=0, eps=1e-10):
    """torch.optim.Adagrad."""
    g = decayed(w, g, wd)
    s.setdefault("sum", [start] * len(w))
    total = accumulate(s, "sum", 1, [a * a for a in g])
    return [x - lr / (1 + (t - 1) * decay) * a / (sqrt(v) + eps) for x, a, v in zip(w, g, total)]


def keras_adagrad(w, g, s, t, lr, start, eps):
    s.setdefault("sum", [start] * len(w))
    total = accumulate(s, "sum", 1, [a * a for a in g])
    return [x - lr * a / sqrt(v + eps) for x, a, v in zip(w, g, total)]


def rmsprop(w, g, s, t, lr, alpha=0.99, eps=1e-8, wd=0, momentum=0, centered=False):
    """torch.optim.RMSprop."""
    g = decayed(w, g, wd)
    square = keep(s, "square", alpha, 0, [a * a for a in g])
    if centered:
        mean = keep(s, "mean", alpha, 0, g)
        square = [v - a * a for v, a in zip(square, mean)]
    moves = [a / (sqrt(v) + eps) for a, v in zip(g, square)]
    if momentum:
        moves = accumulate(s, "moves", momentum, moves)
    return [x - lr * u for x, u in zip(w, moves)]


def keras_rmsprop(w, g, s, t, lr, rho, momentum=0, eps=1e-7, centered=False):
    """keras.optimizers.RMSprop, which has the rate in what it accumulates."""
    velocity = keep(s, "velocity", rho, 0, [a * a for a in g])
    divisor = velocity
    if centered:
        divisor = [v - a * a for v, a in zip(velocity, keep(s, "average", rho, 0, g))]
    steps = accumulate(s, "steps", momentum, [lr * a / sqrt(v + eps) for a, v in zip(g, divisor)])
    return [x - u for x, u in zip(w, steps)]


def looking_ahead(w, g, s, t, lr, rho, momentum, eps):
    """Deep Learning, algorithm 8.6, with delta in the root: w stands for theta + momentum*v."""
    r = keep(s, "r", rho, 0, [a * a for a in g])
    v = s.get("v", [0.0] * len(w))
    theta = [x - momentum * a for x, a in zip(w, v)]
    s["v"] = [momentum * a - lr / sqrt(eps + q) * b for a, q, b in zip(v, r, g)]
    return [x + (1 + momentum) * a for x, a in zip(theta, s["v"])]


def adadelta(w, g, s, t, lr=1.0, rho=0.9, eps=1e-6, wd=0):
    """torch.optim.Adadelta; keras.optimizers.Adadelta without decay."""
    g = decayed(w, g, wd)
    v = keep(s, "v", rho, 0, [a * a for a in g])
    u = s.get("u", [0.0] * len(w))
    moves = [sqrt(a + eps) / sqrt(b + eps) * c for a, b, c in zip(u, v, g)]
    keep(s, "u", rho, 0, [a * a for a in moves])
    return [x - lr * a for x, a in zip(w, moves)]


def adam(w, g, s, t, lr, b1=0.9, b2=0.999, eps=1e-8, wd=0, decoupled=0, amsgrad=False, corrected=True):
    """torch.optim.Adam and AdamW."""
    w = [x - lr * decoupled * x for x in w]
    g = decayed(w, g, wd)
    m, v = keep(s, "m", b1, 0, g), keep(s, "v", b2, 0, [a * a for a in g])
    if amsgrad:
        v = s["top"] = [max(a, b) for a, b in zip(s.get("top", v), v)]
    first, second = (1 - b1 ** t, 1 - b2 ** t) if corrected else (1, 1)
    return [x - lr / first * a / (sqrt(b) / sqrt(second) + eps) for x, a, b in zip(w, m, v)]


def nadam(w, g, s, t, lr, b1=0.9, b2=0.999, eps=1e-8, wd=0, psi=0.004):
    """torch.optim.NAdam."""
    g = decayed(w, g, wd)
    now, ahead = (b1 * (1 - 0.5 * 0.96 ** (k * psi)) for k in (t, t + 1))
    s["product"] = s.get("product", 1.0) * now
    m, v = keep(s, "m", b1, 0, g), keep(s, "v", b2, 0, [a * a for a in g])
    rates = [lr / (sqrt(b / (1 - b2 ** t)) + eps) for b in v]
    w = [x - r * (1 - now) / (1 - s["product"]) * a for x, r, a in zip(w, rates, g)]
    return [x - r * ahead / (1 - s["product"] * ahead) * a for x, r, a in zip(w, rates, m)]


def adamax(w, g, s, t, lr, b1=0.9, b2=0.999, eps=1e-8, wd=0):
    """torch.optim.Adamax."""
    g = decayed(w, g, wd)
    m = keep(s, "m", b1, 0, g)
    s["u"] = [max(b2 * u, abs(a) + eps) for u, a in zip(s.get("u", [0.0] * len(w)), g)]
    return [x - lr / (1 - b1 ** t) * a / u for x, a, u in zip(w, m, s["u"])]


def lion(w, g, s, t, lr, b1=0.9, b2=0.99, wd=0):
    """keras.optimizers.Lion, with the decay of Chen et al. (2023), algorithm 2."""
    m = s.get("m", [0.0] * len(w))
    c = [b1 * a + (1 - b1) * b for a, b in zip(m, g)]
    keep(s, "m", b2, 0, g)
    return [x - lr * ((copysign(1, a) if a else 0) + wd * x) for x, a in zip(w, c)]


def length(a):
    return sqrt(sum(x * x for x in a))


def lars(w, g, s, t, lr, momentum, wd, trust):
    """You, Gitman & Ginsburg (2017), algorithm 1."""
    local = trust * length(w) / (length(g) + wd * length(w)) if trust else 1
    v = accumulate(s, "v", momentum, [lr * local * a for a in decayed(w, g, wd)])
    return [x - a for x, a in zip(w, v)]


def lars_of_matrices(w, g, s, t, trust, **options):
    return lars(w, g, s, t, trust=trust if len(w) == SIZES["W"] else 0, **options)


def scheduled(w, g, s, t, rate):
    return sgd(w, g, s, t, rate(t))


def clipped_value(w, g, s, t, lr, c):
    return sgd(w, [min(max(a, -c), c) for a in g], s, t, lr)


def clipped_norm(w, g, s, t, lr, c):
    """torch.nn.utils.clip_grad_norm_ of one parameter."""
    return sgd(w, [a * min(1, c / (length(g) + 1e-6)) for a in g], s, t, lr)


def proximal(w, g, s, t, lr, alpha):
    """Soft thresholds: Daubechies, Defrise & De Mol (2004), equation 1.5."""
    return [copysign(max(abs(x) - lr * alpha, 0), x) for x in sgd(w, g, s, t, lr)]


def penalised(w, g, s, t, lr, slope):
    """Deep Learning, equations 7.2 and 7.20, with the derivative of the penalty; biases have none."""
    return sgd(w, [a + slope(x) for a, x in zip(g, w)] if len(w) == SIZES["W"] else g, s, t, lr)


def constrained(w, g, s, t, lr, limit, vectors):
    """keras.constraints.MaxNorm without its epsilon, on each of these lists of elements."""
    w = sgd(w, g, s, t, lr)
    for elements in vectors(len(w)):
        size = length([w[i] for i in elements])
        for i in elements:
            w[i] *= limit / size if size > limit else 1
    return w


def columns(size):
    """Of W[3, 4], and each element of b."""
    return [range(k, size, 4) for k in range(4)]


def rows(size):
    """Of W[3, 4], and b as a whole."""
    return [range(i, i + 4) for i in range(0, size, 4)]


def forgetting(w, g, s, t, lr, beta):
    """torch.optim.swa_utils.get_ema_multi_avg_fn, from the weights before the first step on."""
    s.setdefault("average", w)
    w = sgd(w, g, s, t, lr)
    keep(s, "average", beta, 0, w)
    return w


def averaged(w, g, s, t, lr, first):
    """torch.optim.ASGD's average, which starts at `first`."""
    w = sgd(w, g, s, t, lr)
    average = s.get("average", w)
    s["average"] = [a + (x - a) / max(1, t - first + 1) for a, x in zip(average, w)] if t >= first else w
    return w


def clipped_together(batch, c):
    """torch.nn.utils.clip_grad_norm_ of all parameters."""
    ratio = c / (length(batch["gW"] + batch["gb"]) + 1e-6)
    return {name: [a * min(1, ratio) for a in g] for name, g in batch.items()}


# ---- cases


class Training(Case):
    def __init__(self, name, optimizer, rule, options, kept, group, prepare, penalty):
        super().__init__(name)
        self.rule = rule
        self.rng = random.Random(name)
        self.lines = ["input gW[3, 4]", "input gb[4]", "param W[3, 4] = 0 @weight", "param b[4] = 0 @bias",
                      f"loss sum(gW*W) + sum(gb*b){penalty}", f"train {{ optimizer {optimizer}; {group} }}"]
        self.values = {name: self.draw(size) for name, size in SIZES.items()}
        self.values.update({f"{name}.{k}": self.values[name] for name in SIZES for k in kept})
        self.batches = [{"gW": self.draw(SIZES["W"]), "gb": self.draw(SIZES["b"])} for _ in range(STEPS)]
        for name in SIZES:
            w, s = self.values[name], {}
            for t, batch in enumerate(self.batches, 1):
                w = rule(w, prepare(batch)["g" + name], s, t, **options)
            self.expected[name] = Expected(w, ATOL, RTOL)
            self.expected.update({f"{name}.{k}": Expected(s[k], ATOL, RTOL) for k in kept})

    def draw(self, count):
        """A zero now and then, and numbers of all sizes."""
        return [self.rng.gauss(0, 1) * self.rng.choice((0, 0.1, 1, 1, 3)) for _ in range(count)]


def case(optimizer, rule, kept=(), group="", prepare=lambda batch: batch, penalty="", **options):
    number = 1 + sum(other.rule == rule for other in CASES)
    name = f"optimizer_{rule.__name__}_{number}"
    CASES.append(Training(name, optimizer, rule, options, kept, group, prepare, penalty))


case("sgd(0.1)", sgd, lr=0.1)
case("sgd(0.1, wd = 0.2)", sgd, lr=0.1, wd=0.2)
case("sgd(0.1, momentum = 0.9, wd = 0.2)", sgd, lr=0.1, momentum=0.9, wd=0.2)
case("sgd(0.1, momentum = 0.8, nesterov = true, wd = 0.2)", sgd, lr=0.1, momentum=0.8, nesterov=True, wd=0.2)
case("adagrad(0.1, eps = 1e-6)", adagrad, lr=0.1, eps=1e-6)
case("adagrad(0.1, decay = 0.3, wd = 0.2, start = 0.5)", adagrad, lr=0.1, decay=0.3, wd=0.2, start=0.5)
case("adagrad(0.1, start = 0.1, eps = 1e-3, inside = true)", keras_adagrad, lr=0.1, start=0.1, eps=1e-3)
case("rmsprop(0.1)", rmsprop, lr=0.1)
case("rmsprop(0.1, wd = 0.2, eps = 0.01)", rmsprop, lr=0.1, wd=0.2, eps=0.01)
case("rmsprop(0.1, decay = 0.8, momentum = 0.5)", rmsprop, lr=0.1, alpha=0.8, momentum=0.5)
case("rmsprop(0.1, decay = 0.8, eps = 0.01, centered = true)", rmsprop, lr=0.1, alpha=0.8, eps=0.01, centered=True)
case("rmsprop(0.1, decay = 0.8, eps = 0.01, momentum = 0.5, centered = true, wd = 0.2)", rmsprop,
     lr=0.1, alpha=0.8, eps=0.01, momentum=0.5, centered=True, wd=0.2)
case("rmsprop(0.1, decay = 0.9, eps = 1e-3, inside = true)", keras_rmsprop, lr=0.1, rho=0.9, eps=1e-3)
case("rmsprop(0.1, decay = 0.9, eps = 1e-3, momentum = 0.5, centered = true, inside = true)", keras_rmsprop,
     lr=0.1, rho=0.9, eps=1e-3, momentum=0.5, centered=True)
case("rmsprop(0.1, decay = 0.9, eps = 1e-3, momentum = 0.5, inside = true, nesterov = true)", looking_ahead,
     lr=0.1, rho=0.9, eps=1e-3, momentum=0.5)
case("adadelta(decay = 0.9)", adadelta)
case("adadelta(lr = 2, eps = 0.01, wd = 0.2)", adadelta, lr=2, rho=0.95, eps=0.01, wd=0.2)
case("adam(0.1)", adam, lr=0.1)
case("adam(0.1, b1 = 0.8, b2 = 0.9, eps = 0.01, wd = 0.2)", adam, lr=0.1, b1=0.8, b2=0.9, eps=0.01, wd=0.2)
case("adam(0.1, b2 = 0.8, amsgrad = true)", adam, lr=0.1, b2=0.8, amsgrad=True)
case("adam(0.1, b2 = 0.9, corrected = false)", adam, lr=0.1, b2=0.9, corrected=False)
case("adamw(0.1, wd = 0.2)", adam, lr=0.1, decoupled=0.2)
case("adamw(0.1, b2 = 0.8, wd = 0.2, amsgrad = true)", adam, lr=0.1, b2=0.8, decoupled=0.2, amsgrad=True)
case("nadam(0.1)", nadam, lr=0.1)
case("nadam(0.1, b2 = 0.9, wd = 0.2, psi = 1)", nadam, lr=0.1, b2=0.9, wd=0.2, psi=1)
case("nadam(0.1, psi = inf)", nadam, lr=0.1, psi=inf)
case("adamax(0.1)", adamax, lr=0.1)
case("adamax(0.1, b2 = 0.8, wd = 0.2)", adamax, lr=0.1, b2=0.8, wd=0.2)
case("lion(0.1)", lion, lr=0.1)
case("lion(0.1, b2 = 0.8, wd = 0.2)", lion, lr=0.1, b2=0.8, wd=0.2)
case("lars(0.1, wd = 0.2, trust = 0.5)", lars, lr=0.1, momentum=0.9, wd=0.2, trust=0.5)
case("lars(0.1, wd = 0.2, trust = 0.5)", lars_of_matrices, group="group @bias { trust = 0 }",
     lr=0.1, momentum=0.9, wd=0.2, trust=0.5)
case("sgd(linear_decay(0.3, 0.1, 4))", scheduled,  # Deep Learning, equation 8.14
     rate=lambda k: (1 - k / 4) * 0.3 + k / 4 * 0.1 if k <= 4 else 0.1)
case("sgd(inverse_sqrt(0.3, 3))", scheduled,  # Vaswani et al. (2017), equation 3, with the peak as its factor
     rate=lambda k: 0.3 * sqrt(3) * min(k ** -0.5, k * 3 ** -1.5))
case("clip_norm(2) |> sgd(0.1)", sgd, prepare=lambda batch: clipped_together(batch, 2), lr=0.1)
case("clip_value(0.5) |> sgd(0.1)", clipped_value, lr=0.1, c=0.5)
case("clip_norm_each(2) |> sgd(0.1)", clipped_norm, lr=0.1, c=2)
case("sgd(0.1) |> prox_l1(0.5, 0.1)", proximal, lr=0.1, alpha=0.5)
case("sgd(0.1)", penalised, penalty=" + l2(0.3)", lr=0.1, slope=lambda x: 0.3 * x)
case("sgd(0.1)", penalised, penalty=" + l1(0.3)", lr=0.1, slope=lambda x: 0.3 * ((x > 0) - (x < 0)))
case("sgd(0.1) |> max_norm(1.2)", constrained, lr=0.1, limit=1.2, vectors=columns)
case("sgd(0.1) |> max_norm(1.2, first = -1, last = 1)", constrained, group="group @bias { last = 0 }",
     lr=0.1, limit=1.2, vectors=rows)
case("sgd(0.1) |> ema(0.7)", forgetting, kept=["average"], lr=0.1, beta=0.7)
case("sgd(0.1) |> polyak()", averaged, kept=["average"], lr=0.1, first=1)
case("sgd(0.1) |> polyak(first = 3)", averaged, kept=["average"], lr=0.1, first=3)
