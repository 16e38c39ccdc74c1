"""The controls of the lab's form, made from the same limits that hold its numbers."""

from __future__ import annotations

import html
from math import log10
from typing import TYPE_CHECKING, Final

from fanin.lab.engine.recipe import NAMES, NUMBERS, Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS: Final = {
    "depth": "Hidden layers",
    "width": "Units a layer",
    "activation": "Activation φ",
    "scheme": "Weights from",
    "factor": "Scale, times",
    "bias": "Bias",
    "data": "Data",
    "optimizer": "Optimizer",
    "learning_rate": "Learning rate",
    "batch_size": "Batch",
    "seed": "Seed",
}
SLIDERS: Final = {
    "depth": (1, 60),
    "width": (2, 256),
    "factor": (1e-2, 10.0),
    "learning_rate": (1e-4, 10.0),
}
"""What has a slider, and from where to where; its number field reaches further."""
STEPS_OF_SLIDER: Final = 300
OWN: Final = ("activation", "scheme", "factor", "bias", "optimizer", "learning_rate")
"""What B sets for itself; all else it shares with A."""
SHARED: Final = ("depth", "width", "data", "batch_size", "seed")


def form(usual: Recipe) -> str:
    """Give the whole form: what is shared, A, and B behind a switch."""
    shared = _fieldset("Net and data", "a", SHARED, usual)
    first = _fieldset("Start and training", "a", OWN, usual)
    second = _fieldset("B", "b", OWN, usual, is_off=True)
    return (
        f'<form class="recipe" aria-label="Recipe">{shared}{first}'
        '<p class="switch"><label><input type="checkbox" name="pair"> Compare with a '
        f"second start on the same draw (B)</label></p>{second}"
        "</form>"
    )


def _fieldset(
    title: str, side: str, names: Sequence[str], usual: Recipe, *, is_off: bool = False
) -> str:
    fields = "".join(_field(side, name, usual) for name in names)
    state = ' hidden disabled class="second"' if is_off else ""
    return f"<fieldset{state}><legend>{html.escape(title)}</legend>{fields}</fieldset>"


def _field(side: str, name: str, usual: Recipe) -> str:
    value = getattr(usual, name)
    identity = f"{side}-{name.replace('_', '-')}"
    label = f'<label for="{identity}">{html.escape(WORDS[name])}</label>'
    if name in NAMES:
        return f'<div class="field">{label}{_select(side, name, str(value))}</div>'
    slider = _slider(side, name, float(value)) if name in SLIDERS else ""
    return f'<div class="field">{label}{slider}{_number(side, name, value)}</div>'


def _select(side: str, name: str, value: str) -> str:
    options = "".join(
        f"<option{' selected' if each == value else ''}>{each}</option>"
        for each in NAMES[name]
    )
    identity = f"{side}-{name.replace('_', '-')}"
    return (
        f'<select id="{identity}" data-side="{side}" data-name="{name}">{options}'
        "</select>"
    )


def _number(side: str, name: str, value: float) -> str:
    limits = NUMBERS[name]
    identity = f"{side}-{name.replace('_', '-')}"
    step = "1" if limits.is_whole else "any"
    return (
        f'<input type="number" id="{identity}" data-side="{side}" data-name="{name}" '
        f'min="{limits.low:.10g}" max="{limits.high:.10g}" step="{step}" '
        f'value="{value:.10g}" required>'
    )


def _slider(side: str, name: str, value: float) -> str:
    """Give a range beside a number field; of a logarithmic one, the powers of ten."""
    low, high = SLIDERS[name]
    is_log = NUMBERS[name].is_log
    if is_log:
        low, high, value = log10(low), log10(high), log10(value)
    step = (high - low) / STEPS_OF_SLIDER if is_log else 1
    return (
        f'<input type="range" data-of="{side}-{name.replace("_", "-")}" '
        f'{"data-log " if is_log else ""}min="{low:.10g}" max="{high:.10g}" '
        f'step="{step:.10g}" value="{value:.10g}" '
        f'aria-label="{html.escape(WORDS[name])}, slider, {side.upper()}">'
    )
