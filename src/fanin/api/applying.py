"""apply: write a plan's numbers into a model, or into a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fanin.api.task import find_framework
from fanin.errors import ArgumentError, UnknownParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.frameworks.framework import Draw, Framework
    from fanin.prescription import Plan


def apply(
    plan: Plan,
    model: object,
    *,
    seed: int | None = None,
    device: object = None,
    prefix: str | None = None,
) -> object:
    """Write a plan's numbers into a model: all parameters that it names, or none.

    Args:
        plan: as made by `plan`, or loaded.
        model: of any framework, with the parameters of the plan. A PyTorch model on the
            meta device gets memory, and its buffers the numbers that their modules
            write.
        seed: draws the same laws again from another seed; None for the plan's.
        device: where a PyTorch model on the meta device gets its memory; None for the
            device of its mesh of processes, of its other parameters, or the default.
        prefix: the model is a part of the plan's model (a stage of a pipeline): its
            path there ("layers.2"), or "" where its parameters' names are already
            those of the whole. Each of its parameters must be in the plan.

    Returns:
        The model that holds them: the same object, but for an Equinox module or a pair
        (apply, params), which cannot be changed; there it is another one.

    Raises:
        UnknownParameterError: if the model lacks a parameter of the plan; with
            ``prefix``, if the plan lacks one of the model.
        ShapeError: if one has another shape.
        NoStorageError: if one is lazy or not built, or has no memory and is not drawn.
        ModelError: if nobody knows the numbers of a buffer on the meta device. The
            model is as it was in each case.
    """
    from fanin.sampler import expect

    framework = find_framework(model)
    part = None if prefix is None else _Part.of(framework, model, prefix)
    values = framework.view(model) if plan.kept_weights else {}
    named = values if part is None else part.in_whole(values)
    draws = plan.draws(named, seed=seed)
    if part is not None:
        draws = part.own(draws, plan)
    expect(plan.n_parameters, len(plan.prescriptions))
    if framework.NAME == "torch":
        write: Any = framework.write
        written: object = write(
            model, draws, device=device, kept=_by_policy(plan, part)
        )
        return written
    if device is not None:
        expected = f"left out for a model of {framework.NAME}: it has memory already"
        raise ArgumentError.of(argument="device", received=device, expected=expected)
    return framework.write(model, draws)


def _by_policy(plan: Plan, part: _Part | None) -> list[str]:
    """Name the parameters that keep what their author wrote, as the model names them.

    Those that the caller asked to be kept are not among them: they are to hold numbers
    of his.
    """
    prefix = "" if part is None else part.prefix
    kept = [p.path for p in plan.prescriptions if p.is_kept and not p.is_asked]
    return [path.removeprefix(prefix) for path in kept if path.startswith(prefix)]


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A model that is a part of a plan's model.

    prefix: its path there, with a dot; empty where it has the whole's names. paths: of
    its parameters, as it names them, each with its aliases.
    """

    prefix: str
    paths: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, framework: Framework, model: object, prefix: str) -> _Part:
        """Look at a model's names."""
        own = {p.path: (p.path, *p.aliases) for p in framework.parameters(model)}
        return cls(prefix=f"{prefix.rstrip('.')}." if prefix else "", paths=own)

    def in_whole(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Give values by the whole's names."""
        return {self.prefix + path: value for path, value in values.items()}

    def own(self, draws: Mapping[str, Draw], plan: Plan) -> dict[str, Draw]:
        """Give the draws of this part by its own names.

        Raises:
            UnknownParameterError: if the plan lacks one of its parameters.
        """
        planned = {p.path for p in plan.prescriptions}
        found: dict[str, Draw] = {}
        for path, names in self.paths.items():
            known = [name for name in names if self.prefix + name in planned]
            if not known:
                raise UnknownParameterError.of(self.prefix + path, planned)
            if self.prefix + known[0] in draws:
                found[path] = draws[self.prefix + known[0]]
        return found
