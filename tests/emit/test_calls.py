#!/usr/bin/env python3
"""What the entry points of generated programs promise besides numbers: training goes on from a weight file
as if never interrupted; a call that is refused or whose loss is not finite says why and changes nothing;
accumulated gradients make the step of one large batch; a train block moves what is not frozen;
hyper-parameters, parameters and states are reached by name; live states make a sequence of its steps."""

import math
import pathlib
import sys
import tempfile

import generated
from generated import distance

OK, E_EXTENT, E_INDEX, E_VALUE, E_NOT_FINITE, E_INVALID, E_MODEL = 0, 1, 2, 3, 4, 5, 9
STEPS = 20
MEAN_LOSSES = ("classify", "frozen", "regression", "runtime", "shared")  # and no statistics of a batch
STEEP = """model steep {
  input x[3]
  param w[3] = 0
  loss sum[i](sqrt(w[i]*x[i]))
  train { optimizer sgd(0.1) }
}
model spell {
  dim N <= 2, T <= 4, S = 2
  input x[N, T, 3]
  input len[N] : index(T + 1)
  target t[N, S] : index(3)
  target size[N] : index(S + 1)
  loss x |> dense(3) |> ctc(t, len, size)
  train { optimizer sgd(0.1) }
}
"""  # at 0 the loss of steep is finite, but its gradient is not; that of spell is inf without a path
WIDE = """model wide {
  input x[8, 64]
  input c[96]
  param W[64, 96] = 0
  z[n, k] = c[k] + sum[i](x[n, i]*W[i, k])
  loss sum[n, k](sqrt(z[n, k]))
  train { optimizer sgd(1e-6) }
}
model many {
  input c[96]
  param b[96] = 0
  loss sum[k](sqrt(c[k] + b[k]))
  train { optimizer sgd(1e-6) }
}
"""  # one column of W becomes infinite where c is 0, in a tile of vectors; and one number of b, in a loop


class Programs:
    """All programs of tests/programs, and four that can fail, in one driver."""

    def __init__(self, folder):
        self.folder = folder
        models = generated.program_models()
        steep = folder / "steep.nn"
        steep.write_text(STEEP)
        source = generated.joined(dict(models, steep=steep), folder / "programs.nn")
        c = generated.compile_source(source, ["--emit=train,infer,gradients"])
        wide = folder / "wide.nn"
        wide.write_text(WIDE)
        tiled = generated.compile_source(wide, ["--target=x86-64"])
        self.driver = generated.build_driver(folder, [c, tiled], [*models, "steep", "spell", "wide", "many"])
        self.descriptions = generated.describe(self.driver, models)
        self.blocks = {name: self.steps_of(description)
                       for name, description in self.descriptions.items()}

    @staticmethod
    def steps_of(description):
        return [entry for entry in description["entries"]
                if entry.endswith("_step") and entry != "eval_step"]

    def drive(self, *requests):
        return generated.drive(self.driver, requests)

    def inputs(self, name, seed=1, **sizes):
        described = generated.describe(self.driver, [name], sizes=sizes)[name]
        return generated.draw_inputs(described, seed)

    def kept(self, name):
        return generated.kept_names(self.descriptions[name])


def check_resuming_is_exact(programs):
    problems = []
    for name, blocks in programs.blocks.items():
        path = str(programs.folder / "weights")
        common = dict(model=name, entry=blocks[0], steps=STEPS)
        inputs = programs.inputs(name)
        whole, first = programs.drive(dict(common, set=inputs, steps=2 * STEPS),
                                      dict(common, set=inputs, save=path))
        rest, = programs.drive(dict(common, seed=99, set=inputs, load=path))
        if first["save"] != OK or rest["load"] != OK:
            problems.append(f"{name}: save {first['save']}, load {rest['load']}")
        if rest["hash"] != whole["hash"] or first["losses"] + rest["losses"] != whole["losses"]:
            problems.append(f"{name}: other bits after loading")
    return problems


def check_hyper_parameters_are_set_and_saved(programs):
    path = str(programs.folder / "weights")
    inputs = programs.inputs("runtime")
    common = dict(model="runtime", steps=STEPS)
    still, changed, default = programs.drive(dict(common, set=dict(inputs, rate=0, decay=0), ask=["f.dense.W"]),
                                             dict(common, set=dict(inputs, rate=0.02), save=path),
                                             dict(common, set=inputs))
    initial, = programs.drive(dict(model="runtime", ask=["f.dense.W"]))
    loaded, = programs.drive(dict(common, set=inputs, load=path))
    whole, = programs.drive(dict(common, set=dict(inputs, rate=0.02), steps=2 * STEPS))
    return [what for what, good in (
        ("a rate of 0 moved a weight", still["values"] == initial["values"]),
        ("another rate made no difference", changed["hash"] != default["hash"]),
        ("the rate was not saved", loaded["hash"] == whole["hash"])) if not good]


