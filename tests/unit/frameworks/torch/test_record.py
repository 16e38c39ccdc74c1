"""What is recorded of torch models of every kind."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks.models.torch_build import Written
from fanin.errors import BatchError, ModelError, NoStorageError
from fanin.frameworks import torch as framework
from fanin.graph import Op, Task, fans


def record(model: nn.Module, *shape: int, **fields):
    return framework.record(model, Task(batch=torch.zeros(shape), **fields))


def ops(graph) -> list[str]:
    return [str(node.op) for node in graph.nodes]


def only(graph, op: Op):
    (node,) = (node for node in graph.nodes if node.op is op)
    return node


def test_an_mlp_is_linear_and_elementwise_in_turn():
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))

    graph = record(net, 7, 4)

    assert ops(graph) == ["input", "linear", "elementwise", "linear"]
    assert [node.path for node in graph.nodes] == ["", "0", "1", "2"]
    first = graph.linears[0]
    assert (first.weight.path, first.bias) == ("0.weight", "0.bias")
    assert (first.weight.fan.n_in, first.weight.fan.n_out) == (4.0, 5.0)
    assert (first.unit_axis, first.batch_axis, first.shape) == (1, 0, (7, 5))


def test_nothing_is_computed_while_recording_a_model_on_meta():
    net = nn.Sequential(nn.Linear(50_000, 50_000, device="meta"))

    graph = framework.record(net, Task(batch=torch.zeros(2, 50_000)))

    assert ops(graph) == ["input", "linear"]
    assert not graph.is_measured


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(6, 4), (5, 6)),
        (nn.Linear(6, 4), (5, 2, 3, 6)),
        (nn.Conv1d(6, 4, 3, stride=2), (5, 6, 9)),
        (nn.Conv2d(6, 4, 3, padding=1, bias=False), (5, 6, 8, 8)),
        (nn.Conv2d(6, 12, 3, groups=3), (5, 6, 8, 8)),
        (nn.Conv2d(6, 12, 3, groups=6), (5, 6, 8, 8)),
        (nn.Conv3d(2, 4, 3, dilation=2), (5, 2, 6, 6, 6)),
        (nn.ConvTranspose1d(6, 4, 3), (5, 6, 8)),
        (nn.ConvTranspose2d(6, 4, 4, stride=2, groups=2), (5, 6, 4, 4)),
    ],
    ids=str,
)
def test_a_layer_has_the_fans_of_its_roles(layer, shape):
    graph = record(layer, *shape)
    node = only(graph, Op.LINEAR)

    assert node.weight.fan == fans.fans(tuple(layer.weight.shape), node.weight.roles)
    assert node.bias == (None if layer.bias is None else "bias")
    assert node.shape[node.unit_axis] == len(
        layer.bias if layer.bias is not None else layer.weight
    )
    assert node.shape == tuple(layer(torch.zeros(shape)).shape)
    assert ops(graph) == ["input", "linear"]


@pytest.mark.parametrize(
    "settings",
    [
        {"padding": 1},
        {"padding": 2, "stride": 2},
        {"padding": 2, "dilation": 2},
        {"padding": 0},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_the_padding_share_is_that_of_counted_terms(kind, settings):
    layer = kind(1, 1, 3, bias=False, **settings).double()
    nn.init.ones_(layer.weight)
    node = only(record(layer, 1, 1, 6, 6), Op.LINEAR)

    # Each output of an all-ones kernel on an all-ones image counts its terms.
    terms = layer(torch.ones(1, 1, 6, 6, dtype=torch.float64)).mean().item()

    # Of a strided transposed layer some positions have more terms than the mean.
    expected = max(0.0, 1 - terms / node.weight.fan.n_in)
    assert node.details["padding_share"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("function", "weight"),
    [
        (lambda m, x: x @ m.w, (6, 4)),
        (lambda m, x: x @ m.w.T, (4, 6)),
        (lambda m, x: functional.linear(x, m.w.T), (6, 4)),
        (lambda m, x: torch.einsum("bi,io->bo", x, m.w), (6, 4)),
        (lambda m, x: torch.einsum("bi,oi->bo", x, m.w), (4, 6)),
        (lambda m, x: (m.w @ x.T).T, (4, 6)),
        (lambda m, x: torch.bmm(x[None], m.w.expand(1, 6, 4))[0], (6, 4)),
        (lambda m, x: torch.addmm(torch.ones(4).to(x), x, m.w), (6, 4)),
    ],
    ids=[
        "matmul",
        "transposed",
        "functional",
        "einsum",
        "einsum transposed",
        "from the left",
        "bmm",
        "addmm",
    ],
)
def test_any_contraction_with_a_parameter_is_linear(function, weight):
    net = Written(function, w=torch.zeros(weight))

    node = only(record(net, 5, 6), Op.LINEAR)

    assert (node.weight.fan.n_in, node.weight.fan.n_out) == (6.0, 4.0)
    assert [weight[axis] for axis in node.weight.roles.inputs] == [6]
    assert node.weight.path == "w"


def test_stacked_weights_are_groups():
    net = Written(
        lambda m, x: torch.bmm(x.transpose(0, 1), m.w), w=torch.zeros(3, 6, 4)
    )

    node = only(record(net, 5, 3, 6), Op.LINEAR)

    assert (node.weight.fan.n_in, node.weight.fan.n_out) == (6.0, 4.0)
    assert node.weight.roles.groups == 3
    assert node.weight.fan == fans.fans((3, 6, 4), node.weight.roles)


def test_a_linear_on_a_sequence_keeps_the_sequence_in_its_shape():
    graph = record(nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2)), 5, 7, 6)

    assert ops(graph) == ["input", "linear", "elementwise", "linear"]
    assert [node.shape for node in graph.nodes] == [
        (5, 7, 6),
        (5, 7, 4),
        (5, 7, 4),
        (5, 7, 2),
    ]
    assert {node.unit_axis for node in graph.nodes} == {2}


GRID = np.linspace(-4, 4, 33)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (
            lambda x: x * torch.sigmoid(1.702 * x),
            lambda x: x / (1 + np.exp(-1.702 * x)),
        ),
        (lambda x: torch.log1p(torch.exp(x)), lambda x: np.log1p(np.exp(x))),
        (
            lambda x: torch.where(x > 0, x, 0.1 * x),
            lambda x: np.where(x > 0, x, x / 10),
        ),
        (lambda x: torch.clamp(x, 0) ** 2, lambda x: np.maximum(x, 0) ** 2),
        (lambda x: (x > 0).to(x.dtype) * x, lambda x: np.maximum(x, 0)),
        (lambda x: 1 - 2 * x, lambda x: 1 - 2 * x),
        (lambda x: torch.sub(1.0, x, alpha=3), lambda x: 1 - 3 * x),
        (
            lambda x: x.clone().relu_().mul_(2).add_(1),
            lambda x: 2 * np.maximum(x, 0) + 1,
        ),
        (lambda x: x.masked_fill(x < 0, -1.0), lambda x: np.where(x < 0, -1.0, x)),
        (lambda x: x + torch.tanh(x), lambda x: x + np.tanh(x)),
        (lambda x: x * torch.full_like(x, 3.0), lambda x: 3 * x),
        (lambda x: torch.addcmul(x, x, x, value=0.5), lambda x: x + 0.5 * x * x),
        (
            lambda x: functional.relu6(x + 3) * x / 6,
            lambda x: x * np.clip(x + 3, 0, 6) / 6,
        ),
    ],
    ids=[
        "swish",
        "softplus",
        "where",
        "clamp",
        "mask",
        "affine",
        "alpha",
        "in place",
        "masked_fill",
        "sum",
        "full_like",
        "addcmul",
        "hardswish",
    ],
)
def test_a_run_of_pointwise_operations_is_one_exact_function(function, expected):
    net = nn.Sequential(nn.Linear(3, 3), Written(lambda _, x: function(x)))

    node = only(record(net, 4, 3), Op.ELEMENTWISE)

    np.testing.assert_allclose(node.function(GRID), expected(GRID), atol=1e-14)


@pytest.mark.parametrize(
    "layer",
    [
        nn.ReLU(inplace=True),
        nn.GELU(),
        nn.GELU("tanh"),
        nn.SiLU(),
        nn.Mish(),
        nn.ELU(0.7),
        nn.SELU(),
        nn.CELU(1.3),
        nn.Softplus(),
        nn.Softsign(),
        nn.Hardswish(),
        nn.Hardsigmoid(),
        nn.LeakyReLU(0.2),
        nn.LogSigmoid(),
        nn.Tanhshrink(),
        nn.Hardshrink(),
        nn.Softshrink(),
        nn.Threshold(0.1, 20),
        nn.PReLU(init=0.3),
        nn.ReLU6(),
        nn.Hardtanh(),
        nn.Sigmoid(),
    ],
    ids=str,
)
def test_every_activation_of_torch_is_one_elementwise_node(layer):
    graph = record(nn.Sequential(nn.Linear(3, 3), layer), 4, 3)
    node = only(graph, Op.ELEMENTWISE)

    expected = layer.double()(torch.from_numpy(GRID.copy())).detach().numpy()
    np.testing.assert_allclose(node.function(GRID), expected, atol=1e-8)
    assert node.path == "1"


def test_a_prelu_names_its_parameter():
    graph = record(nn.Sequential(nn.Linear(3, 3), nn.PReLU()), 4, 3)
    node = only(graph, Op.ELEMENTWISE)

    assert [graph.node(i).path for i in node.inputs] == ["0", "1.weight"]


def test_a_residual_block_of_every_normalization():
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
            self.bn = nn.BatchNorm2d(4)
            self.relu = nn.ReLU(inplace=True)
            self.depthwise = nn.Conv2d(4, 4, 3, padding=1, groups=4)
            self.gn = nn.GroupNorm(2, 4)
            self.ln = nn.LayerNorm((4, 8, 8))

        def forward(self, x):
            x = self.relu(self.bn(self.conv(x)))
            y = self.gn(self.depthwise(x))
            y += x
            return self.ln(y)

    graph = record(Block(), 5, 3, 8, 8)

    assert ops(graph) == [
        "input",
        "linear",
        "normalize",
        "elementwise",
        "linear",
        "normalize",
        "add",
        "normalize",
    ]
    kinds = [n.details["kind"] for n in graph.nodes if n.op is Op.NORMALIZE]
    assert kinds == ["batch", "group", "layer"]
    assert graph.nodes[2].scale == "bn.weight"
    assert graph.nodes[2].bias == "bn.bias"
    assert {node.unit_axis for node in graph.nodes} == {1}
    assert graph.nodes[6].inputs == (5, 3)


@pytest.mark.parametrize("is_moved", [False, True])
def test_batch_norm_in_eval_is_the_identity_only_with_fresh_statistics(is_moved):
    layer = nn.BatchNorm1d(4)
    if is_moved:
        layer(torch.randn(8, 4))

    node = only(record(layer.eval(), 5, 4), Op.NORMALIZE)

    assert node.details["is_identity"] is not is_moved


@pytest.mark.parametrize(
    ("function", "kind", "axes"),
    [
        (
            lambda x: (
                (x - x.mean(-1, keepdim=True))
                / (x.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt()
            ),
            "layer",
            (2,),
        ),
        (
            lambda x: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5),
            "rms",
            (2,),
        ),
        (
            lambda x: (
                (x - x.mean((0, 1), keepdim=True))
                * torch.rsqrt(
                    (x * x).mean((0, 1), keepdim=True)
                    - x.mean((0, 1), keepdim=True) ** 2
                    + 1e-5
                )
            ),
            "batch",
            (0, 1),
        ),
    ],
    ids=["layer", "rms", "batch"],
)
def test_normalization_by_hand_is_recognized(function, kind, axes):
    net = nn.Sequential(nn.Linear(6, 6), Written(lambda _, x: function(x)))

    node = only(record(net, 5, 7, 6), Op.NORMALIZE)

    assert (node.details["kind"], node.details["axes"]) == (kind, axes)
    assert node.details["eps"] == pytest.approx(1e-5, rel=1e-2)


def test_what_only_looks_like_normalization_is_not():
    net = Written(lambda _, x: x / x.abs().mean(-1, keepdim=True))

    assert Op.NORMALIZE not in {node.op for node in record(net, 5, 6).nodes}


def test_softmax_by_hand_is_recognized():
    def softmax(_, x):
        shares = torch.exp(x - x.amax(-1, keepdim=True))
        return shares / shares.sum(-1, keepdim=True)

    assert ops(record(Written(softmax), 5, 6)) == ["input", "softmax"]


def test_gain_and_shift_by_hand_belong_to_the_normalization():
    net = Written(
        lambda m, x: functional.layer_norm(x, (6,)) * m.gain + m.shift,
        gain=torch.ones(6),
        shift=torch.zeros(6),
    )

    node = only(record(net, 5, 6), Op.NORMALIZE)

    assert (node.scale, node.bias) == ("gain", "shift")


def test_a_parameter_times_an_activation_is_its_scale():
    net = Written(lambda m, x: x + m.alpha * torch.tanh(x), alpha=torch.zeros(()))

    graph = record(net, 5, 6)

    node = only(graph, Op.MULTIPLY)
    assert (node.scale, len(node.inputs)) == ("alpha", 1)
    assert only(graph, Op.ADD).inputs == (0, node.id)


def test_a_positional_table_is_a_parameter_that_is_added():
    net = Written(lambda m, x: x + m.table, table=torch.zeros(1, 7, 6))

    graph = record(net, 5, 7, 6)

    table = only(graph, Op.PARAMETER)
    assert (table.path, table.unit_axis) == ("table", 2)
    assert table.id in only(graph, Op.ADD).inputs


def test_dropout_is_noise_and_nothing_in_eval():
    net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.25), nn.Dropout1d(0.5))

    assert [n.details["p"] for n in record(net, 5, 3).nodes if n.op is Op.NOISE] == [
        0.25,
        0.5,
    ]
    assert ops(record(net.eval(), 5, 3)) == ["input", "linear"]


def test_dropout_by_hand_is_noise():
    net = Written(lambda _, x: x * (torch.rand_like(x) > 0.2) / 0.8)

    graph = record(net, 5, 3)

    assert Op.NOISE in {node.op for node in graph.nodes}


def test_flattening_says_how_many_positions_lie_side_by_side():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.Flatten())

    node = record(net, 5, 3, 8, 8).nodes[-1]

    assert (node.op, node.details["repeat"], node.unit_axis) == (Op.REARRANGE, 9, 1)


@pytest.mark.parametrize(
    ("pool", "kind", "window"),
    [
        (nn.MaxPool2d(2), "max", 4),
        (nn.AvgPool2d((2, 3)), "mean", 6),
        (nn.AdaptiveAvgPool2d(1), "mean", 36),
        (nn.AdaptiveAvgPool2d(3), "mean", 4),
        (Written(lambda _, x: x.mean((2, 3))), "mean", 36),
        (Written(lambda _, x: x.amax((2, 3))), "max", 36),
    ],
    ids=["max", "mean", "global", "to size", "mean by hand", "max by hand"],
)
def test_pooling_says_its_window(pool, kind, window):
    node = record(pool, 5, 3, 6, 6).nodes[-1]

    assert (node.op, node.details["kind"], node.details["window"]) == (
        Op.REDUCE,
        kind,
        window,
    )
    assert node.unit_axis == 1


def test_an_embedding_bag_is_a_lookup_that_is_pooled():
    ids = torch.zeros(5, 7, dtype=torch.long)

    graph = framework.record(nn.EmbeddingBag(50, 6), Task(batch=ids))

    assert ops(graph)[-2:] == ["linear", "reduce"]
    node = graph.nodes[-1]
    assert (node.details["window"], node.unit_axis, node.batch_axis) == (7, 1, 0)


def test_a_shared_module_gives_two_nodes_with_one_weight():
    layer = nn.Linear(3, 3)

    graph = record(nn.Sequential(layer, nn.ReLU(), layer), 5, 3)

    assert [node.weight.path for node in graph.linears] == ["0.weight", "0.weight"]
    assert graph.parameter("2.weight").path == "0.weight"


def test_zero_padding_is_laid_beside():
    net = nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(3, 4, 3))

    graph = record(net, 5, 3, 6, 6)

    assert ops(graph)[-1] == "linear"
    assert Op.OPAQUE not in {node.op for node in graph.nodes}


def test_an_operation_that_is_not_known_is_opaque():
    graph = record(Written(lambda _, x: torch.cumprod(x, -1)), 5, 3)

    assert ops(graph) == ["input", "opaque"]


def test_weight_norm_is_a_weight_that_is_computed():
    net = torch.nn.utils.parametrizations.weight_norm(nn.Linear(3, 4))

    node = only(record(net, 5, 3), Op.LINEAR)

    assert node.details["computed_from"] == (
        "parametrizations.weight.original0",
        "parametrizations.weight.original1",
    )
    assert node.weight.path == "parametrizations.weight.original1"
    assert (node.weight.fan.n_in, node.bias) == (3.0, "bias")


def test_control_flow_on_numbers_falls_back_to_numbers():
    net = Written(lambda m, x: x @ m.w if x.sum() == 0 else x, w=torch.zeros(3, 3))

    graph = record(net, 5, 3)

    assert graph.is_measured
    assert ops(graph) == ["input", "linear"]


def test_a_recurrent_layer_falls_apart_into_its_gates():
    graph = record(nn.LSTM(3, 4, batch_first=True), 5, 2, 3)

    paths = [node.weight.path for node in graph.linears]
    assert paths.count("weight_ih_l0") == paths.count("weight_hh_l0") == 2
    assert Op.OPAQUE not in {node.op for node in graph.nodes}


def test_attention_falls_apart_into_contractions():
    net = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    graph = record(net, 5, 3, 8)

    assert ops(graph).count("contract") == 2
    assert ops(graph).count("softmax") == 1
    assert ops(graph).count("normalize") == 2
    assert ops(graph).count("add") == 2
    assert [node.path for node in graph.linears] == [
        "self_attn",
        "self_attn",
        "linear1",
        "linear2",
    ]
    assert Op.OPAQUE not in {node.op for node in graph.nodes}


class Gpt(nn.Module):
    """One block of GPT-2, written out, with a tied head."""

    def __init__(self, width: int = 16, n_heads: int = 4) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.tokens, self.places = nn.Embedding(50, width), nn.Embedding(32, width)
        self.norm_1, self.norm_2, self.norm_3 = (nn.LayerNorm(width) for _ in range(3))
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.head = nn.Linear(width, 50, bias=False)
        self.head.weight = self.tokens.weight

    def attention(self, x):
        n, length, width = x.shape
        parts = self.qkv(x).split(width, 2)
        q, k, v = (p.view(n, length, self.n_heads, -1).transpose(1, 2) for p in parts)
        scores = q @ k.transpose(-2, -1) / math.sqrt(width // self.n_heads)
        seen = torch.tril(torch.ones(length, length, device=x.device))
        shares = functional.softmax(scores.masked_fill(seen == 0, -math.inf), -1)
        return self.out((shares @ v).transpose(1, 2).reshape(n, length, width))

    def forward(self, ids):
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.tokens(ids) + self.places(places)
        x = x + self.attention(self.norm_1(x))
        up = self.up(self.norm_2(x))
        inner = math.sqrt(2 / math.pi) * (up + 0.044715 * up**3)
        x = x + self.down(0.5 * up * (1 + torch.tanh(inner)))
        return {"logits": self.head(self.norm_3(x))}


def test_a_language_model_is_read_whole():
    ids = torch.zeros(2, 6, dtype=torch.long)
    graph = framework.record(Gpt(), Task(batch={"ids": ids}))

    assert [node.path for node in graph.linears] == [
        "tokens",
        "places",
        "qkv",
        "out",
        "up",
        "down",
        "head",
    ]
    assert graph.linears[-1].weight.path == "tokens.weight"
    assert graph.linears[0].weight.roles.is_lookup
    assert Op.OPAQUE not in {node.op for node in graph.nodes}
    assert all(node.shape[:2] == (2, 6) for node in graph.linears if node.id > 3)
    assert all(node.unit_axis == 2 for node in graph.linears if node.id > 3)
    assert all(node.batch_axis == 0 for node in graph.linears if node.id > 3)
    gelu = [n for n in graph.nodes if n.op is Op.ELEMENTWISE and n.path == ""][-1]
    np.testing.assert_allclose(
        gelu.function(GRID),
        functional.gelu(torch.from_numpy(GRID), approximate="tanh").numpy(),
        atol=1e-14,
    )


class Vit(nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, stride=4)
        self.first = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.zeros(1, 5, width))
        self.block = nn.TransformerEncoderLayer(
            width, 2, 16, batch_first=True, norm_first=True, activation="gelu"
        )
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(len(x), -1, -1), x], dim=1) + self.places
        return self.head(self.block(x)[:, 0])


def test_a_vision_transformer_is_read_whole():
    graph = record(Vit(), 3, 3, 8, 8)

    assert [node.path for node in graph.linears] == [
        "patches",
        "block.self_attn",
        "block.self_attn",
        "block.linear1",
        "block.linear2",
        "head",
    ]
    assert {n.path for n in graph.nodes if n.op is Op.PARAMETER} == {"first", "places"}
    assert Op.OPAQUE not in {node.op for node in graph.nodes}


@pytest.mark.parametrize("has_compiler", [False, True])
def test_the_users_line_is_named(has_compiler):
    if has_compiler:
        importlib.import_module("torch._dynamo")

    def forward(model, x):
        return torch.tanh(x @ model.w)  # the line

    line = forward.__code__.co_firstlineno + 1

    graph = record(Written(forward, w=torch.zeros(3, 3)), 5, 3)

    assert {node.source for node in graph.nodes[1:]} == {f"test_record.py:{line}"}


def test_an_objective_is_recorded_with_what_it_brings_along():
    x, y = torch.randn(5, 3), torch.zeros(5, 2)
    net = nn.Linear(3, 2)
    task = Task(objective=lambda model: functional.mse_loss(model(x), y))

    graph = framework.record(net, task)

    assert ops(graph)[:2] == ["input", "linear"]
    assert graph.nodes[graph.outputs[0]].shape == ()


def test_writing_into_a_view_changes_the_whole():
    def forward(_, x):
        out = torch.zeros_like(x)
        out[:, 0] = torch.tanh(x[:, 0])
        return out

    graph = record(Written(forward), 5, 3)

    (last,) = graph.outputs
    assert graph.node(last).op is Op.CONCAT
    reached, waiting = set(), [last]
    while waiting:
        node = graph.node(waiting.pop())
        reached.add(node.op)
        waiting += node.inputs
    assert Op.INPUT in reached


@pytest.mark.parametrize(
    ("net", "batch", "error", "message"),
    [
        (nn.Linear(3, 2), torch.zeros(5, 4), BatchError, r"Linear raised .*\(5, 4\)"),
        (nn.Linear(3, 2), torch.full((1, 3), math.nan), BatchError, "NaN"),
        (nn.LazyLinear(2), torch.zeros(5, 4), NoStorageError, "lazy"),
        (Written(lambda *_: 1 / 0), torch.zeros(5, 4), ModelError, "ZeroDivision"),
    ],
    ids=["shape", "nan", "lazy", "raises"],
)
def test_what_cannot_be_recorded_is_refused(net, batch, error, message):
    with pytest.raises(error, match=message):
        framework.record(net, Task(batch=batch))
