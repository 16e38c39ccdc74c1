"""A plan keeps its promises: networks run with its draws have the sizes foretold.

The network is run in NumPy, on standard normal inputs; weights come from the plan.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import Evidence, Plan, make_plan
from fanin.prescription.choosing.choices import HEAD_RMS
from fanin.theory.moments import Moments


def relu(x):
    return np.maximum(x, 0.0)


def silu(x):
    return x / (1.0 + np.exp(-x))


def chain(function, n_hidden=6, width=256):
    sketch = Sketch()
    z = sketch.input((512, 64))
    for i in range(n_hidden):
        z = sketch.apply(sketch.dense(z, width, path=str(i)), function)
    return sketch.graph(sketch.dense(z, 10, path="head"))


def residual(function, n_blocks=8, width=256):
    sketch = Sketch()
    stream = sketch.dense(sketch.input((512, 64)), width, path="stem")
    for i in range(n_blocks):
        z = sketch.dense(sketch.apply(stream, function), width, path=f"{i}.a")
        z = sketch.dense(sketch.apply(z, function), width, path=f"{i}.b")
        stream = sketch.combine(Op.ADD, stream, z)
    return sketch.graph(sketch.dense(stream, 10, path="head"))


def run(graph, plan, x):
    """Give every node's output, for dense nets of activations and sums."""
    arrays = {path: draw(None) for path, draw in plan.draws().items()}
    outputs = {}
    for node in graph.nodes:
        inputs = [outputs[i] for i in node.inputs]
        if node.op is Op.INPUT:
            outputs[node.id] = x
        elif node.op is Op.LINEAR:
            outputs[node.id] = inputs[0] @ arrays[node.weight.path].T
            outputs[node.id] = outputs[node.id] + arrays[node.bias]
        elif node.op is Op.ELEMENTWISE:
            outputs[node.id] = node.function(inputs[0])
        else:
            outputs[node.id] = sum(inputs)
    return outputs


NETS = {
    "relu": chain(relu),
    "tanh": chain(np.tanh),
    "silu": chain(silu),
    "residual relu": residual(relu),
    "residual silu": residual(silu),
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("law", ["normal", "uniform", "orthogonal"])
def test_every_output_has_the_root_mean_square_that_was_predicted(name, law):
    graph = NETS[name]
    x = np.random.default_rng(1).normal(size=(512, 64))
    plan = make_plan(graph, seed=3, law=law)

    outputs = run(graph, plan, x)

    for node in graph.linears:
        weight = plan[node.weight.path]
        rms = sqrt(np.mean(outputs[node.id] ** 2))
        sampling = 5 / sqrt(2 * min(outputs[node.id].shape))
        assert weight.low * (1 - sampling) <= rms <= weight.high * (1 + sampling)


@pytest.mark.parametrize("name", NETS)
def test_four_times_the_std_does_not_fit_the_prediction(name):
    graph = NETS[name]
    x = np.random.default_rng(1).normal(size=(512, 64))
    plan = make_plan(graph, seed=3)
    larger = plan.with_factors({graph.linears[-2].weight.path: 4.0})

    rms = sqrt(np.mean(run(graph, larger, x)[graph.linears[-2].id] ** 2))

    assert rms > 1.4 * plan[graph.linears[-2].weight.path].high


@pytest.mark.parametrize("name", NETS)
def test_the_first_cross_entropy_is_the_one_foretold(name):
    graph = NETS[name]
    rng = np.random.default_rng(2)
    target = rng.choice(10, size=512, p=np.array([0.55] + [0.05] * 9))
    evidence = Evidence(loss="cross_entropy", target=target)
    plans = [make_plan(graph, seed=s, evidence=evidence) for s in range(8)]

    losses = [
        cross_entropy(
            run(graph, p, rng.normal(size=(512, 64)))[graph.outputs[0]], target
        )
        for p in plans
    ]

    assert plans[0].first_loss < np.log(10) - 0.3
    # Logits of rms s unrelated to the targets: a std of s a sample at most.
    error = 5 * HEAD_RMS / sqrt(512 * 8)
    assert np.mean(losses) == pytest.approx(plans[0].first_loss, abs=error)


def cross_entropy(logits, target):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return float(np.mean(log_sum - shifted[np.arange(len(target)), target]))


def test_an_unscaled_input_is_made_up_for_by_the_first_layer():
    graph = chain(relu)
    x = np.random.default_rng(4).uniform(0, 255, size=(512, 64))
    inputs = {0: Moments(mean=x.mean(), second_moment=np.mean(x**2), kurtosis=1.0)}
    plan = make_plan(graph, seed=3, evidence=Evidence(inputs=inputs))

    logits = run(graph, plan, x)[graph.outputs[0]]

    assert 0.4 * HEAD_RMS < sqrt(np.mean(logits**2)) < 2.5 * HEAD_RMS


def test_without_the_division_a_stream_would_double_with_every_branch():
    graph = residual(relu, n_blocks=8)
    plan = make_plan(graph, seed=3)
    undivided = plan.with_factors({f"{i}.b.weight": sqrt(8) for i in range(8)})
    x = np.random.default_rng(5).normal(size=(512, 64))
    stream = graph.linears[-1].inputs[0]

    kept = np.mean(run(graph, plan, x)[stream] ** 2)
    grown = np.mean(run(graph, undivided, x)[stream] ** 2)

    assert kept < np.e * 1.3
    assert grown > 2**8 / 2


def test_a_plan_of_a_frozen_net_says_what_it_did_not_touch():
    graph = chain(relu)
    frozen = tuple(
        replace(p, is_trainable=not p.path.startswith("0.")) for p in graph.parameters
    )
    plan = make_plan(replace(graph, parameters=frozen))

    assert [p.path for p in plan.prescriptions if p.is_kept] == ["0.weight", "0.bias"]


DRAWN = {
    **NETS,
    "deep tanh": chain(np.tanh, n_hidden=12, width=32),
    "deep sigmoid": chain(lambda x: 1.0 / (1.0 + np.exp(-x)), n_hidden=12, width=32),
    "deep relu": chain(relu, n_hidden=12, width=32),
}


@pytest.mark.parametrize(
    "policy", ["auto", "torch", "gpt2", "he_uniform", "orthogonal"]
)
@pytest.mark.parametrize("name", DRAWN)
def test_a_shard_draws_the_bits_of_the_whole(name, policy):
    draws = make_plan(DRAWN[name], seed=9, policy=policy).draws()
    rng = np.random.default_rng(6)

    for draw in draws.values():
        whole = draw(None)
        index = rng.integers(0, whole.size, size=40)
        assert np.array_equal(draw(index), whole.reshape(-1)[index])


@pytest.mark.parametrize("name", DRAWN)
def test_a_plan_draws_the_same_from_its_file(name):
    plan = make_plan(DRAWN[name], seed=9, seeds={"head.*": 4})
    loaded = Plan.from_json(plan.to_json())

    assert loaded == plan
    for path, draw in plan.draws().items():
        assert np.array_equal(draw(None), loaded.draws()[path](None))
