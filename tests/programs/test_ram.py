#!/usr/bin/env python3
"""`--ram BYTES`: for every plan from the one that costs no time to the smallest there is the model takes as
many bytes as nnc says, no more than allowed, and train steps leave the same bits. So they do where `remat` is heeded
and where it is not; where it is, less is kept for the backward part.

usage: test_ram.py [PROGRAM...]"""

import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "emit"))
import generated

PROGRAMS = ("transformer", "batchnorm-dropout-adamw", "residual-network", "gru-classifier-of-lengths")
REMAT = "residual-blocks-computed-again"
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


def compile_each(source, plans, folder):
    """{name of a model: its source} and C files, one for the options of each plan."""
    text, models, files = source.read_text(), {}, []
    for number, options in enumerate(plans):
        name = f"plan{number}"
        models[name] = folder / f"{name}.nn"
        models[name].write_text(re.sub(r"^model \w+", f"model {name}", text, count=1, flags=re.M))
        files.append(generated.compile_source(models[name], options))
    return models, files


def left_by_steps(models, files, folder):
    """What each leaves of the same start and the same inputs."""
    driver = generated.build_driver(folder, files, models, ("cc", "-O0"))
    described = generated.describe(driver, models)
    inputs = generated.draw_inputs(described["plan0"], 5)
    ask = generated.kept_names(described["plan0"])
    return [generated.drive(driver, [dict(model=model, seed=3, set=inputs, entry="train_step", steps=STEPS, ask=ask)])
            for model in models]


def check_sizes(plans, folder):
    """Compares what each takes with sizeof."""
    sizes = folder / "sizes.c"
    sizes.write_text("".join(
        f'#include "plan{number}.h"\n_Static_assert(sizeof(plan{number}) == {taken} && {taken} <= {allowed}, "size");\n'
        for number, (allowed, taken) in enumerate(plans)))
    generated.run(["cc", "-std=c11", "-I", folder, "-fsyntax-only", sizes, *generated.runtime_flags()])


def problems_of(program, folder):
    source = generated.ROOT / "tests" / "programs" / f"{program}.nn"
    plans, least = plans_of(source)
    if len(plans) < 2 or least != min(taken for _, taken in plans):
        return [f"plans {plans}, and told that {least} are needed"]
    models, files = compile_each(source, [[f"--ram={allowed}"] for allowed, _ in plans], folder)
    check_sizes(plans, folder)
    found = left_by_steps(models, files, folder)
    return [f"plan {number} of {plans} leaves other bits" for number, left in enumerate(found) if left != found[0]]


def bytes_of_tape(source, *options):
    said = generated.run([generated.NNC, "show", "--explain", "memory", *options, source]).decode()
    return int(re.search(r"the tape +(\d+) +in", said)[1])


def problems_of_remat(folder):
    source, unheeded = generated.ROOT / "tests" / "programs" / f"{REMAT}.nn", "--skip=recompute"
    kept, all_kept = bytes_of_tape(source), bytes_of_tape(source, unheeded)
    if 2 * kept > all_kept:
        return [f"{kept} bytes are kept, {all_kept} where remat is not heeded"]
    heeded, other = left_by_steps(*compile_each(source, [[], [unheeded]], folder), folder)
    return ["it leaves other bits where it is not heeded"] if heeded != other else []


def check(title, problems_of, *arguments):
    with tempfile.TemporaryDirectory(prefix="nnc-ram-") as folder:
        try:
            problems = problems_of(*arguments, pathlib.Path(folder))
        except generated.Failure as failure:
            problems = [str(failure)]
        return generated.report(title, problems)


def main():
    failures = sum(check(f"memory and bits under --ram, {program}", problems_of, program)
                   for program in sys.argv[1:] or PROGRAMS)
    failures += check("memory and bits with remat", problems_of_remat)
    return failures != 0


sys.exit(main())
