"""The number that a Keras model is trained to make small, from its output.

Written in ``keras.ops``, so that both backends compute and differentiate it. Keras's
own losses take (target, output) and often expect probabilities; fanin's take (output,
target) and logits. Both kinds are accepted and called in their own way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from fanin.errors import ArgumentError, BatchError, UnknownNameError
from fanin.frameworks.keras.arrays import to_numpy
from fanin.graph.projection import projection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.graph import Task


def first_output(outputs: Any) -> Any:
    """Give the first tensor of the model's output, however it is nested."""
    return keras.tree.flatten(outputs)[0]


def loss_of(
    model: Any, task: Task, target: Any, outputs: Any, *, gives_probabilities: bool
) -> Any:
    """Compute the objective of a run, a scalar tensor.

    In order: ``task.loss`` where given; the loss that the model was compiled with,
    where there is a target; a fixed random projection of the output.

    Args:
        model: a built model.
        task: its loss is read.
        target: what ``target_of(task)`` gave, before any tracing began.
        outputs: what the model gave for the batch.
        gives_probabilities: the output went through a softmax or a sigmoid, so that
            a cross-entropy by fanin's name must not apply another.

    Raises:
        UnknownNameError: if the loss is a name that neither fanin nor Keras knows.
        BatchError: if the target's shape does not fit the output.
    """
    loss = task.loss
    if uses_compiled_loss(model, task):
        return model.compute_loss(y=target, y_pred=outputs)
    output = first_output(outputs)
    if loss is None:
        return _projected(output)
    if isinstance(loss, str):
        return _named(loss, output, target, from_logits=not gives_probabilities)
    if is_keras_loss(loss):
        return ops.mean(loss(target, output))
    return scalar(loss(output, target), "loss")


def scalar(value: Any, name: str) -> Any:
    """Give the one number that the caller's own function gave, as a tensor.

    Raises:
        ArgumentError: if it gave anything else.
    """
    shape = getattr(value, "shape", None)
    if shape is None or any(int(n) != 1 for n in shape):
        received = value if shape is None else tuple(shape)
        expected = "a function that gives one number"
        raise ArgumentError.of(name, received, expected)
    return ops.reshape(value, ())


def uses_compiled_loss(model: Any, task: Task) -> bool:
    """Say whether the objective is what ``fit`` would use, regularization included.

    So it is where the task has a target and no loss, and the model was compiled.
    """
    if task.loss is not None or task.objective is not None or task.target is None:
        return False
    return compiled_loss(model) is not None


def compiled_loss(model: Any) -> Any:
    """Give the loss that the model was compiled with, or None."""
    if not getattr(model, "compiled", False):
        return None
    return getattr(model, "loss", None)


def is_keras_loss(loss: Any) -> bool:
    """Say whether a callable is one of Keras's, which take the target first."""
    if isinstance(loss, keras.losses.Loss):
        return True
    return str(getattr(loss, "__module__", "")).startswith("keras.src.losses")


def target_of(task: Task) -> Any:
    """Give the target as tensors; float64, NumPy's default, becomes Keras's float.

    Raises:
        BatchError: if a named loss has no target.
    """
    if task.target is None:
        if isinstance(task.loss, str):
            message = f"The loss {task.loss!r} needs a target. Pass target=…"
            raise BatchError(message)
        return None

    def convert(leaf: Any) -> Any:
        if str(getattr(leaf, "dtype", "")) in {"float64", "torch.float64"}:
            return ops.convert_to_tensor(leaf, dtype=keras.config.floatx())
        return ops.convert_to_tensor(leaf)

    return keras.tree.map_structure(convert, task.target)


def mean_squared_error(output: Any, target: Any) -> Any:
    """Average (output − target)² over all entries."""
    target = ops.cast(_shaped(target, output), output.dtype)
    return ops.mean(ops.square(output - target))


def cross_entropy(output: Any, target: Any, *, from_logits: bool) -> Any:
    """Average −log p(target); whole numbers, or one share for every class.

    The classes are along the last axis, as everywhere in Keras.
    """
    if tuple(target.shape) == tuple(output.shape):
        target = ops.cast(target, output.dtype)
        return ops.mean(
            ops.categorical_crossentropy(target, output, from_logits=from_logits)
        )
    _check_classes(target, int(output.shape[-1]))
    classes = ops.cast(_shaped(target, output[..., 0]), "int32")
    return ops.mean(
        ops.sparse_categorical_crossentropy(classes, output, from_logits=from_logits)
    )


def binary_cross_entropy(output: Any, target: Any, *, from_logits: bool) -> Any:
    """Average −log p(target) for targets between 0 and 1."""
    target = ops.cast(_shaped(target, output), output.dtype)
    return ops.mean(ops.binary_crossentropy(target, output, from_logits=from_logits))


def _named(name: str, output: Any, target: Any, *, from_logits: bool) -> Any:
    if name == "mse":
        return mean_squared_error(output, target)
    entropies: Mapping[str, Callable[..., Any]] = {
        "cross_entropy": cross_entropy,
        "binary_cross_entropy": binary_cross_entropy,
    }
    if name in entropies:
        return entropies[name](output, target, from_logits=from_logits)
    try:
        loss = keras.losses.get(name)
    except ValueError as error:
        known = ("mse", *entropies, "or any loss of keras.losses")
        kind = "loss"
        raise UnknownNameError.of(kind, name, known) from error
    return ops.mean(loss(target, output))


def _projected(output: Any) -> Any:
    """Σ p·output over all entries, divided by the batch size; p is fixed and generic.

    Every sample's output has a gradient of its own, of mean 0 and mean square 1/B².
    """
    shape = tuple(int(n) for n in output.shape)
    weights = ops.convert_to_tensor(projection(shape).astype("float32"))
    floats = ops.cast(output, "float32")
    return ops.sum(weights * floats) / float(shape[0] if shape else 1)


def _shaped(target: Any, output: Any) -> Any:
    """Give the target the output's shape where one of them has an axis of length 1.

    Broadcasting (n,) against (n, 1) would give (n, n) and train nothing.
    """
    given, wanted = tuple(target.shape), tuple(output.shape)
    if given == wanted:
        return target
    if [n for n in given if n != 1] == [n for n in wanted if n != 1]:
        return ops.reshape(target, wanted)
    message = (
        f"The target has shape {given}, but the model's output needs {wanted}. "
        "Give one target for each sample of the batch."
    )
    raise BatchError(message)


def _check_classes(classes: Any, n_classes: int) -> None:
    found = to_numpy(classes)
    outside = found[(found < 0) | (found >= n_classes)]
    if outside.size:
        message = (
            f"The target holds class {int(outside.flat[0])}, but the model's output "
            f"has {n_classes} classes, 0 to {n_classes - 1}."
        )
        raise BatchError(message)
