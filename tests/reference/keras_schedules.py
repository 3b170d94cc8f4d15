"""Keras' learning-rate schedules: an optimizer that writes the rate into the parameter, run at one step."""

from cases import Case, Expected, Skip


def exponential(args, options):
    name = "step_decay" if options.pop("staircase", False) else "exponential_decay"
    return f"{name}({args[0]}, {args[1]}, {args[2]})"


def piecewise(args, options):
    boundaries, rates = args
    text = str(rates[-1])
    for last, rate in zip(reversed(boundaries), reversed(rates[:-1])):
        text = f"until({last}, {rate}, {text})"
    return text


def polynomial(args, options):
    start, last, *end = args
    power, cycle = options.pop("power", 1), str(options.pop("cycle", False)).lower()
    return f"polynomial_decay({start}, {(end or [0.0001])[0]}, {last}, power = {power}, cycle = {cycle})"


def inverse_time(args, options):
    staircase = str(options.pop("staircase", False)).lower()
    return f"inverse_time_decay({args[0]}, {args[1]}, {args[2]}, staircase = {staircase})"


def cosine(args, options):
    start, steps, *alpha = args
    alpha = alpha[0] if alpha else options.pop("alpha", 0)
    if "warmup_target" not in options:
        return f"cosine_decay({start}, {alpha * start}, {steps})"
    peak, warm = options.pop("warmup_target"), options.pop("warmup_steps")
    return f"warmup_cosine({peak}, {warm}, {warm + steps}, start = {start}, end = {alpha * peak})"


def restarts(args, options):
    start, first = args
    end = options.pop("alpha", 0) * start
    grow, fall = options.pop("t_mul", 2), options.pop("m_mul", 1)
    return f"cosine_restarts({start}, {end}, {first}, grow = {grow}, fall = {fall})"


SCHEDULES = {
    "ExponentialDecay": exponential, "PiecewiseConstantDecay": piecewise,
    "PolynomialDecay": polynomial, "InverseTimeDecay": inverse_time, "CosineDecay": cosine,
    "CosineDecayRestarts": restarts,
}


def case(record):
    if record["schedule"] not in SCHEDULES:
        raise Skip(f"no schedule like {record['schedule']}")
    options = dict(record["options"])
    rate = SCHEDULES[record["schedule"]](record["args"], options)
    if options:
        raise Skip(f"no options like {', '.join(options)}")
    c = Case(record["id"])
    c.head = ["optimizer report(lr) { w := lr }"]
    c.lines = ["param w = 0", "loss w^2", f"train {{ optimizer report({rate}) }}"]
    c.values = {"step": [record["step"]["data"][0] - 1]}
    c.batches = [{}]
    if c.values["step"][0] < -1:
        c.except_by["emitted C"] = "the steps of a program count from 1"
    tolerance = record["tolerance"]
    c.expected = {"w": Expected([record["expected"]], tolerance["atol"], tolerance["rtol"])}
    return c
