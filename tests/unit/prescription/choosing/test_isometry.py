"""How deep a chain may be for independent weights, and what is done beyond."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.activations import ACTIVATIONS
from fanin.prescription.choosing.isometry import (
    ALLOWED_GROWTH,
    LEAST_SHARE,
    Kind,
    failing,
    treat,
)

NAMES = ("relu", "leaky_relu", "tanh", "sigmoid", "gelu", "silu", "selu", "sin")


def treated(name, n_layers=30, *, can_mirror=True, can_centre=True):
    return treat(
        ACTIVATIONS[name], n_layers, "", can_mirror=can_mirror, can_centre=can_centre
    )


@pytest.mark.parametrize("name", NAMES)
def test_two_layers_are_left_to_the_textbook_and_thirty_are_not(name):
    assert failing(ACTIVATIONS[name], 2) == ""
    assert failing(ACTIVATIONS[name], 30) != ""


def test_he_fails_where_its_singular_values_leave_a_tenth_of_the_directions():
    """Two a layer: 1/(1 + 2L) < 1/10 from five layers on."""
    relu = ACTIVATIONS["relu"]

    assert LEAST_SHARE == 1 / 10
    assert failing(relu, 4) == ""
    assert "1/11 of the directions" in failing(relu, 5)


@pytest.mark.parametrize(
    ("name", "n_layers", "words"),
    [
        ("sigmoid", 3, "would shrink squared gradients to 0.023 of their size"),
        ("silu", 6, "an error in scale would grow 2.2-fold"),
        ("tanh", 7, "second moments fall to 0.087"),
    ],
)
def test_the_reason_names_what_fails_first(name, n_layers, words):
    assert words in failing(ACTIVATIONS[name], n_layers)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("relu", Kind.MIRRORED),
        ("gelu", Kind.MIRRORED),
        ("selu", Kind.MIRRORED),
        ("tanh", Kind.AS_IT_IS),
        ("sin", Kind.AS_IT_IS),
        ("sigmoid", Kind.CENTRED),
    ],
)
def test_what_is_read_is_made_odd_where_it_can_be(name, kind):
    found = treated(name)

    assert found.kind is kind
    assert found.hindrance == ""


def test_an_even_function_is_centred_so_that_moments_and_gradients_stay():
    found = treat(np.cos, 30, "", can_mirror=True, can_centre=True)

    assert found.kind is Kind.CENTRED
    assert found.centre.growth == 1.0
    assert "neither" in found.hindrance


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_layers", [10, 100])
def test_gradients_grow_by_no_more_than_is_allowed_and_errors_in_scale_do_not(
    name, n_layers
):
    found = treated(name, n_layers)

    assert 1.0 - 1e-9 <= found.centre.growth**n_layers <= ALLOWED_GROWTH * (1 + 1e-9)
    assert found.slope <= 1.0 + 1e-9
    assert 0.3 <= np.sqrt(found.centre.moment) <= 1.0


@pytest.mark.parametrize("name", ["relu", "gelu", "silu"])
def test_without_pairs_an_offset_or_the_textbooks_scale_is_left(name):
    found = treated(name, can_mirror=False)

    assert found.kind is (Kind.AS_IT_IS if name == "relu" else Kind.CENTRED)
    assert "cannot stand in pairs" in found.hindrance


def test_a_sigmoid_without_free_biases_is_not_centred():
    found = treated("sigmoid", can_centre=False)

    assert found.kind is Kind.AS_IT_IS
    assert "no free bias" in found.hindrance
    assert found.centre.growth < 0.2


@pytest.mark.parametrize("function", [np.sign, np.ones_like])
def test_of_functions_without_a_slope_nothing_is_said(function):
    assert failing(function, 50) == ""
