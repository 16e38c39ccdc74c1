"""A fingerprint changes with the numbers that a plan writes, and with nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fanin.graph.layouts import keras_dense, torch_linear
from fanin.prescription import Plan
from fanin.prescription.prescription import Part, Prescription

WEIGHT = Prescription(
    path="0.weight",
    shape=(8, 4),
    dtype="float32",
    role="hidden",
    scheme="he_normal",
    law="normal",
    reason="because",
    std=0.5,
    roles=torch_linear(),
)
BIAS = replace(WEIGHT, path="0.bias", shape=(8,), law="constant", std=0.0, roles=None)
PLAN = Plan(prescriptions=(WEIGHT, BIAS), seed=7)
GATE = Part(kind="gate", start=0, size=2, period=4, factor=2.0)

SAID = {
    "reason": {"reason": "other"},
    "role": {"role": "head"},
    "scheme": {"scheme": "normal(std=0.5)"},
    "measured": {"measured": 1.5},
    "target": {"target": 1.0},
    "learning rate": {"learning_rate": 0.1},
    "evidence": {"evidence": "a name"},
    "the gain of a std": {"gain": 3.0},
}
DRAWN = {
    "std in its last bit": {"std": 0.5 * (1 + 2**-52)},
    "law": {"law": "uniform"},
    "dtype": {"dtype": "bfloat16"},
    "path": {"path": "1.weight"},
    "shape": {"shape": (4, 8)},
    "seed of its own": {"seed": 8},
    "blocks": {"n_blocks": 2},
    "mirrored": {"mirrored": (0,)},
    "parts": {"parts": (GATE,)},
    "roles": {"roles": keras_dense()},
    "a factor in a part": {"parts": (replace(GATE, factor=2.5),)},
    "a value in a part": {"parts": (replace(GATE, value=0.0),)},
    "a matrix": {"law": "orthogonal"},
    "kept": {"law": "keep"},
}


def with_weight(**fields):
    return replace(PLAN, prescriptions=(replace(WEIGHT, **fields), BIAS)).fingerprint


@pytest.mark.parametrize("fields", SAID.values(), ids=SAID)
def test_what_is_only_said_does_not_change_it(fields):
    assert with_weight(**fields) == PLAN.fingerprint


def test_what_the_numbers_depend_on_changes_it():
    found = [with_weight(**fields) for fields in DRAWN.values()]

    assert PLAN.fingerprint not in found
    assert len(set(found)) == len(found)


def test_the_seed_changes_it_only_where_something_is_drawn():
    constants = Plan(prescriptions=(BIAS,), seed=7)

    assert replace(PLAN, seed=8).fingerprint != PLAN.fingerprint
    assert replace(constants, seed=8).fingerprint == constants.fingerprint


def test_the_order_of_parameters_and_wrappers_in_names_do_not_change_it():
    turned = replace(PLAN, prescriptions=(BIAS, WEIGHT))

    assert turned.fingerprint == PLAN.fingerprint
    assert with_weight(path="_orig_mod.0.weight") == PLAN.fingerprint


def test_the_gain_of_a_matrix_without_roles_changes_it():
    first = with_weight(law="orthogonal", roles=None, gain=1.0)

    assert with_weight(law="orthogonal", roles=None, gain=2.0) != first


def test_a_saved_plan_keeps_its_fingerprint():
    text = PLAN.to_json()

    assert f'"fingerprint": "{PLAN.fingerprint}"' in text
    assert Plan.from_json(text).fingerprint == PLAN.fingerprint
    assert f"Fingerprint: {PLAN.fingerprint}" in str(PLAN)
