"""The number that a JAX model is trained to make small, from its output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from fanin.errors import ArgumentError, BatchError
from fanin.frameworks.jax.batch import narrowed
from fanin.frameworks.jax.opened import is_array
from fanin.graph.projection import projection

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph import Task


def first_output(outputs: Any) -> Any:
    """Give the array that the loss reads: ``.logits``, else the first of real numbers.

    Raises:
        BatchError: if the model gave no array of real numbers.

    >>> first_output({"ids": jnp.array([1]), "scores": jnp.array([0.5])}).tolist()
    [0.5]
    """
    logits = getattr(outputs, "logits", None)
    if logits is None and isinstance(outputs, Mapping):
        logits = outputs.get("logits")
    if is_array(logits):
        return logits
    for leaf in jax.tree.leaves(outputs):
        if is_array(leaf) and jnp.issubdtype(leaf.dtype, jnp.floating):
            return leaf
    what = (
        f"The model gave {type(outputs).__name__} without an array of real numbers in "
        "it; a loss needs one. Give `objective`, a function of the model, instead."
    )
    raise BatchError(what)


def require_loss(task: Task) -> None:
    """Refuse a loss that is not known, or one by name without a target.

    Raises:
        ArgumentError: if the loss has a name that is not known.
        BatchError: if a named loss has no target.
    """
    if not isinstance(task.loss, str):
        return
    if task.loss not in LOSSES:
        expected = f"one of {', '.join(LOSSES)}, or a function of output and target"
        raise ArgumentError.of(argument="loss", received=task.loss, expected=expected)
    if task.target is None:
        what = f"The loss {task.loss!r} needs a target, and none was given."
        raise BatchError(what)


def target_of(task: Task) -> Any:
    """Give the target as arrays; None where there is none."""
    return jax.tree.map(
        lambda leaf: narrowed(leaf) if is_array(leaf) else jnp.asarray(leaf),
        task.target,
    )


def scalar_of(task: Task, target: Any, outputs: Any) -> Any:
    """Give the objective's value, given what the model's call gave.

    Without a loss it is Σ rᵢ·outputᵢ / batch_size with fixed normal r, so that no
    gradient is zero unless it is zero for (almost) every loss.

    Args:
        task: its loss is read.
        target: what `target_of` gave.
        outputs: what the model gave.

    Raises:
        ArgumentError: if the caller's function gives no number.
        BatchError: if output and target do not fit.
    """
    if task.objective is not None:
        return _require_scalar(outputs, "objective")
    output = first_output(outputs)
    if task.loss is None:
        return _projected(output)
    if isinstance(task.loss, str):
        return LOSSES[task.loss](output.astype(jnp.float32), target)
    return _require_scalar(task.loss(output, target), "loss")


def _require_scalar(value: Any, name: str) -> Any:
    leaves = jax.tree.leaves(value)
    if len(leaves) != 1 or jnp.size(leaves[0]) != 1:
        received = [getattr(leaf, "shape", leaf) for leaf in leaves]
        expected = "a function that gives one number"
        raise ArgumentError.of(name, received, expected)
    return jnp.reshape(leaves[0], ())


def _projected(output: Any) -> Any:
    weights = jnp.asarray(projection(tuple(output.shape)), dtype=jnp.float32)
    n_samples = output.shape[0] if output.ndim else 1
    return jnp.sum(output.astype(jnp.float32) * weights) / max(1, n_samples)


def _mse(output: Any, target: Any) -> Any:
    return jnp.mean(jnp.square(output - _alike(output, target)))


def _binary_cross_entropy(output: Any, target: Any) -> Any:
    """Average −t·log σ(z) − (1 − t)·log σ(−z)."""
    wanted = _alike(output, target)
    log_share, log_rest = jax.nn.log_sigmoid(output), jax.nn.log_sigmoid(-output)
    return -jnp.mean(wanted * log_share + (1.0 - wanted) * log_rest)


def _cross_entropy(output: Any, target: Any) -> Any:
    """Average −log p(target) over classes along the last axis, as JAX has them."""
    log_shares = jax.nn.log_softmax(output, axis=-1)
    if target.shape == output.shape:
        return -jnp.mean(jnp.sum(target.astype(output.dtype) * log_shares, axis=-1))
    if target.shape == (*output.shape[:-1], 1):
        target = target[..., 0]
    if target.shape != output.shape[:-1]:
        raise BatchError(_mismatch(output, target))
    _require_classes(target, output.shape[-1])
    classes = target.astype(jnp.int32)
    picked = jnp.take_along_axis(log_shares, classes[..., None], axis=-1)
    return -jnp.mean(picked)


def _require_classes(target: Any, n_classes: int) -> None:
    if isinstance(target, jax.core.Tracer):
        return
    classes = np.asarray(target)
    outside = classes[(classes < 0) | (classes >= n_classes)]
    if outside.size:
        what = (
            f"The target holds class {int(outside.flat[0])}, but the output has "
            f"{n_classes} classes: 0 to {n_classes - 1}."
        )
        raise BatchError(what)


def _alike(output: Any, target: Any) -> Any:
    """Give the target in the output's shape: (n,) and (n, 1) are the same."""
    if target.size != output.size or target.shape[:1] != output.shape[:1]:
        raise BatchError(_mismatch(output, target))
    return target.reshape(output.shape).astype(output.dtype)


def _mismatch(output: Any, target: Any) -> str:
    return (
        f"The output has shape {tuple(output.shape)}, and the target has shape "
        f"{tuple(target.shape)}: they do not fit."
    )


LOSSES: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "mse": _mse,
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
}
