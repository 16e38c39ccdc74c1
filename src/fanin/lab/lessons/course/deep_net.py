"""How starts of a deep net become a lesson."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fanin.lab.engine.recipe import Recipe
from fanin.lab.lessons.layers.evidence import Variant, looks_of, usual_data
from fanin.lab.lessons.layers.show import show
from fanin.lab.lessons.lesson import Lesson, Setting
from fanin.report.page import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.lab.lessons.layers.evidence import Look, Looks
    from fanin.lab.lessons.lesson import Question, Statement

WIDE = (
    "A wide net: theory follows second moments and takes the units of a layer as "
    "independent. The measured curve is one draw of a net of finite width."
)
TRAINED = "Training moves the weights: the curves are of the start alone."
DEPTH = Setting(name="depth", label="layers", usual=30, low=2, high=60, step=1)


def scale(usual: float, label: str = "weights times") -> Setting:
    """Give the setting of what the case's weights are multiplied by."""
    return Setting(
        name="factor", label=label, usual=usual, low=0.001, high=3, step=0.001
    )


def start(
    label: str,
    settings: Mapping[str, float],
    *,
    input_factor: float = 1.0,
    **recipe: object,
) -> Variant:
    """Give a start of the lesson's deep net; further arguments are a `Recipe`'s."""
    built = {
        "depth": int(settings["depth"]),
        "width": 128,
        "data": usual_data(),
        "learning_rate": 0.02,
        "batch_size": 128,
    }
    found = Recipe(**(built | recipe))  # type: ignore[arg-type]
    return Variant(label=label, recipe=found, input_factor=input_factor)


def versus(
    label: str, scheme: str, activation: str, better: tuple[str, str]
) -> Callable[[Mapping[str, float]], tuple[Variant, ...]]:
    """Give the starts of a case against one that works.

    Args:
        label: of the case in figures.
        scheme: the case's, times the setting "factor".
        activation: of both, unless `better` says otherwise.
        better: scheme and activation of what to do instead.
    """

    def variants(settings: Mapping[str, float]) -> tuple[Variant, ...]:
        factor = settings["factor"]
        case = start(
            label, settings, scheme=scheme, activation=activation, factor=factor
        )
        name, function = better
        words = name.replace("_", " ")
        good = start(words, settings, scheme=name, activation=function)
        return case, good

    return variants


def lesson(  # noqa: PLR0913 - a lesson has that many parts
    name: str,
    part: str,
    title: str,
    asked: Question,
    statements: Sequence[Statement],
    *,
    variants: Callable[[Mapping[str, float]], tuple[Variant, ...]],
    settings: Sequence[Setting],
    derivation: str = "",
    until: str = TRAINED,
    sources: Sequence[str] = (),
) -> Lesson:
    """Give a lesson on deep nets."""
    return Lesson(
        name=name,
        part=part,
        title=title,
        question=asked,
        statements=tuple(statements),
        find=partial(looks_of, variants),
        show=partial(show, derivation=derivation),
        settings=tuple(settings),
        sources=tuple(sources),
        assumes=WIDE,
        until=until,
    )


def learns_where_the_case_does_not(e: Looks) -> bool:
    """Ask whether the better start's loss falls by a fifth, and the case's stays."""
    case, good = e.case.losses, e.better.losses
    return good[-1] < 0.8 * good[0] and e.case.recent_loss > 0.97 * case[0]


def trained(e: Looks) -> str:
    """Say what training made of both starts."""
    case, good = e.case, e.better
    return (
        f"Trained side by side on {case.variant.recipe.data} for {len(good.losses)} "
        f"updates, the loss goes from {number(case.losses[0])} to "
        f"{number(case.recent_loss)} with {case.label}, from {number(good.losses[0])} "
        f"to {number(good.recent_loss)} with {good.label}."
    )


def shrinks(e: Looks) -> bool:
    """Ask whether the case's signal is less than a thousandth at the last layer."""
    return e.case.reading.rms[-2] < 1e-3 * e.case.reading.rms[0]


def grows(e: Looks) -> bool:
    """Ask whether the case's signal is over a thousand times larger at the end."""
    return not e.case.reading.rms[-2] < 1e3 * e.case.reading.rms[0]


def keeps(e: Looks) -> bool:
    """Ask whether the case's signal stays within a factor of ten."""
    first, last = e.case.reading.rms[0], e.case.reading.rms[-2]
    return first / 10 < last < first * 10


def as_theory_says(one: Look, within: float = 1.25) -> bool:
    """Ask whether the measured factor a layer is theory's, up to a factor."""
    if one.expected is None:
        return False
    kept = [
        (m, t)
        for m, t in zip(one.reading.rms, one.expected.rms, strict=True)
        if 1e-28 < m < float("inf")
    ]
    ratio = (kept[-2][0] / kept[-2][1]) ** (1 / max(len(kept) - 2, 1))
    return bool(1 / within < ratio < within)


def a_layer(one: Look) -> str:
    """Say what a layer does to the signal, in numbers."""
    return f"×{number(one.per_layer)} a layer"
