"""The script for PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.lab.lessons.code.job import filled, same, transposed

if TYPE_CHECKING:
    from fanin.lab.lessons.code.job import Job

ACTIVATIONS = {"relu": "nn.ReLU()", "tanh": "nn.Tanh()", "sigmoid": "nn.Sigmoid()"}


def script(job: Job) -> str:
    """Write the run for PyTorch; it prints the loss before and after."""
    loss = "binary_cross_entropy_with_logits" if job.is_binary else "mse_loss"
    lines = [
        "import torch",
        "from torch import nn",
        *(["", "import fanin"] if job.scheme else []),
        "",
        "x = torch.tensor({x})",
        "y = torch.tensor({y})",
        "net = nn.Sequential({net})",
        "",
        *_start(job),
        "",
        "optimizer = torch.optim.SGD(net.parameters(), lr={rate})",
        "for step in range({n}):",
        "    optimizer.zero_grad()",
        "    loss = nn.functional.{loss}(net(x), y)",
        "    loss.backward()",
        "    optimizer.step()",
        "    print(step, loss.item())",
        "print({n}, nn.functional.{loss}(net(x), y).item())",
    ]
    names = {
        "x": str(job.inputs),
        "y": str(job.targets),
        "net": ", ".join(_modules(job)),
        "rate": f"{job.run.rate:g}",
        "n": str(job.run.n_steps),
        "loss": loss,
    }
    return filled(names, lines)


def _modules(job: Job) -> list[str]:
    widths = job.run.net.widths
    found = []
    for layer in job.layers:
        found.append(f"nn.Linear({widths[layer - 1]}, {widths[layer]})")
        if layer < len(job.layers):
            found.append(ACTIVATIONS[job.run.net.activation.name])
            found += ["nn.Dropout(0.5)"] if job.run.has_dropout else []
    return found


def _start(job: Job) -> list[str]:
    if job.scheme:
        return [f'fanin.init(net, scheme="{job.scheme}", seed={job.seed})']
    stride = 3 if job.run.has_dropout else 2
    lines = []
    for layer in job.layers:
        place = f"net[{stride * (layer - 1)}]"
        weight = transposed(job.weight(layer))
        lines.append(_filling(f"{place}.weight", weight, same(weight)))
        bias = job.bias(layer)
        lines.append(_filling(f"{place}.bias", bias, same(bias)))
    return lines


def _filling(name: str, values: object, value: float | None) -> str:
    if value is not None:
        return f"nn.init.constant_({name}, {value})"
    return f"{name}.data = torch.tensor({values})"
