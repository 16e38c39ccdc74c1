"""What other tools say of the same torch model at the same moment.

torchlens (``audit_params``: a finding of warning or worse) and torchtest ("all
parameters change" in one step) are run themselves. Of SageMaker Debugger, AutoTrainer
and TheDeepChecker, which watch a training run, the documented thresholds are applied to
the first backward pass: they were not made for step zero. AnyInit has no diagnosis of
weights that are there: it sets its own.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.faults.subject import Subject


class Logits(nn.Module):
    """A model that takes its batch as one argument and gives its logits alone."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Any) -> torch.Tensor:
        """Run the model, however it takes its batch."""
        if isinstance(batch, dict):
            output = self.model(**batch)
        elif isinstance(batch, tuple):
            output = self.model(*batch)
        else:
            output = self.model(batch)
        logits: torch.Tensor = getattr(output, "logits", output)
        return logits


class Whole:
    """A batch that torchtest may send to a device and that stays as it is."""

    def __init__(self, held: Any) -> None:
        self.held = held

    def to(self, *_: Any) -> Any:
        """Give what is held."""
        return self.held


@dataclass(frozen=True)
class Seen:
    """One forward and backward pass over a copy of a subject's model."""

    subject: Subject

    def loss_of(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Give cross entropy over the last axis, or the mean square."""
        if self.subject.loss == "mse":
            return functional.mse_loss(logits, target)
        classes = logits.shape[-1]
        return functional.cross_entropy(logits.reshape(-1, classes), target.reshape(-1))

    @cached_property
    def copied(self) -> Logits:
        """Give the model, to be stepped and spoiled."""
        return Logits(copy.deepcopy(self.subject.model)).train()

    @cached_property
    def passed(self) -> tuple[float, dict[str, torch.Tensor], list[torch.Tensor]]:
        """Give the first loss, the gradients, and what enters each ReLU."""
        entering: list[torch.Tensor] = []
        model = Logits(copy.deepcopy(self.subject.model)).train()
        for module in model.modules():
            if isinstance(module, nn.ReLU | nn.ReLU6):
                module.register_forward_pre_hook(
                    lambda _, x: entering.append(x[0].detach().clone())
                )
        loss = self.loss_of(model(self.subject.batch), self.subject.target)
        loss.backward()
        free = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        gradients = {
            n: torch.zeros_like(p) if p.grad is None else p.grad for n, p in free
        }
        return float(loss), gradients, entering


def torchlens(seen: Seen) -> bool:
    """Run ``torchlens.checks.audit_params``: any finding above info?"""
    from torchlens import checks

    audit = checks.audit_params(seen.subject.model)
    return any(finding.severity != "info" for finding in audit.findings)


def torchtest(seen: Seen) -> bool:
    """Run ``torchtest.assert_vars_change``: does one step leave a parameter still?"""
    from torchtest.torchtest import assert_vars_change

    model = seen.copied
    free = [p for p in model.parameters() if p.requires_grad]
    named = seen.subject.options.get("optimizer", "adam")
    rate = seen.subject.options.get("learning_rate", 1e-3)
    made = torch.optim.SGD if named == "sgd" else torch.optim.Adam
    pair = [Whole(seen.subject.batch), seen.subject.target]
    try:
        assert_vars_change(
            model=model,
            loss_fn=seen.loss_of,
            optim=made(free, lr=rate),
            batch=pair,
            device="cpu",
            params=[(n, p) for n, p in model.named_parameters() if p.requires_grad],
        )
    except Exception:  # its own error is private to the package
        return True
    return False


def sagemaker(seen: Seen) -> bool:
    """VanishingGradient: mean |g| < 1e-7 somewhere; or NaN (ExplodingTensor)."""
    loss, gradients, _ = seen.passed
    small = any(float(g.abs().mean()) < 1e-7 for g in gradients.values())
    return small or not math.isfinite(loss)


def poor_weights(seen: Seen) -> bool:
    """PoorWeightInitialization: variances of ReLU inputs over 10 apart."""
    variances = [float(x.var()) for x in seen.passed[2]]
    return len(variances) > 1 and not max(variances) <= 10.0 * min(variances)


def autotrainer(seen: Seen) -> bool:
    """First over last gradient < 1e-3 and first < 1e-4, or > 70; or 70 % zeros."""
    loss, gradients, _ = seen.passed
    weights = [g for g in gradients.values() if g.dim() > 1]
    if not weights or not math.isfinite(loss):
        return True
    first, last = float(weights[0].norm()), float(weights[-1].norm())
    ratio = first / last if last else math.inf
    entries = torch.cat([g.reshape(-1) for g in weights])
    is_vanishing = ratio < 1e-3 and first < 1e-4
    return is_vanishing or ratio > 70.0 or float((entries == 0).float().mean()) >= 0.7


def deepchecker(seen: Seen) -> bool:
    """A weight of variance ≤ 1e-8, or a first loss off ln K by ln K and more."""
    loss, _, _ = seen.passed
    weights = [p for p in seen.subject.model.parameters() if p.dim() > 1]
    if any(not float(w.detach().var()) > 1e-8 for w in weights):
        return True
    ignorant = math.log(seen.subject.base.classes) if seen.subject.base.classes else 0.0
    return ignorant > 0.0 and not abs(loss - ignorant) < ignorant


RIVALS: dict[str, Callable[[Seen], bool]] = {
    "torchlens 2.36 audit_params": torchlens,
    "torchtest 0.5, all change": torchtest,
    "SageMaker VanishingGradient*": sagemaker,
    "SageMaker PoorWeightInit*": poor_weights,
    "AutoTrainer*": autotrainer,
    "TheDeepChecker*": deepchecker,
}
"""By name; a star marks documented thresholds that are applied here."""


def alarms(subject: Subject) -> frozenset[str]:
    """Give the tools that raise an alarm; none outside torch."""
    if subject.base.framework != "torch":
        return frozenset()
    seen = Seen(subject)
    return frozenset(name for name, says in RIVALS.items() if says(seen))
