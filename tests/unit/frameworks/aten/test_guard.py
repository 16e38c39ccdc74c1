"""Memory that was there before a run: parameters never written, the rest put back."""

from __future__ import annotations

import pytest
import torch

from fanin.frameworks._aten.guard import Guard, Guarded, WritesToParameterError
from fanin.frameworks._aten.sizes import MOST_EXACT, site_of
from fanin.graph.statistics import statistics_of


def run(guard, work):
    with guard.restoring(), Guarded(guard):
        work()


WRITES = {
    "in place": lambda w: w.add_(1.0),
    "through data": lambda w: w.data.clamp_(0.0, 0.0),
    "into a row": lambda w: w[0].zero_(),
    "into a view": lambda w: w.t()[1:].fill_(9.0),
    "as out": lambda w: torch.add(w, w, out=w.detach()),
    "in a list": lambda w: torch._foreach_mul_([w.detach()], 2.0),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_into_a_protected_tensor_is_stopped_before_it_happens(name):
    weight = torch.ones(3, 3)

    with pytest.raises(WritesToParameterError), torch.no_grad():
        run(Guard(protected=[weight]), lambda: WRITES[name](weight))

    assert torch.equal(weight, torch.ones(3, 3))


def test_what_the_run_made_may_be_written():
    weight = torch.ones(3)

    def work():
        made = weight * 2.0
        made.add_(1.0)
        assert made.tolist() == [3.0, 3.0, 3.0]

    run(Guard(protected=[weight]), work)


def test_the_running_means_of_a_batch_norm_are_put_back():
    norm = torch.nn.BatchNorm1d(4)

    run(Guard(), lambda: norm(torch.randn(8, 4)))

    assert torch.equal(norm.running_mean, torch.zeros(4))
    assert int(norm.num_batches_tracked) == 0


def test_statistics_of_a_large_tensor_are_near_those_of_all_its_entries():
    source = torch.Generator().manual_seed(0)
    tensor = torch.randn(64, 32, 9, 11, generator=source) * torch.arange(
        1.0, 33.0
    ).view(32, 1, 1)
    assert tensor.numel() > MOST_EXACT
    found = site_of(tensor, unit_axis=1, batch_axis=0)
    exact = statistics_of(tensor.double().numpy(), unit_axis=1, batch_axis=0)
    n_read = MOST_EXACT / 32

    assert found.mean == pytest.approx(exact.mean, abs=1e-12)
    assert found.second_moment == pytest.approx(exact.second_moment, rel=1e-12)
    assert found.between_samples == pytest.approx(exact.between_samples, rel=1e-9)
    assert found.maximum == exact.maximum
    assert found.unit_maxima.tolist() == exact.unit_maxima.tolist()
    assert found.unit_variances == pytest.approx(
        exact.unit_variances, rel=5 * (2 / n_read) ** 0.5
    )


def test_samples_that_are_equal_have_no_spread():
    one = torch.randn(1, 300, 300, generator=torch.Generator().manual_seed(0))

    assert (
        site_of(one.repeat(4, 1, 1), unit_axis=2, batch_axis=0).between_samples == 0.0
    )
