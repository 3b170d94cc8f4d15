"""burn's optimizer tests: a linear layer, the sum of its outputs as the loss, a few steps."""

from cases import Case, Expected, Skip

OPTIMIZERS = {"adam": "adam", "adamw": "adamw", "adagrad": "adagrad", "rmsprop": "rmsprop"}
OPTIONS = {"epsilon": "eps", "beta_1": "b1", "beta_2": "b2", "alpha": "decay", "lr_decay": "decay",
           "weight_decay": "wd", "momentum": "momentum", "centered": "centered", "amsgrad": "amsgrad"}
GENERATED = "step i=1..50: x = ones(2,6)*i*0.1"


def option(name, text):
    """`wd = 0.5` from Rust's `Some(WeightDecayConfig::new(0.5))`."""
    if name not in OPTIONS:
        raise Skip(f"no option like {name}")
    value = text.split("new(")[-1].split(")")[0]
    return f"{OPTIONS[name]} = {value}"


def batches(record):
    inputs = record["inputs"]
    if inputs == GENERATED:
        return [{"x": [i * 0.1] * 12} for i in range(1, 51)]
    return [{"x": batch["data"]} for batch in inputs]


def case(record):
    name = record["file"].split("/")[-1].removesuffix(".rs")
    if name not in OPTIMIZERS:
        raise Skip(f"no optimizer like {name}")
    options = [f"lr = {record['learning_rate']}"] + [option(*pair) for pair in record["config"]]
    weight = "W[k, i]" if record["layout"].startswith("y = x W^T") else "W[i, k]"
    c = Case(record["id"])
    c.lines = [
        "input x[2, 6]",
        "param W[6, 6] = 0",
        "param b[6] = 0",
        f"y[n, k] = sum[i](x[n, i]*{weight}) + b[k]",
        "loss sum(y)",
        f"train {{ optimizer {OPTIMIZERS[name]}({', '.join(options)}) }}",
    ]
    c.values = {"W": record["initial_weight"]["data"], "b": record["initial_bias"]["data"]}
    c.batches = batches(record)
    atol = record["tolerance"]["atol"]
    c.expected = {"W": Expected(record["expected_weight"]["data"], atol, 0),
                  "b": Expected(record["expected_bias"]["data"], atol, 0)}
    return c
