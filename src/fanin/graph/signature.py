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
