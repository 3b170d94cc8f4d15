#!/usr/bin/env python3
"""The plan of memory: what scratch takes is close to what is alive at once, in every model that there is."""

import concurrent.futures
import os
import pathlib
import re
import subprocess

NNC = os.environ["NNC"]
MODELS = ("examples/*/*.nn", "bench/models/*.nn", "learn/*.nn", "tests/programs/*.nn", "tests/papers/*.nn", "tests/notes/*.nn")
MOST = 1.25  # times what no plan can undercut


def plans_of(path):
    """(entry point, least, taken) for each that has scratch."""
    said = subprocess.run([NNC, "show", "--explain", "memory", path], capture_output=True, text=True)
    plans, entry = [], None
    for line in said.stdout.split("\n"):
        title = re.match(r"  (\S+) +stored as", line)
        number = re.match(r"  (alive at once|scratch) +(\d+)", line)
        if title:
            entry = title[1]
        elif number and number[1] == "alive at once":
            least = int(number[2])
        elif number:
            plans.append((entry, least, int(number[2])))
    return path, plans


def main():
    paths = sorted(path for pattern in MODELS for path in pathlib.Path().glob(pattern))
    count, wasteful = 0, []
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for path, plans in pool.map(plans_of, paths):
            count += len(plans)
            wasteful += [(str(path), *plan) for plan in plans if plan[2] > MOST * plan[1]]
    print(f"FAIL scratch: {wasteful}" if wasteful or count < 100 else f"ok scratch of {count} entry points")


main()
