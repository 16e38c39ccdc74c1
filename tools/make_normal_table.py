"""Compute the two tables that turn random bits into normal numbers.

    python tools/make_normal_table.py            write them into src/fanin/sampler/
    python tools/make_normal_table.py --check    compare them with what is there

Both tabulate z(p) = −Φ⁻¹(p) for 0 < p ≤ ½. An octave halves p; it is cut into segments
of equal width in p. docs/sampler.md says how the tables are read. All arithmetic is
mpmath's with 40 digits, so the same numbers come out on every machine.
"""

from __future__ import annotations

import argparse
import sys
from functools import cache
from pathlib import Path
from statistics import NormalDist

import mpmath as mp
import numpy as np

FOLDER = Path(__file__).parent.parent / "src" / "fanin" / "sampler"
mp.mp.dps = 40

NARROW_OCTAVES = 31
NARROW_SEGMENTS = 128
NARROW_OFFSET_BITS = 15
NARROW_BASE_BITS = 28
NARROW_SLOPE_BITS = 24

WIDE_OCTAVES = 63
WIDE_SEGMENTS = 64
WIDE_DEGREE = 6
WIDE_BITS = 59


@cache
def tail_quantile(p: mp.mpf) -> mp.mpf:
    """Give z with Φ(−z) = p, to 38 digits, by Halley's steps from a 16-digit start.

    f = Φ(−z) − p has f′ = −φ(z) and f″ = z·φ(z); each step triples the digits.
    """
    if p == mp.mpf(1) / 2:
        return mp.mpf(0)
    z = mp.mpf(-NormalDist().inv_cdf(float(p)))
    for _ in range(2):
        ratio = (mp.erfc(z / mp.sqrt(2)) / 2 - p) / density(z)
        z += ratio / (1 - z * ratio / 2)
    return z


def density(z: mp.mpf) -> mp.mpf:
    """Give φ(z) = exp(−z²/2) / √(2π)."""
    return mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi)


# The narrow table: straight lines, for 31-bit magnitudes


def narrow_boundary(octave: int, segment: int) -> mp.mpf:
    """Give the p at which a segment begins: 2^octave·(1 + segment/128) / 2³²."""
    return mp.mpf(2) ** (octave - 32) * (1 + mp.mpf(segment) / NARROW_SEGMENTS)


def chord_excess(octave: int, segment: int) -> mp.mpf:
    """Give how far the chord lies above z on average over a segment.

    The mean of z over [p₀, p₁] is (φ(z₁) − φ(z₀)) / (p₁ − p₀), since dp = −φ dz.
    """
    p0, p1 = narrow_boundary(octave, segment), narrow_boundary(octave, segment + 1)
    z0, z1 = tail_quantile(p0), tail_quantile(p1)
    return (z0 + z1) / 2 - (density(z1) - density(z0)) / (p1 - p0)


def knot(octave: int, segment: int) -> mp.mpf:
    """Give the height of the broken line at the begin of a segment.

    It is z lowered by the mean excess of the chords on both sides, so that the errors
    of the broken line cancel over a segment. At p = ½ it is 0.
    """
    z = tail_quantile(narrow_boundary(octave, segment))
    if z == 0:
        return z
    if segment == NARROW_SEGMENTS:
        octave, segment = octave + 1, 0
    right = chord_excess(octave, segment)
    if segment:
        left = chord_excess(octave, segment - 1)
    elif octave > 7:
        left = chord_excess(octave - 1, NARROW_SEGMENTS - 1)
    else:
        left = right
    return z - (left + right) / 2


