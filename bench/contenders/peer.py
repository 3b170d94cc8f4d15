"""What peers in Python share: the data, and answering questions of ../contenders.py on standard input."""

import gc
import json
import sys
import time

import numpy


def read(path):
    """{name: array of one axis}: whole numbers for labels and symbols."""
    arrays = {}
    with open(path, "rb") as file:
        while line := file.readline():
            name, size = line.decode().split()
            words = numpy.frombuffer(file.read(int(size)), dtype="<i4")
            whole = name == "t" or (name == "x" and words.min() >= 0 and words.max() < 65536)
            arrays[name] = words.astype("int64") if whole else words.view("<f4").copy()
    return arrays


def serve(make):
    """make(model, arrays) gives an object with reset(), step(), and loss(), which waits for the last step; or
    None for a model that this peer does not measure."""
    made = {}
    gc.disable()
    for line in sys.stdin:
        question = json.loads(line)
        name = question["model"]
        if name not in made:
            made[name] = make(name, read(question["data"]))
        print(answer(made[name], *question["plan"]), flush=True)
        gc.collect()


def answer(model, warmups, steps):
    if model is None:
        return "not measured: not written for this peer"
    model.reset()
    for _ in range(warmups):
        model.step()
    if warmups:
        model.loss()
    if not steps:
        return "0 0 0"
    processor, clock = time.process_time(), time.perf_counter()
    for _ in range(steps):
        model.step()
    loss = model.loss()
    processor, clock = time.process_time() - processor, time.perf_counter() - clock
    return f"{processor / steps:.9g} {clock / steps:.9g} {loss:.7g}"
