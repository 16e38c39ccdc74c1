"""Record what a torch model does: a Graph, from one run on shapes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.errors import FaninError
from fanin.frameworks.torch.batch import arguments_of
from fanin.frameworks.torch.loan import borrowed, copies, shapes_alone
from fanin.frameworks.torch.recording import Portrait, Recording, recorded
from fanin.frameworks.torch.run import told

if TYPE_CHECKING:
    import torch

    from fanin.frameworks.torch.batch import Arguments
    from fanin.graph import Graph, Task


def record(model: Any, task: Task) -> Graph:
    """Run the model once and write down what ran.

    It runs on meta tensors, which have shapes and no numbers: nothing is computed and
    fused layers fall apart into the operations they consist of. A model that looks at
    its numbers cannot run so; it runs once on copies of its own parameters instead.

    Raises:
        NoStorageError: if a parameter is lazy, or the model is on the meta device and
            cannot run there.
        BatchError: if the batch holds NaN, or the model's error speaks of shapes.
        ModelError: if the model raises anything else.

    >>> import torch
    >>> from fanin.graph import Task
    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    >>> graph = record(net, Task(batch=torch.ones(5, 4)))
    >>> [(str(node.op), node.path, node.shape) for node in graph.nodes]
    [('input', '', (5, 4)), ('linear', '0', (5, 3)), ('elementwise', '1', (5, 3))]
    """
    arguments = arguments_of(model, task)
    found = on_shapes(model, task, arguments, Portrait.of(model))
    return (found or on_numbers(model, task, arguments)).graph


def on_shapes(
    model: Any, task: Task, arguments: Arguments, portrait: Portrait
) -> Recording | None:
    """Run the model once on shapes alone; None where it looks at its numbers.

    Raises:
        FaninError: what a model on the meta device raises: it cannot run otherwise.
    """
    on_meta = shapes_alone(model)
    is_meta_model = any(parameter.is_meta for parameter in model.parameters())
    try:
        shapes = arguments.map(_shape_alone)
        with borrowed(model, on_meta, task.seed), told(model, shapes):
            return recorded(model, shapes, on_meta, portrait, on_numbers=arguments)
    except FaninError:
        if is_meta_model:
            raise
    return None


def on_numbers(model: Any, task: Task, arguments: Arguments) -> Recording:
    """Run the model once on copies of its own parameters."""
    substitutes = copies(model)
    portrait = Portrait.of(model)
    with borrowed(model, substitutes, task.seed), told(model, arguments):
        return recorded(model, arguments.copied(), substitutes, portrait)


def _shape_alone(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to("meta")
