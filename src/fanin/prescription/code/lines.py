"""Lines of Python at most 88 columns wide: statements folded, numbers filled, comments.

Statements are folded at brackets as a formatter does it. Long rows of numbers are
filled, many a line, where a formatter would put one a line.
"""

from __future__ import annotations

import re
import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH: Final = 88
STEP: Final = "    "
PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
NUMBER: Final = re.compile(r"-?[\d.]+(e[-+]?\d+)?")
FEW: Final = 8
"""Numbers are filled where there are more than so many."""


def indented(lines: Iterable[str], depth: int = 1) -> list[str]:
    """Put lines further in; empty ones stay empty."""
    return [STEP * depth + line if line else "" for line in lines]


def folded(line: str, indent: str = "") -> list[str]:
    """Fold a statement at its last brackets that can hold it, and further within.

    >>> for line in folded("f(" + "a" * 50 + ", " + "b" * 50 + ")"):
    ...     print(line.replace("a" * 50, "a…").replace("b" * 50, "b…"))
    f(
        a…,
        b…,
    )
    """
    room = WIDTH - len(indent)
    pairs = [] if len(line) <= room else _outer_brackets(line)
    if not pairs:
        return [indent + line]
    fitting = [(a, b) for a, b in pairs if a < room and len(line) - b <= room]
    start, end = (fitting or pairs)[-1]
    head, body, tail = line[: start + 1], line[start + 1 : end], line[end:]
    return [indent + head, *_body(body, indent + STEP), indent + tail]


def _body(body: str, indent: str) -> list[str]:
    """Give what stands between brackets: on one line, filled, or a line an entry."""
    entries = _entries(body)
    if all(NUMBER.fullmatch(entry) for entry in entries) and len(entries) > FEW:
        return filled(entries, indent)
    if len(indent + body) <= WIDTH and not body.endswith(","):
        return [indent + body]
    if len(entries) == 1:
        return folded(entries[0], indent)
    return [line for entry in entries for line in folded(f"{entry},", indent)]


def filled(entries: Sequence[str], indent: str) -> list[str]:
    """Lay short entries side by side, a comma after each."""
    return textwrap.wrap(
        ", ".join(entries) + ",",
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def comment(text: str, indent: str = "") -> list[str]:
    """Give a comment, wrapped.

    >>> comment("Kept as it is.", "    ")
    ['    # Kept as it is.']
    """
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _scan(line: str) -> list[tuple[int, str, int]]:
    """Give place, character and depth of each bracket and comma outside of texts."""
    found = []
    depth, quote = 0, ""
    for place, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote and line[place - 1] != "\\" else quote
        elif letter in "\"'":
            quote = letter
        elif letter in PAIRS:
            found.append((place, letter, depth))
            depth += 1
        elif letter in PAIRS.values():
            depth -= 1
            found.append((place, letter, depth))
        elif letter == ",":
            found.append((place, letter, depth))
    return found


def _outer_brackets(line: str) -> list[tuple[int, int]]:
    """Give the places of the outermost brackets that hold something."""
    outer = [(place, letter) for place, letter, depth in _scan(line) if not depth]
    opened = [place for place, letter in outer if letter in PAIRS]
    closed = [place for place, letter in outer if letter in PAIRS.values()]
    return [(a, b) for a, b in zip(opened, closed, strict=True) if b > a + 1]


def _entries(body: str) -> list[str]:
    """Cut at the commas that stand outside of brackets and texts."""
    cuts = [
        place for place, letter, depth in _scan(body) if letter == "," and not depth
    ]
    edges = [-1, *cuts, len(body)]
    pieces = [body[a + 1 : b].strip() for a, b in pairwise(edges)]
    return [piece for piece in pieces if piece]


def laid_out(lines: Iterable[str]) -> list[str]:
    """Fold statements and wrap comments, each at its own indentation."""
    done: list[str] = []
    for line in lines:
        text = line.lstrip(" ")
        indent = line[: len(line) - len(text)]
        if text.startswith("# "):
            done += comment(text.removeprefix("# "), indent)
        else:
            done += folded(text, indent) if text else [""]
    return done
