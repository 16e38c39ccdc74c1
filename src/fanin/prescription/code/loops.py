"""Like statements become loops: over ranges of the numbers in paths, or over paths.

Parameters are alike that differ in numbers of their paths and, perhaps, in one number
of their law. Where their numbers fill ranges (``h.0.mlp`` to ``h.11.mlp``) the loop
runs over those; else over the paths themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from fanin.prescription.code.boxes import Box, boxes_of
from fanin.prescription.code.lines import indented
from fanin.prescription.code.suffixes import suffixes_of
from fanin.sampler.law import MATRICES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from fanin.prescription.code.recipe import Recipe

    Write = Callable[["Recipe", "Words"], list[str]]

NUMBERS: Final = re.compile(r"(?<!\d)(?:0|[1-9]\d*)(?!\d)")
"""Whole numbers as they print; those with leading zeros are words."""
LETTERS: Final = "ijk"
NAMES: Final = {"constant": "value", "uniform": "bound", "offset": "value"}
MOST_BOXES: Final = 4
ONE_LINE: Final = 72
"""Longer rows of numbers are given a name before the loop."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """Python expressions for what varies: the path, the law's number, the weight."""

    path: str
    number: str
    weight: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Recipes that are alike, in the model's order."""

    alike: tuple[Recipe, ...]

    @property
    def first(self) -> Recipe:
        """Give the one that stands for all."""
        return self.alike[0]

    @property
    def is_even(self) -> bool:
        """Say whether all have one number."""
        return len({recipe.number for recipe in self.alike}) == 1

    @property
    def varying(self) -> tuple[int, ...]:
        """Give which of the numbers in the paths vary."""
        columns = zip(*(_numbers(recipe.path) for recipe in self.alike), strict=True)
        return tuple(i for i, column in enumerate(columns) if len(set(column)) > 1)

    @property
    def is_countable(self) -> bool:
        """Say whether one loop holds them; an offset's weight must follow."""
        weight = self.first.weight
        return not weight or len(self.varying) == 1

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Give the ranges of the numbers that vary; () where they fill none."""
        varying = self.varying
        places = [
            tuple(numbers[i] for i in varying)
            for numbers in (_numbers(recipe.path) for recipe in self.alike)
        ]
        found = boxes_of(places) if len(varying) <= len(LETTERS) else ()
        return found if len(found) <= min(MOST_BOXES, len(places) // 2) else ()


def statements(
    recipes: Sequence[Recipe], write: Write, known: Collection[str] = ()
) -> list[str]:
    """Give the statements of recipes that one comment is for, in loops where alike.

    Args:
        recipes: in the model's order.
        write: gives the statement of a recipe, in these words.
        known: all paths that the script's ``p`` holds, so that a loop over ``p`` may
            tell the recipes by how their paths end; () where they are not known.
    """
    lines: list[str] = []
    rest: list[Recipe] = []
    for alike in _listed(recipes).values():
        endings = suffixes_of([r.path for r in alike], known) if known else ()
        if endings and len(rows(alike)) > 1:
            lines += _over_endings(endings, alike[0], write)
        else:
            rest += alike
    left = set(rest)
    return lines + _in_loops([r for r in recipes if r in left], write)


def _listed(recipes: Sequence[Recipe]) -> dict[Recipe, list[Recipe]]:
    """Group what differs in its path alone; what follows a weight stands alone."""
    found: dict[Recipe, list[Recipe]] = {}
    for recipe in recipes:
        path = recipe.path if recipe.weight else ""
        blank = replace(recipe, path=path, role="", about="", is_centred=False)
        found.setdefault(blank, []).append(recipe)
    return found


def _over_endings(endings: Sequence[str], recipe: Recipe, write: Write) -> list[str]:
    quotes = ", ".join(quoted(ending) for ending in endings)
    asked = f"({quotes})" if len(endings) > 1 else quotes
    return [
        "for path in p:",
        *indented(
            [
                f"if path.endswith({asked}):",
                *indented(write(recipe, Words(path="path", number=recipe.number))),
            ]
        ),
    ]


def _in_loops(recipes: Sequence[Recipe], write: Write) -> list[str]:
    lines: list[str] = []
    looped: dict[tuple[tuple[Box, ...], int], list[Row]] = {}
    single: list[Recipe] = []
    for row in rows(recipes):
        if len(row.alike) > 1 and row.is_even and row.boxes:
            looped.setdefault((row.boxes, len(row.varying)), []).append(row)
        elif len(row.alike) > 1 and not row.is_even and row.is_countable:
            lines += _uneven(row, write)
        else:
            single += row.alike
    for (boxes, _), together in looped.items():
        lines += _over_ranges(boxes, together, write)
    for alike in _listed(single).values():
        lines += _over_paths(alike, write)
    return lines


def rows(recipes: Sequence[Recipe]) -> list[Row]:
    """Group what differs in numbers of the path and in the law's number alone.

    The weight that an offset follows must have the same numbers in its path.
    """
    groups: dict[Recipe, list[Recipe]] = {}
    for recipe in recipes:
        groups.setdefault(_likeness(recipe), []).append(recipe)
    return [Row(alike=tuple(alike)) for alike in groups.values()]


def _likeness(recipe: Recipe) -> Recipe:
    path = NUMBERS.sub("#", recipe.path)
    weight = recipe.weight
    if weight and _numbers(weight) == _numbers(recipe.path):
        weight = NUMBERS.sub("#", weight)
    return replace(
        recipe, path=path, role="", about="", is_centred=False, number="", weight=weight
    )


def _numbers(path: str) -> tuple[int, ...]:
    return tuple(int(number) for number in NUMBERS.findall(path))


def quoted(text: str) -> str:
    """Give a text as Python writes it, between double quotes.

    >>> print(quoted("h.0.weight"))
    "h.0.weight"
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _template(path: str, names: Mapping[int, str]) -> str:
    """Give a path as an f-string: the numbers that have a name here are replaced."""
    count = iter(range(len(path)))

    def named(match: re.Match[str]) -> str:
        name = names.get(next(count), match[0])
        return name if name.isdigit() else f"\0{name}\1"

    text = quoted(NUMBERS.sub(named, path))
    if "\0" not in text:
        return text
    escaped = text.replace("{", "{{").replace("}", "}}")
    return "f" + escaped.replace("\0", "{").replace("\1", "}")


