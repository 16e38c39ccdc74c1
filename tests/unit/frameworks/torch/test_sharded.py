"""Which numbers of a spread parameter a process holds, and refusals of bad shards."""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fanin.frameworks.torch.sharded import (
    AxisCut,
    entries_left,
    in_order_of_cutting,
    local_of,
    pieces,
    runs_of,
    shape_alone,
    whole_of,
)
from tests.conformance.sharded_worlds import on_world

LENGTHS = st.integers(0, 40)
COUNTS = st.integers(1, 6)


def chunk(entries, n_parts, place):
    """Cut by torch.chunk, the judge here: parts at the end may be empty."""
    chunks = torch.chunk(entries, n_parts)
    return chunks[place] if place < len(chunks) else entries[:0]


@given(length=LENGTHS, n_parts=COUNTS)
def test_one_cut_is_that_of_torch_chunk(length, n_parts):
    cuts = [AxisCut(n_parts=n_parts, place=place) for place in range(n_parts)]
    found = [entries_left(length, [cut]).tolist() for cut in cuts]

    expected = [
        chunk(torch.arange(length), n_parts, p).tolist() for p in range(n_parts)
    ]
    assert found == expected


@given(length=LENGTHS, n_data=COUNTS, n_tensor=st.integers(2, 5))
def test_shards_of_shards_are_cut_by_tensor_parallelism_first(length, n_data, n_tensor):
    for data, tensor in product(range(n_data), range(n_tensor)):
        by_data = AxisCut(n_blocks=n_tensor, n_parts=n_data, place=data)
        by_tensor = AxisCut(n_parts=n_tensor, place=tensor)
        found = entries_left(length, in_order_of_cutting([by_data, by_tensor]))

        expected = chunk(chunk(torch.arange(length), n_tensor, tensor), n_data, data)
        assert found.tolist() == expected.tolist()


@given(
    length=LENGTHS,
    cuts=st.lists(st.tuples(st.integers(1, 3), COUNTS), min_size=1, max_size=3),
)
def test_every_entry_is_held_once_whatever_the_cuts(length, cuts):
    held = []
    for places in product(*(range(n_parts) for _, n_parts in cuts)):
        made = [
            AxisCut(n_blocks=n_blocks, n_parts=n_parts, place=place)
            for (n_blocks, n_parts), place in zip(cuts, places, strict=True)
        ]
        held += entries_left(length, in_order_of_cutting(made)).tolist()

    assert sorted(held) == list(range(length))


@given(st.lists(st.integers(0, 30), unique=True).map(sorted))
def test_runs_cover_the_entries(entries):
    runs = list(runs_of(np.array(entries, dtype=np.int64)))
    covered = [entry for _, first, n in runs for entry in range(first, first + n)]

    assert covered == entries
    assert [here for here, _, _ in runs] == [
        entries.index(first) for _, first, _ in runs
    ]


def test_a_tensor_that_is_not_spread_is_one_piece():
    tensor = torch.ones(2, 3)
    (piece,) = pieces("weight", tensor)

    assert piece.region is None
    assert piece.memory.data_ptr() == tensor.data_ptr()
    assert local_of(tensor) is whole_of(tensor) is tensor


def test_a_shape_alone_keeps_the_order_in_memory():
    tensor = torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last)
    found = shape_alone(tensor)

    assert (found.is_meta, found.shape) == (True, tensor.shape)
    assert found.stride() == tensor.stride()


def odd_shards():
    """Look at tensors whose shards are not what their placements say."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import DTensor, Partial, Shard, distribute_tensor

    from fanin.errors import ModelError

    rank = torch.distributed.get_rank()
    mesh = init_device_mesh("cpu", (2,))
    wrong = DTensor.from_local(
        torch.ones(3 - 2 * rank, 2), mesh, [Shard(0)], shape=(4, 2), stride=(2, 1)
    )
    summed = DTensor.from_local(torch.ones(2, 2), mesh, [Partial()])
    column = distribute_tensor(torch.arange(10.0).reshape(2, 5), mesh, [Shard(1)])
    nothing = distribute_tensor(torch.ones(1, 2), mesh, [Shard(0)])
    said = []
    for tensor in (wrong, summed):
        try:
            pieces("weight", tensor)
        except ModelError as error:
            said.append(str(error))
    (piece,) = pieces("weight", column)
    held = (piece.region.start, piece.memory.tolist())
    return said, held, len(pieces("weight", nothing)), whole_of(column).tolist()


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked")
def test_shards_that_do_not_lie_as_they_say_are_refused(tmp_path):
    found = on_world(odd_shards, 2, tmp_path)

    for said, _, _, whole in found:
        assert "should hold (2, 2). It holds (" in said[0]
        assert "Redistribute it to Shard or Replicate" in said[1]
        assert whole == [[0.0, 1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0, 9.0]]
    assert found[0][1] == ((0, 0), [[0.0, 1.0, 2.0], [5.0, 6.0, 7.0]])
    assert found[1][1] == ((0, 3), [[3.0, 4.0], [8.0, 9.0]])
    assert [n for _, _, n, _ in found] == [1, 0]
