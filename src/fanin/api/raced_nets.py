"""Nets of any kind in a race: built, given their initial weights, and trained."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.graph.cohort import MemberRun
    from fanin.graph.raced import Lesson, NetWish
    from fanin.prescription import Plan
    from fanin.race import Dataset, Experiment, Setting, Trial

WIDENING = ("mup", "depth_mup", "spectral")  # policies that look at a smaller model


def train_each(
    experiment: Experiment, trials: Sequence[Trial], data: Dataset
) -> tuple[MemberRun, ...]:
    """Train nets of one scheme, one setting and one seed, at a rate each.

    Raises:
        ArgumentError: if a user's function has no argument for a factor that varies.
        FaninError: what planning raises.
    """
    from fanin.frameworks._aten.random_state import seeded
    from fanin.frameworks.torch import write
    from fanin.frameworks.torch.single import train_one

    first = trials[0]
    make = maker(experiment, data)
    lesson = lesson_of(experiment, first, data)
    with seeded(first.seed):
        model = make(first.setting)
        plan = planned(model, make, first, experiment, lesson)
    factors = plan.multipliers(_family(first.optimizer))
    draws: Mapping[str, Any] = plan.draws()
    runs = []
    for trial in trials:
        own = replace(lesson, learning_rate=trial.learning_rate, factors=factors)
        with seeded(trial.seed):  # what a net draws itself: dropout, random buffers
            net = make(trial.setting)
            write(net, draws)
            runs.append(train_one(net, own))
    return tuple(runs)


def maker(experiment: Experiment, data: Dataset) -> Callable[[Setting], Any]:
    """Give what builds the net of a setting.

    Raises:
        ArgumentError: if a user's function has no argument for a factor that varies.
    """
    from fanin.frameworks.torch.raced import build
    from fanin.race.experiment import NETS

    if experiment.net in NETS:
        return lambda setting: build(wish_of(experiment, setting, data))
    return _users(experiment, data)


def wish_of(experiment: Experiment, setting: Setting, data: Dataset) -> NetWish:
    """Say what net a setting asks for."""
    from fanin.graph.raced import NetWish

    return NetWish(
        net=experiment.net,
        n_in=data.n_in,
        n_out=data.n_out,
        depth=setting.depth,
        width=setting.width,
        activation=setting.activation,
        normalization=setting.normalization,
        image=data.image,
    )


def _users(experiment: Experiment, data: Dataset) -> Callable[[Setting], Any]:
    """Give a user's function, called with those of the factors that it takes."""
    from fanin.race.setting import FACTORS
    from fanin.race.user_code import accepted, find

    function = find(experiment.net)
    offered = ("activation", "depth", "width", "normalization", "n_in", "n_out")
    taken = accepted(function, dict.fromkeys(offered))
    settings = experiment.settings
    for name in ("activation", *FACTORS):
        varies = len({getattr(setting, name) for setting in settings}) > 1
        if varies and name not in {*taken, "optimizer"}:
            values = sorted({getattr(setting, name) for setting in settings})
            expected = f"one value, as {experiment.net!r} has no argument {name!r}"
            raise ArgumentError.of(argument=name, received=values, expected=expected)

    def build(setting: Setting) -> Any:  # noqa: ANN401 (a user's model)
        ends = {"n_in": data.n_in, "n_out": data.n_out}
        values = {name: ends.get(name) or getattr(setting, name) for name in taken}
        return _torch_module(function(**values), experiment.net)

    return build


def _torch_module(model: Any, name: str) -> Any:  # noqa: ANN401 (a user's model)
    from fanin.frameworks.find import named

    if not named("torch").owns(model):
        expected = f"a torch.nn.Module from {name!r}"
        raise ArgumentError.of(
            argument="net", received=type(model).__name__, expected=expected
        )
    return model


def planned(
    model: Any,  # noqa: ANN401 (a user's model)
    make: Callable[[Setting], Any],
    trial: Trial,
    experiment: Experiment,
    lesson: Lesson,
) -> Plan:
    """Decide the initial weights: a scheme's as they are, a policy's with the data.

    A scheme is planned without looking at what it does: that is what is compared.
    """
    from fanin.api.planning import plan
    from fanin.race.experiment import is_policy

    batch = lesson.inputs[lesson.probe]
    if not is_policy(trial.scheme):
        shapes = copy.deepcopy(model).to("meta")  # so that nothing is measured
        return plan(shapes, batch, scheme=trial.scheme, seed=trial.seed)
    wishes: dict[str, Any] = {"policy": trial.scheme, "seed": trial.seed}
    width = min(setting.width for setting in experiment.settings)
    if trial.scheme.lower() in WIDENING and width < trial.width:  # else its own base
        wishes["base"] = make(replace(trial.setting, width=width))
    loss = "cross_entropy" if lesson.task == "classification" else "mse"
    target = lesson.targets[lesson.probe]
    return plan(model, batch, loss, target, **wishes)


def lesson_of(experiment: Experiment, trial: Trial, data: Dataset) -> Lesson:
    """Say how one net is trained, and on what."""
    from fanin.graph.raced import Lesson
    from fanin.race.cohorts import N_PROBE
    from fanin.race.data import batches

    n_samples = len(data.targets)
    return Lesson(
        optimizer=trial.optimizer,
        learning_rate=trial.learning_rate,
        batches=batches(
            n_samples, experiment.n_steps, experiment.batch_size, seed=trial.seed
        ),
        inputs=data.inputs,
        targets=data.targets,
        test_inputs=data.test_inputs,
        test_targets=data.test_targets,
        probe=np.arange(min(N_PROBE, n_samples)),
        task=data.task,
        lost_score=data.chance,
        factors={},
        valid_inputs=data.valid_inputs,
        valid_targets=data.valid_targets,
    )


def _family(optimizer: str) -> str:
    return "sgd" if optimizer == "momentum" else optimizer
