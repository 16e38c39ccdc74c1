"""Rotary positions: found in every form that is in use, and in nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph import Op
from fanin.graph.builder import GraphBuilder

BATCH, HEADS, LENGTH, WIDTH = 2, 3, 5, 8
FULL = (BATCH, HEADS, LENGTH, WIDTH)
HALF = (*FULL[:-1], WIDTH // 2)


def new_builder() -> GraphBuilder:
    return GraphBuilder(framework="torch", parameters=(), batch_size=BATCH)


def multiply(builder, *operands):
    return builder.pointwise("mul", operands, np.multiply, rule="multiply")


def add(builder, *operands):
    return builder.pointwise("add", operands, np.add, rule="add")


def subtract(builder, *operands):
    return builder.pointwise("sub", operands, np.subtract, rule="subtract")


def part(builder, source, start, step=1, length=WIDTH // 2):
    shape = (*builder.shape(source)[:-1], length)
    return builder.pick("slice", source, shape, axis=3, start=start, step=step)


def angles(builder, width=WIDTH // 2):
    """Angles that are not known: a product of positions and rates."""
    places = builder.constant(None, (LENGTH, 1))
    rates = builder.constant(None, (1, width))
    return multiply(builder, places, rates)


def turns(builder, value, scale=1.0):
    found = []
    for function in (np.cos, np.sin):
        turned = builder.pointwise(function.__name__, (value,), function)
        found.append(multiply(builder, turned, builder.constant(scale)))
    return found


def half_turned(builder, x, width=WIDTH):
    first = part(builder, x, 0, length=width // 2)
    second = part(builder, x, width // 2, length=width // 2)
    negative = builder.pointwise("neg", (second,), np.negative)
    return builder.concat("cat", (negative, first), 3)


def as_llama(builder, x, scale=1.0, width=WIDTH):
    rates = angles(builder, width // 2)
    cosine, sine = turns(builder, builder.concat("cat", (rates, rates), 1), scale)
    turned = half_turned(builder, x, width)
    return add(builder, multiply(builder, x, cosine), multiply(builder, turned, sine))


def as_flax(builder, x):
    cosine, sine = turns(builder, angles(builder))
    a, b = part(builder, x, 0), part(builder, x, WIDTH // 2)
    first = subtract(builder, multiply(builder, a, cosine), multiply(builder, b, sine))
    second = add(builder, multiply(builder, b, cosine), multiply(builder, a, sine))
    return builder.concat("cat", (first, second), 3)


def of_neighbours(builder, x):
    cosine, sine = turns(builder, angles(builder))
    a, b = part(builder, x, 0, 2), part(builder, x, 1, 2)
    first = subtract(builder, multiply(builder, a, cosine), multiply(builder, b, sine))
    second = add(builder, multiply(builder, b, cosine), multiply(builder, a, sine))
    pairs = [builder.reshape("unsqueeze", v, (*HALF, 1)) for v in (first, second)]
    return builder.reshape("flatten", builder.concat("cat", pairs, 4), FULL)


def of_a_part(builder, x):
    turned = as_llama(builder, part(builder, x, 0), width=WIDTH // 2)
    return builder.concat("cat", (turned, part(builder, x, WIDTH // 2)), 3)


def of_known_tables(builder, x):
    rates = np.arange(LENGTH)[:, None] / 10.0 ** np.arange(WIDTH // 2)
    both = np.concatenate([rates, rates], 1).astype(np.float32)
    cosine, sine = builder.constant(np.cos(both)), builder.constant(np.sin(both))
    turned = half_turned(builder, x)
    return add(builder, multiply(builder, x, cosine), multiply(builder, turned, sine))


@pytest.mark.parametrize(
    "form", [as_llama, as_flax, of_neighbours, of_a_part, of_known_tables]
)
def test_every_form_of_rotary_positions_is_one_rearrangement(form):
    builder = new_builder()
    x = builder.input(FULL)

    found = builder.build([form(builder, x)]).graph.nodes

    assert [node.op for node in found] == [Op.INPUT, Op.REARRANGE]
    assert found[1].details["kind"] == "rotation"
    assert found[1].details["factor"] == 1.0


def test_a_scaled_rotation_says_by_how_much():
    builder = new_builder()

    node = builder.build([as_llama(builder, builder.input(FULL), 1.5)]).graph.nodes[-1]

    assert node.details["factor"] == pytest.approx(1.5, rel=1e-9)


def test_angles_that_the_batch_decides_are_angles_too():
    builder = new_builder()
    x, places = builder.input(FULL), builder.input((BATCH, 1, LENGTH, 1))
    rates = multiply(builder, places, builder.constant(None, (1, WIDTH // 2)))
    cosine, sine = turns(builder, builder.concat("cat", (rates, rates), 3))
    turned = half_turned(builder, x)
    out = add(builder, multiply(builder, x, cosine), multiply(builder, turned, sine))

    assert builder.build([out]).graph.nodes[-1].details["kind"] == "rotation"


def test_sine_and_cosine_of_two_angles_are_no_rotation():
    builder = new_builder()
    x = builder.input(FULL)
    tables = []
    for function in (np.cos, np.sin):
        rates = angles(builder)
        both = builder.concat("cat", (rates, rates), 1)
        tables.append(builder.pointwise(function.__name__, (both,), function))
    products = (
        multiply(builder, x, tables[0]),
        multiply(builder, half_turned(builder, x), tables[1]),
    )

    assert builder.build([add(builder, *products)]).graph.nodes[-1].op is Op.ADD


def test_a_reflection_of_halves_by_the_wrong_sign_is_no_rotation():
    builder = new_builder()
    x = builder.input(FULL)
    rates = angles(builder)
    cosine, sine = turns(builder, builder.concat("cat", (rates, rates), 1))
    swapped = builder.concat("cat", (part(builder, x, 4), part(builder, x, 0)), 3)
    out = add(builder, multiply(builder, x, cosine), multiply(builder, swapped, sine))

    assert builder.build([out]).graph.nodes[-1].op is Op.ADD
