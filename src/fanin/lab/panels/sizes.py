"""Signal, gradient, likeness of samples and flat units, each layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.lab.panels.by_layer import Curves, figure_by_layer, from_to
from fanin.lab.panels.side import Panel
from fanin.report.page import number
from fanin.report.svg import Frame

if TYPE_CHECKING:
    from fanin.lab.panels.side import Scene, Side


def _signal(scene: Scene) -> str:
    curves = Curves(
        measured=lambda side: side.frame.reading.rms,
        beside=lambda side: side.expected.rms if side.expected else (),
        low=lambda side: side.spread.low if side.spread else (),
        high=lambda side: side.spread.high if side.spread else (),
    )
    frame = Frame(
        title="Signal, forward",
        description="",
        y_label="root mean square of the outputs before φ",
        is_log=True,
    )
    return figure_by_layer(scene, curves, frame, _signal_words)


def _signal_words(side: Side) -> str:
    rms = side.frame.reading.rms
    if not any(rms):
        return "every output is 0."
    return f"the outputs go {from_to(rms)}."


def _gradient(scene: Scene) -> str:
    curves = Curves(
        measured=lambda side: side.frame.reading.gradient_rms,
        beside=lambda side: side.expected.gradient_rms if side.expected else (),
        low=lambda side: side.spread.gradient_low if side.spread else (),
        high=lambda side: side.spread.gradient_high if side.spread else (),
    )
    frame = Frame(
        title="Signal, backward",
        description="",
        y_label="root mean square of ∂loss/∂output",
        is_log=True,
    )
    return figure_by_layer(scene, curves, frame, _gradient_words)


def _gradient_words(side: Side) -> str:
    sizes = side.frame.reading.gradient_rms
    if not any(sizes):
        return "every gradient is 0."
    return f"the gradients go {from_to(sizes)}."


def _likeness(scene: Scene) -> str:
    curves = Curves(measured=lambda side: side.frame.reading.likeness)
    frame = Frame(
        title="Do different inputs still look different?",
        description="",
        y_label="mean cosine between two samples' outputs",
        y_range=(-0.25, 1.05),
    )
    return figure_by_layer(scene, curves, frame, _likeness_words)


def _likeness_words(side: Side) -> str:
    last = side.frame.reading.likeness[-1]
    if last != last:
        return "the last layer has no two samples to compare."
    verdict = "all alike" if last > 0.999 else "still different"
    return f"at the last layer the mean cosine is {number(last)}: {verdict}."


def _units(scene: Scene) -> str:
    curves = Curves(
        measured=lambda side: [100 * share for share in side.frame.reading.flat],
        beside_name="dead",
        beside=lambda side: [100 * share for share in side.frame.reading.dead],
    )
    frame = Frame(
        title="Flat entries and dead units",
        description="",
        x_label="hidden layer",
        y_label="% of entries, and of units, where φ′ is near 0",
        y_range=(0.0, 100.0),
    )
    return figure_by_layer(scene, curves, frame, _unit_words)


def _unit_words(side: Side) -> str:
    reading = side.frame.reading
    flat, dead = max(reading.flat), max(reading.dead)
    return (
        f"up to {number(100 * flat)} % of a layer's entries are flat, and up to "
        f"{number(100 * dead)} % of its units are so at every sample (dead)."
    )


SIGNAL = Panel(name="signal", draw=_signal)
GRADIENT = Panel(name="gradient", draw=_gradient)
LIKENESS = Panel(name="likeness", draw=_likeness)
UNITS = Panel(name="units", draw=_units)
