"""Tells a GraphBuilder, step by step, what a TensorFlow program does.

What TensorFlow writes in many operations and the builder in one is put together here:
a choice by a known condition is the chosen case, a draw compared with a rate is
dropout's mask, a list that a loop fills is its entries. All other understanding is the
builder's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fanin.frameworks._tfgraph.pointwise import RULES, function_of
from fanin.frameworks._tfgraph.steps import Constant
from fanin.frameworks._tfgraph.unfold import draws
from fanin.graph.degree import DegreesOf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.frameworks._tfgraph.steps import Source, Step
    from fanin.graph.builder import GraphBuilder
    from fanin.graph.degree import Degrees

    Translator = Callable[["Recorder", Step], Sequence[int]]

CARRIED: Final = frozenset({"BroadcastTo", "Cast", "ExpandDims", "Identity", "Reshape"})
"""Operations through which a mask stays the mask it was."""

NO_NUMBERS: Final = frozenset({"resource", "string", "variant"})
"""Dtypes of tensors that hold no numbers."""


class Recorder:
    """Holds what is known of each value while the steps go by.

    dtypes: of the program's values. drafts: the builder's id of each of them; values:
    the other way round. keeps: of random values, the share that is kept where they are
    a mask, else NaN. products: drafts that are another times a number. views: by
    draft, the path of the parameter whose numbers it holds in some order and shape.
    linears: by value, of products with a weight, the degrees in the parameters that it
    is made of.
    lists: by value, the drafts in a list; None where nothing is written yet. stacks:
    by draft, the entries that were stacked along axis 0. copies: drafts that hold the
    same numbers several times.
    """

    def __init__(
        self,
        builder: GraphBuilder,
        translators: Mapping[str, Translator],
        dtypes: Mapping[int, str],
    ) -> None:
        self.builder = builder
        self.translators = translators
        self.dtypes = dtypes
        self.drafts: dict[int, int] = {}
        self.values: dict[int, int] = {}
        self.keeps: dict[int, float] = {}
        self.products: dict[int, tuple[int, float]] = {}
        self.views: dict[int, str] = {}
        self.linears: dict[int, Degrees] = {}
        self._degrees = DegreesOf(builder.drafts)
        self.lists: dict[int, tuple[int | None, ...]] = {}
        self.stacks: dict[int, tuple[int, ...]] = {}
        self.copies: set[int] = set()

    # What is known of a value

    def number(self, source: Source) -> np.ndarray | None:
        """Give the value's numbers if neither batch nor parameters decide them."""
        if isinstance(source, Constant) and self.dtype(source) not in NO_NUMBERS:
            found = np.asarray(source.value.numpy())
            # NumPy knows no bfloat16 and cannot calculate with it as such.
            return found if found.dtype.kind in "biuf" else found.astype(np.float64)
        return None

    def numbers(self, source: Source) -> tuple[int, ...] | None:
        """Give whole numbers that are known: axes, a shape; one alone counts as one."""
        found = self.number(source)
        if found is None:
            return None
        return tuple(int(n) for n in found.reshape(-1))

    def scalar(self, source: Source) -> float | None:
        """Give the one number that the value holds throughout, or None."""
        found = self.number(source)
        if found is None or found.size == 0:
            return None
        first = found.flat[0]
        return float(first) if bool(np.all(found == first)) else None

    def draft(self, source: Source) -> int:
        """Give the builder's id of a value, announcing it if it is a constant."""
        if not isinstance(source, Constant):
            return self.drafts[source]
        return self.builder.constant(self.number(source))

    def is_random(self, source: Source) -> bool:
        """Say whether the value was drawn, or worked out from what was drawn."""
        return not isinstance(source, Constant) and source in self.keeps

    def dtype(self, source: Source) -> str:
        """Give the dtype of a value, as TensorFlow names it."""
        if isinstance(source, Constant):
            return str(source.value.dtype.name)
        return self.dtypes[source]

    def carry(self, source: int, made: int) -> None:
        """Let a parameter in another order or shape stay that parameter."""
        if source in self.views:
            self.views[made] = self.views[source]

    # One step

    def take(self, step: Step) -> None:
        """Describe one step to the builder."""
        self.builder.place = step.place
        if self._draw(step):
            return
        translate = self.translators.get(step.kind, pointwise)
        n_before = len(self.builder.drafts)
        made = translate(self, step)
        for value, draft in zip(step.outputs, made, strict=True):
            self.drafts[value] = draft
            self.values.setdefault(draft, value)
            degrees = self._degrees.made_since(draft, n_before)
            if degrees:
                self.linears.setdefault(value, degrees)

    def _draw(self, step: Step) -> bool:
        """Announce numbers that are drawn, or decided by nothing but such numbers."""
        random = [source for source in step.inputs if self.is_random(source)]
        others = [source for source in step.inputs if not self.is_random(source)]
        if any(self.number(source) is None for source in others):
            return False
        if not random and not draws(step.kind):
            return False
        keep = self._keep(step, random)
        for value, shape in zip(step.outputs, step.shapes, strict=True):
            self.keeps[value] = keep
            self.drafts[value] = self.builder.random(step.kind, shape)
        return True

    def _keep(self, step: Step, random: Sequence[Source]) -> float:
        """Give the share that a mask keeps: of a uniform draw held against a number."""
        if step.kind in {"GreaterEqual", "Less"} and step.inputs[0] in random:
            bound = self.scalar(step.inputs[1])
            if bound is not None:
                return bound if step.kind == "Less" else 1.0 - bound
        if len(random) == 1 and step.kind in CARRIED:
            return self.keep(random[0])
        return float("nan")

    def keep(self, source: Source) -> float:
        """Give the share that a random mask keeps; NaN if the value is no mask."""
        if isinstance(source, Constant):
            return float("nan")
        return self.keeps.get(source, float("nan"))


def pointwise(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a step that works entry by entry; any other is opaque."""
    function = function_of(step)
    if function is None:
        return opaque(recorder, step)
    inputs = [recorder.draft(source) for source in step.inputs]
    rule = RULES.get(step.kind, "")
    return [recorder.builder.pointwise(step.kind, inputs, function, rule=rule)]


def opaque(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a step that is none that fanin knows."""
    inputs = [recorder.draft(source) for source in step.inputs]
    return [recorder.builder.opaque(step.kind, inputs, shape) for shape in step.shapes]


def as_truth(values: Any) -> np.ndarray:
    """Give 1.0 where a number is not 0, as TensorFlow casts to truth values.

    >>> as_truth(np.array([0.0, -2.0])).tolist()
    [0.0, 1.0]
    """
    return np.asarray(np.not_equal(values, 0), dtype=np.float64)


def as_untruth(values: Any) -> np.ndarray:
    """Give 1.0 where a number is 0: the contrary of ``as_truth``.

    >>> as_untruth(np.array([0.0, -2.0])).tolist()
    [1.0, 0.0]
    """
    return np.asarray(np.equal(values, 0), dtype=np.float64)
