"""What a model reads, so that a batch can be made where none is given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class InputSignature:
    """The shape of one input, the batch along its first axis.

    below: for whole-number inputs (tokens) the number of different ones; 0 for real
    numbers.

    >>> InputSignature(shape=(32, 784)).describe()
    '32×784 standard normal numbers'
    >>> InputSignature(shape=(8, 16), below=1000).describe()
    '8×16 whole numbers below 1000'
    """

    shape: tuple[int, ...]
    below: int = 0

    def describe(self) -> str:
        """Say in words what a synthetic batch of this signature holds."""
        shape = "×".join(str(length) for length in self.shape)
        if self.below:
            return f"{shape} whole numbers below {self.below}"
        return f"{shape} standard normal numbers"


@dataclass(frozen=True, kw_only=True)
class SeveralInputs:
    """What a model reads that takes more than one array.

    positional: in order. keywords: name and signature, for what is given by name.
    target: of the classes that the model tells apart, where its kind says so.

    >>> ids = InputSignature(shape=(8, 16), below=100)
    >>> SeveralInputs(keywords=(("input_ids", ids),)).describe()
    'input_ids: 8×16 whole numbers below 100'
    """

    positional: tuple[InputSignature, ...] = ()
    keywords: tuple[tuple[str, InputSignature], ...] = ()
    target: InputSignature | None = None

    def describe(self) -> str:
        """Say in words what a synthetic batch of these signatures holds."""
        words = [each.describe() for each in self.positional]
        words += [f"{name}: {each.describe()}" for name, each in self.keywords]
        return ", ".join(words)


Signature = InputSignature | SeveralInputs
"""What a model reads: one array, or several."""
