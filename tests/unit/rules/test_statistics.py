"""The numbers behind the rules, held against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.activations import find_activation
from fanin.graph import AxisRoles, Weight
from fanin.graph.fans import Fan, fans
from fanin.rules.curve import is_rectifier, saturates
from fanin.rules.fan201_forward_drift import SCATTER
from fanin.rules.fan402_dead_units import is_excess
from fanin.rules.fan701_scheme_mismatch import MOST_READ, std_with_error
from fanin.rules.fan702_wrong_fan import wrong_fan
from fanin.rules.fan802_uninitialised_memory import signs_of_garbage
from fanin.rules.fan803_cloned_weights import equal_arrays
from fanin.rules.fan805_same_stream import same_streams
from fanin.rules.gains import gain_range


@pytest.mark.parametrize("depth", [1, 6, 24])
def test_chance_turns_as_many_units_always_off_as_always_on(depth):
    """He nets of ReLU on 16 samples: the deeper, the more of both, and no excess."""
    rng = np.random.default_rng(depth)
    n_off = n_on = 0
    for _ in range(60):
        h = rng.standard_normal((16, 64))
        for _ in range(depth):
            z = h @ rng.standard_normal((64, 64)) * (2 / 64) ** 0.5
            h = np.maximum(z, 0)
        n_off += np.count_nonzero(z.max(axis=0) <= 0)
        n_on += np.count_nonzero(z.min(axis=0) > 0)

    # Units of one net share its inputs, but given those their signs are independent.
    assert abs(n_off - n_on) <= 5 * (n_off + n_on) ** 0.5
    assert not is_excess(n_off, n_on, 60 * 64)


def test_a_small_shift_of_the_biases_is_an_excess():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((16, 1)) + rng.standard_normal((16, 512)) - 2.5
    n_off = int(np.count_nonzero(z.max(axis=0) <= 0))

    assert is_excess(n_off, int(np.count_nonzero(z.min(axis=0) > 0)), 512)


@pytest.mark.parametrize(
    ("law", "kurtosis"), [("standard_normal", 3.0), ("uniform", 1.8)]
)
def test_the_standard_error_of_a_std_is_what_chance_gives(law, kurtosis):
    rng = np.random.default_rng(0)
    draws = getattr(rng, law)(size=(4000, 400))
    draws = draws - (0.5 if law == "uniform" else 0.0)
    stds = np.sqrt(np.mean(draws**2, axis=1))
    _, error = std_with_error(draws)
    n_read = min(draws.size, MOST_READ)
    expected = 0.5 * ((kurtosis - 1) / n_read) ** 0.5
    of_a_row = 0.5 * ((kurtosis - 1) / 400) ** 0.5
    scatter = stds.std() / stds.mean()

    assert error == pytest.approx(expected, rel=0.01)
    assert scatter == pytest.approx(of_a_row, rel=5 / (2 * 4000) ** 0.5)


def test_the_norm_of_a_he_relu_net_scatters_by_five_over_n():
    """Var ln‖h‖² = 5 Σ 1/n for wide layers (Hanin & Rolnick, 2018)."""
    rng = np.random.default_rng(0)
    width, depth, n_nets = 200, 6, 400
    logs = []
    for _ in range(n_nets):
        h = rng.standard_normal(width)
        first = h @ h
        for _ in range(depth):
            weight = rng.standard_normal((width, width)) * (2 / width) ** 0.5
            h = np.maximum(weight @ h, 0)
        logs.append(np.log(h @ h / first))
    expected = SCATTER * depth / width

    assert np.var(logs) == pytest.approx(expected, rel=5 * (2 / n_nets) ** 0.5)


def test_tanh_may_have_any_gain_from_glorot_to_forward():
    found = gain_range(find_activation("tanh"))

    assert found.least == pytest.approx(1.0, rel=1e-6)
    assert found.greatest == find_activation("tanh").forward_gain


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "hardtanh", "softsign"])
def test_bounded_functions_saturate(name):
    assert saturates(find_activation(name)) is True


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "gelu", "silu", "elu", "relu6"])
def test_functions_with_a_steep_side_do_not_saturate(name):
    assert saturates(find_activation(name)) is False


@pytest.mark.parametrize(
    ("name", "is_one"), [("relu", True), ("relu6", True), ("silu", False)]
)
def test_a_rectifier_is_zero_on_the_left(name, is_one):
    assert is_rectifier(find_activation(name)) is is_one


CONV = AxisRoles(outputs=(0,), inputs=(1,), kernel=(2, 3))


def conv_weight(std, shape=(96, 64, 5, 5)):
    value = np.random.default_rng(0).standard_normal(shape) * std
    return value, Weight(path="w", roles=CONV, fan=fans(shape, CONV))


def test_he_without_the_kernel_is_found():
    value, weight = conv_weight((2 / 64) ** 0.5)
    found = wrong_fan(value, weight)

    assert (found.scheme, found.count) == ("He", 64.0)


@pytest.mark.parametrize("count", [64 * 25, 96 * 25, (64 + 96) * 25 / 2])
@pytest.mark.parametrize("top", [2.0, 1.0])
def test_a_right_fan_is_not_called_wrong(count, top):
    assert wrong_fan(*conv_weight((top / count) ** 0.5)) is None


def test_a_std_of_no_formula_is_not_called_wrong():
    assert wrong_fan(*conv_weight(0.05)) is None


def test_experts_whose_stack_was_taken_for_outputs_are_found():
    roles = AxisRoles(outputs=(2,), inputs=(1,))
    value = np.random.default_rng(0).standard_normal((8, 256, 512))
    weight = Weight(path="w", roles=roles, fan=Fan(n_in=256.0, n_out=512.0))
    found = wrong_fan(value * (2 / (256 * 512)) ** 0.5, weight)

    assert (found.scheme, found.count) == ("He", 256.0 * 512.0)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("law", ["standard_normal", "uniform"])
def test_drawn_weights_do_not_look_like_garbage(law, seed):
    value = getattr(np.random.default_rng(seed), law)(size=(64, 300)) * 1e-3

    assert signs_of_garbage(value.astype(np.float32), "float32") is None


def test_subnormal_numbers_give_unwritten_memory_away():
    value = np.full((8, 8), 1e-40, np.float32)

    assert "below the smallest normal" in signs_of_garbage(value, "float32").text


def test_equal_arrays_of_different_shape_are_not_copies():
    drawn = np.random.default_rng(0).standard_normal((4, 8))

    assert equal_arrays({"a": drawn, "b": drawn.reshape(8, 4)}) == []


@pytest.mark.parametrize(
    "table", [np.eye(8), np.ones((8, 8)), np.zeros((8, 8))], ids=["eye", "one", "zero"]
)
def test_fixed_patterns_are_no_copies(table):
    assert equal_arrays({"a": table, "b": table.copy()}) == []


def test_one_seed_for_two_shapes_is_seen():
    def drawn(*shape):
        return np.random.default_rng(0).standard_normal(shape)

    values = {"a": drawn(8, 8), "b": 0.1 * drawn(4, 30), "c": drawn(5, 5)[::-1]}

    assert same_streams(values) == [("a", "b")]


def test_tables_made_by_a_formula_are_no_stream():
    steps = np.arange(32.0).reshape(2, 16)

    assert same_streams({"a": steps + 1, "b": 2 * (steps + 1)}) == []
