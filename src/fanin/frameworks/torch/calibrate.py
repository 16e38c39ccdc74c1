"""Find the factor of each weight while a torch model runs forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from fanin.errors import UnknownParameterError
from fanin.frameworks._aten.product import Tuner
from fanin.frameworks.calibration import Goals, Seen, Trial, named
from fanin.frameworks.settle import settle
from fanin.frameworks.torch.batch import arguments_of
from fanin.frameworks.torch.loan import borrowed, copies
from fanin.frameworks.torch.parameters import parameters
from fanin.frameworks.torch.recording import Portrait, recorded
from fanin.frameworks.torch.run import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.graph import Task
    from fanin.graph.calibration import Aim, Calibration


def calibrate(
    model: Any,
    task: Task,
    values: Mapping[str, np.ndarray],
    aims: Mapping[str, Aim],
) -> Calibration:
    """Find the factors that give each weight's output the wanted root mean square.

    As an operation contracts a weight, its output (without the bias) is multiplied on
    the spot, so that everything after it reads calibrated numbers: one forward pass
    does for any depth. See ``frameworks.settle`` for weights that are used again.

    Args:
        model: a module; it is left as it is.
        task: its batch is run; loss and target are not read.
        values: the parameters to run with, by path.
        aims: what the output of a weight should be, by the weight's path, or by that
            of the parameter which alone sets the weight's size.

    Raises:
        SignalError: if an output is always 0, though no weight is 0, or not finite.
        UnknownParameterError: if a path is no parameter's.
        NoStorageError, BatchError, ModelError: as ``measure``.

    >>> from fanin.graph import Task
    >>> from fanin.graph.calibration import Aim
    >>> import numpy as np
    >>> net = torch.nn.Linear(2, 1)
    >>> values = {"weight": np.array([[1.0, 1.0]]), "bias": np.array([7.0])}
    >>> task = Task(batch=np.array([[3.0, 1.0], [-4.0, 0.0]]))
    >>> calibrate(net, task, values, {"weight": Aim(size=2.0)}).factors
    {'weight': 0.5}
    """
    names = {n: p.path for p in parameters(model) for n in (p.path, *p.aliases)}

    def first(path: str) -> str:
        if path not in names:
            raise UnknownParameterError.of(path, names)
        return names[path]

    goals = Goals.of(aims, first)
    arguments = arguments_of(model, task)
    portrait = Portrait.of(model)

    def run(trial: Trial) -> Seen:
        substitutes = copies(model, values)
        with torch.no_grad():
            for path, factor in trial.values.items():
                substitutes[path].mul_(factor)
        tuner = Tuner(goals, trial, substitutes)
        with (
            borrowed(model, substitutes, task.seed),
            told(model, arguments),
            torch.no_grad(),
        ):
            graph = recorded(
                model, arguments.copied(), substitutes, portrait, tuner
            ).graph
        return tuner.seen.ended(graph)

    return named(settle(run, values), aims, first)
