"""The pattern of frozen and tied entries, over random starts and optimizers."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanin.derivation.arithmetic import arithmetic, gradients
from fanin.derivation.functions import NONLINEARITIES
from fanin.derivation.invariant import first_moves, refine
from fanin.derivation.losses import LOSSES
from fanin.derivation.net import Net
from fanin.derivation.notation import Entry
from fanin.derivation.samples import numeric_batch, numeric_start
from fanin.derivation.start import start_from


def net_of(widths, activation="tanh", loss="mse"):
    function = NONLINEARITIES[activation]
    if function.has_kink:
        function = function.with_slope(function.default_slope)
    return Net(widths=widths, activation=function, loss=LOSSES[loss])


def adam(state, gradient, memory, step):
    """One step of Adam on plain floats, entry by entry."""
    new = {}
    for entry, value in state.items():
        m, v = memory.get(entry, (0.0, 0.0))
        m, v = 0.9 * m + 0.1 * gradient[entry], 0.999 * v + 0.001 * gradient[entry] ** 2
        memory[entry] = (m, v)
        up = (m / (1 - 0.9**step)) / (math.sqrt(v / (1 - 0.999**step)) + 1e-8)
        new[entry] = value - 0.05 * up
    return new


def momentum(state, gradient, memory, step):
    """One step of SGD with momentum, entry by entry."""
    new = {}
    for entry, value in state.items():
        memory[entry] = 0.9 * memory.get(entry, 0.0) + gradient[entry]
        new[entry] = value - 0.05 * memory[entry]
    return new


WIDTHS = st.lists(st.integers(1, 3), min_size=2, max_size=4).map(tuple)
FILLS = st.sampled_from(["zero", "constant", "generic"])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    widths=WIDTHS,
    weights=FILLS,
    biases=FILLS,
    last=FILLS,
    activation=st.sampled_from(["relu", "tanh", "sigmoid", "gelu"]),
)
@pytest.mark.parametrize("update", [adam, momentum])
def test_no_update_leaves_the_pattern(
    update, widths, weights, biases, last, activation
):
    net = net_of(widths, activation)
    fills = {"W": weights, "b": biases, f"W{net.n_layers}": last}
    start = start_from(net, fills)
    pattern = refine(net, start)
    kind = arithmetic(net.activation)
    state = numeric_start(net, start, kind)
    begin, memory = dict(state), {}
    batch = numeric_batch(net, kind)
    for step in range(1, 6):
        state = update(state, gradients(net, kind, state, batch), memory, step)
    loose = [e for e in pattern.frozen if state[e] != begin[e]]
    untied = [g for g in pattern.classes if len({state[e] for e in g}) > 1]

    assert not loose
    assert not untied


@settings(max_examples=25, deadline=None, derandomize=True)
@given(widths=WIDTHS, weights=FILLS, biases=FILLS)
def test_what_never_moves_is_what_is_frozen(widths, weights, biases):
    net = net_of(widths, "sigmoid")
    start = start_from(net, {"W": weights, "b": biases})
    pattern = refine(net, start)
    moves = first_moves(net, start, pattern)

    assert {e for e, step in moves.items() if step is None} == set(pattern.frozen)


def test_units_of_different_blocks_are_not_twins():
    net = net_of((2, 3, 1))
    start = start_from(net, {"W": "generic", "b": "generic"})
    start |= {Entry(1, i, 2): start[Entry(1, i, 1)] for i in (0, 1, 2)}

    assert refine(net, start).twins(1) == ((1,), (2,), (3,))

    start[Entry(2, 2, 1)] = start[Entry(2, 1, 1)]

    assert refine(net, start).twins(1) == ((1, 2), (3,))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_zero_beside_a_live_unit_still_learns(activation):
    net = net_of((2, 2, 1), activation)
    start = start_from(net, {"W": "generic", "b": "generic"})
    dead = [Entry(1, 1, 2), Entry(1, 2, 2), Entry(1, 0, 2), Entry(2, 2, 1)]
    start |= dict.fromkeys(dead, start_from(net, {})[dead[0]])

    assert refine(net, start).frozen == frozenset(dead)
