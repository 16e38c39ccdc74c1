"""What a script does: a net, its start, its samples, and so many steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.derivation.notation import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.lab.lessons.stepping.run import Run


@dataclass(frozen=True, kw_only=True)
class Job:
    """A run to be written as code. scheme, seed: of the start; "" for the run's own."""

    run: Run
    scheme: str = ""
    seed: int = 0

    @property
    def is_binary(self) -> bool:
        """Say whether the loss is cross-entropy of one logit."""
        return self.run.net.loss.output == "sigmoid"

    @property
    def layers(self) -> range:
        """Number the layers from 1."""
        return range(1, self.run.net.n_layers + 1)

    @property
    def inputs(self) -> list[list[float]]:
        """Give the samples' inputs."""
        return [list(sample[0]) for sample in self.run.batch]

    @property
    def targets(self) -> list[list[float]]:
        """Give the samples' targets."""
        return [list(sample[1]) for sample in self.run.batch]

    def weight(self, layer: int) -> list[list[float]]:
        """Give a layer's starting weights, a row an input: "n_in n_out"."""
        net = self.run.net
        return [
            [self.run.start[Entry(layer, i, j)] for j in net.units(layer)]
            for i in net.units(layer - 1)
        ]

    def bias(self, layer: int) -> list[float]:
        """Give a layer's starting biases."""
        return [self.run.start[Entry(layer, 0, j)] for j in self.run.net.units(layer)]


def transposed(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    """Give columns as rows.

    >>> transposed([[1.0, 2.0], [3.0, 4.0]])
    [[1.0, 3.0], [2.0, 4.0]]
    """
    return [list(column) for column in zip(*rows, strict=True)]


def same(values: Sequence[object]) -> float | None:
    """Give the one number that all entries are, or None.

    >>> same([[0.5, 0.5], [0.5, 0.5]]), same([1.0, 2.0])
    (0.5, None)
    """
    flat: list[float] = []
    for value in values:
        flat += value if isinstance(value, list) else [value]  # type: ignore[list-item]
    return flat[0] if all(value == flat[0] for value in flat) else None


def filled(names: Mapping[str, str], lines: Sequence[str]) -> str:
    r"""Join lines, each ``{name}`` replaced.

    >>> filled({"a": "1"}, ["x = {a}"])
    'x = 1\n'
    """
    text = "\n".join(lines) + "\n"
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text
