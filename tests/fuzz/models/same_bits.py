"""Oracles on bits: other texts of a model, and other ways to compile it, give results equal to the bit; rows
of a batch in another order give the same rows; parts of a batch add up to the whole.

What is printed after elaboration has the same bits. What is printed after later passes goes through algebra
once more, which may round anew, and through the proofs of the elaborator, which are weaker than those that
took away a default. Statements in another order train to the same bits, but for sums over all parameters, which
are added in the order in which statements come to them; evaluation weighs its loss by the size of the batch,
which may then be another dim."""

import pathlib
import re

import oracles
from comparing import DOUBLE, differences
from oracles import called, generated


NOT_PROVED = "[NN0208]"
TILES, THREADS, CACHES = (f"--target={pathlib.Path(__file__).with_name(name)}"
                          for name in ("tiles.yaml", "threads.yaml", "caches.yaml"))
LEAST = ["--ram", "the least there is"]
REMAT = ["remat"]  # in the text
OTHER_WAYS = (["--skip=inline,fuse"], ["--skip=pad,turn,flip,transpose,store,join,fuse,split,reside,once,draw,unswitch,square,watch,roll"], [TILES], [THREADS],
              ["--skip=inline", TILES], ["--skip=segment,inline", THREADS], LEAST, REMAT)
WIDE_WAYS = [TILES], [CACHES], [TILES], [CACHES], [THREADS]


def least_memory(command):
    """Options for the smallest plan: refused less, the compiler says how much it takes."""
    told = re.search(r"needs (\d+) bytes", called([*command, "--ram=1"])[2])
    return [f"--ram={told[1]}"] if told else []


class Variant:
    """A model again, under another name; its tables have names that begin with it."""

    def __init__(self, case, what, letter, text, options=(), exact=True):  # exact: training, too
        self.case, self.what, self.options, self.exact = case, what, options, exact
        self.name = case.program.name + letter
        self.text = re.sub(rf"\b{case.program.name}(?=c\d|\b)", self.name, text)
        self.c = None

    def compile(self, folder):
        path = folder / f"{self.name}.nn"
        path.write_text(self.text)
        self.c = folder / f"{self.name}.c"
        entries = "train,infer,gradients" if self.what == "compiler" and self.case.program.splits else "train,infer"
        command = [generated.NNC, path, "-o", self.c, "--real=double", f"--emit={entries}"]
        options = least_memory(command) if self.options == LEAST else self.options
        status, _, messages = called([*command, *options])
        if status != 0 and (self.what != "printed" or self.exact or NOT_PROVED not in messages):
            self.case.blame(self.what, f"status {status}: {messages.strip()[:300]}")
        if status == 0:
            oracles.check_functions(self.case, self.c)
        return status == 0


def printed_text(case, stage):
    """What --dump prints."""
    status, text, messages = called([generated.NNC, case.path, f"--dump={stage}", f"--stop-after={stage}"])
    if status != 0:
        case.blame("printed", f"status {status}: {messages[:200]}")
    return text


