"""A Plan as a script: plain initializer code that runs without fanin."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Final, Protocol

from fanin.errors import ArgumentError
from fanin.prescription.code.comments import CENTRED, rate_of
from fanin.prescription.code.lines import indented, laid_out
from fanin.prescription.code.loops import statements
from fanin.prescription.code.recipe import recipe_of
from fanin.prescription.prescription import OFFSET
from fanin.prescription.printing.rows import rows

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fanin.prescription.code.loops import Words
    from fanin.prescription.code.recipe import Recipe
    from fanin.prescription.plan import Plan
    from fanin.prescription.prescription import Prescription

NUMBER: Final = r"\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?"
"""Comments that differ in such alone are one comment, with … in its place."""
FRAMEWORKS: Final = ("torch", "keras", "jax")


class Dialect(Protocol):
    """How a framework says it: a module with these functions (``in_torch.py``)."""

    def opening(self, recipes: Sequence[Recipe], seed: int) -> list[str]:
        """Give the lines up to the first statement; the function's own indented."""
        ...

    def statement(self, recipe: Recipe, words: Words) -> list[str]:
        """Give the lines that write one parameter."""
        ...

    def closing(self) -> list[str]:
        """Give the last lines of the function, not indented."""
        ...


def code_of(plan: Plan, framework: str) -> str:
    """Give the script of a plan.

    Args:
        plan: of a model of that framework.
        framework: "torch", "keras" or "jax".

    Raises:
        ArgumentError: if the framework is none of them, or not the plan's: paths and
            layouts of the weights are those of the plan's own framework.
    """
    _require(plan, framework)
    name = f"fanin.prescription.code.in_{framework}"
    dialect: Dialect = importlib.import_module(name)
    known = {p.path: p for p in plan.prescriptions}
    recipes = [
        recipe_of(p, known.get(p.weight or ""))
        for p in plan.prescriptions
        if not p.is_kept
    ]
    calibrated = ", calibrated on a batch" if plan.is_calibrated else ""
    lines = [
        f'"""Initial weights, planned by fanin: policy {plan.policy}{calibrated}."""',
        "",
        *dialect.opening(recipes, plan.seed),
        *indented(_body(recipes, dialect, known if framework == "torch" else ())),
        *indented(_kept([p for p in plan.prescriptions if p.is_kept])),
        *indented(dialect.closing()),
    ]
    return "\n".join(laid_out(lines)).rstrip("\n")


def _require(plan: Plan, framework: str) -> None:
    if framework not in FRAMEWORKS:
        expected = f"one of {', '.join(FRAMEWORKS)}"
        raise ArgumentError.of(
            argument="framework", received=framework, expected=expected
        )
    if plan.framework not in {"", framework}:
        expected = (
            f"{plan.framework!r}, the framework of the model that was planned: another "
            "one names its parameters and lays its weights out in another way"
        )
        raise ArgumentError.of(
            argument="framework", received=framework, expected=expected
        )


def _body(
    recipes: Sequence[Recipe], dialect: Dialect, known: Collection[str]
) -> list[str]:
    """Give a comment and statements for each reason; offsets read weights, so last."""
    groups: dict[tuple[bool, str, str], list[Recipe]] = {}
    for recipe in recipes:
        is_last = recipe.law == OFFSET
        masked = re.sub(NUMBER, "#", recipe.about)
        groups.setdefault((is_last, masked, recipe.rate), []).append(recipe)
    lines: list[str] = []
    for (_, masked, rate), alike in sorted(groups.items(), key=lambda item: item[0][0]):
        abouts = {recipe.about for recipe in alike}
        about = abouts.pop() if len(abouts) == 1 else masked.replace("#", "…")
        roles = ", ".join(dict.fromkeys(recipe.role for recipe in alike))
        centred = CENTRED if any(recipe.is_centred for recipe in alike) else ""
        lines.append("")
        lines.append(f"# {roles} {about}{centred}{rate}")
        lines += statements(alike, dialect.statement, known)
    return lines


def _kept(prescriptions: Sequence[Prescription]) -> list[str]:
    """List what keeps its values, and why, in comments."""
    names: dict[str, list[str]] = {}
    for row in rows(prescriptions):
        reason = f"{row.first.reason}{rate_of(row.first)}"
        names.setdefault(reason, []).append(row.name)
    return [
        line
        for reason, paths in names.items()
        for line in ("", f"# Not touched: {', '.join(paths)}. {reason}")
    ]
