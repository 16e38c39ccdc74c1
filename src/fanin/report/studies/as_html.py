"""A study as one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.page import Section, figure, inline, page, table
from fanin.report.studies.as_json import depth_json, width_json
from fanin.report.studies.as_text import depth_table, rate_table, slope_table
from fanin.report.studies.depth_figure import depth_figure
from fanin.report.studies.width_figures import coordinate_figure, named, transfer_figure
from fanin.report.studies.words import depth_sentences, width_sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.race.studies import DepthMap, Widths

DEPTH_THEORY = (
    "Where second moments settle, the difference between two inputs and the gradient "
    "shrink or grow by a factor of e in ξ layers. Schoenholz et al. (2017) found nets "
    "to train down to about 6ξ. At the edge of chaos ξ is infinite."
)
WIDTH_THEORY = (
    "Under the maximal update parametrization (Yang, Hu et al. 2022) every layer's "
    "output changes by the same amount at every width: curves lie level, as the dotted "
    "line does. The output itself starts smaller in a wider net, as 1/√width. With one "
    "learning rate for all and the usual weights, changes grow with the width."
)


def depth_page(found: DepthMap) -> str:
    """Give the depth study as one self-contained HTML file."""
    study = found.study
    lead = (
        f"Plain nets of {study.width} units with {study.activation} learn "
        f"{study.data}, with weights of σ_w²/fan_in and biases of 0. Each net has its "
        "own best learning rate."
    )
    head, rows = depth_table(found)
    picture = figure(
        depth_figure(found),
        caption=depth_sentences(found)[0],
        numbers=table(head, rows, caption="Accuracy on the training set"),
    )
    return page(
        title="How deep can it be?",
        lead=f'<p class="lead">{inline(lead)}</p>',
        sections=[
            Section(title="What was found", body=_listed(depth_sentences(found))),
            Section(title="Measured, and theory", body=picture + _quiet(DEPTH_THEORY)),
        ],
        footer=f"<p>{inline(f'{study.n_trials} nets in {found.seconds:.0f} s.')}</p>",
        data=depth_json(found),
    )


def width_page(found: Widths) -> str:
    """Give the width study as one self-contained HTML file."""
    study = found.study
    lead = (
        f"{found.model[:1].upper()}{found.model[1:]}: trained for {study.n_steps} "
        f"steps of {study.optimizer} at widths {study.widths[0]} to {study.widths[-1]}."
    )
    parts = [
        figure(
            *(coordinate_figure(found, policy, layer) for policy in study.policies),
            caption=_caption(found, layer),
        )
        for layer in found.layers
    ]
    slopes = table(*slope_table(found), caption="Powers of the width")
    sections = [
        Section(title="What was found", body=_listed(width_sentences(found))),
        Section(
            title="Coordinate check",
            body=_quiet(WIDTH_THEORY) + "".join(parts) + slopes,
        ),
    ]
    if study.rates:
        drawn = figure(
            *(transfer_figure(found, policy) for policy in study.policies),
            caption=" ".join(width_sentences(found)[1::2]),
            numbers=table(*rate_table(found), caption="Best learning rate"),
        )
        sections.append(Section(title="Does the learning rate carry over?", body=drawn))
    return page(
        title="Any width?",
        lead=f'<p class="lead">{inline(lead)}</p>',
        sections=sections,
        footer=f"<p>{inline(f'{study.n_runs} nets in {found.seconds:.0f} s.')}</p>",
        data=width_json(found),
    )


def _caption(found: Widths, layer: str) -> str:
    last = found.study.n_steps
    powers = ", ".join(
        f"{found.slope(policy, layer, last).mean:+.2f} ({policy})".replace("-", "−")
        for policy in found.study.policies
    )
    subject = f"{named(layer)}: after step {last}, E|x| goes as width to the power of"
    return f"{subject} {powers}."


def _listed(sentences: Sequence[str]) -> str:
    items = "".join(f"<li>{inline(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>"


def _quiet(words: str) -> str:
    return f'<p class="quiet">{inline(words)}</p>'
