"""What cannot be recorded is refused with one error that says where and what to do."""

import warnings
from collections import UserDict
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from benchmarks.models.torch_build import Written
from fanin.errors import ModelError
from fanin.frameworks import torch as framework
from fanin.graph import Task


def record(model, batch):
    return framework.record(model, Task(batch=batch))


def by_its_sum(held, x):
    hidden = held.inner(x)
    return hidden if hidden.sum() > 0 else -hidden  # the line


def by_its_rows(held, x):
    hidden = held.inner(x)
    return hidden[hidden[:, 0] > 0]  # the line


def line(forward):
    return forward.__code__.co_firstlineno + 2


@pytest.mark.parametrize("forward", [by_its_sum, by_its_rows])
def test_a_meta_model_that_looks_at_numbers_is_refused_at_its_line(forward):
    model = Written(forward, inner=nn.Linear(4, 3)).to("meta")

    with pytest.raises(ModelError) as caught:
        record(model, torch.ones(5, 4, device="meta"))

    assert f"test_record_refusals.py:{line(forward)}" in str(caught.value)
    assert "meta device" in str(caught.value)


@pytest.mark.parametrize("forward", [by_its_sum, by_its_rows])
def test_the_same_model_with_memory_runs_on_its_numbers(forward):
    graph = record(Written(forward, inner=nn.Linear(4, 3)), torch.ones(5, 4))

    assert graph.is_measured


def test_an_error_of_the_model_names_its_line():
    def forward(_, x):
        hidden = torch.tanh(x)
        raise KeyError(hidden.shape)  # the line

    with pytest.raises(ModelError, match=f"test_record_refusals.py:{line(forward)}"):
        record(Written(forward), torch.ones(5, 4))


def test_a_complex_parameter_is_refused_by_name():
    model = Written(lambda held, x: x, w=torch.ones(4, 3, dtype=torch.complex64))

    with pytest.raises(ModelError, match=r"'w' holds complex numbers \(complex64\)"):
        record(model, torch.ones(5, 4))


def quantized():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = nn.Sequential(nn.Linear(4, 3))
        return torch.ao.quantization.quantize_dynamic(model, {nn.Linear})


def test_a_quantized_layer_is_refused_by_name():
    with pytest.raises(ModelError, match="'0' is quantized"):
        record(quantized(), torch.ones(5, 4))


def test_parameters_that_share_a_part_of_their_memory_are_refused_by_name():
    whole = torch.ones(6, 4)
    model = Written(lambda held, x: x, a=whole, b=whole[:3])

    with pytest.raises(ModelError, match="'a' and 'b' share a part"):
        record(model, torch.ones(5, 4))


def test_neighbours_in_one_storage_share_nothing():
    whole = torch.ones(6, 4)
    model = Written(lambda held, x: x @ (held.a + held.b).T, a=whole[:3], b=whole[3:])

    assert len(record(model, torch.ones(5, 4)).parameters) == 2


@dataclass(frozen=True)
class Sample:
    image: torch.Tensor
    scale: float


@pytest.mark.parametrize(
    ("forward", "batch"),
    [
        (lambda held, s: held.inner(s.image) * s.scale, Sample(torch.ones(5, 4), 2.0)),
        (lambda held, a: held.inner(a), UserDict(a=torch.ones(5, 4))),
        (
            lambda held, a, b: held.inner(a + b["c"][0]),
            {
                "a": torch.ones(5, 4),
                "b": {"c": [torch.ones(5, 4)]},
            },
        ),
        (lambda held, a, b: held.inner(a + b), (torch.ones(5, 4), torch.ones(5, 4))),
    ],
    ids=["dataclass", "mapping", "nested keywords", "positional"],
)
def test_a_batch_of_any_kind_is_an_input_with_its_samples(forward, batch):
    graph = record(Written(forward, inner=nn.Linear(4, 3)), batch)

    first = graph.nodes[0]
    assert (str(first.op), first.batch_axis) == ("input", 0)
    assert len(graph.linears) == 1
    assert not graph.is_measured


def test_what_a_function_calls_the_model_with_is_the_batch():
    graph = record(nn.Linear(4, 3), lambda model: model(torch.ones(5, 4)))

    assert [(str(n.op), n.batch_axis) for n in graph.nodes] == [
        ("input", 0),
        ("linear", 0),
    ]


def test_a_first_axis_that_the_output_does_not_share_is_not_the_samples():
    model = Written(lambda held, x: held.inner(x).mean(0), inner=nn.Linear(4, 3))
    graph = record(model, lambda model: model(torch.ones(5, 4)))

    assert {node.batch_axis for node in graph.nodes} == {None}
