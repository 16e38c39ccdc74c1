"""From primitives to nodes: what the builder merges, attaches and drops."""

from __future__ import annotations

import cProfile
import pstats

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.errors import InternalError
from fanin.graph import AxisRoles, Op, Parameter
from fanin.graph.builder import GraphBuilder
from fanin.graph.draft import Place
from fanin.graph.fans import fans
from fanin.graph.windows import WindowAxis

BATCH = 5


def builder_of(**shapes: tuple[int, ...]) -> GraphBuilder:
    held = [Parameter(path=p, shape=s, dtype="float32") for p, s in shapes.items()]
    return GraphBuilder(framework="torch", parameters=held, batch_size=BATCH)


def nodes(builder: GraphBuilder, *outputs: int):
    return builder.build(outputs).graph.nodes


def ops(builder: GraphBuilder, *outputs: int) -> list[str]:
    return [str(node.op) for node in nodes(builder, *outputs)]


def dense(builder: GraphBuilder, source: int, path: str) -> int:
    return builder.contract("mm", source, builder.parameter(path), "ab,bc->ac")


def add(builder: GraphBuilder, *operands: int) -> int:
    return builder.pointwise("add", operands, np.add, rule="add")


def multiply(builder: GraphBuilder, *operands: int) -> int:
    return builder.pointwise("mul", operands, np.multiply, rule="multiply")


# Biases, scales, tables


def test_a_row_added_to_a_linear_is_its_bias():
    builder = builder_of(w=(4, 3), b=(3,))
    y = dense(builder, builder.input((BATCH, 4)), "w")
    b = builder.broadcast("expand", builder.parameter("b"), (BATCH, 3))

    built = builder.build([add(builder, b, y)])

    assert [str(node.op) for node in built.graph.nodes] == ["input", "linear"]
    assert built.graph.nodes[1].bias == "b"
    assert built.sites[1] == 5  # the sum, not the product


def test_a_bias_of_heads_lies_along_several_axes():
    builder = builder_of(w=(8, 2, 4), b=(2, 4))
    x = builder.input((BATCH, 3, 8))
    y = builder.contract("dot", x, builder.parameter("w"), "btd,dhe->bthe")
    b = builder.reshape("broadcast", builder.parameter("b"), (1, 1, 2, 4))

    found = nodes(builder, add(builder, y, b))

    assert [node.op for node in found] == [Op.INPUT, Op.LINEAR]
    assert found[1].bias == "b"


def test_a_table_of_positions_and_heads_is_no_bias():
    builder = builder_of(w=(8, 2, 4), b=(3, 2, 4))
    x = builder.input((BATCH, 3, 8))
    y = builder.contract("dot", x, builder.parameter("w"), "btd,dhe->bthe")

    assert ops(builder, add(builder, y, builder.parameter("b")))[-1] == "add"


@pytest.mark.parametrize(
    ("shape", "has_other_reader"), [((BATCH, 3), False), ((1,), False), ((3,), True)]
)
def test_what_is_no_bias_is_added_as_a_value(shape, has_other_reader):
    builder = builder_of(w=(4, 3), b=shape)
    y = dense(builder, builder.input((BATCH, 4)), "w")
    total = add(builder, y, builder.parameter("b"))
    outputs = [total, y] if has_other_reader else [total]

    assert {"parameter", "add"} <= set(ops(builder, *outputs))


def test_a_difference_with_a_parameter_in_front_is_no_bias():
    builder = builder_of(w=(4, 3), b=(3,))
    y = dense(builder, builder.input((BATCH, 4)), "w")
    b = builder.parameter("b")
    total = builder.pointwise("sub", (b, y), np.subtract, rule="subtract")

    assert ops(builder, total).count("add") == 1


def test_a_parameter_of_one_number_is_no_constant():
    builder = builder_of(w=(4, 3), b=(3,), s=())
    y = dense(builder, builder.input((BATCH, 4)), "w")
    zeros, one = (
        builder.parameter("b", np.zeros(3)),
        builder.parameter("s", np.ones(())),
    )

    found = nodes(builder, multiply(builder, add(builder, y, zeros), one))

    assert [str(node.op) for node in found] == ["input", "linear", "multiply"]
    assert (found[1].bias, found[2].scale) == ("b", "s")


