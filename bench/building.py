"""Builds what is measured into build/bench, and keeps what was built before under the hash of its sources."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = ROOT / "bench"
PROGRAMS = HERE / "contenders"
BUILD = pathlib.Path(os.environ.get("NNC_BUILD", ROOT / "build" / "release")).resolve()
PLACE = BUILD / "bench"
KERNELS = ROOT.parent / "shared" / "design" / "prototype" / "kernels"
COMPILERS = ("gcc", "clang")

NATIVE, AVX2 = ("native", "native"), ("x86-64-v3", "x86-64-v3")  # --target of nnc, -march of the C compiler


class Failed(Exception):
    """A contender that is there, and does not build or run."""


class NotMeasured(Exception):
    """A contender that is not there, and why."""


def call(command, **options):
    """Standard output of a command that succeeds."""
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if ran.returncode:
        raise Failed(f"{pathlib.Path(str(command[0])).name}: {ran.stderr.strip()[:2000] or ran.returncode}")
    return ran.stdout


def flags(compiler, march, threads=1):
    """Optimising without -ffast-math, in vectors as long as the target's; clang's SLP vectoriser takes tiles apart."""
    words = ["-std=gnu11", "-O3", f"-march={march}", "-fno-math-errno", *os.environ.get("BENCH_CFLAGS", "").split()]
    if march == "native" and avx512():
        words.append("-mprefer-vector-width=512")
    if compiler.startswith("clang"):
        words.append("-fno-slp-vectorize")
    if threads > 1:
        words.append("-fopenmp")
    return words


def with_headers(paths):
    """Sources, and our headers that they include, or that those do."""
    found = list(dict.fromkeys(paths))
    for path in found:
        names = re.findall(rb'^#include "([\w.]+)"', path.read_bytes(), re.M)
        headers = (PROGRAMS / name.decode() for name in dict.fromkeys(names))
        found += [header for header in headers if header.exists() and header not in found]
    return found


def once(name, command, sources, libraries=()):
    """The program that `command -o FILE sources libraries` makes, made anew when a source or a word changed."""
    if not shutil.which(command[0]):
        raise NotMeasured(f"no {command[0]}")
    words = [str(word) for word in (*command, *sources, *libraries)]
    digest = hashlib.sha256(" ".join(words).encode())
    files = [pathlib.Path(word) for word in words if word.endswith((".c", ".h", ".a"))]
    folders = [pathlib.Path(word) for word in words if pathlib.Path(word).is_dir()]
    included = [path for folder in folders for path in sorted(folder.glob("*.h"))]
    for path in with_headers(files + included):
        digest.update(path.read_bytes())
    program = PLACE / "programs" / f"{name}-{digest.hexdigest()[:16]}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        call([*command, "-o", f"{program}.new", *sources, *libraries])
        os.replace(f"{program}.new", program)
    return program


def compile_model(model, target):
    """The C file that nnc writes for a model."""
    output = PLACE / "generated" / f"{model.name}-{target}.c"
    output.parent.mkdir(parents=True, exist_ok=True)
    call([BUILD / "nnc", f"--target={target}", *model.options, model.source, "-o", output])
    return output


def build_generated(model, compiler, machine, threads=1, extra=()):
    """The driver for a generated model."""
    target, march = machine
    output = compile_model(model, target)
    if threads > 1 and "NNRT_THREADS" not in output.read_text():
        raise NotMeasured("nnc writes no threads")
    command = [compiler, *flags(compiler, march, threads), *extra, f"-DMODEL={model.symbol or model.name}",
               "-I", ROOT / "runtime/core"]
    return once(f"{output.stem}-{compiler}-{threads}", command,
                [PROGRAMS / "generated.c", output, BUILD / "libnnrt.a"], ["-lm"])


def build_stored(kernel, compiler):
    """A kernel written by hand, which calls our `measure` where it would time itself."""
    file, wanted = kernel
    source = KERNELS / f"{file}.c"
    if not source.exists():
        raise NotMeasured("../shared is not there")
    if not avx512():
        raise NotMeasured("the kernels need AVX-512")
    ours = PLACE / "generated" / f"stored-{file}.c"
    ours.parent.mkdir(parents=True, exist_ok=True)
    text = source.read_text()
    for title in ("nm,", '"'):
        text = text.replace(f" bench({title}", f" measure_kernel({title}")
    ours.write_text(text)
    command = [compiler, *flags(compiler, "native"), "-ffp-contract=fast", "-w", f'-DWANTED="{wanted}"',
               "-include", PROGRAMS / "stored.h"]
    return once(f"stored-{file}-{compiler}-{wanted.replace(' ', '-')}", command, [ours], ["-lm", "-pthread"])


def build_peak(march):
    return once(f"peak-{march}", ["clang", "-O3", f"-march={march}", "-ffp-contract=fast"], [PROGRAMS / "peak.c"])


def avx512():
    try:
        return " avx512f " in pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def data():
    """The folder of what every contender starts from."""
    folder = PLACE / "data"
    folder.mkdir(parents=True, exist_ok=True)
    call([once("data", ["cc", "-O2"], [PROGRAMS / "data.c"]), folder])
    return folder
