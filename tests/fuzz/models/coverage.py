"""What was covered of what there is. Words come from tests/tools/random_coverage.h (operations, reductions,
inversions and pairs, as the compiler sees them) and from the generator (how it wrote them)."""

import collections
import re
import subprocess

from oracles import generated

# what cannot occur, and why
EXCLUDED = {
    r"operation FMA": "made by no pass yet",
}


def reason(word):
    return next((why for pattern, why in EXCLUDED.items() if re.fullmatch(pattern, word)), None)


def everything():
    """{kind: words} of what the compiler can be seen to do."""
    words = subprocess.run([generated.TOOLS / "random_models", "--list"], capture_output=True,
                           text=True).stdout.splitlines()
    kinds = collections.defaultdict(list)
    for word in words:
        kinds[word.split(" ")[0]].append(word)
    return kinds


def report(covered):
    """Prints what was covered; the words that were not."""
    missed = []
    for kind, words in everything().items():
        possible = [word for word in words if not reason(word)]
        without = [word for word in possible if not covered[word]]
        missed += without
        print(f"  {kind}: {len(possible) - len(without)} of {len(possible)}"
              + (f" ({len(words) - len(possible)} excluded)" if len(words) > len(possible) else "")
              + (": not " + "; ".join(word.split(" ", 1)[1] for word in without[:12]) if without else "")
              + (f" and {len(without) - 12} more" if len(without) > 12 else ""))
    seen = {word.split(" ")[0] for words in everything().values() for word in words}
    written = collections.defaultdict(list)
    for word, times in sorted(covered.items()):
        kind, _, rest = word.partition(" ")
        if kind not in seen:
            written[kind].append(f"{rest} {times}")
    for kind, words in written.items():
        print(f"  written, {kind} ({len(words)}): " + ", ".join(words))
    return missed
