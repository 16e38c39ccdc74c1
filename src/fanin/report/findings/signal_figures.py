"""The network as a strip, its signal forwards and backwards, theory beside both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan
from typing import TYPE_CHECKING, Final

from fanin.report.page import figure, inline, number
from fanin.report.svg import STYLES, Cell, Frame, Line, Style, line_chart
from fanin.rules.words import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fanin.report.findings.links import Links
    from fanin.rules.profile import Row

MEASURED: Final = STYLES[0]
BETWEEN: Final = STYLES[1]
BESIDE: Final = Style(colour="var(--s5)", dash="", marker="ring")
THEORY: Final = Style(colour="var(--s3)", dash="2 3", marker="triangle")
COLOURS: Final = {
    "linear": "var(--s1)",
    "activation": "var(--s2)",
    "normalization": "var(--s3)",
    "sum": "var(--s4)",
    "other": "var(--s5)",
}
KINDS: Final = {
    "dense": "linear",
    "conv": "linear",
    "conv_transpose": "linear",
    "lookup": "linear",
    "linear": "linear",
    "elementwise": "activation",
    "normalize": "normalization",
    "add": "sum",
}
LEAST_SIZE: Final = 1e-300


def signal_figure(links: Links, *, has_table: bool = True) -> str:
    """Give both charts over one strip of layers, and the table of every site."""
    places = [i for i, row in enumerate(links.rows) if not _is_index(links.rows, i)]
    strip = Strip(
        rows=tuple(links.rows[i] for i in places),
        cells=tuple(_cell(links, i, links.rows[i]) for i in places),
    )
    shown = [kind for kind in COLOURS if any(_group(row) == kind for row in strip.rows)]
    legend = "".join(
        f'<li><span class="swatch" style="background:{COLOURS[kind]}"></span>'
        f"{kind}</li>"
        for kind in shown
    )
    said = [*_forward_words(strip.trunk), *_backward_words(strip.trunk)]
    if len(strip.trunk) < len(strip.rows):
        said.append("Rings are sites on branches.")
    if any(cell.is_flagged for cell in strip.cells):
        said.append("A red mark on the strip is a finding there.")
    key = f'<ul class="key" aria-label="Colours of the strip">{legend}</ul>'
    return key + figure(
        *(svg for svg in (forward_chart(strip), backward_chart(strip)) if svg),
        caption=" ".join(said),
        numbers=sites_table(links) if has_table else "",
        summary=f"Show every site ({len(links.rows)})",
    )


@dataclass(frozen=True, kw_only=True)
class Strip:
    """The sites that are drawn, in order of running; one cell for each."""

    rows: tuple[Row, ...]
    cells: tuple[Cell, ...]

    @property
    def trunk(self) -> tuple[Row, ...]:
        """Give the sites on the path that carries the signal."""
        return tuple(row for row in self.rows if row.is_trunk)

    def series(
        self, field: str, *, is_trunk: bool = True
    ) -> tuple[list[float], list[float]]:
        """Give places and sizes of a field, on the trunk or beside it.

        What is not known is a gap; what is too small to plot is 0.
        """
        found = [
            (float(place), getattr(row, field))
            for place, row in enumerate(self.rows)
            if row.is_trunk is is_trunk
        ]
        sizes = [
            nan if size is None else (0.0 if size < LEAST_SIZE else size)
            for _, size in found
        ]
        return [place for place, _ in found], sizes

    def line(self, label: str, field: str, style: Style) -> Line:
        """Give a field along the trunk as a curve."""
        x, y = self.series(field)
        return Line(label=label, x=x, y=y, style=style)

    def branches(self, field: str) -> Line:
        """Give a field at the sites of branches: points, with no line through them."""
        x, y = self.series(field, is_trunk=False)
        return Line(label="", x=x, y=y, style=BESIDE, has_stroke=False, marks="all")


def _is_index(rows: Sequence[Row], place: int) -> bool:
    """Say whether a site holds whole numbers that a table looks up: no signal."""
    follows = rows[place + 1 : place + 2]
    is_input = rows[place].kind == "input"
    return is_input and any(row.kind == "lookup" for row in follows)


def forward_chart(strip: Strip) -> str:
    """Draw root mean squares along the trunk: pooled, between samples, and theory's."""
    theory = replace(
        strip.line("theory", "predicted", THEORY),
        marks="none",
        low=strip.series("predicted_low")[1],
        high=strip.series("predicted_high")[1],
    )
    lines = [
        theory,
        strip.line("between samples", "between", BETWEEN),
        strip.line("measured", "forward", MEASURED),
        strip.branches("forward"),
    ]
    frame = Frame(
        title="Forward: size of each output",
        description=" ".join(_forward_words(strip.trunk)),
        x_label="place on the way from input to output",
        y_label="root mean square",
        is_log=True,
        x_range=(0.0, max(len(strip.rows) - 1.0, 1.0)),
        height=320,
    )
    return line_chart(_known(lines), frame, cells=strip.cells)


