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

    def __init__(self, name, prepare, environment=None):
        self.name, self.prepare = name, prepare
        self.environment = environment

    def start(self, model):
        command = self.prepare(model)
        return lambda plan: sample_of(building.call([*command(*plan)], env=self.environment))


def generated(compiler, machine=building.NATIVE, threads=1, name=None, instead=None):
    """The C that nnc writes for a model (or for the one that is measured instead), built by a C compiler."""

    def prepare(asked):
        model = instead or asked
        program = building.build_generated(model, compiler, machine, threads)
        return lambda warmups, steps: [program, building.PLACE / "data" / model.data, warmups, steps,
                                       *(model.entry or ("train_step",))]

    return Program(name or f"nnc {compiler}", prepare, dict(os.environ, OMP_NUM_THREADS=str(threads)))


def stored(compiler, threads=1, name=None):
    """The kernel written by hand, where the model has one."""

    def prepare(model):
        if not model.stored:
            raise NotMeasured("no stored kernel")
        program = building.build_stored(model.stored, compiler)
        return lambda warmups, steps: [program, threads, warmups, steps]

    return Program(name or f"kernel {compiler}", prepare)


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
            environment = dict(peer_environment(), **limits_of(self.threads))
            self.process = subprocess.Popen(
                [self.python, building.PROGRAMS / self.script, self.setting, str(self.threads)], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
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
            self.process.terminate()
            self.process.wait()


def peer_environment():
    """OpenBLAS chooses its kernels itself, but where it does not know a processor with AVX-512 and takes those of
    the oldest: then those of the first such processor, which are its best here."""
    clean = {name: value for name, value in os.environ.items()
             if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    program = ("import ctypes\nf = ctypes.CDLL('libopenblas.so.0').openblas_get_corename\n"
               "f.restype = ctypes.c_char_p\nprint(f().decode())")
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=clean)
    if ran.stdout.strip() == "Prescott" and building.avx512():
        clean["OPENBLAS_CORETYPE"] = "SkylakeX"
    return clean


def limits_of(threads):
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "DNNL_NUM_THREADS")
    limits = {name: str(threads) for name in names}
    if threads == 1:
        limits["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return limits


def interpreters():
    """Python's to ask for peers: those named by BENCH_PYTHONS, this one, Debian's."""
    named = os.environ.get("BENCH_PYTHONS", "").split()
    found = [shutil.which(name) for name in (*named, sys.executable, "/usr/bin/python3")]
    return list(dict.fromkeys(path for path in found if path))


def versions(python):
    """{module: version} of what this interpreter can import."""
    program = ("import importlib.metadata as m, importlib.util as u\n"
               "for n in ('torch', 'jax', 'onnxruntime', 'onnx'):\n"
               "    if u.find_spec(n): print(n, m.version(n))\n")
    try:
        found = dict(line.split() for line in building.call([python, "-c", program]).splitlines())
        return {name: version.partition("+")[0] for name, version in found.items()}
    except Failed:
        return {}


TORCH_SETTINGS = {"loop": "", "foreach": " foreach", "channels_last": " channels last"}


def training_peers(threads=1):
    """Every peer that trains; of one version the first interpreter's."""
    peers = {}
    for python in interpreters():
        there = versions(python)
        if "torch" in there:
            label = f"PyTorch {there['torch']}"
            settings = dict(TORCH_SETTINGS)
            if int(there["torch"].split(".")[0]) >= 2:
                settings["compile"] = " compile"
            for setting, words in settings.items():
                peers.setdefault(label + words, (python, "torch_steps.py", setting))
        if "jax" in there:
            peers.setdefault(f"JAX {there['jax']}", (python, "jax_steps.py", "jit"))
    return [Server(name, *start, threads) for name, start in peers.items()]


def product_of(library):
    """A product of OpenBLAS or oneDNN by its development package."""
    define, link = {"OpenBLAS": ([], "-lopenblas"), "oneDNN": (["-DONEDNN"], "-ldnnl")}[library]

    def prepare(model):
        kind, extents = model.name.split("_")
        if kind == "conv" and library != "oneDNN":
            raise NotMeasured("has no convolutions")
        source = "convolution" if kind == "conv" else "product"
        try:
            program = building.once(f"{source}-{library}", ["gcc", "-O3", *define],
                                    [building.PROGRAMS / f"{source}.c"], [link])
        except Failed as problem:
            raise NotMeasured(f"{library} is not installed, or of another version") from problem
        shape = [] if kind == "conv" else [*extents.split("x"), {"ab": "", "atb": "a", "abt": "b"}[kind]]
        return lambda warmups, steps: [program, building.PLACE / "data" / model.data, *shape, warmups, steps]

    return Program(library, prepare, dict(peer_environment(), **limits_of(1)))


SAMPLES = {"mlp_infer": (1, 784), "cnn_infer": (1, 1, 28, 28), "lstm_infer": (1, 1, 32)}


def onnx_runtime():
    """ONNX Runtime by its C interface, out of the first interpreter that has it and `onnx` to write the models."""
    for python in interpreters():
        there = versions(python)
        if "onnxruntime" in there and "onnx" in there:
            break
    else:
        python, there = None, {"onnxruntime": ""}

    def prepare(model):
        if not python:
            raise NotMeasured("no Python has onnxruntime and onnx")
        package = building.call([python, "-c", "import onnxruntime as o; print(o.__path__[0])"]).strip()
        libraries = sorted(pathlib.Path(package).glob("capi/libonnxruntime.so*"))
        if not libraries:
            raise NotMeasured("no library in the package")
        program = building.once("onnxruntime", ["gcc", "-O3"], [building.PROGRAMS / "onnxruntime.c"], ["-ldl"])
        folder = building.PLACE / "onnx"
        building.call([python, building.PROGRAMS / "onnx_models.py", building.PLACE / "data", folder])
        return lambda warmups, steps: [program, libraries[0], folder / f"{model.name}.onnx",
                                       building.PLACE / "data" / model.data, warmups, steps, *SAMPLES[model.name]]

    return Program(f"ONNX Runtime {there['onnxruntime']}".strip(), prepare)


class Bandwidth(Contender):
    """Seconds for a byte of memory behind the caches, with the name of the limit that it is."""

    name = "bandwidth"

    def start(self, _model):
        program = building.once("bandwidth", ["gcc", "-O3", "-march=native"], [building.PROGRAMS / "bandwidth.c"])

        def measure(_plan):
            sample = sample_of(building.call([program, 1, 1]))
            return Sample(sample.processor / sample.loss, sample.clock / sample.loss, sample.loss)

        return measure


class OtherCore(Contender):
    """Seconds for a line of memory that the other core has: one that it wrote, `read`, or one that it read, `written`."""

    def __init__(self, what):
        self.what, self.name = what, f"line {what}"

    def start(self, _model):
        program = building.once("other_core", ["gcc", "-O3", "-march=native", "-fopenmp"],
                                [building.PROGRAMS / "other_core.c"])
        environment = dict(os.environ, OMP_NUM_THREADS="2", OMP_PROC_BIND="true")
        return lambda _plan: sample_of(building.call([program, self.what], env=environment))
