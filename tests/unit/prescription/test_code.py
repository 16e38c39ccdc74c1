"""Scripts of plans of real models, pasted and run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from math import sqrt
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import fanin
from fanin.api.task import find_framework
from fanin.errors import ArgumentError
from fanin.graph.layouts import torch_linear
from fanin.prescription import Plan, Prescription

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import pasted_models  # noqa: E402
from script_checks import assert_follows, executed  # noqa: E402

sys.path.pop(0)


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def pasted(model, plan):
    """Run the plan's script in the model; give the numbers before and after."""
    kind = plan.framework
    return getattr(pasted_models, f"{kind}_pasted")(model, executed(plan.code(kind)))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(8, 12, num_layers=2)
        self.head = nn.Linear(12, 5)

    def forward(self, x):
        return self.head(self.lstm(x)[0][-1])


def mlp():
    layers = [m for _ in range(6) for m in (nn.Linear(16, 16), nn.Tanh())]
    return nn.Sequential(*layers, nn.Linear(16, 4))


def cnn():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, groups=8, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 4, 2, stride=2, groups=2),
        nn.Flatten(),
        nn.Linear(4 * 12 * 12, 10),
    )


def normed():
    from torch.nn.utils.parametrizations import weight_norm

    net = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), weight_norm(nn.Linear(16, 4)))
    net[0].weight.requires_grad_(requires_grad=False)
    return net


TORCH = {
    "mlp": (mlp, (32, 16)),
    "cnn": (cnn, (4, 3, 8, 8)),
    "lstm": (Recurrent, (6, 4, 8)),
    "weight norm, frozen": (normed, (32, 16)),
}


@pytest.mark.parametrize("law", [None, "orthogonal"])
@pytest.mark.parametrize("name", TORCH)
def test_a_pasted_script_follows_the_plan_of_a_torch_model(name, law):
    build, shape = TORCH[name]
    model = build()
    wishes = {} if law is None else {"law": law}
    plan = fanin.plan(model, noise(*shape), seed=3, **wishes)

    before, after = pasted(model, plan)

    assert_follows(plan, before, after)


def test_learning_rates_that_belong_to_a_plan_are_said():
    def net(width):
        return nn.Sequential(nn.Linear(16, width), nn.ReLU(), nn.Linear(width, 4))

    code = fanin.plan(net(64), noise(32, 16), policy="mup", base=net(16), seed=3).code()

    assert "Learning rate × 0.25." in code.replace("\n    # ", " ")


def test_parameters_that_are_kept_are_listed_and_not_touched():
    model = normed()
    plan = fanin.plan(model, noise(32, 16), seed=3)

    assert "# Not touched: 0.weight. Frozen: its present values stay." in plan.code()


def test_a_script_draws_the_same_numbers_again_and_others_from_another_seed():
    model = mlp()
    init = executed(fanin.plan(model, noise(32, 16), seed=3).code())["init_weights"]

    drawn = []
    for arguments in ({}, {"seed": 3}, {"seed": 4}):
        init(model, **arguments)
        drawn.append(pasted_models.torch_parameters(model)["0.weight"])

    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_a_script_is_the_same_text_each_time():
    model, batch = Recurrent(), noise(6, 4, 8)
    plan = fanin.plan(model, batch, seed=3)

    assert plan.code() == Plan.from_json(plan.to_json()).code()


def test_a_script_of_a_compiled_model_is_that_of_the_model_within():
    model = mlp()
    compiled = torch.compile(model, backend="eager")
    texts = [fanin.plan(m, noise(32, 16), seed=3).code() for m in (model, compiled)]

    assert texts[0] == texts[1]


def test_layers_that_are_alike_are_one_loop():
    code = fanin.plan(mlp(), noise(32, 16), seed=3, policy="torch").code()

    assert code.count("init.uniform_(") <= 4
    assert "for i in range(0, 13, 2):" in code


