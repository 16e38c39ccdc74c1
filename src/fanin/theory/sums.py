"""Pairs of entries through sums and concatenation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fanin.theory.pairs import Pairs, spread_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.theory.moments import Moments


def on_one_grid(parts: Sequence[Pairs]) -> list[Pairs]:
    """Give all parts over the same positions and the same lags.

    A part of one position or one sample is broadcast: it is the same at all of them.
    """
    n_samples = max(p.n_samples for p in parts)
    parts = [_without_copies(p, n_samples, parts) for p in parts]
    widest = max(parts, key=lambda p: (p.products.size, len(p.lengths)))
    lengths = widest.lengths
    found = [_broadcast(part, lengths) for part in parts]
    sizes = tuple(
        min(p.products.shape[i + 1] for p in found) for i in range(len(lengths))
    )
    if any(p.products.shape[1:] != sizes for p in found):
        found = [p.collapsed(lengths) for p in found]
    return [replace(p, n_samples=n_samples) for p in found]


def _without_copies(part: Pairs, n_samples: int, parts: Sequence[Pairs]) -> Pairs:
    """Take a table written out once a sample for what it is: the same for each."""
    rest = part.lengths[1:]
    is_copied = part.n_samples == 1 and part.lengths[:1] == (n_samples,)
    if not is_copied or not any(p.lengths == rest and p is not part for p in parts):
        return part

    def first(numbers: np.ndarray) -> np.ndarray:
        return np.stack([numbers[0, 0], numbers[0, 0]])

    return replace(
        part,
        lengths=rest,
        products=first(part.products),
        squares=first(part.squares),
        spread=first(part.spread),
        profile=None,
    )


def _broadcast(part: Pairs, lengths: tuple[int, ...]) -> Pairs:
    if part.lengths == lengths:
        return part
    if np.prod(part.lengths, dtype=int) == 1:
        shape = (2, *(1,) * len(lengths))
        sizes = tuple(2 if n > 1 else 1 for n in lengths)

        def wide(numbers: np.ndarray) -> np.ndarray:
            return np.broadcast_to(numbers.reshape(shape), (2, *sizes)).copy()

        one = part.at_one_position()
        return replace(
            one,
            n_samples=part.n_samples,
            lengths=lengths,
            products=wide(one.products.reshape(2)),
            squares=wide(one.squares.reshape(2)),
            spread=wide(one.spread.reshape(2)),
        )
    return part.collapsed(lengths)


def added(parts: Sequence[Moments], grids: Sequence[Pairs]) -> Pairs:
    """Add the products of independent summands, and their means across.

    E[(a + b)(a′ + b′)] = E[aa′] + E[bb′] + 2·E[a]E[b]. Of squares, 4·E[aa′]E[bb′] comes
    from the products across: it averages out over units, but not over few.
    """
    means = [x.mean for x in parts]
    cross = sum(means) ** 2 - sum(m**2 for m in means)
    products = np.asarray(sum(p.products for p in grids)) + cross
    first = grids[0]
    q = float(products[first.itself])
    n_units = max(p.n_units for p in grids)
    if q <= 0.0:
        return replace(first, products=products, n_units=n_units, profile=None)
    own = [float(p.products[p.itself]) for p in grids]
    squares = np.asarray(sum(p.squares * w**2 for p, w in zip(grids, own, strict=True)))
    centred = [p.products - m**2 for p, m in zip(grids, means, strict=True)]
    for i, a in enumerate(grids):
        for j in range(i):
            across = centred[i] * grids[j].products + means[i] ** 2 * centred[j]
            squares = squares + 4.0 * np.where(a.products.any(), across, 0.0)
    return replace(
        first,
        n_units=n_units,
        products=products,
        squares=squares / q**2,
        spread=_spread(grids, own) / q**2,
        profile=_profile(grids, own, q),
    )


def _spread(grids: Sequence[Pairs], own: Sequence[float]) -> np.ndarray:
    """Add fluctuations as those of one cause add: by their roots, signs kept."""
    roots = sum(
        np.sign(p.spread) * np.sqrt(np.abs(p.spread)) * w
        for p, w in zip(grids, own, strict=True)
    )
    return np.asarray(np.sign(roots) * roots**2)


def _profile(
    grids: Sequence[Pairs], own: Sequence[float], q: float
) -> np.ndarray | None:
    if all(p.profile is None for p in grids):
        return None
    total = np.zeros(())
    for p, w in zip(grids, own, strict=True):
        total = total + w * (1.0 if p.profile is None else p.profile)
    found = np.maximum(total + q - sum(own), 0.0)
    return np.asarray(found / found.mean())


def averaged(grids: Sequence[Pairs], sizes: Sequence[int]) -> Pairs:
    """Lay units side by side: classes average by size, units add up."""
    shares = [size / sum(sizes) for size in sizes]
    first = grids[0]
    pairs = list(zip(grids, shares, strict=True))
    products = np.asarray(sum(s * p.products for p, s in pairs))
    q = float(products[first.itself])
    n_units = sum(p.n_units for p in grids)
    if q <= 0.0:
        return replace(first, products=products, n_units=n_units, profile=None)
    own = [float(p.products[p.itself]) * s for p, s in pairs]
    second = np.asarray(
        sum(s * (p.squares + 1.0) * float(p.products[p.itself]) ** 2 for p, s in pairs)
    )
    return replace(
        first,
        n_units=n_units,
        products=products,
        squares=second / q**2 - 1.0,
        spread=_spread(grids, own) / q**2,
        profile=_profile(grids, own, q),
    )


def lined_up(parts: Sequence[Moments], grids: Sequence[Pairs]) -> Pairs:
    """Lay positions one after the other, as a class token before the patches.

    Two positions are both of one part, or of two parts and independent.
    """
    counts = [int(np.prod(p.lengths, dtype=int)) for p in grids]
    total = sum(counts)
    n_samples = max(p.n_samples for p in grids)
    alike, apart = np.zeros((3, 2)), np.zeros((3, 2))
    pairs = list(zip(parts, grids, counts, strict=True))
    for x, p, n in pairs:
        flat = p.collapsed((n,))
        for row, a in enumerate((flat.products, flat.squares, flat.spread)):
            alike[row] += a[:, 0] * n / total
            apart[row] += a[:, -1] * n * (n - 1) / max(total * (total - 1), 1)
        for y, _, m in pairs:
            if y is not x:
                apart[0] += x.mean * y.mean * n * m / max(total * (total - 1), 1)
    q = float(alike[0, 0])
    profiles = [
        np.broadcast_to(1.0 if p.profile is None else p.profile, p.lengths).ravel()
        * (x.second_moment / q if q > 0 else 1.0)
        for x, p, _ in pairs
    ]
    products, squares, spread = (
        spread_out(a, b, (total,)) for a, b in zip(alike, apart, strict=True)
    )
    return Pairs(
        n_samples=n_samples,
        n_units=max(p.n_units for p in grids),
        lengths=(total,),
        products=products,
        squares=squares,
        spread=spread,
        profile=np.concatenate(profiles),
    )
