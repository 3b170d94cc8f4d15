"""Gated recurrent units by other programs: over several steps, by states, gates and biases that all differ from 0."""

from cases import Case, Expected


def flat(nested):
    return [number for part in nested for number in flat(part)] if isinstance(nested, list) else [nested]


def turned(rows, order, size):
    """theirs[gate*size + k][i] as ours[i, gate, k]."""
    return [rows[gate * size + k][i] for i in range(len(rows[0])) for gate in order for k in range(size)]


def biases(layer, order, size, reset_after):
    """b[gate, k], and bn[k] where the reset comes after the product, which has a bias of its own then."""
    of_input, of_state = ([layer[name][gate * size + k] for gate in order for k in range(size)] for name in ("Wb", "Rb"))
    joined = 2 * size if reset_after else 3 * size
    b = [a + c for a, c in zip(of_input, of_state[:joined])] + of_input[joined:]
    return {"b": b, "bn": of_state[joined:]} if reset_after else {"b": b}


def case(record):
    order = [record["gates"].index(letter) for letter in ("r", "z", record["gates"][2])]
    x, after = record["x"], record["reset_after"]
    c = Case(record["id"])
    c.precision = "double"
    c.input("x0", [len(x), len(x[0]), len(x[0][0])], flat(x))
    c.line("h0[n, t, i] = x0[t, n, i]")
    for number, layer in enumerate(record["layers"], 1):
        start, path = layer["start"], f"h{number}"
        size = len(start[0])
        c.input(f"s{number}", [len(start), size], flat(start))
        c.line(f"{path} = gru(h{number - 1}, h0 = s{number}, H = {size}, reset_after = {str(after).lower()})")
        c.values |= {f"{path}.Wx": turned(layer["W"], order, size), f"{path}.Wh": turned(layer["R"], order, size)}
        c.values |= {f"{path}.{name}": data for name, data in biases(layer, order, size, after).items()}
    c.line(f"output y[t, n, k] = {path}[n, t, k]")
    c.expected = {"y": Expected(flat(record["y"]), record["tolerance"], 0)}
    return c
