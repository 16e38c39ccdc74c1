"""Every family of `transformers` is read as what it is; torch's own hooks say what ran.

`benchmarks/models/transformers.py` has the models. What a graph must hold is counted
without it: forward hooks on the layers, and autograd for the parameters.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

import fanin
from benchmarks.models import transformers as models
from benchmarks.models.family import LAYERS
from fanin.frameworks import torch as framework
from fanin.graph import Op, Task
from fanin.graph.roles import RoleKind, roles

LAYER_KINDS = (nn.Linear, nn.Embedding, nn.modules.conv._ConvNd, Conv1D)
EVERYDAY = {"gpt2", "llama", "bert", "t5", "vit", "convnext"}
FAMILIES = [
    pytest.param(name, marks=() if name in EVERYDAY else pytest.mark.slow)
    for name in models.zoo()
]
# Linear nodes whose weights no layer of LAYER_KINDS calls: parameters of the family's
# own modules (routers, experts, attention written by hand, tables of biases), or
# layers whose weight is read past their forward.
BESIDE_LAYERS = {
    "mixtral": 3 * LAYERS,  # the router and the experts' two weights
    "qwen2_moe": 3 * LAYERS,
    "mamba": 2 * LAYERS,  # the convolution and the step size of each scan
    "mamba2": LAYERS,
    "xlnet": 5 * LAYERS,  # queries, keys, values, positions, output
    "swin": 4,  # a table of relative positions in each block
}
MISREAD = {"deberta": 4}  # a table of positions times a weight: which is the weight?
MOST_OPAQUE = {"mamba2": 4, "rwkv": 60}


@dataclass(frozen=True)
class Case:
    """A model, its graph, and what torch saw: calls by weight, parameters by use."""

    model: nn.Module
    task: Task
    graph: object
    calls: Counter
    used: frozenset


def call(model, batch):
    if isinstance(batch, dict):
        return model(**batch)
    return model(*batch) if isinstance(batch, tuple) else model(batch)


def weight_of(layer):
    """The layer's weight, or the largest parameter that it is computed from."""
    if not hasattr(layer, "parametrizations"):
        return layer.weight
    return max(layer.parametrizations.weight.parameters(), key=torch.Tensor.numel)


def watched(model, batch) -> tuple[Counter, set[str]]:
    """Run the model and count the calls of its layers by the weight's name."""
    names = {id(p): name for name, p in model.named_parameters()}
    calls, used = Counter(), set()

    def note(module, _inputs, _output):
        used.update(names[id(p)] for p in module.parameters(recurse=False))
        if isinstance(module, LAYER_KINDS):
            calls[names[id(weight_of(module))]] += 1

    hooks = [module.register_forward_hook(note) for module in model.modules()]
    with torch.no_grad():
        call(model, batch)
    for hook in hooks:
        hook.remove()
    return calls, used


@cache
def case(name: str) -> Case:
    torch.manual_seed(0)
    model, batch = models.zoo()[name]()
    task = Task(batch=batch)
    graph = framework.record(model, task)
    calls, _ = watched(model, batch)
    reached = {
        path
        for path, gradient in framework.gradients(model, task, {}).items()
        if gradient is not None
    }
    return Case(model, task, graph, calls, frozenset(reached))


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


every_family = partial(pytest.mark.parametrize, "name", FAMILIES)


@every_family()
def test_each_call_of_a_layer_is_one_linear_node(name):
    found = case(name)
    graph = found.graph
    linears = Counter(graph.parameter(node.weight.path).path for node in graph.linears)

    missed = found.calls - linears
    assert missed.total() <= MISREAD.get(name, 0), missed
    beside = linears.total() - found.calls.total()
    assert beside == BESIDE_LAYERS.get(name, 0)


@every_family()
def test_every_parameter_that_gets_a_gradient_is_in_the_graph(name):
    found = case(name)

    assert found.used <= names_in(found.graph)


@every_family()
def test_few_operations_are_opaque(name):
    graph = case(name).graph

    opaque = [node for node in graph.nodes if node.op is Op.OPAQUE]

    assert len(opaque) <= MOST_OPAQUE.get(name, 0), Counter(
        node.primitives[:1] for node in opaque
    )


@every_family()
def test_shapes_alone_are_enough(name):
    assert not case(name).graph.is_measured


@every_family()
def test_the_role_of_every_parameter_that_is_read_is_known(name):
    found = case(name)

    known = roles(found.graph)

    unknown = {path for path in found.used if known[path].kind == RoleKind.UNKNOWN}
    assert not unknown


@every_family()
def test_the_plan_gives_finite_outputs_and_gradients(name):
    torch.manual_seed(0)
    model, batch = models.zoo()[name]()

    plan = fanin.init(model, batch, seed=0)

    after = framework.measure(model, Task(batch=batch))
    assert len(plan.prescriptions) == len(case(name).graph.parameters)
    assert np.isfinite(after.outputs).all()
    assert all(
        gradient is None or np.isfinite(gradient).all()
        for gradient in after.gradients.values()
    )


def test_the_zoo_builds_the_same_batch_twice():
    for build in models.zoo().values():
        first, second = build()[1], build()[1]
        pairs = (
            [(first[key], second[key]) for key in first]
            if isinstance(first, dict)
            else [(first, second)]
        )
        assert all(torch.equal(a, b) for a, b in pairs)