def test_an_unknown_output_is_a_fault_of_the_caller():
    with pytest.raises(InternalError, match="not all values"):
        builder_of().build([7])


def test_a_tied_parameter_is_one_value():
    held = Parameter(path="a", aliases=("b",), shape=(4, 4), dtype="float32")
    builder = GraphBuilder(framework="torch", parameters=[held], batch_size=BATCH)

    assert builder.parameter("a") == builder.parameter("b")


# Runs of pointwise primitives

STEPS = {
    "tanh": (np.tanh, 1),
    "square": (np.square, 1),
    "add": (np.add, 2),
    "mul": (np.multiply, 2),
    "max": (np.maximum, 2),
}


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 9), st.integers(0, 9)),
        min_size=1,
        max_size=8,
    )
)
def test_any_run_from_one_tensor_is_one_function(steps):
    builder = builder_of(w=(4, 3))
    root = dense(builder, builder.input((BATCH, 4)), "w")
    x = np.linspace(-1.0, 1.0, 11)
    values, numbers = [root, builder.constant(0.5)], [x, np.full(11, 0.5)]
    for name, first, second in steps:
        function, n_operands = STEPS[name]
        read = [first % len(values), second % len(values)][:n_operands]
        if all(i == 1 for i in read):
            read[0] = 0  # of a constant alone there would be no node
        rule = {"add": "add", "mul": "multiply"}.get(name, "")
        values.append(
            builder.pointwise(name, [values[i] for i in read], function, rule=rule)
        )
        numbers.append(function(*(numbers[i] for i in read)))

    found = nodes(builder, values[-1])

    assert [str(node.op) for node in found] == ["input", "linear", "elementwise"]
    np.testing.assert_array_equal(found[-1].function(x), numbers[-1])


def test_a_run_begins_anew_after_a_sum_of_two_tensors():
    builder = builder_of(w=(4, 4))
    x = builder.input((BATCH, 4))
    y = dense(builder, x, "w")
    total = add(builder, builder.pointwise("tanh", (y,), np.tanh), x)

    out = builder.pointwise("exp", (total,), np.exp)

    assert ops(builder, out) == ["input", "linear", "elementwise", "add", "elementwise"]


def test_a_value_that_two_nodes_read_is_one_node():
    builder = builder_of(a=(4, 4), b=(4, 4))
    h = builder.pointwise("tanh", (builder.input((BATCH, 4)),), np.tanh)

    found = nodes(builder, dense(builder, h, "a"), dense(builder, h, "b"))

    assert [str(n.op) for n in found] == ["input", "elementwise", "linear", "linear"]


def test_numbers_known_through_arithmetic_are_baked_in():
    builder = builder_of()
    x = builder.input((BATCH, 4))
    half = builder.pointwise(
        "div", (builder.constant(1.0), builder.constant(2.0)), np.divide, rule="divide"
    )
    spread = builder.broadcast("expand", half, (BATCH, 4))

    node = nodes(builder, multiply(builder, spread, x))[-1]

    assert (node.op, node.function(np.array([3.0]))) == (Op.ELEMENTWISE, 1.5)


def test_a_table_of_constants_is_an_operand():
    builder = builder_of()
    x = builder.input((BATCH, 4))
    table = builder.constant(np.arange(4.0))

    found = nodes(builder, add(builder, x, table))

    assert [str(node.op) for node in found] == ["input", "constant", "add"]
    assert found[1].details["second_moment"] == 3.5
    assert found[1].unit_axis == 0


def test_a_quotient_of_two_tensors_is_a_product_with_an_inverse():
    builder = builder_of()
    x, y = builder.input((BATCH, 4)), builder.input((BATCH, 4))
    exp = builder.pointwise("exp", (y,), np.exp)

    found = nodes(builder, builder.pointwise("div", (x, exp), np.divide, rule="divide"))

    assert [str(n.op) for n in found[2:]] == ["elementwise", "multiply"]
    assert found[3].inputs == (0, 2)
    assert found[2].inputs == (1,)
    assert found[2].function(np.array([0.0, 1.0])).tolist() == [1.0, 1 / np.e]


