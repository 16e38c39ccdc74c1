"""Write a checkpoint: shards, index, plan. Interrupted, it goes on where it was."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Final

from fanin.checkpoints.folder import (
    PLAN,
    SETTINGS,
    begin,
    finish,
    locked,
    place_of,
    require_free,
    write_file,
)
from fanin.checkpoints.layout import shards_of
from fanin.checkpoints.safetensors_file import is_whole
from fanin.checkpoints.safetensors_file import write as write_safetensors
from fanin.files import write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from fanin.checkpoints.contents import Contents
    from fanin.checkpoints.layout import Shard

    WriteAll = Callable[[Contents, Path, Callable[[int], None]], None]

INDEX: Final = "model.safetensors.index.json"
SHARD_BYTES: Final = 5 * 10**9
"""The size at which ``transformers`` begins a further file as well."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A checkpoint as it will be, or as it was written.

    folder: where. shards: its files. n_parameters: numbers that are drawn or set.
    most_at_once: bytes of memory that drawing takes at most, beside what Python and the
    plan take. n_found: shards that an earlier run had written. seconds: it took; 0
    before.
    """

    folder: Path
    shards: tuple[Shard, ...]
    n_parameters: int
    most_at_once: int
    n_found: int = 0
    seconds: float = field(default=0.0, compare=False)

    @property
    def n_bytes(self) -> int:
        """Count the bytes of all tensors."""
        return sum(shard.n_bytes for shard in self.shards)


def outline(contents: Contents, folder: str | Path, most_bytes: int) -> Checkpoint:
    """Say what would be written; nothing is."""
    return Checkpoint(
        folder=place_of(folder),
        shards=shards_of(contents.entries, most_bytes),
        n_parameters=contents.plan.n_parameters,
        most_at_once=contents.most_at_once,
    )


def write(
    contents: Contents,
    folder: str | Path,
    *,
    most_bytes: int = SHARD_BYTES,
    is_overwritten: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
    write_all: WriteAll | None = None,
) -> Checkpoint:
    """Write a checkpoint into a new folder: all of it, or none.

    The folder appears when everything in it is on the disk. Until then it grows in
    ``folder.partial``; called again after an interruption, of whatever kind, the files
    that are whole there are kept and the others written.

    Args:
        contents: what it holds.
        folder: where it goes; it may be there if it is empty.
        most_bytes: of one shard.
        is_overwritten: what stands there, or another checkpoint half written, gives
            way.
        on_progress: called with bytes written and bytes in all.
        write_all: writes all tensors in a format of its own, in place of shards; after
            an interruption it begins anew.

    Returns:
        What was written.

    Raises:
        OutputError: if the folder cannot be written, or holds files.
    """
    began = perf_counter()
    target = place_of(folder)
    require_free(target, is_overwritten=is_overwritten)
    planned = outline(contents, target, most_bytes)
    settings = {
        "shard_bytes": most_bytes,
        "is_sharded": write_all is None,
        "kept": contents.digest_of_kept,
    }
    known = {PLAN: contents.plan.to_json(), SETTINGS: json.dumps(settings)}
    told = _Progress(planned.n_bytes, on_progress)
    n_found = 0
    with locked(target):
        place = begin(target, known, is_overwritten=is_overwritten)
        if write_all is None:
            n_found = _write_shards(contents, planned, place, told)
        else:
            write_all(contents, place, told)
        for name, text in contents.texts.items():
            write_text(place / name, text)
        finish(target)
    return replace(planned, n_found=n_found, seconds=perf_counter() - began)


def _write_shards(
    contents: Contents,
    planned: Checkpoint,
    place: Path,
    told: Callable[[int], None],
) -> int:
    """Write the shards and their index; count those that were there already."""
    metadata = {"format": "pt", "fanin.plan": contents.plan.fingerprint}
    found = [
        _write_shard(contents, shard, place, metadata, told) for shard in planned.shards
    ]
    if len(planned.shards) > 1:
        write_text(place / INDEX, _index(planned))
    return sum(found)


def _write_shard(
    contents: Contents,
    shard: Shard,
    place: Path,
    metadata: Mapping[str, str],
    told: Callable[[int], None],
) -> bool:
    """Write a shard, and say whether it was there already."""
    if is_whole(place / shard.file, shard.entries, metadata):
        told(shard.n_bytes)
        return True
    grow = partial(
        write_safetensors,
        entries=shard.entries,
        metadata=metadata,
        pieces=contents.pieces,
        on_bytes=told,
    )
    write_file(place / shard.file, grow)
    return False


class _Progress:
    """Adds up bytes and tells."""

    def __init__(
        self, total: int, tell: Callable[[int, int], None] | None = None
    ) -> None:
        self.total = total
        self.done = 0
        self.tell = tell or (lambda _done, _total: None)
        self.tell(0, total)

    def __call__(self, n_bytes: int) -> None:
        self.done += n_bytes
        self.tell(self.done, self.total)


def _index(checkpoint: Checkpoint) -> str:
    """Give the index of names to files, as ``transformers`` writes it."""
    table = {
        entry.name: shard.file for shard in checkpoint.shards for entry in shard.entries
    }
    about = {
        "total_size": checkpoint.n_bytes,
        "total_parameters": checkpoint.n_parameters,
    }
    return json.dumps({"metadata": about, "weight_map": table}, indent=2) + "\n"
