#!/usr/bin/env python3
"""The command line of nnc: options, exit statuses, and what is written where."""

import json
import os
import pathlib
import pty
import re
import resource
import subprocess
import sys
import tempfile

NNC = os.environ["NNC"]
ROOT = pathlib.Path.cwd()
PASSES = re.findall(r"^PASS\((\w+),", (ROOT / "compiler/passes.def").read_text(), re.M)
OPTIONS = re.findall(r'^OPTION\(\w+, "([\w-]+)", (?:\'(\w)\'|0),', (ROOT / "compiler/command/options.def").read_text(),
                     re.M)
MODEL = """model net {
  dim N <= 8, K = 3
  input x[N, 4]
  target t[N] : index(K)
  z = dense(x, K)
  output p = softmax(z)
  loss cross_entropy(z, t)
  train { optimizer sgd(0.1) }
}
"""
WRONG = MODEL.replace("dense(x, K)", "dence(x, K)")


def nnc(*arguments, stdin="", **more):
    """The finished process; standard output and error as text."""
    return subprocess.run([NNC, *arguments], input=stdin, capture_output=True, text=True, timeout=200, **more)


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def expect_exit(status, *arguments, error="", **more):
    done = nnc(*arguments, **more)
    expect(done.returncode == status, f"{arguments} ended with {done.returncode}, not {status}: {done.stderr}")
    expect(error in done.stderr, f"{arguments} says {done.stderr!r}, not {error!r}")
    return done


def write(name, text=MODEL):
    pathlib.Path(name).write_text(text)
    return name


def files():
    return sorted(str(path) for path in pathlib.Path(".").rglob("*") if path.is_file())


# What is printed -------------------------------------------------------------------------------------


def test_help_lists_every_option_and_pass():
    text = expect_exit(0, "--help").stdout
    for name, letter in OPTIONS:
        shown = f"-{letter}, --{name}" if letter and letter != "M" else "-MD, -MF" if letter else f"    --{name}"
        expect(re.search(rf"^  {re.escape(shown)}\b", text, re.M), f"--help does not show {shown!r}")
    for name in PASSES:
        expect(re.search(rf"^  {name} ", text, re.M), f"--help does not show pass {name}")
    expect(expect_exit(0, "-h").stdout == text, "-h and --help differ")


def test_version():
    version = re.search(r"^VERSION = (\S+)", (ROOT / "Makefile").read_text(), re.M)[1]
    expect(expect_exit(0, "--version").stdout == f"nnc {version}\n", "--version")


def test_explain():
    text = expect_exit(0, "--explain", "NN0207").stdout
    expect(text.startswith("NN0207: index with two different extents\n"), text)
    expect("NN0208" not in text.splitlines()[0] and "## " not in text, "more than one section")
    for code in ("NN9999", "NN02", "nonsense", "", "NN02071"):
        expect_exit(2, "--explain", code, error="no diagnostic is called")
    expect_exit(2, "check", "--explain", "memory", write("m.nn"), error="is for nnc show")


def test_times_of_every_pass():
    text = expect_exit(0, "check", "--time", write("m.nn")).stderr
    shown = re.findall(r"^(\w+) +[\d.]+ ms +\d+ bytes$", text, re.M)
    expect(shown == PASSES[: PASSES.index("emit")], f"--time shows {shown}")


def test_dump_and_stop_after_every_pass():
    write("m.nn")
    for name in PASSES:
        done = expect_exit(0, "m.nn", f"--dump={name}", f"--stop-after={name}", "-o", "m.c")
        expect(done.stdout.strip(), f"--dump={name} prints nothing")
        expect(("m.c" in files()) == (name == "emit"), f"--stop-after={name} writes {files()}")
    both = expect_exit(0, "m.nn", "--dump=parse,derive", "--stop-after", "derive").stdout
    parts = [expect_exit(0, "m.nn", "--dump", name, "--stop-after", name).stdout for name in ("parse", "derive")]
    expect(both == "".join(parts), "two dumps differ from one and one")


