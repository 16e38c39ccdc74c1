"""Ways of writing a model that hide what it computes, recorded as what they compute."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from benchmarks.models.torch_build import Written
from fanin.frameworks import torch as framework
from fanin.graph import Op, Task


def dense(n_in=4, n_out=3):
    return nn.Linear(n_in, n_out)


def called_with_its_own_parameters(held, x):
    own = dict(held.inner.named_parameters())
    return torch.func.functional_call(held.inner, own, (x,))


def mapped_over_members(held, x):
    return torch.func.vmap(lambda w: x @ w)(held.w).mean(0)


def gradient_inside(held, x):
    return torch.func.grad(lambda z: torch.tanh(held.inner(z)).sum())(x)


def checkpointed(held, x):
    def run(z):
        return torch.relu(held.inner(z))

    return checkpoint(run, x, use_reentrant=False)


def low_rank_beside(held, x):
    return held.inner(x) + 2.0 * (x @ held.a.T @ held.b.T)


def low_rank_merged(held, x):
    return functional.linear(x, held.inner.weight + held.b @ held.a, held.inner.bias)


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 2.0 * x * gradient


def in_half_precision(held, x):
    with torch.autocast("cpu", torch.bfloat16):
        return held.inner(x).relu().float()


def looped(held, x):
    for _ in range(3):
        x = x + torch.tanh(held.inner(x))
    return x


def by_hand_in_letters(held, x):
    heads = held.inner(x).unflatten(-1, (3, 2, 2))
    query, key, value = heads.unbind(-3)
    shares = torch.einsum("bihd,bjhd->bhij", query, key).softmax(-1)
    return torch.einsum("bhij,bjhd->bihd", shares, value).flatten(-2)


def unit_rows(held, x):
    return functional.normalize(held.inner(x), dim=-1)


RANK = {"a": torch.ones(2, 4), "b": torch.ones(3, 2)}

MODELS = {
    "functional_call": (called_with_its_own_parameters, {"inner": dense}, 1),
    "vmap": (mapped_over_members, {"w": lambda: torch.ones(7, 4, 3)}, 1),
    "grad inside": (gradient_inside, {"inner": dense}, 2),
    "checkpoint": (checkpointed, {"inner": dense}, 1),
    "low rank": (low_rank_beside, {"inner": dense, **RANK}, 3),
    "low rank merged": (low_rank_merged, {"inner": dense, **RANK}, 1),
    "custom function": (lambda h, x: Square.apply(h.inner(x)), {"inner": dense}, 1),
    "autocast": (in_half_precision, {"inner": dense}, 1),
    "loop": (looped, {"inner": lambda: dense(4, 4)}, 3),
    "0-dim": (
        lambda h, x: h.inner(x) * h.g,
        {"inner": dense, "g": torch.tensor(2.0)},
        1,
    ),
    "norm": (unit_rows, {"inner": dense}, 1),
}


def model_of(name):
    forward, held, _ = MODELS[name]
    made = {key: item() if callable(item) else item for key, item in held.items()}
    return Written(forward, **{k: _copied(item) for k, item in made.items()})


def _copied(item):
    return item.clone() if isinstance(item, torch.Tensor) else item


def record(model, *shape):
    return framework.record(model, Task(batch=torch.ones(shape)))


@pytest.mark.parametrize("name", MODELS)
def test_each_use_of_a_weight_is_one_linear_node(name):
    graph = record(model_of(name), 5, 4)

    assert len(graph.linears) == MODELS[name][2]
    assert not [node for node in graph.nodes if node.op is Op.OPAQUE]
    assert not graph.is_measured


@pytest.mark.parametrize("name", MODELS)
def test_the_meta_device_and_real_numbers_show_the_same_nodes(name):
    model = model_of(name)
    batch = torch.randn(5, 4, generator=torch.Generator().manual_seed(2))

    on_meta = framework.record(model, Task(batch=batch))
    on_numbers = framework.measure(model, Task(batch=batch)).graph

    assert [n.op for n in on_meta.nodes] == [n.op for n in on_numbers.nodes]


SEQUENCES = {
    "lstm": lambda: nn.LSTM(8, 5, batch_first=True),
    "projected": lambda: nn.LSTM(8, 5, batch_first=True, proj_size=3),
    "both ways": lambda: nn.GRU(8, 5, 2, batch_first=True, bidirectional=True),
    "plain": lambda: nn.RNN(8, 5, batch_first=True),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_every_weight_of_a_recurrent_layer_is_used(name):
    model = Written(lambda held, x: held.inner(x)[0], inner=SEQUENCES[name]())
    graph = record(model, 3, 6, 8)

    weights = {p.path for p in graph.parameters if ".weight" in p.path}
    assert {node.weight.path for node in graph.linears} == weights
    assert not [node for node in graph.nodes if node.op is Op.OPAQUE]


def test_a_packed_batch_is_rows_in_another_order():
    def forward(held, x):
        packed = nn.utils.rnn.pack_padded_sequence(x, [6, 4, 2], batch_first=True)
        made, _ = held.inner(packed)
        return nn.utils.rnn.pad_packed_sequence(made, batch_first=True)[0]

    graph = record(Written(forward, inner=nn.LSTM(8, 5, batch_first=True)), 3, 6, 8)

    assert not [node for node in graph.nodes if node.op is Op.OPAQUE]
    assert not graph.is_measured


def test_attention_in_letters_has_one_softmax_and_two_contractions():
    model = Written(by_hand_in_letters, inner=nn.Linear(8, 12))
    ops = [str(node.op) for node in record(model, 3, 6, 8).nodes]

    assert (ops.count("softmax"), ops.count("contract")) == (1, 2)


def test_a_weight_norm_says_which_parameters_it_is_computed_from():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))
    (node,) = record(layer, 5, 4).linears

    assert node.weight.path == "parametrizations.weight.original1"
    assert node.details["length"] == "parametrizations.weight.original0"


def test_a_group_for_each_channel_is_normalized_over_positions_alone():
    graph = record(nn.Sequential(nn.Conv1d(3, 4, 3), nn.GroupNorm(4, 4)), 2, 3, 6)

    details = graph.nodes[-1].details
    assert (details["kind"], details["axes"]) == ("instance", (2,))
