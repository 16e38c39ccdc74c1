"""Histograms of one kind of number, a small one for each layer, over one span."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fanin.lab.panels.side import Panel
from fanin.report.page import inline, number, table
from fanin.report.svg import small_histogram

if TYPE_CHECKING:
    from fanin.lab.panels.side import Scene, Side

WORDS: Final = {
    "outputs": "Outputs before φ",
    "activations": "Activations, after φ",
    "gradients": "Gradients by the outputs",
    "weights": "Weights",
}


def _histograms(scene: Scene) -> str:
    title = WORDS[scene.kind]
    lists = "".join(_list(scene, side) for side in scene.sides)
    said = (
        f"{title} of each layer over one span for all layers of a net; heights follow "
        "the square root of counts."
    )
    numbers = "".join(_numbers(scene, side) for side in scene.sides)
    return (
        f'<figure><p class="title">{inline(title)}</p>{lists}'
        f"<figcaption>{inline(said)}</figcaption>"
        f"<details><summary>Show the numbers</summary>{numbers}</details></figure>"
    )


def _list(scene: Scene, side: Side) -> str:
    shown = side.frame.reading.histograms[scene.kind]
    items = "".join(
        f"<li>{_small(scene, side, layer, counts)}<b>{layer + 1}</b></li>"
        for layer, counts in enumerate(shown.counts)
    )
    name = f"{side.label}: " if scene.is_pair else ""
    return (
        f'<p class="span">{name}from −{number(shown.reach)} to {number(shown.reach)}'
        f'</p><ul class="multiples">{items}</ul>'
    )


def _small(scene: Scene, side: Side, layer: int, counts: tuple[int, ...]) -> str:
    return small_histogram(
        counts,
        words=f"{side.label}, {WORDS[scene.kind].lower()} of layer {layer + 1}",
        colour=side.style.colour,
    )


def _numbers(scene: Scene, side: Side) -> str:
    """Give what shares of each layer stand in the middle and at the ends."""
    shown = side.frame.reading.histograms[scene.kind]
    rows = []
    for layer, counts in enumerate(shown.counts):
        total = sum(counts) or 1
        middle = 100 * counts[len(counts) // 2] / total
        ends = 100 * (counts[0] + counts[-1]) / total
        rows.append((str(layer + 1), middle, ends))
    head = ("layer", "% in the middle bin", "% in the outermost two")
    return table(head, rows, caption=f"{side.label}: {WORDS[scene.kind]}")


HISTOGRAMS = Panel(name="histograms", draw=_histograms)
