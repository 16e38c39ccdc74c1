"""Finds the factor of each weight while a TensorFlow program runs forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from fanin.frameworks._tfgraph.interpret import interpret
from fanin.frameworks.calibration import Goals, Pass, Seen, Trial
from fanin.frameworks.settle import settle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._tfgraph.record import Argument
    from fanin.frameworks._tfgraph.steps import Program
    from fanin.frameworks.program import Recorded
    from fanin.graph.calibration import Calibration


def calibrate(
    program: Program,
    arguments: Sequence[Argument],
    recorded: Recorded,
    goals: Goals,
    values: Mapping[str, np.ndarray],
) -> Calibration:
    """Run the program, and scale the output of each linear step as it appears.

    The factor is found where a weight first gives anything but zeros (a recurrent
    one gives zeros in the first round); wherever it is used again, the output is
    multiplied by the same factor, as if the weight had been. See
    ``frameworks.settle``.

    Args:
        program: the steps.
        arguments: what goes in.
        recorded: its graph, and ``linears``.
        goals: what is wanted.
        values: of the parameters among the arguments, by path.

    Raises:
        SignalError: if an output is always 0, though no weight is 0, or not finite.
    """
    products = recorded.products(goals)

    def run(trial: Trial) -> Seen:
        seen = Pass(goals, trial)

        def scale(value: int, tensor: Any) -> Any:
            product = products.get(value)
            if product is None or not int(tf.size(tensor)):
                return tensor
            numbers = np.asarray(tensor.numpy(), dtype=np.float64)
            aim, rms = goals.aims[product.path], _rms(numbers)
            axes = product.other_axes(numbers.shape, aim.n_centred)
            means = 0.0 if axes is None else numbers.mean(axis=axes, keepdims=True)
            deviation = _rms(numbers - means)
            if not aim.centres(deviation=deviation, rms=rms):
                axes, means, deviation = None, 0.0, rms
            factor = seen.see(
                product.path,
                product.degree,
                deviation=deviation,
                rms=rms,
                size=numbers.size,
            )
            if axes is not None:
                seen.centres[product.path] = np.ravel(means) * factor
            return tf.cast((numbers - means) * factor, tensor.dtype)

        interpret(program, [_scaled(argument, trial) for argument in arguments], scale)
        return seen.ended(recorded.graph)

    return settle(run, values)


def _rms(numbers: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.square(numbers).mean()))


def _scaled(argument: Argument, trial: Trial) -> Any:
    factor = trial.values.get(argument.path)
    if factor is None:
        return argument.value
    wide = tf.cast(argument.value, tf.float64)
    return tf.cast(wide * factor, argument.value.dtype)
