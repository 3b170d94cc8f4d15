#!/usr/bin/env python3
"""The examples but digits (see test_digits.py), built by the lines of their own README from the installed package,
outside the tree, and run small: what they reach, and what they say when something is wrong."""

import collections
import gzip
import math
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STRICT = "-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Werror"


def report(name, good, detail=""):
    print(f"ok {name}" if good else f"FAIL {name}: {detail}")
    return not good


def build(examples, name, *options):
    """Runs the lines of the README that begin with nnc and cc; the options are further ones of nnc."""
    page = (examples / name / "README.md").read_text()
    for line in re.findall(r"^    ((?:nnc|cc) .*?)(?: +#.*)?$", page, re.M):
        words = line.replace("cc ", f"cc {STRICT} ", 1).split()
        if words[0] == "nnc" and words[1] != "check":
            words[1:1] = options
        subprocess.run(" ".join(words), shell=True, check=True, cwd=examples / name, stdout=subprocess.PIPE)


def run(examples, name, *arguments, status=0):
    """What the program prints; on standard error, if it is to end with that other status."""
    program = examples / name
    result = subprocess.run([program / name, *arguments], cwd=program, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)
    if result.returncode != status:
        raise RuntimeError(f"{name} {arguments} ends with {result.returncode}: {result.stderr.decode()}")
    return (result.stderr if status else result.stdout).decode(errors="replace")


# ---- custom and pendulum


def check_custom(examples):
    build(examples, "custom")
    plain, robust = (float(word) for word in re.findall(r"accuracy (\S+)", run(examples, "custom")))
    return report("custom-loss-learns-from-half-the-labels", robust >= 0.82 and robust >= plain + 0.05,
                  (robust, plain))


def check_pendulum(examples):
    build(examples, "pendulum")
    error = float(re.search(r"greatest error (\S+)", run(examples, "pendulum"))[1])
    return report("pendulum-swings-as-computed", error < 0.01, error)


# ---- characters


