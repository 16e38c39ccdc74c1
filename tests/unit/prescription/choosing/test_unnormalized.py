"""Graphs of streams or products that normalize nowhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from fanin.frameworks.find import find
from fanin.graph import Task
from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription.choosing.unnormalized import is_unnormalized


def relu(x):
    return np.maximum(x, 0.0)


def chain():
    sketch = Sketch()
    z = sketch.apply(sketch.dense(sketch.input((8, 6)), 6, path="0"), relu)
    return sketch.graph(sketch.dense(z, 6, path="1"))


def stream(*, is_normed=False):
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 6)), 6, path="0")
    z = sketch.normalize(x, path="norm", kind="layer") if is_normed else x
    z = sketch.apply(sketch.dense(z, 6, path="1"), relu)
    return sketch.graph(sketch.combine(Op.ADD, x, sketch.dense(z, 6, path="2")))


def product():
    sketch = Sketch()
    x = sketch.input((8, 6))
    pair = (sketch.dense(x, 6, path=path) for path in "ab")
    return sketch.graph(sketch.dense(sketch.combine(Op.MULTIPLY, *pair), 3, path="c"))


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (chain(), False),
        (stream(), True),
        (stream(is_normed=True), False),
        (product(), True),
    ],
    ids=["chain", "stream", "normalized stream", "product"],
)
def test_streams_and_products_without_a_normalization_are_found(graph, expected):
    assert is_unnormalized(Flow(graph)) is expected


@pytest.mark.parametrize("cell", [nn.LSTM, nn.GRU])
def test_the_sums_and_products_of_a_recurrent_cell_do_not_count(cell):
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = cell(4, 6, batch_first=True)
            self.head = nn.Linear(6, 2)

        def forward(self, x):
            return self.head(self.cell(x)[0][:, -1])

    model = Last()
    graph = find(model).record(model, Task(batch=torch.zeros(2, 3, 4)))

    assert not is_unnormalized(Flow(graph))
