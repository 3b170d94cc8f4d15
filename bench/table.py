"""Tables as text, and as rows of Markdown."""


def number(value, digits=2):
    return "not measured" if value is None else f"{value:.{digits}f}"


def figures(value):
    """Three figures that count."""
    if value is None:
        return "not measured"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def paragraphs(*parts):
    return "\n\n".join(part for part in parts if part)


def table(head, rows):
    """The widest cell of a column decides; columns of numbers stand to the right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = []
    for place, row in enumerate(cells):
        padded = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        lines.append("| " + " | ".join(padded) + " |")
        if place == 0:
            lines.append("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def against(value, bar, below=True):
    """A figure and its bar: `1.02 (<= 1.05)`, with a `!` behind one that is missed."""
    if value is None or bar is None:
        return number(value)
    missed = value > bar if below else value < bar
    return f"{value:.2f}{'!' if missed else ' '} ({'<=' if below else '>='} {bar:.2f})"
