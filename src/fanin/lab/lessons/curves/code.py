"""What to do instead, as scripts: one start in each framework, and what it prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.lab.lessons.code.tabs import tabs

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Code:
    """Lines of Python by framework.

    prints: the number that each script prints last, but for chance; within: by what
    share chance may move it.
    """

    torch: Sequence[str]
    keras: Sequence[str]
    jax: Sequence[str]
    prints: float
    within: float = 0.05

    def scripts(self) -> dict[str, str]:
        """Give each framework's script by the word on its tab."""
        lines = {"PyTorch": self.torch, "Keras": self.keras, "JAX": self.jax}
        return {word: "\n".join(each) + "\n" for word, each in lines.items()}

    def shown(self) -> str:
        """Give the scripts as HTML, one at a time."""
        return tabs("curves-code", self.scripts())
