"""burn's tests of activations and of pools of lines: functions without parameters."""

from cases import Case, Expected

FUNCTIONS = {  # the library's definition for each
    "mish": "mish(x)", "relu6": "relu6(x)", "hardtanh": "hard_tanh(x, {min}, {max})", "hard_swish": "hard_swish(x)",
    "tanhshrink": "tanhshrink(x)", "silu": "silu(x)", "log_sigmoid": "log_sigmoid(x)", "glu": "glu(x)",
    "gelu_approximate": "gelu(x, approximate = true)",
    "avg_pool1d": "avgpool1d(x, {size}, {stride}, {pad}, {counted}, pad_end = {pad_end})",
}


def case(record):
    arguments = {"pad_end": record["arguments"].get("pad", 0), **record["arguments"]}
    arguments = {name: str(value).lower() for name, value in arguments.items()}
    c = Case(record["id"])
    c.input("x", record["shape"], record["x"])
    c.line(f"output y = {FUNCTIONS[record['function']].format(**arguments)}")
    c.expected = {"y": Expected(record["y"], record["tolerance"], 0)}
    return c
