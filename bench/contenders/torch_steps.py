"""PyTorch as a contender: torch_steps.py SETTING THREADS. SETTING is loop or foreach (of the optimizer),
channels_last (of images), or compile."""

import math
import sys

import torch
from torch import nn
from torch.nn import functional as F

import peer

SETTING, THREADS = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(THREADS)


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(784, 128), nn.Linear(128, 10)

    def forward(self, x):
        return self.second(F.relu(self.first(x)))

    def names(self):
        return {"first.weight": ("z.dense.W", (784, 128), (1, 0)), "second.weight": ("z.dense2.W", (128, 10), (1, 0))}


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.f1, self.f2, self.f3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.f3(F.relu(self.f2(F.relu(self.f1(x.flatten(1))))))

    def names(self):
        return {"c1.weight": ("h.conv2d.w", (6, 1, 5, 5), None), "c2.weight": ("h.conv2d2.w", (16, 6, 5, 5), None),
                "f1.weight": ("z.dense.W", (400, 120), (1, 0)), "f2.weight": ("z.dense2.W", (120, 84), (1, 0)),
                "f3.weight": ("z.dense3.W", (84, 10), (1, 0))}


class Recurrence(nn.Module):
    """One bias for each gate: of PyTorch's two the second stays 0, but where the equations have it, too."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.gates = kind, 4 if kind == nn.LSTM else 3
        self.cell, self.head = kind(32, 128), nn.Linear(128, 10)
        if kind == nn.LSTM:
            self.cell.bias_hh_l0.requires_grad_(False)
        else:
            mask = torch.cat([torch.zeros(256), torch.ones(128)])
            self.cell.bias_hh_l0.register_hook(lambda gradient: gradient * mask)

    def forward(self, x):
        return self.head(self.cell(x)[0])

    def names(self):
        g = self.gates
        names = {"cell.weight_ih_l0": ("h.Wx", (32, g * 128), (1, 0)),
                 "cell.weight_hh_l0": ("h.Wh", (128, g * 128), (1, 0)), "cell.bias_ih_l0": ("h.b", (g * 128,), None),
                 "head.weight": ("z.W", (128, 10), (1, 0))}
        if self.kind == nn.GRU:
            names["cell.bias_hh_l0"] = ("h.bn", (128,), "last")
        return names


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.n1, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.n2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def attend(self, x, mask):
        n, t, d = x.shape
        q, k, v = (part.view(n, t, self.heads, d // self.heads).transpose(1, 2) for part in self.qkv(x).split(d, 2))
        if SETTING != "loop" and hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(d // self.heads))
            y = F.softmax(scores.masked_fill(mask, float("-inf")), -1) @ v
        return self.out(y.transpose(1, 2).contiguous().view(n, t, d))

    def forward(self, x, mask):
        x = x + self.attend(self.n1(x), mask)
        return x + self.down(F.gelu(self.up(self.n2(x)), approximate="tanh"))


class Transformer(nn.Module):
    def __init__(self, width=128, heads=4, layers=4, time=64, symbols=65):
        super().__init__()
        self.layers, self.width, self.time, self.symbols = layers, width, time, symbols
        self.E, self.P = nn.Embedding(symbols, width), nn.Embedding(time, width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.register_buffer("mask", torch.triu(torch.ones(time, time), 1).bool())

    def forward(self, i):
        x = self.E(i) + self.P.weight
        for block in self.blocks:
            x = block(x, self.mask)
        return F.linear(self.norm(x), self.E.weight)

    def names(self):
        d = self.width
        names = {"E.weight": ("E", (self.symbols, d), None), "P.weight": ("P", (self.time, d), None)}
        for i in range(self.layers):
            attention, feed = f"h.{i}.r.attention_with_biases", f"h.{i}.f.feed_forward"
            for part, name, shape in (("qkv", f"{attention}.W", (d, 3 * d)), ("out", f"{attention}.y.W", (d, d)),
                                      ("up", f"{feed}.h.W", (d, 4 * d)), ("down", f"{feed}.y.W", (4 * d, d))):
                names[f"blocks.{i}.{part}.weight"] = (name, shape, (1, 0))
        return names


def optimizer(model, kind, **options):
    parameters = [p for p in model.parameters() if p.requires_grad]
    return kind(parameters, foreach=SETTING != "loop", **options)


# model: its module, its optimizer, the shape of x, and which axes of x and t PyTorch has first
MODELS = {
    "mlp_sgd": (Perceptron, torch.optim.SGD, {"lr": 0.01}, (64, 784), False),
    "mlp_adam": (Perceptron, torch.optim.Adam, {"lr": 1e-3}, (64, 784), False),
    "cnn": (Convolutions, torch.optim.SGD, {"lr": 0.01}, (64, 1, 28, 28), False),
    "lstm": (lambda: Recurrence(nn.LSTM), torch.optim.SGD, {"lr": 0.01}, (32, 32, 32), True),
    "gru": (lambda: Recurrence(nn.GRU), torch.optim.SGD, {"lr": 0.01}, (32, 32, 32), True),
    "gpt": (Transformer, torch.optim.AdamW, {"lr": 1e-3, "weight_decay": 0.01}, (8, 64), False),
}


class Training:
    def __init__(self, arrays, module, kind, options, shape, time_first):
        self.arrays, self.module = arrays, module()
        self.x = torch.tensor(arrays["x"]).view(shape)
        self.t = torch.tensor(arrays["t"])
        if time_first:
            self.x = self.x.transpose(0, 1).contiguous()
            self.t = self.t.view(shape[:2]).transpose(0, 1).contiguous().view(-1)
        if SETTING == "channels_last":
            self.module = self.module.to(memory_format=torch.channels_last)
            self.x = self.x.contiguous(memory_format=torch.channels_last)
        self.optimizer = optimizer(self.module, kind, **options)
        self.forward = torch.compile(self.module) if SETTING == "compile" else self.module
        self.result = None

    @torch.no_grad()
    def reset(self):
        names = self.module.names()
        for name, parameter in self.module.named_parameters():
            source, shape, order = names.get(name, (None, None, None))
            if source is None:
                parameter.fill_(1 if parameter.dim() == 1 and name.endswith("weight") else 0)
                continue
            value = torch.tensor(self.arrays[source]).view(shape)
            if order == "last":
                value = torch.cat([torch.zeros(parameter.numel() - value.numel()), value])
            elif order:
                value = value.permute(order)
            parameter.copy_(value)
        self.optimizer.state.clear()

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        z = self.forward(self.x)
        self.result = F.cross_entropy(z.reshape(-1, z.shape[-1]), self.t.view(-1))
        self.result.backward()
        self.optimizer.step()

    def loss(self):
        return float(self.result)


def make(name, arrays):
    if name not in MODELS or (SETTING == "channels_last" and name != "cnn"):
        return None
    return Training(arrays, *MODELS[name])


peer.serve(make)
