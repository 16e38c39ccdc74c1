"""Programs of ``torch.export``: load a .pt2 file, and what a program reads.

A .pt2 file can hold pickles, which torch itself would run: they are looked at first.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import torch

from fanin.errors import ModelError
from fanin.graph.signature import InputSignature, SeveralInputs

if TYPE_CHECKING:
    from pathlib import Path

    from fanin.graph.signature import Signature

BATCH = 32
PICKLED_CONSTANTS = ("custom_obj", "opaque_obj")


def load_exported(path: str | Path) -> torch.fx.GraphModule:
    """Load what ``torch.export.save`` wrote; no code in the file is run.

    Returns:
        The program as a module, its parameters as trainable as they were.

    Raises:
        ModelError: if it cannot be loaded, or holds pickled objects besides tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = next(
                filter(None, map(_Reader(archive).pickle, archive.namelist())), ""
            )
    except (OSError, zipfile.BadZipFile) as error:
        message = f"{str(path)!r} is no .pt2 file: {error}"
        raise ModelError(message) from error
    if found:
        message = (
            f"{str(path)!r} is refused: {found} in it is a pickle of more than "
            "tensors, and loading it would run code that is in the file. Give "
            "pkg.module:make, which builds the model, instead."
        )
        raise ModelError(message)
    try:
        program = torch.export.load(path)
        return program.module()
    except Exception as error:
        message = f"torch.export cannot load {str(path)!r}: {error}"
        raise ModelError(message) from error


class _Reader:
    """Looks into the files of an archive for pickles that are more than tensors."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive

    def pickle(self, name: str) -> str:
        """Give the name of what is refused in a file of the archive; else nothing."""
        stem = name.rpartition("/")[2]
        if stem.startswith(PICKLED_CONSTANTS):
            return stem
        if stem.endswith(".pt"):
            return "" if self._is_tensors(name) else stem
        if stem.endswith("_config.json"):
            return self._pickled_payload(name)
        return ""

    def _pickled_payload(self, name: str) -> str:
        """Give a payload that is pickled and holds more than tensors."""
        try:
            config = json.loads(self.archive.read(name)).get("config", {})
        except (ValueError, AttributeError):
            return name
        folder = name.rpartition("/")[0]
        for payload in config.values():
            file = f"{folder}/{payload.get('path_name', '')}"
            if payload.get("use_pickle") and not self._is_tensors(file):
                return str(payload.get("path_name"))
        return ""

    def _is_tensors(self, name: str) -> bool:
        try:
            content = self.archive.read(name)
            if content:
                torch.load(io.BytesIO(content), weights_only=True)
        except Exception:  # whatever is wrong with it, it is not tensors
            return False
        return True


def recorded_signature(model: Any) -> Signature | None:
    """Give what an exported program was recorded on; None for any other model.

    A free axis is a batch of 32. Whole numbers that go into a table are below its
    number of rows.

    >>> program = torch.export.export(torch.nn.Linear(4, 2), (torch.ones(8, 4),))
    >>> recorded_signature(program.module()).describe()
    '8×4 standard normal numbers'
    """
    if not isinstance(model, torch.fx.GraphModule):
        return None
    inputs = [node for node in model.graph.nodes if node.op == "placeholder"]
    if not inputs or not all(_is_tensor(node) for node in inputs):
        return None
    found = tuple(_signature(node) for node in inputs)
    return found[0] if len(found) == 1 else SeveralInputs(positional=found)


def _is_tensor(node: torch.fx.Node) -> bool:
    return isinstance(node.meta.get("val"), torch.Tensor)


def _signature(node: torch.fx.Node) -> InputSignature:
    value = node.meta["val"]
    shape = tuple(n if isinstance(n, int) else BATCH for n in value.shape)
    is_real = value.dtype.is_floating_point
    return InputSignature(shape=shape, below=0 if is_real else _rows(node))


def _rows(node: torch.fx.Node) -> int:
    """Give the rows of the table that the numbers are looked up in; 2 if in none."""
    for user in node.users:
        if user.target is torch.ops.aten.embedding.default:
            table = user.args[0]
            value = table.meta.get("val") if isinstance(table, torch.fx.Node) else None
            if value is not None:
                return int(value.shape[0])
    return 2
