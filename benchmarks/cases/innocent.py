"""Cases 39 and 40, distractors, and the legitimate zeros: all must stay silent."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.cases.case import (
    BATCH,
    CLASSES,
    FEATURES,
    WIDTH,
    Case,
    Checked,
    classified,
    filled,
    numbers,
    sound,
)
from benchmarks.cases.scale import digits
from benchmarks.cases.stuck import GITHUB, adapted, gated


class Line(nn.Module):
    """A line fitted with a weight of one axis, drawn by hand."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.weight = nn.Parameter(torch.randn(1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 1) → (n, 1)."""
        return x * self.weight + self.bias


def line() -> Checked:
    """Fit a line: the user's bug was a broadcast in the loss, not the weight."""
    x = numbers(100, 1)
    return Checked(model=Line(), batch=x, loss="mse", target=2.0 * x + 1.0)


def adapters(*, down_is_zero: bool) -> Checked:
    """Build adapters with one factor zero and the other random: either way round."""
    model = adapted()
    for path, parameter in model.named_parameters():
        if path.endswith("lora_a") and down_is_zero:
            nn.init.zeros_(parameter)
        if path.endswith("lora_b") and down_is_zero:
            nn.init.normal_(parameter, std=0.02)
    return classified(model)


class Stream(nn.Module):
    """Residual blocks whose branches begin at zero, one way or another."""

    def __init__(self, way: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.way = way
        self.enter = nn.Linear(FEATURES, WIDTH)
        self.up = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.down = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.norms = nn.ModuleList(nn.BatchNorm1d(WIDTH) for _ in range(4))
        self.gates = nn.ParameterList(torch.zeros(1) for _ in range(4))
        self.head = nn.Linear(WIDTH, CLASSES)
        for up, down, norm in zip(self.up, self.down, self.norms, strict=True):
            nn.init.kaiming_normal_(up.weight)
            if way in {"Fixup", "ControlNet"}:
                nn.init.zeros_(down.weight)
                nn.init.zeros_(down.bias)
            if way == "zero gamma":
                nn.init.zeros_(norm.weight)
        if way == "Fixup":
            nn.init.zeros_(self.head.weight)
            nn.init.zeros_(self.head.bias)
        if way != "zero gamma":
            del self.norms
        if way != "ReZero":
            del self.gates

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add each branch to the stream."""
        x = self.enter(x)
        for i, (up, down) in enumerate(zip(self.up, self.down, strict=True)):
            branch = down(torch.relu(up(x)))
            if self.way == "zero gamma":
                branch = self.norms[i](branch)
            if self.way == "ReZero":
                branch = self.gates[i] * branch
            x = x + branch
        return self.head(x)


class Controlled(nn.Module):
    """A frozen net and a trained copy, joined by zero layers in and out."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.base = sound((FEATURES, WIDTH, WIDTH)).requires_grad_(requires_grad=False)
        self.copied = sound((FEATURES, WIDTH, WIDTH))
        self.copied.load_state_dict(self.base.state_dict())
        self.zero_in = nn.Linear(FEATURES, FEATURES)
        self.zero_out = nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, CLASSES)
        nn.init.normal_(self.head.weight, std=0.05)
        for layer in (self.zero_in, self.zero_out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.head.requires_grad_(requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Steer the frozen net by the condition, here the input itself."""
        steered = self.zero_out(self.copied(x + self.zero_in(x)))
        return self.head(torch.relu(self.base(x) + steered))


class Padded(nn.Module):
    """A mean of words, the padding's row zero."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(50, WIDTH, padding_idx=0)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(b, t) → (b, classes)."""
        return self.head(self.words(ids).mean(1))


def zero_head() -> Checked:
    """Build a net whose output layer is zero."""
    model = sound()
    nn.init.zeros_(model[-1].weight)
    return classified(model)


def padded() -> Checked:
    """Look words up, some of them padding."""
    source = torch.Generator().manual_seed(0)
    return classified(Padded(), torch.randint(0, 50, (BATCH, 8), generator=source))


CASES = (
    Case(
        number="39",
        title="a weight of one axis, and a broadcast in the loss",
        source="https://discuss.pytorch.org/t/50431",
        mended=line,
    ),
    Case(
        number="40a",
        title="LoRA's B zero, taken for a bug",
        source=GITHUB + "Lightning-AI/litgpt/issues/1229",
        mended=lambda: adapters(down_is_zero=False),
    ),
    Case(
        number="40b",
        title="LoRA's A zero and B random",
        source=GITHUB + "microsoft/LoRA/issues/114",
        mended=lambda: adapters(down_is_zero=True),
    ),
    Case(
        number="40c",
        title="a linear model of zeros",
        source=GITHUB + "jthickstun/pytorch_musicnet/issues/4",
        mended=lambda: classified(filled(sound((784, CLASSES)), 0.0), digits()),
    ),
    Case(
        number="Z1",
        title="zero head",
        source="Zhang, Dauphin & Ma (2019)",
        mended=zero_head,
    ),
    *(
        Case(
            number=f"Z{i}",
            title=f"{way}: branches that begin at zero",
            source=source,
            mended=lambda way=way: classified(Stream(way)),
        )
        for i, (way, source) in enumerate(
            (
                ("zero gamma", "Goyal et al. (2017)"),
                ("ReZero", "Bachlechner et al. (2021)"),
                ("Fixup", "Zhang, Dauphin & Ma (2019)"),
            ),
            start=2,
        )
    ),
    Case(
        number="Z5",
        title="ControlNet: zero layers in and out of a copy, the base frozen",
        source="Zhang, Rao & Agrawala (2023)",
        mended=lambda: classified(Controlled()),
    ),
    Case(
        number="Z6",
        title="one zero layer in a gate",
        source=GITHUB + "yz93/LAVT-RIS/issues/25",
        mended=lambda: classified(gated(zeros=(2,))),
    ),
    Case(
        number="Z7",
        title="the row of the padding word is zero",
        source="torch.nn.Embedding, padding_idx",
        mended=padded,
    ),
)
