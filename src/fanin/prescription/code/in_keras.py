"""Scripts in Keras: ``keras.initializers`` assigned to variables, on any backend."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fanin.prescription.code.numbers import parent_std, times
from fanin.prescription.code.spans import changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.prescription.code.loops import Words
    from fanin.prescription.code.matrices import Matrices
    from fanin.prescription.code.recipe import Change, Recipe

IMPORTS: Final = """
import re
from collections import Counter

import keras
import numpy as np
from keras import initializers as init
"""
VARIABLES: Final = '''
def variables_of(model):
    """Name the variables as in a process of their own, where the first Dense is dense.

    Keras numbers the layers of a whole process. Names that the author gave stay.
    """
    numbers = {}
    for layer in model._flatten_layers():
        stem, number = re.fullmatch(r"(.+?)(?:_(\\d+))?", layer.name).groups()
        if stem.replace("_", "") == type(layer).__name__.lower():
            numbers.setdefault(stem, set()).add(int(number or 0))
    names = {
        f"{stem}_{number}" if number else stem: f"{stem}_{rank}" if rank else stem
        for stem, given in numbers.items()
        for rank, number in enumerate(sorted(given))
    }
    found, seen = {}, Counter()
    for variable in model.variables:
        path = "/".join(names.get(part, part) for part in variable.path.split("/"))
        seen[path] += 1
        found[path if seen[path] == 1 else f"{path}#{seen[path]}"] = variable
    return found
'''
MIRRORED: Final = '''
def mirrored(initializer, *axes):
    """Draw the first half along each axis; the second is minus the first."""

    def draw(shape, dtype):
        half = [n // 2 if axis in axes else n for axis, n in enumerate(shape)]
        numbers = initializer(half, dtype=dtype)
        for axis in axes:
            numbers = keras.ops.concatenate([numbers, -numbers], axis=axis)
        return numbers

    return draw
'''
BLOCKS: Final = '''
def blocks(initializer, n, axis):
    """Cut an axis into n blocks, each drawn for itself."""

    def draw(shape, dtype):
        block = [m // n if i == axis else m for i, m in enumerate(shape)]
        drawn = [initializer(block, dtype=dtype) for _ in range(n)]
        return keras.ops.concatenate(drawn, axis=axis)

    return draw
'''
MATRICES: Final = '''
def matrices(initializer, n, sides, lengths, order, swap=False):
    """Draw n matrices, reshape them to these lengths and permute the axes."""

    def draw(shape, dtype):
        drawn = [initializer(sides, dtype=dtype) for _ in range(n)]
        numbers = keras.ops.stack(drawn, axis=1 if swap else 0)
        return keras.ops.transpose(keras.ops.reshape(numbers, lengths), order)

    return draw
'''
DIRAC: Final = '''
def dirac(gain, n_positions, centre):
    """Let row j copy input j, at one position of the kernel."""

    def draw(sides, dtype):
        n_inputs = sides[1] // n_positions
        kernel = np.zeros((sides[0], n_inputs, n_positions))
        kernel[:, :, centre] = gain * np.eye(sides[0], n_inputs)
        return keras.ops.convert_to_tensor(kernel.reshape(sides), dtype=dtype)

    return draw
'''
DELTA: Final = '''
def delta(initializer, n_positions, centre):
    """Draw a matrix of rows and inputs, at one position of a kernel of zeros."""

    def draw(sides, dtype):
        n_inputs = sides[1] // n_positions
        middle = initializer((sides[0], n_inputs), dtype=dtype)
        here = keras.ops.one_hot(centre, n_positions, dtype=dtype)
        return keras.ops.reshape(middle[:, :, None] * here, sides)

    return draw
'''
CHANGE: Final = '''
def change(variable, units, factor=0.0, value=0.0, axis=0, shape=None):
    """Multiply units by a factor and add a value; others stay as they are."""
    shape = shape or tuple(variable.shape)
    factors, values = np.ones(shape, "float32"), np.zeros(shape, "float32")
    where = (slice(None),) * axis + (units,)
    factors[where], values[where] = factor, value
    kept = keras.ops.multiply(keras.ops.reshape(variable, shape), factors)
    variable.assign(keras.ops.reshape(keras.ops.add(kept, values), variable.shape))
'''
SEEDED: Final = '''
def seeded(path, seed):
    """Give a parameter a generator of its own, of this seed and its path."""
    return keras.random.SeedGenerator((zlib.crc32(path.encode()) + seed) % 2**31)
'''
HELPERS: Final = {
    "seeded": SEEDED,
    "change": CHANGE,
    "mirrored": MIRRORED,
    "blocks": BLOCKS,
    "matrices": MATRICES,
    "dirac": DIRAC,
    "delta": DELTA,
}
HEAD: Final = '''
def init_weights(model, seed={seed}):
    """Draw the initial weights in place; another seed draws other numbers."""
    v = variables_of(model)
'''
RANDOM: Final = "    rng = keras.random.SeedGenerator(seed)"
FILL: Final = """
    def fill(path, initializer):
        v[path].assign(initializer(v[path].shape, dtype={dtype}))
