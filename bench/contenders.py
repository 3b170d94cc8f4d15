"""Who takes part. A contender prepares a model once, and then measures rounds of it: all from the same state,
each some steps that are not timed and some that are."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
from dataclasses import dataclass

import building
from building import Failed, NotMeasured


@dataclass(frozen=True)
class Sample:
    """Of one step, in seconds: of the processor, summed over threads, and of the clock. The last loss."""

    processor: float
    clock: float
    loss: float


def sample_of(line):
    processor, clock, loss = (float(word) for word in line.split())
    return Sample(processor, clock, loss)


class Contender:
    def stop(self):
        """After all models."""


class Program(Contender):
    """A program that measures one round and ends: `prepare(model)` gives its command line."""

    def __init__(self, name, prepare, environment=()):
        self.name, self.prepare = name, prepare
        self.environment = dict(os.environ, **dict(environment))

    def start(self, model):
        command = self.prepare(model)
        return lambda plan: sample_of(building.call([*command(*plan)], env=self.environment))


def generated(compiler, machine=building.NATIVE, threads=1, options=(), name=None):
    """The C that nnc writes for a model, built by a C compiler."""

    def prepare(model):
        program = building.build_generated(model.source, compiler, machine, (*model.options, *options), threads,
                                           model.name)
        return lambda warmups, steps: [program, building.PLACE / "data" / model.data, warmups, steps, *model.entry]

    return Program(name or f"nnc {compiler}", prepare, {"OMP_NUM_THREADS": str(threads)}.items())


def stored(compiler, threads=1):
    """The kernel written by hand, where the model has one."""

    def prepare(model):
        if not model.stored:
            raise NotMeasured("no stored kernel")
        program = building.build_stored(model.stored, compiler)
        return lambda warmups, steps: [program, threads, warmups, steps]

    return Program(f"kernel {compiler}", prepare)


class Peak(Contender):
    """The limit: a step is so many operations of the machine, whatever the model."""

    name = "peak"

    def __init__(self, march="native"):
        self.march = march

    def start(self, _model):
        program = building.build_peak(self.march)

        def measure(_plan):
            sample = sample_of(building.call([program, 2, 40]))
            return Sample(sample.processor / sample.loss, sample.clock / sample.loss, sample.loss)

        return measure


class Server(Contender):
    """A peer in Python, started once: it is sent lines of JSON and answers each with a sample."""

    def __init__(self, name, python, script, setting, threads=1):
        self.name, self.python, self.script, self.setting, self.threads = name, python, script, setting, threads
        self.process = None

    def start(self, model):
        if self.process is None:
            limits = {"OMP_NUM_THREADS": str(self.threads), "OPENBLAS_NUM_THREADS": str(self.threads),
                      "MKL_NUM_THREADS": str(self.threads)}
            if self.threads == 1:
                limits["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
            self.process = subprocess.Popen(
                [self.python, building.PROGRAMS / self.script, self.setting, str(self.threads)], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(peer_environment(), **limits))
        self.ask(model, (0, 0))
        return lambda plan: self.ask(model, plan)

    def ask(self, model, plan):
        question = {"model": model.name, "data": str(building.PLACE / "data" / model.data), "plan": plan}
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise Failed(f"{self.name} ended")
        if answer.startswith("not measured"):
            raise NotMeasured(answer.removeprefix("not measured: ").strip())
        return sample_of(answer)

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()


def peer_environment():
    """A setting for one library's kernels would make it another contender."""
    return {name: value for name, value in os.environ.items()
            if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}


def interpreters():
    """Python's to ask for peers: those named by BENCH_PYTHONS, this one, Debian's."""
    named = os.environ.get("BENCH_PYTHONS", "").split()
    found = [shutil.which(name) for name in (*named, sys.executable, "/usr/bin/python3")]
    return list(dict.fromkeys(path for path in found if path))


def versions(python):
    """{module: version} of what this interpreter can import."""
    program = ("import importlib.metadata as m, importlib.util as u\n"
               "for n in ('torch', 'jax', 'onnxruntime'):\n"
               "    if u.find_spec(n): print(n, m.version(n))\n")
    try:
        return dict(line.split() for line in building.call([python, "-c", program]).splitlines())
    except Failed:
        return {}


TORCH_SETTINGS = {"loop": "", "foreach": " foreach", "channels_last": " channels last"}


def training_peers(threads=1):
    """Every peer that trains, of every interpreter."""
    peers = []
    for python in interpreters():
        there = versions(python)
        if "torch" in there:
            label = f"PyTorch {there['torch']}"
            settings = dict(TORCH_SETTINGS)
            if int(there["torch"].split(".")[0]) >= 2:
                settings["compile"] = " compile"
            peers += [Server(label + words, python, "torch_steps.py", setting, threads)
                      for setting, words in settings.items()]
        if "jax" in there:
            peers.append(Server(f"JAX {there['jax']} jit", python, "jax_steps.py", "jit", threads))
    return peers