def test_a_script_is_formatted_as_ruff_does_it_where_it_holds_no_long_rows():
    code = fanin.plan(cnn(), noise(4, 3, 8, 8), seed=3, law="orthogonal").code()
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "-"]

    done = subprocess.run(
        ruff, input=f"{code}\n", capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{code}\n"


class FlaxNet(nnx.Module):
    def __init__(self, rngs):
        self.conv = nnx.Conv(3, 8, (3, 3), rngs=rngs)
        self.norm = nnx.LayerNorm(8, rngs=rngs)
        self.dense = nnx.List([nnx.Linear(8, 8, rngs=rngs) for _ in range(3)])
        self.out = nnx.Linear(8, 4, rngs=rngs)

    def __call__(self, x):
        x = self.norm(nnx.relu(self.conv(x)).mean((1, 2)))
        for dense in self.dense:
            x = nnx.gelu(dense(x))
        return self.out(x)


def test_a_pasted_script_follows_the_plan_of_a_flax_module():
    model = FlaxNet(nnx.Rngs(0))
    plan = fanin.plan(model, jax.random.normal(jax.random.key(0), (4, 8, 8, 3)), seed=1)
    framework = find_framework(model)
    before = framework.read(model)

    init_params = executed(plan.code())["init_params"]
    state = nnx.state(model, nnx.Param)
    nnx.update(model, init_params(state, jax.random.key(2)))

    assert_follows(plan, before, framework.read(model))


def test_a_pasted_script_follows_the_plan_of_an_equinox_module():
    model = pasted_models.jax_modules()
    plan = fanin.plan(model, jax.random.normal(jax.random.key(0), (32, 6)), seed=1)

    before, after = pasted(model, plan)

    assert_follows(plan, before, after)


def test_a_pasted_script_follows_the_plan_of_a_pair_under_jit():
    params = {"w": [jnp.ones((6, 8)), jnp.ones((8, 3))], "b": jnp.ones(3)}

    def apply(params, x):
        return jnp.tanh(x @ params["w"][0]) @ params["w"][1] + params["b"]

    batch = jax.random.normal(jax.random.key(0), (32, 6))
    plan = fanin.plan((apply, params), batch, seed=1, law="orthogonal")
    init_params = jax.jit(executed(plan.code())["init_params"])
    after = init_params(params, jax.random.key(5))

    named = pasted_models.jax_parameters
    assert_follows(plan, named(params), named(after))


def test_a_script_writes_a_keras_model_that_was_built_second():
    pasted_models.keras_net()
    model = pasted_models.keras_net()
    plan = fanin.plan(model, keras_batch(), seed=1)
    keras.layers.Dense(3)

    before, after = pasted(pasted_models.keras_net(), plan)

    assert_follows(plan, before, after)


def keras_batch():
    return [noise(4, 8, 8, 3).numpy(), noise(4, 6, 5).numpy()]


def a_plan_of(name):
    """Plan the model of that name in this process, on Keras's torch backend."""
    model = pasted_models.MODELS[name][0]()
    words = torch.randint(0, 50, (2, 8), generator=torch.Generator().manual_seed(0))
    batch = {
        "torch": {"input_ids": words},
        "keras": keras_batch(),
        "jax": noise(16, 6).numpy(),
    }[name]
    return fanin.plan(model, batch, seed=1, law="orthogonal")


PLACES = [
    ("torch", ""),
    pytest.param("jax", "", marks=pytest.mark.slow),
    pytest.param("keras", "jax", marks=pytest.mark.slow),
    pytest.param("keras", "torch", marks=pytest.mark.slow),
    pytest.param("keras", "tensorflow", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "backend"), PLACES)
def test_a_script_runs_where_there_is_no_fanin(name, backend, tmp_path):
    plan = a_plan_of(name)
    script, arrays = tmp_path / "script.py", tmp_path / "arrays.npz"
    script.write_text(plan.code(name), encoding="utf-8")

    program = [sys.executable, str(HERE / "pasted_models.py")]
    subprocess.run(
        [*program, name, str(script), str(arrays)],
        env=os.environ | ({"KERAS_BACKEND": backend} if backend else {}),
        check=True,
    )

    held = {"before": {}, "after": {}}
    with np.load(arrays) as found:
        for key in found:
            kind, _, path = key.partition("|")
            held[kind][path] = found[key]
    assert_follows(plan, held["before"], held["after"])


def large(law):
    shape = (400, 400)
    weight = Prescription(
        path="weight",
        shape=shape,
        dtype="float32",
        role="hidden",
        scheme="made_up",
        law=law,
        reason="Made up.",
        std=0.05,
        roles=torch_linear(),
    )
    return Plan(prescriptions=(weight,), seed=0, framework="torch")


@pytest.mark.parametrize("law", ["normal", "uniform", "truncated_normal"])
def test_a_std_that_is_two_percent_wrong_would_be_found(law):
    plan, model = large(law), nn.Linear(400, 400, bias=False)
    code = plan.code()
    wrong = re.sub(
        r"(?<=std=)0\.\d+|(?<=, )-?0\.\d+(?=[,)])",
        lambda match: repr(float(match[0]) * 1.02),
        code,
    )

    before, after = pasted_models.torch_pasted(model, executed(code))
    assert_follows(plan, before, after)
    before, after = pasted_models.torch_pasted(model, executed(wrong))
    with pytest.raises(AssertionError):
        assert_follows(plan, before, after)


def test_torch_cuts_a_truncated_normal_at_two_of_its_own_stds():
    call = re.search(r"std=(.*), a=(.*), b=(.*), ", large("truncated_normal").code())
    std, low, high = map(float, call.groups())

    # Var[z | |z| < 2] = 1 − 4φ(2)/(Φ(2) − Φ(−2)), integrated here.
    z = np.linspace(-2, 2, 100_001)
    density = np.exp(-(z**2) / 2)
    kept = np.trapezoid(z**2 * density, z) / np.trapezoid(density, z)
    assert std * sqrt(kept) == pytest.approx(0.05, rel=1e-6)
    assert (low, high) == pytest.approx((-2 * std, 2 * std), rel=1e-6)


def test_a_framework_that_is_none_is_refused_by_name():
    with pytest.raises(ArgumentError, match=r"torch, keras, jax.*'pytorch'"):
        large("normal").code("pytorch")


def test_another_framework_than_the_model_is_refused():
    with pytest.raises(ArgumentError, match=r"must be 'torch'.*Received: 'keras'"):
        large("normal").code("keras")


def test_a_law_that_no_script_knows_is_refused_by_its_parameter():
    plan = large("normal")
    strange = replace(plan.prescriptions[0], law="cauchy")

    with pytest.raises(ArgumentError, match=r"cauchy.*weight"):
        replace(plan, prescriptions=(strange,)).code()


def test_a_script_writes_the_arrays_of_shapes_alone():
    model = eqx.filter_eval_shape(pasted_models.jax_modules)
    plan = fanin.plan(model, jnp.ones((4, 6)), seed=1)

    after = executed(plan.code())["init_params"](model, jax.random.key(0))

    shapes = {leaf.shape for leaf in jax.tree.leaves(after) if hasattr(leaf, "shape")}
    assert shapes == {(10, 6), (10,), (10, 10), (3, 10), (3,)}
    assert all(
        isinstance(leaf, jax.Array)
        for leaf in jax.tree.leaves(after)
        if hasattr(leaf, "shape")
    )
