"""Nets with comments that set findings aside."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.a = nn.Linear(8, 8, bias=False)  # fanin: ignore[FAN101] kept for a test
        # fanin: ignore[FAN101] as the one above
        self.b = nn.Linear(8, 8, bias=False)
        self.head = nn.Linear(8, 2)  # fanin: ignore[FAN803] never so
        nn.init.zeros_(self.a.weight)
        nn.init.zeros_(self.b.weight)

    def forward(self, x):
        h = torch.tanh(self.first(x))
        return self.head(h + self.b(self.a(h)))


class Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.a = nn.Linear(8, 8, bias=False)  # fanin: ignore
        self.b = nn.Linear(8, 8, bias=False)
        nn.init.zeros_(self.a.weight)
        nn.init.zeros_(self.b.weight)

    def forward(self, x):
        h = torch.tanh(self.first(x))
        return h + self.b(self.a(h))