def check_refused_calls_change_nothing(programs):
    problems = []
    for name, description in programs.descriptions.items():
        for entry in programs.blocks[name]:
            inputs = programs.inputs(name)
            for what, code, request in refused(name, description, inputs):
                result, = programs.drive(dict(request, model=name, entry=entry, steps=1))
                if result["codes"] != [code] or not result["unchanged"]:
                    problems.append(f"{name}, {what}: code {result['codes']}, expected {code}, "
                                    f"unchanged: {result['unchanged']}")
    return problems


def refused(name, description, inputs):
    """(what, code, request) for each way to call a training step wrongly."""
    for dim, most in description["dims"].items():
        yield f"{dim} = 0", E_EXTENT, dict(sizes={dim: 0})
        yield f"{dim} = {most + 1}", E_EXTENT, dict(sizes={dim: most + 1})
    for tensor in generated.of_kind(description, "input", "target"):
        values = list(inputs[tensor["name"]])
        if tensor["kind"] == "target" and name == "pair":
            continue  # read by one of its two losses only
        if tensor["type"] >= 2:
            for label in (-1, 1000):
                yield "a label", E_INDEX, dict(set=dict(inputs, **{tensor["name"]: values[:-1] + [label]}))
        else:
            spoilt = dict(inputs, **{tensor["name"]: ["nan"] + values[1:]})
            yield f"NaN in {tensor['name']}", E_NOT_FINITE, dict(set=spoilt)


def check_labels_and_lengths(programs):
    """Labels of a class, the one that is ignored, and lengths up to the sizes of the call."""
    tags = dict(t=[0, 1, 2, 2, 1, 0], len=[3, 2], x=[0.5] * 18, w=[1, 2])
    spell = dict(t=[1, 2, 2, 2], len=[3, 3], size=[2, 1], x=[0.5] * 18)
    asked = [("tags", tags, OK, {}), ("spell", spell, OK, {}),
             ("tags", tags, OK, dict(t=[2] * 6)), ("tags", tags, OK, dict(len=[0, 0])),
             ("tags", tags, E_INDEX, dict(t=[0, 1, 2, 2, 1, 3])), ("tags", tags, E_INDEX, dict(t=[-1] + [1] * 5)),
             ("tags", tags, E_INDEX, dict(len=[3, 4])), ("tags", tags, E_INDEX, dict(len=[-1, 3])),
             ("spell", spell, E_INDEX, dict(t=[1, 2, 3, 2])), ("spell", spell, E_INDEX, dict(t=[1, 2, -1, 2])),
             ("spell", spell, E_INDEX, dict(len=[4, 3])), ("spell", spell, E_INDEX, dict(len=[3, -1])),
             ("spell", spell, E_INDEX, dict(size=[2, 3])), ("spell", spell, E_INDEX, dict(size=[-1, 2])),
             ("spell", spell, E_NOT_FINITE, dict(len=[3, 1], size=[2, 2])),
             ("spell", spell, E_NOT_FINITE, dict(len=[3, 2], size=[2, 2]))]
    results = programs.drive(*[dict(model=name, sizes=dict(N=2, T=3), set=dict(values, **change), steps=1)
                               for name, values, _, change in asked])
    return [f"{name} with {change}: code {result['codes']}, unchanged: {result['unchanged']}"
            for (name, _, code, change), result in zip(asked, results)
            if result["codes"] != [code] or (code != OK and not result["unchanged"])]


def check_a_bad_gradient_makes_the_model_invalid(programs):
    path = str(programs.folder / "weights")
    good = dict(model="steep", set={"x": 1, "w": 1}, steps=1, save=path)
    bad = dict(model="steep", set={"x": 1}, steps=2)
    loaded = dict(model="steep", load=path, set={"x": 1}, steps=1)
    codes = [result["codes"] for result in programs.drive(good, bad, loaded)]
    return [] if codes == [[OK], [E_NOT_FINITE, E_INVALID], [OK]] else [f"codes {codes}"]


def check_each_new_parameter_is_tested(programs):
    problems = []
    for model in ("wide", "many"):
        for zero in (None, 0, 50, 95):
            inputs = dict(c=[float(k != zero) for k in range(96)])
            if model == "wide":
                inputs["x"] = [1] * (8 * 64)
            result, = programs.drive(dict(model=model, set=inputs, steps=2))
            expected = [OK, OK] if zero is None else [E_NOT_FINITE, E_INVALID]
            if result["codes"] != expected:
                problems.append(f"{model}, infinite at {zero}: codes {result['codes']}")
    return problems


def check_other_models_files_are_refused(programs):
    path = str(programs.folder / "weights")
    programs.drive(dict(model="classify", save=path))
    result, = programs.drive(dict(model="regression", load=path))
    fresh, = programs.drive(dict(model="regression"))
    good = result["load"] == E_MODEL and result["hash"] == fresh["hash"]
    return [] if good else [f"code {result['load']}"]


