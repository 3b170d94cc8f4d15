"""The oracles: programs in, problems of each out. Whole groups go through each tool at once; when a tool
fails on a group, its members go alone."""

import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
BUILD = pathlib.Path(os.environ.setdefault("NNC_BUILD", str(ROOT / "build" / "release")))
os.environ.setdefault("NNC", str(BUILD / "nnc"))
os.environ.setdefault("PKG_CONFIG_PATH", str(BUILD / "prefix" / "lib" / "pkgconfig"))
sys.path.insert(0, str(ROOT / "tests" / "emit"))
import generated
from comparing import DOUBLE, FLOAT, differences, not_finite, numbers
from library import REQUIRED

# a condition that always holds is the source's own
CC = generated.CC + (("-Wno-error=tautological-overlap-compare",) if generated.CC[0] == "clang" else ())
if generated.has_openmp(CC[0]):
    CC += ("-fopenmp",)
    os.environ.update(setting.split("=") for setting in generated.on_threads(3))
STEPS = 2
# what the language does not have: a read default or a derivative for a tensor that turns out to be one literal
REFUSED = ("the default is not a scalar of the tensor's type",
           "a gradient is taken with respect to a real tensor that has a name", "'digamma' has no derivative",
           "how often is a positive whole number", *REQUIRED)
NO_PATH = re.compile(r"'([\w.]+)' has no differentiable path")
SHAKES = 10
SECONDS = 240  # on a busy machine, with sanitizers


def called(command, stdin=None):
    """(status, output, messages); a negative or missing status is a crash or the end of patience."""
    try:
        done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True,
                              timeout=SECONDS)
        return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return None, "", f"ran longer than {SECONDS} s"


class Case:
    """A program on its way through the oracles."""

    def __init__(self, program, folder):
        self.program, self.problems, self.runs, self.rows = program, [], [], None
        self.path = folder / f"{program.name}.nn"
        self.write()

    def write(self):
        self.path.write_text(self.program.text())

    def blame(self, oracle, text):
        self.problems.append(f"{oracle}: {text}")

    @property
    def is_fine(self):
        return not self.problems


# ---- the interpreter -------------------------------------------------------------------------------


def interpret(cases):
    """Runs of each case, as written and simplified, with dual numbers; mends what has no path."""
    run_interpreter(cases)
    forgive_unstable(cases)


def is_unstable(case):
    """What is written has other results with values that are off by 1e-12 of themselves, such as the place of the
    greatest of equal sums, which rounding decides."""
    for times in range(1, SHAKES + 1):
        _, out, _ = called([generated.TOOLS / "random_models", f"--shaken={times}", case.path])
        if any(differences("shaken", a, b, DOUBLE) for a, b in zip(json.loads(out)["runs"], case.runs)):
            return True
    return False


def forgive_unstable(cases):
    """Nobody can say by how much results may be off where the equations themselves do not."""
    for case in cases:
        if any(" is off by " in text for text in case.problems) and is_unstable(case):
            case.problems = [text for text in case.problems if " is off by " not in text]
            case.program.cover("oracle", "unstable")
            case.runs = []


def run_interpreter(cases):
    pending = list(cases)
    while pending:
        status, out, messages = called([generated.TOOLS / "random_models", *[c.path for c in pending]])
        lines = out.splitlines()
        for case, line in zip(pending, lines):
            take_result(case, json.loads(line))
        if len(lines) < len(pending):
            pending[len(lines)].blame("equations", f"status {status}: {messages[-300:].strip()}")
        pending = [c for c in pending[:len(lines)] if c.is_mended] + pending[len(lines) + 1:]


def take_result(case, result):
    case.is_mended = False
    errors = result.get("errors", "")
    missing = NO_PATH.findall(errors)
    if missing:
        case.program.reach(missing)
        case.write()
        case.is_mended = True
    elif errors and not any(text in errors for text in REFUSED):
        case.blame("compiles", next(iter(re.findall("error: .*", errors)), errors[:200]))
    else:
        case.runs, case.rows = result["runs"], result.get("rows")
        case.program.covered |= set(result["covered"])
        unbounded = case.program.from_library or case.program.differentiates
        if unbounded and any(map(not_finite, case.runs)):
            case.runs = []  # such as the largest of nothing but padding, or the exponential of a derivative
            return
        for text in result["problems"]:
            case.blame(*text.split(": ", 1))
        for run in case.runs:
            for text in not_finite(run) + differences("simplified", run["simplified"], run, DOUBLE):
                case.blame(*text.split(": ", 1))


