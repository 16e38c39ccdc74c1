"""A folder with the config.json of a ``transformers`` model: config only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fanin.cli.targets.error import TargetError
from fanin.cli.targets.opened import Opened
from fanin.errors import UsageError

if TYPE_CHECKING:
    from fanin.cli.targets.opened import Wanted
    from fanin.frameworks.torch.transformers_config import Blueprint

TAKES = ("blocks",)
HUB = "hf:"
BYTES = 4
SHARE = 4
"""A run holds weights, their gradients, and what the layers gave."""


def fits(text: str) -> bool:
    """Say whether this is a folder, a config.json, or a name on the model hub.

    >>> fits("hf:openai-community/gpt2"), fits("net.py:make")
    (True, False)
    """
    return text.startswith(HUB) or text.endswith("config.json") or Path(text).is_dir()


def open_target(text: str, wanted: Wanted) -> Opened:
    """Build the model with its authors' own initialization; no checkpoint is read.

    Raises:
        TargetError: if the folder has no config.json.
        ModelError: if transformers cannot build it.
        UsageError: if it would not fit into memory; it says how to build a part.
    """
    from fanin.frameworks.torch.transformers_config import blueprint

    source = _source(text)
    found = blueprint(source, blocks=wanted.blocks)
    if not wanted.is_weightless:
        _require_memory(text, found, _free_memory())
    remark = f"Built {found.name} from its config; no checkpoint was read."
    if found.n_built < found.n_blocks:
        remark += f" Only {found.n_built} of {found.n_blocks} blocks were built."
    return Opened(model=found.build(), factory=found.build, remarks=(remark,))


def _source(text: str) -> str:
    if text.startswith(HUB):
        return text.removeprefix(HUB)
    folder = Path(text) if Path(text).is_dir() else Path(text).parent
    if not (folder / "config.json").is_file():
        raise TargetError.of(text, f"there is no config.json in {str(folder)!r}")
    return str(folder)


def _require_memory(text: str, found: Blueprint, free: int | None) -> None:
    """Refuse to build what cannot be run here.

    Raises:
        UsageError: it gives the sizes, and --blocks as the way out.
    """
    needed = SHARE * BYTES * found.n_parameters
    if free is None or needed <= free:
        return
    message = (
        f"{text!r} has {found.n_parameters / 1e9:.1f} billion parameters in "
        f"{found.n_built} blocks. To run it takes about {needed / 1e9:.0f} GB, and "
        f"{free / 1e9:.0f} GB are free. Build a part of it: --blocks 2."
    )
    raise UsageError(message)


def _free_memory() -> int | None:
    """Give the bytes that are free; None where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