def check_accumulating_is_one_large_batch(programs):
    problems = []
    for name in MEAN_LOSSES:
        path = str(programs.folder / "weights")
        halves = [programs.inputs(name, seed, N=2) for seed in (1, 2)]
        together = {tensor: halves[0][tensor] + halves[1][tensor] for tensor in halves[0]}
        programs.drive(dict(model=name, entry="accumulate", sizes={"N": 2}, batches=halves, save=path))
        trained = [tensor["name"] for tensor in generated.of_kind(programs.descriptions[name], "param")]
        applied, = programs.drive(dict(model=name, entry="apply", load=path, steps=1,
                                       ask=trained + ["sum.samples"]))
        at_once, = programs.drive(dict(model=name, sizes={"N": 4}, set=together, steps=1, ask=trained))
        gap = max(distance(applied["values"][tensor], at_once["values"][tensor]) for tensor in trained)
        if applied["codes"] != [OK] or gap > 1e-5 or applied["values"]["sum.samples"] != [0]:
            problems.append(f"{name}: codes {applied['codes']}, weights differ by {gap:.2g}")
    return problems


def check_applying_nothing_is_refused(programs):
    result, = programs.drive(dict(model="classify", entry="apply", steps=1))
    good = result["codes"] == [E_VALUE] and result["unchanged"]
    return [] if good else [f"code {result['codes']}"]


def check_blocks_leave_what_is_frozen(programs):
    names = [tensor["name"] for tensor in generated.of_kind(programs.descriptions["pair"], "param")]
    common = dict(model="pair", set=programs.inputs("pair"), ask=names)
    before, one, two = programs.drive(common, dict(common, entry="reconstruct_step", steps=3),
                                      dict(common, entry="predict_step", steps=3))
    moved = [{name for name in names if result["values"][name] != before["values"][name]}
             for result in (one, two)]
    expected = [{name for name in names if not name.startswith("guess.")},
                {name for name in names if name.startswith("guess.")}]
    return [] if moved == expected else [f"moved {moved}"]


def step_of(description, inputs, t):
    """The inputs [N, T, ..] of one step, as those of sequences of length 1."""
    values = {}
    for tensor in generated.of_kind(description, "input"):
        n, length, *rest = tensor["shape"]
        size = math.prod(rest)
        starts = [(i * length + t) * size for i in range(n)]
        values[tensor["name"]] = sum((inputs[tensor["name"]][start:start + size] for start in starts), [])
    return values


def check_sequences_go_step_by_step(programs):
    """With states that are @live `infer` makes the same bits of a sequence at once and of its steps."""
    problems = []
    for name, output in (("language_model", "p"), ("live", "y")):
        description, path = programs.descriptions[name], str(programs.folder / "weights")
        inputs, length = programs.inputs(name), description["dims"]["T"]
        whole, after = programs.drive(dict(model=name, set=inputs, ask=[output]),
                                      dict(model=name, set=inputs, entry="infer", steps=1, save=path))
        stepped, start = [], {}
        for t in range(length):
            step = dict(model=name, sizes={"T": 1}, set=step_of(description, inputs, t), **start)
            found, last = programs.drive(dict(step, ask=[output]),
                                         dict(step, entry="infer", steps=1, save=path))
            stepped.append(found["values"][output])
            start = dict(load=path)
        rows, size = whole["values"][output], len(stepped[0]) // description["dims"]["N"]
        expected = [sum((rows[(n * length + t) * size:][:size] for n in range(description["dims"]["N"])), [])
                    for t in range(length)]
        if stepped != expected or last["hash"] != after["hash"]:
            problems.append(f"{name}: other bits step by step")
    return problems


def check_tensors_by_name(programs):
    problems = []
    for name in programs.descriptions:
        kept = programs.kept(name)
        first, = programs.drive(dict(model=name, seed=3, ask=kept))
        second, = programs.drive(dict(model=name, seed=4, set=first["values"], ask=kept))
        if second["values"] != first["values"] or first["selftest"] != OK:
            problems.append(f"{name}: other values than were set, or self-test {first['selftest']}")
    return problems


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="nnc-calls-") as folder:
        try:
            programs = Programs(pathlib.Path(folder))
        except generated.Failure as failure:
            return generated.report("programs", [str(failure)])
        for check in (check_resuming_is_exact, check_hyper_parameters_are_set_and_saved,
                      check_refused_calls_change_nothing, check_labels_and_lengths,
                      check_a_bad_gradient_makes_the_model_invalid,
                      check_each_new_parameter_is_tested, check_other_models_files_are_refused,
                      check_accumulating_is_one_large_batch, check_applying_nothing_is_refused,
                      check_blocks_leave_what_is_frozen, check_sequences_go_step_by_step,
                      check_tensors_by_name):
            try:
                problems = check(programs)
            except generated.Failure as failure:
                problems = [str(failure)]
            failures += generated.report(check.__name__.removeprefix("check_").replace("_", "-"), problems)
    return failures != 0


sys.exit(main())
