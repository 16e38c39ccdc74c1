"""The policy "auto": every role gets the scale that the theory asks for."""

from __future__ import annotations

from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest

from fanin.errors import (
    ArgumentError,
    NoStorageError,
    NothingToTrainError,
    UnknownNameError,
    UnknownParameterError,
)
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import Evidence, make_plan
from fanin.prescription.choosing.choices import HEAD_RMS
from fanin.theory.moments import Moments


def relu(x):
    return np.maximum(x, 0.0)


def sigmoid(x):
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


def leaky(x):
    return np.maximum(x, 0.2 * x)


def selu(x):
    negative = 1.6732632423543772 * np.expm1(np.minimum(x, 0.0))
    return 1.0507009873554805 * np.where(x > 0, x, negative)


def mlp(function=relu, n_hidden=3, *, width=40, n_in=20, n_out=10):
    sketch = Sketch()
    z = sketch.input((8, n_in))
    for i in range(n_hidden):
        z = sketch.apply(sketch.dense(z, width, path=f"{2 * i}"), function)
    return sketch.graph(sketch.dense(z, n_out, path="head"))


def residual(n_blocks=4, *, is_normed=False):
    sketch = Sketch()
    stream = sketch.dense(sketch.input((8, 20)), 40, path="stem")
    for i in range(n_blocks):
        z = sketch.dense(sketch.apply(stream, relu), 40, path=f"{i}.a")
        z = sketch.dense(sketch.apply(z, relu), 40, path=f"{i}.b")
        z = sketch.normalize(z, path=f"{i}.norm") if is_normed else z
        stream = sketch.combine(Op.ADD, stream, z)
    return sketch.graph(sketch.dense(stream, 10, path="head"))


@pytest.mark.parametrize(
    ("function", "scheme", "std"),
    [
        (relu, "he_normal", sqrt(2 / 40)),
        (np.tanh, "glorot_normal", sqrt(2 / 80)),
        (selu, "lecun_normal", sqrt(1 / 40)),
        (lambda x: x, "lecun_normal", sqrt(1 / 40)),
        (silu, "lecun_normal(gain=1.677)", 1.67653247 / sqrt(40)),
        (leaky, "lecun_normal(gain=1.387)", 1.38675049 / sqrt(40)),
    ],
    ids=["relu", "tanh", "selu", "identity", "silu", "leaky"],
)
def test_a_hidden_weight_gets_the_scheme_of_the_activation_it_reads(
    function, scheme, std
):
    weight = make_plan(mlp(function))["2.weight"]

    assert weight.scheme == scheme
    assert weight.std == pytest.approx(std, rel=1e-7)


@pytest.mark.parametrize("law", ["uniform", "truncated_normal", "normal"])
def test_the_law_changes_the_shape_and_not_the_std(law):
    plan = make_plan(mlp(), law=law)
    draw = plan.draws()["2.weight"](None)

    assert plan["2.weight"].law == law
    assert plan["2.weight"].std == pytest.approx(sqrt(2 / 40))
    assert draw.std() == pytest.approx(sqrt(2 / 40), rel=5 / sqrt(2 * draw.size))


def test_the_first_layer_has_no_factor_for_an_activation():
    weight = make_plan(mlp())["0.weight"]

    assert (weight.scheme, weight.std) == ("lecun_normal", pytest.approx(sqrt(1 / 20)))
    assert "been through no activation" in weight.reason


def test_a_measured_input_sets_the_first_layer():
    evidence = Evidence(inputs={0: Moments(mean=120.0, second_moment=20_000.0)})

    weight = make_plan(mlp(), evidence=evidence)["0.weight"]

    assert weight.std == pytest.approx(sqrt(1 / 20 / 20_000))
    assert weight.predicted == pytest.approx(1.0)


