"""The table of activations, and how a name or a function is looked up in it."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.activations import functions
from fanin.activations.activation import Activation
from fanin.errors import ArgumentError
from fanin.registry import Registry, parse_spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph.graph import ScalarFunction
    from fanin.registry import Spec

ACTIVATIONS: Final[Registry[Activation]] = Registry("activation")


def _plain(
    name: str, function: ScalarFunction, formula: str, *aliases: str
) -> Activation:
    return ACTIVATIONS.register(
        Activation(name=name, function=function, formula=formula, aliases=aliases)
    )


def _family(
    name: str,
    family: Callable[[float], ScalarFunction],
    formula: str,
    option: tuple[str, float],
    *aliases: str,
) -> Activation:
    return ACTIVATIONS.register(
        Activation(
            name=name,
            function=family(option[1]),
            formula=formula,
            aliases=aliases,
            option=option[0],
            family=family,
        )
    )


IDENTITY: Final = _plain("identity", functions.identity, "x", "linear", "none")
RELU: Final = _plain("relu", functions.relu, "max(0, x)")
LEAKY_RELU: Final = _family(
    "leaky_relu", functions.leaky_relu, "x if x > 0 else slope·x", ("slope", 0.01)
)
_family("prelu", functions.leaky_relu, "x if x > 0 else slope·x", ("slope", 0.25))
ABS: Final = _plain("abs", np.abs, "|x|")
_family("elu", functions.elu, "x if x > 0 else α(eˣ − 1)", ("alpha", 1.0))
_family("celu", functions.celu, "x if x > 0 else α(e^(x/α) − 1)", ("alpha", 1.0))
_plain("selu", functions.selu, "1.0507·(x if x > 0 else 1.6733(eˣ − 1))")
_plain("gelu", functions.gelu, "x·Φ(x)", "gelu_erf")
_plain(
    "gelu_tanh",
    functions.gelu_tanh,
    "½x(1 + tanh(√(2/π)(x + 0.044715x³)))",
    "gelu_new",
)
_plain("quick_gelu", functions.quick_gelu, "x·sigmoid(1.702x)")
_plain("silu", functions.silu, "x·sigmoid(x)", "swish")
_plain("mish", functions.mish, "x·tanh(softplus(x))")
_family("softplus", functions.softplus, "ln(1 + e^(βx)) / β", ("beta", 1.0))
_plain("log_sigmoid", functions.log_sigmoid, "ln sigmoid(x)", "logsigmoid")
_plain("sigmoid", functions.sigmoid, "1 / (1 + e⁻ˣ)", "logistic")
_plain("hard_sigmoid", functions.hard_sigmoid, "clip(x + 3, 0, 6) / 6", "hardsigmoid")
_plain("tanh", np.tanh, "tanh(x)")
_family(
    "hardtanh",
    functions.hard_tanh,
    "clip(x, −bound, bound)",
    ("bound", 1.0),
    "hard_tanh",
)
_plain(
    "hardswish",
    functions.hard_swish,
    "x·clip(x + 3, 0, 6) / 6",
    "hard_swish",
    "hard_silu",
)
_plain("relu6", functions.relu6, "clip(x, 0, 6)")
_plain("relu_squared", functions.relu_squared, "max(0, x)²", "relu2", "squared_relu")
_plain("softsign", functions.softsign, "x / (1 + |x|)", "soft_sign")
_plain("sin", np.sin, "sin(x)", "sine")
_plain("erf", functions.erf, "erf(x)")
_plain("tanhshrink", functions.tanhshrink, "x − tanh(x)", "tanh_shrink")
_family(
    "softshrink",
    functions.soft_shrink,
    "sign(x)·max(0, |x| − width)",
    ("width", 0.5),
    "soft_shrink",
)
_family(
    "hardshrink",
    functions.hard_shrink,
    "x if |x| > width else 0",
    ("width", 0.5),
    "hard_shrink",
)
_plain("square", np.square, "x²")
_plain("exp", np.exp, "eˣ", "exponential")
_plain("step", functions.step, "1 if x > 0 else 0", "heaviside")


def find_activation(what: str | ScalarFunction | Activation) -> Activation:
    """Give the activation of that name, or make one of a function.

    Args:
        what: a name or alias in any case of letters, with its number in parentheses
            where it has one ("relu", "leaky_relu(0.2)", "softplus(beta=2)"); or a
            function of float64 NumPy arrays, entry by entry.

    Raises:
        UnknownNameError: if there is no such activation; it names the nearest.
        ArgumentError: if the text is no name, the number is wrong, or the function
            does not run on NumPy arrays.

    >>> find_activation("leaky_relu(0.2)").name
    'leaky_relu(0.2)'
    >>> print(f"{find_activation(np.tanh).forward_gain:.8f}")
    1.59253742
    """
    if isinstance(what, Activation):
        return what
    if callable(what):
        return _of_function(what)
    spec = parse_spec(what)
    return _configured(ACTIVATIONS[spec.name], spec, what)


def _of_function(function: ScalarFunction) -> Activation:
    name = getattr(function, "__name__", type(function).__name__)
    activation = Activation(name=name, function=function)
    try:
        activation(np.linspace(-1.0, 1.0, 6).reshape(2, 3))
    except ArgumentError:
        raise
    except Exception as why:
        expected = "a function of float64 NumPy arrays, entry by entry"
        raise ArgumentError.of(
            argument="what", received=function, expected=expected
        ) from why
    return activation


def _configured(activation: Activation, spec: Spec, text: str) -> Activation:
    values = (*spec.values, *spec.options.values())
    if not values:
        return activation
    knows_names = set(spec.options) <= {activation.option}
    if activation.family is None or len(values) > 1 or not knows_names:
        expected = f"{activation.name!r}, which has no number in it"
        if activation.family is not None:
            expected = f"{activation.name}({activation.option}=…), one number"
        raise ArgumentError.of(argument="what", received=text, expected=expected)
    (value,) = values
    if isinstance(value, bool | str) or not abs(value) < inf:
        expected = f"{activation.name}({activation.option}=…) with a finite number"
        raise ArgumentError.of(argument="what", received=text, expected=expected)
    return with_number(activation, float(value))


def with_number(activation: Activation, number: float) -> Activation:
    """Give the member of a family of functions for that number.

    >>> with_number(LEAKY_RELU, 0.2).name
    'leaky_relu(0.2)'
    """
    if activation.family is None:
        return activation
    return replace(
        activation,
        name=f"{activation.name}({number:g})",
        aliases=(),
        function=activation.family(number),
    )
