"""The symbolic pass against SymPy's own derivative and torch's autograd."""

import pytest
import sympy
import torch

from fanin.derivation.arithmetic import arithmetic, gradients
from fanin.derivation.functions import NONLINEARITIES
from fanin.derivation.losses import LOSSES
from fanin.derivation.net import Net, parse_widths
from fanin.derivation.notation import Entry, a, real, x, y, y_hat, z
from fanin.derivation.samples import numeric_batch, numeric_start
from fanin.derivation.start import generic, start_from
from fanin.derivation.trace import traced

SMOOTH = ["tanh", "sigmoid", "softplus", "gelu", "silu", "identity", "sin"]


def net_of(spec, activation, loss):
    return Net(
        widths=parse_widths(spec),
        activation=NONLINEARITIES[activation],
        loss=LOSSES[loss],
    )


@pytest.mark.parametrize("activation", SMOOTH)
@pytest.mark.parametrize("loss", ["mse", "binary_cross_entropy"])
def test_the_gradient_is_the_derivative_of_the_whole_loss(activation, loss):
    net = net_of("2-2-1", activation, loss)
    trace = traced(net, {e: generic(e) for e in net.entries})
    hidden = {j: net.activation.at(trace.z[1, j]) for j in (1, 2)}
    names = {a(1, j): hidden[j] for j in (1, 2)}
    names |= {
        real(net.activation.slope_name(z(1, j).name)): net.activation.slope_at(
            trace.z[1, j]
        )
        for j in (1, 2)
    }
    out = trace.z[2, 1].subs(names)
    guess = out if loss == "mse" else 1 / (1 + sympy.exp(-out))
    whole = net.loss.value([guess], [y(1, 1)])
    values = {e.symbol: sympy.Rational(k + 3, 17) for k, e in enumerate(net.entries)}
    values |= {x(1): sympy.Rational(3, 7), x(2): sympy.Rational(-2, 5), y(1, 1): 1}
    for entry in net.entries:
        mine = trace.gradient[entry].subs({y_hat(1, 1): guess}).subs(names)
        theirs = sympy.diff(whole, entry.symbol)

        assert sympy.N((mine - theirs).subs(values), 30, chop=True) == pytest.approx(
            0, abs=1e-25
        )


def torch_loss(name, out, target):
    if name == "mse":
        return torch.nn.functional.mse_loss(out, target)
    if name == "binary_cross_entropy":
        return torch.nn.functional.binary_cross_entropy_with_logits(out, target)
    return torch.nn.functional.cross_entropy(out, target)


TORCH = {
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": torch.nn.functional.softplus,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "identity": lambda z: z,
    "sin": torch.sin,
}


@pytest.mark.parametrize("activation", TORCH)
@pytest.mark.parametrize("spec", ["2-2-2", "3-4-4-2"])
@pytest.mark.parametrize("loss", list(LOSSES))
def test_the_tiny_engine_agrees_with_autograd(activation, spec, loss):
    net = net_of(spec, activation, loss)
    kind = arithmetic(net.activation)
    start = numeric_start(net, start_from(net, {"W": "generic", "b": "generic"}), kind)
    batch = numeric_batch(net, kind)
    mine = gradients(net, kind, start, batch)
    leaves = {e: torch.tensor(start[e], dtype=torch.float64) for e in net.entries}
    for leaf in leaves.values():
        leaf.requires_grad_()
    values = torch.tensor([inputs for inputs, _ in batch], dtype=torch.float64)
    for layer in range(1, net.n_layers + 1):
        weight = torch.stack(
            [
                torch.stack([leaves[Entry(layer, i, j)] for j in net.units(layer)])
                for i in net.units(layer - 1)
            ]
        )
        bias = torch.stack([leaves[Entry(layer, 0, j)] for j in net.units(layer)])
        values = values @ weight + bias
        if layer < net.n_layers:
            values = TORCH[activation](values)
    target = torch.tensor([targets for _, targets in batch], dtype=torch.float64)
    torch_loss(loss, values, target).backward()
    theirs = {e: leaves[e].grad.item() for e in net.entries}

    assert mine == pytest.approx(theirs, rel=1e-10, abs=1e-13)


def test_equal_units_get_one_name():
    net = net_of("2-2-1", "tanh", "mse")
    start = start_from(net, {"W": "constant"})

    trace = traced(net, start)

    assert trace.a[1, 1] == trace.a[1, 2] == a(1, 1)


@pytest.mark.parametrize("spec", ["2-2-2", "2-2-3", "3-4-4-3", "2-2-5"])
def test_the_softmax_errors_cancel_under_equal_output_weights(spec):
    net = net_of(spec, "tanh", "categorical_cross_entropy")

    trace = traced(net, start_from(net, {"W": "constant"}))

    assert trace.is_zero(Entry(1, 1, 1))
    assert not trace.is_zero(Entry(net.n_layers, 1, 1))
