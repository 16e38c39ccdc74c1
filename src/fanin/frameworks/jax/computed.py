"""A parameter computed on the device, in JAX's whole numbers of 32 bits, under jit.

Every entry is a function of its place alone, so a compiler that lays the result out
over devices lets each compute its own part and nothing passes between them. The bits
are those of `fanin.draw` (docs/sampler.md, sections 2, 3 and 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.formula import Formula

ROUNDS: Final = 10
MULTIPLIERS: Final = (0xD2511F53, 0xCD9E8D57)
WEYL: Final = (0x9E3779B9, 0xBB67AE85)
LOW: Final = 0xFFFFFFFF
U32: Final = jnp.uint32


def computed(formula: Formula) -> Any:
    """Give the parameter's entries as a JAX array; traced, or computed at once."""
    numbers = _constant(formula) if formula.factor == 0.0 else _drawn(formula)
    if formula.changes:
        numbers = _changed(formula, numbers)
    return numbers.astype(formula.dtype)


def _constant(formula: Formula) -> Any:
    numbers = jnp.full(formula.shape, np.float32(formula.value), jnp.float32)
    _, is_minus = _unmirrored(formula)
    return jnp.where(is_minus, -numbers, numbers) if formula.mirrored else numbers


def _unmirrored(formula: Formula) -> tuple[list[Any], Any]:
    """Give each entry's place in the halves that are drawn, and if it is minus that."""
    places = [
        jax.lax.broadcasted_iota(jnp.uint32, formula.shape, axis)
        for axis in range(len(formula.shape))
    ]
    is_minus = jnp.zeros(formula.shape, bool)
    for axis in formula.mirrored:
        half = U32(formula.shape[axis] // 2)
        is_second = places[axis] >= half
        places[axis] = jnp.where(is_second, places[axis] - half, places[axis])
        is_minus = is_minus ^ is_second
    return places, is_minus


def _drawn(formula: Formula) -> Any:
    places, is_minus = _unmirrored(formula)
    stream = jnp.zeros(formula.shape, jnp.uint32)
    if len(formula.keys) > 1:
        length = U32(formula.block[formula.axis])
        stream = places[formula.axis] // length
        places[formula.axis] = places[formula.axis] - stream * length
    words = _words(formula, _element(places, formula.block, formula.shape), stream)
    units = _uniform(words) if formula.is_uniform else _normal(formula, words)
    # The sign goes into the whole number: a float product stays the only float step.
    units = jnp.where(is_minus, -units, units)
    return units.astype(jnp.float32) * np.float32(formula.factor)


def _element(
    places: Sequence[Any], block: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[Any, Any]:
    """Give the row-major index within a block, as its upper and lower 32 bits."""
    high = low = jnp.zeros(shape, jnp.uint32)
    for place, length in zip(places, block, strict=True):
        high = high * U32(length) + _upper(low, length)
        low = low * U32(length)
        total = low + place
        high = high + (total < low).astype(jnp.uint32)
        low = total
    return high, low


def _upper(a: Any, b: int) -> Any:
    """Give the upper half of a 32 × 32-bit product, by 16-bit limbs."""
    a_low, a_high = a & U32(0xFFFF), a >> U32(16)
    b_low, b_high = U32(b & 0xFFFF), U32(b >> 16)
    middle = a_high * b_low + ((a_low * b_low) >> U32(16))
    other = a_low * b_high + (middle & U32(0xFFFF))
    return a_high * b_high + (middle >> U32(16)) + (other >> U32(16))


def _words(formula: Formula, element: tuple[Any, Any], stream: Any) -> Any:
    """Give each element's word: Philox4x32-10, word e mod 4 of block ⌊e/4⌋."""
    high, low = element
    c0, c1 = (low >> U32(2)) | (high << U32(30)), high >> U32(2)
    c2 = c3 = jnp.zeros_like(c0)
    for turn in range(ROUNDS):
        k0, k1 = (_key(formula.keys, stream, half, turn) for half in (0, 1))
        c0, c1, c2, c3 = (
            _upper(c2, MULTIPLIERS[1]) ^ c1 ^ k0,
            c2 * U32(MULTIPLIERS[1]),
            _upper(c0, MULTIPLIERS[0]) ^ c3 ^ k1,
            c0 * U32(MULTIPLIERS[0]),
        )
    return jax.lax.select_n((low & U32(3)).astype(jnp.int32), c0, c1, c2, c3)


def _key(keys: tuple[int, ...], stream: Any, half: int, turn: int) -> Any:
    """Give one word of each element's key in one round."""
    words = [((key >> 32 * half) + turn * WEYL[half]) & LOW for key in keys]
    if len(words) == 1:
        return U32(words[0])
    return jnp.asarray(np.array(words, np.uint32))[stream]


def _uniform(words: Any) -> Any:
    halves = (words >> U32(8)).astype(jnp.int32)
    return halves * jnp.int32(2) + jnp.int32(1 - (1 << 24))


def _normal(formula: Formula, words: Any) -> Any:
    magnitude = words & U32(0x7FFFFFFF)
    if formula.first:
        # ⌊m · left / 2³¹⌋ is the upper half of 2m · left.
        magnitude = U32(formula.first) + _upper(magnitude << U32(1), formula.left)
    octave = U32(31) - jax.lax.clz(magnitude | U32(1))
    fraction = (magnitude << (U32(31) - octave)) & U32(0x7FFFFFFF)
    segment = (octave << U32(7)) + (fraction >> U32(24))
    offset = (fraction >> U32(9)) & U32(0x7FFF)
    base, slope = (jnp.asarray(table) for table in formula.tables)
    height = base[segment] - ((slope[segment] * offset) >> U32(11))
    height = jnp.minimum(height, U32(formula.limit)).astype(jnp.int32)
    return jnp.where(words >> U32(31) == U32(1), -height, height)


def _changed(formula: Formula, numbers: Any) -> Any:
    """Multiply or set units; the products are kept apart from the one before."""
    numbers = jax.lax.optimization_barrier(numbers)  # type: ignore[no-untyped-call]
    units = _units(formula)
    for change in formula.changes:
        place = units % U32(change.period)
        here = (place >= U32(change.start)) & (place < U32(change.start + change.size))
        if change.value is None:
            other = numbers * np.float32(change.factor)
        else:
            other = jnp.full_like(numbers, np.float32(change.value))
        numbers = jnp.where(here, other, numbers)
    return numbers


def _units(formula: Formula) -> Any:
    """Give the unit of each entry, as `graph.unit_rows.units_of` counts them."""
    shape, roles = formula.shape, formula.roles
    if roles is None:
        return _flat(shape, tuple(range(len(shape))))
    units = _flat(shape, roles.outputs)
    if roles.is_transposed and not roles.has_all_outputs:
        n_inputs = int(np.prod([shape[axis] for axis in roles.inputs]))
        group = _flat(shape, roles.inputs) // U32(n_inputs // roles.groups)
        n_outputs = int(np.prod([shape[axis] for axis in roles.outputs]))
        units = group * U32(n_outputs) + units
    return units


def _flat(shape: tuple[int, ...], axes: Sequence[int]) -> Any:
    flat = jnp.zeros(shape, jnp.uint32)
    for axis in axes:
        place = jax.lax.broadcasted_iota(jnp.uint32, shape, axis)
        flat = flat * U32(shape[axis]) + place
    return flat