def test_optional_passes_can_be_skipped():
    write("m.nn")
    texts = [expect_exit(0, "m.nn", *skip, "-o", "-").stdout
             for skip in ([], ["--skip=roll"], ["--skip=roll,inline"], ["--skip=roll,inline,fuse"])]
    counts = [text.count("NNRT_NEST ") for text in texts]
    expect(counts[0] <= counts[1] <= counts[2] < counts[3], f"functions with fewer and fewer passes: {counts}")
    expect_exit(2, "m.nn", "--skip=derive", "-o", "-", error="--skip takes optional passes")


def test_equations_dumped_are_source():
    write("m.nn")
    for name in PASSES[PASSES.index("elaborate") : PASSES.index("order")]:
        text = expect_exit(0, "m.nn", f"--dump={name}", f"--stop-after={name}").stdout
        again = expect_exit(0, "fmt", "-", stdin=text).stdout
        expect(again == text, f"--dump={name} is not in the layout of nnc fmt")


def test_errors_as_json():
    done = expect_exit(1, "check", "--json", write("wrong.nn", WRONG))
    report = json.loads(done.stdout)
    expect(done.stderr == "" and report["errors"] == 1, done.stdout)
    found = report["diagnostics"][0]
    place = {key: found[key] for key in ("code", "severity", "file", "line", "column", "end_line", "end_column")}
    expect(place == {"code": "NN0201", "severity": "error", "file": "wrong.nn", "line": 5, "column": 7,
                     "end_line": 5, "end_column": 12}, str(place))
    expect(json.loads(expect_exit(0, "check", "--json", write("m.nn")).stdout) == {"errors": 0, "diagnostics": []},
           "no errors")
    missing = json.loads(expect_exit(2, "check", "--json", "missing.nn").stdout)["diagnostics"][0]
    expect(missing["code"] == "NN0901" and "file" not in missing, str(missing))


def stderr_of_terminal(environment):
    ours, theirs = pty.openpty()
    subprocess.run([NNC, "check", "wrong.nn"], stderr=theirs, env=environment, timeout=60)
    os.close(theirs)
    text = os.read(ours, 65536).decode()
    os.close(ours)
    return text


def test_colour_only_on_a_terminal_without_no_color():
    write("wrong.nn", WRONG)
    plain = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    expect("\x1b[" in stderr_of_terminal(plain), "no colour on a terminal")
    expect("\x1b[" not in stderr_of_terminal(plain | {"NO_COLOR": "1"}), "colour in spite of NO_COLOR")
    expect("\x1b[" not in nnc("check", "wrong.nn", env=plain).stderr, "colour in a file")


def test_warnings_only_when_wanted():
    write("hides.nn", "def relu(x) = x\n" + MODEL.replace("dense(x, K)", "relu(dense(x, K))"))
    expect(expect_exit(0, "check", "hides.nn").stderr == "", "a warning without -W")
    expect_exit(0, "check", "-W", "hides.nn", error="[NN0951]")


# Arguments -------------------------------------------------------------------------------------------


def test_usage_errors():
    write("m.nn")
    for arguments in (["--nonsense"], [], ["check"], ["m.nn"], ["m.nn", "more.nn", "-o", "m.c"], ["m.nn", "-o"],
                      ["m.nn", "-D", "N", "-o", "m.c"], ["m.nn", "-D", "N=-1", "-o", "m.c"], ["m.nn", "-D", "N=1x"],
                      ["m.nn", "--real", "half"], ["m.nn", "--emit", "all"], ["m.nn", "--dump", "nothing"],
                      ["m.nn", "--stop-after", "nothing"], ["m.nn", "--max-mem", "1X"], ["m.nn", "-MX"],
                      ["m.nn", "-o", "m.nn"], ["@none"]):
        expect_exit(2, *arguments, error="nnc")
    expect(files() == ["m.nn"], f"something was written: {files()}")


