#!/usr/bin/env python3
"""The runtime's arithmetic gives the same bits under every compiler that is installed, every -O level
and instruction set, and its self-test notices flags that change them."""

import os
import pathlib
import platform
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMPILERS = ("gcc", "clang", "clang-19")
X86 = platform.machine() == "x86_64"
BASELINE = ("-O0", "-O1", "-O2", "-O3")
WIDE = ("-O3 -march=x86-64-v3", "-O3 -march=native -std=gnu11") if X86 else ("-O3 -mcpu=native",)


def variants(profile):
    """All of them when the randomised tests run long; else enough to show scalar and vector code."""
    if int(os.environ.get("NNC_ROUNDS", "1")) > 1:
        return BASELINE + WIDE
    return ("-O0", WIDE[-1]) if profile else ("-O0", "-O2", *WIDE)


def outcome(folder, compiler, flags):
    """The hashes printed, and the status of the self-test; or the compiler's last line."""
    program = folder / "bits"
    command = [compiler, "-std=c11", *flags.split(), "-I", ROOT / "runtime/core",
               ROOT / "tests/tools/bits.c", "-o", program, "-lm"]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode:
        return "not built: " + built.stderr.strip(), 1
    ran = subprocess.run([program], capture_output=True, text=True)
    return ran.stdout.strip(), ran.returncode


def compare(folder, profile):
    name = "same bits, " + ("fused" if profile else "plain") + " profile"
    extra = " -mfma" if profile and X86 else ""
    reference = None
    for compiler in filter(shutil.which, COMPILERS):
        for variant in variants(profile):
            hashes, status = outcome(folder, compiler, f"{variant} -DNNRT_FMA={profile}{extra}")
            reference = reference or hashes
            if status or hashes != reference:
                return f"FAIL {name}: {compiler} {variant}: {hashes}, expected {reference}"
    return f"ok {name}"


def refuses(folder, flags):
    compiler = next(filter(shutil.which, COMPILERS))
    _, status = outcome(folder, compiler, flags)
    return f"ok {flags} is refused" if status else f"FAIL {flags} is refused: it was accepted"


def main():
    has_fma = not X86 or " fma " in pathlib.Path("/proc/cpuinfo").read_text()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        print(compare(folder, 0))
        print(compare(folder, 1) if has_fma else "skip same bits, fused profile: no FMA here")
        for flags in ("-O2 -ffast-math", "-O2 -fassociative-math -fno-signed-zeros -fno-trapping-math",
                      "-O2 -ffinite-math-only", "-O2 -freciprocal-math"):
            print(refuses(folder, flags))


if __name__ == "__main__":
    main()