def test_the_head_starts_small_and_the_loss_at_ln_k():
    plan = make_plan(mlp(), evidence=Evidence(loss="cross_entropy"))

    assert plan["head.weight"].predicted == pytest.approx(HEAD_RMS)
    assert plan.first_loss == pytest.approx(log(10) + 0.45 * HEAD_RMS**2)
    assert plan.first_loss == pytest.approx(log(10) + 0.018)


def test_the_head_is_small_behind_pooling_too():
    sketch = Sketch()
    z = sketch.conv(sketch.input((2, 3, 8, 8)), 16, path="conv")
    z = sketch.reduce(sketch.apply(z, relu))
    graph = sketch.graph(sketch.dense(z, 10, path="head"))

    assert make_plan(graph)["head.weight"].predicted == pytest.approx(HEAD_RMS)


def test_branch_ends_are_divided_by_the_root_of_their_number():
    plan = make_plan(residual(4))

    assert plan["0.b.weight"].std == pytest.approx(sqrt(2 / 40 / 4))
    assert plan["0.a.weight"].std == pytest.approx(sqrt(2 / 40))
    assert "4 branches" in plan["0.b.weight"].reason


@pytest.mark.parametrize("n_blocks", [4, 64])
def test_a_stream_grows_by_less_than_e_at_any_depth(n_blocks):
    plan = make_plan(residual(n_blocks))

    last = plan[f"{n_blocks - 1}.a.weight"]
    assert 1.2 < last.predicted**2 < np.e


def test_a_branch_end_in_front_of_a_normalization_is_left_alone():
    weight = make_plan(residual(4, is_normed=True))["0.b.weight"]

    assert weight.std == pytest.approx(sqrt(2 / 40))
    assert "normalization follows" in weight.reason


def test_a_plain_sum_shares_its_size():
    sketch = Sketch()
    x = sketch.input((8, 20))
    parts = [sketch.dense(x, 40, path=name) for name in ("a", "b")]
    z = sketch.apply(sketch.combine(Op.ADD, *parts), relu)
    plan = make_plan(sketch.graph(sketch.dense(z, 10, path="head")))

    assert plan["a.weight"].std == pytest.approx(sqrt(1 / 20 / 2))


def test_what_follows_a_gate_makes_up_for_the_product():
    sketch = Sketch()
    x = sketch.input((8, 20))
    gate = sketch.apply(sketch.dense(x, 40, path="gate"), silu)
    z = sketch.combine(Op.MULTIPLY, gate, sketch.dense(x, 40, path="value"))
    z = sketch.dense(z, 30, path="down")
    plan = make_plan(sketch.graph(sketch.dense(sketch.apply(z, relu), 5, path="head")))

    assert plan["down.weight"].gain == pytest.approx(1.67653247)
    assert plan["down.weight"].predicted == pytest.approx(1.0)


def test_embeddings_that_are_added_share_their_size():
    sketch = Sketch()
    tokens = sketch.add_node(Op.INPUT, shape=(8, 5))
    z = sketch.lookup(tokens, 11, 16, path="embedding")
    z = sketch.combine(Op.ADD, z, sketch.parameter("positions", (5, 16)))
    plan = make_plan(sketch.graph(sketch.dense(z, 3, path="head")))

    assert plan["embedding.weight"].std == pytest.approx(sqrt(0.5))
    assert plan["positions"].std == pytest.approx(sqrt(0.5), rel=1e-5)
    assert plan["head.weight"].predicted == pytest.approx(HEAD_RMS)


def test_biases_start_at_zero_and_normalization_at_one():
    plan = make_plan(residual(2, is_normed=True))

    values = {p: plan[p].value for p in ("stem.bias", "0.norm.weight", "0.norm.bias")}
    assert values == {"stem.bias": 0.0, "0.norm.weight": 1.0, "0.norm.bias": 0.0}


