"""Any legal program becomes a sound graph that computes what the program computes."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fanin.graph import Op, Parameter
from fanin.graph.builder import GraphBuilder

BATCH = 2
UNARY = {"tanh": np.tanh, "neg": np.negative, "abs": np.abs, "sin": np.sin}
BINARY = {"add": np.add, "multiply": np.multiply, "divide": np.divide, "": np.maximum}
MOVES = ["flatten", "reshape", "permute", "concat", "slice"]
SUMS = ["product", "contract", "reduce", "softmax", "norm"]
POINTWISE = ["unary", "binary", "number", "bias", "gain", "table"]
CHOICES = st.lists(
    st.tuples(
        st.sampled_from([*MOVES, *SUMS, *POINTWISE]),
        st.integers(0, 99),
        st.integers(0, 99),
    ),
    min_size=1,
    max_size=14,
)


@dataclass
class Program:
    """A program in the making: the builder's values, and what they are in numbers."""

    builder: GraphBuilder
    values: list[int] = field(default_factory=list)
    numbers: dict[int, np.ndarray] = field(default_factory=dict)

    def keep(self, value, number):
        assert self.builder.shape(value) == number.shape
        self.values.append(value)
        self.numbers[value] = number

    def some(self, choice):
        value = self.values[choice % len(self.values)]
        return value, self.numbers[value]

    def alike(self, shape, choice):
        same = [v for v in self.values if self.builder.shape(v) == shape]
        value = same[choice % len(same)]
        return value, self.numbers[value]

    # One method a kind of primitive

    def unary(self, first, second):
        value, x = self.some(first)
        name = sorted(UNARY)[second % len(UNARY)]
        out = self.builder.pointwise(name, (value,), UNARY[name])
        self.keep(out, UNARY[name](x))

    def binary(self, first, second):
        value, x = self.some(first)
        other, y = self.alike(x.shape, second)
        rule = sorted(BINARY)[(first + second) % len(BINARY)]
        out = self.builder.pointwise("two", (value, other), BINARY[rule], rule=rule)
        self.keep(out, BINARY[rule](x, y))
        if rule == "divide":
            self.numbers[out - 1] = 1.0 / y

    def number(self, first, second):
        value, x = self.some(first)
        held = self.builder.constant(0.25 * (second % 5))
        rule = ["add", "multiply"][second % 2]
        operands = (value, held) if first % 2 else (held, value)
        out = self.builder.pointwise("one", operands, BINARY[rule], rule=rule)
        self.keep(out, BINARY[rule](x, 0.25 * (second % 5)))

    def product(self, first, second):
        value, x = self.some(first)
        if x.ndim == 0 or x.shape[-1] > 6:
            return
        path = f"w{x.shape[-1]}{second % 2}"
        letters = "abcdefg"[: x.ndim - 1]
        subscripts = f"{letters}x,xy->{letters}y"
        weight = self.builder.parameter(path)
        out = self.builder.contract("mm", value, weight, subscripts)
        self.keep(out, np.einsum(subscripts, x, weight_of(path)))

    def contract(self, first, second):
        value, x = self.some(first)
        other, y = self.alike(x.shape, second)
        if x.ndim < 2:
            return
        letters = "abcdefg"[: x.ndim - 2]
        subscripts = f"{letters}xz,{letters}yz->{letters}xy"
        out = self.builder.contract("bmm", value, other, subscripts)
        self.keep(out, np.einsum(subscripts, x, y))

    def flatten(self, first, second):
        value, x = self.some(first)
        if x.ndim > 2:
            self.shaped(value, x.reshape(-1, x.shape[-1]))

    def reshape(self, first, second):
        value, x = self.some(first)
        shapes = [(x.size,), (*x.shape, 1), (x.shape[0] if x.ndim else 1, -1)]
        self.shaped(value, x.reshape(shapes[second % 3]))

    def shaped(self, value, number):
        self.keep(self.builder.reshape("view", value, number.shape), number)

    def permute(self, first, second):
        value, x = self.some(first)
        axes = tuple(np.roll(range(x.ndim), second))
        self.keep(self.builder.permute("permute", value, axes), x.transpose(axes))

    def concat(self, first, second):
        value, x = self.some(first)
        other, y = self.alike(x.shape, second)
        if x.ndim > 0 and x.size < 400:
            axis = second % x.ndim
            out = self.builder.concat("cat", (value, other), axis)
            self.keep(out, np.concatenate([x, y], axis))

    def slice(self, first, second):
        value, x = self.some(first)
        if x.ndim == 0:
            return
        axis = second % x.ndim
        number = x.take(range(second % 2 and x.shape[axis] > 1, x.shape[axis]), axis)
        start = x.shape[axis] - number.shape[axis]
        out = self.builder.pick("slice", value, number.shape, axis=axis, start=start)
        self.keep(out, number)

    def reduce(self, first, second):
        value, x = self.some(first)
        if x.ndim == 0:
            return
        kind = ["mean", "sum", "max", "var"][second % 4]
        axis, is_kept = second % x.ndim, bool(first % 2)
        out = self.builder.reduce(kind, value, (axis,), kind=kind, is_kept=is_kept)
        self.keep(out, getattr(np, kind)(x, axis, keepdims=is_kept))

    def softmax(self, first, second):
        value, x = self.some(first)
        if x.ndim:
            axis = second % x.ndim
            shares = np.exp(x - x.max(axis, keepdims=True))
            out = self.builder.softmax("softmax", value, axis)
            self.keep(out, shares / shares.sum(axis, keepdims=True))

    def row(self, first, rule):
        value, x = self.some(first)
        if x.ndim == 0 or x.shape[-1] > 6:
            return
        path = f"b{x.shape[-1]}"
        held = self.builder.parameter(path)
        out = self.builder.pointwise(rule, (value, held), BINARY[rule], rule=rule)
        self.keep(out, BINARY[rule](x, weight_of(path)))

    def bias(self, first, second):
        self.row(first, "add")

    def gain(self, first, second):
        self.row(first, "multiply")

    def table(self, first, second):
        value, x = self.some(first)
        numbers = np.arange(float(x.size)).reshape(x.shape)
        held = self.builder.constant(numbers)
        out = self.builder.pointwise("add", (value, held), np.add, rule="add")
        self.keep(out, x + numbers)

    def norm(self, first, second):
        value, x = self.some(first)
        if x.ndim == 0:
            return
        details = {"kind": "rms", "eps": 1.0, "axes": (x.ndim - 1,)}
        out = self.builder.normalize("norm", value, details=details)
        scale = np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1.0)
        self.keep(out, x / scale)


