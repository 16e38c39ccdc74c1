"""The race without normalization counts what it says that it counts."""

import pytest
import torch
from torch import nn

from benchmarks import _cells, norm_free
from benchmarks._initializers import default, he
from benchmarks._training import digits
from benchmarks.models.authors import AUTHORS
from benchmarks.models.norm_free import NETS

NORMS = (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)


@pytest.mark.parametrize("name", NETS)
def test_nets_differ_in_their_normalization_alone(name):
    torch.manual_seed(0)
    x = torch.randn(4, 1, 8, 8)
    for norm in (False, True):
        net = NETS[name](2, norm=norm)
        assert net(x).shape == (4, 10)
        assert any(isinstance(m, NORMS) for m in net.modules()) is norm


@pytest.mark.parametrize("name", NETS)
def test_depth_multiplies_the_weights(name):
    def count(depth: int) -> int:
        net = NETS[name](depth, norm=False)
        return sum(value.dim() > 1 for value in net.parameters())

    assert count(3) - count(2) == count(2) - count(1) > 0


@pytest.mark.parametrize("name", AUTHORS)
def test_authors_schemes_change_the_weights(name):
    torch.manual_seed(0)
    net = NETS[name](1, norm=True)
    before = [value.clone() for value in net.parameters() if value.dim() > 1]
    AUTHORS[name](net)
    after = [value for value in net.parameters() if value.dim() > 1]
    changed = [not torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert sum(changed) >= len(changed) / 2


def test_a_cell_holds_every_initializer_that_ends():
    def stops(model, batch):
        raise ValueError

    data = digits()
    setting = _cells.Setting(seeds=2, steps=2)
    initializers = {"default": default, "He": he, "stops": stops}
    found = _cells.cell(
        lambda: NETS["swiglu"](1, norm=False), initializers, "adam", setting, data
    )
    assert sorted(found) == ["He", "default"]
    assert all(len(one.rates) == 4 for one in found.values())
    assert all(one.accuracy == max(one.rates) for one in found.values())


def test_only_rates_close_to_the_cells_best_work():
    a = _cells.Standing(accuracy=0.9, loss=1.0, rates=(0.9, 0.81, 0.79))
    b = _cells.Standing(accuracy=0.7, loss=1.5, rates=(0.7, 0.7, 0.7))
    found = _cells.counted({"a": a, "b": b})
    assert (found["a"].works, found["b"].works) == (2, 0)


def test_a_net_that_no_one_trains_has_no_rate_that_works():
    one = _cells.Standing(accuracy=0.2, loss=2.3, rates=(0.2, 0.2))
    assert _cells.counted({"a": one})["a"].works == 0


def test_equal_numbers_share_their_rank():
    assert norm_free.ranks([0.5, 0.7, 0.5, 0.1]) == [2.5, 1.0, 2.5, 4.0]


def test_a_cell_with_norms_holds_what_the_authors_draw():
    setting = _cells.Setting(seeds=1, steps=1, norm=True)
    found = _cells.trained(("geglu chain", 1, "sgd"), setting)
    assert list(found) == ["default", "authors", "fanin"]


def test_the_summary_has_a_row_for_each_initializer(capsys):
    good = _cells.Standing(accuracy=0.9, loss=0.5, rates=(0.9,), works=1)
    bad = _cells.Standing(accuracy=0.3, loss=2.0, rates=(0.3,), works=0)
    cells = {"one": {"a": good, "b": bad}, "two": {"b": good}}
    norm_free.summary(cells, ["a", "b"], norm_free.Table(("x",), is_markdown=True))
    rows = capsys.readouterr().out.splitlines()[-3:-1]
    assert rows[0].startswith("| a | 1 of 2 | 1 | 1.50 | 1.50 | 45.0 |")
    assert rows[1].startswith("| b | 1 of 2 | 1 | 1.50 | 1.50 | 60.0 |")