def test_a_maximum_of_two_tensors_is_opaque():
    builder = builder_of()
    x, y = builder.input((BATCH, 4)), builder.input((BATCH, 4))

    out = builder.pointwise("max", (x, y), np.maximum, rule="maximum")

    assert ops(builder, out)[-1] == "opaque"


# Noise


def where(mask, kept, dropped):
    return np.where(mask, kept, dropped)


@pytest.mark.parametrize("is_chosen", [True, False], ids=["select", "multiply"])
def test_a_random_mask_is_noise_of_the_share_it_drops(is_chosen):
    builder = builder_of()
    x = builder.input((BATCH, 4))
    mask = builder.random("bernoulli", (BATCH, 4))
    scaled = builder.pointwise("div", (x, builder.constant(0.75)), np.divide)
    if is_chosen:
        operands = (mask, scaled, builder.constant(0.0))
        out = builder.pointwise("select", operands, where)
    else:
        out = multiply(builder, scaled, mask)

    found = nodes(builder, out)

    assert [str(node.op) for node in found] == ["input", "noise"]
    assert found[1].details["p"] == pytest.approx(0.25)


def test_random_numbers_that_are_added_are_no_dropout():
    builder = builder_of()
    x = builder.input((BATCH, 4))

    out = add(builder, x, builder.random("normal", (BATCH, 4)))

    assert ops(builder, out) == ["input", "opaque"]


# Normalization and softmax, written as Keras and JAX write them


def row_mean(builder: GraphBuilder, value: int, axes=(1,)) -> int:
    shape = builder.shape(value)
    total = builder.reduce("sum", value, axes, kind="sum")
    kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
    count = builder.constant(float(np.prod([shape[i] for i in axes])))
    mean = builder.pointwise("div", (total, count), np.divide, rule="divide")
    return builder.broadcast(
        "expand", mean, kept, [i for i in range(len(shape)) if i not in axes]
    )


def inverse_std(builder: GraphBuilder, x: int, mean: int, eps: float, axes) -> int:
    squares = builder.pointwise("square", (x,), np.square)
    of_mean = builder.pointwise("square", (mean,), np.square)
    moments = (row_mean(builder, squares, axes), of_mean)
    variance = builder.pointwise("sub", moments, np.subtract, rule="subtract")
    shifted = add(builder, variance, builder.constant(eps))
    return builder.pointwise("rsqrt", (shifted,), lambda v: 1 / np.sqrt(v))


@pytest.mark.parametrize(
    ("axes", "kind"), [((1,), "layer"), ((0,), "batch")], ids=["layer", "batch"]
)
@pytest.mark.parametrize("eps", [1e-3, 1e-6], ids=str)
def test_the_form_of_keras_is_recognized_with_gain_and_shift(axes, kind, eps):
    builder = builder_of(w=(4, 6), gamma=(6,), beta=(6,))
    x = dense(builder, builder.input((BATCH, 4)), "w")
    mean = row_mean(builder, x, axes)
    gain = multiply(
        builder, inverse_std(builder, x, mean, eps, axes), builder.parameter("gamma")
    )
    negative = builder.pointwise("neg", (mean,), np.negative)
    shift = add(builder, multiply(builder, negative, gain), builder.parameter("beta"))

    found = nodes(builder, add(builder, multiply(builder, x, gain), shift))

    assert [str(node.op) for node in found] == ["input", "linear", "normalize"]
    assert (found[2].scale, found[2].bias) == ("gamma", "beta")
    assert found[2].details["kind"] == kind
    assert found[2].details["axes"] == axes
    assert found[2].details["eps"] == pytest.approx(eps, rel=2e-2)


def test_a_normalization_of_a_very_long_axis_is_recognized():
    builder = builder_of(w=(4, 100_003))
    x = dense(builder, builder.input((BATCH, 4)), "w")
    mean = row_mean(builder, x)
    centred = builder.pointwise("sub", (x, mean), np.subtract, rule="subtract")

    out = multiply(builder, centred, inverse_std(builder, x, mean, 1e-5, (1,)))

    assert ops(builder, out) == ["input", "linear", "normalize"]


