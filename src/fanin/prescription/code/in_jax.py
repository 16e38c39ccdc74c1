"""Scripts in JAX: ``jax.nn.initializers`` on a tree of arrays, which is given anew."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fanin.prescription.code.numbers import parent_std
from fanin.prescription.code.spans import changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.prescription.code.loops import Words
    from fanin.prescription.code.matrices import Matrices
    from fanin.prescription.code.recipe import Change, Recipe

UNIFORM: Final = '''
def uniform(bound):
    """Draw between -bound and bound."""
    return lambda key, shape, dtype: jax.random.uniform(
        key, shape, dtype, -bound, bound
    )
'''
MIRRORED: Final = '''
def mirrored(initializer, *axes):
    """Draw the first half along each axis; the second is minus the first."""

    def draw(key, shape, dtype):
        half = tuple(n // 2 if axis in axes else n for axis, n in enumerate(shape))
        numbers = initializer(key, half, dtype)
        for axis in axes:
            numbers = jnp.concatenate([numbers, -numbers], axis)
        return numbers

    return draw
'''
BLOCKS: Final = '''
def blocks(initializer, n, axis):
    """Cut an axis into n blocks, each drawn for itself."""

    def draw(key, shape, dtype):
        block = tuple(m // n if i == axis else m for i, m in enumerate(shape))
        drawn = [initializer(each, block, dtype) for each in jax.random.split(key, n)]
        return jnp.concatenate(drawn, axis)

    return draw
'''
MATRICES: Final = '''
def matrices(initializer, n, sides, lengths, order, swap=False):
    """Draw n matrices, reshape them to these lengths and permute the axes."""

    def draw(key, shape, dtype):
        drawn = [initializer(each, sides, dtype) for each in jax.random.split(key, n)]
        numbers = jnp.stack(drawn, axis=1 if swap else 0)
        return numbers.reshape(lengths).transpose(order)

    return draw
'''
DIRAC: Final = '''
def dirac(gain, n_positions, centre):
    """Let row j copy input j, at one position of the kernel."""

    def draw(key, sides, dtype):
        n_inputs = sides[1] // n_positions
        kernel = jnp.zeros((sides[0], n_inputs, n_positions), dtype)
        eye = gain * jnp.eye(sides[0], n_inputs, dtype=dtype)
        return kernel.at[:, :, centre].set(eye).reshape(sides)

    return draw
'''
DELTA: Final = '''
def delta(initializer, n_positions, centre):
    """Draw a matrix of rows and inputs, at one position of a kernel of zeros."""

    def draw(key, sides, dtype):
        n_inputs = sides[1] // n_positions
        middle = initializer(key, (sides[0], n_inputs), dtype)
        kernel = jnp.zeros((sides[0], n_inputs, n_positions), dtype)
        return kernel.at[:, :, centre].set(middle).reshape(sides)

    return draw
'''
CHANGED: Final = '''
def changed(numbers, units, factor=0.0, value=0.0, axis=0, shape=None):
    """Multiply units by a factor and add a value; others stay as they are."""
    seen = numbers.reshape(shape or numbers.shape)
    where = (slice(None),) * axis + (units,)
    return seen.at[where].multiply(factor).at[where].add(value).reshape(numbers.shape)
'''
HELPERS: Final = {
    "changed": CHANGED,
    "uniform": UNIFORM,
    "mirrored": MIRRORED,
    "blocks": BLOCKS,
    "matrices": MATRICES,
    "dirac": DIRAC,
    "delta": DELTA,
}
WORD: Final = '''
def word(step):
    """Give one step of a path in a tree as a word."""
    for attribute in ("name", "idx", "key"):
        if hasattr(step, attribute):
            return str(getattr(step, attribute))
    return str(step)
'''
HEAD: Final = '''
def init_params(params, key):
    """Give the tree with initial weights; what is not named here stays.

    Equinox, or a dict of parameters: params = init_params(params, key).
    Flax NNX: nnx.update(model, init_params(nnx.state(model, nnx.Param), key)).
    """
    found, tree = jax.tree_util.tree_flatten_with_path(params)
    p = {".".join(map(word, path)) or "params": leaf for path, leaf in found}
'''
BARE: Final = '    p = {name.removesuffix(".value"): leaf for name, leaf in p.items()}'
FILL: Final = """
    def fill(path, initializer):
        p[path] = initializer(next(keys), p[path].shape, p[path].dtype)
"""
FILL_WITH_OWN: Final = """
    def fill(path, initializer, seed=None):
        if seed is None:
            own = next(keys)
        else:  # a key of its own, of this seed and its path
            own = jax.random.fold_in(jax.random.key(seed), zlib.crc32(path.encode()))
        p[path] = initializer(own, p[path].shape, p[path].dtype)
