"""Tests of checkpoints/layout.py and safetensors_file.py."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.checkpoints.layout import N_BYTES, Entry, bytes_of, in_words, shards_of
from fanin.checkpoints.safetensors_file import NAMES, header_of, is_whole, write
from fanin.errors import ArgumentError

ENTRIES = st.lists(
    st.builds(
        Entry,
        name=st.text("abc.éß0", min_size=1, max_size=8),
        shape=st.lists(st.integers(0, 5), max_size=3).map(tuple),
        dtype=st.sampled_from(sorted(set(N_BYTES) - {"bfloat16"})),
    ),
    max_size=8,
    unique_by=lambda entry: entry.name,
)


@given(entries=ENTRIES, most=st.integers(1, 600))
def test_every_tensor_is_in_one_file_and_files_are_full(entries, most):
    shards = shards_of(entries, most)
    laid = [entry for shard in shards for entry in shard.entries]
    assert sorted(e.name for e in laid) == sorted(e.name for e in entries)
    assert all(s.n_bytes <= most or len(s.entries) == 1 for s in shards)
    for first, second in pairwise(shards):
        in_order = [e.name for e in entries]
        opener = min(second.entries, key=lambda e: in_order.index(e.name))
        assert first.n_bytes + opener.n_bytes > most


@given(entries=ENTRIES)
def test_the_library_reads_what_is_written(entries, tmp_path_factory):
    from safetensors import safe_open

    entries = shards_of(entries, 10**9)[0].entries
    path = tmp_path_factory.mktemp("file") / "model.safetensors"
    arrays = {
        e.name: np.arange(e.size).reshape(e.shape).astype(e.dtype) for e in entries
    }
    told = []
    write(
        path,
        entries,
        {"format": "pt"},
        lambda e: iter(np.array_split(arrays[e.name].reshape(-1), 3)),
        told.append,
    )
    assert sum(told) == sum(e.n_bytes for e in entries)
    with safe_open(str(path), "np") as file:
        assert set(file.keys()) == set(arrays)
        assert file.metadata() == {"format": "pt"}
        for name, array in arrays.items():
            received = file.get_tensor(name)
            assert received.dtype == array.dtype
            np.testing.assert_array_equal(received, array)
    assert is_whole(path, entries, {"format": "pt"})
    assert not is_whole(path, entries, {"format": "pt", "of": "another plan"})


def test_every_dtype_has_the_format_s_name():
    assert set(NAMES) == set(N_BYTES)


def test_the_header_is_aligned_and_lists_offsets_without_holes():
    pair = [Entry(name=n, shape=(3,), dtype="float16") for n in "ab"]
    header = header_of(pair, {})
    assert len(header) % 8 == 0
    table = json.loads(header[8:])
    assert table["a"]["data_offsets"] == [0, 6]
    assert table["b"] == {"dtype": "F16", "shape": [3], "data_offsets": [6, 12]}


def test_a_file_cut_short_is_not_whole(tmp_path):
    entry = Entry(name="a", shape=(4,), dtype="float32")
    path = tmp_path / "model.safetensors"
    numbers = np.zeros(4, np.float32)
    write(path, [entry], {}, lambda _: iter([numbers]), lambda _: None)
    assert is_whole(path, [entry], {})
    path.write_bytes(path.read_bytes()[:-1])
    assert not is_whole(path, [entry], {})
    assert not is_whole(tmp_path / "none", [entry], {})


@pytest.mark.parametrize("text", ["", "5 GX", "-1", "0", "0.0001kb", "GB"])
def test_a_size_that_is_none_is_refused(text):
    with pytest.raises(ArgumentError, match="5GB"):
        bytes_of(text)


@given(n=st.integers(0, 10**15))
def test_a_size_in_words_is_within_its_rounding(n):
    words = in_words(n)
    if words.endswith("bytes"):
        assert words == f"{n} bytes"
        return
    assert abs(bytes_of(words) - n) <= max(0.051 * 10 ** (len(str(n)) - 1), 60)
