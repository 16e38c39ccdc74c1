"""What a script says of a parameter in its comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fanin.prescription.prescription import Prescription

SENTENCE: Final = re.compile(r"(?<! al)\. (?=[A-Z])")
"""Where one sentence ends and another begins; "et al." ends none."""
CENTRED: Final = " What centres them on the batch fits one draw alone: it is left out."
"""Said where the plan's values hold such a part."""


def about(p: Prescription) -> str:
    """Give the scheme and the first sentence of the reason."""
    sentence = SENTENCE.split(p.reason)[0].removesuffix(".") + "."
    scheme = p.scheme.partition("(")[0]
    return f"({scheme}): {sentence}"


def rate_of(p: Prescription) -> str:
    """Give what the learning rate is to be multiplied by, "" where by nothing.

    >>> from dataclasses import replace
    >>> from fanin.prescription.prescription import Prescription
    >>> weight = Prescription(
    ...     path="0.weight",
    ...     shape=(8, 8),
    ...     dtype="float32",
    ...     role="hidden",
    ...     scheme="he_normal",
    ...     law="normal",
    ...     reason="",
    ...     learning_rate=0.125,
    ... )
    >>> rate_of(weight), rate_of(replace(weight, learning_rate=1.0))
    (' Learning rate × 0.125 with Adam.', '')
    """
    rates = {"Adam": p.learning_rate, "SGD": p.learning_rate_sgd}
    if p.learning_rate == p.learning_rate_sgd != 1.0:
        return f" Learning rate × {p.learning_rate:.6g}."
    said = [f"× {rate:.6g} with {name}" for name, rate in rates.items() if rate != 1.0]
    return f" Learning rate {', '.join(said)}." if said else ""
