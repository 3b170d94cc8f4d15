"""Models that are chains of the library's definitions, with an odd equation among them."""

from chance import Chance
from library import DEFINITIONS, choose, evaluate, is_pack, sizes_of, unify, value_for
from program import Node
from sought import Sought
from tensors import NONE, Size, Tensor, declared, fixed, points
from wide import Wide

MOST_OF_A_RESULT = 400
LAYERS = [d for d in DEFINITIONS.values()
          if d.results and d.tensors and d.file not in ("losses", "metrics", "schedules")
          and not (d.tensors[0].kind == "index" and len(d.tensors) > 1)]  # these are no links of a chain
POINTWISE = [d for d in DEFINITIONS.values() if d.is_pointwise and d.file == "activations"]
SCALARS = [d for d in DEFINITIONS.values() if d.results and d.results[0].dims is None]
LOSSES = [d for d in SCALARS if d.file == "losses" and len(d.tensors) > 1]
METRICS = [d for d in SCALARS if d.file == "metrics"]
SMALL = {1: 2, 2: 3, 3: 3, 4: 2, 5: 1}


def divides_by_weights(definition, texts):
    """Whether a loss is a mean by weights, which differ from part to part of a batch."""
    needs = any(formal.name == "weight" and formal.default is None for formal in definition.tensors)
    return needs or any(text.startswith(("weight", "class_weight", "ignore")) for text in texts)


