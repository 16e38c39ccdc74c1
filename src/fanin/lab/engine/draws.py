"""The weights of a recipe: the schemes' formulas, the sampler's numbers.

A draw depends on seed and name alone, so two recipes of one seed and one shape share
their random numbers whatever the scheme and the factor: A and B differ by what was set
and by nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.fans import AxisRoles
from fanin.lab.engine.recipe import SCHEMES
from fanin.prescription.resolve import resolve
from fanin.sampler import Law, draw
from fanin.schemes import find_scheme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.lab.engine.recipe import Recipe

ROLES = AxisRoles(outputs=(0,), inputs=(1,))


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A dense net's parameters. matrices: "n_out n_in" each; biases: "n_out" each."""

    matrices: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    @property
    def parameters(self) -> tuple[np.ndarray, ...]:
        """Give all of them, the matrices first."""
        return (*self.matrices, *self.biases)

    @classmethod
    def of(cls, parameters: Sequence[np.ndarray]) -> Weights:
        """Give what `parameters` gave back its names."""
        half = len(parameters) // 2
        return cls(matrices=tuple(parameters[:half]), biases=tuple(parameters[half:]))


def law_of(recipe: Recipe, shape: tuple[int, int]) -> Law:
    """Give the law of one weight: the scheme's own, times the recipe's factor.

    >>> from fanin.lab.engine.recipe import Recipe
    >>> law_of(Recipe(scheme="he_normal", factor=0.5), (8, 50)).std
    0.1
    """
    law = resolve(find_scheme(SCHEMES[recipe.scheme]), shape, ROLES)
    if law.kind == "constant":
        return replace(law, value=recipe.factor * (law.value or 0.0))
    if law.kind in {"orthogonal", "identity"}:
        return replace(law, gain=recipe.factor * law.factor)
    if law.bound is not None:
        return replace(law, bound=recipe.factor * law.bound)
    return replace(law, std=recipe.factor * (law.std or 0.0))


def shapes(sizes: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Give each weight's shape, "n_out n_in".

    >>> shapes((2, 8, 3))
    ((8, 2), (3, 8))
    """
    return tuple((n_out, n_in) for n_in, n_out in pairwise(sizes))


def draw_weights(
    recipe: Recipe, sizes: Sequence[int], *, seed: int | None = None
) -> Weights:
    """Draw a recipe's weights, float32; hidden biases are the recipe's, the last are 0.

    Args:
        recipe: what to build.
        sizes: units of the input, of each hidden layer and of the output.
        seed: in place of the recipe's own.
    """
    number = recipe.seed if seed is None else seed
    every = shapes(sizes)
    matrices = tuple(
        draw(f"layers.{layer}.weight", shape, law_of(recipe, shape), seed=number)
        for layer, shape in enumerate(every)
    )
    sizes_out = [n_out for n_out, _ in every]
    hidden = [np.full(n_out, recipe.bias, np.float32) for n_out in sizes_out[:-1]]
    return Weights(
        matrices=matrices, biases=(*hidden, np.zeros(sizes_out[-1], np.float32))
    )