# ---- generated C -----------------------------------------------------------------------------------


def requests_of(case, entries):
    """(request, what of a run its answer is compared with)"""
    asked = []
    for number, run in enumerate(case.runs):
        same = dict(model=case.program.name, seed=1, sizes=run["sizes"], set=run["set"])
        if "train_step" in entries:
            asked.append((dict(same, ask=list(run["eval"])), number, "eval"))
            asked.append((dict(same, steps=STEPS, ask=list(run["kept"])), number, "kept"))
        else:
            outputs = [name for name in run["eval"] if name != "loss"]
            sums = ["sum." + name for name in run["gradients"]] + ["sum.samples"]
            asked.append((dict(same, ask=outputs), number, "eval"))
            asked.append((dict(same, entry="accumulate", steps=1, ask=sums), number, "gradients"))
    return asked


def answer_of(part, result):
    """The drive's result in the form of a run."""
    values = result["values"]
    if part == "kept":
        return {"kept": values, "losses": result["losses"]}
    if part == "eval":
        return {"eval": values}
    samples = numbers(values["sum.samples"])[0]
    return {"gradients": {name.removeprefix("sum."): [x/samples for x in numbers(list_of)]
                          for name, list_of in values.items() if name != "sum.samples"}}


def expected_of(part, run, values):
    parts = {"kept": ("kept", "losses"), "eval": ("eval",), "gradients": ("gradients",)}[part]
    return {name: {key: run[name][key] for key in run[name] if part != "eval" or key in values}
            if isinstance(run[name], dict) else run[name] for name in parts}


def compile_c(case, real, entries, path=None, folder=None):
    """The generated C of one case, or None."""
    path = path or case.path
    c = (folder or path.parent) / f"{path.stem}.{real}.c"
    status, _, messages = called([generated.NNC, path, "-o", c, f"--real={real}", f"--emit={entries}"])
    if status != 0:
        case.blame("compiler", f"status {status}: {messages.strip()[:300]}")
        return None
    check_functions(case, c)
    return c


def check_functions(case, c):
    """Random equations, which stand above their C, may be as long as all of it; they do not count."""
    for complaint in generated.long_functions(re.sub(r" */\*.*?\*/\n", "", c.read_text(), flags=re.S)):
        case.blame("length", complaint)


def complaint(c, folder, flags):
    """What the C compiler says of one generated file; null: nothing."""
    found = generated.run(["pkg-config", "--cflags", "nnc"]).decode().split()
    status, _, messages = called([*CC, *flags, "-std=c11", "-I", folder, "-c", c, "-o", "/dev/null", *found])
    return status and next(iter(re.findall("error: .*", messages)), messages[:300])


def united(c_files, folder):
    """One C file of all, so that the C compiler reads its headers once."""
    for ending in (".c", ".h"):
        lines = [f'#include "{c.with_suffix(ending).name}"\n' for c in c_files]
        (folder / f"all{ending}").write_text("".join(lines))
    return [folder / "all.c"]


class Built:
    """The generated C of a case, under a name."""

    def __init__(self, case, c):
        self.case, self.c, self.name = case, c, case.program.name


def build(found, folder):
    """A program that runs all; cases in whose C the C compiler finds fault are blamed, and run if they can."""
    if not found:
        return [], None
    names, c_files = [one.name for one in found], [one.c for one in found]
    try:
        return found, generated.build_driver(folder, united(c_files, folder), names, CC)
    except generated.Failure as failure:
        said = [complaint(c, folder, generated.WARNINGS.split()) for c in c_files]
        if not any(said):
            found[0].case.blame("C compiler", str(failure)[:300])
        for one, text in zip(found, said):
            if text:
                one.case.blame("C compiler", text)
        good = [one for one, text in zip(found, said) if not text or not complaint(one.c, folder, ["-w"])]
        names, c_files = [one.name for one in good], [one.c for one in good]
        return good, generated.build_driver(folder, c_files, names, CC, warn=False) if good else None


