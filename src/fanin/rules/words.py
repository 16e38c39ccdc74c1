"""Words for findings: numbers, lists of names, places."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph import Graph, Node

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """Give a number in three digits, as a person would write it.

    >>> number(0.00012345), number(2.302585), number(125000.0), number(0.0)
    ('1.23·10⁻⁴', '2.3', '1.25·10⁵', '0')
    """
    if value == 0.0:
        return "0"
    if 1e-3 <= abs(value) < 1e5 or not isfinite(value):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    digits, power = f"{value:.2e}".split("e")
    digits = digits.rstrip("0").rstrip(".")
    return f"{digits}·10{str(int(power)).translate(RAISED)}"


def listing(names: Sequence[str], most: int = 4) -> str:
    """Give names in one phrase, cut after ``most``.

    >>> listing(["a"]), listing(["a", "b"]), listing(list("abcdef"))
    ('a', 'a and b', 'a, b, c, d and 2 more')
    """
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def count(n: int, word: str, plural: str = "") -> str:
    """Give "1 unit", "2 units".

    >>> count(1, "unit"), count(2, "class", "classes")
    ('1 unit', '2 classes')
    """
    return f"{n} {word if n == 1 else plural or word + 's'}"


def name_of(node: Node) -> str:
    """Give the path by which a reader knows a node."""
    if node.path:
        return node.path
    if node.weight is not None:
        return node.weight.path.rpartition(".")[0] or node.weight.path
    return f"node {node.id} ({node.op})"


def source_of(graph: Graph, path: str) -> str | None:
    """Give the line of the user's code where a parameter is first used, if known."""
    for node in graph.nodes:
        weight = node.weight.path if node.weight else None
        if path in {weight, node.bias, node.scale}:
            return node.source
    return None
