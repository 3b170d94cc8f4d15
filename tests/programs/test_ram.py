#!/usr/bin/env python3
"""`--ram BYTES`: for every plan from the one that costs no time to the smallest there is the model takes as
many bytes as nnc says, no more than allowed, and train steps leave the same bits.

usage: test_ram.py [PROGRAM...]"""

import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "emit"))
import generated

PROGRAMS = ("transformer", "batchnorm-dropout-adamw", "residual-network", "gru-classifier-of-lengths")
STEPS = 3


def plans_of(source):
    """[(bytes allowed, bytes taken)], each the greatest that the one before does not reach."""
    plans, allowed = [], 1 << 30
    while True:
        said = generated.run(["sh", "-c", f"{generated.NNC} show --explain memory --ram {allowed} {source} 2>&1 || true"])
        taken = re.match(r"model \S+ (\d+) bytes", said.decode())
        if not taken:
            least = re.search(r"needs (\d+) bytes", said.decode())
            return plans, int(least[1])
        plans.append((allowed, int(taken[1])))
        allowed = int(taken[1]) - 1


def compile_plans(source, plans, folder):
    """{name of a model: its source}, C files, and a file that compares what each takes with sizeof."""
    text, models, files, checks = source.read_text(), {}, [], []
    for number, (allowed, taken) in enumerate(plans):
        name = f"plan{number}"
        models[name] = folder / f"{name}.nn"
        models[name].write_text(re.sub(r"^model \w+", f"model {name}", text, count=1, flags=re.M))
        files.append(generated.compile_source(models[name], [f"--ram={allowed}"]))
        checks.append(f'#include "{name}.h"\n_Static_assert(sizeof({name}) == {taken} && {taken} <= {allowed}, "size");\n')
    sizes = folder / "sizes.c"
    sizes.write_text("".join(checks))
    return models, files, sizes


def problems_of(program, folder):
    source = generated.ROOT / "tests" / "programs" / f"{program}.nn"
    plans, least = plans_of(source)
    if len(plans) < 2 or least != min(taken for _, taken in plans):
        return [f"plans {plans}, and told that {least} are needed"]
    models, files, sizes = compile_plans(source, plans, folder)
    driver = generated.build_driver(folder, files, models, ("cc", "-O0"))
    generated.run(["cc", "-std=c11", "-I", folder, "-fsyntax-only", sizes, *generated.runtime_flags()])
    described = generated.describe(driver, models)
    inputs = generated.draw_inputs(described["plan0"], 5)
    ask = generated.kept_names(described["plan0"])
    found = [generated.drive(driver, [dict(model=model, seed=3, set=inputs, entry="train_step", steps=STEPS, ask=ask)])
             for model in models]
    return [f"plan {number} of {plans} leaves other bits" for number, left in enumerate(found) if left != found[0]]


def main():
    failures = 0
    for program in sys.argv[1:] or PROGRAMS:
        with tempfile.TemporaryDirectory(prefix="nnc-ram-") as folder:
            try:
                problems = problems_of(program, pathlib.Path(folder))
            except generated.Failure as failure:
                problems = [str(failure)]
            failures += generated.report(f"memory and bits under --ram, {program}", problems)
    return failures != 0


sys.exit(main())
