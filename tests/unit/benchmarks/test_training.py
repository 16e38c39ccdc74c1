"""Nets trained side by side are trained as each would be alone."""

from functools import partial

import pytest
import torch
from torch import nn

from benchmarks import _training as training
from benchmarks.models.norm_free import NETS

OPTIMIZERS = {
    "sgd": partial(torch.optim.SGD, momentum=0.9),
    "adam": torch.optim.Adam,
}


@pytest.fixture(scope="module")
def data() -> training.Data:
    return training.digits()


def test_half_of_the_digits_are_negative(data):
    means = data.x.flatten(1).mean(1)
    scale = data.x.flatten(1).std(1)
    n_even = ((means > 0).double().mean() - 0.5).abs()
    assert n_even < 5 * 0.5 / len(means) ** 0.5
    assert scale.min() > 0


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_stack_trains_as_torch_trains_one(data, optimizer):
    torch.manual_seed(3)
    nets = [NETS["swiglu"](1, norm=False).double() for _ in range(2)]
    rates = [2**-7, 2**-9]  # without rounding in float32
    source = torch.Generator().manual_seed(4)
    batches = torch.randint(len(data.y), (6, 2, 8), generator=source)
    wide = training.Data(
        x=data.x.double(),
        y=data.y,
        test_x=data.test_x.double(),
        test_y=data.test_y,
    )
    found = training.train(nets, rates, batches, wide, optimizer)
    for i, net in enumerate(nets):
        steps = OPTIMIZERS[optimizer](net.parameters(), lr=rates[i])
        losses = []
        for rows in batches[:, i]:
            loss = nn.functional.cross_entropy(net(wide.x[rows]), wide.y[rows])
            steps.zero_grad()
            loss.backward()
            steps.step()
            losses.append(loss.item())
        right = (net(wide.test_x).argmax(1) == wide.test_y).double().mean()
        assert found[i].loss == pytest.approx(sum(losses) / len(losses), rel=1e-9)
        assert found[i].accuracy == pytest.approx(float(right))


def test_a_loss_that_is_not_finite_counts_as_the_ceiling(data):
    torch.manual_seed(5)
    net = NETS["swiglu"](1, norm=False)
    with torch.no_grad():
        net[-1].bias.fill_(torch.nan)
    batches = torch.zeros(2, 1, 4, dtype=torch.int64)
    (found,) = training.train([net], [0.1], batches, data, "sgd")
    assert found.loss == training.CEILING
