"""Names, aliases, options; each named function is PyTorch's, value and slope."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch
import torch.nn.functional as tf

from fanin.activations import ACTIVATIONS, find_activation, identify
from fanin.errors import ArgumentError, UnknownNameError

POINTS = np.linspace(-9.0, 9.0, 301) + 0.0007  # off the kinks

TORCH = {
    "identity": lambda x: x,
    "relu": tf.relu,
    "leaky_relu": tf.leaky_relu,
    "leaky_relu(0.2)": lambda x: tf.leaky_relu(x, 0.2),
    "prelu": lambda x: tf.prelu(x, torch.tensor([0.25], dtype=torch.float64)),
    "abs": torch.abs,
    "elu": tf.elu,
    "elu(0.5)": lambda x: tf.elu(x, 0.5),
    "celu(2)": lambda x: tf.celu(x, 2.0),
    "selu": tf.selu,
    "gelu": tf.gelu,
    "gelu_tanh": lambda x: tf.gelu(x, approximate="tanh"),
    "silu": tf.silu,
    "mish": tf.mish,
    "softplus": lambda x: tf.softplus(x, threshold=50),
    "softplus(beta=2)": lambda x: tf.softplus(x, beta=2, threshold=50),
    "log_sigmoid": tf.logsigmoid,
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": tf.hardsigmoid,
    "tanh": torch.tanh,
    "hardtanh": tf.hardtanh,
    "hardtanh(bound=2)": lambda x: tf.hardtanh(x, -2.0, 2.0),
    "hardswish": tf.hardswish,
    "relu6": tf.relu6,
    "softsign": tf.softsign,
    "sin": torch.sin,
    "erf": torch.erf,
    "tanhshrink": tf.tanhshrink,
    "softshrink": tf.softshrink,
    "hardshrink": tf.hardshrink,
    "exp": torch.exp,
}


@pytest.mark.parametrize("name", TORCH)
def test_a_named_function_is_that_of_pytorch(name):
    expected = TORCH[name](torch.from_numpy(POINTS)).numpy()

    np.testing.assert_allclose(find_activation(name)(POINTS), expected, 1e-13, 1e-15)


@pytest.mark.parametrize("name", TORCH)
def test_the_slope_read_from_values_is_that_of_autograd(name):
    inputs = torch.from_numpy(POINTS).requires_grad_()
    TORCH[name](inputs).sum().backward()
    # float32's 1/6 sits in PyTorch's own backward of hardsigmoid: 5e-9.
    tolerance = 1e-8 if name == "hard_sigmoid" else 2e-11

    slope = find_activation(name).slope(POINTS)
    np.testing.assert_allclose(slope, inputs.grad.numpy(), tolerance, tolerance)


def test_erf_is_exact_to_the_last_digits():
    points = np.linspace(-6.0, 6.0, 97)
    exact = [float(mpmath.erf(mpmath.mpf(float(point)))) for point in points]

    np.testing.assert_allclose(find_activation("erf")(points), exact, 1e-15, 1e-16)


def test_every_scalar_row_of_the_table_has_a_name():
    rows = (
        "identity relu leaky_relu prelu elu selu celu gelu gelu_tanh silu swish mish "
        "softplus sigmoid hardsigmoid tanh hardtanh hardswish relu6 softsign sin erf "
        "relu2 tanhshrink linear"
    )

    assert all(row in ACTIVATIONS for row in rows.split())


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_says_its_formula(name):
    assert ACTIVATIONS[name].formula
    assert bool(ACTIVATIONS[name].option) == (ACTIVATIONS[name].family is not None)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_named_function_is_identified(name):
    original = ACTIVATIONS[name]
    names = {"celu": "elu", "prelu": "leaky_relu(0.25)"}
    names["leaky_relu"] = "leaky_relu(0.01)"

    found = identify(original.function)
    assert found.name == names.get(name, name)


@pytest.mark.parametrize(
    "name", [name for name in TORCH if name in ACTIVATIONS and name != "prelu"]
)
def test_a_replay_in_float32_is_identified(name):
    def replay(x):
        return TORCH[name](torch.from_numpy(x.astype(np.float32))).numpy()

    assert identify(replay).name == identify(ACTIVATIONS[name].function).name


@pytest.mark.parametrize("slope", [0.2, 0.01, -0.3, 0.3333333, 2.0])
def test_a_leaky_relu_is_identified_with_its_slope(slope):
    found = identify(lambda x: np.where(x > 0, x, np.float64(np.float32(slope)) * x))

    assert found.name == f"leaky_relu({slope:g})"
    assert found(np.array([-1.0]))[0] == pytest.approx(-slope, abs=1e-6)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x / (1 + np.exp(-1.5 * x)),
        lambda x: 2 * np.maximum(x, 0),
        lambda x: np.clip(x, 0, 5),
        lambda x: 0 * x,
        lambda x: x + 0.01 * np.tanh(x),
    ],
    ids=["swish of 1.5", "twice relu", "relu5", "zero", "nearly identity"],
)
def test_an_unknown_function_is_not_given_a_name(function):
    found = identify(function)

    assert found.name == "<lambda>"
    assert found.function is function


def test_an_alias_and_any_case_of_letters_find_the_same():
    assert find_activation("Swish") is find_activation("silu")


def test_an_activation_is_its_own():
    relu = find_activation("relu")

    assert find_activation(relu) is relu


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'gelu'"):
        find_activation("geluu")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("relu(2)", "'relu', which has no number in it"),
        ("leaky_relu(a=2)", r"leaky_relu\(slope=…\), one number"),
        ("leaky_relu(1, 2)", r"leaky_relu\(slope=…\), one number"),
        ("leaky_relu(big)", "with a finite number"),
        ("leaky_relu(True)", "with a finite number"),
        ("elu(1e999)", "with a finite number"),
        ("tanh(", "must be a name such as"),
    ],
)
def test_a_wrong_option_is_refused(text, message):
    with pytest.raises(ArgumentError, match=message):
        find_activation(text)


def test_a_function_of_tensors_only_is_refused():
    with pytest.raises(ArgumentError, match="function of float64 NumPy arrays"):
        find_activation(torch.relu)


@pytest.mark.parametrize(
    "function",
    [np.sum, lambda x: 1.0, lambda x: x.astype(str), lambda x: x + 1j],
    ids=["sum", "a scalar", "text", "complex"],
)
def test_a_function_that_is_not_entry_by_entry_is_refused(function):
    with pytest.raises(ArgumentError, match="keeps the shape"):
        find_activation(function)


def test_selu_has_the_constants_of_pytorch():
    at_minus_one = find_activation("selu")(np.array([-1.0]))[0]

    assert at_minus_one == pytest.approx(
        1.0507009873554804934193349852946
        * 1.6732632423543772848170429916717
        * math.expm1(-1.0),
        rel=1e-15,
    )
