"""Schemes in the terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from fanin.graph.fans import Fan
from fanin.report.schemes.curve import block_lines, curve_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from fanin.schemes.scheme import Scheme

EXAMPLE: Final = Fan(n_in=256.0, n_out=128.0)
"""The fans for which a page shows numbers where it is asked for no others."""
N_ROWS: Final = 8
PLOT_WIDTH: Final = 61
INDENT: Final = 11


def scheme_table(
    schemes: Iterable[Scheme], *, width: int = 100, is_coloured: bool = False
) -> str:
    """Give one row a scheme: name, law, formula, source.

    Args:
        schemes: in the order of the rows, as `SCHEMES.values()`.
        width: columns of the terminal, ≥ 60.
        is_coloured: with ANSI colours, for a terminal that shows them.

    >>> from fanin.schemes import SCHEMES
    >>> print(scheme_table([SCHEMES["he_normal"]]))
    scheme     law     variance of a weight     source
    he_normal  normal  Var[w] = gain² / fan_in  He et al. 2015
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("scheme", no_wrap=True, style="cyan")
    table.add_column("law", no_wrap=True)
    table.add_column("variance of a weight")
    table.add_column("source")
    for scheme in schemes:
        table.add_row(
            scheme.name,
            scheme.law.replace("_", " "),
            scheme.formula,
            scheme.sources[0].citation,
        )
    stream = io.StringIO()
    _console(stream, width, is_coloured=is_coloured).print(table)
    return _lines(stream)


def scheme_page(
    scheme: Scheme,
    fan: Fan[float] = EXAMPLE,
    *,
    width: int = 88,
    is_coloured: bool = False,
) -> str:
    """Give the page of one scheme: formula, what it keeps, source, and its density.

    Args:
        scheme: as `find_scheme` gives it, with its options set.
        fan: the fans of the layer for which numbers are shown, > 0.
        width: columns of the terminal, ≥ 60.
        is_coloured: with ANSI colours, for a terminal that shows them.
    """
    stream = io.StringIO()
    console = _console(stream, width, is_coloured=is_coloured)
    console.print(scheme.spec, style="bold cyan")
    if scheme.aliases:
        console.print(f"also {', '.join(scheme.aliases)}", style="dim")
    console.print()
    _print_facts(console, scheme)
    console.print()
    console.print(_numbers(scheme, fan), style="bold")
    console.print()
    for line in _plot(scheme, fan, min(PLOT_WIDTH, width - 4)):
        console.print(line, style="cyan", no_wrap=True)
    return _lines(stream)


def _print_facts(console: Console, scheme: Scheme) -> None:
    from rich.table import Table

    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(style="dim", no_wrap=True, width=INDENT - 1)
    table.add_column()
    table.add_row("law", scheme.law.replace("_", " "))
    table.add_row("formula", scheme.formula)
    table.add_row("gain", _gain(scheme))
    table.add_row("keeps", scheme.keeps)
    table.add_row("assumes", "; ".join(scheme.assumes))
    for option in scheme.options:
        table.add_row("option", f"{option.name}: {option.expected}")
    for source in scheme.sources:
        table.add_row("source", str(source))
    console.print(table)


def _gain(scheme: Scheme) -> str:
    if scheme.uses_gain:
        return f"{scheme.gain:.6g} in the source; the plan sets the activation's own"
    if any(option.name == "gain" for option in scheme.options):
        return f"{scheme.gain:.6g}"
    return "not in the formula"


def _numbers(scheme: Scheme, fan: Fan[float]) -> str:
    where = f"For fan_in {fan.n_in:g}, fan_out {fan.n_out:g}"
    if scheme.law == "constant":
        return f"{where}: every weight is {scheme.value:g}"
    spread = "root mean square" if scheme.law == "identity" else "std"
    words = f"{where}: {spread} {scheme.std(fan):.4g}"
    if scheme.law == "uniform":
        words += f", bound {scheme.bound(fan):.4g}"
    return words


def _plot(scheme: Scheme, fan: Fan[float], n_columns: int) -> list[str]:
    """Give the density as lines of blocks, with three places on the axis below."""
    odd = n_columns - (n_columns + 1) % 2  # so that 0 has a column of its own
    curve = curve_of(scheme, fan, odd)
    left, right = f"{curve.weights[0]:.3g}", f"{curve.weights[-1]:.3g}"
    room = odd // 2
    axis = left.ljust(room) + "0" + right.rjust(odd - room - 1)
    lines = block_lines(curve, N_ROWS)
    return ["  " + line for line in (*lines, "─" * room + "┼" + "─" * room, axis)]


def _console(stream: io.StringIO, width: int, *, is_coloured: bool) -> Console:
    from rich.console import Console

    return Console(
        file=stream,
        width=width,
        force_terminal=is_coloured,
        color_system="standard" if is_coloured else None,
        highlight=False,
        emoji=False,
        markup=False,
    )


def _lines(stream: io.StringIO) -> str:
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())