"""
WIDE: Final = "jnp.float32).astype(p[path].dtype)"
SEEDS: Final = 2**32
"""JAX keeps 32 bits of a seed where 64-bit numbers are off."""


def opening(recipes: Sequence[Recipe], seed: int) -> list[str]:
    """Give imports, helpers, the head of the function, and what its body needs."""
    del seed
    written = [(r, _filling(r, "path", "1", "w")) for r in recipes]
    changes = [line for recipe in recipes for line in _changes(recipe, "p")]
    body = "\n".join([*(line for _, line in written), *changes])
    called = [text for name, text in HELPERS.items() if re.search(rf"\b{name}\(", body)]
    is_narrow = any(recipe.is_narrow for recipe in recipes)
    has_numbers = is_narrow or "jnp." in body + "".join(called)
    lines = ["import zlib", "", "import jax"] if ", seed=" in body else ["import jax"]
    lines += ["import jax.numpy as jnp"] if has_numbers else []
    lines += ["from jax.nn import initializers as init"] if "init." in body else []
    lines += ["", *WORD.splitlines(), ""]
    for text in called:
        lines += [*text.splitlines(), ""]
    lines += HEAD.splitlines()
    if not any(recipe.path.endswith(".value") for recipe in recipes):
        lines.append(BARE)
    filled = [r for r, line in written if line.startswith("fill(")]
    n_keys = sum(recipe.seed is None for recipe in filled)
    if n_keys:
        lines.append(f"    keys = iter(jax.random.split(key, {n_keys}))")
    if filled:
        fill = FILL if n_keys == len(filled) else FILL_WITH_OWN
        wide = fill.replace("p[path].dtype)", WIDE) if is_narrow else fill
        lines += wide.splitlines()
    return lines


def closing() -> list[str]:
    """Give the tree back, put together again."""
    return ["", "return jax.tree_util.tree_unflatten(tree, p.values())"]


def statement(recipe: Recipe, words: Words) -> list[str]:
    """Give the lines that write one parameter."""
    filling = _filling(recipe, words.path, words.number, words.weight)
    return [filling, *_changes(recipe, f"p[{words.path}]")]


def _filling(recipe: Recipe, path: str, number: str, weight: str) -> str:
    target = f"p[{path}]"
    shaped = f".reshape({recipe.shape})"
    if recipe.law == "offset":
        axes = ", ".join(map(str, recipe.sum_axes))
        axes = f"({axes})" if len(recipe.sum_axes) > 1 else axes
        wide = ", dtype=jnp.float32" if recipe.is_narrow else ""
        sums = f"p[{weight}].sum({axes}{wide}){shaped if recipe.shape else ''}"
        return f"{target} = ({number} * {sums}).astype({target}.dtype)"
    if recipe.law == "values":
        entries = f"jnp.array([{', '.join(recipe.values)}], {target}.dtype)"
        return f"{target} = {entries}{shaped if len(recipe.shape) != 1 else ''}"
    if recipe.law == "constant":
        known = {"0": f"zeros_like({target})", "1": f"ones_like({target})"}
        return f"{target} = jnp.{known.get(number, f'full_like({target}, {number})')}"
    seed = "" if recipe.seed is None else f", seed={recipe.seed % SEEDS}"
    return f"fill({path}, {_initializer(recipe, number)}{seed})"


def _changes(recipe: Recipe, target: str) -> list[str]:
    """Give the lines that change some units."""
    axis = f", axis={recipe.unit_axis}" if recipe.unit_axis else ""
    shape = f", shape={recipe.unit_shape}" if recipe.unit_shape else ""

    def change(start: str, stop: str, each: Change) -> str:
        what = f"value={each.value}" if each.value else f"factor={each.factor}"
        units = f"slice({start}, {stop})"
        return f"{target} = changed({target}, {units}, {what}{axis}{shape})"

    return changed(recipe, change)


def _initializer(recipe: Recipe, number: str) -> str:
    """Give the expression of an initializer: (key, shape, dtype) → numbers."""
    if recipe.matrices is None:
        drawn = _law(recipe, number)
    else:
        drawn = _laid_out(recipe, recipe.matrices, number)
    if recipe.n_blocks > 1:
        drawn = f"blocks({drawn}, {recipe.n_blocks}, axis={recipe.block_axis})"
    if recipe.mirrored:
        drawn = f"mirrored({drawn}, {', '.join(map(str, recipe.mirrored))})"
    return drawn


def _law(recipe: Recipe, number: str) -> str:
    return {
        "normal": f"init.normal({number})",
        "truncated_normal": f"init.truncated_normal({parent_std(number)})",
        "uniform": f"uniform({number})",
        "orthogonal": f"init.orthogonal({number})",
        "delta_orthogonal": f"init.orthogonal({number})",
    }[recipe.law]


def _laid_out(recipe: Recipe, m: Matrices, number: str) -> str:
    """Lay matrices out, where the weight is more than one or an identity."""
    if recipe.law == "orthogonal" and m.column_axis is not None:
        is_last = m.column_axis == len(m.order) - 1
        axis = "" if is_last else f", column_axis={m.column_axis}"
        return f"init.orthogonal({number}{axis})"
    at = f"n_positions={m.n_positions}, centre={m.centre}"
    drawn = f"dirac({number}, {at})"
    if recipe.law != "identity":
        drawn = _law(recipe, number)
    if recipe.law == "delta_orthogonal":
        drawn = f"delta({drawn}, {at})"
    swap = ", swap=True" if m.is_swapped else ""
    sides = f"({m.n_rows}, {m.n_columns})"
    return f"matrices({drawn}, {m.n_matrices}, {sides}, {m.lengths}, {m.order}{swap})"