class Compositions(Sought):
    def __init__(self, seed):
        super().__init__(seed)
        self.batch = Size("N0", self.chance.pick([2, 4, 4, 6]))
        self.dims = [self.batch] + [Size("N1", self.chance.pick([1, 3, 5, 7]))]*self.chance.below(2)
        self.program.splits = self.program.from_library = True
        self.weighs = False

    # ---- tensors that a definition needs

    def new_dim(self, name):
        if name == "N" and self.chance.happens(0.85):
            return self.batch
        if name == "T" and len(self.dims) > 1 and self.chance.happens(0.4):
            return self.dims[1]
        if name in ("H", "W", "T", "U"):
            return fixed(self.chance.pick([1, 2, 3, 5, 7, 8, 9]))
        return fixed(self.chance.weighted(SMALL))

    def bind(self, dims, env):
        """Sizes for dims that stand for nothing yet."""
        for dim in dims:
            if is_pack(dim):
                env.setdefault(dim, self.pack(len(dims)))
            elif dim not in env and evaluate(dim, env) is None:
                env[dim] = self.new_dim(dim)

    def pack(self, beside):
        sizes = [self.new_dim("H") for _ in range(self.chance.below(3))]
        return [self.batch, *sizes] if beside < 2 else sizes

    def source(self, formal, env, definition, before):
        """A tensor for a formal: a new input, target or parameter."""
        self.bind(formal.dims or [], env)
        sizes = sizes_of(formal.dims or [], env)
        if sizes is None or points(sizes) > MOST_OF_A_RESULT:
            return None
        if formal.kind == "index":
            return self.whole_source(formal, sizes, env, definition, before)
        if definition.file in ("losses", "metrics"):
            return self.new_target(sizes)
        if all(size.fixed for size in sizes) and self.chance.happens(0.3):
            return self.new_param(sizes)
        return self.new_input(sizes)

    def whole_source(self, formal, sizes, env, definition, before):
        """Whole numbers: lengths from 1 on, or numbers below a size."""
        bound = env.get(formal.default) if formal.default else None
        if bound is None and before is not None:
            bound = before.sizes[-1] if before.sizes else None
        if bound is None:
            bound = fixed(evaluate(definition.hypers[0].name, env) or 1)
        kind = "target" if definition.file in ("losses", "metrics") else "input"
        is_length = bool(formal.default)
        tensor = self.keep(Tensor(self.new_name("x"), sizes, "int", kind, 0, bound.most + is_length))
        low = f"1, {bound.text} + 1" if is_length else bound.text
        self.state(f"{kind} {declared(tensor)} : index({low})")
        return tensor

    # ---- applications

    def arguments(self, definition, first, env, given):
        """What stands behind the first tensor; null: a tensor could not be made."""
        texts, self.taken = [], {first.name}
        for formal in definition.tensors[1:]:
            if formal.default is not None and not self.chance.happens(0.35):
                continue
            tensor = self.source(formal, env, definition, first)
            if tensor is None:
                return None
            texts.append(f"{formal.name} = {tensor.name}" if formal.default else tensor.name)
            self.taken.add(tensor.name)
        for formal in definition.hypers:
            if formal.kind == "fn":
                layer = self.layer_for(first.sizes, definition)
                if layer is None:
                    return None
                texts.append(f"{formal.name} = {layer}")
        return texts + [f"{name} = {text}" for name, text in given.items()]

    def layer_for(self, sizes, outer):
        """A layer that keeps these sizes: what repeats and sums with its input asks for."""
        chosen = list(LAYERS)
        self.chance.shuffle(chosen)
        for definition in chosen:
            env = {}
            if any(f.kind == "fn" for f in definition.hypers) or definition.tensors[0].kind == "index":
                continue
            if any(f.default is None for f in definition.tensors[1:]) or len(definition.results) > 1:
                continue
            if not unify(definition.tensors[0].dims, sizes, env):
                continue
            given = choose(definition, env, self.chance)
            result = given is not None and sizes_of(definition.results[0].dims or ["?"], env)
            if result and result == sizes:
                self.note(definition, given)
                self.note_batch(definition, env)
                return f"{definition.name}({', '.join(f'{n} = {t}' for n, t in given.items())})"
        return None

    def note(self, definition, given=()):
        draws = definition.draws or "drop" in given
        self.program.draws |= draws
        self.weighs |= definition.weighs
        self.program.splits &= not (definition.crosses_batch or draws)
        self.cover("definition", definition.name)

    def note_batch(self, definition, env):
        """A definition may take the batch for something else."""
        self.program.splits &= not any(env[dim] == self.batch for dim in definition.tensors[0].dims
                                       if dim != "N" and not is_pack(dim))

    def apply_layer(self, definition, source):
        """A statement that applies a definition; its first result, or null."""
        env = {}
        if definition.tensors[0].kind == "index" or not unify(definition.tensors[0].dims, source.sizes, env):
            return None
        given = choose(definition, env, self.chance)
        if given is None:
            return None
        texts = self.arguments(definition, source, env, given)
        known = [sizes_of(result.dims, env) if result.dims else None for result in definition.results]
        self.note_batch(definition, env)
        too_large = any(sizes is not None and points(sizes) > MOST_OF_A_RESULT for sizes in known)
        if texts is None or too_large or any(s is None and r.dims for s, r in zip(known, definition.results)):
            return None
        self.note(definition, given)
        results = [Tensor(self.new_name("h"), sizes or [], kind="pointwise", low=-40, high=40)
                   for sizes in known]
        for tensor, sizes in zip(results, known):
            tensor.known, tensor.reads = sizes is not None, self.taken
            tensor.reach = frozenset([source.name]) if source.type == "real" else NONE
        call = f"{source.name} |> {definition.name}({', '.join(texts)})"
        if len(results) > 1 or self.chance.happens(0.5):
            call = f"{definition.name}({', '.join([source.name, *texts])})"
        self.state(Node([f"{', '.join(t.name for t in results)} = {call}"]))
        for tensor in results:
            if tensor.known:
                self.keep(tensor)
        return results[0]

    def apply_pointwise(self, source):
        definition = self.chance.pick(POINTWISE)
        self.note(definition)
        words = [f"{formal.name} = {value_for(formal, self.chance)}".lower()
                 for formal in definition.hypers if self.chance.happens(0.5)]
        tensor = self.keep(Tensor(self.new_name("h"), source.sizes, kind="pointwise", low=-40, high=40))
        tensor.known, tensor.reads, tensor.reach = True, {source.name}, frozenset([source.name])
        self.state(f"{tensor.name} = {source.name} |> {definition.name}({', '.join(words)})" if words
                   else f"{tensor.name} = {definition.name}({source.name})")
        return tensor

    # ---- the whole

    def first_tensor(self, definition):
        """Where the chain starts: what its first definition takes."""
        env, formal = {}, definition.tensors[0]
        if formal.kind == "index":
            hypers = choose(definition, env, self.chance)
            env.update({name: fixed(int(text)) for name, text in hypers.items() if text.isdigit()})
            self.given = hypers
        return self.source(formal, env, definition, None)

    def start(self):
        for _ in range(20):
            definition = self.chance.pick(LAYERS)
            if definition.tensors[0].kind == "index":
                top = self.embed(definition)
            else:
                first = self.first_tensor(definition)
                top = first and self.apply_layer(definition, first)
            if top:
                return top
        return self.apply_pointwise(self.new_input([self.batch, fixed(5)]))

    def embed(self, definition):
        """A definition over whole numbers: their bound is its first hyper-parameter."""
        high, size = self.chance.between(2, 7), self.chance.weighted(SMALL)
        sizes = [self.batch, *self.pack(9)]
        if points(sizes)*size > MOST_OF_A_RESULT:
            return None
        tensor = self.keep(Tensor(self.new_name("x"), sizes, "int", "input", 0, high))
        self.state(f"input {declared(tensor)} : index({high})")
        self.note(definition)
        result = Tensor(self.new_name("h"), [*sizes, fixed(size)], low=-6, high=6)
        padding = f", padding = {self.chance.below(high)}" if self.chance.happens(0.4) else ""
        self.state(f"{result.name} = {definition.name}({tensor.name}, {high}, {size}{padding})")
        result.known, result.kind = True, "pointwise"
        return self.keep(result)

    def grow_chain(self):
        top = self.start()
        for _ in range(self.chance.below(4)):
            if not top.known:
                break
            following = None
            for _ in range(6):
                if self.chance.happens(0.3):
                    following = self.apply_pointwise(top)
                else:
                    following = self.apply_layer(self.chance.pick(LAYERS), top)
                if following:
                    break
            top = following or top
        return top

    def library_loss(self, top):
        for _ in range(10):
            definition, env = self.chance.pick(LOSSES), {}
            if not top.known or not unify(definition.tensors[0].dims, top.sizes, env):
                continue
            given = choose(definition, env, self.chance)
            if given is None:
                continue
            source = top
            if definition.logarithm_of(definition.tensors[0].name):
                source = self.keep(Tensor(self.new_name("h"), top.sizes, kind="pointwise", low=0, high=1))
                self.state(f"{source.name} = 0.05 + 0.9*sigmoid({top.name})")
            texts = self.arguments(definition, source, env, given)
            if texts is None:
                continue
            self.note(definition)
            self.program.splits &= given.get("summed") != "true" and "_sum" not in definition.name
            self.program.splits &= not divides_by_weights(definition, texts)
            call = f"{definition.name}({', '.join([source.name, *texts])})"
            return Node([f"mean({call})" if given.get("each") == "true" else call])
        self.program.splits &= top.known and self.batch in top.sizes
        return Node([f"mean(tanh(0.3*{top.name}))"])

    def finish(self):
        top = self.grow_chain()
        self.state(f"output {top.name}")
        top.is_shown = True
        self.program.losses.append(self.library_loss(top))
        self.program.splits &= top.known and top.sizes[:1] == [self.batch]
        if self.weighs and self.chance.happens(0.3):
            self.program.losses.append(Node([self.chance.pick(["l2(0.01)", "l1(0.003)"])]))
            self.program.splits, self.program.adds_parameters = False, True
        self.add_metrics(top)
        self.add_parameter()
        if self.chance.happens(0.5):
            self.program.splits = False
            self.budget = self.chance.between(1, 3)
            self.add_losses()
        return self.close()

    def add_parameter(self):
        """One that surely has a gradient: layers may have none."""
        tensor = self.new_param([fixed(self.chance.weighted(SMALL))])
        self.program.losses.append(Node([f"mean(({tensor.name} - 0.25)^2)"]))

    def add_metrics(self, top):
        definition, env = self.chance.pick(METRICS), {}
        if top.known and self.chance.happens(0.2) and unify(definition.tensors[0].dims, top.sizes, env):
            texts = self.arguments(definition, top, env, {})
            if texts is not None:
                self.cover("definition", definition.name)
                self.state(f"metric {self.new_name('a')} = {definition.name}({', '.join([top.name, *texts])})")


WIDE = 23  # one in so many models


def random_program(seed):
    kind = Wide if seed % WIDE == 0 else Compositions if Chance(~seed).happens(0.2) else Sought
    return kind(seed).finish()
