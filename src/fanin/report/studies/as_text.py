"""A study as text: its sentences, and the table of its numbers."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from fanin.report.studies.words import depth_sentences, width_sentences
from fanin.rules.summary import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.race.studies import DepthMap, Widths


def depth_text(found: DepthMap) -> str:
    """Give the map as a table: a row a depth, a column a σ_w."""
    head, rows = depth_table(found)
    study = found.study
    setting = (
        f"{study.activation}, width {study.width}, {study.data}, {study.n_steps} "
        f"steps of {study.optimizer}, best of {len(study.learning_rates)} learning "
        f"rates, {plural(len(study.seeds), 'seed')}; accuracy on the training set. "
        f"{found.seconds:.0f} s."
    )
    lines = [*depth_sentences(found), "", *_laid(head, rows), "", setting]
    return "\n".join(lines) + "\n"


def depth_table(found: DepthMap) -> tuple[list[str], list[list[str]]]:
    """Give head and rows; the last row is 6ξ."""
    head = ["hidden layers", *(f"σ_w {sigma:g}" for sigma in found.study.sigmas)]
    rows = [
        [str(depth), *(f"{accuracy:.2f}" for accuracy in row)]
        for depth, row in zip(found.study.depths, found.accuracy, strict=True)
    ]
    limits = [reach.n_layers for reach in found.reaches]
    rows.append(["6ξ", *(f"{n:.1f}" if isfinite(n) else "∞" for n in limits)])
    return head, rows


def width_text(found: Widths) -> str:
    """Give the slopes as a table: a row a layer, columns by policy."""
    study = found.study
    lines = [*width_sentences(found), ""]
    lines += _laid(*slope_table(found))
    if study.rates:
        lines += ["", *_laid(*rate_table(found))]
    setting = (
        f"{found.model}; {study.optimizer}, learning rate {study.learning_rate:.3g} at "
        f"width {study.base_width}, {plural(len(study.seeds), 'seed')}. "
        f"{found.seconds:.0f} s."
    )
    return "\n".join([*lines, "", setting]) + "\n"


def slope_table(found: Widths) -> tuple[list[str], list[list[str]]]:
    """Give, for each layer and policy, the power of the width that a size goes as."""
    last = found.study.n_steps
    head = ["layer"]
    for policy in found.study.policies:
        head += [f"{policy}: E|x| at step 0", f"at step {last}", "change"]
    rows = []
    for layer in found.layers:
        row = [layer]
        for policy in found.study.policies:
            slopes = (
                found.slope(policy, layer, 0),
                found.slope(policy, layer, last),
                found.change_slope(policy, layer),
            )
            row += [f"{slope.mean:+.2f}".replace("-", "−") for slope in slopes]
        rows.append(row)
    return head, rows


def rate_table(found: Widths) -> tuple[list[str], list[list[str]]]:
    """Give the best learning rate of each width."""
    head = ["best learning rate", *(f"width {w}" for w in found.study.widths)]
    rows = [
        [policy, *(f"{rate:.3g}" for rate in found.best_rates(policy))]
        for policy in found.study.policies
    ]
    return head, rows


def _laid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay cells out in columns: names to the left, numbers to the right."""
    table = [head, *rows]
    widths = [max(len(row[k]) for row in table) for k in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(wide) if k == 0 else cell.rjust(wide)
            for k, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    return [lines[0], "─" * max(map(len, lines)), *lines[1:]]
