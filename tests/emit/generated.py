"""What the tests of generated C share: from models to a program that runs them by requests in JSON
(tests/emit/drive.c), and the reference interpreter, which takes the same requests."""

import json
import math
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EMIT = ROOT / "tests" / "emit"
PROGRAMS = sorted((ROOT / "tests" / "programs").glob("*.nn"))
NNC = os.environ.get("NNC", "nnc")
TOOLS = pathlib.Path(os.environ.get("NNC_BUILD", ROOT / "build" / "release")) / "tools"
# Optimising a large model takes longer than running it does, and without that clang takes a third of gcc's
# time. An instrumented runtime links with the compiler that made it.
PLAIN = os.environ.get("NNC_MODE", "release") in ("release", "debug")
CC = ("clang" if PLAIN and shutil.which("clang") else "cc", "-O0")
LONGEST_FUNCTION = 300
WARNINGS = "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Werror"


def sanitizing(checks="address,undefined,float-cast-overflow"):
    """Checked arithmetic and addresses; clang compiles them in a third of the time."""
    compiler = "clang" if shutil.which("clang") else "cc"
    return compiler, "-O0", f"-fsanitize={checks}", "-fno-sanitize-recover=all"


class Failure(Exception):
    """A command that did not do what it should; the text says which and why."""


def run(command, stdin=None):
    """Standard output of a command that must succeed."""
    process = subprocess.run([str(word) for word in command], input=stdin, capture_output=True)
    if process.returncode != 0:
        said = (process.stderr or process.stdout).decode(errors="replace")
        raise Failure(f"{pathlib.Path(str(command[0])).name} {' '.join(map(str, command[1:]))}: "
                      f"status {process.returncode}: {said[:2000]}")
    return process.stdout


def runtime_flags():
    """How a user's program finds the installed runtime."""
    return run(["pkg-config", "--cflags", "--libs", "nnc"]).decode().split()


def has_openmp(compiler):
    """Whether it compiles and links programs with threads."""
    source = "#include <omp.h>\nint main(void) { return omp_get_max_threads() == 0; }\n"
    with tempfile.TemporaryDirectory(prefix="nnc-openmp-") as folder:
        command = [compiler, "-fopenmp", "-o", pathlib.Path(folder) / "program", "-x", "c", "-"]
        return subprocess.run(command, input=source.encode(), capture_output=True).returncode == 0


def on_threads(count):
    """The environment of a program that runs on so many. Threads that spin while they wait would keep a busy
    machine from running those they wait for."""
    return [f"OMP_NUM_THREADS={count}", "OMP_WAIT_POLICY=passive"]


def names_of(text):
    """The models of a source."""
    return re.findall(r"^model +([\w.]+)", text, re.M)


def library_models(folder):
    """{name: path}: the library's definitions as models of different names, each a file."""
    folder.mkdir(parents=True, exist_ok=True)
    run([TOOLS / "gradcheck", "--write", folder])
    models = {}
    for path in sorted(folder.glob("*.nn")):
        name = f"m{len(models)}_" + re.sub(r"\W+", "_", path.stem)[:40].strip("_")
        text = path.read_text().replace("model m {", f"model {name} {{")
        path.write_text(text.replace("sgd(0.1)", "sgd(1e-4)"))  # 100 steps that stay near each other
        models[name] = path
    return models


def program_models():
    """{name: path} of tests/programs."""
    return {name: path for path in PROGRAMS for name in names_of(path.read_text())}


def joined(models, path):
    """All models in one source, so that C compilers start once."""
    path.write_text("\n".join(source.read_text() for source in dict.fromkeys(models.values())))
    return path


def write_table(folder, headers, models):
    includes = "".join(f'#include "{header}"\n' for header in headers)
    rows = ", ".join(f"&{model}_model" for model in models)
    table = folder / "table.c"
    table.write_text(f"{includes}extern const nnrt_model *const drive_models[];\n"
                     f"const nnrt_model *const drive_models[] = {{{rows}, 0}};\n")
    return table


def compile_source(source, options=(), name=None):
    """The C file that nnc makes of a source."""
    c = source.with_name((name or source.stem) + ".c")
    run([NNC, source, "-o", c, *options])
    return c


def functions_of(text):
    """(name, lines of the body, body) of each function definition."""
    pattern = r"^[A-Za-z][^\n;{}=]*?(\w+)\((?:[^;{}]|\n)*?\) \{\n(.*?)^\}"
    return [(name, body.count("\n"), body) for name, body in re.findall(pattern, text, re.M | re.S)]


def long_functions(text):
    """Those that are too long to be read."""
    return [f"{name} has {lines} lines" for name, lines, _ in functions_of(text) if lines > LONGEST_FUNCTION]


def build_driver(folder, c_files, models, cc=CC, warn=True):
    """A program that runs the models in the generated C files."""
    table = write_table(folder, [c.with_suffix(".h").name for c in c_files], models)
    driver = folder / "drive"
    flags = WARNINGS.split() if warn else ["-w"]
    run([*cc, "-std=c11", *flags, "-I", folder, "-o", driver, EMIT / "drive.c", table, *c_files,
         *runtime_flags(), "-ljansson", "-lm"])
    return driver


def drive(driver, requests, *before):
    """The results of requests; those with an error are failures. `before`: words before the program's."""
    results = json.loads(run([*before, driver], json.dumps(requests).encode()))
    for request, result in zip(requests, results):
        if "error" in result:
            raise Failure(f"{request['model']}: {result['error']}")
    return results


def interpret(path, model, request):
    out = run([TOOLS / "interpret", path, "--model", model], json.dumps(request).encode())
    return json.loads(out)


# Data -----------------------------------------------------------------------------------------------


def describe(driver, models, **more):
    """{name: description} by one call."""
    requests = [dict(model=name, describe=True, **more) for name in models]
    return dict(zip(models, drive(driver, requests)))


def of_kind(description, *kinds):
    return [tensor for tensor in description["tensors"] if tensor["kind"] in kinds]


def kept_names(description):
    return [tensor["name"] for tensor in of_kind(description, "param", "state", "slot")]




def draw_inputs(description, seed):
    """Values for all inputs and targets: reals between 0.1 and 0.9, whole numbers 0, 1 or 2."""
    rng = random.Random(seed)
    values = {}
    for tensor in of_kind(description, "input", "target"):
        count, whole = math.prod(tensor["shape"]), tensor["type"] >= 2
        values[tensor["name"]] = [rng.randrange(3) if whole else rng.uniform(0.1, 0.9)
                                  for _ in range(count)]
    return values


# Comparing ------------------------------------------------------------------------------------------


def numbers(values):
    return [float(value) for value in values]


def distance(found, expected):
    """The greatest difference, relative to the greatest expected magnitude or 1 when that is less."""
    found, expected = numbers(found), numbers(expected)
    if len(found) != len(expected):
        return math.inf
    scale = max([1.0, *map(abs, expected)])
    gaps = [0.0 if f == e or f != f and e != e else abs(f - e) / scale
            for f, e in zip(found, expected)]
    return math.inf if any(gap != gap for gap in gaps) else max(gaps, default=0.0)


def report(name, problems):
    """One line of the runner; True for a failure."""
    print(f"FAIL {name}: " + "; ".join(problems[:5]) if problems else f"ok {name}", flush=True)
    return bool(problems)