def test_a_frozen_parameter_is_left_alone_and_listed():
    graph = mlp()
    parameters = tuple(
        replace(p, is_trainable=p.path != "2.weight") for p in graph.parameters
    )
    plan = make_plan(replace(graph, parameters=parameters))

    assert plan["2.weight"].is_kept
    assert plan["2.weight"].reason.startswith("Frozen")
    assert "2.weight" not in plan.draws()


def test_present_values_of_a_frozen_weight_are_counted_in_the_prediction():
    graph = mlp()
    parameters = tuple(
        replace(p, is_trainable=p.path != "2.weight") for p in graph.parameters
    )
    graph = replace(graph, parameters=parameters)
    values = {"2.weight": np.full((40, 40), 0.3) * np.resize([1, -1], (40, 40))}

    blind = make_plan(graph)
    seeing = make_plan(graph, evidence=Evidence(values=values))

    assert blind["4.weight"].predicted is None
    assert seeing["2.weight"].predicted == pytest.approx(sqrt(40 * 0.09 / 2))
    assert seeing["head.weight"].predicted == pytest.approx(HEAD_RMS)


def test_a_parameter_that_nothing_reads_keeps_its_values_with_the_reason():
    sketch = Sketch()
    sketch.hold("spare", (3,))
    plan = make_plan(sketch.graph(sketch.dense(sketch.input((8, 2)), 3, path="0")))

    assert plan["spare"].is_kept
    assert "no operation that ran reads it" in plan["spare"].reason


def test_a_repelling_activation_is_warned_of_when_the_net_is_deep():
    assert make_plan(mlp(silu, 3), law="normal").warnings == ()
    (warning,) = make_plan(mlp(silu, 20), law="normal").warnings

    assert "repels (V′ = 1.173)" in warning
    assert make_plan(mlp(silu, 20)).warnings == ()


def test_a_deep_sigmoid_net_is_said_to_be_beyond_mending_by_scale_alone():
    (warning,) = make_plan(mlp(sigmoid, 10), law="normal").warnings

    assert "No weight scale can mend this" in warning
    assert make_plan(mlp(sigmoid, 10)).warnings == ()


def test_a_net_with_skips_is_not_warned_of():
    assert make_plan(residual(30)).warnings == ()


def test_one_scheme_for_all_is_taken_as_it_stands():
    plan = make_plan(mlp(), scheme="he_normal")

    stds = [plan[f"{name}.weight"].std for name in ("0", "2", "head")]
    assert stds == pytest.approx([sqrt(2 / 20), sqrt(2 / 40), sqrt(2 / 40)])
    assert plan.policy == "he_normal"


def test_patterns_override_and_the_more_specific_one_decides():
    overrides = {
        "2.weight": "zeros",
        "*.weight": "normal(std=0.5)",
        "2.b*": "zeros",
        "head.weight": "keep",
        "0.bias": "constant(0.01)",
    }
    plan = make_plan(mlp(), overrides=overrides)

    assert plan["0.weight"].std == 0.5
    assert (plan["2.weight"].scheme, plan["2.bias"].scheme) == ("zeros", "zeros")
    assert plan["head.weight"].is_kept
    assert plan["0.bias"].value == 0.01


def test_a_pattern_that_fits_nothing_names_the_nearest_path():
    with pytest.raises(UnknownParameterError, match=r"Did you mean '2\.weight'"):
        make_plan(mlp(), overrides={"2.wieght": "zeros"})


def test_a_scheme_with_fans_is_refused_for_a_bias():
    with pytest.raises(ArgumentError, match=r"scheme without fans.*'0\.bias'"):
        make_plan(mlp(), overrides={"0.bias": "he_normal"})


def test_an_unknown_scheme_names_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'he_normal'"):
        make_plan(mlp(), scheme="he_nornal")


@pytest.mark.parametrize("seed", [-1, 2**64, True])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ArgumentError, match="seed"):
        make_plan(mlp(), seed=seed)