def narrow_entry(octave: int, segment: int) -> tuple[int, int]:
    """Give base (Q4.28) and slope (Q4.24) of one segment.

    Below octave 7 a segment holds one magnitude at most: its base is z at the middle
    of the magnitude's cell, and its slope is 0. Magnitudes 0 and 1 share a segment.
    """
    if octave < 7:
        p = narrow_boundary(octave, segment) + mp.mpf(2) ** -33
        if octave == segment == 0:
            p = mp.mpf(2) ** -32
        return int(mp.nint(tail_quantile(p) * 2**NARROW_BASE_BITS)), 0
    left, right = knot(octave, segment), knot(octave, segment + 1)
    # Every offset stands for a cell, and the line is read at the middle of it. Where
    # an octave has fewer magnitudes than offsets, a cell is several offsets wide.
    cell = mp.mpf(2) ** max(22 - octave, 0) / 2**NARROW_OFFSET_BITS
    base = left + (right - left) * cell / 2
    return (
        int(mp.nint(base * 2**NARROW_BASE_BITS)),
        int(mp.nint((left - right) * 2**NARROW_SLOPE_BITS)),
    )


def narrow_table() -> np.ndarray:
    """Give base and slope of every segment: uint32 "2 3968"."""
    entries = [
        narrow_entry(octave, segment)
        for octave in range(NARROW_OCTAVES)
        for segment in range(NARROW_SEGMENTS)
    ]
    return np.array(entries, dtype=np.uint32).T.copy()


# The wide table: polynomials, for 63-bit magnitudes


@cache
def chebyshev_nodes() -> tuple[mp.mpf, ...]:
    """Give the Chebyshev nodes of [0, 1]."""
    count = WIDE_DEGREE + 1
    return tuple(
        (1 - mp.cos(mp.pi * (2 * i + 1) / (2 * count))) / 2 for i in range(count)
    )


@cache
def values_to_coefficients() -> mp.matrix:
    """Give the matrix from values at the nodes to coefficients of powers."""
    nodes = chebyshev_nodes()
    powers = [[node**k for k in range(WIDE_DEGREE + 1)] for node in nodes]
    return mp.inverse(mp.matrix(powers))


def wide_entry(octave: int, segment: int) -> list[int]:
    """Give the coefficients (Q4.59, power 0 first) of one segment's polynomial.

    It interpolates z((2^octave·(1 + (segment + x)/64) + ½) / 2⁶⁴) at the Chebyshev
    nodes of 0 ≤ x ≤ 1. Below octave 6 it is a constant. In the last segment p ends at
    ½ + 2⁻⁶⁵, where z is −Φ⁻¹(p) < 0 by symmetry.
    """

    def z(x: mp.mpf) -> mp.mpf:
        p = mp.mpf(2) ** octave * (1 + (segment + x) / WIDE_SEGMENTS) + mp.mpf(1) / 2
        p /= mp.mpf(2) ** 64
        return tail_quantile(p)

    if octave < 6:
        first = (
            tail_quantile(mp.mpf(2) ** -64) if octave == segment == 0 else z(mp.mpf(0))
        )
        return [int(mp.nint(first * 2**WIDE_BITS))] + [0] * WIDE_DEGREE
    values = mp.matrix([z(node) for node in chebyshev_nodes()])
    coefficients = values_to_coefficients() * values
    return [int(mp.nint(c * 2**WIDE_BITS)) for c in coefficients]


def wide_table() -> np.ndarray:
    """Give the coefficients of every segment: int64 "7 4032"."""
    entries = [
        wide_entry(octave, segment)
        for octave in range(WIDE_OCTAVES)
        for segment in range(WIDE_SEGMENTS)
    ]
    return np.array(entries, dtype=np.int64).T.copy()


def main() -> int:
    """Write the tables, or compare; the exit code is 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    only_check = parser.parse_args().check
    status = 0
    for name, table in (("normal32", narrow_table()), ("normal64", wide_table())):
        path = FOLDER / f"{name}.npy"
        if not only_check:
            np.save(path, table)
        elif not np.array_equal(np.load(path), table):
            status = 1
        print(path.name, table.dtype, table.shape, "differs" if status else "is right")
    return status


if __name__ == "__main__":
    sys.exit(main())
