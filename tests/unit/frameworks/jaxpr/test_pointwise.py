from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from fanin.frameworks._jaxpr.pointwise import FUNCTIONS, function_of
from fanin.frameworks._jaxpr.unfold import program_of

GRID = np.linspace(-3.0, 3.0, 121, dtype=np.float32)
SHARE = np.linspace(-0.95, 0.95, 121, dtype=np.float32)
POSITIVE = np.linspace(0.05, 4.0, 121, dtype=np.float32)
OTHER = np.linspace(2.0, -1.7, 121, dtype=np.float32)

UNARY = {
    "abs": (lax.abs, GRID),
    "acos": (lax.acos, SHARE),
    "acosh": (lax.acosh, POSITIVE + 1),
    "asin": (lax.asin, SHARE),
    "asinh": (lax.asinh, GRID),
    "atan": (lax.atan, GRID),
    "atanh": (lax.atanh, SHARE),
    "cbrt": (lax.cbrt, POSITIVE),
    "ceil": (lax.ceil, GRID),
    "cos": (lax.cos, GRID),
    "cosh": (lax.cosh, GRID),
    "erf": (lax.erf, GRID),
    "erfc": (lax.erfc, GRID),
    "erf_inv": (lax.erf_inv, SHARE),
    "exp": (lax.exp, GRID),
    "exp2": (lax.exp2, GRID),
    "expm1": (lax.expm1, GRID),
    "floor": (lax.floor, GRID),
    "is_finite": (lax.is_finite, GRID),
    "lgamma": (lax.lgamma, POSITIVE),
    "log": (lax.log, POSITIVE),
    "log1p": (lax.log1p, POSITIVE),
    "logistic": (lax.logistic, GRID),
    "neg": (lax.neg, GRID),
    "rsqrt": (lax.rsqrt, POSITIVE),
    "sign": (lax.sign, GRID),
    "sin": (lax.sin, GRID),
    "sinh": (lax.sinh, GRID),
    "sqrt": (lax.sqrt, POSITIVE),
    "square": (lax.square, GRID),
    "tan": (lax.tan, SHARE),
    "tanh": (lax.tanh, GRID),
    "integer_pow": (lambda z: lax.integer_pow(z, 3), GRID),
    "round": (lax.round, GRID * 2),
    "round_even": (lambda z: lax.round(z, lax.RoundingMethod.TO_NEAREST_EVEN), GRID),
    "clamp": (lambda z: lax.clamp(-1.0, z, 0.5), GRID),
    "not": (lambda z: lax.bitwise_not(z > 0), GRID),
}
BINARY = {
    "add": lax.add,
    "atan2": lax.atan2,
    "div": lax.div,
    "eq": lax.eq,
    "ge": lax.ge,
    "gt": lax.gt,
    "le": lax.le,
    "lt": lax.lt,
    "max": lax.max,
    "min": lax.min,
    "mul": lax.mul,
    "ne": lax.ne,
    "pow": lambda a, b: lax.pow(jnp.abs(a) + 1, b),
    "rem": lax.rem,
    "sub": lax.sub,
    "and": lambda a, b: lax.bitwise_and(a > 0, b > 0),
    "or": lambda a, b: lax.bitwise_or(a > 0, b > 0),
    "xor": lambda a, b: lax.bitwise_xor(a > 0, b > 0),
    "select_n": lambda a, b: lax.select(a > b, a, b),
}
UNTESTED = {"add_any", "nextafter", "real"}


def replayed(function, *arrays):
    """Evaluate the recorded steps with the NumPy functions, in float64."""
    program = program_of(jax.make_jaxpr(function)(*arrays))
    values = dict(
        zip(program.inputs, [a.astype(np.float64) for a in arrays], strict=True)
    )
    for step in program.readable():
        given = [
            values[s] if isinstance(s, int) else np.asarray(s.value, dtype=np.float64)
            for s in step.inputs
        ]
        function = function_of(step)
        values[step.outputs[0]] = given[0] if function is None else function(*given)
    return values[program.outputs[0]]


@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_one_array_is_what_jax_computes(name):
    function, grid = UNARY[name]

    expected = np.asarray(function(grid), dtype=np.float64)
    assert replayed(function, grid) == pytest.approx(expected, rel=2e-5, abs=2e-6)


@pytest.mark.parametrize("name", BINARY)
def test_a_function_of_two_arrays_is_what_jax_computes(name):
    function = BINARY[name]

    expected = np.asarray(function(GRID, OTHER), dtype=np.float64)
    assert replayed(function, GRID, OTHER) == pytest.approx(
        expected, rel=2e-5, abs=2e-6
    )


def test_every_function_of_the_table_is_tested():
    tested = set(UNARY) | set(BINARY) | UNTESTED

    assert set(FUNCTIONS) <= tested


ACTIVATIONS = {
    function.__name__: function
    for function in (
        jax.nn.celu,
        jax.nn.elu,
        jax.nn.gelu,
        jax.nn.hard_sigmoid,
        jax.nn.hard_silu,
        jax.nn.hard_tanh,
        jax.nn.leaky_relu,
        jax.nn.log_sigmoid,
        jax.nn.mish,
        jax.nn.relu,
        jax.nn.relu6,
        jax.nn.selu,
        jax.nn.sigmoid,
        jax.nn.silu,
        jax.nn.soft_sign,
        jax.nn.softplus,
        jax.nn.sparse_plus,
        jax.nn.squareplus,
    )
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_of_jax_is_replayed_in_float64(name):
    function = ACTIVATIONS[name]

    expected = np.asarray(function(GRID), dtype=np.float64)
    assert replayed(function, GRID) == pytest.approx(expected, rel=2e-5, abs=2e-6)


def test_infinity_arises_without_a_warning():
    huge = np.array([1e4])

    assert np.isinf(FUNCTIONS["exp"](huge)).all()
    assert np.isinf(FUNCTIONS["div"](huge, np.zeros(1))).all()
