from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.errors import (
    ArgumentError,
    BatchError,
    ModelError,
    NoStorageError,
    NothingToTrainError,
    UnknownNameError,
)


def mlp(depth=3, width=64, activation=nn.ReLU):
    layers = [nn.Linear(20, width), activation()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 5))


@pytest.fixture
def given():
    batch = fanin.draw("batch", (256, 20), "normal(std=1)", seed=0)
    return batch, "cross_entropy", np.arange(256) % 5


def values_of(model):
    return {path: p.detach().numpy().copy() for path, p in model.named_parameters()}


def is_same(first, second):
    return all(bool((first[path] == second[path]).all()) for path in first)


def test_init_writes_what_the_plan_says(given):
    model = mlp()
    plan = fanin.init(model, *given, seed=1)

    for path, draw in plan.draws().items():
        assert bool((values_of(model)[path] == draw(None)).all())


def test_planning_changes_nothing(given):
    model = mlp()
    before, state = values_of(model), torch.get_rng_state()
    fanin.plan(model, *given, seed=1)

    assert is_same(before, values_of(model))
    assert bool((state == torch.get_rng_state()).all())


def test_calibrated_outputs_have_their_targets(given):
    plan = fanin.init(mlp(depth=12), *given, seed=1)
    hidden = [p for p in plan.prescriptions if p.target is not None]

    assert len(hidden) == 13
    assert all(p.measured == pytest.approx(p.target, rel=1e-4) for p in hidden)


def test_the_first_loss_is_that_of_knowing_nothing(given):
    model = mlp(depth=8)
    fanin.init(model, *given, seed=1)
    batch, _, target = given
    with torch.no_grad():
        logits = model(torch.from_numpy(batch))
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(target))

    assert float(loss) == pytest.approx(np.log(5), abs=0.02)


def test_without_a_seed_torch_decides_and_the_plan_records_it(given):
    torch.manual_seed(5)
    first, second = fanin.init(mlp(), *given), fanin.init(mlp(), *given)
    torch.manual_seed(5)
    again = fanin.init(mlp(), *given)

    assert first.seed != second.seed
    assert again.seed == first.seed


def test_a_plan_without_a_batch_predicts_and_says_so():
    model = mlp()
    plan = fanin.init(model, seed=3)

    assert not plan.is_calibrated
    assert "predicted" in plan.notes[-1]
    assert fanin.check(model).ok


def test_a_plan_is_applied_again_to_another_copy(given):
    first, second = mlp(), mlp()
    plan = fanin.init(first, *given, seed=2)
    fanin.apply(plan.from_json(plan.to_json()), second)

    assert is_same(values_of(first), values_of(second))


def test_one_scheme_for_all_and_an_override(given):
    model = mlp()
    fanin.init(model, *given, scheme="he_normal", overrides={"6.*": "zeros"}, seed=0)

    assert not np.any(values_of(model)["6.weight"])
    assert float(model[2].weight.detach().std()) == pytest.approx(
        np.sqrt(2 / 64), rel=5 / np.sqrt(2 * 64 * 64)
    )


def test_frozen_parameters_are_left_alone(given):
    model = mlp()
    model[0].weight.requires_grad_(False)
    before = values_of(model)["0.weight"]
    fanin.init(model, *given, seed=0)

    assert bool((before == values_of(model)["0.weight"]).all())


class Fails(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(20, 5)

    def forward(self, x):
        msg = "disk full"
        raise OSError(msg)


def frozen():
    model = mlp()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


@pytest.mark.parametrize(
    ("model", "change", "error", "says"),
    [
        (mlp, {"scheme": "hee_normal"}, UnknownNameError, "Did you mean 'he_normal'"),
        (mlp, {"seed": -1}, ArgumentError, "Received: -1"),
        (mlp, {"batch": np.zeros((4, 7), "float32")}, BatchError, r"\(4, 7\)"),
        (mlp, {"batch": np.full((4, 20), np.nan, "float32")}, BatchError, "NaN"),
        (mlp, {"loss": "cros_entropy"}, ArgumentError, "cross_entropy"),
        (mlp, {"target": None}, ArgumentError, "target"),
        (Fails, {}, ModelError, "disk full"),
        (frozen, {}, NothingToTrainError, "All 8 parameters"),
    ],
    ids=["scheme", "seed", "shape", "nan", "loss", "target", "raises", "frozen"],
)
def test_bad_input_is_one_clear_error_and_the_model_is_untouched(
    given, model, change, error, says
):
    batch, loss, target = given
    words = {"batch": batch, "loss": loss, "target": target, "seed": 0} | change
    subject = model()
    before = values_of(subject)
    with pytest.raises(error, match=says):
        fanin.init(subject, **words)

    assert is_same(before, values_of(subject))


def test_a_parameter_whose_shape_is_not_known_is_refused(given):
    with pytest.raises(NoStorageError, match="lazy"):
        fanin.init(nn.Sequential(nn.LazyLinear(3)), *given, seed=0)


def test_a_model_without_memory_is_planned_from_theory_alone(given):
    made = fanin.plan(mlp().to("meta"), *given, seed=0)

    assert "without memory" in " ".join(made.notes)
    assert all(p.measured is None for p in made.prescriptions)
    assert fanin.apply(made, mlp()) is not None


def test_what_is_no_model_is_refused():
    with pytest.raises(ArgumentError, match=r"torch\.nn\.Module"):
        fanin.check({"weight": np.zeros(3)})


def test_a_model_that_fits_no_usual_shape_asks_for_a_batch():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(20, 5)

        def forward(self, x, mask):
            return self.layer(x) * mask

    with pytest.raises(BatchError, match="Pass an example batch"):
        fanin.plan(Odd(), seed=0)
