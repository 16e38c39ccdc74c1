"""A progress bar on stderr with the time left, and nothing where nobody looks."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress(
    label: str,
    *,
    is_wanted: bool = True,
    stream: TextIO | None = None,
    unit: str = "steps",
) -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with steps done and steps in all.

    Args:
        label: what is being done.
        is_wanted: False keeps silent.
        stream: stderr unless given; a bar is drawn only if it is a terminal.
        unit: what is counted; "bytes" are shown as sizes.

    >>> with progress("Training", is_wanted=False) as tell:
    ...     tell(1, 2)
    """
    place = stream or sys.stderr
    if not is_wanted or not place.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        DownloadColumn() if unit == "bytes" else MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(file=place),
        transient=True,
        expand=True,
    )
    with bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
