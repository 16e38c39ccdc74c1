"""Theory's predictions hold over the zoo: the shares that docs/benchmarks.md prints.

`benchmarks/predicted.py` builds each model, gives it random weights (its library's own,
and those of fanin's plan) and compares at every linear operation and every sum.
"""

from __future__ import annotations

from collections import Counter
from math import log

import pytest

from benchmarks import predicted
from benchmarks.models import every_torch

EVERYDAY = ("mlp tanh 10", "cnn separable", "residual cnn batch norm 4", "llama")


def sites_of(names):
    return [
        site
        for name in names
        for weights in predicted.WEIGHTS
        for site in predicted.sites_of(name, weights, 0, Counter())
    ]


def of_kind(kind):
    return [name for name, its in every_torch.kinds().items() if its == kind]


def share_inside(sites):
    return sum(site.is_inside for site in sites) / len(sites)


def share_close(sites):
    return sum(site.error <= log(predicted.FACTOR) for site in sites) / len(sites)


@pytest.mark.parametrize("name", EVERYDAY)
def test_a_net_of_each_kind_is_predicted(name):
    sites = sites_of([name])

    assert share_inside(sites) >= 0.9
    assert share_close(sites) >= 0.9


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["mlp", "cnn", "residual"])
def test_the_interval_holds_19_of_20_nodes(kind):
    assert share_inside(sites_of(of_kind(kind))) >= 0.95


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nine_of_ten_nodes_of_transformers_are_within_a_factor_of_1_5():
    assert share_close(sites_of(of_kind("transformer"))) >= 0.9


def test_a_prediction_that_is_off_by_a_half_is_a_miss():
    site = sites_of(["mlp tanh 3"])[0]
    low, high = site.interval
    half = 0.6 * site.measured / site.predicted

    wrong = predicted.Site(
        model=site.model,
        weights=site.weights,
        node=site.node,
        predicted=site.predicted * half,
        interval=(low * half, high * half),
        measured=site.measured,
    )

    assert site.is_inside
    assert not wrong.is_inside
    assert wrong.error > log(predicted.FACTOR)
