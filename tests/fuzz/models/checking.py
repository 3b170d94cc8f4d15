"""Which model meets which oracle."""

from comparing import DOUBLE, FLOAT
from oracles import Case, check_layout, check_scaled, interpret, run_c, same_shape
from same_bits import check_same_bits


def check_group(programs, folder, stops=False):
    """Cases, each with its problems. Every case meets the interpreter and one of the two sets of entry
    points in double; some of them also the other oracles. `stops`: no C when the interpreter objects."""
    cases = [Case(program, folder) for program in programs]
    interpret(cases)
    if stops and not all(case.is_fine for case in cases):
        return cases
    good = [case for case in cases if case.is_fine and case.runs]
    for turn, entries in enumerate(("train,infer", "infer,gradients")):
        (folder / entries).mkdir(exist_ok=True)
        some = [case for case in good if case.program.seed % 2 == turn]
        run_c(some, folder, "double", entries, DOUBLE)
    singles = [case for case in good if case.program.seed % 5 == 2 and case.is_fine
               and not (case.program.kinks or case.program.draws or case.program.averages)]
    run_c(singles, folder, "float", "train,infer", FLOAT)
    for case in good:
        if case.is_fine and case.program.seed % 5 == 3:
            check_layout(case, folder)
            if not case.program.draws and not case.program.from_library:
                same_shape(case, "renamed", case.program.renamed_text(), folder)
    check_scaled([case for case in good if case.is_fine and case.program.seed % 10 == 4], folder)
    check_same_bits([case for case in good if case.is_fine and wants_bits(case.program)], folder / "bits")
    return cases


def wants_bits(program):
    return program.is_wide or program.seed % 10 < 2 or program.splits and program.seed % 10 < 6


def check_one(case, folder, oracle):
    """The oracle that has a case fail, once more."""
    interpret([case])
    if case.problems:
        return
    if oracle in ("compiler", "length", "C compiler", "double C"):
        for entries in ("train,infer", "infer,gradients"):
            if case.is_fine:
                run_c([case], folder, "double", entries, DOUBLE)
    elif oracle == "float C":
        run_c([case], folder, "float", "train,infer", FLOAT)
    elif oracle == "fmt":
        check_layout(case, folder)
    elif oracle == "renamed":
        same_shape(case, "renamed", case.program.renamed_text(), folder)
    elif oracle == "loss times 8":
        check_scaled([case], folder)
    elif oracle in ("skipped", "reordered", "printed", "rows", "split batch"):
        check_same_bits([case], folder / "bits")
