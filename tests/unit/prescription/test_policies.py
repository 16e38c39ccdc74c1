"""Policies are found by the names of their files, with options as specs have them."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from fanin.errors import ArgumentError, UnknownNameError
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan
from fanin.prescription.policies import POLICIES, find_policy
from fanin.prescription.policy import Policy, settings_of
from fanin.prescription.write_down import constant
from fanin.registry import parse_spec


def relu(x):
    return np.maximum(x, 0.0)


def graph():
    sketch = Sketch()
    z = sketch.apply(sketch.dense(sketch.input((8, 20)), 40, path="0"), relu)
    return sketch.graph(sketch.dense(z, 10, path="head"))


def decide(desk, *, mode="fast", power=0.5, n_blocks=2, is_shy=False):
    bias = desk.graph.parameter("0.bias")
    return {"0.bias": constant(bias, desk.roles["0.bias"], power, mode)}


SAMPLE = Policy(name="sample", summary="", source="", decide=decide)


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_says_what_it_is_and_where_it_comes_from(name):
    module = importlib.import_module(f"fanin.prescription.policies.{name}")
    policy = find_policy(name)

    assert name == module.NAME == policy.name
    assert policy.summary.endswith(".")
    assert "\n" not in policy.summary
    assert policy.source


def test_auto_is_the_default():
    assert make_plan(graph(), policy="auto") == make_plan(graph())


def test_an_unknown_policy_names_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'auto'"):
        make_plan(graph(), policy="autto")


def test_the_name_of_a_scheme_is_a_policy_for_all_weights():
    plan = make_plan(graph(), policy="Kaiming_normal(mode=fan_out)")

    assert plan == make_plan(graph(), scheme="he_normal(mode=fan_out)")
    assert plan.policy == "he_normal(mode=fan_out)"


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        ("sample", {}),
        ("sample(slow)", {"mode": "slow"}),
        ("sample(slow, 2)", {"mode": "slow", "power": 2.0}),
        ("sample(is_shy=True, n_blocks=3)", {"is_shy": True, "n_blocks": 3}),
    ],
)
def test_options_are_set_by_position_or_by_name(spec, settings):
    assert dict(settings_of(SAMPLE, parse_spec(spec))) == settings


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sample(3)", "sample.mode=….' must be a word"),
        ("sample(power=high)", "must be a number"),
        ("sample(n_blocks=0.5)", "must be a whole number"),
        ("sample(n_blocks=True)", "must be a whole number"),
        ("sample(is_shy=1)", "must be True or False"),
        ("sample(a, 1, 2, True, 5)", "at most 4 options"),
        ("sample(slow, mode=slow)", "set once"),
    ],
)
def test_an_option_of_another_kind_is_refused(spec, message):
    with pytest.raises(ArgumentError, match=message):
        settings_of(SAMPLE, parse_spec(spec))


def test_an_unknown_option_names_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'power'"):
        settings_of(SAMPLE, parse_spec("sample(powr=1)"))