@pytest.mark.parametrize("is_logarithm", [False, True], ids=["softmax", "log"])
def test_the_form_of_jax_is_a_softmax(is_logarithm):
    builder = builder_of(w=(4, 6))
    x = dense(builder, builder.input((BATCH, 4)), "w")
    highest = builder.reduce("max", x, (1,), kind="max", is_kept=True)
    safe = builder.pointwise("sub", (x, highest), np.subtract, rule="subtract")
    shares = builder.pointwise("exp", (safe,), np.exp)
    total = builder.reduce("sum", shares, (1,), kind="sum", is_kept=True)
    if is_logarithm:
        logarithm = builder.pointwise("log", (total,), np.log)
        out = builder.pointwise("sub", (safe, logarithm), np.subtract, rule="subtract")
    else:
        out = builder.pointwise("div", (shares, total), np.divide, rule="divide")

    assert ops(builder, out) == ["input", "linear", "softmax"]


def test_dividing_by_the_sum_alone_is_no_softmax():
    builder = builder_of()
    x = builder.input((BATCH, 4))
    shares = builder.pointwise("square", (x,), np.square)
    total = builder.reduce("sum", shares, (1,), kind="sum", is_kept=True)
    out = builder.pointwise("div", (shares, total), np.divide, rule="divide")

    assert "softmax" not in ops(builder, out)


# Weights


@pytest.mark.parametrize(
    ("shape", "roles", "view"),
    [
        (
            (3, 3, 6, 4),
            AxisRoles(kernel=(0, 1), inputs=(2,), outputs=(3,)),
            (3, 2, 0, 1),
        ),
        (
            (3, 3, 6, 2),
            AxisRoles(kernel=(0, 1), inputs=(), outputs=(2, 3), groups=6),
            (2, 3, 0, 1),
        ),
    ],
    ids=["conv", "depthwise"],
)
def test_roles_are_those_of_the_parameter_behind_a_view(shape, roles, view):
    builder = builder_of(w=shape)
    x = builder.input((BATCH, 6, 8, 8))
    moved = builder.permute("permute", builder.parameter("w"), view)
    groups = roles.groups
    if groups > 1:
        moved = builder.reshape("reshape", moved, (12, 1, 3, 3))
    seen = AxisRoles(outputs=(0,), inputs=(1,), kernel=(2, 3), groups=groups)
    n_out = builder.shape(moved)[0]

    out = builder.convolve(
        "conv",
        x,
        moved,
        (BATCH, n_out, 6, 6),
        roles=seen,
        channel_axis=1,
        windows=[WindowAxis(axis=i, n_in=8, n_out=6, kernel=3) for i in (2, 3)],
    )

    node = nodes(builder, out)[-1]
    assert node.weight.roles == roles
    assert node.weight.fan == fans(shape, roles)
    assert node.unit_axis == 1


def test_a_weight_of_two_parameters_names_both():
    builder = builder_of(w=(4, 6), a=(4, 2), b=(2, 6))
    x = builder.input((BATCH, 4))
    low = builder.contract(
        "mm", builder.parameter("a"), builder.parameter("b"), "ab,bc->ac"
    )
    whole = add(builder, builder.parameter("w"), low)

    node = nodes(builder, builder.contract("mm", x, whole, "ab,bc->ac"))[-1]

    assert node.weight.path == "w"
    assert node.details["computed_from"] == ("a", "b", "w")
    assert node.weight.roles == AxisRoles(inputs=(0,), outputs=(1,))


def test_a_weight_that_nothing_reads_further_is_kept():
    builder = builder_of(w=(4, 3))
    x = builder.input((BATCH, 4))
    dense(builder, x, "w")

    assert ops(builder, x) == ["input", "linear"]


def test_the_place_is_that_of_the_first_primitive():
    builder = builder_of(w=(4, 3), b=(3,))
    x = builder.input((BATCH, 4))
    builder.place = Place(path="head", source="net.py:7")
    y = dense(builder, x, "w")
    builder.place = Place(path="", source="net.py:9")

    node = nodes(builder, add(builder, y, builder.parameter("b")))[-1]

    assert (node.path, node.source) == ("head", "net.py:7")


# Units and samples through every move

MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("permute"), st.randoms(use_true_random=False)),
        st.tuples(st.just("merge"), st.integers(0, 9)),
        st.tuples(st.just("split"), st.integers(0, 9)),
        st.tuples(st.just("wrap"), st.integers(0, 9)),
    ),
    max_size=6,
)


