"""Padding laid beside a tensor: part of the window that moves over it."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph import AxisRoles, Op, Parameter
from fanin.graph.builder import GraphBuilder
from fanin.graph.windows import WindowAxis, padding_share


def padded(builder, source, axis, low, high, number=0.0):
    shape = list(builder.shape(source))
    parts = [source]
    for length, place in ((low, 0), (high, 2)):
        if length:
            shape[axis] = length
            held = builder.constant(number)
            block = builder.broadcast("full", held, tuple(shape))
            parts.insert(place, block)
    return builder.concat("cat", parts, axis)


def convolution(builder, source, length):
    roles = AxisRoles(outputs=(0,), inputs=(1,), kernel=(2, 3))
    windows = [
        WindowAxis(
            axis=i, n_in=builder.shape(source)[i], n_out=length, kernel=3, stride=2
        )
        for i in (2, 3)
    ]
    weight = builder.parameter("w")
    shape = (2, 5, length, length)
    return builder.convolve(
        "conv", source, weight, shape, roles=roles, channel_axis=1, windows=windows
    )


def builder_with_kernel() -> GraphBuilder:
    held = [Parameter(path="w", shape=(5, 3, 3, 3), dtype="float32")]
    return GraphBuilder(framework="torch", parameters=held, batch_size=2)


def test_zeros_beside_a_map_are_padding_of_the_convolution():
    builder = builder_with_kernel()
    x = builder.input((2, 3, 8, 8))
    wide = padded(builder, padded(builder, x, 3, 0, 1), 2, 0, 1)

    found = builder.build([convolution(builder, wide, 4)]).graph.nodes

    assert [node.op for node in found] == [Op.INPUT, Op.LINEAR]
    assert found[1].details["windows"] == tuple(
        WindowAxis(axis=i, n_in=8, n_out=4, kernel=3, stride=2) for i in (2, 3)
    )
    assert found[1].details["padding_share"] == padding_share(
        found[1].details["windows"]
    )
    assert found[1].details["padding_share"] == pytest.approx(1 - (11 / 12) ** 2)


def test_zeros_in_front_move_the_window_to_the_left():
    builder = builder_with_kernel()
    x = builder.input((2, 3, 8, 8))
    wide = padded(builder, padded(builder, x, 3, 1, 0), 2, 1, 0)

    node = builder.build([convolution(builder, wide, 4)]).graph.nodes[-1]

    assert [window.low for window in node.details["windows"]] == [1, 1]


@pytest.mark.parametrize("number", [1.0, -np.inf])
def test_other_numbers_beside_a_map_are_laid_there(number):
    builder = builder_with_kernel()
    wide = padded(builder, builder.input((2, 3, 8, 9)), 2, 0, 1, number)

    found = builder.build([convolution(builder, wide, 4)]).graph.nodes

    assert Op.CONCAT in [node.op for node in found]


@pytest.mark.parametrize(
    ("kind", "number", "is_folded"),
    [
        ("max", -np.inf, True),
        ("max", 0.0, False),
        ("sum", 0.0, True),
        ("mean", 0.0, False),
    ],
)
def test_padding_of_a_pooling_is_what_it_would_not_choose(kind, number, is_folded):
    builder = builder_with_kernel()
    wide = padded(builder, builder.input((2, 3, 7)), 2, 1, 0, number)
    window = WindowAxis(axis=2, n_in=8, n_out=4, kernel=2, stride=2)

    out = builder.pool("pool", wide, (2, 3, 4), kind=kind, windows=[window])
    found = builder.build([out]).graph.nodes

    assert (Op.CONCAT not in [node.op for node in found]) == is_folded
    if is_folded:
        (window,) = found[-1].details["windows"]
        assert (window.n_in, window.low) == (7, 1)