def variants_of(case):
    """The text itself, and another way to have the same."""
    seed, text = case.program.seed, case.program.text()
    yield Variant(case, "compiler", "a", text)
    if seed//10 % 2 == 0 or case.program.is_wide:
        ways = WIDE_WAYS if case.program.is_wide else OTHER_WAYS
        way = ways[seed//20 % len(ways)]
        other = case.program.computed_again().text() if way == REMAT else text
        yield Variant(case, "skipped", "b", other, [] if way == REMAT else way)
    elif seed % 2:
        yield Variant(case, "reordered", "b", case.program.reordered().text(),
                      exact=not case.program.adds_parameters)
    else:
        stage = ("elaborate", "derive", "simplify", "arrange")[seed//20 % 4]
        yield Variant(case, "printed", "b", printed_text(case, stage), exact=stage == "elaborate")


def compile_all(cases, folder):
    found = []
    for case in cases:
        for variant in variants_of(case):
            if not variant.compile(folder) and variant.what == "compiler":
                break
            if variant.c.exists():
                found.append(variant)
    return found


def request_for(variant, run, **more):
    return dict(dict(model=variant.name, seed=1, sizes=run["sizes"], set=run["set"]), **more)


def asked_of(variant):
    """Requests, first of training: what is printed is its program, with updates as equations."""
    runs = variant.case.runs
    asked = [request_for(variant, run, steps=2, ask=list(run["kept"])) for run in runs]
    if variant.what != "printed":
        asked += [request_for(variant, run, ask=list(run["eval"])) for run in runs]
    return asked


def compare(variant, first, results):
    """The first results are those of training."""
    for number, (found, expected) in enumerate(zip(results, first)):
        if isinstance(found, str) or "error" in found:
            variant.case.blame(variant.what, found if isinstance(found, str) else found["error"])
            return
        if not variant.exact and number < len(variant.case.runs):
            off = differences(variant.what, {"kept": found["values"]}, {"kept": expected["values"]}, DOUBLE)
            off += differences(variant.what, found, expected, DOUBLE, ["losses"])
        else:
            names = [name for name, values in expected["values"].items()
                     if not is_same(found["values"][name], values)
                     and not (name == "loss" and variant.what == "reordered")]
            off = [f"{variant.what}: {name} has other bits" for name in names]
            off += [] if found["losses"] == expected["losses"] else [f"{variant.what}: another loss"]
        for text in off[:1]:
            variant.case.blame(*text.split(": ", 1))


def is_same(a, b):
    """As numbers: the sign of a zero may differ."""
    return len(a) == len(b) and all(x == y for x, y in zip(a, b))


# ---- rows of a batch -------------------------------------------------------------------------------


def reversed_rows(values, sizes):
    outer, count, inner = sizes
    rows = [values[i*inner:(i + 1)*inner] for i in range(outer*count)]
    return [x for o in range(outer) for row in reversed(rows[o*count:(o + 1)*count]) for x in row]


def reversed_request(variant):
    """The outputs that treat rows alone, of rows in the opposite order; null: there are none."""
    rows, run = variant.case.rows, variant.case.runs[0]
    outputs = [name for name in (rows or {}).get("outputs", []) if name in run["eval"]]
    if not outputs:
        return None
    variant.case.program.cover("oracle", "rows")
    inputs = {name: reversed_rows(values, rows["sizes"][name]) if name in rows["sizes"] else values
              for name, values in run["set"].items()}
    return request_for(variant, run, set=inputs, ask=outputs)


def compare_rows(case, found, expected):
    for name, values in found["values"].items():
        if not is_same(reversed_rows(values, case.rows["sizes"][name]), expected["values"][name]):
            case.blame("rows", f"{name} of reversed rows has other bits")


def split_requests(variant):
    """Gradients of a batch, and of its two halves one after the other."""
    case = variant.case
    rows, run = case.rows, case.runs[0]
    dim = (rows or {}).get("dim")
    if not case.program.splits or not dim or run["sizes"][dim] % 2:
        return []
    case.program.cover("oracle", "split batch")
    cut = {name: sizes for name, sizes in rows["sizes"].items() if name in run["set"]}
    halves = [{name: half_of(run["set"][name], sizes, part) for name, sizes in cut.items()} for part in (0, 1)]
    kept = {name: values for name, values in run["set"].items() if name not in cut}
    ask = ["sum." + name for name in run["gradients"]]
    small = dict(run["sizes"], **{dim: run["sizes"][dim]//2})
    return [request_for(variant, run, entry="accumulate", steps=1, ask=ask),
            request_for(variant, run, set=kept, sizes=small, entry="accumulate", batches=halves, ask=ask)]


def half_of(values, sizes, part):
    outer, count, inner = sizes
    half = count//2*inner
    return [x for o in range(outer)
            for x in values[o*count*inner + part*half:o*count*inner + (part + 1)*half]]


def compare_split(case, whole, halves):
    for text in differences("split batch", {"gradients": halves["values"]}, {"gradients": whole["values"]},
                            DOUBLE, ["gradients"]):
        case.blame(*text.split(": ", 1))


# ---- the whole -------------------------------------------------------------------------------------


def is_answer(result):
    return isinstance(result, dict) and "error" not in result


def check_same_bits(cases, folder):
    """Every case by its text, and by variants of it."""
    folder.mkdir(exist_ok=True)
    variants, driver = oracles.build(compile_all(cases, folder), folder)
    if not driver:
        return
    asked, places = [], []
    for variant in variants:
        requests = asked_of(variant)
        more = [reversed_request(variant), *split_requests(variant)] if variant.what == "compiler" else []
        places.append((len(asked), len(requests), more))
        asked += requests + [request for request in more if request]
    results = oracles.drive(driver, [(None, request) for request in asked])
    firsts = {}
    for variant, (at, count, more) in zip(variants, places):
        own = results[at:at + count]
        if variant.what != "compiler":
            compare(variant, firsts[variant.case], own)
            continue
        firsts[variant.case] = own
        check_rows_and_parts(variant.case, own, results[at + count:], more)
    oracles.forgive_unstable(cases)


def check_rows_and_parts(case, own, behind, more):
    behind = iter(behind)
    answers = [next(behind) if request else None for request in more]
    whole = own[len(case.runs)]
    if answers and is_answer(answers[0]) and is_answer(whole):
        compare_rows(case, answers[0], whole)
    if len(answers) == 3 and all(map(is_answer, answers[1:])):
        compare_split(case, *answers[1:])
