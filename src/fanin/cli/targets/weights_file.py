"""Weights in a file; --arch says what builds the model that they are of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fanin.cli.targets.error import TargetError
from fanin.cli.targets.opened import Opened

if TYPE_CHECKING:
    from fanin.cli.targets.opened import Wanted

TAKES = ("arch", "blocks")
SUFFIXES = (
    ".safetensors",
    ".safetensors.index.json",
    ".weights.h5",
    ".npz",
    ".pt",
    ".pth",
    ".bin",
    ".ckpt",
)
PICKLES = (".pkl", ".pickle", ".joblib")


def fits(text: str) -> bool:
    """Say whether this is the path of a file of weights.

    >>> fits("model.safetensors"), fits("net.py:make")
    (True, False)
    """
    return text.lower().endswith((*SUFFIXES, *PICKLES))


def open_target(text: str, wanted: Wanted) -> Opened:
    """Build the model that --arch names, and read the weights into it.

    Raises:
        TargetError: if there is no such file, or no --arch.
        ModelError: if the file cannot be read, or is of another model.
    """
    from fanin.frameworks.find import find

    if text.lower().endswith(PICKLES):
        what = "it is a pickle, and reading it would run code that is in the file"
        raise TargetError.of(text, what)
    if not Path(text).is_file():
        raise TargetError.of(text, "there is no such file")
    if wanted.arch is None:
        what = "it holds weights and not what is done with them: add --arch TARGET"
        raise TargetError.of(text, what)
    it = wanted.arch()
    model = find(it.model).load_weights(it.model, text)
    remark = f"The weights are those of {text}."
    return Opened(model=model, remarks=(*it.remarks, remark))
