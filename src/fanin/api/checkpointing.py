"""fanin.seed_checkpoint: a plan's numbers to disk, the model never in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.api.task import find_framework
from fanin.errors import ArgumentError, NoStorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fanin.checkpoints import Checkpoint, Contents
    from fanin.graph.region import Region
    from fanin.prescription import Plan


def seed_checkpoint(  # noqa: PLR0913 (each is one wish a person has)
    plan: Plan,
    folder: str | Path,
    *,
    model: object = None,
    factory: Callable[[], object] | None = None,
    dtype: str | None = None,
    shard_size: str = "5GB",
    format: str = "safetensors",  # noqa: A002 (what a reader of the call expects)
    overwrite: bool = False,
    progress: bool = True,
) -> Checkpoint:
    """Write the initial weights as a checkpoint, tensor by tensor.

    Memory is bounded by the largest piece that is drawn at a time (32 MB of float32;
    an orthogonal matrix is drawn whole), however large the model. The numbers are
    those that `fanin.apply` writes into a model, to the bit, rounded once where
    ``dtype`` is narrower. The folder appears when everything in it is on the disk;
    after an interruption the same call goes on where it was.

    Args:
        plan: as made by `fanin.plan`, or loaded.
        folder: a new or empty folder. It gets ``model-00001-of-0000N.safetensors``,
            ``model.safetensors.index.json`` and ``fanin.plan.json``.
        model: the plan's torch model, which may be on the meta device: its stored
            buffers are written too, and of a ``transformers`` model the config, so
            that ``from_pretrained(folder)`` reads it. None: the parameters alone.
        factory: builds the model anew (known of a ``transformers`` model). Needed
            where the plan keeps what the authors wrote into a parameter (a table of
            sinusoids, decay rates of a scan) and the model has no memory: those
            parameters alone are built.
        dtype: "float32", "bfloat16", "float16" or "float64"; None for each
            parameter's own.
        shard_size: of one file, as in "5GB" or "500MB".
        format: "safetensors", or "dcp" for ``torch.distributed.checkpoint``.
        overwrite: files that stand in the folder give way.
        progress: draw a bar on stderr if it is a terminal.

    Returns:
        What was written: folder, shards, sizes, seconds.

    Raises:
        ArgumentError: if a size, dtype or format cannot be read.
        NoStorageError: if the plan keeps present values, or a buffer has no memory.
        OutputError: if the folder holds files or cannot be written, or the disk is
            full: what is done stays in ``folder.partial``.

    >>> import fanin, tempfile, torch
    >>> with torch.device("meta"):
    ...     net = torch.nn.Linear(3, 2)
    >>> place = tempfile.mkdtemp()
    >>> plan = fanin.plan(net, torch.empty(4, 3, device="meta"), seed=0)
    >>> fanin.seed_checkpoint(plan, place, model=net).shards[0].file
    'model.safetensors'
    """
    from fanin import checkpoints
    from fanin.checkpoints.layout import bytes_of, in_words
    from fanin.report.progress import progress as progress_bar

    contents = checkpoint_contents(plan, model, factory, dtype=dtype)
    if format not in {"safetensors", "dcp"}:
        expected = '"safetensors" or "dcp"'
        raise ArgumentError.of(argument="format", received=format, expected=expected)
    label = f"Writing {in_words(contents.n_bytes)}"
    with progress_bar(label, is_wanted=progress, unit="bytes") as tell:
        return checkpoints.write(
            contents,
            folder,
            most_bytes=bytes_of(shard_size),
            is_overwritten=overwrite,
            on_progress=tell,
            write_all=_distributed if format == "dcp" else None,
        )


def _distributed(
    contents: Contents, folder: Path, on_bytes: Callable[[int], None]
) -> None:
    """Write with torch.distributed.checkpoint, which is torch's own format."""
    from fanin.frameworks.torch.distributed_checkpoint import write

    entries = {entry.name: entry for entry in contents.entries}

    def give(name: str, region: Region) -> np.ndarray:
        numbers = contents.numbers(entries[name], region)
        on_bytes(numbers.nbytes)
        return numbers

    write(
        folder,
        {name: (entry.shape, entry.dtype) for name, entry in entries.items()},
        lambda name: contents.regions(entries[name]),
        give,
    )


def checkpoint_contents(
    plan: Plan,
    model: object = None,
    factory: Callable[[], object] | None = None,
    *,
    dtype: str | None = None,
) -> Contents:
    """Give what a checkpoint of a plan and its model would hold.

    Raises:
        ArgumentError: if the model is not of PyTorch, or the dtype is not known.
        NoStorageError: if the plan keeps present values, or a buffer has no memory.
    """
    from fanin.checkpoints import contents_of

    return contents_of(
        plan,
        kept=_kept(plan, model, factory),
        buffers=_buffers_of(model),
        texts=_texts_of(model),
        dtype=dtype,
    )


def _kept(
    plan: Plan, model: object, factory: Callable[[], object] | None
) -> dict[str, np.ndarray]:
    """Find the values that the plan keeps: in the model, or in one built anew."""
    paths = [p.path for p in plan.prescriptions if p.is_kept]
    if not paths:
        return {}
    if model is not None:
        held = find_framework(model).parameters(model)
        if all(p.storage == "ready" for p in held if p.path in set(paths)):
            values = find_framework(model).view(model)
            return {path: np.array(values[path]) for path in paths if path in values}
    from fanin.frameworks.torch.transformers_config import factory_of

    builder = factory or factory_of(model)
    if builder is None:
        message = (
            f"The plan keeps {paths[0]!r} as the model's authors set it"
            f"{_and_more(len(paths) - 1)}, and the model has no memory. Pass "
            "factory=..., which builds the model anew, or decide it: "
            f"overrides={{{paths[0]!r}: 'zeros'}}."
        )
        raise NoStorageError(message)
    from fanin.frameworks.torch.weightless import authors_values

    return authors_values(builder, paths, seed=plan.seed)


def _and_more(n: int) -> str:
    return f", and {n} more" if n else ""


def _buffers_of(model: object) -> dict[str, tuple[np.ndarray, str]]:
    """Give what a torch model stores beside its parameters.

    Raises:
        ArgumentError: if the model is of another framework.
    """
    if model is None:
        return {}
    framework = find_framework(model)
    if framework.NAME != "torch":
        expected = "a PyTorch model; of any other write fanin.init's weights to a file"
        received = framework.NAME
        raise ArgumentError.of(argument="model", received=received, expected=expected)
    from fanin.frameworks.torch.weightless import stored_buffers

    return stored_buffers(model)


def _texts_of(model: object) -> dict[str, str]:
    if model is None:
        return {}
    from fanin.frameworks.torch.transformers_config import texts_of

    return texts_of(model)
