"""A Plan draws, saves, loads, prints, and takes factors and measurements."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanin.errors import ArgumentError, OutputError, UnknownParameterError
from fanin.graph.fans import AxisRoles, Fan
from fanin.graph.graph import Op
from fanin.graph.measurement import Measurement
from fanin.graph.sketch import Sketch
from fanin.graph.statistics import statistics_of
from fanin.prescription import (
    Evidence,
    Part,
    Plan,
    Prescription,
    calibration_targets,
    make_plan,
)
from fanin.prescription.choosing.choices import HEAD_RMS


def relu(x):
    return np.maximum(x, 0.0)


def net(n_blocks=2):
    sketch = Sketch()
    stream = sketch.dense(sketch.input((8, 20)), 40, path="stem")
    for i in range(n_blocks):
        z = sketch.dense(sketch.apply(stream, relu), 40, path=f"blocks.{i}.a")
        z = sketch.dense(sketch.apply(z, relu), 40, path=f"blocks.{i}.b")
        stream = sketch.combine(Op.ADD, stream, z)
    return sketch.graph(sketch.dense(stream, 10, path="head"))


TARGET = np.repeat(np.arange(10), [100] * 9 + [10])
numbers = st.floats(allow_nan=False)
PARTS = st.builds(
    Part,
    kind=st.text(max_size=4),
    start=st.integers(0, 9),
    size=st.integers(0, 9),
    period=st.integers(1, 99),
    factor=numbers,
    value=st.none() | numbers,
)


texts = st.text(max_size=8)
few = st.lists(numbers, max_size=3).map(tuple)
maybe = st.none() | numbers
FIELDS = {
    "path": texts,
    "shape": st.lists(st.integers(0, 9), max_size=3).map(tuple),
    "dtype": st.just("float32"),
    "role": texts,
    "scheme": texts,
    "law": st.just("normal"),
    "reason": texts,
    "std": numbers,
    "value": numbers,
    "values": few,
    "gain": maybe,
    "fan": st.none() | st.builds(Fan, n_in=numbers, n_out=numbers),
    "roles": st.none() | st.just(AxisRoles(inputs=(1,), outputs=(0,), kernel=(2, 3))),
    "target": maybe,
    "predicted": maybe,
    "low": maybe,
    "high": maybe,
    "measured": maybe,
    "factor": numbers,
    "mirrored": st.lists(st.integers(0, 3), max_size=2).map(tuple),
    "n_blocks": st.integers(1, 4),
    "parts": st.lists(PARTS, max_size=2).map(tuple),
    "weight": st.none() | texts,
    "learning_rate": numbers,
    "learning_rate_sgd": numbers,
    "gradient": maybe,
    "seed": st.none() | st.integers(0, 2**64 - 1),
    "evidence": texts,
    "centre": few,
    "is_asked": st.booleans(),
    "input_share": maybe,
}


@given(
    parts=st.lists(st.builds(Prescription, **FIELDS), max_size=3),
    seed=st.integers(0, 2**64 - 1),
    first_loss=st.none() | numbers,
    notes=st.lists(st.text(max_size=9), max_size=2),
)
@settings(max_examples=60, deadline=None)
def test_json_gives_every_number_back(parts, seed, first_loss, notes):
    plan = Plan(
        prescriptions=tuple(parts),
        seed=seed,
        first_loss=first_loss,
        notes=tuple(notes),
    )

    assert Plan.from_json(plan.to_json()) == plan


def test_every_field_of_a_prescription_is_in_the_test_of_the_round_trip():
    assert set(FIELDS) == {field.name for field in fields(Prescription)}


def test_a_file_from_before_the_optional_fields_is_read():
    plan = make_plan(net())
    data = json.loads(plan.to_json())
    for p in data["prescriptions"]:
        p.pop("evidence")

    read = Plan.from_json(json.dumps(data))

    assert [p.evidence for p in read.prescriptions] == [""] * len(plan.prescriptions)
    assert read["stem.weight"].std == plan["stem.weight"].std


def test_fields_that_say_nothing_are_left_out_of_the_file():
    (first, *_) = json.loads(make_plan(net()).to_json())["prescriptions"]

    assert not {"parts", "mirrored", "n_blocks", "seed", "centre"} & set(first)


def test_a_part_that_is_not_whole_is_refused_with_the_place():
    data = json.loads(make_plan(net()).to_json())
    data["prescriptions"][0]["parts"] = [{"kind": "gate", "start": 0, "size": 1}]

    with pytest.raises(ArgumentError, match=r"parts\[0\] without \['period'"):
        Plan.from_json(json.dumps(data))


def test_a_saved_plan_draws_the_same_bits(tmp_path):
    plan = make_plan(
        net(), seed=5, evidence=Evidence(loss="cross_entropy", target=TARGET)
    )
    plan.save(tmp_path / "plan.json")

    loaded = Plan.load(tmp_path / "plan.json")

    assert loaded == plan
    for path, draw in plan.draws().items():
        assert np.array_equal(draw(None), loaded.draws()[path](None))


def test_the_file_names_its_schema(tmp_path):
    path = make_plan(net()).save(tmp_path / "plan.json")

    assert json.loads(path.read_text())["schema"] == "fanin.plan/1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "fanin.plan/9"}, "schema 'fanin.plan/9'"),
        ({"seed": -1}, "'seed' is a whole number"),
        ({"seed": 2**64}, "below 2⁶⁴"),
        ({"seed": None}, "'seed' is a whole number"),
        ({"policy": 3}, "'policy' is a text"),
        ({"is_calibrated": 1}, "'is_calibrated' is true or false"),
        ({"first_loss": "high"}, "'first_loss' is a number"),
        ({"warnings": "none"}, "'warnings' is a list"),
        ({"extra": 1}, r"with \['extra'\]"),
        ({"prescriptions": [{"path": "w"}]}, r"prescriptions\[0\] without \['shape'"),
        ({"prescriptions": ["w"]}, "is an object"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_with_the_place(change, message):
    data = {**json.loads(make_plan(net()).to_json()), **change}

    with pytest.raises(ArgumentError, match=message):
        Plan.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "3"])
def test_other_text_is_refused(text):
    with pytest.raises(ArgumentError, match=r"fanin\.plan/1"):
        Plan.from_json(text)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"none\.json"):
        Plan.load(tmp_path / "none.json")


def test_a_folder_that_does_not_exist_leaves_nothing_behind(tmp_path):
    with pytest.raises(OutputError, match="Cannot write"):
        make_plan(net()).save(tmp_path / "no" / "plan.json")

    assert list(tmp_path.iterdir()) == []


def test_an_old_file_survives_a_failed_write(tmp_path):
    (tmp_path / "plan.json").mkdir()

    with pytest.raises(OutputError):
        make_plan(net()).save(tmp_path / "plan.json")

    assert [p.name for p in tmp_path.iterdir()] == ["plan.json"]


def test_a_draw_depends_on_seed_path_and_index_alone():
    plan = make_plan(net(), seed=1)
    whole = plan.draws()["stem.weight"](None)
    index = np.array([3, 700, 0])

    part = plan.draws()["stem.weight"](index)

    assert np.array_equal(part, whole.ravel()[index])
    assert not np.array_equal(
        make_plan(net(), seed=2).draws()["stem.weight"](None), whole
    )


def test_listed_values_are_drawn_as_they_stand():
    plan = make_plan(net(), evidence=Evidence(loss="cross_entropy", target=TARGET))
    bias = plan.draws()["head.bias"]

    assert bias(None) == pytest.approx(plan["head.bias"].values)
    assert bias(np.array([9])) == pytest.approx(plan["head.bias"].values[9:])


def test_factors_multiply_std_and_gain_and_are_remembered():
    plan = make_plan(net())
    before = plan["stem.weight"]

    after = plan.with_factors({"stem.weight": 0.5})["stem.weight"]

    assert (after.std, after.gain) == (before.std / 2, before.gain / 2)
    assert after.factor == 0.5
    assert plan.with_factors({}).is_calibrated


def test_a_factor_for_an_unknown_path_is_refused():
    with pytest.raises(UnknownParameterError, match=r"stem\.weight"):
        make_plan(net()).with_factors({"stem.wieght": 2.0})


def test_calibration_aims_at_one_inside_and_less_at_ends_and_head():
    graph = net(4)

    targets = calibration_targets(make_plan(graph), graph)

    assert targets["stem.weight"] == pytest.approx(1.0)
    assert targets["blocks.0.b.weight"] == pytest.approx(0.5)
    assert targets["head.weight"] == pytest.approx(HEAD_RMS)
    assert "stem.bias" not in targets


def test_kept_weights_are_not_calibrated():
    graph = net()
    plan = make_plan(graph, overrides={"stem.weight": "keep", "head.weight": "zeros"})

    assert not {"stem.weight", "head.weight"} & set(calibration_targets(plan, graph))


def test_a_measurement_is_written_beside_the_prediction_without_the_bias():
    graph = net()
    evidence = Evidence(loss="cross_entropy", target=TARGET)
    plan = make_plan(graph, evidence=evidence)
    bias = np.array(plan["head.bias"].values)
    # Logits that are 0.3 ± √0.07 around the bias: 0.3² + 0.07 = 0.4².
    logits = bias + 0.3 + np.sqrt(0.07) * np.array([[1.0], [-1.0]])
    site = statistics_of(logits, unit_axis=1, batch_axis=0)
    measurement = Measurement(
        graph=graph,
        sites={graph.outputs[0]: site},
        loss=2.25,
        outputs=logits,
        gradients={"head.weight": np.array([3.0, -4.0])},
        batch_size=2,
    )

    verified = plan.verified(measurement)

    assert verified["head.weight"].measured == pytest.approx(0.4)
    assert verified["head.weight"].gradient == pytest.approx(np.sqrt(12.5))
    share = 0.07 / np.mean(np.square(logits))
    assert verified["head.weight"].input_share == pytest.approx(share)
    assert verified["stem.weight"].measured is None
    assert verified.measured_loss == 2.25


def test_the_table_fits_in_a_hundred_columns():
    text = str(make_plan(net(12)))

    assert max(len(line) for line in text.splitlines()) <= 100


def test_like_parameters_share_a_row():
    text = str(make_plan(net(12)))

    assert "blocks.{0…11}.b.weight (×12)" in text
    assert "blocks.3.b.weight" not in text


def test_a_seed_of_its_own_is_shown():
    assert "zeros, seed 7" in str(make_plan(net(), seeds={"head.bias": 7}))


def test_every_parameter_is_named_or_in_a_range():
    text = str(make_plan(net(1)))

    assert all(p.path in text for p in net(1).parameters)


def test_html_escapes_what_comes_from_the_model():
    sketch = Sketch()
    y = sketch.dense(sketch.input((8, 4)), 2, path="<b>")

    html = make_plan(sketch.graph(y))._repr_html_()

    assert "&lt;b&gt;.weight" in html
    assert "<b>" not in html


def test_html_has_a_row_for_each_row_of_the_table():
    html = make_plan(net(12))._repr_html_()

    assert html.count("<tr>") == 1 + 8


def test_a_path_that_is_not_there_names_the_nearest():
    with pytest.raises(UnknownParameterError, match=r"Did you mean 'head\.bias'"):
        make_plan(net())["head.bais"]
