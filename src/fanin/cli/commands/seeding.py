"""What `fanin init --out` shares with nobody: a checkpoint written from a plan."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import fanin
from fanin.cli.commands.model import subject
from fanin.cli.commands.wishes import planned

if TYPE_CHECKING:
    import argparse

    from fanin.checkpoints import Checkpoint
    from fanin.cli.commands.model import Subject
    from fanin.prescription import Plan


MOST_FILES: Final = 8
"""Files that are listed one by one."""


def add_seeding(parser: argparse.ArgumentParser) -> None:
    """Add what may be wished of a checkpoint, in a group of its own."""
    group = parser.add_argument_group(
        "a checkpoint (--out)",
        "The weights go straight to disk, tensor by tensor; the model is never in "
        "memory. After an interruption the same command goes on where it was.",
    )
    group.add_argument(
        "--out",
        metavar="DIR",
        help="a new folder for sharded safetensors, their index, config and plan",
    )
    group.add_argument(
        "--dtype",
        choices=("float32", "bfloat16", "float16", "float64"),
        help="of the file; default: each parameter's own",
    )
    group.add_argument(
        "--shard-size", metavar="SIZE", default="5GB", help="default: %(default)s"
    )
    group.add_argument(
        "--format",
        choices=("safetensors", "dcp"),
        default="safetensors",
        help="dcp: for torch.distributed.checkpoint; default: %(default)s",
    )
    group.add_argument(
        "--from-plan", metavar="FILE", help="write this plan's numbers, as saved"
    )
    group.add_argument(
        "--dry-run", action="store_true", help="show the plan and the sizes only"
    )
    group.add_argument(
        "--overwrite", action="store_true", help="what stands in DIR gives way"
    )


def run_seeding(arguments: argparse.Namespace) -> int:
    """Plan on a model without memory, and write the checkpoint or say what it is."""
    from fanin.checkpoints.folder import require_free

    folder = Path(arguments.out)
    if not arguments.dry_run:
        require_free(folder, is_overwritten=arguments.overwrite)
    it = subject(arguments, is_weightless=True)
    made = _plan(it, arguments)
    if arguments.plan is not None:
        made.save(arguments.plan)
    sys.stdout.write(f"{made}\n\n")
    if arguments.dry_run:
        sys.stdout.write(_would(made, it, arguments))
        return 0
    done = fanin.seed_checkpoint(
        made,
        folder,
        model=it.model,
        factory=it.factory,
        dtype=arguments.dtype,
        shard_size=arguments.shard_size,
        format=arguments.format,
        overwrite=arguments.overwrite,
    )
    sys.stdout.write(_written(done))
    return 0


def _plan(it: Subject, arguments: argparse.Namespace) -> Plan:
    if arguments.from_plan is None:
        return planned(it, arguments)
    from fanin.prescription import Plan

    return Plan.load(arguments.from_plan)


def _would(made: Plan, it: Subject, arguments: argparse.Namespace) -> str:
    """Say what would be written, and what it takes."""
    from fanin.api.checkpointing import checkpoint_contents
    from fanin.checkpoints import outline
    from fanin.checkpoints.layout import bytes_of

    contents = checkpoint_contents(made, it.model, it.factory, dtype=arguments.dtype)
    found = outline(contents, arguments.out, bytes_of(arguments.shard_size))
    return f"{_sizes(found)}\nNothing was written: --dry-run.\n"


def _written(done: Checkpoint) -> str:
    from fanin.checkpoints.layout import in_words

    rate = in_words(done.n_bytes / max(done.seconds, 1e-9))
    text = f"{_sizes(done)}\nWritten to {done.folder} in {done.seconds:.1f} s"
    text += f" ({rate} a second)."
    if done.n_found:
        text += f" {done.n_found} of {len(done.shards)} files were there already."
    return text + "\n"


def _sizes(found: Checkpoint) -> str:
    """Give the sizes as text: in all, and of the first files and the last."""
    from fanin.checkpoints.layout import in_words

    files = found.shards
    shown = files if len(files) <= MOST_FILES else (*files[:3], files[-1])
    plural = "s" if len(files) > 1 else ""
    head = (
        f"Checkpoint: {found.n_parameters:,} numbers, {in_words(found.n_bytes)} in "
        f"{len(files)} file{plural}; drawn {in_words(found.most_at_once)} at a time."
    )
    lines = [
        f"  {shard.file}  {in_words(shard.n_bytes):>9}  {len(shard.entries)} tensors"
        for shard in shown
    ]
    if len(files) > len(shown):
        lines.insert(-1, f"  … {len(files) - len(shown)} more")
    return "\n".join([head, *lines])