def backward_chart(strip: Strip) -> str:
    """Draw the gradient's root mean squares along the trunk, and theory's."""
    if not any(row.gradient for row in strip.trunk):
        return ""
    lines = [
        replace(strip.line("theory", "predicted_gradient", THEORY), marks="none"),
        strip.line("measured", "gradient", MEASURED),
        strip.branches("gradient"),
    ]
    frame = Frame(
        title="Backward: size of each gradient",
        description=" ".join(_backward_words(strip.trunk)),
        x_label="place on the way from input to output",
        y_label="root mean square of the objective's gradient",
        is_log=True,
        x_range=(0.0, max(len(strip.rows) - 1.0, 1.0)),
        height=320,
    )
    return line_chart(_known(lines), frame, cells=strip.cells)


def _known(lines: Sequence[Line]) -> list[Line]:
    """Leave out series that nothing is known of; 0 on a log axis is named as absent."""
    return [one for one in lines if any(y == y for y in one.y)]


def _group(row: Row) -> str:
    return KINDS.get(row.kind, "other")


def _cell(links: Links, place: int, row: Row) -> Cell:
    faults = links.faults_at(place)
    said = ", ".join(dict.fromkeys(f"{f.code} {f.name}" for f in faults))
    return Cell(
        colour=COLOURS[_group(row)],
        is_flagged=bool(faults),
        words=f"{row.name}: {said}" if faults else "",
    )


def _forward_words(path: Sequence[Row]) -> Iterator[str]:
    """Say where the signal begins and ends, and how far theory is right."""
    linear = [
        row for row in path if _group(row) == "linear" and row.forward is not None
    ]
    if not linear:
        return
    first, last = linear[0], linear[-1]
    if not any(row.forward for row in linear):
        yield "Every layer's output is 0."
        return
    yield (
        f"From {first.name} to {last.name} the outputs' root mean square goes from "
        f"{_size(first.forward)} to {_size(last.forward)}; what differs between "
        f"samples, from {_size(first.between)} to {_size(last.between)}."
    )
    known = [row for row in path if row.predicted_low is not None]
    n_inside = sum(_is_inside(row) for row in known)
    if known:
        yield (
            f"{n_inside} of {count(len(known), 'output')} lie within theory's interval "
            "for one draw of the weights."
        )


def _is_inside(row: Row) -> bool:
    if row.forward is None or row.predicted_low is None or row.predicted_high is None:
        return False
    return row.predicted_low <= row.forward <= row.predicted_high


def _backward_words(path: Sequence[Row]) -> Iterator[str]:
    known = [row for row in path if row.gradient is not None]
    if not known:
        return
    first, last = known[0], known[-1]
    yield (
        f"Gradients go from {_size(last.gradient)} at {last.name} to "
        f"{_size(first.gradient)} at {first.name}."
    )


def _size(value: float | None) -> str:
    return "–" if value is None else number(value)


HEAD: Final = (
    ("layer", lambda row: row.name),
    ("kind", lambda row: row.kind.replace("_", " ")),
    ("shape", lambda row: "×".join(map(str, row.shape))),
    ("output", lambda row: row.forward),
    ("theory", lambda row: row.predicted),
    ("from", lambda row: row.predicted_low),
    ("to", lambda row: row.predicted_high),
    ("between samples", lambda row: row.between),
    ("share", lambda row: row.input_share),
    ("gradient", lambda row: row.gradient),
    ("theory", lambda row: row.predicted_gradient),
)


def sites_table(links: Links) -> str:
    """Give every measured site, its findings first; sizes are root mean squares."""
    names = [*(name for name, _ in HEAD), "findings"]
    columns: list[Callable[[Row], object]] = [column for _, column in HEAD]
    lines = []
    for place, row in enumerate(links.rows):
        cells = "".join(_cell_of(column(row)) for column in columns[1:])
        anchor = f' id="site-{place}"' if links.is_page else ""
        found = links.to_findings(place)
        lines.append(
            f'<tr{anchor}><th scope="row">{inline(row.name)}</th>{cells}'
            f"<td>{found}</td></tr>"
        )
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    caption = (
        "Every measured site, in order of running. Sizes are root mean squares; share: "
        "of the mean square, what differs between samples."
    )
    return (
        f'<div class="scroll tall" role="region" tabindex="0" aria-label="{caption}">'
        f'<table class="sites"><caption>{caption}</caption><thead><tr>{head}</tr>'
        f"</thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell_of(value: object) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, float):
        return f"<td>{number(value)}</td>"
    return f"<td>{inline(value)}</td>"
