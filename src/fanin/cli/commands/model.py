"""What check, plan and init share: a TARGET, its batch, its loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fanin.cli import inputs
from fanin.cli.targets import open_target
from fanin.cli.targets.python_object import load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from fanin.cli.targets import Opened


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model and what it is run on.

    factory: builds the model anew, where the TARGET says how. remarks: what a reader
    of a report should know of how the model came to be.
    """

    model: Any
    batch: Any = None
    loss: Any = None
    target: Any = None
    factory: Callable[[], Any] | None = None
    remarks: tuple[str, ...] = ()


def add_model(parser: argparse.ArgumentParser, *, is_optional: bool = False) -> None:
    """Add TARGET, and what may be said beside it."""
    parser.add_argument(
        "model",
        nargs="?" if is_optional else None,
        metavar="TARGET",
        help="pkg.module:make(width=256), file.py:attribute, model.keras, "
        "program.pt2, a folder with a config.json, or weights.safetensors with --arch",
    )
    parser.add_argument(
        "--arch", metavar="TARGET", help="what builds the model of a file of weights"
    )
    parser.add_argument(
        "--blocks",
        type=int,
        metavar="N",
        help="of a config.json, build only so many blocks of each stack",
    )


def add_subject(parser: argparse.ArgumentParser, *, is_optional: bool = False) -> None:
    """Add TARGET, --input, --target and --loss."""
    add_model(parser, is_optional=is_optional)
    parser.add_argument(
        "--input",
        metavar="INPUT",
        help="64x784, tokens:8x128<50257, batch.npz, or "
        "pkg.module:batch; a .npz with x and y holds the target too",
    )
    parser.add_argument(
        "--target", metavar="INPUT", help="labels.npy or pkg.module:labels"
    )
    parser.add_argument(
        "--loss",
        metavar="LOSS",
        help="mse, cross_entropy, binary_cross_entropy, or "
        "pkg.module:function of (output, target)",
    )


def subject(
    arguments: argparse.Namespace, *, seed: int = 0, is_weightless: bool = False
) -> Subject:
    """Build the model, and read what it is run on.

    Raises:
        UsageError: if a word cannot be read.
        ModelError: if the user's code raises.
    """
    it = opened(arguments, is_weightless=is_weightless)
    batch, target = None, None
    if arguments.input is not None:
        batch, target = inputs.split(inputs.read(arguments.input, seed=seed))
    if arguments.target is not None:
        target, _ = inputs.split(inputs.read(arguments.target, seed=seed))
    loss = arguments.loss
    if loss is not None and ":" in loss:
        loss = load(loss)
    return Subject(
        model=it.model,
        batch=batch,
        loss=loss,
        target=target,
        factory=it.factory,
        remarks=it.remarks,
    )


def opened(arguments: argparse.Namespace, *, is_weightless: bool = False) -> Opened:
    """Open TARGET, with what was said beside it."""
    return open_target(
        arguments.model,
        arch=arguments.arch,
        blocks=arguments.blocks,
        is_weightless=is_weightless,
    )


def load_model(text: str) -> object:
    """Give the model that a TARGET names.

    Raises:
        TargetError: if it names nothing, or something that is no model.
        ModelError: if the user's code raises.
    """
    return open_target(text).model
