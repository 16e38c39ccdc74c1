"""Run the whole lesson on real data: proved, found, mended, measured.

fanin demo                              writes fanin-demo.html
fanin demo -o lesson.html --no-progress
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from fanin.cli.commands.command import is_coloured
from fanin.files import ensure_writable

if TYPE_CHECKING:
    import argparse

NAME = "demo"
HELP = "run the whole lesson on real data, and write it as a page"
NARROWEST, WIDEST = 80, 140


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the page goes."""
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="fanin-demo.html",
        help="the page; default: %(default)s",
    )
    parser.add_argument(
        "--no-progress", action="store_true", help="draw no progress bar"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the lesson, write the page, and print what was shown."""
    from fanin.api import demo

    ensure_writable(arguments.output)

    def tell(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    shown = demo(progress=not arguments.no_progress, tell=tell)
    path = shown.save(arguments.output)
    columns = shutil.get_terminal_size((100, 24)).columns
    width = min(max(columns, NARROWEST), WIDEST)
    arguments.output = None  # what follows goes to the terminal
    text = shown.to_text(width=width, is_coloured=is_coloured(arguments))
    sys.stdout.write(f"{text}\n\nWrote {path} in {shown.seconds:.0f} seconds.\n")
    return 0
