#!/usr/bin/env python3
"""What generated C is like, whatever it computes: no warning under gcc and clang, a header for C++, standalone
files that link together, nothing taken from outside but the runtime and memset, short lines and functions,
no recursion, identifiers that no name of the source can spoil, and the same bytes on every run.

usage: test_generated_c.py [CHECK]..."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import generated
from generated import NNC, WARNINGS, Failure, run

DIGITS = generated.ROOT / "examples" / "digits" / "digits.nn"
BENCH = sorted((generated.ROOT / "bench" / "models").glob("*.nn"))
EXAMPLES = sorted((generated.ROOT / "examples").glob("*/*.nn"))
LONG = generated.ROOT / "bench" / "models" / "lstm_own_cell.nn"  # some functions would be too long
COMPILERS = [compiler for compiler in ("gcc", "clang", "clang-19") if shutil.which(compiler)]
OPTIONS = [["--emit=train,infer,gradients"], ["--real=double"], ["--emit=infer"], ["--standalone"]]
HEADERS = ("assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign "
           "stdarg stdbool stddef stdint stdio stdlib stdnoreturn string tgmath time wchar").split()
LONGEST_LINE = 120
KEYWORDS = ("char const double else extern float for if int return sizeof static struct typedef unsigned "
            "void restrict while do switch case default break continue inline union long short signed enum "
            "goto auto register volatile").split()
NAMES_OF_C = ("int8_t int32_t int64_t uint8_t uint32_t uint64_t size_t UINT32_C NULL offsetof memset "
              "__attribute__ aligned __cplusplus __builtin_nan __builtin_nanf __builtin_inf "
              "__builtin_inff define include ifndef ifdef endif h C").split()


def flags_of_runtime():
    return run(["pkg-config", "--cflags", "nnc"]).decode().split()


def compile_only(compiler, c, *flags):
    run([compiler, "-std=c11", *WARNINGS.split(), *flags, *flags_of_runtime(), "-I", c.parent, "-c", c,
         "-o", c.with_suffix(".o")])


def all_programs(folder):
    """Every program of tests/programs in one file, and the digits in another."""
    programs = generated.program_models()
    programs.pop("digits", None)
    return [generated.joined(programs, folder / "programs.nn"),
            pathlib.Path(shutil.copy(DIGITS, folder / "digits.nn"))]


def deep_stack(folder):
    """So many nests that entry points call them through functions between."""
    source = folder / "deep.nn"
    layers = " |> dense(3) |> tanh" * 60
    source.write_text(f"model deep {{\n  dim N <= 4\n  input x[N, 3]\n  target y[N, 3]\n  z = x{layers}\n"
                      "  output z\n  loss mse(z, y)\n  train { optimizer adam(0.1) }\n}\n")
    return source


def check_warnings(folder):
    problems = []
    cell = pathlib.Path(shutil.copy(LONG, folder))
    cases = [(source, OPTIONS) for source in [*all_programs(folder), deep_stack(folder)]]
    for source, choices in [*cases, (cell, [["--target=x86-64-v3", "-D", "N=32"]])]:
        for number, options in enumerate(choices):
            c = generated.compile_source(source, options, f"{source.stem}{number}")
            for compiler in COMPILERS[:2]:
                try:
                    compile_only(compiler, c, "-fsyntax-only")
                except Failure as failure:
                    problems.append(str(failure))
    return problems


PARTS = """model parts {
  dim N = 8
  input x[N, 4, 16, 16]
  target t[N] : index(2)
  z = x |> conv2d(8, size = 5) |> relu |> conv2d(24) |> relu |> flatten |> dense(2)
  loss cross_entropy(z, t)
  train { optimizer sgd(0.1) }
}
"""


def check_warnings_of_optimisers(folder):
    """What later steps of a loop read of the sums that the first stored is not called uninitialized."""
    source = folder / "parts.nn"
    source.write_text(PARTS)
    c = generated.compile_source(source, ["--target=x86-64"])
    compile_only(COMPILERS[0], c, "-O3")
    return [] if "float partial[" in c.read_text() else ["no sum is taken in parts"]


def check_header_in_cpp(folder):
    c = generated.compile_source(all_programs(folder)[0])
    user = folder / "user.cpp"
    user.write_text(f'#include "{c.stem}.h"\n#include <cmath>\nint main() '
                    '{ static regression m; return regression_init(&m, 1); }\n')
    for compiler in filter(shutil.which, ("g++", "clang++")):
        run([compiler, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", user,
             *flags_of_runtime()])
    return []


def check_standalone(folder):
    programs = generated.program_models()
    for name in ("regression", "classify"):
        source = pathlib.Path(shutil.copy(programs[name], folder / f"{name}.nn"))
        c = generated.compile_source(source, ["--standalone"])
        run(["cc", "-std=c11", *WARNINGS.split(), "-c", c, "-o", c.with_suffix(".o")])
    main = folder / "main.c"
    main.write_text("""#include "regression.h"