def moved_shape(shape: tuple[int, ...], kind: str, place: int) -> tuple[int, ...]:
    axis = place % len(shape)
    if kind == "wrap":
        return (*shape[:axis], 1, *shape[axis:])
    if kind == "merge":
        if axis + 1 == len(shape):
            return shape
        return (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :])
    length = shape[axis]
    factor = next((f for f in (2, 3, 5) if length % f == 0 and length > f), 1)
    return (*shape[:axis], factor, length // factor, *shape[axis + 1 :])


def splits_first(moves):
    """A cut through two axes that were laid into one is not followed; none here."""
    return sorted(moves, key=lambda move: move[0] == "merge")


@given(MOVES.map(splits_first))
def test_the_unit_axis_is_where_the_units_vary(moves):
    """Follow an array whose entries name their unit, and one that names the sample."""
    shape = (BATCH, 6, 4)
    builder = builder_of(w=(6, 6))
    x = builder.input((BATCH, 6, 4))
    value = builder.contract("mm", x, builder.parameter("w"), "abc,bd->adc")
    units = np.broadcast_to(np.arange(6)[None, :, None], shape)
    samples = np.broadcast_to(np.arange(BATCH)[:, None, None], shape)
    for kind, how in moves:
        if kind == "permute":
            axes = list(range(units.ndim))
            how.shuffle(axes)
            value = builder.permute("permute", value, axes)
            units, samples = units.transpose(axes), samples.transpose(axes)
        else:
            new = moved_shape(units.shape, kind, how)
            value = builder.reshape("reshape", value, new)
            units, samples = units.reshape(new), samples.reshape(new)

    node = nodes(builder, value)[-1]

    assert node.shape == units.shape
    assert node.unit_axis == the_one_axis(units)
    assert node.batch_axis == the_one_axis(samples)


def the_one_axis(names: np.ndarray) -> int | None:
    """Give the axis along which the names change, if there is only one."""
    found = [
        axis
        for axis, length in enumerate(names.shape)
        if length > 1 and (np.take(names, [0], axis) != names).any()
    ]
    return found[0] if len(found) == 1 else None


# Affine runs


def halved(builder: GraphBuilder, value: int) -> int:
    return multiply(builder, value, builder.constant(0.5))


def test_a_constant_factor_and_offset_are_told_from_an_activation():
    builder = builder_of()
    x = builder.input((BATCH, 4))

    node = nodes(builder, add(builder, halved(builder, x), builder.constant(3.0)))[-1]

    assert dict(node.details) == {"is_affine": True, "factor": 0.5, "offset": 3.0}
    assert node.op is Op.ELEMENTWISE


@pytest.mark.parametrize(
    "function",
    [np.abs, lambda x: np.clip(x, -1e4, 1e4), lambda x: x + 1e-3 * np.tanh(x)],
    ids=["abs", "clip", "bent"],
)
def test_a_bent_function_is_not_affine(function):
    builder = builder_of()
    x = builder.input((BATCH, 4))

    node = nodes(builder, builder.pointwise("f", (x,), function))[-1]

    assert "is_affine" not in node.details


def test_a_run_that_changes_nothing_is_dropped_unless_it_is_the_output():
    builder = builder_of(w=(4, 4))
    x = builder.input((BATCH, 4))
    same = add(builder, x, builder.constant(0.0))
    y = dense(builder, same, "w")

    assert ops(builder, y) == ["input", "linear"]
    assert ops(builder, same)[:2] == ["input", "elementwise"]


def test_a_loop_of_pointwise_primitives_is_cut_into_runs():
    builder = builder_of()
    value = builder.input((BATCH, 4))
    for _ in range(200):
        value = builder.pointwise("sin", (halved(builder, value),), np.sin)
    x = np.linspace(-1.0, 1.0, 5)
    expected = x
    for _ in range(200):
        expected = np.sin(expected * 0.5)

    found = nodes(builder, value)

    assert 2 < len(found) < 20
    for node in found[1:]:
        x = node.function(x)
    np.testing.assert_array_equal(x, expected)


# Views with other readers


@pytest.mark.parametrize("is_view_first", [True, False])
def test_a_flattening_that_a_product_reads_past_is_there_for_others(is_view_first):
    builder = builder_of(w=(4, 4), v=(4, 4))
    x = builder.input((BATCH, 3, 4))
    y = builder.contract("mm", x, builder.parameter("w"), "abc,cd->abd")
    flat = builder.reshape("view", y, (BATCH * 3, 4))
    z = dense(builder, flat, "v")
    read = builder.pointwise("tanh", (flat,), np.tanh)
    outputs = (read, z) if is_view_first else (z, read)

    built = builder.build(outputs)

    assert len(built.graph.outputs) == 2
    reader = next(n for n in built.graph.nodes if n.op is Op.ELEMENTWISE)
    assert built.graph.node(reader.inputs[0]).shape == (BATCH * 3, 4)


# Outputs and parts


def test_outputs_keep_their_order_and_name_each_node_once():
    builder = builder_of(w=(4, 3))
    x = builder.input((BATCH, 4))
    y = dense(builder, x, "w")
    z = builder.pointwise("tanh", (y,), np.tanh)

    graph = builder.build([z, x, y, z]).graph

    found = [graph.node(i).op for i in graph.outputs]
    assert found == [Op.ELEMENTWISE, Op.INPUT, Op.LINEAR]


def test_parts_of_the_unit_axis_say_where_they_were_cut():
    builder = builder_of(w=(4, 12))
    y = dense(builder, builder.input((BATCH, 4)), "w")
    parts = [
        builder.pick("chunk", y, (BATCH, 4), axis=1, start=4 * i) for i in range(3)
    ]

    found = nodes(builder, *parts)[2:]

    assert [node.op for node in found] == [Op.REARRANGE] * 3
    assert [node.details["start"] for node in found] == [0, 4, 8]
    assert {node.details["axis"] for node in found} == {1}
    assert {(node.unit_axis, node.details["repeat"]) for node in found} == {(1, 1)}


def test_a_grouped_convolution_has_its_channels_as_units():
    builder = builder_of(w=(8, 2, 3))
    x = builder.input((BATCH, 4, 9))
    roles = AxisRoles(outputs=(0,), inputs=(1,), kernel=(2,), groups=2)
    window = WindowAxis(axis=2, n_in=9, n_out=7, kernel=3)

    out = builder.convolve(
        "conv",
        x,
        builder.parameter("w"),
        (BATCH, 8, 7),
        roles=roles,
        channel_axis=1,
        windows=[window],
    )
    node = nodes(builder, out)[-1]

    assert (node.unit_axis, node.weight.roles.groups) == (1, 2)
    assert node.weight.fan == fans((8, 2, 3), roles)


# How long it takes


def unrolled(n_steps: int) -> tuple[GraphBuilder, int]:
    """A recurrent cell with a gate, run step by step."""
    builder = builder_of(a=(4, 4), b=(4, 4))
    x = builder.input((BATCH, 4))
    state = builder.pointwise("tanh", (x,), np.tanh)
    for _ in range(n_steps):
        gate = builder.pointwise("exp", (dense(builder, state, "a"),), np.exp)
        new = builder.pointwise("tanh", (dense(builder, state, "b"),), np.tanh)
        state = add(builder, multiply(builder, gate, new), state)
    return builder, state


def calls_of(function) -> int:
    """Count the calls that a function makes: a measure of work without a clock."""
    counted = cProfile.Profile()
    counted.runcall(function)
    return pstats.Stats(counted).total_calls


def test_the_work_of_building_grows_as_the_number_of_primitives():
    work = []
    for n_steps in (100, 400):
        builder, state = unrolled(n_steps)
        work.append(calls_of(lambda b=builder, s=state: b.build([s])))

    assert work[1] < 4.2 * work[0]


def test_dividing_by_a_table_is_multiplying_by_its_inverse():
    builder = GraphBuilder(framework="torch", parameters=(), batch_size=4)
    image = builder.input((4, 3))
    spread = builder.constant(np.array([1.0, 2.0, 4.0]))
    scaled = builder.pointwise("div", (image, spread), np.divide, rule="divide")
    nodes = builder.build((scaled,)).graph.nodes

    assert [node.op for node in nodes] == [Op.INPUT, Op.CONSTANT, Op.MULTIPLY]
    assert nodes[1].details["mean"] == pytest.approx((1 + 0.5 + 0.25) / 3)
