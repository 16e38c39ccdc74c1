"""Coverage tells what is not read from what is not understood."""

from __future__ import annotations

import pytest

from fanin.graph.graph import Op
from fanin.graph.roles.coverage import coverage
from fanin.graph.sketch import Sketch


def test_a_parameter_read_in_an_unknown_way_lowers_both_shares():
    sketch = Sketch()
    sketch.hold("spare", (5,))
    x = sketch.dense(sketch.input((8, 3)), 4, path="0", has_bias=False)
    odd = sketch.parameter("odd", (4,))
    z = sketch.add_node(Op.SOFTMAX, (odd,), details={"axis": 0})
    found = coverage(sketch.graph(sketch.combine(Op.MULTIPLY, x, z)))

    assert found.unread == ("spare",)
    assert found.unknown == ("odd",)
    assert found.by_count == pytest.approx(2 / 3)
    assert found.by_size == pytest.approx(17 / 21)


def test_a_model_without_parameters_is_understood():
    sketch = Sketch()

    assert coverage(sketch.graph(sketch.input((8, 3)))).by_count == 1.0
