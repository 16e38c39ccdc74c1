"""The key of a parameter: 64 bits from the seed and its name, and nothing else."""

from __future__ import annotations

import operator
import struct
from hashlib import blake2b
from typing import SupportsIndex

from fanin.errors import ArgumentError

FORMAT_VERSION = 1
"""Part of every key: another sampler can never pass for this one."""

WRAPPERS = frozenset(
    {
        "_orig_mod",  # torch.compile
        "_fsdp_wrapped_module",  # FullyShardedDataParallel
        "_checkpoint_wrapped_module",  # activation checkpointing
    }
)
"""Attributes that hold a wrapped module: no part of the name of what is in it."""

LARGEST = 2**64 - 1


def canonical_name(name: str) -> str:
    """Leave the wrappers out of a dotted name; the last component always stays.

    ``module``, as DistributedDataParallel has it, may be the user's own attribute: who
    reads a model's names leaves it out where a wrapper of that kind holds it.

    >>> canonical_name("_orig_mod.layers.0._checkpoint_wrapped_module.weight")
    'layers.0.weight'
    >>> canonical_name("dense/kernel")
    'dense/kernel'
    """
    *owners, last = name.split(".")
    return ".".join([*(owner for owner in owners if owner not in WRAPPERS), last])


def key_of(name: str, *, seed: int, stream: int = 0) -> int:
    """Give the first 8 bytes of BLAKE2b-64 as a little-endian number.

    Hashed are 32 bytes of header and then the canonical name in UTF-8: "fanin" filled
    with zeros to 8 bytes, then format version, seed and stream, 8 bytes little-endian
    each. The name comes last, so no two inputs share one encoding.

    Args:
        name: of the parameter, with or without wrappers.
        seed: 0 to 2⁶⁴−1.
        stream: 0 to 2⁶⁴−1; further streams of numbers for the same parameter.

    Raises:
        ArgumentError: if seed or stream is out of range, or the name is not text.

    >>> hex(key_of("layers.0.weight", seed=0))
    '0xa1307594622bba87'
    >>> key_of("_orig_mod.fc.bias", seed=7) == key_of("fc.bias", seed=7)
    True
    """
    header = struct.pack(
        "<8sQQQ",
        b"fanin",
        FORMAT_VERSION,
        _word("seed", seed),
        _word("stream", stream),
    )
    digest = blake2b(header + _encoded(name), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _word(argument: str, value: SupportsIndex) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number <= LARGEST:
        raise ArgumentError.of(argument, value, "a whole number from 0 to 2⁶⁴−1")
    return number


def _encoded(name: str) -> bytes:
    try:
        return canonical_name(name).encode()
    except (AttributeError, UnicodeEncodeError) as error:
        raise ArgumentError.of(
            argument="name", received=name, expected="text that UTF-8 can write"
        ) from error
