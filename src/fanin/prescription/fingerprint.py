"""A plan's fingerprint: sixteen digits that say which numbers it writes.

Two plans with one fingerprint write the same bits. It is made of what the numbers
depend on and of nothing else: not of reasons, of what was measured, of learning rates,
or of the order of the parameters.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from fanin.prescription.prescription import OFFSET, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fanin.prescription.prescription import Prescription

VERSION: Final = 1
"""Of the way in which the text below is put together."""
ENTRYWISE: Final = ("constant", "normal", "truncated_normal", "uniform")
"""Laws whose std or value says all; of a matrix its gain may say it."""


def fingerprint_of(prescriptions: Iterable[Prescription], seed: int) -> str:
    """Give 16 hexadecimal digits: BLAKE2b-64 of the laws, the seed and the sampler.

    Args:
        prescriptions: of all parameters.
        seed: of those that have none of their own.

    >>> from fanin.prescription.prescription import Prescription
    >>> bias = Prescription(
    ...     path="0.bias",
    ...     shape=(2,),
    ...     dtype="float32",
    ...     role="bias",
    ...     scheme="zeros",
    ...     law="constant",
    ...     reason="",
    ... )
    >>> fingerprint_of([bias], seed=0)
    'efaca74e4ddd9117'
    """
    from fanin.sampler.key import FORMAT_VERSION, canonical_name

    stated = {
        canonical_name(p.path): _stated(p, seed) for p in prescriptions if not p.is_kept
    }
    text = json.dumps(
        {"version": VERSION, "sampler": FORMAT_VERSION, "parameters": stated},
        sort_keys=True,
        separators=(",", ":"),
    )
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _stated(p: Prescription, seed: int) -> dict[str, Any]:
    """Give what the numbers of one parameter depend on; floats to the last bit."""
    found = {
        "shape": list(p.shape),
        "dtype": p.dtype,
        "law": p.law,
        "std": float(p.std).hex(),
        "value": float(p.value).hex(),
        "values": [float(value).hex() for value in p.values],
        "roles": None if p.roles is None else asdict(p.roles),
        "mirrored": list(p.mirrored),
        "blocks": p.n_blocks,
        "parts": [_part(asdict(part)) for part in p.parts],
        "weight": p.weight,
    }
    if p.law not in {*ENTRYWISE, VALUES, OFFSET}:  # a matrix
        found["gain"] = None if p.gain is None else float(p.gain).hex()
    if p.law not in {"constant", "identity", VALUES}:
        found["seed"] = seed if p.seed is None else p.seed
    return found


def _part(part: dict[str, Any]) -> dict[str, Any]:
    numbers = {k: v for k, v in part.items() if k not in {"kind", "factor", "value"}}
    value = part["value"]
    numbers["factor"] = float(part["factor"]).hex()
    numbers["value"] = None if value is None else float(value).hex()
    return numbers
