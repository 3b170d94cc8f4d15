"""JAX as a contender: jax_steps.py jit THREADS. Each model is its equations under jax.jit, parameters donated."""

import sys
from functools import partial

import jax
import jax.numpy as jnp

import peer

LAYERS, HEADS = 4, 4


def perceptron(w, x):
    return jax.nn.relu(x @ w["z.dense.W"] + w["z.dense.b"]) @ w["z.dense2.W"] + w["z.dense2.b"]


def convolution(x, w, bias, pad):
    y = jax.lax.conv_general_dilated(x, w, (1, 1), [(pad, pad)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW"))
    y = jax.nn.relu(y + bias[:, None, None])
    return jax.lax.reduce_window(y, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def convolutions(w, x):
    h = convolution(x, w["h.conv2d.w"], w["h.conv2d.b"], 2)
    h = convolution(h, w["h.conv2d2.w"], w["h.conv2d2.b"], 0).reshape(64, 400)
    for layer in ("z.dense", "z.dense2"):
        h = jax.nn.relu(h @ w[f"{layer}.W"] + w[f"{layer}.b"])
    return h @ w["z.dense3.W"] + w["z.dense3.b"]


def lstm(w, x):
    def cell(state, z):
        h, c = state
        i, f, g, o = jnp.split(z + h @ w["h.Wh"], 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zeros = jnp.zeros((32, 128))
    _, h = jax.lax.scan(cell, (zeros, zeros), jnp.swapaxes(x @ w["h.Wx"] + w["h.b"], 0, 1))
    return jnp.swapaxes(h @ w["z.W"] + w["z.b"], 0, 1)


def gru(w, x):
    def cell(h, a):
        u = h @ w["h.Wh"]
        r, z = jax.nn.sigmoid(a[:, :128] + u[:, :128]), jax.nn.sigmoid(a[:, 128:256] + u[:, 128:256])
        c = jnp.tanh(a[:, 256:] + r * (u[:, 256:] + w["h.bn"]))
        h = (1 - z) * c + z * h
        return h, h

    _, h = jax.lax.scan(cell, jnp.zeros((32, 128)), jnp.swapaxes(x @ w["h.Wx"] + w["h.b"], 0, 1))
    return jnp.swapaxes(h @ w["z.W"] + w["z.b"], 0, 1)


def norm(w, name, x):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return w[f"{name}.g"] * (x - mean) * jax.lax.rsqrt(variance + 1e-5) + w[f"{name}.b"]


def attend(w, name, x):
    n, t, d = x.shape
    z = (x @ w[f"{name}.W"] + w[f"{name}.b"]).reshape(n, t, 3, HEADS, d // HEADS)
    q, k, v = z[:, :, 0], z[:, :, 1], z[:, :, 2]
    s = jnp.einsum("ntae,nuae->natu", q, k) / (d // HEADS) ** 0.5
    p = jax.nn.softmax(jnp.where(jnp.tril(jnp.ones((t, t), bool)), s, -jnp.inf))
    return jnp.einsum("natu,nuae->ntae", p, v).reshape(n, t, d) @ w[f"{name}.y.W"] + w[f"{name}.y.b"]


def transformer(w, x):
    h = w["E"][x] + w["P"]
    for i in range(LAYERS):
        r, f = f"h.{i}.r", f"h.{i}.f"
        h = h + attend(w, f"{r}.attention_with_biases", norm(w, f"{r}.layernorm", h))
        up = norm(w, f"{f}.layernorm", h) @ w[f"{f}.feed_forward.h.W"] + w[f"{f}.feed_forward.h.b"]
        h = h + jax.nn.gelu(up, approximate=True) @ w[f"{f}.feed_forward.y.W"] + w[f"{f}.feed_forward.y.b"]
    return norm(w, "h.layernorm", h) @ w["E"].T


def sgd(w, g, state, step):
    return {k: w[k] - 0.01 * g[k] for k in w}, state


def adam(w, g, state, step, decay=0.0, lr=1e-3):
    m = {k: 0.9 * state[0][k] + 0.1 * g[k] for k in w}
    v = {k: 0.999 * state[1][k] + 0.001 * g[k] ** 2 for k in w}
    a, b = 1 - 0.9 ** step, 1 - 0.999 ** step
    return {k: w[k] - lr * (m[k] / a / (jnp.sqrt(v[k] / b) + 1e-8) + decay * w[k]) for k in w}, (m, v)


def zeros_of(*shapes):
    return {name: jnp.zeros(shape) for name, shape in shapes}


def rest_of_transformer():
    names = [f"h.{i}.{part}.layernorm" for i in range(LAYERS) for part in "rf"] + ["h.layernorm"]
    rest = {f"{name}.g": jnp.ones(128) for name in names}
    rest.update({f"{name}.b": jnp.zeros(128) for name in names})
    for i in range(LAYERS):
        rest.update(zeros_of((f"h.{i}.r.attention_with_biases.b", 384), (f"h.{i}.r.attention_with_biases.y.b", 128),
                             (f"h.{i}.f.feed_forward.h.b", 512), (f"h.{i}.f.feed_forward.y.b", 128)))
    return rest


SHAPES = {
    "mlp": {"z.dense.W": (784, 128), "z.dense2.W": (128, 10)},
    "cnn": {"h.conv2d.w": (6, 1, 5, 5), "h.conv2d2.w": (16, 6, 5, 5), "z.dense.W": (400, 120),
            "z.dense2.W": (120, 84), "z.dense3.W": (84, 10)},
    "lstm": {"h.Wx": (32, 512), "h.Wh": (128, 512), "z.W": (128, 10)},
    "gru": {"h.Wx": (32, 384), "h.Wh": (128, 384), "z.W": (128, 10)},
    "gpt": {"E": (65, 128), "P": (64, 128)},
}
for layer in range(LAYERS):
    SHAPES["gpt"].update({f"h.{layer}.r.attention_with_biases.W": (128, 384),
                          f"h.{layer}.r.attention_with_biases.y.W": (128, 128),
                          f"h.{layer}.f.feed_forward.h.W": (128, 512), f"h.{layer}.f.feed_forward.y.W": (512, 128)})
BIASES = {
    "mlp": lambda: zeros_of(("z.dense.b", 128), ("z.dense2.b", 10)),
    "cnn": lambda: zeros_of(("h.conv2d.b", 6), ("h.conv2d2.b", 16), ("z.dense.b", 120), ("z.dense2.b", 84),
                            ("z.dense3.b", 10)),
    "lstm": lambda: zeros_of(("z.b", 10)), "gru": lambda: zeros_of(("z.b", 10)), "gpt": rest_of_transformer,
}
# model: its outputs, the shapes of x and t, the optimizer
MODELS = {
    "mlp_sgd": (perceptron, (64, 784), (64,), sgd),
    "mlp_adam": (perceptron, (64, 784), (64,), adam),
    "cnn": (convolutions, (64, 1, 28, 28), (64,), sgd),
    "lstm": (lstm, (32, 32, 32), (32, 32), sgd),
    "gru": (gru, (32, 32, 32), (32, 32), sgd),
    "gpt": (transformer, (8, 64), (8, 64), partial(adam, decay=0.01)),
}


class Training:
    def __init__(self, name, arrays):
        outputs, x_shape, t_shape, update = MODELS[name]
        self.kind, self.arrays = name.split("_")[0], arrays
        self.x, self.t = jnp.array(arrays["x"]).reshape(x_shape), jnp.array(arrays["t"]).reshape(t_shape)

        def loss(w):
            logs = jax.nn.log_softmax(outputs(w, self.x))
            return -jnp.take_along_axis(logs, self.t[..., None], -1).mean()

        def step(w, state, count):
            value, gradient = jax.value_and_grad(loss)(w)
            return (*update(w, gradient, state, count), value)

        self.run = jax.jit(step, donate_argnums=(0, 1))
        self.result = None

    def reset(self):
        shapes = SHAPES[self.kind]
        self.w = BIASES[self.kind]()
        for name, values in self.arrays.items():
            if name not in "xt":
                self.w[name] = jnp.array(values).reshape(shapes.get(name, (-1,)))
        zeros = jax.tree_util.tree_map(jnp.zeros_like, self.w)
        self.state = (zeros, jax.tree_util.tree_map(jnp.zeros_like, self.w))
        self.count = 0

    def step(self):
        self.count += 1
        self.w, self.state, self.result = self.run(self.w, self.state, float(self.count))

    def loss(self):
        return float(self.result)


jax.config.update("jax_platforms", "cpu")
peer.serve(lambda name, arrays: Training(name, arrays) if name in MODELS else None)
