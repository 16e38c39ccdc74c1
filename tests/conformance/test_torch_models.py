"""What must hold of every torch model, whatever it is made of."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from fanin.frameworks import torch as framework
from fanin.graph import Op, Task
from fanin.graph.calibration import Aim

_SPEC = importlib.util.spec_from_file_location(
    "torch_zoo", Path(__file__).parent / "torch_zoo.py"
)
torch_zoo = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(torch_zoo)


@pytest.fixture(params=torch_zoo.ZOO)
def model_and_task(request):
    torch.manual_seed(0)
    make, batch = torch_zoo.ZOO[request.param]
    return make(), Task(batch=batch, seed=1)


def names_in(graph) -> set[str]:
    """Every parameter that some node of the graph speaks of."""
    found: set[str] = set()
    for node in graph.nodes:
        found.update(p for p in (node.bias, node.scale) if p is not None)
        found.update(node.details.get("computed_from", ()))
        if node.weight is not None:
            found.add(node.weight.path)
        if node.op is Op.PARAMETER:
            found.add(node.path)
    return {graph.parameter(path).path for path in found}


def uses(graph) -> set[str]:
    """Which weights linear nodes use, and how."""
    return {str(node.weight) for node in graph.linears}


def test_every_parameter_that_gets_a_gradient_is_in_the_graph(model_and_task):
    model, task = model_and_task
    graph = framework.record(model, task)

    gradients = framework.gradients(model, task, {})

    reached = {path for path, gradient in gradients.items() if gradient is not None}
    assert reached <= names_in(graph)


def test_the_graph_is_in_order_and_whole(model_and_task):
    model, task = model_and_task

    graph = framework.record(model, task)

    assert [node.id for node in graph.nodes] == list(range(len(graph.nodes)))
    assert all(i < node.id for node in graph.nodes for i in node.inputs)
    assert graph.outputs
    for node in graph.nodes:
        axes = {node.unit_axis, node.batch_axis} - {None}
        assert all(axis < len(node.shape) for axis in axes)
        assert (node.op is Op.LINEAR) == (node.weight is not None)
        assert (node.op is Op.ELEMENTWISE) == (node.function is not None)


def test_shapes_alone_and_numbers_give_one_graph(model_and_task):
    model, task = model_and_task

    on_shapes = framework.record(model, task)
    on_numbers = framework.measure(model, task).graph

    assert on_numbers.is_measured
    assert uses(on_shapes) == uses(on_numbers)
    if any(isinstance(module, torch.nn.RNNBase) for module in model.modules()):
        return  # torch orders the gates of all steps in another way on meta
    assert [n.op for n in on_shapes.nodes] == [n.op for n in on_numbers.nodes]
    assert [n.shape for n in on_shapes.nodes] == [n.shape for n in on_numbers.nodes]
    assert [n.inputs for n in on_shapes.nodes] == [n.inputs for n in on_numbers.nodes]
    assert [n.weight for n in on_shapes.nodes] == [n.weight for n in on_numbers.nodes]


def test_an_elementwise_node_computes_what_ran(model_and_task):
    """Second moments of the function on the measured input and of the output agree."""
    model, task = model_and_task
    found = framework.measure(model.eval(), task)

    for node in found.graph.nodes:
        small = node.op is Op.ELEMENTWISE and np.prod(node.shape) <= 4096
        if small and node.inputs[0] in found.sites and node.id in found.sites:
            given = found.sites[node.inputs[0]].sample
            expected = node.function(given)
            np.testing.assert_allclose(
                found.sites[node.id].sample, expected, rtol=2e-4, atol=2e-5
            )


def test_measured_gradients_are_those_of_gradients(model_and_task):
    model, task = model_and_task

    measured = framework.measure(model, task).gradients
    plain = framework.gradients(model, task, {})

    assert measured.keys() == plain.keys()
    for path, gradient in plain.items():
        if gradient is None:
            assert measured[path] is None
        else:
            np.testing.assert_allclose(
                measured[path], gradient, rtol=1e-3, atol=1e-5 * np.abs(gradient).max()
            )


def test_calibration_reaches_its_targets(model_and_task):
    model, task = model_and_task
    model.eval()
    graph = framework.record(model, task)
    first = {}
    for node in graph.linears:
        if "computed_from" not in node.details:
            first.setdefault(node.weight.path, node)
    values = {p: v for p, v in framework.read(model).items() if p in first}
    aims = dict.fromkeys(first, Aim(size=0.5))

    factors = framework.calibrate(model, task, values, aims).factors

    scaled = {path: values[path] * factor for path, factor in factors.items()}
    again = framework.calibrate(model, task, scaled, aims).factors
    assert set(factors) == set(first)
    assert again == pytest.approx(dict.fromkeys(first, 1.0), rel=1e-4)