def weight_of(path):
    shape = tuple(int(n) for n in path[1:2]) if path[0] == "b" else (int(path[1]), 3)
    return np.cos(np.arange(prod(shape)) + len(path)).reshape(shape)


def new_program():
    paths = [f"b{n}" for n in range(1, 7)]
    paths += [f"w{n}{k}" for n in range(1, 7) for k in (0, 1)]
    held = [Parameter(path=p, shape=weight_of(p).shape, dtype="float32") for p in paths]
    builder = GraphBuilder(framework="torch", parameters=held, batch_size=BATCH)
    program = Program(builder)
    for shape in [(BATCH, 3, 4), (BATCH, 4)]:
        x = np.sin(np.arange(prod(shape)) * 1.7 + len(shape)).reshape(shape)
        program.keep(builder.input(shape), x)
    return program


@settings(max_examples=250, deadline=None)
@given(choices=CHOICES, n_outputs=st.integers(1, 4), which=st.integers(0, 99))
def test_any_program_is_a_sound_graph_that_computes_the_same(choices, n_outputs, which):
    program = new_program()
    for name, first, second in choices:
        with np.errstate(all="ignore"):
            getattr(program, name)(first, second)
    outputs = [program.some(which + 7 * i)[0] for i in range(n_outputs)]

    built = program.builder.build(outputs)

    graph = built.graph
    assert [node.id for node in graph.nodes] == list(range(len(graph.nodes)))
    assert all(i < node.id for node in graph.nodes for i in node.inputs)
    assert len(graph.outputs) == len(set(graph.outputs)) <= len(set(outputs))
    assert all(is_given(program, built, value) for value in outputs)
    for node in graph.nodes:
        site = built.sites[node.id]
        assert node.shape == program.builder.shape(site)
        read = [program.numbers.get(built.sites[i]) for i in node.inputs]
        if all(x is not None for x in read) and site in program.numbers:
            check(node, read, program.numbers[site])


def is_given(program, built, value):
    """Say whether one of the outputs holds the numbers of a value, in its shape."""
    sites = [program.numbers[built.sites[node_id]] for node_id in built.graph.outputs]
    return any(np.array_equal(x, program.numbers[value], equal_nan=True) for x in sites)


def check(node, read, expected):
    """Hold a node to the numbers that the program gave."""
    with np.errstate(all="ignore"):
        if node.op is Op.ELEMENTWISE:
            found = node.function(read[0])
        elif node.op is Op.MULTIPLY and len(read) == 2:
            found = read[0] * read[1]
        elif node.op is Op.CONCAT:
            found = np.concatenate(read, node.details["axis"])
        elif node.op is Op.CONTRACT:
            found = np.einsum(node.details["subscripts"], *read)
        elif node.op is Op.REDUCE and node.details["axes"]:
            function = getattr(np, node.details["kind"])
            found = function(read[0], node.details["axes"]).reshape(expected.shape)
        else:
            return
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
