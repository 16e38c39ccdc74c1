"""verify: are a model's weights, or those of a checkpoint, the ones of a plan?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.holding import Holding
    from fanin.prescription import Plan
    from fanin.prescription.verification import Verification

SAMPLE = 4096
"""Numbers of a large parameter that are looked at, where nothing else is said."""


def verify(
    model: object,
    plan: Plan | str | Path | None = None,
    *,
    sample: int | None = SAMPLE,
    seed: int | None = None,
    sample_seed: int = 0,
    prefix: str | None = None,
) -> Verification:
    """Draw a sample of the plan's numbers again, and hold the weights against it.

    Any process can ask, at any time: it looks at the numbers that it holds itself (its
    own shards, of a model that is spread over processes or devices), asks no other
    process, and changes nothing.

    Args:
        model: of any framework; or the path of a safetensors file or of a checkpoint's
            folder, which is read entry by entry and not loaded.
        plan: what the weights should be, or the file of it. None for the
            ``fanin.plan.json`` beside a checkpoint.
        sample: numbers of a parameter that are looked at: all of a smaller one, and of
            a larger one a sample that is the same each time. None for all.
        seed: from which the plan was applied; None for its own.
        sample_seed: another one looks at other places.
        prefix: the model is a part of the plan's model, as for `apply`; parameters of
            the plan that it has not are left out.

    Returns:
        What was found of each parameter. It is true if all that was looked at is the
        plan's; ``raise_if_different()`` stops where it is not.

    Raises:
        ArgumentError: if there is no plan, or the sample is no number from 1 on.
        NoStorageError: if a parameter has no memory.
        ModelError: if a file of the checkpoint cannot be read.

    >>> import fanin, torch
    >>> net = torch.nn.Linear(3, 2)
    >>> plan = fanin.init(net, torch.ones(4, 3), seed=0)
    >>> bool(fanin.verify(net, plan))
    True
    >>> _ = torch.nn.init.ones_(net.bias)
    >>> print(fanin.verify(net, plan).different[0].reason)
    every number looked at is 1
    """
    from fanin.prescription.verification import Sample
    from fanin.prescription.verification import verify as compare

    begin = f"{prefix.rstrip('.')}." if prefix else ""
    if isinstance(model, str | Path):
        held, made, where = _of_files(model, plan)
    else:
        held, made, where = _of_model(model, plan, begin)
    held = {begin + path: boxes for path, boxes in held.items()}
    return compare(
        made,
        held,
        seed=seed,
        sample=Sample(size=sample, seed=sample_seed),
        paths=None if prefix is None else held.keys(),
        where=where,
    )


def _of_files(
    path: str | Path, plan: Plan | str | Path | None
) -> tuple[Mapping[str, tuple[Holding, ...]], Plan, str]:
    from fanin.checkpoints.reading import is_checkpoint, read_checkpoint

    if not is_checkpoint(path):
        expected = "a model, a safetensors file, or a folder that holds such files"
        raise ArgumentError.of(argument="model", received=str(path), expected=expected)
    stored = read_checkpoint(path)
    given = stored.plan if plan is None else plan
    if given is None:
        expected = "a plan: there is no fanin.plan.json beside the checkpoint"
        raise ArgumentError.of(argument="plan", received=plan, expected=expected)
    return stored.tensors, _loaded(given), str(path)


def _of_model(
    model: object, plan: Plan | str | Path | None, begin: str
) -> tuple[Mapping[str, tuple[Holding, ...]], Plan, str]:
    from fanin.api.task import find_framework

    framework = find_framework(model)
    if plan is None:
        expected = "a plan, or the file of one"
        raise ArgumentError.of(argument="plan", received=plan, expected=expected)
    held = framework.holdings(model)
    made = _loaded(plan)
    planned = {p.path for p in made.prescriptions}
    for parameter in framework.parameters(model):
        names = (name for name in parameter.aliases if begin + name in planned)
        alias = next(names, None)
        if begin + parameter.path not in planned and alias is not None:
            held[alias] = held.pop(parameter.path)
    return held, made, f"the model {type(model).__name__}"


def _loaded(plan: Plan | str | Path) -> Plan:
    from fanin.prescription import Plan

    return plan if isinstance(plan, Plan) else Plan.load(plan)
