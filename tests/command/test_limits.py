#!/usr/bin/env python3
"""Every limit on input (compiler/support/limits.h) one below, at, and one above it: what is within passes, what
is above ends with an error that names the limit."""

import os
import pathlib
import subprocess
import tempfile

NNC = os.environ["NNC"]


def model(*statements):
    return "\n  ".join(["model m {", "input x[2]", *statements, "output out = x"]) + "\n}\n"


def file_bytes(count):
    text = model()
    return text + "#" * (count - len(text))


def nesting(count):
    return f"const c = {'(' * count}1{')' * count}\n" + model()


def applications_inside_each_other(count):
    definitions = "".join(f"def f{i}(x) -> y {{ y = f{i + 1}(x) }}\n" for i in range(1, count))
    return definitions + f"def f{count}(x) -> y {{ y = x }}\n" + model("y = f1(x)")


def rank(count):
    return model("input z[" + ", ".join(["1"] * count) + "]", "y = 2*z")


def identifier(count):
    return model(f"{'n' * count} = 2*x")


def index_variables(count):
    return model("s = sum[" + ", ".join(f"v{i} in 1" for i in range(count)) + "](x[v0])")


def scans(count):
    opening = " ".join(f"scan t{i} in 1 {{" for i in range(count))
    return model(opening + " p[i] = x[i] " + "} " * count)


def extent(count):
    return model(f"input z[{count}] : u8", "y = z[0]")


def elements(count):
    """`count` more or less than 2^40, by a dim next to 2^31 - 1."""
    return model(f"input z[{(1 << 40) // 1024 + count - (1 << 40)}, 1024] : u8", "y = z[0, 0]")


def import_depth(count):
    for i in range(1, count):
        pathlib.Path(f"i{i}.nn").write_text(f"import i{i + 1}\n")
    pathlib.Path(f"i{count}.nn").write_text("def f(x) = x\n")
    return "import i1\n" + model("y = f(x)")


def memory(count):
    """A state of as many numbers as fit into 64 KiB with a head of 24 bytes and 64 of scratch memory."""
    return model(f"state s[{count}] = 0", "s[i] := s[i]", f"y[i in 2] = x[i] + s[i]")


# limit, the program of that size, the code above the limit, what its message says, options
LIMITS = (
    (1 << 20, file_bytes, "NN0901", "larger than 1 MiB", []),
    (64, nesting, "NN0105", "more than 64", []),
    (64, applications_inside_each_other, "NN0105", "more than 64", []),
    (8, rank, "NN0212", "more than 8 dims", []),
    (63, identifier, "NN0106", "the limit is 63", []),
    (16, index_variables, "NN0212", "more than 16", []),
    (7, scans, "NN0105", "more than 7 scans", []),
    (2147483647, extent, "NN0211", "the limit is 2147483647", []),
    (1 << 40, elements, "NN0211", "more than 2^40 elements", []),
    (16, import_depth, "NN0903", "more than 16 deep", []),
    (16362, memory, "NN0602", "more than the 65536 allowed", ["--max-mem=64K"]),
)


def try_size(count, program, options):
    pathlib.Path("m.nn").write_text(program(count))
    return subprocess.run([NNC, "check", *options, "m.nn"], capture_output=True, text=True, timeout=200)


def judge(limit, program, code, text, options):
    for count in (limit - 1, limit):
        done = try_size(count, program, options)
        if done.returncode != 0:
            return f"{count} is refused: {done.stderr[:500]}"
    done = try_size(limit + 1, program, options)
    if done.returncode not in (1, 2) or f"[{code}]" not in done.stderr or text not in done.stderr:
        return f"{limit + 1} ends with {done.returncode}: {done.stderr[:500]}"
    return None


def errors_printed():
    """20 errors in the text; how many there are is said."""
    for count, shown in ((19, 19), (20, 20), (21, 20)):
        pathlib.Path("m.nn").write_text(model(*[f"y{i} = nothing{i}" for i in range(count)]))
        done = subprocess.run([NNC, "check", "m.nn"], capture_output=True, text=True, timeout=60)
        found = done.stderr.count(" error: ")
        if done.returncode != 1 or found != shown or ("1 more error" in done.stderr) != (count > 20):
            return f"{count} errors, {found} shown: {done.stderr[-300:]}"
    return None


def main():
    start = os.getcwd()
    for row in LIMITS:
        name = row[1].__name__
        with tempfile.TemporaryDirectory(prefix="nnc-limits-") as directory:
            os.chdir(directory)
            problem = judge(*row)
            print(f"FAIL {name}: {problem}" if problem else f"ok {name}")
            os.chdir(start)
    with tempfile.TemporaryDirectory(prefix="nnc-limits-") as directory:
        os.chdir(directory)
        problem = errors_printed()
        print(f"FAIL errors_printed: {problem}" if problem else "ok errors_printed")
        os.chdir(start)


main()
