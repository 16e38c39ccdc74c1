"""Open the lab: a page on this machine to see, change and run initial weights.

    fanin lab                                     lessons and the lab
    fanin lab net.py:make --input digits.npz      and the panels of your own model
    fanin lab --no-browser --port 8600

The page is served to this machine alone, at an address with a token; it asks no other
host for anything. The browser cannot name code: a model is named here. Ctrl-C ends it.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from fanin.cli.commands.model import add_subject, subject

if TYPE_CHECKING:
    import argparse

    from fanin.lab import Guest

NAME = "lab"
HELP = "open a page to see, change and run initial weights"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, which may be left out, and how the page is opened."""
    add_subject(parser, is_optional=True)
    parser.add_argument(
        "--port", type=int, default=0, help="of 127.0.0.1; default: a free one"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address and open nothing"
    )
    parser.add_argument("--seed", type=int, default=0, help="of --input; %(default)s")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from fanin.lab.server.serve import prepare

    guest = None if arguments.model is None else _guest(arguments)
    place = prepare(guest, port=arguments.port)
    sys.stdout.write(f"fanin lab: {place.url}\n")
    sys.stdout.flush()
    sys.stderr.write("Ctrl-C ends it.\n")
    with suppress(KeyboardInterrupt):  # the wanted end, and no interruption
        place.run(on_start=None if arguments.no_browser else lambda: _open(place.url))
    return 0


def _guest(arguments: argparse.Namespace) -> Guest:
    from fanin.lab import Guest

    it = subject(arguments, seed=arguments.seed)
    return Guest(
        name=arguments.model,
        model=it.model,
        batch=it.batch,
        loss=it.loss,
        target=it.target,
        factory=it.factory,
        remarks=it.remarks,
    )


def _open(url: str) -> None:
    """Open the address in the reader's browser, in a thread of its own.

    A browser of the terminal ends only when its reader does, and waits for a server
    that must start meanwhile.
    """
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
