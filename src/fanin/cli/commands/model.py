"""What check, plan and init share: a TARGET, its batch, its loss."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanin.cli import inputs
from fanin.cli.target import TargetError, build, load

if TYPE_CHECKING:
    import argparse


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model and what it is run on."""

    model: Any
    batch: Any = None
    loss: Any = None
    target: Any = None


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add TARGET."""
    parser.add_argument(
        "model",
        metavar="TARGET",
        help="pkg.module:make(width=256), file.py:attribute, or model.keras",
    )


def add_subject(parser: argparse.ArgumentParser) -> None:
    """Add TARGET, --input, --target and --loss."""
    add_model(parser)
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


def subject(arguments: argparse.Namespace, *, seed: int = 0) -> Subject:
    """Build the model, and read what it is run on.

    Raises:
        UsageError: if a word cannot be read.
        ModelError: if the user's code raises.
    """
    model = load_model(arguments.model)
    batch, target = None, None
    if arguments.input is not None:
        batch, target = inputs.split(inputs.read(arguments.input, seed=seed))
    if arguments.target is not None:
        target, _ = inputs.split(inputs.read(arguments.target, seed=seed))
    loss = arguments.loss
    if loss is not None and ":" in loss:
        loss = load(loss)
    return Subject(model=model, batch=batch, loss=loss, target=target)


def load_model(text: str) -> object:
    """Give the model that a TARGET names; a class or factory is called without words.

    Raises:
        TargetError: if it names nothing, or something that is no model.
        ModelError: if the user's code raises.
    """
    if ":" not in text and text.endswith(".keras"):
        return load_file(text)
    found = load(text)
    if _is_model(found):
        return found
    if callable(found):
        found = build(text, found)
    if not _is_model(found):
        kind = type(found).__name__
        raise TargetError.of(text, f"it is a {kind}, no model of PyTorch, Keras or JAX")
    return found


def load_file(text: str) -> object:
    """Load a .keras file.

    Raises:
        TargetError: if there is no such file.
        ModelError: if Keras cannot load it; its own error is the cause.
    """
    from fanin.frameworks.keras.files import load as load_keras

    if not Path(text).is_file():
        raise TargetError.of(text, "there is no such file")
    return load_keras(text)


def _is_model(found: object) -> bool:
    from fanin.frameworks.find import owner

    return not isinstance(found, type) and owner(found) is not None
