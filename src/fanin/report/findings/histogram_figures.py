"""Small multiples: outputs, weights and gradients of each layer, every one to scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fanin.report.page import inline, number, table
from fanin.report.svg import small_histogram

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.rules.profile import Bins, Profile

Entry = tuple[str, "Bins"]
WITH_WEIGHT: Final = frozenset({"dense", "conv", "conv_transpose", "linear", "lookup"})


def histogram_figures(profile: Profile) -> str:
    """Give a figure for each kind of number that was measured."""
    rows, weights = profile.rows, profile.weights
    groups: tuple[tuple[str, str, str, list[Entry]], ...] = (
        (
            "Pre-activations",
            "Outputs of layers with weights.",
            "var(--s1)",
            [(r.name, r.values) for r in rows if r.kind in WITH_WEIGHT and r.values],
        ),
        (
            "Activations",
            "Outputs of activation functions.",
            "var(--s2)",
            [(r.name, r.values) for r in rows if r.kind == "elementwise" and r.values],
        ),
        (
            "Weights",
            "Entries of each weight.",
            "var(--s3)",
            [(w.path, w.values) for w in weights if w.values],
        ),
        (
            "Gradients of weights",
            "Entries of the objective's gradient by each weight.",
            "var(--s4)",
            [(w.path, w.gradients) for w in weights if w.gradients],
        ),
    )
    return "".join(_figure(*group) for group in groups if group[-1])


def _figure(title: str, words: str, colour: str, entries: Sequence[Entry]) -> str:
    """Give one figure: a list of drawings that wraps, and the numbers folded away."""
    items = "".join(_item(title, name, bins, colour) for name, bins in entries)
    caption = f"{words} Heights follow the square root of counts."
    n_silent = sum(bins.reach == 0.0 for _, bins in entries)
    if n_silent:
        caption += f" {n_silent} of {len(entries)} hold nothing but 0."
    numbers = table(
        ("name", "± reach", "at 0", "at the ends"),
        [(name, bins.reach, *_shares(bins)) for name, bins in entries],
        caption=f"{title}: the middle bin, and the two outermost, which hold what lies "
        "beyond them too.",
    )
    return (
        f"<h3>{inline(title)}</h3><figure>"
        f'<ul class="multiples">{items}</ul><figcaption>{inline(caption)}</figcaption>'
        f"<details><summary>Show the numbers</summary>{numbers}</details></figure>"
    )


def _item(title: str, name: str, bins: Bins, colour: str) -> str:
    reach = "all 0" if bins.reach == 0.0 else f"±{number(bins.reach, 2)}"
    drawn = small_histogram(bins.counts, words=f"{title} of {name}", colour=colour)
    return f"<li>{drawn}<b>{inline(name)}</b> {reach}</li>"


def _shares(bins: Bins) -> tuple[str, str]:
    total = sum(bins.counts) or 1
    middle = bins.counts[len(bins.counts) // 2]
    ends = bins.counts[0] + bins.counts[-1]
    return f"{middle / total:.0%}", f"{ends / total:.0%}"
