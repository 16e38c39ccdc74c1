"""Cases 1 to 9: parameters that can never move."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    codes,
    drawn,
    filled,
    labels,
    numbers,
    sound,
)

if TYPE_CHECKING:
    from collections.abc import Callable

GITHUB = "https://github.com/"


class Adapter(nn.Module):
    """W x + B A x, the first frozen."""

    def __init__(self, dense: nn.Linear, rank: int = 8) -> None:
        super().__init__()
        self.dense = dense.requires_grad_(requires_grad=False)
        n_out, n_in = dense.weight.shape
        self.lora_a = nn.Parameter(torch.randn(rank, n_in) / n_in**0.5)
        self.lora_b = nn.Parameter(torch.zeros(n_out, rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the low-rank product."""
        return self.dense(x) + x @ self.lora_a.T @ self.lora_b.T


def adapted() -> nn.Sequential:
    """Build a sound net with an adapter at each layer."""
    return nn.Sequential(
        *(Adapter(m) if isinstance(m, nn.Linear) else m for m in sound())
    )


def zeroed(model: nn.Module, end: str) -> nn.Module:
    """Fill the parameters with this ending with zeros."""
    for path, parameter in model.named_parameters():
        if path.endswith(end):
            nn.init.zeros_(parameter)
    return model


class Gate(nn.Module):
    """LAVT's gate: linear, ReLU, linear, tanh, times the input, added to it."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(FEATURES, WIDTH)
        self.gate = nn.Sequential(
            nn.Linear(WIDTH, WIDTH, bias=False),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH, bias=False),
            nn.Tanh(),
        )
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Gate and classify."""
        x = torch.relu(self.enter(x))
        return self.head(x + self.gate(x) * x)


def gated(*, zeros: tuple[int, ...]) -> nn.Module:
    """Build the gate with some of its layers zero."""
    torch.manual_seed(0)
    model = Gate()
    for i in zeros:
        nn.init.zeros_(model.gate[i].weight)
    return model


class Crossed(nn.Module):
    """x₀ · ReLU(W x) + x: a cross layer with a rectified factor."""

    def __init__(self, *, std: float) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.cross = nn.Linear(FEATURES, FEATURES, bias=False)
        nn.init.normal_(self.cross.weight, std=std)
        self.head = nn.Linear(FEATURES, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Cross and classify."""
        return self.head(x * torch.relu(self.cross(x)) + x)


def one_unit(bias: float) -> Checked:
    """Build a click predictor whose last hidden layer has one ReLU unit."""
    model = sound((FEATURES, WIDTH, 1, 1))
    nn.init.constant_(model[2].bias, bias)
    target = labels(2)[:, None].float()
    return Checked(
        model=model,
        batch=numbers(BATCH, FEATURES),
        loss="binary_cross_entropy",
        target=target,
    )


def counted(last: Callable[[], nn.Module]) -> Checked:
    """Build a map of counts, as of people a pixel, with a function that ends it."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 1, 1), last()
    )
    nn.init.kaiming_normal_(model[0].weight)
    nn.init.zeros_(model[0].bias)
    nn.init.constant_(model[2].bias, -3.0)
    batch = numbers(16, 3, 8, 8)
    target = numbers(16, 1, 8, 8, seed=3).abs()
    return Checked(model=model, batch=batch, loss="mse", target=target)


def digits_cnn(draw: Callable[[torch.Tensor], object]) -> Checked:
    """Build the tutorial's net: two convolutions, biases 0.1, two dense layers."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 4, 64),
        nn.ReLU(),
        nn.Linear(64, CLASSES),
    )
    for parameter in model.parameters():
        if parameter.dim() > 1:
            draw(parameter)
        else:
            nn.init.constant_(parameter, 0.1)
    return classified(model, numbers(BATCH, 1, 8, 8))


def truncated(std: float) -> Callable[[torch.Tensor], object]:
    """Give a draw of N(0, std²) cut at two standard deviations."""
    return lambda w: nn.init.trunc_normal_(w, std=std, a=-2.0 * std, b=2.0 * std)


def zero_mlp() -> Checked:
    """Build two zero layers that end in a softmax, with softmax in the loss too."""
    net = filled(drawn((FEATURES, WIDTH, CLASSES), nn.Sigmoid, lambda *_: 1.0), 0.0)
    return classified(nn.Sequential(net, nn.Softmax(dim=1)))


CASES = (
    Case(
        number="1",
        title="LoRA, A and B both zeros: no gradient",
        source=GITHUB + "circle-hit/SAPT/issues/11",
        codes=codes("101"),
        broken=lambda: classified(zeroed(adapted(), "lora_a")),
        mended=lambda: classified(adapted()),
    ),
    Case(
        number="2",
        title="a wrapper zeroes A as well as B",
        source=GITHUB + "Guitaricet/relora/issues/18",
        codes=codes("101"),
        broken=lambda: classified(zeroed(zeroed(adapted(), "lora_a"), "lora_b")),
        mended=lambda: classified(zeroed(adapted(), "lora_b")),
    ),
    Case(
        number="3",
        title="init_weights() runs after LoRA was added and zeroes A",
        source=GITHUB + "nvidia-cosmos/cosmos-predict2.5/pull/15",
        codes=codes("101 808"),
        broken=lambda: classified(
            zeroed(adapted(), "lora_a"), factory=lambda: zeroed(adapted(), "lora_a")
        ),
        mended=lambda: classified(adapted(), factory=adapted),
    ),
    Case(
        number="4",
        title="two zero layers in one gate",
        source=GITHUB + "yz93/LAVT-RIS/issues/25",
        codes=codes("101"),
        broken=lambda: classified(gated(zeros=(0, 2))),
        mended=lambda: classified(gated(zeros=(2,))),
    ),
    Case(
        number="5",
        title="a zero layer without bias in front of ReLU",
        source=GITHUB + "lucidrains/deep-cross-attention/issues/2",
        codes=codes("101"),
        broken=lambda: classified(Crossed(std=0.0)),
        mended=lambda: classified(Crossed(std=0.02)),
    ),
    Case(
        number="6",
        title="a large negative bias prevents any training",
        source=GITHUB + "facebookresearch/dlrm/pull/358",
        codes=codes("106 402 601"),
        broken=lambda: one_unit(-8.0),
        mended=lambda: one_unit(0.0),
    ),
    Case(
        number="7",
        title="an output ReLU predicts only zeros",
        source=GITHUB + "jvargasmu/population_estimation/issues/68",
        codes=codes("106 402 506"),
        broken=lambda: counted(nn.ReLU),
        mended=lambda: counted(nn.Softplus),
    ),
    Case(
        number="8",
        title="weight_variable returns tf.zeros",
        source=GITHUB + "tensorflow/models/issues/1529",
        codes=codes("101 103"),
        broken=lambda: digits_cnn(nn.init.zeros_),
        mended=lambda: digits_cnn(truncated(0.1)),
    ),
    Case(
        number="9",
        title="W1 and W2 zeros, softmax twice",
        source="https://pullrequest.ru/11818227",
        codes=codes("101 103 505"),
        broken=zero_mlp,
        mended=lambda: classified(
            drawn((FEATURES, WIDTH, CLASSES), nn.Sigmoid, lambda *_: 0.1)
        ),
    ),
)
