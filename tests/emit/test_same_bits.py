#!/usr/bin/env python3
"""The digits model trained for 100 steps ends with the same bits under every compiler that is installed,
every -O level and instruction set, on any number of threads: those whose hashes digits.hash holds, so that
a change is seen and recorded on purpose.

usage: test_same_bits.py [--update]"""

import concurrent.futures
import itertools
import os
import pathlib
import platform
import shutil
import sys
import tempfile

import generated

EXAMPLE = generated.ROOT / "examples" / "digits"
RECORD = generated.EMIT / "digits.hash"
COMPILERS = ("gcc", "clang", "clang-19")
X86 = platform.machine() == "x86_64"
LEVELS = ("-O0", "-O1", "-O2", "-O3")
WIDE = ("-O3 -march=x86-64-v3", "-O2 -march=native") if X86 else ("-O2 -mcpu=native",)
OFTEN = ("-O0", "-O3", *WIDE)
THREADED, THREADS = ("gcc", "clang"), (1, 2, 3)
CROSS_COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
LOOPS_FUSED = generated.EMIT / "multiply-adds-without-vectors.yaml"


def has(*features):
    """What the processor of an x86 says that it has."""
    return X86 and set(features) <= set(pathlib.Path("/proc/cpuinfo").read_text().split())


def builds(profile):
    """Targets that round alike, and flags to build what is written for them; every level where the randomised
    tests run long, too."""
    if profile == "plain":
        yield "generic", LEVELS + WIDE if int(os.environ.get("NNC_ROUNDS", "1")) > 1 else OFTEN
        if X86:
            yield "x86-64", ("-O2", "-O3 -march=native")
        return
    if not X86:
        yield "aarch64", ("-O0", "-O3")
        yield LOOPS_FUSED, ("-O3",)
    if has("avx2", "fma"):
        yield "x86-64-v3", ("-O0 -march=x86-64-v3", "-O3 -march=x86-64-v3")
        yield LOOPS_FUSED, ("-O3 -mfma",)
    if has("avx512f", "avx512bw", "avx512dq", "avx512vl"):
        yield "x86-64-v4", ("-O1 -march=x86-64-v4", "-O3 -march=native")


def threaded(profile):
    """The target and flags of builds that run in several threads."""
    return next(((target, flags[-1]) for target, flags in reversed(list(builds(profile)))), None)


def compiled(folder, target):
    """The C for a target, in a folder of its own."""
    there = folder / pathlib.Path(target).stem
    there.mkdir(exist_ok=True)
    generated.run([generated.NNC, "--standalone", f"--target={target}", EXAMPLE / "digits.nn", "-o", there / "digits.c"])
    return there


def build(program, folder, compiler, flags):
    generated.run([compiler, "-std=c11", *flags.split(), "-I", folder, "-o", program,
                   generated.EMIT / "train_digits.c", folder / "digits.c", "-lm"])


def attempt(work, *arguments):
    """What a program printed, or what went wrong."""
    try:
        return work(*arguments).decode().strip()
    except generated.Failure as failure:
        return str(failure)


def trained(number, folder, compiler, flags):
    program = folder / f"train{number}"
    build(program, folder, compiler, flags)
    return generated.run([program, EXAMPLE])


def results(folder, profile):
    """{what was built: what it printed}"""
    variants = [(compiled(folder, target), compiler, flags) for target, all_flags in builds(profile)
                for compiler, flags in itertools.product(filter(shutil.which, COMPILERS), all_flags)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        printed = pool.map(lambda item: attempt(trained, item[0], *item[1]), enumerate(variants))
    names = [f"{there.name} {compiler} {flags}" for there, compiler, flags in variants]
    return dict(zip(names, printed, strict=True))


def trained_on_threads(program, count):
    return generated.run(["env", *generated.on_threads(count), program, EXAMPLE])


def threaded_results(folder, profile):
    found = {}
    target, flags = threaded(profile) or (None, None)
    for compiler in filter(shutil.which, THREADED if target else ()):
        program = folder / f"threads-{compiler}"
        if not generated.has_openmp(compiler):
            print(f"skip same bits, {profile} profile, threads by {compiler}: it has no OpenMP")
            continue
        build(program, compiled(folder, target), compiler, f"{flags} -fopenmp")
        for count in THREADS:
            found[f"{compiler} {flags} -fopenmp on {count} threads"] = attempt(trained_on_threads, program, count)
    return found


def emulated(folder):
    program = folder / "train-aarch64"
    build(program, compiled(folder, "aarch64"), CROSS_COMPILER, "-O2 -static")
    return generated.run([EMULATOR, program, EXAMPLE])


def emulated_results(folder):
    if not X86:
        return {}
    missing = [tool for tool in (CROSS_COMPILER, EMULATOR) if not shutil.which(tool)]
    if missing:
        print(f"skip same bits, fused profile, aarch64: no {' and no '.join(missing)}")
        return {}
    return {f"aarch64 {CROSS_COMPILER} -O2 by {EMULATOR}": attempt(emulated, folder)}


def recorded():
    lines = RECORD.read_text().splitlines() if RECORD.exists() else []
    return dict(line.split(": ", 1) for line in lines)


def problems_of(found, expected):
    return [f"{name}: {printed}, recorded is {expected}"
            for name, printed in found.items() if printed != expected]


def main():
    failures, record = 0, recorded()
    with tempfile.TemporaryDirectory(prefix="nnc-bits-") as name:
        folder = pathlib.Path(name)
        for profile in ("plain", "fused"):
            found = results(folder, profile)
            if not found:
                print(f"skip same bits, {profile} profile: no multiply-adds here")
                continue
            if "--update" in sys.argv:
                record[profile] = next(iter(found.values()))
            failures += generated.report(f"same bits, {profile} profile, {len(found)} builds",
                                         problems_of(found, record.get(profile)))
            found = threaded_results(folder, profile)
            failures += generated.report(f"same bits, {profile} profile, {len(found)} runs on threads",
                                         problems_of(found, record.get(profile)))
        found = emulated_results(folder)
        if found:
            failures += generated.report("same bits, fused profile, another processor",
                                         problems_of(found, record.get("fused")))
    if "--update" in sys.argv:
        RECORD.write_text("".join(f"{profile}: {text}\n" for profile, text in record.items()))
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