def repeated_words(count, seed=1):
    """Lines such as `gcabh gcabh`, each word one of eight: it takes memory to know how a word goes on, and
    that it comes again."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefgh", k=5)) for _ in range(8)]
    return "".join(f"{word} {word}\n" for word in rng.choices(words, k=count))


def entropy(counts):
    return -sum(n * math.log(n / counts.total()) for n in counts.values()) / counts.total()


def entropy_of_next(text):
    """Nats per byte, at best, of who sees only the byte before."""
    return entropy(collections.Counter(zip(text, text[1:]))) - entropy(collections.Counter(text))


STEP = re.compile(r"^step +(\d+)  training (\S+)  validation (\S+) nats per byte$", re.M)


def measures(out):
    return [(int(step), training, validation) for step, training, validation in STEP.findall(out)]


def check_learning(examples, text):
    out = run(examples, "characters", "text", "--steps", "300", "--every", "150", "--sample", "800")
    step, _, nats = measures(out)[-1]
    failures = report("characters-remember-a-word", step == 300 and float(nats) < 0.5 * entropy_of_next(text),
                      (out, entropy_of_next(text)))
    words = re.findall(r"^(\w{5}) (\w{5})$", out, re.M)
    failures += report("characters-write-what-they-read",
                       len(words) > 12 and sum(a == b for a, b in words) > len(words) / 2, out)
    return failures


def interrupt(examples, name, *arguments):
    """A run that gets a Ctrl-C after the first line that it prints; returns its status and what it prints."""
    program = examples / name
    with subprocess.Popen([program / name, *arguments], cwd=program, stdout=subprocess.PIPE,
                          text=True) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out = first + process.stdout.read()
    return process.returncode, out


def check_interruption(examples):
    limits = ["text", "--every", "5", "--sample", "0"]
    whole = measures(run(examples, "characters", *limits, "--steps", "40"))[-1]
    status, out = interrupt(examples, "characters", *limits, "--steps", "40", "--output", "part")
    step = measures(out)[-1][0]
    resumed = measures(run(examples, "characters", *limits, "--steps", "40", "--resume", "part"))
    return report("characters-go-on-exactly-where-they-were",
                  status == 0 and 5 <= step < 40 and resumed[0][0] > step and resumed[-1] == whole,
                  (status, step, resumed, whole))


def check_errors(examples):
    folder = examples / "characters"
    (folder / "short").write_text("short")
    (folder / "bytes").write_bytes(bytes(range(256)) * 100)
    (folder / "other").write_text("other letters\n" * 2000)
    wrong = {
        ("nowhere",): "nowhere: No such file or directory",
        ("short",): "short has 5 bytes; at least",
        ("bytes",): "bytes has 256 different bytes; build the model with nnc -D V=256",
        ("text", "--resume", "text"): "text: not a weight file",
        ("other", "--resume", "part"): "other has a byte 111, which was not in the text of the weights",
        ("text", "--steps", "0", "--output", "no/where"): "no/where.new: No such file or directory",
        ("text", "--steps", "many"): "'many' is not a whole number of at least 0",
        ("text", "--temperature", "0"): "'0' is not a number above 0",
    }
    failures = 0
    for arguments, message in wrong.items():
        said = run(examples, "characters", *arguments, status=1)
        failures += report("characters-say " + " ".join(arguments), message in said, said)
    said = run(examples, "characters", "--unknown", status=2)
    return failures + report("characters-say-how-they-are-used", "usage: characters" in said, said)


def check_characters(examples):
    text = repeated_words(4000)
    (examples / "characters" / "text").write_text(text)
    build(examples, "characters", "-D", "V=32", "-D", "H=32")
    return check_learning(examples, text) + check_interruption(examples) + check_errors(examples)


# ---- images


def write_idx(path, sizes, data):
    header = bytes((0, 0, 8, len(sizes))) + b"".join(size.to_bytes(4, "big") for size in sizes)
    path.write_bytes(gzip.compress(header + bytes(data)))


def write_images(folder, name, count, seed):
    """Images of class c have a bright bar at row 2c + 4, which goes all the way across, on dark noise."""
    rng = random.Random(seed)
    labels = [rng.randrange(10) for _ in range(count)]
    pixels = bytearray()
    for label in labels:
        for row in range(28):
            pixels += bytes(rng.choices(range(200, 256) if row//2 == label + 2 else range(60), k=28))
    write_idx(folder / f"{name}-images-idx3-ubyte.gz", (count, 28, 28), pixels)
    write_idx(folder / f"{name}-labels-idx1-ubyte.gz", (count,), labels)


def check_images(examples):
    if shutil.which("cc") and subprocess.run(["cc", "-E", "-include", "zlib.h", "-x", "c", "/dev/null"],
                                             capture_output=True).returncode:
        print("skip images: zlib.h is not installed (zlib1g-dev)")
        return 0
    build(examples, "images")
    data = examples / "images" / "data"
    data.mkdir()
    write_images(data, "train", 400, 1)
    write_images(data, "t10k", 130, 2)
    out = run(examples, "images", "--data", "data", "--epochs", "8")
    reached = re.search(r"^test accuracy (\S+)$", out, re.M)
    failures = report("images-tell-bars-apart", reached and float(reached[1]) >= 0.5, out)
    status, out = interrupt(examples, "images", "--data", "data", "--epochs", "8", "--output", "part")
    failures += report("images-are-interrupted", status == 0 and (examples / "images" / "part").exists() and
                       re.search(r"^epoch +1  loss \d.*\n(epoch +2  interrupted\n)?test accuracy \S+\n$", out), out)
    said = run(examples, "images", "--data", "nowhere", status=1)
    failures += report("images-say-where-data-come-from", "dataset-fashion-mnist" in said, said)
    (data / "train-labels-idx1-ubyte.gz").write_bytes((data / "t10k-labels-idx1-ubyte.gz").read_bytes())
    said = run(examples, "images", "--data", "data", status=1)
    return failures + report("images-say-what-does-not-fit", "400 images with 130 labels" in said, said)


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="nnc-examples-") as folder:
        examples = pathlib.Path(folder) / "examples"
        shutil.copytree(ROOT / "examples", examples)
        for check in (check_custom, check_pendulum, check_characters, check_images):
            try:
                failures += check(examples)
            except (subprocess.CalledProcessError, RuntimeError) as error:
                failures += report(check.__name__.replace("_", "-"), False, error)
    return failures != 0


sys.exit(main())
