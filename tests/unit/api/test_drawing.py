"""Numbers are drawn into memory that is given, with the bits of a new array."""

from __future__ import annotations

import numpy as np
import pytest

import fanin
from fanin.errors import ArgumentError


@pytest.mark.parametrize("scheme", ["he_normal", "glorot_uniform", "orthogonal"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_memory_gets_the_bits_of_a_new_array(scheme, dtype):
    out = np.zeros((5, 12), dtype=dtype)[:, ::2]
    given = fanin.draw("w", (5, 6), scheme, seed=3, out=out)
    expected = fanin.draw("w", (5, 6), scheme, seed=3, dtype=dtype)

    assert given is out
    assert np.array_equal(out, expected)


@pytest.mark.parametrize(
    "out",
    [np.zeros((6, 5), dtype=np.float32), np.broadcast_to(np.float32(0), (5, 6))],
    ids=["shape", "locked"],
)
def test_memory_that_does_not_fit_is_refused(out):
    with pytest.raises(ArgumentError, match=r"a writable array of shape \(5, 6\)"):
        fanin.draw("w", (5, 6), "he_normal", out=out)


def test_an_index_and_memory_for_the_whole_contradict_each_other():
    out = np.zeros((5, 6), dtype=np.float32)
    with pytest.raises(ArgumentError, match="the whole is written"):
        fanin.draw("w", (5, 6), "he_normal", index=np.arange(3), out=out)
