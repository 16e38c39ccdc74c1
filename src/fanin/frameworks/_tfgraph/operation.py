"""One operation of a TensorFlow graph, run on eager tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tensorflow.python.eager import context, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def runner(operation: Any) -> Callable[..., Sequence[Any]]:
    """Give a function that runs an operation of a graph on other tensors.

    It is run by its name and settings, as TensorFlow's own functions do in the end:
    they have other names for many arguments, and ``tf.raw_ops`` has them too.

    >>> with tf.Graph().as_default() as graph:
    ...     _ = tf.matmul(tf.zeros((2, 3)), tf.zeros((4, 3)), transpose_b=True)
    >>> run = runner(graph.get_operations()[-1])
    >>> [tuple(tensor.shape) for tensor in run(tf.ones((5, 3)), tf.ones((7, 3)))]
    [(5, 7)]
    """
    kind, n_outputs = operation.type, len(operation.outputs)
    settings = attributes_of(operation)
    flat = tuple(item for name in settings for item in (name, _raw(settings[name])))

    def run(*tensors: Any) -> Sequence[Any]:
        given = list(tensors)
        made = execute.execute(kind, n_outputs, given, flat, context.context())
        tf.__internal__.record_gradient(kind, given, flat, made)
        return list(made)

    return run


def attributes_of(operation: Any) -> dict[str, Any]:
    """Give the operation's settings, by TensorFlow's names; text as str.

    >>> with tf.Graph().as_default() as graph:
    ...     _ = tf.reduce_mean(tf.zeros((2, 3)), axis=1, keepdims=True)
    >>> attributes_of(graph.get_operations()[-1])["keep_dims"]
    True
    """
    names = (attribute.name for attribute in operation.op_def.attr)
    return {name: _plain(operation.get_attr(name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if type(value).__name__ == "TensorShapeProto":
        shape = tf.TensorShape(value)
        return None if shape.rank is None else tuple(shape)
    return value


def _raw(value: Any) -> Any:
    """Give a setting as TensorFlow's runtime takes it: dtypes by number."""
    if isinstance(value, tf.DType):
        return value.as_datatype_enum
    if isinstance(value, list):
        return [_raw(item) for item in value]
    return value
