"""Memory of any layout is filled with the bits of the draw, box by box."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.graph.region import Region
from fanin.sampler import Law, draw, filling
from fanin.sampler.filling import pieces_of

LAWS = {
    "normal": Law("normal", std=0.1),
    "truncated": Law("truncated_normal", std=0.1),
    "uniform": Law("uniform", std=0.1),
    "constant": Law("constant", value=0.3),
    "zero": Law("normal", std=0.0),
    "orthogonal": Law("orthogonal", gain=1.5),
    "identity": Law("identity"),
}
DTYPES = ["float32", "float64", "float16", "bfloat16"]


def memory(shape, dtype):
    return np.zeros(shape, dtype=ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("start", [(0, 0), (3, 5)])
def test_a_box_has_the_bits_of_the_whole(law, dtype, start):
    region = Region(start, (7, 6))
    whole = draw("w", (12, 17), law, seed=3, dtype=dtype)
    out = memory((7, 6), dtype)
    filling(out, "w", (12, 17), law, seed=3, region=region)()

    assert out.tobytes() == np.ascontiguousarray(whole[region.slices]).tobytes()


@pytest.mark.parametrize("law", ["normal", "constant", "orthogonal"])
def test_memory_with_gaps_is_filled(law):
    held = np.zeros((40, 3, 30), dtype=np.float32)
    out = held.transpose(2, 0, 1)[1:, 5:, :]
    filling(out, "w", (29, 35, 3), LAWS[law], seed=3)()

    assert np.array_equal(out, draw("w", (29, 35, 3), LAWS[law], seed=3))
    assert not held[:5].any()
    assert not held[:, :, 0].any()


def test_nothing_is_written_before_it_is_asked_for():
    out = np.full((4, 4), 7.0, dtype=np.float32)
    for law in LAWS.values():
        filling(out, "w", (4, 4), law, seed=3)

    assert (out == 7.0).all()


@pytest.mark.parametrize("law", ["normal", "constant", "orthogonal"])
def test_a_factor_comes_before_the_rounding(law):
    exact = draw("w", (8, 8), LAWS[law], seed=3) * np.float32(1.7)
    out = memory((8, 8), "bfloat16")
    filling(out, "w", (8, 8), LAWS[law], seed=3, times=1.7)()

    assert out.tobytes() == exact.astype(ml_dtypes.bfloat16).tobytes()


def test_a_factor_that_leaves_the_range_is_refused():
    out = np.zeros(4, dtype=np.float16)
    with pytest.raises(ArgumentError, match="a law whose numbers float16 can hold"):
        filling(out, "w", (4,), Law("normal", std=100.0), seed=0, times=1000.0)


def test_a_region_outside_is_refused():
    with pytest.raises(ArgumentError, match="a box in an array of shape"):
        filling(
            np.zeros(4), "w", (6,), LAWS["normal"], seed=0, region=Region((3,), (4,))
        )


@given(
    st.lists(st.integers(0, 7), max_size=4).map(tuple),
    st.integers(min_value=1, max_value=40),
)
def test_pieces_are_the_whole_in_its_order(shape, most):
    found = [index for p in pieces_of(shape, most) for index in p.indices(shape)]

    assert found == list(range(int(np.prod(shape))))
    assert all(p.size <= most for p in pieces_of(shape, most))
