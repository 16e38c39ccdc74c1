"""Slices of a tensor are told from its memory."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fanin.frameworks._aten.memory import cut_of, overlaps

SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


@given(st.data())
def test_a_slice_is_found_by_the_entries_that_it_has(data):
    shape = data.draw(SHAPES)
    axis = data.draw(st.integers(0, len(shape) - 1))
    start = data.draw(st.integers(0, shape[axis] - 1))
    step = data.draw(st.integers(1, 3))
    whole = torch.arange(torch.Size(shape).numel()).view(shape)
    index = [slice(None)] * len(shape)
    index[axis] = slice(start, None, step)
    part = whole[tuple(index)]

    cut = cut_of(whole, part)

    found = whole.index_select(cut.axis, torch.tensor(list(cut.entries)))
    assert torch.equal(found.reshape(-1), part.reshape(-1))


@pytest.mark.parametrize(
    "part",
    [
        lambda whole: whole[1:3, 2:5],
        lambda whole: whole.t(),
        lambda whole: whole.view(-1)[3:9],
    ],
    ids=["block", "transposed", "flat"],
)
def test_what_is_no_slice_of_one_axis_is_none(part):
    whole = torch.zeros(4, 6)

    assert cut_of(whole, part(whole)) is None


def test_disjoint_rows_do_not_overlap():
    whole = torch.zeros(4, 6)

    assert not overlaps(whole[:2], whole[2:])
