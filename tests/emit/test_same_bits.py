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
FUSED = ("-O0 -DNNRT_FMA=1", "-O3 -DNNRT_FMA=1")


def has_fma():
    return not X86 or " fma " in pathlib.Path("/proc/cpuinfo").read_text()


def variants(profile):
    if profile == "plain":
        return LEVELS + WIDE
    return [flags + (" -mfma" if X86 else "") for flags in FUSED]


def trained(folder, number, compiler, flags):
    """What the program built so prints, or what went wrong."""
    program = folder / f"train{number}"
    try:
        generated.run([compiler, "-std=c11", *flags.split(), "-I", folder, "-o", program,
                       generated.EMIT / "train_digits.c", folder / "digits.c", "-lm"])
        return generated.run([program, EXAMPLE]).decode().strip()
    except generated.Failure as failure:
        return str(failure)


def results(folder, profile):
    """{(compiler, flags): what it printed}"""
    builds = list(itertools.product(filter(shutil.which, COMPILERS), variants(profile)))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        printed = pool.map(lambda item: trained(folder, item[0], *item[1]), enumerate(builds))
    return dict(zip(builds, printed))


def recorded():
    lines = RECORD.read_text().splitlines() if RECORD.exists() else []
    return dict(line.split(": ", 1) for line in lines)


def problems_of(found, expected):
    return [f"{' '.join(build)}: {printed}, recorded is {expected}"
            for build, printed in found.items() if printed != expected]


def main():
    failures, record = 0, recorded()
    with tempfile.TemporaryDirectory(prefix="nnc-bits-") as name:
        folder = pathlib.Path(name)
        generated.run([generated.NNC, "--standalone", EXAMPLE / "digits.nn", "-o", folder / "digits.c"])
        for profile in ("plain", "fused") if has_fma() else ("plain",):
            found = results(folder, profile)
            if "--update" in sys.argv:
                record[profile] = next(iter(found.values()))
            failures += generated.report(f"same bits, {profile} profile",
                                         problems_of(found, record.get(profile)))
        if not has_fma():
            print("skip same bits, fused profile: no FMA here")
    if "--update" in sys.argv:
        RECORD.write_text("".join(f"{profile}: {text}\n" for profile, text in record.items()))
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
