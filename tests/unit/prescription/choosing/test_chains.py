"""Where activations stand alone between weights, and what is allowed there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.graph.roles import roles
from fanin.graph.sketch import Sketch
from fanin.prescription.choosing.chains import Chains


def relu(x):
    return np.maximum(x, 0.0)


def chains(graph, kept=()):
    return Chains(Flow(graph), roles(graph), frozenset(kept))


def mlp(width=8, n_hidden=3, *, has_bias=True):
    sketch = Sketch()
    z = sketch.input((4, 6))
    for i in range(n_hidden):
        z = sketch.dense(z, width, path=f"{i}", has_bias=has_bias)
        z = sketch.apply(z, relu, path=f"{i}.relu")
    return sketch.graph(sketch.dense(z, 3, path="head", has_bias=has_bias))


def conv_net(*, pooling="mean", is_channels_last=False, padding_share=0.0):
    sketch = Sketch(is_channels_last=is_channels_last)
    shape = (4, 6, 6, 2) if is_channels_last else (4, 2, 6, 6)
    z = sketch.conv(sketch.input(shape), 8, path="0")
    z = sketch.apply(z, relu, path="0.relu")
    z = sketch.conv(z, 8, path="1", has_bias=True, padding_share=padding_share)
    z = sketch.apply(z, relu, path="1.relu")
    z = sketch.reduce(z, kind=pooling) if pooling else sketch.flatten(z)
    return sketch.graph(sketch.dense(z, 3, path="head"))


def test_every_activation_of_a_plain_net_is_a_place_with_the_depth_of_the_chain():
    found = chains(mlp(n_hidden=3)).places

    assert [place.node.path for place in found] == ["0.relu", "1.relu", "2.relu"]
    assert [place.writer.path for place in found] == ["0", "1", "2"]
    assert [place.readers[0].path for place in found] == ["1", "2", "head"]
    assert {place.n_layers for place in found} == {3}


def test_units_of_a_plain_net_can_stand_in_pairs_if_their_number_is_even():
    even, odd = chains(mlp(width=8)), chains(mlp(width=7))

    assert all(even.can_mirror(place) for place in even.places)
    assert not any(odd.can_mirror(place) for place in odd.places)


@pytest.mark.parametrize(
    ("pooling", "is_channels_last", "allowed"),
    [
        ("mean", False, [True, True]),
        ("max", False, [True, False]),
        ("", False, [True, True]),
        ("", True, [True, False]),
    ],
)
def test_channels_pair_through_convolutions_means_and_flattening_in_order(
    pooling, is_channels_last, allowed
):
    """A maximum is no odd function; channels last, halves of the rows are positions."""
    net = chains(conv_net(pooling=pooling, is_channels_last=is_channels_last))

    assert [net.can_mirror(place) for place in net.places] == allowed


def test_a_layer_is_centred_only_by_a_free_bias_and_without_a_border_of_zeros():
    with_bias, without = chains(mlp()), chains(mlp(has_bias=False))
    frozen = chains(mlp(), kept={"1.bias"})
    padded = chains(conv_net(padding_share=0.2))

    assert all(with_bias.can_centre(place) for place in with_bias.places)
    assert not any(without.can_centre(place) for place in without.places)
    assert [frozen.can_centre(p) for p in frozen.places] == [False, True, True]
    assert [padded.can_centre(p) for p in padded.places] == [False, True]


def test_weights_that_are_kept_leave_no_place_on_either_side():
    found = chains(mlp(n_hidden=3), kept={"1.weight"}).places

    assert [place.node.path for place in found] == ["2.relu"]


def test_a_frozen_weight_leaves_no_place():
    graph = mlp(n_hidden=2)
    frozen = tuple(
        replace(p, is_trainable=p.path != "0.weight") for p in graph.parameters
    )

    found = chains(replace(graph, parameters=frozen)).places

    assert [place.node.path for place in found] == ["1.relu"]


def test_an_activation_that_a_sum_reads_too_is_no_place():
    sketch = Sketch()
    z = sketch.apply(sketch.dense(sketch.input((4, 8)), 8, path="0"), relu)
    both = sketch.combine(Op.ADD, z, sketch.dense(z, 8, path="1"))
    graph = sketch.graph(sketch.dense(both, 3, path="head"))

    assert chains(graph).places == ()


def test_a_pre_activation_that_something_else_reads_is_no_place():
    sketch = Sketch()
    z = sketch.dense(sketch.input((4, 8)), 8, path="0")
    a = sketch.dense(sketch.apply(z, relu), 3, path="head")
    graph = sketch.graph(a, sketch.dense(z, 3, path="other"))

    assert chains(graph).places == ()


def test_a_layer_used_twice_is_no_place():
    sketch = Sketch()
    z = sketch.dense(sketch.input((4, 8)), 8, path="0")
    for _ in range(2):
        z = sketch.dense(sketch.apply(z, relu), 8, path="shared")
    graph = sketch.graph(sketch.dense(sketch.apply(z, relu), 3, path="head"))

    assert chains(graph).places == ()


def test_depth_is_counted_between_normalizations():
    """1.relu is none: a normalization follows its reader and sets the size there."""
    sketch = Sketch()
    z = sketch.input((4, 8))
    for i in range(6):
        z = sketch.dense(z, 8, path=f"{i}")
        if i == 2:
            z = sketch.normalize(z, path="norm")
        z = sketch.apply(z, relu, path=f"{i}.relu")
    found = chains(sketch.graph(sketch.dense(z, 3, path="head"))).places

    assert {place.node.path: place.n_layers for place in found} == {
        "0.relu": 2,
        "3.relu": 3,
        "4.relu": 3,
        "5.relu": 3,
    }


def test_units_that_two_layers_read_pair_for_both():
    sketch = Sketch()
    z = sketch.apply(sketch.dense(sketch.input((4, 8)), 8, path="0"), relu)
    heads = [sketch.dense(z, 3, path=f"head{i}") for i in range(2)]
    net = chains(sketch.graph(*heads))

    (place,) = net.places
    assert [reader.path for reader in place.readers] == ["head0", "head1"]
    assert net.can_mirror(place)


def test_a_bias_that_keeps_its_values_breaks_pairs():
    net = chains(mlp(n_hidden=2), kept={"0.bias"})

    assert [net.can_mirror(place) for place in net.places] == [False, True]
