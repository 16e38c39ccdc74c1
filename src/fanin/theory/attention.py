"""Pairs of entries through attention: logits, shares, and values averaged by them.

Queries and keys come from two independent weights, so a logit Σ qᵤkᵤ over d units has
second moment d·q_q·q_k, and two logits the product of what their queries and their
keys have in common. Softmax is blind to what a row has in common; what is left
concentrates it on fewer keys: A = E[Σα²]. Values averaged by the shares of two rows
have Σ E[αⱼα′ⱼ′]·E[vⱼvⱼ′] = A·q_v + (1 − A)·k_v, k_v the product of two positions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fanin.theory.concentration import concentrations
from fanin.theory.pairs import Pairs, gaussian_squares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.theory.moments import Moments


def contracted(a: Moments, b: Moments, n_terms: int, n_units: float) -> Pairs:
    """Give pairs of Σᵤ aᵤbᵤ over n units, at every position of a and every one of b.

    E[(Σaᵤbᵤ)(Σa′ᵤb′ᵤ)] = n·E[aa′]·E[bb′] + n(n − 1)·E[a]²·E[b]².

    Raises:
        ValueError: if one of them has no pairs.
    """
    left, right = _flat(a.pairs), _flat(b.pairs)
    across = n_terms * (n_terms - 1) * (a.mean * b.mean) ** 2
    products = n_terms * _outer(left.products, right.products) + across
    return Pairs(
        n_samples=max(left.n_samples, right.n_samples),
        n_units=n_units,
        lengths=(*left.lengths, *right.lengths),
        products=products,
        squares=gaussian_squares(products, n_terms * a.mean * b.mean),
        spread=_outer_sum(left.spread, right.spread),
    )


def _flat(pairs: Pairs | None) -> Pairs:
    if pairs is None:
        raise ValueError
    return pairs.collapsed((int(np.prod(pairs.lengths, dtype=int)),))


def _outer(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a[:, :, None] * b[:, None, :])


def _outer_sum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a[:, :, None] + b[:, None, :])


def shares(logits: Pairs, counts: Sequence[int]) -> Pairs:
    """Give pairs of the shares α of a softmax over the last axis of positions.

    Two rows whose logits have correlation c have E[Σαα′] = A₀·(A/A₀)ᶜ, A₀ that of flat
    shares: exact at c = 0 and 1, and e^{c·s²}/T in the leading order between.

    Args:
        logits: over (queries, keys), as `contracted` gives them.
        counts: keys that each query sees; one number where all see as many.
    """
    flat = logits.products
    covariance = flat[..., 0] - flat[..., -1]
    variance = float(covariance.flat[0])
    c = np.clip(covariance / variance, -1.0, 1.0) if variance > 0.0 else covariance * 0
    per_row = np.array(concentrations(variance, tuple(counts)))
    uniform = 1.0 / np.asarray(counts, dtype=float)
    gain = np.log(float(per_row.mean()) / float(uniform.mean()))
    meets = np.full(covariance.shape, _between_rows(counts))
    meets[:, 0] = uniform.mean()
    together = np.minimum(meets * np.exp(gain * c), 1.0)
    n_keys = logits.lengths[-1]
    products = np.stack(
        [together / n_keys, (1.0 - together) / max(n_keys * (n_keys - 1), 1)], axis=-1
    )[..., : flat.shape[-1]]
    profile = (per_row / per_row.mean())[:, None] if len(counts) > 1 else None
    return replace(
        logits,
        products=products,
        squares=np.zeros_like(products),
        spread=np.zeros_like(products),
        profile=profile,
    )


def _between_rows(counts: Sequence[int]) -> float:
    """Give E[Σⱼαⱼα′ⱼ] of two rows of flat shares that see the first keys each."""
    if len(counts) == 1:
        return 1.0 / counts[0]
    n_rows = len(counts)
    smaller = np.arange(n_rows) / np.sort(np.asarray(counts, dtype=float))
    return 2.0 * float(smaller.sum()) / (n_rows * (n_rows - 1))


def averaged_values(alpha: Pairs, values: Moments) -> Pairs:
    """Give pairs of Σⱼ αᵢⱼ·vⱼ at every query i, shares independent of values.

    Raises:
        ValueError: if the values have no pairs.
    """
    v = _flat(values.pairs)
    n_keys = alpha.lengths[-1]
    same, different = (
        n_keys * alpha.products[..., 0],
        np.zeros(alpha.products.shape[:-1]),
    )
    if alpha.products.shape[-1] > 1:
        different = n_keys * (n_keys - 1) * alpha.products[..., -1]
    own, apart = v.products[:, :1], v.products[:, -1:]
    products = same * own + different * apart
    weight = np.clip(same * own / np.where(products == 0.0, 1.0, products), 0.0, 1.0)
    profile = None
    if alpha.profile is not None:
        row = alpha.profile[:, 0] * same[0, 0]
        row = (
            row * own[0, 0]
            + np.maximum(same[0, 0] + different[0, 0] - row, 0) * apart[0, 0]
        )
        profile = row / row.mean() if row.mean() > 0 else None
    return replace(
        alpha,
        n_units=v.n_units,
        lengths=alpha.lengths[:-1],
        products=products,
        squares=gaussian_squares(products, values.mean),
        spread=weight * v.spread[:, :1] + (1.0 - weight) * v.spread[:, -1:],
        profile=profile,
    )