"""
LARGEST_SEED: Final = 2**31
"""Keras keeps seeds in 32 bits on some backends; the rest is left out."""


def opening(recipes: Sequence[Recipe], seed: int) -> list[str]:
    """Give imports, helpers, the head of the function, and what its body needs."""
    body = "\n".join(line for r in recipes for line in _written(r, "path", "1", "w"))
    lines = IMPORTS.splitlines()[1:]
    called = [text for name, text in HELPERS.items() if re.search(rf"\b{name}\(", body)]
    if "np." not in body + "".join(called):
        lines.remove("import numpy as np")
    if "seeded(" in body:
        lines.insert(1, "import zlib")
    lines += ["", *VARIABLES.splitlines(), ""]
    for text in called:
        lines += [*text.splitlines(), ""]
    lines += HEAD.format(seed=seed % LARGEST_SEED).splitlines()
    if "=rng" in body:
        lines.append(RANDOM)
    if "fill(" in body:
        is_narrow = any(recipe.is_narrow for recipe in recipes)
        dtype = '"float32"' if is_narrow else "v[path].dtype"
        lines += FILL.format(dtype=dtype).splitlines()
    return lines


def closing() -> list[str]:
    """Give nothing: the model was changed in place."""
    return []


def statement(recipe: Recipe, words: Words) -> list[str]:
    """Give the lines that write one parameter."""
    return _written(recipe, words.path, words.number, words.weight)


def _written(recipe: Recipe, path: str, number: str, weight: str) -> list[str]:
    target = f"v[{path}]"
    if recipe.law == "offset":
        axes = ", ".join(map(str, recipe.sum_axes))
        axes = f"({axes})" if len(recipe.sum_axes) > 1 else axes
        summed = f"v[{weight}]"
        if recipe.is_narrow:
            summed = f'keras.ops.cast({summed}, "float32")'
        value = f"{number} * keras.ops.sum({summed}, axis={axes})"
        if recipe.shape:
            value = f"keras.ops.reshape({value}, {recipe.shape})"
        lines = [f"{target}.assign({value})"]
    elif recipe.law == "values":
        entries = f"np.array([{', '.join(recipe.values)}])"
        shaped = f".reshape({recipe.shape})" if len(recipe.shape) != 1 else ""
        lines = [f"{target}.assign({entries}{shaped})"]
    else:
        lines = [f"fill({path}, {_initializer(recipe, path, number)})"]
    return [*lines, *_changes(recipe, target)]


def _changes(recipe: Recipe, target: str) -> list[str]:
    """Give the lines that change some units."""
    axis = f", axis={recipe.unit_axis}" if recipe.unit_axis else ""
    shape = f", shape={recipe.unit_shape}" if recipe.unit_shape else ""

    def change(start: str, stop: str, each: Change) -> str:
        what = f"value={each.value}" if each.value else f"factor={each.factor}"
        return f"change({target}, slice({start}, {stop}), {what}{axis}{shape})"

    return changed(recipe, change)


def _initializer(recipe: Recipe, path: str, number: str) -> str:
    """Give the expression of an initializer: (shape, dtype) → numbers."""
    own = f"seeded({path}, {(recipe.seed or 0) % LARGEST_SEED})"
    rng = f"seed={'rng' if recipe.seed is None else own}"
    drawn = _law(recipe, number, rng)
    if recipe.matrices is not None:
        drawn = _laid_out(recipe, recipe.matrices, drawn)
        if recipe.n_blocks > 1:
            drawn = f"blocks({drawn}, {recipe.n_blocks}, axis={recipe.block_axis})"
    if recipe.mirrored:
        drawn = f"mirrored({drawn}, {', '.join(map(str, recipe.mirrored))})"
    return drawn


def _law(recipe: Recipe, number: str, rng: str) -> str:
    if recipe.law == "identity" and recipe.matrices is not None:
        m = recipe.matrices
        return f"dirac({number}, n_positions={m.n_positions}, centre={m.centre})"
    if recipe.law == "constant" and number in {"0", "1"}:
        return f"init.{'Ones' if number == '1' else 'Zeros'}()"
    return {
        "constant": f"init.Constant({number})",
        "normal": f"init.RandomNormal(stddev={number}, {rng})",
        "truncated_normal": f"init.TruncatedNormal(stddev={parent_std(number)}, {rng})",
        "uniform": f"init.RandomUniform({times(number, -1.0)}, {number}, {rng})",
        "orthogonal": f"init.Orthogonal(gain={number}, {rng})",
        "delta_orthogonal": f"init.Orthogonal(gain={number}, {rng})",
    }[recipe.law]


def _laid_out(recipe: Recipe, m: Matrices, drawn: str) -> str:
    """Lay matrices out, where the weight is not one with the outputs last."""
    is_last = m.column_axis == len(m.order) - 1
    if recipe.law == "orthogonal" and is_last:
        return drawn
    if recipe.law == "delta_orthogonal":
        drawn = f"delta({drawn}, n_positions={m.n_positions}, centre={m.centre})"
    swap = ", swap=True" if m.is_swapped else ""
    sides = f"({m.n_rows}, {m.n_columns})"
    return f"matrices({drawn}, {m.n_matrices}, {sides}, {m.lengths}, {m.order}{swap})"
