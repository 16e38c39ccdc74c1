"""What a verification says of weights that were changed in a known way."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.errors import ArgumentError, VerificationError
from fanin.prescription.verification import Verdict

WIDE = 128
SEED = 3


def net():
    layers = [nn.Linear(64, WIDE), nn.ReLU(), nn.Linear(WIDE, WIDE), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(WIDE, WIDE), nn.ReLU(), nn.Linear(WIDE, 10))


MODEL = net()
PLAN = fanin.init(MODEL, scheme="he_normal", seed=SEED)


def changed(change):
    model = copy.deepcopy(MODEL)
    with torch.no_grad():
        change(model[2].weight)
    return model


def only(found):
    assert [each.path for each in found.different] == ["2.weight"]
    return found.different[0]


def cast(dtype):
    return lambda w: w.copy_(w.to(dtype).float())


def swap(rows):
    return lambda w: w.copy_(w[rows].clone())


CHANGES = {
    "factor": (lambda w: w.mul_(0.3), "the plan's numbers times 0.3"),
    "sign": (lambda w: w.neg_(), "the plan's numbers times -1"),
    "constant": (lambda w: w.add_(1.0), "the plan's numbers plus 1"),
    "zeros": (lambda w: w.zero_(), "every number looked at is 0"),
    "turned": (lambda w: w.copy_(w.t().clone()), "transposed"),
    "bfloat16": (cast(torch.bfloat16), "cast to bfloat16 and back"),
    "float16": (cast(torch.float16), "cast to float16 and back"),
    "rows": (lambda w: w[5:9].normal_(), "changed in a part"),
    "nan": (lambda w: w[3].fill_(torch.nan), "NaN or infinite"),
    "anew": (nn.init.kaiming_uniform_, "looks initialized anew"),
    "noise": (
        lambda w: w.add_(0.01 * torch.randn(w.shape) * w.std()),
        "moved from the plan's numbers, as by training",
    ),
}


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_found_and_named(change, reason):
    torch.manual_seed(0)
    found = fanin.verify(changed(change), PLAN)

    assert not found
    assert only(found).reason == reason


def test_the_plans_own_numbers_pass():
    found = fanin.verify(MODEL, PLAN, sample=None)

    assert found
    assert found.n_looked == PLAN.n_parameters
    assert {each.verdict for each in found.checked} == {Verdict.SAME}


def test_a_part_that_was_changed_is_placed():
    found = only(fanin.verify(changed(lambda w: w[5:9].normal_()), PLAN, sample=None))

    assert found.n_different == 4 * WIDE
    assert found.first == (5, 0)
    assert "lie at 5 to 8 of axis 0" in found.detail
    assert "what differs: looks initialized anew" in found.detail


def test_the_first_difference_is_told_with_both_numbers():
    found = only(
        fanin.verify(changed(lambda w: w[7, 3:4].fill_(2.5)), PLAN, sample=None)
    )

    assert (found.first, found.received) == ((7, 3), 2.5)
    assert found.expected == MODEL[2].weight[7, 3].item()


def test_another_order_is_found_where_all_was_looked_at():
    model = changed(swap(torch.randperm(WIDE)))

    assert only(fanin.verify(model, PLAN, sample=None)).reason == (
        "the plan's numbers in another order"
    )


def test_the_numbers_of_another_parameter_are_found():
    model = copy.deepcopy(MODEL)
    with torch.no_grad():
        model[2].weight.copy_(model[4].weight)

    assert only(fanin.verify(model, PLAN)).reason == (
        "the numbers that the plan has for 4.weight"
    )


def test_another_seed_is_found_by_trying():
    model = copy.deepcopy(MODEL)
    fanin.apply(PLAN, model, seed=1234)
    found = fanin.verify(model, PLAN)

    assert {each.reason for each in found.different} == {
        "the same law drawn from seed 1234"
    }
    assert fanin.verify(model, PLAN, seed=1234)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_a_cast_model_holds_the_plans_numbers(dtype):
    found = fanin.verify(copy.deepcopy(MODEL).to(getattr(torch, dtype)), PLAN)

    assert found
    assert {each.verdict for each in found.checked} == {Verdict.ROUNDED}
    assert f"cast once to {dtype}" in str(found)


def test_a_cast_to_whole_numbers_does_not_pass():
    model = copy.deepcopy(MODEL)
    model[2].weight = nn.Parameter(torch.zeros(WIDE, WIDE, dtype=torch.int8), False)

    assert only(fanin.verify(model, PLAN)).reason == (
        "it holds int8, where the plan has float32"
    )


def test_a_single_bit_is_found_where_all_is_looked_at():
    def flip(weight):
        weight.view(torch.int32)[9, 9] ^= 1

    found = only(fanin.verify(changed(flip), PLAN, sample=None))

    assert (found.first, found.n_different) == ((9, 9), 1)


def test_a_zero_of_the_other_sign_is_another_bit():
    model = copy.deepcopy(MODEL)
    with torch.no_grad():
        model[0].bias.neg_()

    assert not fanin.verify(model, PLAN)


def test_training_is_told_from_a_new_start():
    model = copy.deepcopy(MODEL)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    torch.manual_seed(0)
    for _ in range(5):
        model(torch.randn(64, 64)).square().mean().backward()
        optimizer.step()
    found = fanin.verify(model, PLAN)
    weights = [each for each in found.different if each.path.endswith("weight")]
    # Units that are 0 on the whole batch have no gradient and stay where they are.
    moved = "moved from the plan's numbers, as by training"

    assert all(moved in f"{each.reason} {each.detail}" for each in weights)


def test_what_is_missing_and_what_is_kept_is_said():
    plan = fanin.plan(MODEL, skip="0.*", seed=SEED)
    found = fanin.verify(MODEL[:3], plan)

    assert {each.path for each in found.of(Verdict.MISSING)} == {
        "4.weight",
        "4.bias",
        "6.weight",
        "6.bias",
    }
    assert [each.path for each in found.of(Verdict.SKIPPED)] == ["0.weight", "0.bias"]
    assert "Skipped 0.weight, 0.bias: kept" in str(found)


def test_nothing_compared_is_no_proof():
    kept = tuple(replace(p, law="keep") for p in PLAN.prescriptions)
    plan = replace(PLAN, prescriptions=kept)
    found = fanin.verify(MODEL, plan)

    assert not found
    assert "nothing could be compared" in str(found)


def test_another_shape_is_told():
    model = copy.deepcopy(MODEL)
    model[6].weight = nn.Parameter(torch.zeros(WIDE, 10))
    found = fanin.verify(model, PLAN).different[0]

    assert found.reason == (
        f"its shape is ({WIDE}, 10), where the plan has (10, {WIDE}): transposed"
    )


def test_a_parameter_that_the_plan_does_not_know_is_named():
    model = copy.deepcopy(MODEL)
    model.append(nn.Linear(10, 2))
    found = fanin.verify(model, PLAN)

    assert found
    assert found.unplanned == ("7.weight", "7.bias")


def test_a_stage_of_a_pipeline_is_verified_by_itself():
    body = nn.Module()
    body.layers = copy.deepcopy(MODEL)
    plan = fanin.plan(body, lambda whole: whole.layers(torch.randn(4, 64)), seed=SEED)
    stage = nn.Linear(WIDE, WIDE)
    fanin.apply(plan, stage, prefix="layers.2")
    found = fanin.verify(stage, plan, prefix="layers.2")

    assert found
    assert [each.path for each in found.checked] == [
        "layers.2.weight",
        "layers.2.bias",
    ]
    assert not fanin.verify(stage, plan, prefix="layers.4")


def test_a_matrix_passes_though_a_product_rounds():
    model = net()
    plan = fanin.init(model, scheme="orthogonal", seed=SEED)
    with torch.no_grad():
        model[2].weight.mul_(1 + 2**-23)
    found = fanin.verify(model, plan)

    assert found
    assert {e.path for e in found.of(Verdict.CLOSE)} >= {"2.weight", "4.weight"}
    with torch.no_grad():
        model[2].weight.mul_(1.01)
    assert only(fanin.verify(model, plan)).reason == "the plan's numbers times 1.01"


def test_a_difference_can_stop_a_program():
    fanin.verify(MODEL, PLAN).raise_if_different()
    found = fanin.verify(changed(lambda w: w.zero_()), PLAN)
    with pytest.raises(VerificationError, match=r"(?s)2\.weight.*first \[0, "):
        found.raise_if_different()


def test_the_record_is_json():
    found = fanin.verify(changed(lambda w: w[3].fill_(torch.nan)), PLAN, sample=None)
    read = json.loads(found.to_json())
    by_path = {each["path"]: each for each in read["parameters"]}

    assert (read["schema"], read["is_same"]) == ("fanin.verification/1", False)
    assert read["fingerprint"] == PLAN.fingerprint
    assert by_path["2.weight"]["received"] == "nan"
    assert by_path["2.weight"]["n_different"] == WIDE
    assert by_path["4.weight"]["verdict"] == "same"


def test_a_plan_verifies_by_itself():
    assert PLAN.verify(MODEL)
    assert not PLAN.verify(changed(lambda w: w.zero_()), sample=16)


@pytest.mark.parametrize("sample", [0, -1, 2.5, True])
def test_a_sample_of_no_size_is_refused(sample):
    with pytest.raises(ArgumentError, match="'sample' must be a number of entries"):
        fanin.verify(MODEL, PLAN, sample=sample)


def test_verifying_without_a_plan_is_refused():
    with pytest.raises(ArgumentError, match="'plan' must be a plan"):
        fanin.verify(MODEL)


def test_nothing_is_changed_by_looking():
    before = {name: t.clone() for name, t in MODEL.state_dict().items()}
    fanin.verify(MODEL, PLAN)

    assert all(torch.equal(before[name], t) for name, t in MODEL.state_dict().items())


def test_a_strided_parameter_is_read_in_its_own_order():
    model = copy.deepcopy(MODEL)
    model[2].weight = nn.Parameter(MODEL[2].weight.detach().t().contiguous().t())

    assert not model[2].weight.is_contiguous()
    assert fanin.verify(model, PLAN)


def test_a_tied_weight_is_known_by_any_of_its_names():
    model = copy.deepcopy(MODEL)
    tied = nn.Module()
    tied.a, tied.b = model, model[2]
    plan = fanin.plan(tied, lambda whole: whole.a(torch.randn(4, 64)), seed=SEED)
    fanin.apply(plan, tied)
    other = nn.Module()
    other.b, other.a = model[2], model

    assert fanin.verify(tied, plan)
    assert fanin.verify(other, plan)


def test_half_of_a_plan_is_as_good_as_numpy_says():
    """An oracle: every number of the plan, compared without the code under test."""
    draws = PLAN.draws()
    for name, tensor in MODEL.named_parameters():
        assert np.array_equal(draws[name](None), tensor.detach().numpy())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_half_model_with_listed_biases_is_what_init_wrote(dtype):
    net = torch.nn.Sequential(
        torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)
    ).to(dtype)
    x = torch.linspace(-1, 1, 8 * 32).reshape(32, 8).to(dtype)
    plan = fanin.init(net, x, seed=0)
    assert any(p.law == "values" for p in plan.prescriptions)
    fanin.verify(net, plan).raise_if_different()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_a_checkpoint_of_another_dtype_is_what_its_plan_says(dtype, tmp_path):
    net = torch.nn.Sequential(
        torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)
    )
    plan = fanin.plan(net, torch.linspace(-1, 1, 8 * 32).reshape(32, 8), seed=0)
    fanin.seed_checkpoint(plan, tmp_path / "seed", model=net, dtype=dtype)
    fanin.verify(tmp_path / "seed").raise_if_different()


def test_a_part_that_names_a_tied_weight_otherwise_is_verified():
    class Part(torch.nn.Module):
        def __init__(self, first, second):
            super().__init__()
            weight = torch.nn.Parameter(torch.zeros(3, 3))
            self.register_parameter(first, weight)
            self.register_parameter(second, weight)

        def forward(self, x):
            return x @ self.p @ self.q

    whole = torch.nn.Sequential()
    whole.add_module("part", Part("p", "q"))
    plan = fanin.plan(whole, torch.eye(3), seed=0)
    part = Part("q", "p")
    fanin.apply(plan, part, prefix="part")
    fanin.verify(part, plan, prefix="part").raise_if_different()
