"""Unit groups: swapping two units of a group must leave the function as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.graph.units import UnitSlice, unit_groups


def relu(x):
    return np.maximum(x, 0.0)


def hidden(graph):
    return [group for group in unit_groups(graph) if group.is_hidden]


def places(slices):
    return [(s.path, s.axis, s.repeat) for s in slices]


def test_a_hidden_unit_owns_its_row_its_bias_and_its_outgoing_column():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 2)), 3, path="0")
    graph = sketch.graph(sketch.dense(sketch.apply(z, relu), 1, path="1"))

    (group,) = hidden(graph)

    assert (group.name, group.size, group.is_closed) == ("0", 3, True)
    assert places(group.incoming) == [("0.weight", 0, 1), ("0.bias", 0, 1)]
    assert places(group.outgoing) == [("1.weight", 1, 1)]


def test_in_keras_layout_the_axes_change_places():
    sketch = Sketch(is_channels_last=True)
    z = sketch.dense(sketch.input((8, 2)), 3, path="0")
    graph = sketch.graph(sketch.dense(z, 1, path="1"))

    (group,) = hidden(graph)

    assert group.incoming[0].axis == 1
    assert group.outgoing[0].axis == 0


def test_inputs_and_outputs_are_not_hidden():
    sketch = Sketch()
    graph = sketch.graph(sketch.dense(sketch.input((8, 2)), 3, path="0"))

    assert hidden(graph) == []
    assert [group.size for group in unit_groups(graph)] == [2, 3]


def test_a_residual_stream_unites_all_that_write_to_it_and_read_it():
    sketch = Sketch()
    stream = sketch.dense(sketch.input((8, 2)), 4, path="stem")
    for block in ("a", "b"):
        inner = sketch.apply(sketch.dense(stream, 6, path=f"{block}.0"), relu)
        branch = sketch.dense(inner, 4, path=f"{block}.1", has_bias=False)
        stream = sketch.combine(Op.ADD, stream, branch)
    graph = sketch.graph(sketch.dense(stream, 1, path="head"))

    group = next(g for g in hidden(graph) if g.name == "stem")

    assert places(group.incoming) == [
        ("stem.weight", 0, 1),
        ("stem.bias", 0, 1),
        ("a.1.weight", 0, 1),
        ("b.1.weight", 0, 1),
    ]
    assert places(group.outgoing) == [
        ("a.0.weight", 1, 1),
        ("b.0.weight", 1, 1),
        ("head.weight", 1, 1),
    ]


def test_normalization_gain_and_shift_are_shared():
    sketch = Sketch()
    z = sketch.conv(sketch.input((2, 3, 5, 5)), 4, path="conv")
    z = sketch.normalize(z, path="bn")
    graph = sketch.graph(sketch.conv(z, 2, path="out"))

    (group,) = hidden(graph)

    assert places(group.shared) == [("bn.weight", 0, 1), ("bn.bias", 0, 1)]


def test_a_depthwise_kernel_ties_the_units_before_and_after_it():
    sketch = Sketch()
    z = sketch.conv(sketch.input((2, 3, 5, 5)), 4, path="a")
    z = sketch.conv(z, 4, path="depthwise", groups=4)
    graph = sketch.graph(sketch.conv(z, 2, path="out"))

    (group,) = hidden(graph)

    assert places(group.incoming) == [("a.weight", 0, 1)]
    assert places(group.shared) == [("depthwise.weight", 0, 1)]
    assert places(group.outgoing) == [("out.weight", 1, 1)]
    assert group.is_closed


def test_a_grouped_convolution_leaves_its_groups_open_and_says_so():
    sketch = Sketch()
    z = sketch.conv(sketch.input((2, 3, 5, 5)), 4, path="a")
    z = sketch.conv(z, 6, path="grouped", groups=2)
    graph = sketch.graph(sketch.conv(z, 2, path="out"))

    reasons = [group.reasons for group in hidden(graph)]

    assert all("grouped (linear) is grouped" in reason[0] for reason in reasons)


@pytest.mark.parametrize("is_channels_last", [False, True])
def test_after_flatten_a_unit_owns_one_entry_for_each_position(is_channels_last):
    shape = (2, 4, 5, 3) if is_channels_last else (2, 3, 4, 5)
    sketch = Sketch(is_channels_last=is_channels_last)
    z = sketch.conv(sketch.input(shape), 6, path="conv")
    graph = sketch.graph(sketch.dense(sketch.flatten(z), 2, path="head"))
    feature_map = np.arange(6)[:, None, None] * np.ones((6, 4, 5), dtype=int)
    flat = np.moveaxis(feature_map, 0, -1) if is_channels_last else feature_map

    (group,) = hidden(graph)
    owner = flat.ravel()[group.outgoing[0].indices(6)]

    assert group.is_closed
    assert (owner == np.arange(6)[:, None]).all()
    assert group.outgoing[0].repeat == 20


def test_concatenated_units_are_found_behind_one_another():
    sketch = Sketch()
    x = sketch.input((8, 2))
    joined = sketch.concat(
        sketch.dense(x, 3, path="a"), sketch.dense(x, 5, path="b", has_bias=False)
    )
    graph = sketch.graph(sketch.dense(joined, 1, path="head"))

    second = hidden(graph)[1]

    assert second.outgoing[0].indices(5).ravel().tolist() == [3, 4, 5, 6, 7]


def test_a_concatenated_map_is_followed_through_flatten():
    sketch = Sketch()
    x = sketch.input((2, 1, 2, 2))
    joined = sketch.concat(sketch.conv(x, 2, path="a"), sketch.conv(x, 1, path="b"))
    graph = sketch.graph(sketch.dense(sketch.flatten(joined), 1, path="head"))

    first, second = hidden(graph)

    assert first.outgoing[0].indices(2).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert second.outgoing[0].indices(1).tolist() == [[8, 9, 10, 11]]


def test_dropout_breaks_a_group_in_training_only():
    sketch = Sketch()
    z = sketch.noise(sketch.dense(sketch.input((8, 2)), 3, path="0"), p=0.1)
    output = sketch.dense(z, 1, path="1")

    training = hidden(sketch.graph(output))
    evaluating = hidden(sketch.graph(output, is_training=False))

    assert training[0].is_broken_by_noise
    assert not evaluating[0].is_broken_by_noise


def test_an_unknown_operation_opens_the_group_and_is_named():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 2)), 3, path="0")
    z = sketch.add_node(Op.OPAQUE, (z,), path="odd")
    graph = sketch.graph(sketch.dense(z, 1, path="1"))

    groups = hidden(graph)

    assert [group.is_closed for group in groups] == [False, False]
    assert groups[0].reasons == ("odd (opaque) is not followed unit by unit",)


def test_a_sliced_axis_opens_the_group():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 2)), 6, path="0")
    half = sketch.add_node(Op.REARRANGE, (z,), shape=(8, 3), unit_axis=1)
    graph = sketch.graph(sketch.dense(half, 1, path="1"))

    assert not hidden(graph)[0].is_closed


def test_a_table_that_is_added_belongs_to_the_units():
    sketch = Sketch()
    tokens = sketch.add_node(Op.INPUT, shape=(8, 5))
    z = sketch.lookup(tokens, 11, 4, path="embedding")
    z = sketch.combine(Op.ADD, z, sketch.parameter("positions", (5, 4)))
    graph = sketch.graph(sketch.dense(z, 1, path="head"))

    (group,) = hidden(graph)

    assert places(group.incoming) == [("embedding.weight", 1, 1)]
    assert places(group.shared) == [("positions", 1, 1)]


def test_the_units_before_between_and_behind_a_weight_used_twice_are_one_group():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 3)), 3, path="0")
    z = sketch.dense(z, 3, path="w", has_bias=False)
    z = sketch.dense(z, 3, path="w", has_bias=False)
    graph = sketch.graph(sketch.dense(z, 1, path="head"))

    (group,) = hidden(graph)

    assert group.is_closed
    assert places(group.incoming) == [
        ("0.weight", 0, 1),
        ("0.bias", 0, 1),
        ("w.weight", 0, 1),
    ]
    assert places(group.outgoing) == [("w.weight", 1, 1), ("head.weight", 1, 1)]


def test_a_weight_that_two_readers_cut_in_two_ways_is_not_closed():
    sketch = Sketch()
    sources = [sketch.input((8, 2)), sketch.input((8, 2))]
    ends = []
    for source, cut in zip(sources, (2, 3), strict=True):
        z = sketch.dense(source, 6, path="w", has_bias=False)
        parts = [part(sketch, z, 0, cut), part(sketch, z, cut, 6 - cut)]
        ends += [
            sketch.dense(z, 1, path=f"head.{cut}.{i}") for i, z in enumerate(parts)
        ]
    groups = hidden(sketch.graph(*ends))

    assert groups
    assert not any(group.is_closed for group in groups)


def forward(arrays, x):
    hidden_map = np.einsum("oikl,nihw->nohw", arrays["conv.weight"], x)
    hidden_map = hidden_map * arrays["bn.weight"][:, None, None]
    flat = relu(hidden_map + arrays["bn.bias"][:, None, None]).reshape(len(x), -1)
    return flat @ arrays["head.weight"].T


@given(seed=st.integers(0, 999), swap=st.permutations(range(5)))
def test_permuting_a_closed_group_changes_no_output(seed, swap):
    sketch = Sketch()
    z = sketch.conv(sketch.input((2, 3, 4, 4)), 5, path="conv", kernel=1)
    z = sketch.apply(sketch.normalize(z, path="bn"), relu)
    graph = sketch.graph(
        sketch.dense(sketch.flatten(z), 2, path="head", has_bias=False)
    )
    rng = np.random.default_rng(seed)
    arrays = {p.path: rng.normal(size=p.shape) for p in graph.parameters}
    x = rng.normal(size=(2, 3, 4, 4))

    (group,) = hidden(graph)
    permuted = {path: values.copy() for path, values in arrays.items()}
    for part in group.slices:
        entries = part.indices(group.size)
        target = np.moveaxis(permuted[part.path], part.axis, 0)
        source = np.moveaxis(arrays[part.path], part.axis, 0)
        target[entries.ravel()] = source[entries[list(swap)].ravel()]

    assert forward(permuted, x) == pytest.approx(forward(arrays, x), abs=1e-12)


def test_rows_gather_all_numbers_of_a_unit():
    values = np.arange(24.0).reshape(2, 12)
    part = UnitSlice(path="w", axis=1, repeat=4, unit_step=1, repeat_step=3)

    assert part.rows(values, 3)[1].tolist() == [1, 13, 4, 16, 7, 19, 10, 22]


def part(sketch, source, start, size):
    details = {"axis": 1, "start": start, "step": 1, "repeat": 1}
    shape = (sketch.nodes[source].shape[0], size)
    return sketch.add_node(Op.REARRANGE, (source,), shape=shape, details=details)


def test_a_unit_of_a_gated_layer_owns_a_row_in_each_half():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 2)), 6, path="both", has_bias=False)
    gate = sketch.apply(part(sketch, z, 3, 3), np.tanh)
    z = sketch.combine(Op.MULTIPLY, part(sketch, z, 0, 3), gate)
    graph = sketch.graph(sketch.dense(z, 1, path="head"))

    (group,) = hidden(graph)

    assert (group.size, group.is_closed) == (3, True)
    assert [(s.path, s.start) for s in group.incoming] == [
        ("both.weight", 0),
        ("both.weight", 3),
    ]
    assert [(s.path, s.start) for s in group.outgoing] == [("head.weight", 0)]


def test_the_halves_are_groups_of_their_own_where_nothing_joins_them():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 2)), 5, path="both")
    a = sketch.dense(part(sketch, z, 0, 2), 1, path="a")
    b = sketch.dense(part(sketch, z, 2, 3), 1, path="b")
    groups = hidden(sketch.graph(sketch.combine(Op.ADD, a, b)))

    assert [(group.size, group.is_closed) for group in groups] == [(2, True), (3, True)]
    assert [group.outgoing[0].path for group in groups] == ["a.weight", "b.weight"]
    assert [group.outgoing[0].start for group in groups] == [0, 0]


def test_a_unit_of_a_recurrent_cell_owns_a_row_of_each_gate_and_a_column():
    sketch = Sketch()
    h = sketch.add_node(Op.CONSTANT, shape=(8, 3), unit_axis=None)
    for _ in range(3):
        own = sketch.dense(h, 6, path="h", has_bias=False)
        new = sketch.dense(sketch.input((8, 2)), 6, path="x", has_bias=False)
        z = sketch.combine(Op.ADD, own, new)
        gate = sketch.apply(part(sketch, z, 0, 3), np.tanh)
        h = sketch.combine(Op.MULTIPLY, gate, part(sketch, z, 3, 3))
    graph = sketch.graph(sketch.dense(h, 1, path="head"))

    (group,) = hidden(graph)

    assert (group.size, group.is_closed) == (3, True)
    assert {(s.path, s.axis, s.start) for s in group.slices} == {
        *(("h.weight", 0, start) for start in (0, 3)),
        *(("x.weight", 0, start) for start in (0, 3)),
        ("h.weight", 1, 0),
        ("head.weight", 1, 0),
    }


def test_a_slice_with_steps_is_not_followed():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 2)), 6, path="0")
    details = {"axis": 1, "start": 0, "step": 2, "repeat": 1}
    z = sketch.add_node(Op.REARRANGE, (z,), shape=(8, 3), details=details)
    groups = hidden(sketch.graph(sketch.dense(z, 1, path="1")))

    assert not any(group.is_closed for group in groups)
