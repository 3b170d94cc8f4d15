#!/usr/bin/env python3
"""The digits model trained for 100 steps ends with the same bits under every compiler that is installed,
every -O level and instruction set: those whose hashes digits.hash holds, so that a change is seen and
recorded on purpose.

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
LOOPS_FUSED = generated.EMIT / "multiply-adds-without-vectors.yaml"


def has(*features):
    """What the processor of an x86 says that it has."""
    return X86 and set(features) <= set(pathlib.Path("/proc/cpuinfo").read_text().split())


def builds(profile):
    """Targets that round alike, and flags to build what is written for them."""
    if profile == "plain":
        yield "generic", LEVELS + WIDE
        if X86:
            yield "x86-64", ("-O0", "-O2", "-O3 -march=native")
        return
    if not X86:
        yield "aarch64", ("-O0", "-O3")
        yield LOOPS_FUSED, ("-O3",)
    if has("avx2", "fma"):
        yield "x86-64-v3", ("-O0 -march=x86-64-v3", "-O3 -march=x86-64-v3")
        yield LOOPS_FUSED, ("-O3 -mfma",)
    if has("avx512f", "avx512bw", "avx512dq", "avx512vl"):
        yield "x86-64-v4", ("-O1 -march=x86-64-v4", "-O3 -march=native")


def compiled(folder, target):
    """The C for a target, in a folder of its own."""
    there = folder / pathlib.Path(target).stem
    there.mkdir(exist_ok=True)
    generated.run([generated.NNC, "--standalone", f"--target={target}", EXAMPLE / "digits.nn", "-o", there / "digits.c"])
    return there


def trained(number, folder, compiler, flags):
    """What the program built so prints, or what went wrong."""
    program = folder / f"train{number}"
    try:
        generated.run([compiler, "-std=c11", *flags.split(), "-I", folder, "-o", program,
                       generated.EMIT / "train_digits.c", folder / "digits.c", "-lm"])
        return generated.run([program, EXAMPLE]).decode().strip()
    except generated.Failure as failure:
        return str(failure)


def results(folder, profile):
    """{what was built: what it printed}"""
    variants = [(compiled(folder, target), compiler, flags) for target, all_flags in builds(profile)
                for compiler, flags in itertools.product(filter(shutil.which, COMPILERS), all_flags)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        printed = pool.map(lambda item: trained(item[0], *item[1]), enumerate(variants))
    names = [f"{there.name} {compiler} {flags}" for there, compiler, flags in variants]
    return dict(zip(names, printed, strict=True))


def recorded():
    lines = RECORD.read_text().splitlines() if RECORD.exists() else []
    return dict(line.split(": ", 1) for line in lines)


def problems_of(found, expected):
    return [f"{build}: {printed}, recorded is {expected}"
            for build, printed in found.items() if printed != expected]


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
    if "--update" in sys.argv:
        RECORD.write_text("".join(f"{profile}: {text}\n" for profile, text in record.items()))
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
