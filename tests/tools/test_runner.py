#!/usr/bin/env python3
"""tests/run on small trees with an nnc that is a shell script: what must fail does fail."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

RUN = pathlib.Path(__file__).resolve().parent.parent / "run"
SCRIPT = "#!/bin/sh\necho ok always\n"
SAYS_ERROR = 'echo "$2:2:1: error: no such thing [NN0201]" >&2; exit 1'
MARKED = "# run: check\nx #~ ERROR no such thing\n"
EXPECTED = "# exit 1\na.nn:2:1: error: no such thing [NN0201]\n"

# Name, body of nnc, files, tests passed and failed besides the script and the unit test of every tree.
CASES = [
    ("a-golden-that-agrees-passes", SAYS_ERROR, {"a.nn": MARKED, "a.expected": EXPECTED}, 1, 0),
    ("an-empty-tree-fails", "", {}, -1, 2),
    ("a-difference-fails", SAYS_ERROR, {"a.nn": MARKED, "a.expected": "other\n"}, 0, 1),
    ("a-missing-expectation-fails", SAYS_ERROR, {"a.nn": MARKED}, 0, 1),
    ("an-expectation-alone-fails", SAYS_ERROR,
     {"a.nn": MARKED, "a.expected": EXPECTED, "b.expected": ""}, 1, 1),
    ("an-unmarked-error-fails", SAYS_ERROR,
     {"a.nn": "# run: check\nx\n", "a.expected": EXPECTED}, 0, 1),
    ("a-mark-without-its-error-fails", "", {"a.nn": MARKED, "a.expected": ""}, 0, 1),
    ("two-marks-need-two-errors", SAYS_ERROR,
     {"a.nn": "# run: check\nx #~ ERROR no such #~ ERROR thing\n", "a.expected": EXPECTED},
     0, 1),
    ("a-mark-may-stand-below-its-line", SAYS_ERROR,
     {"a.nn": "# run: check\nx\n#~^ ERROR NN0201\n", "a.expected": EXPECTED}, 1, 0),
    ("an-internal-error-fails-though-expected", "exit 70",
     {"a.nn": "# run: check\n", "a.expected": "# exit 70\n"}, 0, 1),
    ("a-silent-script-fails", SAYS_ERROR,
     {"a.nn": MARKED, "a.expected": EXPECTED, "test_b.sh": "#!/bin/sh\n"}, 1, 1),
    ("a-script-that-dies-fails", SAYS_ERROR,
     {"a.nn": MARKED, "a.expected": EXPECTED, "test_b.sh": SCRIPT + "exit 3\n"}, 2, 1),
    ("a-skip-for-shared-that-is-there-fails", SAYS_ERROR,
     {"a.nn": MARKED, "a.expected": EXPECTED, "test_b.sh": "#!/bin/sh\necho 'skip b: no ../shared'\n"},
     1, 1),
    ("documentation-is-run", SAYS_ERROR, {"a.nn": MARKED, "a.expected": EXPECTED, "../README.md":
     "<!-- test -->\n```sh\necho a; echo b\n```\n<!-- output -->\n```\na\n...\n```\n```c\nint x;\n```\n"
     "```nn\nwrong\n```\n"}, 3, 2),
]


def run_case(nnc, files, directory):
    """The last line of tests/run over a tree of `files` beside one script that passes."""
    root = pathlib.Path(directory) / "tree"
    (root.parent / "shared").mkdir()
    (root / "docs").mkdir(parents=True)
    build, tests = root / "build", root / "tests"
    build.mkdir()
    tests.mkdir()
    shutil.copy(RUN, tests / "run")
    programs = {build / "nnc": "#!/bin/sh\n" + nnc + "\n",
                build / "unit-tests": "#!/bin/sh\n" + ("echo 1..1; echo 'ok - suite::test'\n" if files else "exit 0\n")}
    for path, text in {**programs, **{tests / name: text for name, text in files.items()}}.items():
        path.write_text(text)
        path.chmod(0o755)
    (tests / "test_always.sh").write_text(SCRIPT)
    (tests / "test_always.sh").chmod(0o755)
    env = dict(os.environ, NNC_BUILD=str(build), NNC_MODE="release", NNC_CFLAGS="")
    ran = subprocess.run([str(tests / "run")], env=env, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout


def main():
    wrong = 0
    for name, nnc, files, passed, failed in CASES:
        with tempfile.TemporaryDirectory() as directory:
            status, out = run_case(nnc, files, directory)
        totals = f"{passed + 2} passed, {failed} failed, 0 skipped"
        good = out.endswith(totals + "\n") and status == (1 if failed else 0)
        wrong += not good
        print(f"ok {name}" if good else f"FAIL {name}: expected {totals}\n{out}")
    return wrong != 0


sys.exit(main())
