"""A plan's page shows every parameter, the sizes, and what was warned of."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np

from fanin.graph.sketch import Sketch
from fanin.prescription import Plan, make_plan
from fanin.report.plan import body, html, page_of


def relu(x):
    return np.maximum(x, 0.0)


def plan(function=relu, n_hidden=3):
    sketch = Sketch()
    z = sketch.input((8, 20))
    for i in range(n_hidden):
        z = sketch.apply(sketch.dense(z, 40, path=f"layers.{i}"), function)
    return make_plan(sketch.graph(sketch.dense(z, 10, path="head<1>")))


def measured(made, factor=1.0):
    filled = (
        replace(p, measured=None if p.predicted is None else p.predicted * factor)
        for p in made.prescriptions
    )
    return replace(made, prescriptions=tuple(filled))


def test_a_page_names_every_parameter_and_escapes_it():
    text = page_of(plan())

    assert "layers.0.weight" in text
    assert "head&lt;1&gt;.weight" in text
    assert "head<1>" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


def test_the_embedded_json_is_the_plan():
    made = plan()
    data = re.search(r"<script[^>]*json[^>]*>(.*?)</script>", page_of(made), re.DOTALL)

    restored = Plan.from_json(data.group(1).replace("\\u003c", "<"))

    assert restored == made


def test_the_chart_is_well_formed_and_shows_the_prediction():
    drawing = re.search(r"<svg.*?</svg>", page_of(plan()), re.DOTALL).group(0)

    ET.fromstring(drawing)
    assert "predicted" in drawing
    assert "measured</text>" not in drawing


def test_measured_sizes_are_drawn_and_counted():
    inside = page_of(measured(plan()))
    outside = page_of(measured(plan(), factor=30.0))

    assert "4 of 4 measured outputs lie within" in inside
    assert "0 of 4 measured outputs lie within" in outside


def test_a_warning_stands_above_the_table():
    text = body(replace(plan(), warnings=("This repels.",)))

    assert text.index("This repels.") < text.index("<table")


def test_a_notebook_gets_the_styles_with_it():
    assert "<style>" in html(plan())


def test_a_plan_without_predictions_has_no_chart():
    bare = Plan(prescriptions=(), seed=0)

    assert "<svg" not in page_of(bare)


def test_a_page_says_how_each_role_was_found():
    text = body(plan())

    assert "How each role was found" in text
    assert "input layer: reads the model&#x27;s input" in text


def test_columns_that_are_empty_throughout_are_left_out():
    plain, rated = plan(), plan()
    rated = replace(
        rated,
        prescriptions=tuple(
            replace(p, learning_rate=0.25) for p in rated.prescriptions
        ),
    )

    assert "learning rate" not in body(plain)
    assert "×0.25" in body(rated)


def test_measured_gradients_have_a_chart_and_measured_losses_a_line():
    made = plan()
    graded = replace(
        made,
        measured_loss=2.25,
        prescriptions=tuple(replace(p, gradient=0.5) for p in made.prescriptions),
    )
    drawings = re.findall(r"<svg.*?</svg>", page_of(graded), re.DOTALL)

    assert len(drawings) == 2
    ET.fromstring(drawings[1])
    assert "First loss: 2.25 measured." in body(graded)
    assert "Gradients of the loss by the weights range from 0.5 to 0.5." in page_of(
        graded
    )