def test_an_unknown_law_is_refused():
    with pytest.raises(ArgumentError, match="'law' must be one of normal"):
        make_plan(mlp(), law="cauchy")


def test_a_model_that_cannot_learn_is_refused():
    graph = mlp()
    frozen = tuple(replace(p, is_trainable=False) for p in graph.parameters)

    with pytest.raises(NothingToTrainError, match="frozen"):
        make_plan(replace(graph, parameters=frozen))


def test_a_lazy_parameter_is_refused():
    graph = mlp()
    lazy = tuple(replace(p, storage="lazy", shape=()) for p in graph.parameters)

    with pytest.raises(NoStorageError, match="Run the model once"):
        make_plan(replace(graph, parameters=lazy))


def test_an_orthogonal_plan_has_equal_singular_values():
    plan = make_plan(mlp(), law="orthogonal")
    weight = plan.draws()["2.weight"](None)

    singular = np.linalg.svd(weight, compute_uv=False)
    assert singular == pytest.approx(np.full(40, sqrt(2)), rel=1e-5)
    assert plan["2.weight"].scheme == "orthogonal"


def test_an_unknown_operation_is_taken_as_of_size_one_and_noted():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 20)), 40, path="0")
    z = sketch.add_node(Op.OPAQUE, (z,), path="odd")
    plan = make_plan(sketch.graph(sketch.dense(sketch.apply(z, relu), 4, path="1")))

    assert "Not predicted at the opaque in odd" in plan.notes[0]
    assert plan["1.weight"].predicted is None


def test_an_unknown_operation_that_no_weight_reads_needs_no_note():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 20)), 4, path="0")
    z = sketch.add_node(Op.OPAQUE, (z,), path="loss")

    assert make_plan(sketch.graph(z)).notes == ()


def test_what_the_plan_aims_at_is_what_theory_predicts_behind_attention():
    sketch = Sketch()
    words = sketch.add_node(Op.INPUT, shape=(4, 6))
    x = sketch.lookup(words, 50, 64, path="words")
    for i in range(2):
        z = sketch.normalize(x, path=f"{i}.norm", kind="layer")
        q, k, v = (sketch.dense(z, 64, path=f"{i}.{name}") for name in "qkv")
        logits = sketch.add_node(
            Op.CONTRACT,
            (q, k),
            shape=(4, 6, 6),
            unit_axis=None,
            details={"subscripts": "bqd,bkd->bqk"},
        )
        logits = sketch.apply(logits, lambda s: s / 8.0)
        shares = sketch.add_node(Op.SOFTMAX, (logits,), details={"axis": 2})
        mixed = sketch.add_node(
            Op.CONTRACT,
            (shares, v),
            shape=(4, 6, 64),
            unit_axis=2,
            details={"subscripts": "bqk,bkd->bqd"},
        )
        x = sketch.combine(Op.ADD, x, sketch.dense(mixed, 64, path=f"{i}.out"))
    plan = make_plan(sketch.graph(sketch.dense(x, 3, path="head")))

    for name in ("0.v.weight", "0.out.weight", "1.v.weight", "1.q.weight"):
        assert plan[name].predicted == pytest.approx(plan[name].target, rel=0.02)
    assert plan["0.out.weight"].target == pytest.approx(1 / sqrt(2), rel=1e-9)


def test_a_weight_that_the_caller_scales_is_predicted_and_the_next_makes_up_for_it():
    plain = make_plan(mlp(relu, 3), law="normal")
    wide = make_plan(
        mlp(relu, 3), law="normal", overrides={"2.weight": "normal(std=1)"}
    )
    ratio = wide["2.weight"].predicted / plain["2.weight"].predicted

    assert ratio == pytest.approx(sqrt(40 / 2))
    assert wide["4.weight"].std == pytest.approx(plain["4.weight"].std / ratio)
    assert wide["head.weight"].predicted == pytest.approx(HEAD_RMS, rel=1e-6)