int classify_selftest(void);
int main(void) {
  static regression m;
  return regression_init(&m, 1) || regression_selftest() || classify_selftest();
}
""")
    run(["cc", "-std=c11", "-o", folder / "both", main, folder / "regression.o", folder / "classify.o",
         "-lm"])
    run([folder / "both"])
    return []


def check_outside_names(folder):
    """Undefined symbols of the objects, compiled without the compiler's own additions; and no warning of the
    phases behind the syntax."""
    problems = []
    for source in all_programs(folder):
        c = generated.compile_source(source, OPTIONS[0])
        compile_only(COMPILERS[0], c, "-O0")
        for symbol in run(["nm", "-u", c.with_suffix(".o")]).decode().split():
            known = re.fullmatch(r"U|nnrt_\w+|memset|memcpy|sqrtf?|_GLOBAL_OFFSET_TABLE_", symbol)
            if not known:
                problems.append(f"{source.stem} needs {symbol}")
    return problems


def long_recurrence(folder):
    """Much that takes one step of a recurrence at a time, each the one before."""
    source = folder / "long_recurrence.nn"
    rows = "".join(f"  m{i}[n, t] = max[k](h{i}[n, t, k])\n"
                   f"  h{i + 1}[n, t, k] = h{i}[n, t, k]/(1 + m{i}[n, t]^2) + 0.1*h0[n, t, k]*h{i}[n, t, k]\n"
                   for i in range(30))
    source.write_text(f"model long_recurrence {{\n  input x[64, 64, 128]\n  h0 = gru(x, H = 128)\n{rows}"
                      "  loss mean(h30^3)\n  train { optimizer sgd(0.1) }\n}\n")
    return source


def long_and_short(folder):
    """Sources with options of nnc: small models for any machine, and large ones for machines with vectors."""
    yield from ((source, OPTIONS[0]) for source in [*all_programs(folder), deep_stack(folder)])
    yield long_recurrence(folder), ["--target=x86-64-v4"]
    for model in [*BENCH, *EXAMPLES]:
        source = pathlib.Path(shutil.copy(model, folder))
        yield from ((source, [f"--target={target}"]) for target in ("x86-64-v3", "x86-64-v4"))
        if model in BENCH and "dim N <= " in source.read_text():
            yield source, ["--target=x86-64-v3", "-D", "N=8"]


def check_lengths(folder):
    problems = []
    for source, options in long_and_short(folder):
        c = generated.compile_source(source, options)
        for path in (c, c.with_suffix(".h")):
            problems += [f"{path.name}:{number}: {len(line)} columns"
                         for number, line in enumerate(path.read_text().split("\n"), 1)
                         if len(line) > LONGEST_LINE or line != line.rstrip()]
        problems += generated.long_functions(c.read_text())
        functions = generated.functions_of(c.read_text())
        problems += [f"{name} calls itself" for name, _, body in functions
                     if re.search(rf"\b{name}\(", body)]
        if not functions:
            problems.append(f"{path.name}: this test found no functions")
    return problems


# Hostile sources ------------------------------------------------------------------------------------

HOSTILE_NAMES = ("errno main seed m s x status scratch nnrt_get I step_number samples lanes lane memset "
                 "size_t assert linux stdin NULL signal int64_t restrict __x metrics NNC_HOSTILE_H loss_ n_1 "
                 "offsetof log exp y0 j1 typeof_ unsigned asm inline register static double char").split()
HOSTILE = """model int {{
  dim N <= 4, EOF <= 3
  input BUFSIZ[N, 3]
  input volatile[N, EOF]
  target sin_[N] : index(3)
  param W[3, 3] ~ normal(0, 1)
{params}
  a[n, k] = sum[i](BUFSIZ[n, i]*W[i, k]){sum}
  b[n] = sum[k](volatile[n, k])
  t[n, k] = a[n, k]*b[n]
  output p = softmax(t)
  output int8_t = t
  metric short = accuracy(t, sin_)
  loss cross_entropy(t, sin_)
  train eval {{ optimizer adam(0.01) }}
  train extern {{ optimizer sgd(0.01, momentum = 0.9) }}
}}
model double {{
  input x[3]
  output y[i] = x[i]*2
}}
model int_train {{
  input x[3]
  output y[i] = x[i]*2
}}
model int_1 {{
  input x[3]
  output y[i] = x[i]*2
}}
"""


def words_of_language():
    """Names that a source cannot declare are not tried."""
    usable = []
    for name in HOSTILE_NAMES:
        source = f"model probe {{\n  input {name}[3]\n  output probed[i] = {name}[i]\n}}\n"
        checked = subprocess.run([NNC, "check", "-"], input=source.encode(), capture_output=True)
        usable += [name] if checked.returncode == 0 else []
    return usable


def hostile_source():
    names = words_of_language()
    return HOSTILE.format(params="".join(f"  param {name}[3] = 0\n" for name in names),
                          sum="".join(f" + {name}[k]" for name in names)), names


def without_comments(text):
    return re.sub(r'/\*.*?\*/|"[^"\n]*"', " ", text, flags=re.S)


def strange_identifiers(text, names):
    """Identifiers that are neither C's, nor the runtime's, nor made of names by emit/scope.c."""
    words = set(re.findall(r"\b[A-Za-z_]\w*", without_comments(text)))
    words = {word for word in words if word not in KEYWORDS + NAMES_OF_C}
    return sorted(word for word in words
                  if not re.fullmatch(r"(nnrt_|NNRT_|NNC_)\w+|f|[a-zA-Z]+(_?[a-zA-Z0-9]+)*_?", word)
                  or word in names and word in ("errno", "main", "linux", "stdin", "assert", "I"))


def check_hostile_names(folder):
    source = folder / "hostile.nn"
    text, names = hostile_source()
    source.write_text(text)
    includes = [word for name in HEADERS for word in ("-include", f"{name}.h")]
    for options in OPTIONS:
        c = generated.compile_source(source, options)
        for compiler in COMPILERS[:2]:
            compile_only(compiler, c, "-O0")
            compile_only(compiler, c, "-O0", *includes)
    c = generated.compile_source(source, OPTIONS[0])
    both = c.with_suffix(".h").read_text() + c.read_text()
    return [f"identifier {word}" for word in strange_identifiers(both, names)] + (
        [] if len(names) > 25 else ["hardly any name was tried"])


def check_hostile_files(folder):
    """Whatever a file is called: its name only stands in comments."""
    problems = []
    for name in ("*.nn", "a\nint y;\n.nn", "b\\\n.nn", "c*", "d*\\.nn", "e??\\.nn", '"\\".nn', "f */ int z; .nn"):
        directory = folder / "odd"
        directory.mkdir(exist_ok=True)
        source = directory / name.replace("/", "\u2215")
        source.write_text("model a {\n  input x[3]\n  output y[i] = x[i]*2\n}\n")
        c = directory / "out.c"
        run([NNC, source, "-o", c])
        try:
            for compiler in COMPILERS[:2]:
                compile_only(compiler, c)
        except Failure as failure:
            problems.append(f"{name!r}: {failure}")
        if re.search(r"\b[yz];", without_comments(c.read_text())):
            problems.append(f"{name!r} put a token into the C")
    return problems


def check_same_bytes(folder):
    """Every process has its own layout of memory; the rest is varied here."""
    seen = set()
    for number in range(24):
        directory = folder / f"at{number % 5}"
        directory.mkdir(exist_ok=True)
        source = shutil.copy(DIGITS, directory / "digits.nn")
        environment = dict(os.environ, LANG=("C", "de_DE.UTF-8", "tr_TR")[number % 3], LC_ALL="",
                           TZ=("UTC", "Asia/Tokyo")[number % 2], HOME=str(directory), COLUMNS=str(number))
        where, given = (directory, "digits.nn") if number % 2 else (folder, source)
        subprocess.run([NNC, given, "-o", directory / "digits.c"], cwd=where, env=environment, check=True)
        seen.add((directory / "digits.c").read_bytes() + (directory / "digits.h").read_bytes())
    return [] if len(seen) == 1 else [f"{len(seen)} different outputs"]


def main():
    failures = 0
    chosen = sys.argv[1:]
    for check in (check_warnings, check_warnings_of_optimisers, check_header_in_cpp, check_standalone,
                  check_outside_names, check_lengths, check_hostile_names, check_hostile_files, check_same_bytes):
        name = check.__name__.removeprefix("check_").replace("_", "-")
        if chosen and name not in chosen:
            continue
        with tempfile.TemporaryDirectory(prefix="nnc-c-") as folder:
            try:
                problems = check(pathlib.Path(folder))
            except Failure as failure:
                problems = [str(failure)]
        failures += generated.report(name, problems)
    return failures != 0


sys.exit(main())
