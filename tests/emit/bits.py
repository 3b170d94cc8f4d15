"""What the tests of equal bits share: which builds round alike, and training by each of them (tests/emit/train.c)."""

import concurrent.futures
import os
import pathlib
import platform
import shutil
from dataclasses import dataclass, field

import generated

PROFILES = ("plain", "fused")
COMPILERS = ("gcc", "clang", "clang-19")
THREADS = (1, 2, 3)
X86 = platform.machine() == "x86_64"
LEVELS = ("-O0", "-O1", "-O2", "-O3")
WIDE = ("-O3 -march=x86-64-v3", "-O2 -march=native") if X86 else ("-O2 -mcpu=native",)
CROSS_COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
LOOPS_FUSED = generated.EMIT / "multiply-adds-without-vectors.yaml"


@dataclass(frozen=True)
class Trainee:
    """A model, and what it trains on."""
    source: pathlib.Path
    symbol: str
    data: pathlib.Path
    steps: int
    extents: tuple = ()
    options: tuple = field(default=())


def has(*features):
    """What the processor of an x86 says that it has."""
    return X86 and set(features) <= set(pathlib.Path("/proc/cpuinfo").read_text().split())


def levels(instructions):
    return tuple(f"{level} -march={instructions}" for level in LEVELS)


def has_avx512():
    return has("avx512f", "avx512bw", "avx512dq", "avx512vl")


def some_builds(profile):
    """Targets that round alike, and flags to build what is written for them."""
    if profile == "plain":
        yield "generic", ("-O0", "-O3", *WIDE)
        if X86:
            yield "x86-64", ("-O2", "-O3 -march=native")
        return
    if not X86:
        yield "aarch64", ("-O0", "-O3")
        yield LOOPS_FUSED, ("-O3",)
    if has("avx2", "fma"):
        yield "x86-64-v3", ("-O0 -march=x86-64-v3", "-O3 -march=x86-64-v3")
        yield LOOPS_FUSED, ("-O3 -mfma",)
    if has_avx512():
        yield "x86-64-v4", ("-O1 -march=x86-64-v4", "-O3 -march=native")


def all_builds(profile):
    """The same with every level and every set of instructions."""
    avx2, avx512 = has("avx2", "fma"), has_avx512()
    if not X86:
        yield from (("generic", LEVELS),) if profile == "plain" else (("aarch64", LEVELS), (LOOPS_FUSED, LEVELS))
    elif profile == "plain":
        yield "generic", ("-O2",)
        yield "x86-64", (*LEVELS, *(levels("x86-64-v3") if avx2 else ()), *(levels("x86-64-v4") if avx512 else ()))
    elif avx2:
        yield LOOPS_FUSED, ("-O3 -mfma",)
        yield "x86-64-v3", (*levels("x86-64-v3"), *(levels("x86-64-v4") if avx512 else ()))
        if avx512:
            yield "x86-64-v4", levels("x86-64-v4")


def compiled(folder, trainee, target):
    """The C for a target, in a folder of its own."""
    there = folder / pathlib.Path(target).stem
    there.mkdir(exist_ok=True)
    output = there / f"{trainee.symbol}.c"
    generated.run([generated.NNC, f"--target={target}", *trainee.options, trainee.source, "-o", output])
    return output


def build(program, trainee, c, compiler, flags):
    """The runtime is built alike."""
    runtime = generated.ROOT / "runtime/core"
    generated.run([compiler, "-std=c11", *flags.split(), f"-DMODEL={trainee.symbol}", "-I", runtime,
                   "-I", generated.ROOT / "bench/contenders", "-o", program, generated.EMIT / "train.c", c,
                   runtime / "tensorfile.c", "-lm"])


def train(program, trainee, *before):
    return generated.run([*before, program, trainee.data, trainee.steps, *trainee.extents])


def attempt(work, *arguments):
    """What a program printed, or what went wrong."""
    try:
        return work(*arguments).decode().strip()
    except generated.Failure as failure:
        return str(failure)


def build_and_train(number, trainee, c, compiler, flags):
    program = c.parent / f"train{number}"
    build(program, trainee, c, compiler, flags)
    try:
        return train(program, trainee)
    finally:
        program.unlink()


def results(folder, trainee, builds):
    """{what was built: what it printed}"""
    variants = [(compiled(folder, trainee, target), compiler, flags) for target, all_flags in builds
                for compiler in filter(shutil.which, COMPILERS) for flags in all_flags]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        printed = pool.map(lambda item: attempt(build_and_train, item[0], trainee, *item[1]), enumerate(variants))
    names = [f"{c.parent.name} {compiler} {flags}" for c, compiler, flags in variants]
    return dict(zip(names, printed, strict=True))


def threaded_results(folder, trainee, target, flags, compilers):
    found = {}
    for compiler in filter(shutil.which, compilers):
        program = folder / f"threads-{compiler}"
        if not generated.has_openmp(compiler):
            print(f"skip same bits, threads by {compiler}: it has no OpenMP")
            continue
        build(program, trainee, compiled(folder, trainee, target), compiler, f"{flags} -fopenmp")
        for count in THREADS:
            on_threads = ("env", *generated.on_threads(count))
            found[f"{compiler} {flags} -fopenmp on {count} threads"] = attempt(train, program, trainee, *on_threads)
    return found


def emulated(folder, trainee):
    program = folder / "train-aarch64"
    build(program, trainee, compiled(folder, trainee, "aarch64"), CROSS_COMPILER, "-O2 -static")
    return train(program, trainee, EMULATOR)


def emulated_results(folder, trainee):
    if not X86:
        return {}
    missing = [tool for tool in (CROSS_COMPILER, EMULATOR) if not shutil.which(tool)]
    if missing:
        print(f"skip same bits, fused profile, aarch64: no {' and no '.join(missing)}")
        return {}
    return {f"aarch64 {CROSS_COMPILER} -O2 by {EMULATOR}": attempt(emulated, folder, trainee)}


def problems_of(found, expected):
    return [f"{name}: {printed}, expected is {expected}"
            for name, printed in found.items() if printed != expected]


def write_record(file, name, values):
    """One tensor as bench/contenders/records.h reads it."""
    file.write(f"{name} {len(values)}\n".encode() + values)


def digits(folder):
    """The first 1200 digits of examples/, for 100 steps of 40 samples in their order."""
    example, data = generated.ROOT / "examples/digits", folder / "digits.data"
    classes = (example / "digits-labels.idx").read_bytes()[8:][:1200]
    with data.open("wb") as file:
        write_record(file, "x", (example / "digits-images.idx").read_bytes()[16:][:1200 * 64])
        write_record(file, "t", b"".join(label.to_bytes(4, "little") for label in classes))
    return Trainee(example / "digits.nn", "digits", data, 100, (40,))