def _worded(recipe: Recipe, number: str, names: Mapping[int, str]) -> Words:
    """Give the words of a recipe; the weight that an offset follows may vary too."""
    follows = _numbers(recipe.weight) == _numbers(recipe.path)
    return Words(
        path=_template(recipe.path, names),
        number=number,
        weight=_template(recipe.weight, names if follows else {}),
    )


def _over_ranges(boxes: Sequence[Box], together: list[Row], write: Write) -> list[str]:
    lines: list[str] = []
    for box in boxes:
        letters = iter(LETTERS)
        names = [str(axis[0]) if len(axis) == 1 else next(letters) for axis in box]
        inner = []
        for row in together:
            named = dict(zip(row.varying, names, strict=True))
            words = _worded(row.first, row.first.number, named)
            inner += write(row.first, words)
        for name, numbers in reversed([*zip(names, box, strict=True)]):
            if len(numbers) > 1:
                inner = [f"for {name} in {as_range(numbers)}:", *indented(inner)]
        lines += inner
    return lines


def _over_paths(alike: list[Recipe], write: Write) -> list[str]:
    """Give the same statement for each path: a loop where there are three or more."""
    first = alike[0]
    if len(alike) < 3:
        return [
            line
            for recipe in alike
            for line in write(
                recipe,
                Words(
                    path=quoted(recipe.path),
                    number=recipe.number,
                    weight=quoted(recipe.weight),
                ),
            )
        ]
    paths = ", ".join(quoted(recipe.path) for recipe in alike)
    words = Words(path="path", number=first.number)
    return [f"for path in ({paths}):", *indented(write(first, words))]


def _uneven(row: Row, write: Write) -> list[str]:
    """Give a loop over paths and the numbers that go with them."""
    name = number_name(row.first)
    varying = row.varying
    numbers = ", ".join(recipe.number for recipe in row.alike)
    if len(varying) > 1:
        entries = ", ".join(f"{quoted(r.path)}: {r.number}" for r in row.alike)
        header = [f"for path, {name} in {{{entries}}}.items():"]
        return [*header, *indented(write(row.first, Words(path="path", number=name)))]
    before, after = _counted([_numbers(r.path)[varying[0]] for r in row.alike])
    header = [f"for i, {name} in {before}({numbers}){after}:"]
    if len(header[0]) > ONE_LINE:
        header = [
            f"{name}s = ({numbers})",
            f"for i, {name} in {before}{name}s{after}:",
        ]
    words = _worded(row.first, name, {varying[0]: "i"})
    return [*header, *indented(write(row.first, words))]


def _counted(places: Sequence[int]) -> tuple[str, str]:
    """Give what stands around the numbers that are counted: enumerate or zip."""
    first = places[0]
    if list(places) == list(range(first, first + len(places))):
        return "enumerate(", ")" if first == 0 else f", start={first})"
    return f"zip({as_range(places)}, ", ", strict=True)"


def number_name(recipe: Recipe) -> str:
    """Give the name of the number that a law is given by."""
    return "gain" if recipe.law in MATRICES else NAMES.get(recipe.law, "std")


def as_range(numbers: Sequence[int]) -> str:
    """Give numbers as a range where they are evenly spaced.

    >>> as_range((0, 1, 2)), as_range((1, 3, 5)), as_range((0, 3, 4))
    ('range(3)', 'range(1, 6, 2)', '(0, 3, 4)')
    """
    first, last = numbers[0], numbers[-1]
    step = numbers[1] - first if len(numbers) > 1 else 1
    if step < 1 or list(numbers) != list(range(first, last + 1, step)):
        return f"({', '.join(map(str, numbers))}{',' if len(numbers) == 1 else ''})"
    if len(numbers) < 3 and step > 1:
        return f"({first}, {last})"
    if step > 1:
        return f"range({first}, {last + 1}, {step})"
    return f"range({last + 1})" if first == 0 else f"range({first}, {last + 1})"
