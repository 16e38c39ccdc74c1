"""List the schemes, or show one with its formula, source and density.

fanin schemes                              all of them
fanin schemes he_normal                    one
fanin schemes "normal(std=0.02)" --fans 512,10
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.cli.commands.command import (
    add_output,
    check_output,
    emit,
    format_of,
    is_coloured,
    width_of,
)
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    import argparse

    from fanin.graph import Fan

NAME = "schemes"
HELP = "list the schemes, or show one with its density"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scheme and the fans of the example layer."""
    parser.add_argument("scheme", nargs="?", metavar="SCHEME", help="he_normal, …")
    parser.add_argument(
        "--fans", metavar="IN,OUT", default="256,128", help="default: %(default)s"
    )
    add_output(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Write the table, or one scheme's page."""
    check_output(arguments)
    fan = read_fans(arguments.fans)
    as_text = format_of(arguments) == "text"
    emit(arguments, _text(arguments, fan) if as_text else _json(arguments, fan))
    return 0


def read_fans(text: str) -> Fan[float]:
    """Read ``IN,OUT``.

    Raises:
        ArgumentError: if these are not two numbers above 0.

    >>> read_fans("512,10").n_in
    512.0
    """
    from fanin.graph import Fan

    try:
        n_in, n_out = (float(part) for part in text.split(","))
    except ValueError:
        n_in = n_out = 0.0
    if n_in <= 0 or n_out <= 0:
        raise ArgumentError.of(
            argument="--fans",
            received=text,
            expected="two numbers above 0, as in 256,128",
        )
    return Fan(n_in=n_in, n_out=n_out)


def _text(arguments: argparse.Namespace, fan: Fan[float]) -> str:
    from fanin.report.schemes import scheme_page, scheme_table
    from fanin.schemes import SCHEMES, find_scheme

    width = width_of()
    colour = is_coloured(arguments)
    if arguments.scheme is None:
        return scheme_table(SCHEMES.values(), width=width, is_coloured=colour)
    scheme = find_scheme(arguments.scheme)
    return scheme_page(scheme, fan, width=width, is_coloured=colour)


def _json(arguments: argparse.Namespace, fan: Fan[float]) -> str:
    from fanin.report.schemes import schemes_json
    from fanin.schemes import SCHEMES, find_scheme

    if arguments.scheme is None:
        return schemes_json(SCHEMES.values(), fan)
    return schemes_json([find_scheme(arguments.scheme)], fan)
