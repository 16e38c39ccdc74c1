"""Models that the command-line tests name as targets."""

from __future__ import annotations

import numpy as np
import torch


def make(width=16, *, zero=False):
    net = torch.nn.Sequential(
        torch.nn.Linear(8, width), torch.nn.ReLU(), torch.nn.Linear(width, 3)
    )
    if zero:
        for parameter in net.parameters():
            torch.nn.init.zeros_(parameter)
    return net


def broken():
    raise RuntimeError("no such dataset")


class Holder:
    net = make()


def batch():
    return {
        "x": np.linspace(-1, 1, 8 * 12, dtype="float32").reshape(12, 8),
        "y": np.arange(12) % 3,
    }