def test_options_in_any_order():
    write("m.nn")
    texts = set()
    for arguments in (["m.nn", "-o", "m.c", "-DN=4", "--real=double"], ["-D", "N=4", "--real", "double", "-om.c", "m.nn"],
                      ["--define=N=4", "m.nn", "--output=m.c", "--real=double"]):
        expect_exit(0, *arguments)
        texts.add(pathlib.Path("m.c").read_text() + pathlib.Path("m.h").read_text())
    expect(len(texts) == 1, "the order of options changes the output")
    expect("int64_t N" not in texts.pop(), "-D N=4 left N to run time")


def test_arguments_from_a_file():
    write("m.nn")
    write("options", "-D N=4\n  --emit=infer\n-o m.c\n")
    expect_exit(0, "@options", "m.nn")
    header = pathlib.Path("m.h").read_text()
    expect("net_infer" in header and "net_train_step" not in header and "int64_t N" not in header, "options of @FILE")


def test_overrides():
    write("m.nn")
    text = expect_exit(0, "m.nn", "-DN=5", "-DK=7", "--dump=elaborate", "--stop-after=elaborate").stdout
    expect("input x[5, 4]" in text and "index(7)" in text and "dim N" not in text, text)
    expect_exit(1, "check", "-D", "Q=5", "m.nn", error="nnc: error: -D: no model has a dim 'Q' [NN0201]")


def test_imports_from_a_directory():
    pathlib.Path("parts").mkdir()
    write("parts/own.nn", "def own(x) = 2*x\n")
    write("m.nn", 'import "own.nn"\n' + MODEL.replace("dense(x, K)", "own(dense(x, K))"))
    expect_exit(1, "check", "m.nn", error="[NN0903]")
    expect_exit(0, "check", "-I", "parts", "m.nn")
    expect_exit(0, "m.nn", "-Iparts", "-MD", "-o", "m.c")
    expect(pathlib.Path("m.d").read_text() == "m.c m.h: m.nn parts/own.nn\n", pathlib.Path("m.d").read_text())


# Files -----------------------------------------------------------------------------------------------


def test_standard_input_and_output():
    done = expect_exit(0, "-", "-o", "-", stdin=MODEL)
    expect("int net_infer(" in done.stdout and files() == [], "C on standard output")
    expect_exit(1, "check", "-", stdin=WRONG, error="<stdin>:5:7: error: unknown name 'dence'")


def test_rule_for_make():
    write("a model.nn")
    expect_exit(0, "a model.nn", "-MD", "-o", "out.c")
    expect(pathlib.Path("out.d").read_text() == "out.c out.h: a\\ model.nn\n", pathlib.Path("out.d").read_text())
    expect_exit(0, "a model.nn", "-MF", "rule", "-o", "other.c")
    expect(pathlib.Path("rule").read_text() == "other.c other.h: a\\ model.nn\n", pathlib.Path("rule").read_text())
    expect("other.d" not in files(), "-MF FILE wrote another file, too")


def test_format():
    write("m.nn", MODEL.replace("  z = ", "\tz   =  "))
    text = expect_exit(0, "fmt", "m.nn").stdout
    expect(text == MODEL, text)
    expect_exit(0, "fmt", "-o", "m.nn", "m.nn")
    expect(pathlib.Path("m.nn").read_text() == MODEL, "fmt -o onto its input")
    expect_exit(1, "fmt", write("broken.nn", "model {"), error="[NN0101]")
    expect(expect_exit(0, "fmt", "-", stdin="").stdout == "", "an empty file")


def test_unreadable_input():
    pathlib.Path("directory").mkdir()
    pathlib.Path("zero").write_bytes(b"model net {\0}")
    pathlib.Path("large").write_bytes(b"#" * ((1 << 20) + 1))
    for name, why in (("missing.nn", "No such file or directory"), ("directory", "Is a directory"),
                      ("zero", "NUL byte"), ("large", "larger than 1 MiB")):
        for command in ([], ["check"], ["show"], ["fmt"]):
            done = expect_exit(2, *command, name, "-o", "m.c", error=f"nnc: error: {name}: ")
            expect(why in done.stderr and "[NN0901]" in done.stderr, done.stderr)


