#!/usr/bin/env python3
"""The C for microcontrollers compiles by the flags that its header recommends, without a warning and without a C
library but string.h, and multiply-adds and square roots in float are instructions."""

import pathlib
import re
import shutil
import subprocess
import tempfile

import generated

TRIPLES = {"cortex-m4": "arm-none-eabi", "riscv32": "riscv32-unknown-elf"}
DIGITS = generated.ROOT / "examples" / "digits" / "digits.nn"
COMPILERS = [compiler for compiler in ("clang", "clang-19") if shutil.which(compiler)]
OPTIONS = (["--emit=train,infer,gradients"], ["--real=double"], ["--emit=infer", "--standalone"])


def writes_for(compiler, triple):
    """Whether this build of clang does."""
    command = [compiler, f"--target={triple}", "-c", "-x", "c", "-", "-o", "/dev/null"]
    return subprocess.run(command, input=b"int one;", capture_output=True).returncode == 0


def compiled(compiler, triple, c, *flags):
    """Assembly, or nothing for the syntax alone."""
    recommended = re.search(r"Build: cc (.*) main\.c", c.with_suffix(".h").read_text())[1].split()
    return generated.run([compiler, f"--target={triple}", *recommended, "-std=c11", "-ffreestanding",
                          *generated.WARNINGS.split(), "-I", generated.EMIT / "freestanding",
                          "-I", generated.ROOT / "runtime" / "core", *flags, c]).decode()


def problems_of(compiler, target, folder):
    programs = generated.program_models()
    programs.pop("digits", None)
    for number, options in enumerate(OPTIONS):
        source = generated.joined(programs, folder / f"programs{number}.nn")
        compiled(compiler, TRIPLES[target], generated.compile_source(source, [f"--target={target}", *options]),
                 "-fsyntax-only")
    digits = pathlib.Path(shutil.copy(DIGITS, folder))
    c = generated.compile_source(digits, [f"--target={target}"])
    assembly = compiled(compiler, TRIPLES[target], c, "-S", "-o", "-")
    called = sorted(set(re.findall(r"\b(?:fma|sqrt)f\b", assembly)))
    return [f"calls {name}" for name in called]


def main():
    for target, triple in TRIPLES.items():
        compiler = next((name for name in COMPILERS if writes_for(name, triple)), None)
        if not compiler:
            print(f"skip {target}: no clang writes for {triple}")
            continue
        with tempfile.TemporaryDirectory(prefix="nnc-microcontrollers-") as folder:
            try:
                problems = problems_of(compiler, target, pathlib.Path(folder))
            except generated.Failure as failure:
                problems = [str(failure)]
        generated.report(target, problems)


main()
