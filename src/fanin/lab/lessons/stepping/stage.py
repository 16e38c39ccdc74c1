"""The player's HTML: picture, controls, what is said, and the table of all numbers."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from fanin.lab.lessons.stepping.frames import frames_of
from fanin.lab.lessons.stepping.names import place
from fanin.lab.lessons.stepping.picture import picture
from fanin.report.page import inline

if TYPE_CHECKING:
    from fanin.lab.lessons.stepping.evidence import Evidence
    from fanin.lab.lessons.stepping.frames import Frames, Number, Played
    from fanin.lab.lessons.stepping.run import Run

CONTROLS = (
    ("reset", "Reset", "to the start"),
    ("back", "Back", "one phase back"),
    ("play", "Play", "play or pause"),
    ("step", "Step", "one phase on"),
    ("update", "Update", "one whole update on"),
)
KINDS = ("value", "dL/d· of this sample", "mean over samples", "update −η·mean")


def stage(name: str, evidence: Evidence, run: Run, title: str) -> tuple[str, Frames]:
    """Give a player's HTML and its frames.

    Args:
        name: of the player on this page.
        evidence: of the case.
        run: what is played.
        title: of the figure, for who cannot see it.
    """
    frames = frames_of(evidence, run)
    first, last = frames["moments"][0], frames["moments"][-1]
    is_case = run is evidence.run
    blocks = _blocks(evidence) if is_case else {}
    frozen = evidence.frozen if is_case else ()
    drawn = [
        picture(run.net, each, blocks=blocks, frozen=frozen, words=f"{title}, {when}")
        for each, when in ((first, "step by step"), (last, "at the end"))
    ]
    n = len(run.moments) - 1
    body = (
        f'<figure class="stage" data-player="{name}">'
        f"{_controls(name, run, n)}"
        f'<div class="scroll drawing" role="region" tabindex="0" '
        f'aria-label="{html.escape(title)}">{drawn[0]}</div>'
        f'<p class="says" data-says>{inline(first["says"][0])}</p>'
        '<p class="visually-hidden" role="status" data-status></p>'
        f'<p class="chain" data-chain>{_hint()}</p>'
        f"<details><summary>All numbers of this step</summary>"
        f"{_table(run, first, title)}</details>"
        f'<figcaption class="still"><p>After {n} updates:</p>'
        '<div class="scroll" role="region" tabindex="0" '
        f'aria-label="After {n} updates: {html.escape(title)}">'
        f"{drawn[1]}</div></figcaption></figure>"
    )
    return body, frames


def _hint() -> str:
    return (
        "Point at a weight, or reach it with Tab, to see its gradient as a product, "
        "with every digit."
    )


def _blocks(evidence: Evidence) -> dict[int, tuple[tuple[int, ...], ...]]:
    return {tie.layer: tie.blocks for tie in evidence.derivation.ties}


def _controls(name: str, run: Run, n_steps: int) -> str:
    buttons = "".join(
        f'<button type="button" data-do="{do}" title="{what}">{word}</button>'
        for do, word, what in CONTROLS
    )
    samples = "".join(
        f'<option value="{k}">{k + 1}: x = ({_row(inputs)}), y = {_row(targets)}'
        "</option>"
        for k, (inputs, targets) in enumerate(run.batch)
    )
    positions = 3 * n_steps
    return (
        f'<div class="player" role="group" aria-label="Player">{buttons}'
        f'<label class="scrub">Scrub <input type="range" min="0" max="{positions}" '
        f'value="0" step="1" data-scrub></label>'
        f'<output class="at" data-at>0 of {n_steps} updates · forward pass</output>'
        f'<label>Sample <select data-sample id="{name}-sample">{samples}'
        "</select></label>"
        '<label><input type="checkbox" data-exact> every digit</label></div>'
    )


def _row(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}".replace("-", "−") for value in values)


def _table(run: Run, moment: Played, title: str) -> str:
    """Give each parameter's value, gradient, mean gradient and change."""
    heads = "".join(f'<th scope="col">{inline(kind)}</th>' for kind in KINDS)
    first = moment["samples"][0]
    rows = []
    for entry in run.net.entries:
        key = place(entry)
        cells = (
            _cell("k", key, moment["all"][key])
            + _cell("s", f"g:{key}", first[f"g:{key}"])
            + _cell("k", f"G:{key}", moment["all"][f"G:{key}"])
            + _cell("k", f"D:{key}", moment["all"][f"D:{key}"])
        )
        rows.append(f'<tr><th scope="row">{entry}</th>{cells}</tr>')
    return (
        '<div class="scroll" role="region" tabindex="0" '
        f'aria-label="All numbers: {html.escape(title)}">'
        f'<table><thead><tr><th scope="col">parameter</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(kind: str, key: str, shown: Number) -> str:
    return (
        f'<td class="number"><span data-{kind}="{key}" title="{shown[1]}">{shown[0]}'
        "</span></td>"
    )
