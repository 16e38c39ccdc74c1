"""Philox4x32-10: random words from a key and a position, with no state in between.

Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
Element e of a parameter owns word e mod 4 of the block whose counter is (e // 4, 0):
the mapping of cuRAND, Triton and PyTorch's stateless generator. This is the oracle:
plain NumPy, the meaning of every faster version.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

ROUNDS = 10
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL = (0x9E3779B9, 0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)

Four: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def philox4x32(counter: Four, key: tuple[int, int]) -> Four:
    """Give the four words of each block.

    Args:
        counter: four words of 32 bits, each "n_blocks" uint64, below 2³².
        key: two words of 32 bits.

    Returns:
        The words, in the same form.

    Random123's own test vector:

    >>> zero = np.zeros(1, dtype=np.uint64)
    >>> words = philox4x32((zero, zero, zero, zero), (0, 0))
    >>> [f"{int(word[0]):08x}" for word in words]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    first, second, third, fourth = counter
    for turn in range(ROUNDS):
        key_0, key_1 = (
            np.uint64((word + turn * step) & 0xFFFFFFFF)
            for word, step in zip(key, WEYL, strict=True)
        )
        product_0 = MULTIPLIERS[0] * first
        product_1 = MULTIPLIERS[1] * third
        first, second, third, fourth = (
            (product_1 >> HALF) ^ second ^ key_0,
            product_1 & LOW,
            (product_0 >> HALF) ^ fourth ^ key_1,
            product_0 & LOW,
        )
    return first, second, third, fourth


def blocks(key: int, numbers: np.ndarray, *, plane: int = 0) -> Four:
    """Give the words of the blocks with these numbers, for a key of 64 bits.

    The counter is (number mod 2³², number // 2³², plane, 0), the key (key mod 2³²,
    key // 2³²).

    Args:
        key: 0 to 2⁶⁴−1.
        numbers: of the blocks, "n_blocks" uint64.
        plane: 0 for the words of every law, 1 for the second words of float64.
    """
    constant = np.zeros_like(numbers)
    counter = (numbers & LOW, numbers >> HALF, constant + np.uint64(plane), constant)
    return philox4x32(counter, (key & 0xFFFFFFFF, key >> 32))


def words_in(key: int, start: int, stop: int, *, plane: int = 0) -> np.ndarray:
    """Give the words of elements start to stop − 1: "stop−start" uint32.

    >>> words_in(0, 0, 5).tolist() == words_at(0, np.arange(5)).tolist()
    True
    """
    first_block = start // 4
    n_blocks = (stop + 3) // 4 - first_block
    numbers = np.uint64(first_block) + np.arange(n_blocks, dtype=np.uint64)
    words = np.empty((n_blocks, 4), dtype=np.uint32)
    for position, column in enumerate(blocks(key, numbers, plane=plane)):
        words[:, position] = column
    skipped = start - 4 * first_block
    return words.reshape(-1)[skipped : skipped + stop - start]


def words_at(key: int, index: np.ndarray, *, plane: int = 0) -> np.ndarray:
    """Give the words of any elements, in the order asked for: "n" uint32.

    Args:
        key: 0 to 2⁶⁴−1.
        index: "n", whole numbers from 0 to 2⁶⁴−1 of any integer type.
        plane: as in `blocks`.
    """
    elements = index.astype(np.uint64)
    four = blocks(key, elements >> np.uint64(2), plane=plane)
    position = (elements & np.uint64(3)).astype(np.intp)
    return np.choose(position, four).astype(np.uint32)
