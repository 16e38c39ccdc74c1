from __future__ import annotations

import pytest
import torch
from torch import nn

from fanin.frameworks.torch.example import input_signatures


class OwnMatrix(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(5, 3))

    def forward(self, x):
        return x @ self.w


@pytest.mark.parametrize(
    ("model", "shape", "below"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(7, 2)), (32, 7), 0),
        (nn.Sequential(nn.Conv2d(3, 8, 3)), (32, 3, 32, 32), 0),
        (nn.Sequential(nn.Conv1d(2, 8, 3)), (32, 2, 32), 0),
        (nn.Sequential(nn.Embedding(99, 4), nn.Linear(4, 2)), (32, 16), 99),
        (nn.LSTM(6, 4), (32, 16, 6), 0),
        (OwnMatrix(), (32, 3), 0),
    ],
    ids=["linear", "conv2d", "conv1d", "embedding", "lstm", "own matrix"],
)
def test_the_first_layer_decides_what_the_model_reads(model, shape, below):
    first = next(input_signatures(model))

    assert (first.shape, first.below) == (shape, below)


def test_a_network_that_flattens_is_offered_several_picture_sizes():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 26 * 26, 2))

    def fits(signature):
        try:
            model(torch.zeros(signature.shape))
        except RuntimeError:
            return False
        return True

    fitting = [s.shape for s in input_signatures(model) if fits(s)]

    assert fitting == [(32, 1, 28, 28)]


def test_a_model_without_parameters_has_no_signature():
    assert list(input_signatures(nn.ReLU())) == []
