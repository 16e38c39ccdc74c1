"""Normalization written by hand, in every form that is in use."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from fanin.graph import Op, Parameter
from fanin.graph.builder import GraphBuilder

BATCH, WIDTH = 6, 8


def builder_of(**shapes) -> GraphBuilder:
    held = [Parameter(path=p, shape=s, dtype="float32") for p, s in shapes.items()]
    return GraphBuilder(framework="torch", parameters=held, batch_size=BATCH)


class Maths:
    """Arithmetic on values of a builder, each operation one primitive."""

    def __init__(self, builder: GraphBuilder) -> None:
        self.builder = builder

    def pair(self, name, a, b, function, rule=""):
        read = [self.builder.constant(v) if isinstance(v, float) else v for v in (a, b)]
        return self.builder.pointwise(name, read, function, rule=rule)

    def add(self, a, b):
        return self.pair("add", a, b, np.add, "add")

    def sub(self, a, b):
        return self.pair("sub", a, b, np.subtract, "subtract")

    def mul(self, a, b):
        return self.pair("mul", a, b, np.multiply, "multiply")

    def div(self, a, b):
        return self.pair("div", a, b, np.divide, "divide")

    def floor(self, a, b):
        return self.pair("clamp_min", a, b, np.maximum)

    def of(self, function, a):
        return self.builder.pointwise(function.__name__, (a,), function)

    def over(self, kind, a, axes):
        return self.builder.reduce(kind, a, axes, kind=kind, is_kept=True)


def square(x):
    return x**2


def rsqrt(x):
    return 1.0 / np.sqrt(x)


def centred(m, x, axes):
    return m.sub(x, m.over("mean", x, axes))


def variance(m, x, axes, *, is_unbiased=False):
    found = m.over("mean", m.of(square, centred(m, x, axes)), axes)
    if not is_unbiased:
        return found
    n = prod(m.builder.shape(x)[axis] for axis in axes)
    return m.mul(found, n / (n - 1))


def by_variance(m, x, axes):
    root = m.of(rsqrt, m.add(variance(m, x, axes), 1e-5))
    return m.mul(centred(m, x, axes), root)


def by_var_primitive(m, x, axes):
    root = m.of(np.sqrt, m.add(m.over("var", x, axes), 1e-5))
    return m.div(centred(m, x, axes), root)


def by_std_plus_eps(m, x, axes):
    spread = m.add(m.of(np.sqrt, variance(m, x, axes)), 5e-6)
    return m.div(centred(m, x, axes), spread)


def by_unbiased_std(m, x, axes):
    spread = m.of(np.sqrt, variance(m, x, axes, is_unbiased=True))
    return m.div(centred(m, x, axes), m.add(spread, 5e-6))


FORMS = [by_variance, by_var_primitive, by_std_plus_eps, by_unbiased_std]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("shape", "axes", "kind"),
    [
        ((BATCH, WIDTH), (1,), "layer"),
        ((BATCH, WIDTH), (0,), "batch"),
        ((BATCH, 4, 3, 3), (0, 2, 3), "batch"),
        ((BATCH, 4, 3, 3), (2, 3), "instance"),
        ((BATCH, 4, 3, 3), (1,), "layer"),
    ],
)
def test_every_form_is_a_normalization_of_its_kind(form, shape, axes, kind):
    builder = builder_of()
    x = builder.input(shape, unit_axis=1)

    found = builder.build([form(Maths(builder), x, axes)]).graph.nodes

    assert [node.op for node in found] == [Op.INPUT, Op.NORMALIZE]
    assert found[1].details["kind"] == kind
    assert found[1].details["axes"] == axes
    assert found[1].details["eps"] == pytest.approx(1e-5, rel=0.2)


def test_groups_of_channels_are_normalized_as_groups():
    builder = builder_of()
    x = builder.input((BATCH, 4, 3, 3), unit_axis=1)
    grouped = builder.reshape("view", x, (BATCH, 2, 2, 3, 3))
    out = by_variance(Maths(builder), grouped, (2, 3, 4))
    whole = builder.reshape("view", out, (BATCH, 4, 3, 3))

    found = builder.build([whole]).graph.nodes

    norm = next(node for node in found if node.op is Op.NORMALIZE)
    assert norm.details["kind"] == "group"


def rms(m, x):
    mean = m.over("mean", m.of(square, x), (1,))
    return m.mul(x, m.of(rsqrt, m.add(mean, 1e-6)))


def test_a_gain_of_one_plus_a_parameter_has_the_offset_one():
    builder = builder_of(w=(WIDTH,))
    m = Maths(builder)
    gain = m.add(1.0, builder.parameter("w"))

    out = m.mul(rms(m, builder.input((BATCH, WIDTH))), gain)
    found = builder.build([out]).graph.nodes

    assert [node.op for node in found] == [Op.INPUT, Op.NORMALIZE]
    assert found[1].scale == "w"
    assert found[1].details["gain_offset"] == 1.0
    assert "gain_factor" not in found[1].details


def test_a_gain_that_bends_its_parameter_is_a_value_of_its_own():
    builder = builder_of(w=(WIDTH,))
    m = Maths(builder)
    gain = m.of(np.exp, builder.parameter("w"))

    out = m.mul(rms(m, builder.input((BATCH, WIDTH))), gain)
    found = builder.build([out]).graph.nodes

    assert found[-1].op is Op.MULTIPLY
    assert found[-1].scale is None


def unit_length(m, x):
    total = m.over("sum", m.of(square, x), (1,))
    return m.div(x, m.floor(m.of(np.sqrt, total), 1e-12))


def shares(m, x):
    return m.div(x, m.over("sum", m.of(np.abs, x), (1,)))


@pytest.mark.parametrize(("form", "kind"), [(unit_length, "l2"), (shares, "l1")])
def test_a_tensor_over_its_norm_is_normalized_to_it(form, kind):
    builder = builder_of()

    out = form(Maths(builder), builder.input((BATCH, 100)))
    node = builder.build([out]).graph.nodes[-1]

    assert (node.op, node.details["kind"]) == (Op.NORMALIZE, kind)
    assert node.details["n_normalized"] == 100


def test_the_bias_of_the_linear_before_is_not_taken_for_the_shift():
    builder = builder_of(w=(4, WIDTH), b=(WIDTH,), g=(WIDTH,), s=(WIDTH,))
    m = Maths(builder)
    x = builder.input((BATCH, 4))
    y = builder.contract("mm", x, builder.parameter("w"), "ab,bc->ac")
    y = m.add(y, builder.parameter("b"))
    mean = m.over("mean", y, (0,))
    spread = m.floor(m.sub(m.over("mean", m.mul(y, y), (0,)), m.mul(mean, mean)), 0.0)
    gain = m.mul(m.of(rsqrt, m.add(spread, 1e-5)), builder.parameter("g"))

    out = m.add(m.mul(m.sub(y, mean), gain), builder.parameter("s"))
    found = builder.build([out]).graph.nodes

    assert [node.op for node in found] == [Op.INPUT, Op.LINEAR, Op.NORMALIZE]
    assert (found[1].bias, found[2].scale, found[2].bias) == ("b", "g", "s")


def test_a_factor_before_a_normalization_stays_before_it():
    builder = builder_of()
    m = Maths(builder)
    x = m.mul(builder.input((BATCH, WIDTH)), 8.0)

    found = builder.build([rms(m, x)]).graph.nodes

    assert [node.op for node in found] == [Op.INPUT, Op.ELEMENTWISE, Op.NORMALIZE]
    assert found[2].details["eps"] == pytest.approx(1e-6, rel=0.02)


def test_an_exponential_of_few_entries_is_not_taken_for_a_norm():
    builder = builder_of()
    m = Maths(builder)
    x = builder.input((BATCH, 3))
    powers = m.of(np.exp, m.sub(x, m.over("max", x, (1,))))
    out = m.div(powers, m.over("sum", powers, (1,)))

    found = builder.build([out]).graph.nodes

    assert [node.op for node in found] == [Op.INPUT, Op.SOFTMAX]


def test_signs_are_of_mean_square_one_and_no_normalization():
    builder = builder_of()
    m = Maths(builder)
    x = builder.input((BATCH, WIDTH))
    out = m.of(np.sign, centred(m, x, (1,)))

    assert Op.NORMALIZE not in [node.op for node in builder.build([out]).graph.nodes]


@pytest.mark.parametrize("eps", [1e-7, 3e-6, 1e-3])
def test_an_eps_beside_the_standard_deviation_is_told_as_it_acts_at_variance_one(eps):
    builder = builder_of()
    m = Maths(builder)
    x = builder.input((BATCH, WIDTH))
    spread = m.add(m.of(np.sqrt, variance(m, x, (1,))), eps)

    node = builder.build([m.div(centred(m, x, (1,)), spread)]).graph.nodes[-1]

    # 1/(1 + eps)² = 1/(1 + eps′)
    assert node.details["eps"] == pytest.approx((1 + eps) ** 2 - 1, rel=0.01)


def test_samples_laid_beside_channels_are_normalized_one_by_one():
    builder = builder_of()
    x = builder.input((BATCH, 4, 3, 3), unit_axis=1)
    wide = builder.reshape("view", x, (1, BATCH * 4, 3, 3))
    details = {"kind": "batch", "axes": (0, 2, 3), "eps": 1e-5, "is_identity": False}

    out = builder.normalize("batch_norm", wide, details=details)
    node = builder.build([out]).graph.nodes[-1]

    assert node.details["kind"] == "instance"
