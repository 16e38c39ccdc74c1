"""Nets built in every way; a line that builds a layer is marked with its path."""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import Linear as Dense


def block(n_in, n_out):
    return nn.Sequential(
        nn.Linear(n_in, n_out),  # builds: Blocks body.*.0
        nn.ReLU(),
    )


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)  # builds: Plain first
        self.second: nn.Module = Dense(4, 4)  # builds: Plain second
        self.a, self.b = (
            nn.Linear(4, 4),  # builds: Plain a
            nn.Linear(4, 4),  # builds: Plain b
        )
        self.gate = nn.Parameter(torch.zeros(1))  # builds: Plain gate
        self.add_module("named", nn.Linear(4, 4))  # builds: Plain named
        for i in range(2):
            setattr(self, f"fc{i}", nn.Linear(4, 4))  # builds: Plain fc*
        self.late = None
        self.build_late()

    def build_late(self):
        self.late = nn.Linear(4, 4)  # builds: Plain late


class Heir(Plain):
    def __init__(self):
        super().__init__()
        self.own = nn.utils.parametrizations.weight_norm(
            nn.Linear(4, 4)  # builds: Heir own
        )


class Lists(nn.Module):
    def __init__(self):
        super().__init__()
        self.plain = nn.ModuleList(
            [
                nn.Linear(4, 4),  # builds: Lists plain.0
                nn.Linear(4, 4),  # builds: Lists plain.1
            ]
        )
        self.loop = nn.ModuleList(
            nn.Linear(4, 4)  # builds: Lists loop.*
            for _ in range(3)
        )
        self.grown = nn.ModuleList()
        self.grown.append(nn.Linear(4, 4))  # builds: Lists grown.0
        for _ in range(2):
            self.grown.append(nn.Linear(4, 4))  # builds: Lists grown.[12]
        self.grown.append(nn.Linear(4, 4))  # builds: Lists grown.3
        layers = [nn.Linear(4, 4)]  # builds: Lists starred.0
        for _ in range(2):
            layers += [
                nn.ReLU(),
                nn.Linear(4, 4),  # builds: Lists starred.[24]
            ]
        self.starred = nn.Sequential(*layers)
        self.named = nn.Sequential(
            OrderedDict(
                [
                    ("up", nn.Linear(4, 4)),  # builds: Lists named.up
                    ("down", nn.Linear(4, 4)),  # builds: Lists named.down
                ]
            )
        )
        self.table = nn.ModuleDict({"x": nn.Linear(4, 4)})  # builds: Lists table.x
        self.table["y"] = nn.Linear(4, 4)  # builds: Lists table.y


class Blocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(*[block(4, 4) for _ in range(2)])
        self.stage = self.make_stage(2)

    def make_stage(self, n):
        kind = nn.Linear
        layers = []
        for _ in range(n):
            layer = kind(4, 4)  # builds: Blocks stage.*
            layers.append(layer)
        return nn.Sequential(*layers)


class Container(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Linear(4, 4),  # builds: Container 0
            nn.ReLU(),
            nn.Linear(4, 4),  # builds: Container 2
        )


class OfLibrary(nn.Module):
    def __init__(self):
        super().__init__()
        kind = nn.TransformerEncoderLayer
        self.layer = kind(8, 2, 8)  # builds: OfLibrary layer.linear1


def make():
    hidden = nn.Linear(4, 4)  # builds: make 0
    return nn.Sequential(
        hidden,
        nn.ReLU(),
        nn.Linear(4, 4),  # builds: make 2
    )
