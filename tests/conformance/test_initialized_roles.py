"""Roles beyond the plain weight, in models as their libraries build them."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import fanin
from benchmarks.models import transformers

N_IN, N_UNITS, LENGTH = 6, 16, 5


class LastState(nn.Module):
    """A recurrent layer, and a head on its last state."""

    def __init__(self, layer, **settings):
        super().__init__()
        self.cell = layer(N_IN, N_UNITS, batch_first=True, **settings)
        n_ways = 2 if settings.get("bidirectional") else 1
        self.head = nn.Linear(n_ways * N_UNITS, 3)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


def series():
    source = np.random.default_rng(2)
    return source.standard_normal((32, LENGTH, N_IN)).astype(np.float32)


@pytest.mark.parametrize(
    "settings", [{}, {"num_layers": 2}, {"bidirectional": True}], ids=str
)
def test_each_lstm_of_torch_adds_one_to_its_forget_gate_and_to_no_other(settings):
    model = LastState(nn.LSTM, **settings)
    fanin.init(model, torch.tensor(series()), seed=1)
    held = dict(model.cell.named_parameters())

    for name, bias in held.items():
        if name.startswith("bias_ih"):
            total = bias + held[name.replace("_ih_", "_hh_")]
            gates = total.detach().reshape(4, N_UNITS).sum(dim=1)
            assert gates.tolist() == [0.0, N_UNITS, 0.0, 0.0]


@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM, nn.GRU])
def test_every_gates_matrix_on_the_state_stays_orthogonal_with_a_batch(layer):
    model = LastState(layer, num_layers=2)
    fanin.init(model, torch.tensor(series()), seed=1)

    for name, weight in model.cell.named_parameters():
        if name.startswith("weight_hh"):
            for block in weight.detach().reshape(-1, N_UNITS, N_UNITS):
                product = block @ block.T
                assert torch.allclose(product, torch.eye(N_UNITS), atol=1e-5), name


def test_a_cell_of_flax_with_a_weight_a_gate_has_its_forget_gate_open():
    class Net(nnx.Module):
        def __init__(self):
            rngs = nnx.Rngs(0)
            self.cell = nnx.RNN(nnx.LSTMCell(N_IN, N_UNITS, rngs=rngs))
            self.head = nnx.Linear(N_UNITS, 3, rngs=rngs)

        def __call__(self, x):
            return self.head(self.cell(x)[:, -1])

    model = Net()
    fanin.init(model, series(), seed=1)
    cell = model.cell.cell

    assert np.asarray(cell.hf.bias).tolist() == [1.0] * N_UNITS
    for gate in (cell.hi, cell.hg, cell.ho):
        assert not np.asarray(gate.bias).any()


def first_loss(logits):
    """Give the expected cross-entropy over labels drawn uniformly."""
    return float((torch.logsumexp(logits, -1) - logits.mean(-1)).mean())


@pytest.mark.parametrize("name", ["gpt2", "gemma2", "t5", "bert"])
def test_the_first_loss_of_a_tied_model_is_ln_v_within_a_tenth(name):
    torch.manual_seed(0)
    model, batch = transformers.zoo()[name]()
    fanin.init(model, batch, seed=0)
    with torch.no_grad():
        read = batch if isinstance(batch, dict) else {"input_ids": batch}
        logits = model(**read).logits

    assert first_loss(logits) == pytest.approx(log(logits.shape[-1]), abs=0.1)
    assert logits.std() > 0.05


def test_queries_and_keys_of_t5_make_up_for_logits_that_are_not_divided():
    torch.manual_seed(0)
    model, batch = transformers.zoo()["t5"]()
    fanin.init(model, batch, seed=0)
    attention = model.encoder.block[0].layer[0].SelfAttention
    x = torch.randn(400, 64)
    with torch.no_grad():
        q, k = (
            side(x).reshape(400, 4, 16).transpose(0, 1)
            for side in (attention.q, attention.k)
        )
        logits = q @ k.transpose(1, 2)

    assert float(logits.std()) == pytest.approx(1.0, rel=0.2)
    sides = (attention.q, attention.k)
    sizes = [float(side.weight.detach().std()) for side in sides]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.1)
    assert sizes[0] * sqrt(64) == pytest.approx(16**-0.25, rel=0.1)
