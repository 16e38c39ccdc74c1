"""Scripts in PyTorch: ``torch.nn.init`` on named parameters, in place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fanin.prescription.code.numbers import half_widths, parent_std, times
from fanin.prescription.code.spans import changed, index_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.prescription.code.loops import Words
    from fanin.prescription.code.matrices import Matrices
    from fanin.prescription.code.recipe import Change, Recipe

MIRRORED: Final = '''
def mirrored(half: torch.Tensor, *axes: int) -> torch.Tensor:
    """Lay minus the tensor beside it, along each axis."""
    for axis in axes:
        half = torch.cat([half, -half], dim=axis)
    return half
'''
MATRICES: Final = '''
def orthogonal(
    n: int, n_rows: int, n_columns: int, gain: float, rng: torch.Generator
) -> torch.Tensor:
    """Draw n matrices with orthonormal rows or columns, times the gain."""
    empty = torch.empty(n, n_rows, n_columns, device=rng.device)
    return torch.stack([init.orthogonal_(each, gain, rng) for each in empty])
'''
DIRAC: Final = '''
def dirac(
    n: int, n_rows: int, n_inputs: int, n_positions: int, centre: int, gain: float
) -> torch.Tensor:
    """Give n matrices of which row j copies input j, at one position of the kernel."""
    kernel = torch.zeros(n, n_rows, n_inputs, n_positions)
    kernel[..., centre] = gain * torch.eye(n_rows, n_inputs)
    return kernel
'''
DELTA: Final = '''
def delta(
    n: int,
    n_rows: int,
    n_inputs: int,
    n_positions: int,
    centre: int,
    gain: float,
    rng: torch.Generator,
) -> torch.Tensor:
    """Draw n orthogonal matrices, each at one position of a kernel of zeros."""
    kernel = torch.zeros(n, n_rows, n_inputs, n_positions, device=rng.device)
    for each in kernel:
        middle = torch.empty(n_rows, n_inputs, device=rng.device)
        each[..., centre] = init.orthogonal_(middle, gain, rng)
    return kernel
'''
SEEDED: Final = '''
def seeded(path: str, seed: int, device: torch.device) -> torch.Generator:
    """Give a parameter a generator of its own, of this seed and its path."""
    word = (zlib.crc32(path.encode()) + seed) % 2**63
    return torch.Generator(device).manual_seed(word)
'''
HELPERS: Final = {
    "seeded": SEEDED,
    "mirrored": MIRRORED,
    "orthogonal": MATRICES,
    "dirac": DIRAC,
    "delta": DELTA,
}
HEAD: Final = '''
@torch.no_grad()
def init_weights(model: torch.nn.Module, seed: int = {seed}) -> None:
    """Draw the initial weights in place; another seed draws other numbers."""
    p = dict(model.named_parameters())
'''
RANDOM: Final = (
    "    rng = torch.Generator(next(iter(p.values())).device).manual_seed(seed)"
)


def opening(recipes: Sequence[Recipe], seed: int) -> list[str]:
    """Give imports, helpers, the head of the function, and what its body needs."""
    lines = ["import torch", "from torch.nn import init", ""]
    if any(recipe.is_random and recipe.seed is not None for recipe in recipes):
        lines = ["import zlib", "", *lines]
    filling = "\n".join(line for r in recipes for line in _filling(r, "path", "1"))
    for word, helper in HELPERS.items():
        is_called = re.search(rf"\b{word}\(", filling)
        lines += [*helper.splitlines(), ""] if is_called else []
    lines += HEAD.format(seed=seed).splitlines()
    if any(recipe.is_random and recipe.seed is None for recipe in recipes):
        lines.append(RANDOM)
    return lines


def closing() -> list[str]:
    """Give nothing: the model was changed in place."""
    return []


def statement(recipe: Recipe, words: Words) -> list[str]:
    """Give the lines that write one parameter."""
    target = f"p[{words.path}]"
    if recipe.law == "offset":
        wide = ", dtype=torch.float32" if recipe.is_narrow else ""
        axes = ", ".join(map(str, recipe.sum_axes))
        axes = f"({axes})" if len(recipe.sum_axes) > 1 else axes
        sums = f"p[{words.weight}].sum({axes}{wide})"
        shape = f".reshape({_lengths(recipe.shape)})" if recipe.shape else ""
        lines = [f"{target}.copy_({words.number} * {sums}{shape})"]
    else:
        lines = _filling(recipe, words.path, words.number)
    viewed = f".view({_lengths(recipe.unit_shape)})" if recipe.unit_shape else ""

    def change(start: str, stop: str, each: Change) -> str:
        index = index_of(recipe, start, stop)
        verb = f"fill_({each.value})" if each.value else f"mul_({each.factor})"
        return f"{target}{viewed}[{index}].{verb}"

    return _shortened([*lines, *changed(recipe, change)], target)


def _shortened(lines: list[str], target: str) -> list[str]:
    """Give the parameter a name of one letter where it is spoken of more than once."""
    if sum(line.count(target) for line in lines) < 2:
        return lines
    return [f"w = {target}", *(line.replace(target, "w") for line in lines)]


def _filling(recipe: Recipe, path: str, number: str) -> list[str]:
    """Give the lines of the law."""
    target = f"p[{path}]"
    if recipe.law == "constant":
        return [_constant(target, number)]
    if recipe.law == "values":
        shape = f".reshape({_lengths(recipe.shape)})" if len(recipe.shape) != 1 else ""
        entries = ", ".join(recipe.values)
        return [f"{target}.copy_({target}.new_tensor([{entries}]){shape})"]
    rng = "rng" if recipe.seed is None else "own"
    lines = []
    if recipe.is_random and recipe.seed is not None:
        lines = [f"own = seeded({path}, {recipe.seed}, {target}.device)"]
    return [*lines, *_drawing(recipe, target, number, rng)]


def _constant(target: str, number: str) -> str:
    if number in {"0", "1"}:
        return f"init.{'ones' if number == '1' else 'zeros'}_({target})"
    return f"init.constant_({target}, {number})"


def _drawing(recipe: Recipe, target: str, number: str, rng: str) -> list[str]:
    """Give the lines that draw: in place where torch.nn.init lays weights out so."""
    first: list[str] = []
    is_direct = not recipe.is_narrow and not recipe.mirrored
    if recipe.matrices is not None:
        n_chunks = _chunks(recipe, recipe.matrices) if is_direct else 0
        if n_chunks == 1:
            return [_call(recipe, target, number, rng)]
        if n_chunks > 1:
            inner = _call(recipe, "block", number, rng)
            return [f"for block in {target}.chunk({n_chunks}):", f"    {inner}"]
        first, drawn = _laid_out(recipe, recipe.matrices, target, number, rng)
    elif is_direct:
        return [_call(recipe, target, number, rng)]
    else:
        drawn = _call(recipe, _empty(recipe, target, recipe.block), number, rng)
    if recipe.mirrored:
        drawn = f"mirrored({drawn}, {', '.join(map(str, recipe.mirrored))})"
    return [*first, f"{target}.copy_({drawn})"]


def _call(recipe: Recipe, target: str, number: str, rng: str) -> str:
    """Give the call of torch.nn.init that fills a tensor."""
    if recipe.law == "identity":
        scaled = "" if number == "1" else f".mul_({number})"
        return f"init.eye_({target}){scaled}"
    if recipe.law == "uniform":
        ends = f"{times(number, -1.0)}, {number}"
        return f"init.uniform_({target}, {ends}, generator={rng})"
    if recipe.law == "truncated_normal":
        low, high = half_widths(number)
        sizes = f"std={parent_std(number)}, a={low}, b={high}"
        return f"init.trunc_normal_({target}, {sizes}, generator={rng})"
    if recipe.law == "orthogonal":
        return f"init.orthogonal_({target}, gain={number}, generator={rng})"
    return f"init.normal_({target}, std={number}, generator={rng})"


def _chunks(recipe: Recipe, matrices: Matrices) -> int:
    """Give how many pieces of axis 0 are one matrix each; 0 where none are."""
    if recipe.law == "delta_orthogonal":
        return 0
    if recipe.law == "identity":
        is_plain = len(recipe.shape) == 2 and matrices.column_axis == 0
        return int(is_plain and recipe.n_blocks == 1)
    if matrices.column_axis == 0:
        return recipe.n_blocks
    n_outputs = matrices.n_matrices * matrices.n_rows
    is_cut = matrices.is_in_order and matrices.lengths[0] == n_outputs
    return matrices.n_matrices if is_cut and recipe.n_blocks == 1 else 0


def _laid_out(
    recipe: Recipe, m: Matrices, target: str, number: str, rng: str
) -> tuple[list[str], str]:
    """Draw matrices and lay them out: a first line, and the weight as an expression."""
    if recipe.law == "orthogonal" and m.column_axis == 0 and recipe.n_blocks == 1:
        return [], _call(recipe, _empty(recipe, target, recipe.block), number, rng)
    n_inputs = m.n_columns // m.n_positions
    at = f"{m.n_matrices}, {m.n_rows}, {n_inputs}, {m.n_positions}, {m.centre}"
    if recipe.law == "identity":
        drawn = f"dirac({at}, {number})"
    elif recipe.law == "delta_orthogonal":
        drawn = f"delta({at}, {number}, {rng})"
    else:
        sides = f"{m.n_matrices}, {m.n_rows}, {m.n_columns}"
        drawn = f"orthogonal({sides}, {number}, {rng})"
    drawn += ".transpose(0, 1)" if m.is_swapped else ""
    laid = f".reshape({_lengths(m.lengths)})"
    if m.order != tuple(range(len(m.order))):
        laid += f".permute({_lengths(m.order)})"
    if recipe.n_blocks == 1:
        return [f"drawn = {drawn}"], f"drawn{laid}"
    pieces = f"[{drawn}{laid} for _ in range({recipe.n_blocks})]"
    return [], f"torch.cat({pieces}, dim={recipe.block_axis})"


def _empty(recipe: Recipe, target: str, shape: tuple[int, ...]) -> str:
    """Give an expression of memory: of 32 bits where the parameter has 16."""
    wide = "dtype=torch.float32" if recipe.is_narrow else ""
    if not shape:
        return f"torch.empty_like({target}, {wide})"
    return f"{target}.new_empty(({_lengths(shape)}){', ' + wide if wide else ''})"


def _lengths(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
