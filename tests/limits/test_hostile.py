#!/usr/bin/env python3
"""Sources of up to 1 MiB made to take long or to need much: nnc ends with an error within 2 s of processor time
and 256 MiB (where sanitizers do not change both), and never with an internal error."""

import os
import pathlib
import resource
import subprocess
import tempfile

NNC = os.environ["NNC"]
SANITIZED = os.environ.get("NNC_MODE") in ("asan", "hostile")
SECONDS = 2 if os.environ.get("NNC_MODE", "release") == "release" else 20
MEBIBYTES = 256
LONGEST = 1 << 20


def model(body):
    return f"model m {{\n  dim N <= 4\n  input x[N, 3]\n{body}\n  output y\n}}\n"


def definitions(first, text, count=60):
    """def f0 = first; each next one by `text`, in which @ is its own number and # the number before."""
    rest = (text.replace("@", str(i + 1)).replace("#", str(i)) for i in range(count))
    return first + "\n" + "".join(line + "\n" for line in rest)


def lines(text, count):
    """`text` again and again, with @ its number and # the number before."""
    return "\n".join(text.replace("@", str(i + 1)).replace("#", str(i)) for i in range(count))


SOURCES = {
    "pipes": model("  y = x " + "|> relu " * 149000),
    "terms": model("  y = " + "x + " * 200000 + "x"),
    "terms-in-brackets": model("  y = (" + "x + " * 200000 + "x)"),
    "powers": model("  y = " + "x^" * 400000 + "2"),
    "signs": model("  y = " + "-" * 900000 + "x"),
    "negations": model("  y = if " + "not " * 200000 + "x > 0 then 1 else 0"),
    "choices": model("  y = " + "if x > 1 then 2 else " * 40000 + "3"),
    "static-choices": model("  if N > 1 { y = x } " + "else if training { y = x } " * 35000),
    "open-brackets": model("  y = " + "(" * 900000),
    "closed-brackets": model("  y = " + ")" * 900000),
    "arguments": model("  y = f(" + "x, " * 300000 + "x)"),
    "subscripts": model("  y[n, k] = x[" + "n, " * 300000 + "k]"),
    "packs": model("  y[n] = x[" + "..., " * 200000 + "n]"),
    "packs-of-a-formal": "def f(x[" + "...A, " * 150000 + "N]) -> y[N] { y = x }\n" + model("  y = f(x)"),
    "dots": model("  y = x" + ".a" * 450000),
    "digits": model("  y = x*" + "1" * 900000),
    "stars-of-a-selector": model('  param w = 1\n  y = w*x\n  loss mean(y)\n  train { optimizer sgd(1); freeze "'
                                 + "*a" * 400000 + '" }'),
    "characters": "@ $ ? " * 170000,
    "same-name": model("  y = x\n" * 100000),
    "same-equation": model(lines("  y[n, i] = x[n, i] + @", 35000)),
    "unknown-names": model(lines("  y@ = z@", 50000)),
    "circle": model(lines("  q# = q@ + 1", 20000).replace("q20000", "q0") + "\n  y = q0"),
    "constants": "const c0 = 1\n" + lines("const c@ = c#*1.0001", 30000) + "\n" + model("  y = x*c30000"),
    "definitions-of-definitions": definitions("def f0(x) = x", "def f@(x) = f#(x) + 1", 25000)
                                  + model("  y = f25000(x)"),
    "twice": definitions("def f0(x) = x*x + x", "def f@(x) = f#(f#(x))") + model("  y = f60(x)"),
    "four-times": definitions("def f0(a, b) = a + b", "def f@(a, b) = f#(a*b, a) + f#(b, a)*2")
                  + model("  y = f60(x, x)"),
    "layers-twice": definitions("def f0(x[...]) -> y[...] { y = x }",
                                "def f@(x[...]) -> y[...] { y = x |> f# |> f# }") + model("  y = f60(x)"),
    "repeats": model("  y = x |> " + "repeat(1000, " * 20 + "dense(3)" + ")" * 20),
    "repeats-of-repeats": "def a(x[N, D]) -> y[N, D] { y = x |> repeat(1000, b) }\n"
                          "def b(x[N, D]) -> y[N, D] { y = x |> repeat(1000, dense(D)) }\n"
                          + model("  y = x |> repeat(1000, a)"),
    "one-huge-repeat": "def a(x[...]) -> y[...] { y = x }\n" + model("  y = x |> repeat(2000000000, a)"),
    "imports": 'import "a.nn"\n' * 70000 + model("  y = x"),
}


def limit_time():
    resource.setrlimit(resource.RLIMIT_CPU, (4 * SECONDS, 4 * SECONDS))


def judge(source):
    text = source if len(source) <= LONGEST else source[:LONGEST]
    pathlib.Path("m.nn").write_text(text)
    process = subprocess.Popen([NNC, "m.nn", "-o", "m.c"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               preexec_fn=limit_time)
    said = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds, size = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    if process.returncode != 1 or "error: " not in said:
        return f"status {process.returncode}: {said[:500]}"
    if seconds > SECONDS:
        return f"{seconds:.1f} s"
    if size > MEBIBYTES and not SANITIZED:
        return f"{size:.0f} MiB"
    return "a file was written" if pathlib.Path("m.c").exists() else None


def main():
    with tempfile.TemporaryDirectory(prefix="nnc-hostile-") as folder:
        os.chdir(folder)
        for name, source in SOURCES.items():
            problem = judge(source)
            print(f"FAIL {name}: {problem}" if problem else f"ok {name}", flush=True)


main()
