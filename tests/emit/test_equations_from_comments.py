#!/usr/bin/env python3
"""The comments of generated C that begin with '=', those of the header first, are the model that it computes,
as source, once each range in braces is counted through: what they say compiles to a program that trains to
the same bits. So does what --dump prints after the last pass on equations. For the digits model, on its data,
and every program of tests/programs, whose C for vectors is read, too, where this machine has them."""

import pathlib
import re
import sys
import tempfile

import bits
import generated

STEPS = 20
RANGE = r"(?<!\{)\{{BRACES}(\d+)\.\.(\d+)(?:\.\.(\d+))?\}{BRACES}(?!\})"
MOST_BRACES = 4
VECTORS = "x86-64-v3"


def numbers_of(first, last, step):
    first, last, step = int(first), int(last), int(step or 1)
    return range(first, last + 1, step) if first < last else range(first, last - 1, -step)


def lines_of(line, level=MOST_BRACES):
    """The lines that one with ranges stands for: those with most braces are outside, others inside."""
    if level == 0:
        return [line]
    pattern = RANGE.replace("BRACES", str(level))
    ranges = [numbers_of(*found) for found in re.findall(pattern, line)]
    if len(set(map(len, ranges))) > 1:
        raise generated.Failure(f"ranges of different lengths: {line}")
    copies = [iter(numbers) for numbers in zip(*ranges)]
    lines = [re.sub(pattern, lambda _: str(next(copy)), line) for copy in copies] or [line]
    return [whole for line in lines for whole in lines_of(line, level - 1)]


def source_from_comments(c):
    """The text of all comments `/* = ... */` of a header and its C file, each one line or more."""
    text = c.with_suffix(".h").read_text() + c.read_text()
    return "".join(line + "\n" for comment in re.findall(r"/\* = (.*?) \*/", text, re.S)
                   for line in lines_of(" ".join(comment.split())))


def source_from_dump(source):
    return generated.run([generated.NNC, "--dump=arrange", "--stop-after=arrange", source]).decode()


def trained(folder, trainee, c):
    """What training it prints."""
    program = folder / "train"
    bits.build(program, trainee, c, *generated.CC)
    return bits.train(program, trainee).decode()


def check_digits(folder):
    for way in ("first", "comments", "dump"):
        (folder / way).mkdir()
    trainee = bits.digits(folder)
    source = trainee.source
    generated.run([generated.NNC, source, "-o", folder / "first" / "digits.c"])
    texts = {"comments": source_from_comments(folder / "first" / "digits.c"),
             "dump": source_from_dump(source)}
    expected, problems = trained(folder, trainee, folder / "first" / "digits.c"), []
    for way, text in texts.items():
        again = folder / way / "digits.nn"
        again.write_text(text)
        found = trained(folder, trainee, generated.compile_source(again))
        if found != expected:
            problems.append(f"from {way}: {found.strip()}, not {expected.strip()}")
    return problems


def results(folder, sources, target="generic"):
    """{model: losses of some steps, and the kept tensors after them}"""
    folder.mkdir()
    models = list(sources)
    for model, text in sources.items():
        (folder / f"{model}.nn").write_text(text)
    c_files = [generated.compile_source(folder / f"{model}.nn", [f"--target={target}"]) for model in models]
    machine = [f"-march={target}"] if target == VECTORS else []
    driver = generated.build_driver(folder, c_files, models, [*generated.CC, *machine])
    requests = []
    for model, description in generated.describe(driver, models).items():
        requests.append(dict(model=model, set=generated.draw_inputs(description, 1), steps=STEPS,
                             ask=generated.kept_names(description) + ["loss"]))
    found = generated.drive(driver, requests)
    return {model: (result["losses"], result["values"]) for model, result in zip(models, found)}


def without_loss(result):
    losses, values = result
    return losses, {name: value for name, value in values.items() if name != "loss"}


def single_steps():
    """Models with one train block: the steps of others cannot all be made at once."""
    programs = generated.program_models()
    return {name: path.read_text() for name, path in programs.items()
            if len(re.findall(r"^  train\b", path.read_text(), re.M)) == 1}


def comments_of(folder, sources):
    return {name: source_from_comments(folder / f"{name}.c") for name in sources}


def check_programs(folder):
    sources = single_steps()
    first = results(folder / "first", sources)
    texts = {"comments": comments_of(folder / "first", sources),
             "dump": {name: source_from_dump(folder / "first" / f"{name}.nn") for name in sources}}
    failures = 0
    for way, again in texts.items():
        found = results(folder / way, again)
        for name in sources:
            same = found[name] == first[name]
            if way == "dump":  # of the training program alone
                same = without_loss(found[name]) == without_loss(first[name])
            failures += generated.report(f"{name} from its {way}",
                                         [] if same else ["other bits than the first program"])
    return failures


def check_vectors(folder):
    if not bits.has("avx2", "fma"):
        print(f"skip vectors: this machine does not run {VECTORS}")
        return 0
    sources = single_steps()
    first = results(folder / "first", sources, VECTORS)
    found = results(folder / "comments", comments_of(folder / "first", sources), VECTORS)
    return sum(generated.report(f"{name} from its comments, in vectors",
                                [] if found[name] == first[name] else ["other bits than the first program"])
               for name in sources)


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="nnc-comments-") as name:
        folder = pathlib.Path(name)
        for what, check in (("digits", check_digits), ("programs", check_programs), ("vectors", check_vectors)):
            (folder / what).mkdir()
            try:
                problems = check(folder / what)
                if what == "digits":
                    failures += generated.report(what, problems)
                else:
                    failures += problems
            except generated.Failure as failure:
                failures += generated.report(what, [str(failure)])
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
