"""Tells a GraphBuilder, step by step, what a JAX program does.

What JAX writes in many primitives and the builder in one is put together here: a sum
divided by its count is a mean, a choice by a known condition is the chosen case, a
draw compared with a rate is dropout's mask. All other understanding is the builder's.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final

import jax
import numpy as np

from fanin.frameworks._jaxpr.steps import Constant
from fanin.graph.degree import DegreesOf
from fanin.graph.draft import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.frameworks._jaxpr.reduction import Reduction, Total
    from fanin.frameworks._jaxpr.steps import Source, Step
    from fanin.graph.builder import GraphBuilder
    from fanin.graph.degree import Degrees

    Translator = Callable[["Recorder", Step], Sequence[int]]

MOST_FOLDED: Final = 1 << 20
"""Entries up to which a value that no input decides is worked out while recording."""

DRAWS: Final = frozenset(
    {
        "random_bits",
        "random_gamma",
        "rng_bit_generator",
        "rng_uniform",
        "threefry2x32",
    }
)
"""Primitives that draw numbers."""


LOOPS: Final = frozenset({"scan", "while"})
"""Primitives of which a round or two are laid open, and that run whole."""


class Recorder:
    """Holds what is known of each value while the steps go by.

    dtypes: of the program's values. drafts: the builder's id of each of them; values:
    the other way round. numbers: values that neither batch nor parameters decide.
    keeps: of random values, the share that is kept where they are a mask, else NaN;
    recipes: the step that draws each. linears: by value, of products with a weight, the
    degrees in the parameters that it is made of.

    By draft: views, the path of the parameter whose numbers it holds in some order and
    shape; totals, quotients, products and reductions, what it is a sum, a quotient by a
    number, a product, a mean or a maximum of (means: those whose axes are gone);
    unmoved, the draft that differs from it in axes of length 1 alone; placed, the draft
    whose axes it has in other places, and those; columns, the values that it lays side
    by side along its last axis, each of length 1; thin, the draft that it holds copies
    of, with length 1 along those axes. differences: by the two drafts that were
    subtracted; permuted: by a draft and the order of its axes.
    """

    def __init__(
        self,
        builder: GraphBuilder,
        translators: Mapping[str, Translator],
        translate_other: Translator,
        path_of: Callable[[str], str],
        dtypes: Mapping[int, str],
    ) -> None:
        self.builder = builder
        self.dtypes = dtypes
        self.translators = translators
        self.translate_other = translate_other
        self.path_of = path_of
        self.drafts: dict[int, int] = {}
        self.values: dict[int, int] = {}
        self.numbers: dict[int, np.ndarray] = {}
        self.keeps: dict[int, float] = {}
        self.totals: dict[int, Total] = {}
        self.quotients: dict[int, tuple[int, float]] = {}
        self.differences: dict[tuple[int, ...], Sequence[int]] = {}
        self.means: dict[int, Reduction] = {}
        self.reductions: dict[int, Reduction] = {}
        self.unmoved: dict[int, int] = {}
        self.placed: dict[int, tuple[int, dict[int, int]]] = {}
        self.permuted: dict[tuple[int, tuple[int, ...]], int] = {}
        self.products: dict[int, Sequence[int]] = {}
        self.columns: dict[int, Sequence[int]] = {}
        self.thin: dict[int, int] = {}
        self.recipes: dict[int, Step] = {}
        self.views: dict[int, str] = {}
        self.linears: dict[int, Degrees] = {}
        self._degrees = DegreesOf(builder.drafts)

    # What is known of a value

    def number(self, source: Source) -> np.ndarray | None:
        """Give the value's numbers if neither batch nor parameters decide them."""
        if isinstance(source, Constant):
            return _numbers(source.value)
        return self.numbers.get(source)

    def scalar(self, source: Source) -> float | None:
        """Give the one number that the value holds throughout, or None."""
        found = _calculable(self.number(source))
        if found is None or found.size == 0:
            return None
        first = found.flat[0]
        return float(first) if bool(np.all(found == first)) else None

    def draft(self, source: Source) -> int:
        """Give the builder's id of a value, announcing it if it is a constant."""
        if not isinstance(source, Constant) and source in self.drafts:
            return self.drafts[source]
        found = self.number(source)
        shape = () if found is None else found.shape
        made = self.builder.constant(_calculable(found), shape)
        if not isinstance(source, Constant):
            self.drafts[source] = made
        return made

    def drawn(self, source: Source) -> np.ndarray | None:
        """Give numbers that the program draws, as it would draw them: no mask."""
        if isinstance(source, Constant) or source not in self.recipes:
            return self.number(source)
        step = self.recipes[source]
        if any(prod(shape) > MOST_FOLDED for shape in step.shapes):
            return None
        results = step.run(*(self._given(each) for each in step.inputs))
        return _numbers(results[step.outputs.index(source)])

    def _given(self, source: Source) -> Any:
        """Give a value that the program draws or fixes, as JAX holds it."""
        if isinstance(source, Constant):
            return source.value
        if source not in self.recipes:
            return self.numbers[source]
        step = self.recipes[source]
        results = step.run(*(self._given(each) for each in step.inputs))
        return results[step.outputs.index(source)]

    def is_random(self, source: Source) -> bool:
        """Say whether the value was drawn, or worked out from what was drawn."""
        return not isinstance(source, Constant) and source in self.keeps

    def keep(self, source: Source) -> float:
        """Give the share that a random mask keeps; NaN if the value is no mask."""
        if isinstance(source, Constant):
            return float("nan")
        return self.keeps.get(source, float("nan"))

    def dtype(self, source: Source) -> str:
        """Give the dtype of a value, as JAX names it."""
        if isinstance(source, Constant):
            return str(np.asarray(source.value).dtype)
        return self.dtypes[source]

    # One step

    def take(self, step: Step) -> None:
        """Describe one step to the builder; of one that runs whole, what is inside."""
        if step.inner:
            self._take_inside(step)
            return
        path = self.path_of(step.scope) or self._owner(step)
        self.builder.place = Place(path=path, source=step.source)
        if self._fold(step) or self._draw(step):
            return
        translate = self.translators.get(step.primitive, self.translate_other)
        n_before = len(self.builder.drafts)
        for value, draft in zip(step.outputs, translate(self, step), strict=True):
            self.drafts[value] = draft
            self.values.setdefault(draft, value)
            degrees = self._degrees.made_since(draft, n_before)
            if degrees:
                self.linears.setdefault(value, degrees)

    def _take_inside(self, step: Step) -> None:
        if self._fold(step) or self._draw(step):
            return
        for inner in step.inner:
            self.take(inner)
        if step.primitive in LOOPS:
            for value in step.outputs:
                # What one round gave, a counter say, is not what all of them give.
                if self.numbers.pop(value, None) is not None:
                    self.drafts[value] = self.builder.constant(
                        None, self.shape(step, value)
                    )

    @staticmethod
    def shape(step: Step, value: int) -> tuple[int, ...]:
        """Give the shape of one of the step's outputs."""
        return step.shapes[step.outputs.index(value)]

    def _owner(self, step: Step) -> str:
        """Give the module of the parameter that the step reads, if it reads one."""
        for source in step.inputs:
            if not isinstance(source, Constant) and source in self.drafts:
                held = self.views.get(self.drafts[source])
                if held is not None and "/" not in held:
                    return held.rpartition(".")[0]
        return ""

    def _fold(self, step: Step) -> bool:
        """Work out a step that no input decides."""
        given = [self.number(source) for source in step.inputs]
        if draws(step) or any(array is None for array in given):
            return False
        if any(prod(shape) > MOST_FOLDED for shape in step.shapes):
            return False
        arguments = [
            source.value if isinstance(source, Constant) else array
            for source, array in zip(step.inputs, given, strict=True)
        ]
        for value, result in zip(step.outputs, step.run(*arguments), strict=True):
            self.numbers[value] = _numbers(result)
        return True

    def _draw(self, step: Step) -> bool:
        """Announce numbers that are drawn, or decided by nothing but such numbers."""
        random = [source for source in step.inputs if self.is_random(source)]
        others = [source for source in step.inputs if not self.is_random(source)]
        if any(self.number(source) is None for source in others):
            return False
        if not random and not draws(step):
            return False
        keep = self._keep(step, random)
        for value, shape in zip(step.outputs, step.shapes, strict=True):
            self.keeps[value] = keep
            self.recipes[value] = step
            self.drafts[value] = self.builder.random(step.primitive, shape)
        return True

    def _keep(self, step: Step, random: Sequence[Source]) -> float:
        """Give the share that a mask keeps: of a uniform draw below a number."""
        if step.primitive == "lt" and len(step.inputs) == 2:
            below = self.scalar(step.inputs[1])
            return float("nan") if below is None else below
        if len(random) == 1 and step.primitive in CARRIED:
            return self.keep(random[0])
        return float("nan")


def _calculable(found: np.ndarray | None) -> np.ndarray | None:
    """Give numbers in a dtype of NumPy's own, bfloat16 in float64; none if complex."""
    if found is None or found.dtype.kind == "c":
        return None
    return found if found.dtype.kind in "biuf" else found.astype(np.float64)


def _numbers(value: Any) -> np.ndarray:
    """Give an array's numbers; of random keys, the words that they are made of."""
    dtype = getattr(value, "dtype", None)
    if dtype is not None and jax.numpy.issubdtype(dtype, jax.dtypes.prng_key):
        return np.asarray(jax.random.key_data(value))
    return np.asarray(value)


CARRIED: Final = frozenset(
    {
        "broadcast_in_dim",
        "convert_element_type",
        "copy",
        "jit",
        "layout_constraint",
        "reshape",
        "reshard",
        "sharding_constraint",
        "squeeze",
    }
)
"""Primitives through which a mask stays the mask it was."""


def draws(step: Step) -> bool:
    """Say whether a step draws numbers, or makes the key that they are drawn from."""
    is_key = any(dtype.startswith("key") for dtype in step.dtypes)
    return step.primitive in DRAWS or is_key
