"""The verbs on three kinds of model that hold the same numbers."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import fanin
from fanin.errors import (
    ArgumentError,
    BatchError,
    ModelError,
    NoStorageError,
    NothingToTrainError,
    ShapeError,
    UnknownParameterError,
)
from fanin.frameworks import jax as framework
from fanin.frameworks.find import find, is_immutable
from fanin.graph import Op, Task
from fanin.graph.calibration import Aim

X = np.random.default_rng(1).normal(size=(8, 4)).astype(np.float32)
Y = np.random.default_rng(2).normal(size=(8, 3)).astype(np.float32)


class Flax(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(4, 6, rngs=rngs)
        self.last = nnx.Linear(6, 3, rngs=rngs)

    def __call__(self, x):
        return self.last(nnx.tanh(self.first(x)))


class Equinox(eqx.Module):
    first: eqx.nn.Linear
    last: eqx.nn.Linear

    def __call__(self, x):
        return self.last(jnp.tanh(self.first(x)))


def flax():
    return Flax(nnx.Rngs(0))


def equinox():
    key = jax.random.key(0)
    return Equinox(eqx.nn.Linear(4, 6, key=key), eqx.nn.Linear(6, 3, key=key))


def pair():
    def apply(params, x):
        hidden = jnp.tanh(x @ params["first"]["kernel"] + params["first"]["bias"])
        return hidden @ params["last"]["kernel"] + params["last"]["bias"]

    sizes = {"first": (4, 6), "last": (6, 3)}
    return apply, {
        name: {"kernel": jnp.ones(size), "bias": jnp.zeros(size[1])}
        for name, size in sizes.items()
    }


KINDS = {"flax": flax, "equinox": equinox, "pair": pair}
WEIGHTS = {"flax": "kernel", "equinox": "weight", "pair": "kernel"}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def numbers(kind):
    """Give one set of values in the layout of the kind, by path."""
    rng = np.random.default_rng(3)
    first, last = rng.normal(size=(4, 6)), rng.normal(size=(6, 3))
    turn = np.transpose if kind == "equinox" else np.asarray
    name = WEIGHTS[kind]
    return {
        f"first.{name}": turn(first).astype(np.float32),
        "first.bias": rng.normal(size=6).astype(np.float32),
        f"last.{name}": turn(last).astype(np.float32),
        "last.bias": rng.normal(size=3).astype(np.float32),
    }


def draws(values):
    return {path: (lambda _, array=array: array) for path, array in values.items()}


def by_hand(values, kind):
    turn = np.transpose if kind == "equinox" else np.asarray
    hidden = X @ turn(values[f"first.{WEIGHTS[kind]}"]) + values["first.bias"]
    last = turn(values[f"last.{WEIGHTS[kind]}"])
    return np.tanh(hidden) @ last + values["last.bias"]


def test_each_kind_is_found_and_says_whether_it_can_be_changed(kind):
    model = KINDS[kind]()

    assert find(model).NAME == "jax"
    assert is_immutable(model) == (kind != "flax")


def test_parameters_have_dotted_paths_and_shapes(kind):
    found = {p.path: p.shape for p in framework.parameters(KINDS[kind]())}

    assert found == {path: array.shape for path, array in numbers(kind).items()}


def test_the_graph_has_the_fans_of_each_layout(kind):
    graph = framework.record(KINDS[kind](), Task(batch=X))

    assert [str(node.op) for node in graph.nodes] == [
        "input",
        "linear",
        "elementwise",
        "linear",
    ]
    fans = [(n.weight.fan.n_in, n.weight.fan.n_out) for n in graph.linears]
    assert fans == [(4.0, 6.0), (6.0, 3.0)]
    assert [n.bias for n in graph.linears] == ["first.bias", "last.bias"]


def test_what_is_written_is_read_and_nothing_else_is_changed(kind):
    values = numbers(kind)
    model = KINDS[kind]()
    before = framework.read(model)
    written = framework.write(model, draws(values))

    found = framework.read(written)
    for path, array in values.items():
        np.testing.assert_array_equal(found[path], array)
    if kind == "flax":
        assert written is model
    else:
        for path, array in framework.read(model).items():
            np.testing.assert_array_equal(array, before[path])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"nowhere": np.zeros(3, np.float32)}, UnknownParameterError),
        ({"last.bias": np.zeros(4, np.float32)}, ShapeError),
    ],
)
def test_a_wrong_draw_leaves_the_model_as_it_was(kind, change, error):
    model = KINDS[kind]()
    before = framework.read(model)
    with pytest.raises(error):
        framework.write(model, draws(numbers(kind) | change))

    for path, array in framework.read(model).items():
        np.testing.assert_array_equal(array, before[path])


def test_a_measurement_is_what_arithmetic_gives(kind):
    values = numbers(kind)
    model = KINDS[kind]()
    before = framework.read(model)
    found = framework.measure(model, Task(batch=X, loss="mse", target=Y), values)

    output = by_hand(values, kind)
    np.testing.assert_allclose(found.outputs, output, rtol=1e-5, atol=1e-5)
    assert found.loss == pytest.approx(np.square(output - Y).mean(), rel=1e-5)
    by_output = 2.0 * (output - Y) / Y.size
    np.testing.assert_allclose(
        found.gradients["last.bias"], by_output.sum(0), rtol=1e-4, atol=1e-6
    )
    (last,) = (n for n in found.graph.linears if n.bias == "last.bias")
    site = found.sites[last.id]
    assert site.second_moment == pytest.approx(np.square(output).mean(), rel=1e-5)
    assert site.gradient_second_moment == pytest.approx(
        np.square(by_output).mean(), rel=1e-4
    )
    for path, array in framework.read(model).items():
        np.testing.assert_array_equal(array, before[path])


def test_gradients_alone_are_those_of_the_measurement(kind):
    task = Task(batch=X, loss="mse", target=Y)
    values = numbers(kind)
    model = KINDS[kind]()
    measured = framework.measure(model, task, values).gradients

    for path, gradient in framework.gradients(model, task, values).items():
        np.testing.assert_allclose(gradient, measured[path], rtol=1e-4, atol=1e-6)


def test_calibration_gives_each_output_its_root_mean_square(kind):
    values = numbers(kind)
    targets = {
        f"first.{WEIGHTS[kind]}": Aim(size=2.0),
        f"last.{WEIGHTS[kind]}": Aim(size=0.5),
    }
    factors = framework.calibrate(KINDS[kind](), Task(batch=X), values, targets).factors

    scaled = values | {path: values[path] * factors[path] for path in targets}
    scaled["last.bias"] = np.zeros_like(scaled["last.bias"])
    output = by_hand(scaled, kind)
    assert np.sqrt(np.square(output).mean()) == pytest.approx(0.5, rel=1e-4)


def test_a_plan_is_applied(kind):
    model = KINDS[kind]()
    plan = fanin.plan(model, X, "mse", Y, seed=0)
    made = fanin.apply(plan, model)

    drawn = plan.draws()[f"first.{WEIGHTS[kind]}"](None)
    np.testing.assert_array_equal(
        framework.read(made)[f"first.{WEIGHTS[kind]}"], drawn.astype(np.float32)
    )
    assert fanin.check(made, X, "mse", Y).ok


def test_init_writes_into_flax_and_refuses_what_cannot_be_changed(kind):
    model = KINDS[kind]()
    if kind == "flax":
        fanin.init(model, X, seed=0)
        assert np.any(framework.read(model)["first.kernel"])
        return
    with pytest.raises(ArgumentError, match=r"model = fanin\.apply\(plan, model\)"):
        fanin.init(model, X, seed=0)


def test_a_model_of_shapes_is_recorded_and_not_measured():
    model = eqx.filter_eval_shape(equinox)
    shapes = jax.ShapeDtypeStruct((8, 4), np.float32)
    graph = framework.record(model, Task(batch=shapes))

    assert {p.storage for p in graph.parameters} == {"meta"}
    assert len(graph.linears) == 2
    with pytest.raises(NoStorageError, match="ShapeDtypeStruct"):
        framework.measure(model, Task(batch=X))


def test_a_flax_model_of_shapes_is_recorded():
    graph = framework.record(nnx.eval_shape(flax), Task(batch=X))

    assert {p.storage for p in graph.parameters} == {"meta"}
    assert len(graph.linears) == 2


def test_a_batch_that_does_not_fit_is_a_batch_error(kind):
    with pytest.raises(BatchError):
        framework.record(KINDS[kind](), Task(batch=X[:, :3]))


def test_an_error_of_the_model_is_its_cause(kind):
    def broken(_):
        raise KeyError("mine")

    with pytest.raises(ModelError, match="KeyError") as caught:
        framework.record(KINDS[kind](), Task(batch=broken))
    assert isinstance(caught.value.__cause__, KeyError)


def test_infinity_in_the_batch_is_refused(kind):
    with pytest.raises(BatchError, match="infinity"):
        framework.record(KINDS[kind](), Task(batch=np.full((8, 4), np.inf)))


def test_a_function_of_the_model_brings_its_batch_along(kind):
    x = jnp.asarray(X)

    def call(model):
        if kind == "pair":
            return model[0](model[1], x)
        return jax.vmap(model)(x) if kind == "equinox" else model(x)

    graph = framework.record(KINDS[kind](), Task(batch=call))

    assert [str(n.op) for n in graph.nodes if n.op is not Op.REARRANGE] == [
        "input",
        "linear",
        "elementwise",
        "linear",
    ]
    assert graph.nodes[0].batch_axis == 0


def test_an_objective_is_differentiated(kind):
    x = jnp.asarray(X)

    def objective(model):
        if kind == "pair":
            return jnp.mean(model[0](model[1], x) ** 2)
        run = jax.vmap(model) if kind == "equinox" else model
        return jnp.mean(run(x) ** 2)

    values = numbers(kind)
    found = framework.measure(KINDS[kind](), Task(objective=objective), values)

    expected = np.square(by_hand(values, kind)).mean()
    assert found.loss == pytest.approx(expected, rel=1e-5)
    assert all(g is not None for g in found.gradients.values())


def test_classes_out_of_range_are_named(kind):
    task = Task(batch=X, loss="cross_entropy", target=np.full(8, 3))
    with pytest.raises(BatchError, match="class 3"):
        framework.measure(KINDS[kind](), task)


def test_cross_entropy_is_minus_the_logarithm_of_the_share(kind):
    values = numbers(kind)
    classes = np.arange(8) % 3
    task = Task(batch=X, loss="cross_entropy", target=classes)
    found = framework.measure(KINDS[kind](), task, values)

    powers = np.exp(by_hand(values, kind))
    shares = powers[np.arange(8), classes] / powers.sum(1)
    assert found.loss == pytest.approx(-np.log(shares).mean(), rel=1e-5)


def test_binary_cross_entropy_is_of_logits(kind):
    values = numbers(kind)
    target = (Y > 0).astype(np.float32)
    task = Task(batch=X, loss="binary_cross_entropy", target=target)
    found = framework.measure(KINDS[kind](), task, values)

    shares = 1.0 / (1.0 + np.exp(-by_hand(values, kind)))
    expected = -np.where(target > 0, np.log(shares), np.log(1.0 - shares)).mean()
    assert found.loss == pytest.approx(expected, rel=1e-5)


def test_an_example_batch_is_made_for_each_kind(kind):
    signatures = list(framework.input_signatures(KINDS[kind]()))

    assert (32, 4) in [signature.shape for signature in signatures]


def test_two_seeds_differ():
    model = flax()

    assert framework.seed(model) != framework.seed(model)
    assert 0 <= framework.seed(model) < 1 << 63


def test_weights_are_saved_by_path(kind, tmp_path):
    model = framework.write(KINDS[kind](), draws(numbers(kind)))
    place = framework.save(model, tmp_path / "weights.npz")

    with np.load(place) as found:
        for path, array in numbers(kind).items():
            np.testing.assert_array_equal(found[path], array)
    with pytest.raises(ArgumentError, match="npz"):
        framework.save(model, tmp_path / "weights.bin")


def test_a_model_without_parameters_is_refused():
    model = (lambda params, x: x * params["n"], {"n": jnp.arange(4)})
    with pytest.raises(NothingToTrainError):
        framework.measure(model, Task(batch=X))


def test_a_tied_variable_of_flax_has_both_names():
    model = flax()
    model.again = model.first
    (tied,) = (
        p for p in framework.parameters(model) if p.aliases and "kernel" in p.path
    )

    assert {tied.path, *tied.aliases} == {"first.kernel", "again.kernel"}


def test_running_means_are_buffers_and_stay_as_they_are():
    model = nnx.Sequential(
        nnx.Linear(4, 4, rngs=nnx.Rngs(0)), nnx.BatchNorm(4, rngs=nnx.Rngs(0))
    )
    model.eval()
    before = framework.buffers(model)
    framework.measure(model, Task(batch=X))

    assert set(before) == {"layers.1.mean", "layers.1.var"}
    for path, array in framework.buffers(model).items():
        np.testing.assert_array_equal(array, before[path])
    assert model.layers[1].use_running_average


def test_two_runs_see_the_same_noise():
    model = nnx.Sequential(
        nnx.Linear(4, 4, rngs=nnx.Rngs(0)), nnx.Dropout(0.5, rngs=nnx.Rngs(1))
    )
    first, second = (framework.measure(model, Task(batch=X)).outputs for _ in range(2))
    other = framework.measure(model, Task(batch=X, seed=7)).outputs

    np.testing.assert_array_equal(first, second)
    assert np.any(first != other)


def test_a_loop_that_has_no_gradient_is_an_error_of_the_model():
    def apply(params, x):
        def halve(carry):
            return carry * 0.5

        return jax.lax.while_loop(lambda c: jnp.sum(c**2) > 1.0, halve, x @ params)

    model = (apply, jnp.ones((4, 3)))

    assert len(framework.record(model, Task(batch=X)).linears) == 1
    for verb in (framework.measure, framework.gradients):
        with pytest.raises(ModelError, match="while_loop"):
            verb(model, Task(batch=X), {})
