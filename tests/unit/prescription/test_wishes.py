"""Wishes for single parameters: the more specific decides, contradictions are named."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from fanin.errors import ArgumentError, ContradictionError, UnknownParameterError
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import Evidence, make_plan
from fanin.prescription.choosing.choices import HEAD_RMS


def relu(x):
    return np.maximum(x, 0.0)


def mlp(*, frozen=(), aliases=()):
    sketch = Sketch()
    z = sketch.input((8, 20))
    for i in range(3):
        z = sketch.apply(sketch.dense(z, 40, path=f"body.{i}"), relu)
    graph = sketch.graph(sketch.dense(z, 10, path="head"))
    named = dict(aliases)
    parameters = tuple(
        replace(
            p, is_trainable=p.path not in frozen, aliases=tuple(named.get(p.path, ()))
        )
        for p in graph.parameters
    )
    return replace(graph, parameters=parameters)


def stds(plan):
    return {p.path: p.std for p in plan.prescriptions if p.path.endswith("weight")}


@pytest.mark.parametrize(
    "overrides",
    [
        {"body.0.weight": "normal(std=3)", "body.0.*": "zeros", "*": "normal(std=1)"},
        {"*": "normal(std=1)", "body.0.*": "zeros", "body.0.weight": "normal(std=3)"},
    ],
    ids=["specific first", "specific last"],
)
def test_the_more_specific_pattern_decides_in_any_order(overrides):
    plan = make_plan(mlp(), overrides=overrides)

    assert plan["body.0.weight"].std == 3.0
    assert plan["body.0.bias"].scheme == "zeros"
    assert plan["body.1.weight"].std == 1.0


def test_an_exact_path_beats_a_glob_that_fits_no_more():
    plan = make_plan(mlp(), overrides={"head.b*": "zeros", "head.bias": "ones"})

    assert plan["head.bias"].value == 1.0


def test_two_globs_that_overlap_and_agree_are_no_contradiction():
    plan = make_plan(mlp(), overrides={"body.*": "zeros", "*.weight": "zeros"})

    assert plan["body.1.weight"].scheme == "zeros"


def test_a_third_pattern_may_settle_what_two_dispute():
    overrides = {
        "body.1*": "zeros",
        "*.weight": "ones",
        "body.1.weight": "normal(std=2)",
    }

    assert make_plan(mlp(), overrides=overrides)["body.1.weight"].std == 2.0


def test_every_contradiction_is_named_in_one_error():
    overrides = {"body.1*": "zeros", "*.weight": "ones", "head.bias": "ones"}

    with pytest.raises(ContradictionError) as caught:
        make_plan(mlp(), overrides=overrides, skip="head.*")

    text = str(caught.value)
    assert "'body.1.weight' is asked to be 'zeros' by 'body.1*'" in text
    assert "'ones' by '*.weight'" in text
    assert "'head.bias' is asked to be 'ones' by 'head.bias', and to be left" in text


def test_two_names_of_one_tied_parameter_are_one_parameter():
    graph = mlp(aliases={"head.weight": ("embedding.weight",)})
    overrides = {"head.weight": "zeros", "embedding.weight": "ones"}

    with pytest.raises(ContradictionError, match=r"'head\.weight' is asked"):
        make_plan(graph, overrides=overrides)


def test_a_pattern_finds_a_tied_parameter_by_its_other_name():
    graph = mlp(aliases={"head.weight": ("embedding.weight",)})

    plan = make_plan(graph, overrides={"embedding.*": "zeros"})

    assert plan["head.weight"].scheme == "zeros"


def test_to_keep_what_is_skipped_is_no_contradiction():
    plan = make_plan(mlp(), overrides={"head.*": "keep"}, skip="head.*")

    assert plan["head.weight"].is_kept


def test_a_policy_and_a_scheme_contradict_each_other():
    with pytest.raises(ContradictionError, match=r"policy='gpt2'.*scheme='zeros'"):
        make_plan(mlp(), policy="gpt2", scheme="zeros")


def test_only_leaves_all_others_alone():
    plan = make_plan(mlp(), only="head.*")

    assert list(plan.draws()) == ["head.weight", "head.bias"]
    assert plan["body.0.weight"].reason.startswith("Left alone")


@pytest.mark.parametrize(
    "skip", ["body.*", ["body.0.*", "body.1.*", "body.2.bias", "body.2.weight"]]
)
def test_skip_leaves_these_alone(skip):
    assert list(make_plan(mlp(), skip=skip).draws()) == ["head.weight", "head.bias"]


def test_skip_takes_away_from_only():
    plan = make_plan(mlp(), only=["head.*", "body.2.*"], skip="*.bias")

    assert list(plan.draws()) == ["body.2.weight", "head.weight"]


@pytest.mark.parametrize("wish", ["only", "skip"])
def test_a_pattern_that_fits_nothing_is_refused(wish):
    with pytest.raises(UnknownParameterError, match=r"Did you mean 'head\.bias'"):
        make_plan(mlp(), **{wish: "head.bais"})


@pytest.mark.parametrize(
    "wishes", [{"skip": "*"}, {"only": "head.*", "skip": "head.*"}], ids=str
)
def test_wishes_that_leave_nothing_over_are_refused(wishes):
    with pytest.raises(ArgumentError, match="leave a trainable parameter over"):
        make_plan(mlp(), **wishes)


def test_a_new_head_is_scaled_to_what_the_body_gives():
    rng = np.random.default_rng(0)
    values = {
        p.path: 3.0 * rng.normal(size=p.shape) / sqrt(p.shape[-1])
        for p in mlp().parameters
        if p.path.startswith("body") and p.path.endswith("weight")
    }

    plan = make_plan(mlp(), only="head.*", evidence=Evidence(values=values))
    fresh = make_plan(mlp())

    assert plan["head.weight"].predicted == pytest.approx(HEAD_RMS)
    growth = sqrt(27.0**2 / 4)  # three layers of gain 3, less He's √2 at the last two
    assert fresh["head.weight"].std / plan["head.weight"].std == pytest.approx(
        growth, rel=0.2
    )


def test_a_new_layer_within_a_body_makes_up_for_what_it_reads():
    values = {"body.0.weight": np.full((40, 20), 7.0) * np.resize([1, -1], (40, 20))}
    evidence = Evidence(values=values)

    plan = make_plan(mlp(), skip="body.0.*", evidence=evidence, law="normal")

    assert plan["body.1.weight"].predicted == pytest.approx(1.0, rel=1e-6)
    assert plan["body.1.weight"].std == pytest.approx(
        make_plan(mlp(), law="normal")["body.1.weight"].std / (7.0 * sqrt(20)), rel=1e-6
    )


def test_a_glob_leaves_frozen_parameters_alone_and_an_exact_path_reaches_them():
    graph = mlp(frozen=("body.0.weight", "body.1.weight"))
    overrides = {"*.weight": "normal(std=3)", "body.1.weight": "normal(std=2)"}

    plan = make_plan(graph, overrides=overrides)

    assert plan["body.0.weight"].is_kept
    assert plan["body.1.weight"].std == 2.0
    assert plan["body.2.weight"].std == 3.0


def test_seeds_are_of_single_parameters():
    plan = make_plan(mlp(), seed=1, seeds={"body.*": 5, "body.1.weight": 6})
    other = make_plan(mlp(), seed=2, seeds={"body.*": 5, "body.1.weight": 6})

    assert [plan[f"{name}.weight"].seed for name in ("body.0", "body.1", "head")] == [
        5,
        6,
        None,
    ]
    for path in ("body.0.weight", "body.1.weight"):
        assert np.array_equal(plan.draws()[path](None), other.draws()[path](None))
    assert not np.array_equal(
        plan.draws()["head.weight"](None), other.draws()["head.weight"](None)
    )


def test_two_seeds_for_one_parameter_contradict_each_other():
    with pytest.raises(ContradictionError, match=r"'body\.0\.weight' is asked to be 1"):
        make_plan(mlp(), seeds={"body.*": 1, "*.weight": 2})


def test_a_seed_out_of_range_is_named_by_its_pattern():
    with pytest.raises(ArgumentError, match=r"seeds\['body\.\*'\]"):
        make_plan(mlp(), seeds={"body.*": -1})


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"only": 5}, "'only, skip' must be a path or glob"),
        ({"skip": ["head.*", 5]}, "'only, skip' must be a path or glob"),
        ({"overrides": ["zeros"]}, "'overrides' must be a mapping: pattern of paths"),
        ({"overrides": {"*": 0.0}}, r"overrides\['\*'\].* must be a scheme, or 'keep'"),
        ({"overrides": {5: "zeros"}}, "'overrides' must be a mapping"),
        ({"seeds": 5}, "'seeds' must be a mapping"),
        ({"seeds": {"*": 1.5}}, r"seeds\['\*'\].* must be a whole number"),
        ({"seed": 1.5}, "'seed' must be a whole number"),
        ({"seed": None}, "'seed' must be a whole number"),
    ],
)
def test_an_argument_of_another_kind_is_refused(wishes, message):
    with pytest.raises(ArgumentError, match=message):
        make_plan(mlp(), **wishes)


def test_a_whole_number_of_numpy_is_a_seed_that_json_can_hold():
    plan = make_plan(mlp(), seed=np.int64(5), seeds={"head.*": np.uint8(3)})

    assert (plan.seed, plan["head.bias"].seed) == (5, 3)
    assert '"seed": 5' in plan.to_json()


def test_biases_that_the_caller_sets_are_not_counted_on_to_centre():
    sketch = Sketch()
    z = sketch.input((8, 20))
    for i in range(12):
        z = sketch.dense(z, 32, path=f"{i}")
        z = sketch.apply(z, lambda x: 1.0 / (1.0 + np.exp(-x)))
    graph = sketch.graph(sketch.dense(z, 10, path="head"))

    free = make_plan(graph)
    fixed = make_plan(graph, overrides={"*.bias": "zeros"})

    assert free["5.bias"].law == "offset"
    assert fixed["5.bias"].scheme == "zeros"
    assert fixed["5.weight"].predicted == pytest.approx(1.0, rel=1e-3)
    assert fixed["5.weight"].std < free["5.weight"].std / 2


def small_residual(n_blocks=3):
    sketch = Sketch()
    stream = sketch.dense(sketch.input((8, 20)), 40, path="stem")
    for i in range(n_blocks):
        z = sketch.dense(sketch.apply(stream, relu), 40, path=f"{i}.a")
        z = sketch.dense(sketch.apply(z, relu), 40, path=f"{i}.b")
        stream = sketch.combine(Op.ADD, stream, z)
    return sketch.graph(sketch.dense(stream, 10, path="head"))


def test_a_new_block_on_a_body_of_small_weights_reads_the_stream_as_it_is():
    graph = small_residual()
    rng = np.random.default_rng(0)
    values = {p.path: 0.02 * rng.normal(size=p.shape) for p in graph.parameters}
    plan = make_plan(graph, only=["2.*", "head.*"], evidence=Evidence(values=values))

    assert plan["2.a.weight"].predicted == pytest.approx(1.0, rel=1e-3)
    assert plan.warnings == ()
