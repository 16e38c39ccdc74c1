"""A model that several processes share: one plan for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.errors import BatchError

if TYPE_CHECKING:
    from fanin.frameworks.framework import Framework
    from fanin.prescription import Plan


def require_one_batch(framework: Framework, model: object, batch: object) -> None:
    """Refuse processes that share a model and measure it on different batches.

    Raises:
        BatchError: on each of them.
    """
    asked = getattr(framework, "shares_batch", None)
    if asked is not None and not asked(model, batch):
        message = (
            "The processes that share this model gave different batches, so that each "
            "would find other scales. Give all of them the same batch (that of one "
            "process, broadcast), or plan on one process and apply the saved plan."
        )
        raise BatchError(message)


def as_one(framework: Framework, model: object, made: Plan) -> Plan:
    """Give the first process's plan, on all that share the model.

    Each has measured the same on the same batch, but for the order in which a machine
    sums up.
    """
    agree = getattr(framework, "agreed", None)
    if agree is None:
        return made
    first = agree(model, made.to_json())
    return made if first == made.to_json() else made.from_json(first)
