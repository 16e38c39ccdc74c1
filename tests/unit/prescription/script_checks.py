"""What a script of a plan must have done to a model, parameter by parameter."""

from __future__ import annotations

import re
from dataclasses import replace
from math import sqrt

import numpy as np

from fanin.graph.unit_rows import entries_of, units_of
from fanin.prescription.drawing import draw_of, without_centre
from fanin.prescription.write_down import matrix_gain
from fanin.sampler.matrices import middle_of

LONG_NAME = re.compile(r""" *f?"[^"]{60,}",?""")
"""A name that is longer than a line allows, and nothing beside it."""
SENTINEL = 123.25
"""Held by every parameter before the script runs; no law here draws it."""
RANDOM = {"normal", "uniform", "truncated_normal", "orthogonal", "delta_orthogonal"}
EXACT = {"constant", "values", "identity"}
HALF_BIT = {"float16": 2**-11, "bfloat16": 2**-8}
"""The largest relative error of one rounding; float32 and wider: see TOLERANCE."""
TOLERANCE = 2e-6


def executed(code: str) -> dict[str, object]:
    """Run a script in a namespace of its own, after looking at how it is written."""
    too_long = [line for line in code.splitlines() if len(line) > 88]
    assert all(LONG_NAME.fullmatch(line) for line in too_long)
    assert "fanin." not in code
    namespace: dict[str, object] = {"__name__": "pasted"}
    exec(compile(code, "pasted.py", "exec"), namespace)
    return namespace


def assert_follows(plan, before, after, deviations=5.0):
    """Check every parameter of the plan, and that nothing else was touched."""
    assert set(before) == set(after)
    known = {p.path: p for p in plan.prescriptions}
    drawn = [p.path for p in known.values() if p.law in RANDOM and p.path in after]
    assert len({after[path].tobytes() for path in drawn}) == len(drawn)
    for path, values in after.items():
        p = known.get(path)
        if p is None or p.is_kept:
            assert np.array_equal(values, before[path], equal_nan=True), path
        else:
            numbers = np.asarray(values, dtype=np.float64)
            assert numbers.shape == p.shape, path
            _assert_drawn(p, numbers, known, after, deviations)


def _assert_drawn(p, numbers, known, after, deviations):
    error = HALF_BIT.get(p.dtype, TOLERANCE)
    if p.law == "offset":
        weight = known[p.weight]
        entries = entries_of(weight.shape, p.roles, np.arange(p.size))
        rows = np.asarray(after[p.weight], dtype=np.float64).ravel()[entries]
        sums = (-p.value * rows.sum(axis=1)).reshape(p.shape)
        bound = (np.abs(p.value) * np.abs(rows).sum(axis=1)).reshape(p.shape)
        assert (np.abs(numbers - sums) <= error * bound + 1e-30).all(), p.path
        return
    if p.law in EXACT:
        expected = np.asarray(draw_of(without_centre(p), 0)(None), dtype=np.float64)
        assert np.allclose(numbers, expected, rtol=error, atol=0.0), p.path
        return
    assert not (numbers == SENTINEL).any(), p.path
    numbers = _without_parts(p, numbers)
    for axis in p.mirrored:
        first, second = np.split(numbers, 2, axis=axis)
        assert np.array_equal(first, -second), p.path
        numbers = first
    if p.law == "delta_orthogonal":
        middle, inner = middle_of(numbers, p.roles)
        assert np.count_nonzero(numbers) == np.count_nonzero(middle), p.path
        p = replace(p, law="orthogonal", shape=middle.shape, roles=inner)
        p = replace(p, std=p.std * sqrt(numbers.size / middle.size))
        numbers = middle
    if p.law == "orthogonal":
        _assert_orthogonal(p, numbers, error)
    else:
        _assert_independent(p, numbers, error, deviations)


def _without_parts(p, numbers):
    """Undo the factors; a part that is set to a value must hold it."""
    numbers = numbers.copy()
    units = units_of(p.shape, p.roles, np.arange(p.size)).reshape(p.shape)
    for part in p.parts:
        here = (part.start <= units % part.period) & (
            units % part.period < part.start + part.size
        )
        assert here.any()
        assert part.value is None
        numbers[here] /= part.factor
    return numbers


def _assert_orthogonal(p, numbers, error):
    roles = p.roles
    axis = roles.outputs[0]
    blocks = np.split(numbers, p.n_blocks, axis=axis)
    assert len({block.tobytes() for block in blocks}) == p.n_blocks, p.path
    for block in blocks:
        gain = matrix_gain(replace(p, shape=block.shape))
        counted = roles.is_transposed and not roles.has_all_outputs
        n_units = int(np.prod([block.shape[a] for a in roles.outputs]))
        n_units *= roles.groups if counted else 1
        rows = block.ravel()[entries_of(block.shape, roles, np.arange(n_units))]
        groups = np.split(rows, roles.groups)
        assert len({group.tobytes() for group in groups}) == roles.groups, p.path
        for group in groups:
            matrix = group.T if group.shape[0] > group.shape[1] else group
            gram = matrix @ matrix.T / gain**2
            slack = error * 4 * max(matrix.shape)
            assert np.allclose(gram, np.eye(len(gram)), rtol=0, atol=slack), p.path


def _assert_independent(p, numbers, error, deviations):
    n = numbers.size
    limits = {"uniform": sqrt(3.0) * p.std, "truncated_normal": 2.2736944687 * p.std}
    limit = limits.get(p.law, 6.5 * p.std)
    assert np.abs(numbers).max() <= limit * (1 + error), p.path
    # Var[x²] = (kurtosis − 1)·σ⁴, at most 2·σ⁴ for these laws; std is its half.
    spread = sqrt(2.0 / n) / 2
    rms = sqrt((numbers**2).mean()) / p.std
    assert abs(rms**2 - 1) <= deviations * 2 * spread + 2 * error, (p.path, rms)
    assert abs(numbers.mean()) <= deviations * p.std / sqrt(n), p.path