def test_nothing_half_written():
    write("m.nn")
    before = files()
    expect_exit(2, "m.nn", "-o", "no/such/m.c", error="no/such/m.c: No such file or directory [NN0902]")
    expect_exit(2, "m.nn", "-MF", "no/rule", "-o", "m.c", error="[NN0902]")
    expect_exit(2, "fmt", "m.nn", "-o", "no/m.nn", error="[NN0902]")
    expect(files() == before, f"left behind: {files()}")
    write("m.c", "old")
    expect_exit(1, "check", write("wrong.nn", WRONG))
    expect_exit(1, "wrong.nn", "-o", "m.c")
    pathlib.Path("m.h").mkdir()
    expect_exit(2, "m.nn", "-o", "m.c", error="m.h: Is a directory [NN0902]")
    expect(pathlib.Path("m.c").read_text() == "old", "an error has changed the old file")
    expect(files() == ["m.c", "m.nn", "wrong.nn"], f"left behind: {files()}")


def test_full_standard_output():
    write("m.nn")
    for arguments in (["show", "m.nn"], ["fmt", "m.nn"], ["m.nn", "--dump=parse"], ["m.nn", "-o", "-"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([NNC, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        expect(done.returncode == 2 and "[NN0902]" in done.stderr, f"{arguments}: {done.returncode} {done.stderr}")


# Limits ----------------------------------------------------------------------------------------------


def test_out_of_memory():
    if "sanitize" in os.environ.get("NNC_CFLAGS", ""):
        return "the sanitizers reserve more than the limit"
    write("deep.nn", MODEL.replace("dense(x, K)", "x |> repeat(20000, dense(64)) |> dense(K)"))
    done = nnc("check", "deep.nn", preexec_fn=lambda: limit_memory(200 << 20))
    expect(done.returncode == 3 and "memory" in done.stderr, f"{done.returncode} {done.stderr}")


def limit_memory(size):
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def long_paths(layers):
    """Parameters within 58 definitions with long names: their paths fill the C."""
    name = "a_name_of_sixty_characters_that_says_very_little_about_it_"
    lines = [f"def f{i}(x) -> y {{\n  {name}{i:02} = f{i + 1}(x)\n  y = {name}{i:02}\n}}" for i in range(58)]
    lines.append(f"def f58(x) -> y {{ y = x |> repeat({layers}, dense(3)) }}")
    return "\n".join(lines) + "\n" + MODEL.replace("dense(x, K)", "x |> f0 |> dense(K)")


def test_generated_code_too_large():
    write("long.nn", long_paths(600))
    expect_exit(1, "long.nn", "-o", "long.c", error="the generated C is larger than 64 MiB [NN0603]")
    expect("long.c" not in files(), "written in spite of its size")


def memory_of_passes(layers):
    """{pass: bytes it takes} for a stack of so many layers."""
    write("stack.nn", MODEL.replace("dense(x, K)", f"x |> repeat({layers}, dense(4)) |> dense(K)"))
    shown = expect_exit(0, "stack.nn", "-o", "stack.c", "--time").stderr
    rows = [(name, int(total)) for name, total in re.findall(r"^(\w+) +[\d.]+ ms +(\d+) bytes$", shown, re.M)]
    return {name: total - before for (name, total), (_, before) in zip(rows, [("", 0), *rows])}


def test_work_grows_with_the_model():
    """Counted in bytes, which are the same everywhere: twice the layers take every pass twice as many."""
    few, more, most = map(memory_of_passes, (100, 200, 400))
    expect(set(few) == set(PASSES), f"--time shows {list(few)}")
    for name in few:
        for least, twice in ((few, more), (more, most)):
            expect(twice[name] <= 2.2 * least[name] + 65536,
                   f"{name} takes {least[name]} bytes, {twice[name]} for twice the layers")


def main():
    tests = {name: test for name, test in globals().items() if name.startswith("test_")}
    wanted = sys.argv[1:] or tests
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="nnc-command-") as directory:
            os.chdir(directory)
            try:
                reason = tests[name]()
                print(f"skip {name}: {reason}" if reason else f"ok {name}")
            except AssertionError as problem:
                print(f"FAIL {name}: {problem}")
            os.chdir(ROOT)


main()