def run_c(cases, folder, real, entries, limit):
    """Generated programs against the interpreter."""
    found = [Built(case, compile_c(case, real, entries)) for case in cases]
    found, driver = build([one for one in found if one.c], folder)
    if not found:
        return
    cases = [one.case for one in found]
    kinds = "train_step" if "train" in entries else "accumulate"
    asked = [(case, *one) for case in cases for one in requests_of(case, kinds)]
    results = drive(driver, asked)
    for (case, _, number, part), result in zip(asked, results):
        if isinstance(result, str) or "error" in result or any(result["codes"]):
            case.blame(f"{real} C", result if isinstance(result, str) else
                       str(result.get("error", f"codes {result['codes']}")))
            continue
        found = answer_of(part, result)
        expected = expected_of(part, case.runs[number], result["values"])
        for text in differences(f"{real} C", found, expected, limit):
            case.blame(*text.split(": ", 1))
    forgive_unstable(cases)


def drive(driver, asked):
    """The results; where the program ends early, those of each request alone."""
    status, out, messages = called([driver], json.dumps([request for _, request, *_ in asked]).encode())
    if status == 0:
        return json.loads(out)
    if len(asked) == 1:
        return [f"status {status}: {messages[-300:].strip()}"]
    half = len(asked)//2
    return drive(driver, asked[:half]) + drive(driver, asked[half:])


# ---- the same bits ---------------------------------------------------------------------------------

TOKEN = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\]|\\.)*\"|[A-Za-z_]\w*", re.S)


def shape_of(c):
    """C without comments and strings, names by their first occurrence in each function; all index variables
    are one, since the compiler's own may have the name of another loop's."""
    text = re.sub(r"0x[0-9a-fA-F]+u?", "0", c.read_text())
    return [shape_of_part(part) for part in text.split("\n}\n")]


def shape_of_part(text):
    numbers_of, indices = {}, set(re.findall(r"\bint64_t (\w+) = ", text))

    def other(match):
        word = match[0]
        if word in indices or re.fullmatch(r"[a-z](_\d+)?", word):
            return "@"
        return "" if word[0] in "/\"" else f"#{numbers_of.setdefault(word, len(numbers_of))}"

    return "".join(TOKEN.sub(other, text).split())


def same_shape(case, what, text, folder):
    """Another text of the same model compiles to the same C but for names."""
    inner = folder / what
    inner.mkdir(exist_ok=True)
    path = inner / case.path.name
    path.write_text(text)
    before = len(case.problems)
    again = compile_c(case, "double", "train,infer", path)
    first = compile_c(case, "double", "train,infer", folder=inner.parent)
    if len(case.problems) == before and shape_of(again) != shape_of(first):
        case.blame(what, "other C than of the first text")


def check_layout(case, folder):
    formatted = folder / "laid-out.nn"
    formatted.write_text(case.program.text())
    status, _, messages = called([generated.NNC, "fmt", formatted])
    if status != 0:
        case.blame("fmt", f"status {status}: {messages[:200]}")
    else:
        same_shape(case, "fmt", formatted.read_text(), folder)


SMALLEST = 2.0**-960  # below it products of a few numbers lose digits: doubles end at 2^-1022


def eight_times(first, again):
    """All numbers of `again` are 8 times those of `first`, but for the smallest."""
    pairs = [pair for name in first for pair in zip(numbers(first[name]), numbers(again[name]), strict=True)]
    return first.keys() == again.keys() and all(8*x == y or abs(y) < SMALLEST for x, y in pairs)


def check_scaled(cases, folder):
    """Loss times 64: gradients 8 times those of loss times 8, to the bit. (Those of the loss itself may be
    rounded differently: with an adjoint of 1, a product with a reciprocal is one division.)"""
    found = []
    for factor in (8, 64):
        inner = folder / f"times{factor}"
        inner.mkdir(exist_ok=True)
        paths = [(case, inner / case.path.name) for case in cases]
        for case, path in paths:
            path.write_text(case.program.text(factor))
        found.append(gradients_by_c(paths, inner))
    first, again = found
    for case in cases:
        if case in first and case in again and not eight_times(first[case], again[case]):
            case.blame("loss times 8", "gradients are not 8 times as large to the bit")


def gradients_by_c(paths, folder):
    found = [Built(case, compile_c(case, "double", "infer,gradients", path)) for case, path in paths]
    found, driver = build([one for one in found if one.c], folder)
    cases = [one.case for one in found]
    asked = []
    for case in cases:
        run = case.runs[0]
        asked.append((case, dict(model=case.program.name, seed=1, sizes=run["sizes"], set=run["set"],
                                 entry="accumulate", steps=1, ask=["sum." + n for n in run["gradients"]])))
    results = drive(driver, asked) if cases else []
    return {case: result["values"] for case, result in zip(cases, results) if isinstance(result, dict)}
