"""Which of the written items is the live one."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from fanin.places.filling import resolved
from fanin.places.scope import Scope, Site, call_of, called
from fanin.places.slots import Slot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.holder import Step


def choose(slots: Sequence[Slot], step: Step) -> Site | None:
    """Give the expression of a container's item.

    By its name, where the container has names; else by its position among the items
    that are written with its class; a loop stands for as many items as are left.
    """
    keyed = [s for s in slots if s.key and re.fullmatch(s.key, str(step.key))]
    if keyed:
        exact = [s for s in keyed if s.key == re.escape(str(step.key))]
        return (exact or keyed)[0].site
    kind = type(step.child)
    same = [s for s in slots if call_of(kind, resolved(s.site)) is not None]
    alike = [each for each in step.siblings if type(each) is kind]
    is_listed = len(slots) == len(step.siblings) and len(same) != len(alike)
    if is_listed and not any(s.is_repeated for s in slots):
        return slots[_rank(step, step.siblings)].site
    if same:
        return _at(same, _rank(step, alike), len(alike))
    return _at(slots, _rank(step, step.siblings), len(step.siblings))


def scanned(scope: Scope, step: Step) -> Site | None:
    """Give the call in a function that made a layer, found by its name or its class.

    For nets that are put together from calls rather than from a list of layers.
    """
    kind = type(step.child)
    found: list[Slot] = []
    for node, is_repeated in _calls(scope.body):
        if called(node, scope.names) == kind.__name__:
            site = Site(expression=node, scope=scope)
            if _name_given(node) == getattr(step.child, "name", ""):
                return site
            found.append(Slot(site=site, is_repeated=is_repeated))
    alike = [each for each in step.siblings if type(each) is kind]
    return _at(found, _rank(step, alike), len(alike))


def _at(slots: Sequence[Slot], rank: int, n_items: int) -> Site | None:
    """Give the slot of the item of that rank: those before a loop, in it, after it."""
    if not slots:
        return None
    repeated = [i for i, slot in enumerate(slots) if slot.is_repeated]
    if not repeated:
        return slots[min(rank, len(slots) - 1)].site
    first, last = repeated[0], repeated[-1]
    n_after = len(slots) - 1 - last
    if rank < first:
        return slots[rank].site
    if rank >= n_items - n_after:
        return slots[rank - n_items].site
    inside = slots[first : last + 1]
    return inside[(rank - first) % len(inside)].site


def _rank(step: Step, among: Sequence[object]) -> int:
    return next((i for i, each in enumerate(among) if each is step.child), 0)


def _name_given(call: ast.Call) -> str | None:
    for each in call.keywords:
        if each.arg == "name" and isinstance(each.value, ast.Constant):
            return str(each.value.value)
    return None


def _calls(body: ast.AST, *, is_repeated: bool = False) -> list[tuple[ast.Call, bool]]:
    """Give the calls below a node, in order, and whether a loop repeats them."""
    loops = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp)
    found = []
    for node in ast.iter_child_nodes(body):
        repeats = is_repeated or isinstance(node, loops)
        found += _calls(node, is_repeated=repeats)
        if isinstance(node, ast.Call):
            found.append((node, is_repeated))
    return sorted(found, key=lambda pair: (pair[0].lineno, pair[0].col_offset))
