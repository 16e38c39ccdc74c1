"""Mixtures of experts, rankings and index arithmetic, recorded."""

import pytest
import torch
from torch import nn

from fanin.frameworks import torch as framework
from fanin.graph import Op, Task

N_EXPERTS, N_IN, N_OUT = 3, 4, 5


def record(model, batch):
    return framework.record(model, Task(batch=batch))


class Experts(nn.Module):
    """Experts as one parameter, a matrix for each, and a router."""

    def __init__(self, how):
        super().__init__()
        self.router = nn.Linear(N_IN, N_EXPERTS, bias=False)
        self.weight = nn.Parameter(torch.ones(N_EXPERTS, N_OUT, N_IN))
        self.how = how

    def forward(self, x):
        shares, chosen = self.router(x).softmax(-1).topk(2)
        return self.how(self, x, shares, chosen)


def sorted_by_expert(held, x, shares, chosen):
    flat = chosen.reshape(-1)
    order = flat.argsort()
    ends = torch.histc(flat.float(), bins=N_EXPERTS, min=0, max=N_EXPERTS - 1)
    offsets = ends.cumsum(0).to(torch.int32)
    rows = x[order // 2]
    made = nn.functional.grouped_mm(rows, held.weight.transpose(1, 2), offs=offsets)
    back = made[order.argsort()].view(x.shape[0], 2, N_OUT)
    return (back * shares[..., None]).sum(1)


def a_matrix_for_each_row(held, x, shares, chosen):
    matrices = held.weight[chosen.reshape(-1)]
    rows = x.repeat_interleave(2, 0)[..., None]
    made = torch.bmm(matrices, rows).view(x.shape[0], 2, N_OUT)
    return (made * shares[..., None]).sum(1)


def expert_by_expert(held, x, shares, chosen):
    out = x.new_zeros(x.shape[0], N_OUT)
    for expert in range(N_EXPERTS):
        row, place = torch.where(chosen == expert)
        made = nn.functional.linear(x[row], held.weight[expert])
        out.index_add_(0, row, made * shares[row, place, None])
    return out


@pytest.mark.parametrize(
    "how", [sorted_by_expert, a_matrix_for_each_row, expert_by_expert]
)
def test_an_expert_has_the_fan_of_its_own_matrix(how):
    batch = torch.randn(16, N_IN, generator=torch.Generator().manual_seed(1))
    graph = record(Experts(how), batch)

    own = [n for n in graph.linears if n.weight.path == "weight"]
    fans = {(n.weight.fan.n_in, n.weight.fan.n_out) for n in own}
    assert fans == {(N_IN, N_OUT)}
    assert {n.weight.roles.groups for n in own} == {N_EXPERTS}
    assert not [n for n in graph.nodes if n.op is Op.OPAQUE]


@pytest.mark.parametrize(
    ("how", "is_measured"),
    [
        (sorted_by_expert, False),
        (a_matrix_for_each_row, False),
        (expert_by_expert, True),
    ],
)
def test_only_rows_counted_at_run_time_need_real_numbers(how, is_measured):
    graph = record(Experts(how), torch.ones(16, N_IN))

    assert graph.is_measured is is_measured


def test_the_largest_shares_are_maxima_of_windows():
    graph = record(Experts(a_matrix_for_each_row), torch.ones(16, N_IN))

    chosen = next(n for n in graph.nodes if n.primitives[:1] == ("aten.topk",))
    assert chosen.op is Op.REDUCE
    assert chosen.details["kind"] == "max"
    assert chosen.shape == (16, 2)


class Positions(nn.Module):
    """Positions counted from a mask of padding, as RoBERTa has it."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(9, 4)
        self.positions = nn.Embedding(20, 4)

    def forward(self, ids):
        is_word = ids.ne(0).int()
        places = (torch.cumsum(is_word, 1) * is_word).long()
        return self.words(ids) + self.positions(places)


def test_arithmetic_on_indices_is_a_constant_and_not_opaque():
    graph = record(Positions(), torch.tensor([[3, 4, 0], [5, 0, 0]]))

    assert [str(n.op) for n in graph.nodes].count("linear") == 2
    assert not [n for n in graph.nodes if n.op is Op.OPAQUE]
    assert not graph.is_measured


class Causal(nn.Module):
    """Attention with a mask that is made while the model runs."""

    def __init__(self):
        super().__init__()
        self.query = nn.Linear(4, 4)

    def forward(self, x):
        scores = self.query(x) @ x.transpose(1, 2)
        length = x.shape[1]
        hidden = torch.ones(length, length, device=x.device).triu(1).bool()
        return scores.masked_fill(hidden, float("-inf")).softmax(-1) @ x


def test_a_mask_made_on_the_meta_device_is_known_to_the_softmax():
    graph = record(Causal(), torch.ones(2, 7, 4))

    (softmax,) = [n for n in graph.nodes if n.op is Op.SOFTMAX]
    assert softmax.details["n_unmasked"] == pytest.approx(4.0)  # (1 + 7)/2
    assert not graph.is_measured


class Asking(nn.Module):
    """Looks at its indices: whether one of them is padding."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(9, 4)

    def forward(self, ids):
        has_padding = 0 in ids[:, [-1, 0]]
        words = self.words(ids)
        return words * 2.0 if has_padding else words


@pytest.mark.parametrize(("last", "n_nodes"), [(0, 3), (1, 2)])
def test_a_question_about_indices_is_answered_on_the_meta_device(last, n_nodes):
    graph = record(Asking(), torch.tensor([[3, 4, last]]))

    assert len(graph.nodes) == n_nodes
    assert not graph.is_measured
