"""What is written in place or in part is recorded as what it does to the numbers."""

import pytest
import torch
from torch import nn

from benchmarks.models.torch_build import Written
from fanin.frameworks import torch as framework
from fanin.graph import Op, Task


def record(model, *shape):
    return framework.record(model, Task(batch=torch.ones(shape)))


def measured(model, batch):
    return framework.measure(model, Task(batch=batch))


def ops(graph):
    return [str(node.op) for node in graph.nodes]


def filled_step_by_step(_, x):
    out = torch.empty_like(x)
    for step in range(x.shape[1]):
        out[:, step] = torch.tanh(x[:, step])
    return out


def filled_in_turns(_, x):
    out = torch.zeros(x.shape[0], 6, device=x.device)
    out[:, ::2] = torch.sin(x)
    out[:, 1::2] = torch.cos(x)
    return out


def added_in_a_view(_, x):
    hidden = torch.tanh(x).clone()
    hidden[:, 0] += 1.0
    return hidden


def read_before_it_is_full(_, x):
    out = torch.zeros_like(x)
    out[:, 0] = torch.tanh(x[:, 0])
    first = out[:, 0] * 2.0
    out[:, 1] = first
    return out


@pytest.mark.parametrize(
    "forward",
    [filled_step_by_step, filled_in_turns, added_in_a_view, read_before_it_is_full],
)
def test_a_tensor_filled_part_by_part_has_no_opaque_node(forward):
    graph = record(Written(forward), 5, 3)

    assert "opaque" not in ops(graph)
    assert not graph.is_measured


@pytest.mark.parametrize(
    "forward",
    [filled_step_by_step, filled_in_turns, added_in_a_view, read_before_it_is_full],
)
def test_the_measured_whole_has_the_statistics_of_the_output(forward):
    generator = torch.Generator().manual_seed(3)
    batch = torch.randn(7, 3, generator=generator)
    model = Written(lambda held, x: forward(held, x @ held.w), w=torch.eye(3))

    found = measured(model, batch)

    (last,) = found.graph.outputs
    expected = forward(None, batch.clone())
    if last in found.sites:
        assert found.sites[last].mean == pytest.approx(float(expected.mean()), abs=1e-6)
    assert torch.allclose(torch.from_numpy(found.outputs).float(), expected)


def test_steps_of_a_loop_are_joined_once():
    graph = record(Written(filled_step_by_step), 5, 3)

    assert ops(graph).count("concat") == 1


def test_a_slice_of_what_is_being_filled_is_the_part_that_was_written():
    conv = nn.Conv1d(3, 4, 3, padding=1, padding_mode="circular")
    graph = framework.record(conv, Task(batch=torch.ones(2, 3, 6)))

    assert ops(graph) == ["input", "rearrange", "rearrange", "concat", "linear"]


@pytest.mark.parametrize(
    ("forward", "share"),
    [
        (lambda _, x: torch.where(x.new_ones(6).cumsum(0) > 4, x, 0.0), 2 / 6),
        (lambda _, x: x.masked_fill(x.new_ones(6).cumsum(0) > 4, 0.0), 4 / 6),
    ],
    ids=["where", "masked_fill"],
)
def test_a_constant_mask_is_a_product_with_its_share(forward, share):
    graph = record(Written(forward), 5, 6)

    mask = next(node for node in graph.nodes if node.op is Op.CONSTANT)
    assert "multiply" in ops(graph)
    assert mask.details["mean"] == pytest.approx(share)
    assert mask.details["second_moment"] == pytest.approx(share)


def test_a_mask_of_the_activations_own_numbers_stays_their_function():
    graph = record(Written(lambda _, x: torch.where(x > 0, x, 0.1 * x)), 5, 6)

    assert ops(graph) == ["input", "elementwise"]


def test_entries_put_at_an_index_are_told_by_two_masks():
    def forward(held, x):
        hidden = x @ held.w
        return hidden.index_put((torch.tensor([0, 2], device=x.device),), held.v)

    model = Written(forward, w=torch.ones(3, 3), v=torch.ones(3))
    graph = record(model, 5, 3)

    masks = [n.details["mean"] for n in graph.nodes if n.op is Op.CONSTANT]
    assert "opaque" not in ops(graph)
    assert sorted(masks) == pytest.approx([3 / 5]) or sorted(masks) == pytest.approx(
        [2 / 5, 3 / 5]
    )


def test_a_cumulative_sum_is_a_window_that_reaches_back():
    graph = record(Written(lambda _, x: torch.cumsum(x, 1)), 5, 4)

    node = graph.nodes[-1]
    (window,) = node.details["windows"]
    assert (node.op, node.details["kind"]) == (Op.REDUCE, "sum")
    assert (window.kernel, window.low, window.n_out) == (4, 3, 4)


def test_a_block_that_is_written_is_told_by_two_masks():
    def forward(_, x):
        out = torch.tanh(x).clone()
        out[1:, 1:] = torch.sin(x[1:, 1:])
        return out

    graph = record(Written(forward), 5, 3)

    masks = [n.details["mean"] for n in graph.nodes if n.op is Op.CONSTANT]
    assert sorted(masks) == pytest.approx([7 / 15, 8 / 15])
    assert "opaque" not in ops(graph)


def test_a_parameter_that_is_zero_by_now_stays_in_the_graph():
    def forward(held, x):
        return torch.where(torch.arange(3, device=x.device) > 0, x @ held.w, held.v)

    model = Written(forward, w=torch.ones(3, 3), v=torch.zeros(3))
    graph = record(model, 5, 3)

    assert [n.path for n in graph.nodes if n.op is Op.PARAMETER] == ["v"]
