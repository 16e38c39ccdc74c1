"""--input and --target: ``64x784``, ``tokens:8x128<50257``, a file, an object."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from fanin.cli.targets.python_object import build, load
from fanin.errors import UsageError
from fanin.graph.signature import InputSignature

SHAPE = re.compile(r"\d+(x\d+)*")
TOKENS = re.compile(r"tokens:(\d+(?:x\d+)*)<(\d+)")
GRAMMAR = (
    "Write a shape as in 64x784 (standard normal numbers), tokens:8x128<50257 (whole "
    "numbers below 50257), the path of a .npy or .npz file, or pkg.module:attribute."
)


class InputError(UsageError):
    """An --input or --target that cannot be read."""

    @classmethod
    def of(cls, text: str, what: str) -> InputError:
        """Build the message: the text, what is wrong, and the grammar."""
        return cls(f"Input {text!r}: {what}. {GRAMMAR}")


def read(text: str, *, seed: int = 0) -> Any:  # noqa: ANN401 - a batch is any object
    """Give the batch that the text names; synthetic numbers are drawn from the seed.

    Returns:
        An array for a shape, tokens or a .npy file; for a .npz file a dict of its
        arrays; for pkg.module:attribute that object, called if it is a function.

    Raises:
        InputError: if the text is of no known form or the file cannot be read.

    >>> read("2x3").shape
    (2, 3)
    >>> bool(read("tokens:4x5<7").max() < 7)
    True
    """
    signature = signature_of(text)
    if signature is not None:
        from fanin.sampler.synthetic import batch_of

        return batch_of(signature, seed=seed)
    if text.endswith((".npy", ".npz")):
        return _read_file(text)
    if ":" in text:
        found = load(text)
        return build(text, found) if callable(found) else found
    raise InputError.of(text, "this is no shape, file or object")


def signature_of(text: str) -> InputSignature | None:
    """Read ``64x784`` or ``tokens:8x128<50257``; None if it is neither.

    >>> signature_of("tokens:8x128<50257").describe()
    '8×128 whole numbers below 50257'
    """
    if SHAPE.fullmatch(text):
        return InputSignature(shape=_lengths(text))
    tokens = TOKENS.fullmatch(text)
    if tokens:
        return InputSignature(shape=_lengths(tokens[1]), below=int(tokens[2]))
    return None


def split(found: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a batch is any object
    """Take batch and target apart where one object holds both.

    A dict (of a .npz file) with "x" and "y", or "batch" and "target", holds both.

    >>> split({"x": 1, "y": 2})
    (1, 2)
    >>> split("only a batch")
    ('only a batch', None)
    """
    if isinstance(found, dict):
        for batch, target in (("x", "y"), ("batch", "target")):
            if set(found) == {batch, target}:
                return found[batch], found[target]
        if len(found) == 1:
            return next(iter(found.values())), None
    return found, None


def _lengths(text: str) -> tuple[int, ...]:
    return tuple(int(length) for length in text.split("x"))


def _read_file(text: str) -> Any:  # noqa: ANN401 - a batch is any object
    path = Path(text)
    if not path.is_file():
        raise InputError.of(text, "there is no such file")
    try:
        loaded = np.load(path, allow_pickle=False)
    except (ValueError, OSError) as error:
        raise InputError.of(text, f"it cannot be read ({error})") from error
    if isinstance(loaded, np.ndarray):
        return loaded
    with loaded:
        return {name: loaded[name] for name in loaded.files}
