"""Tables, tokens and the streams that begin with them get sizes that fit together."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.graph.roles import roles
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan
from fanin.prescription.choosing.embedded import rooms_of

N_ROWS, WIDTH = 500, 64


def gelu(x):
    return 0.5 * x * (1.0 + np.tanh(sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def language_model(*, is_tied=True, factor=1.0, n_blocks=3, has_positions=True):
    """Draw a pre-norm stream of branches over a table, which may be the head too."""
    sketch = Sketch()
    ids = sketch.input((4, 6))
    x = sketch.lookup(ids, N_ROWS, WIDTH, path="table")
    if factor != 1.0:
        x = sketch.apply(x, lambda z: factor * z)
    if has_positions:
        places = sketch.parameter("places", (6, WIDTH))
        x = sketch.combine(Op.ADD, x, places)
    for i in range(n_blocks):
        z = sketch.normalize(x, path=f"{i}.norm", kind="layer")
        z = sketch.apply(sketch.dense(z, 2 * WIDTH, path=f"{i}.up"), gelu)
        x = sketch.combine(Op.ADD, x, sketch.dense(z, WIDTH, path=f"{i}.down"))
    x = sketch.normalize(x, path="norm", kind="layer")
    head = "table" if is_tied else "head"
    return sketch.graph(sketch.dense(x, N_ROWS, path=head))


def stds(plan):
    return {p.path: p.std for p in plan.prescriptions}


def test_a_tied_table_gives_small_logits():
    std = stds(make_plan(language_model()))["table.weight"]

    assert std * sqrt(WIDTH) == pytest.approx(0.2, rel=1e-9)


def test_positions_are_as_large_as_the_tied_rows_that_they_are_added_to():
    found = stds(make_plan(language_model()))

    assert found["places"] == pytest.approx(found["table.weight"], rel=1e-5)


def test_positions_are_as_large_as_what_a_factor_makes_of_the_rows():
    found = stds(make_plan(language_model(factor=8.0)))

    assert found["places"] == pytest.approx(8.0 * found["table.weight"], rel=1e-5)


def test_untied_tables_have_their_share_of_a_stream_of_size_one():
    found = stds(make_plan(language_model(is_tied=False)))

    assert found["table.weight"] == pytest.approx(sqrt(1 / 2), rel=1e-5)
    assert found["places"] == pytest.approx(sqrt(1 / 2), rel=1e-5)


@pytest.mark.parametrize("n_blocks", [1, 4])
def test_branches_of_a_tied_stream_are_as_small_as_the_stream(n_blocks):
    tied = make_plan(language_model(n_blocks=n_blocks))
    free = make_plan(language_model(n_blocks=n_blocks, is_tied=False))

    for i in range(n_blocks):
        path = f"{i}.down.weight"
        size = tied["table.weight"].std * sqrt(2)
        assert tied[path].target == pytest.approx(size * free[path].target, rel=1e-6)
        assert tied[f"{i}.up.weight"].std == pytest.approx(
            free[f"{i}.up.weight"].std, rel=0.01
        )


def test_a_factor_before_the_tied_head_is_made_up_for():
    sketch = Sketch()
    x = sketch.lookup(sketch.input((4, 6)), N_ROWS, WIDTH, path="table")
    x = sketch.normalize(x, path="norm", kind="layer")
    x = sketch.apply(x, lambda z: z / 8.0)
    graph = sketch.graph(sketch.dense(x, N_ROWS, path="table"))

    std = rooms_of(Flow(graph), roles(graph)).rows["table.weight"].std
    a = std * sqrt(WIDTH) / 8.0

    assert 0.1 < a <= 0.2


def test_a_class_token_is_as_large_as_the_positions_that_it_stands_among():
    sketch = Sketch()
    patches = sketch.dense(sketch.input((4, 5, 12)), WIDTH, path="patches")
    token = sketch.parameter("token", (1, WIDTH))
    row = sketch.add_node(
        Op.CONCAT,
        (token, patches),
        shape=(4, 6, WIDTH),
        unit_axis=2,
        details={"axis": 1},
    )
    places = sketch.parameter("places", (6, WIDTH))
    x = sketch.combine(Op.ADD, row, places)
    graph = sketch.graph(sketch.dense(sketch.normalize(x, path="n"), 3, path="head"))

    found = rooms_of(Flow(graph), roles(graph)).rows

    assert found["token"].std == pytest.approx(sqrt(1 / 2))
    assert found["places"].std == pytest.approx(sqrt(1 / 2))
