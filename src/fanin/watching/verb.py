"""watch: the verb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fanin.errors import ArgumentError
from fanin.watching.start import Example
from fanin.watching.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

BUDGET: Final = 512 * 2**20
"""Bytes for copies of weights; of a larger model a sample of each is followed."""


def watch(  # noqa: PLR0913 (what is watched, and what it is checked on before)
    model: object,
    optimizer: object = None,
    steps: int = 50,
    *,
    batch: object = None,
    loss: str | Callable[[Any, Any], Any] | None = None,
    target: object = None,
    budget: int = BUDGET,
    **check_arguments: Any,  # noqa: ANN401 (handed on as they are)
) -> Watch:
    """Write down what the first optimizer steps do, in a loop of your own.

    The results of the loop are, bit for bit, those without it. Hooks are taken away
    after ``steps`` steps, or at the end of the ``with``, whatever ends it.

    In torch steps are seen by themselves, also through a gradient scaler, gradient
    accumulation, data parallel and compiled models (of which the forward pass is not
    looked into). In Keras and JAX say ``w.step(…)`` after each.

    Args:
        model: as `fanin.check` takes it.
        optimizer: of the model's framework; None: what is stepped is still seen, but
            not what no optimizer holds, nor Adam's ε.
        steps: how many optimizer steps are watched.
        batch: an example for a whole `fanin.check` at entry; None: only the rules
            about weights alone are asked.
        loss: of that check. The loop's own loss is told by ``w.loss(value)``.
        target: of that check.
        budget: bytes for copies of weights; above it a sample of each is followed.
        check_arguments: further arguments of `fanin.check`.

    Raises:
        ArgumentError: if ``steps`` is less than 1, or the model is none.

    >>> import torch
    >>> net = torch.nn.Linear(2, 1, bias=False)
    >>> _ = torch.nn.init.constant_(net.weight, 1.0)
    >>> optimizer = torch.optim.SGD(net.parameters(), lr=0.125)
    >>> with watch(net, optimizer) as w:
    ...     for _ in range(3):
    ...         loss = w.loss(net(torch.ones(4, 2)).mean())
    ...         loss.backward()
    ...         optimizer.step()
    ...         optimizer.zero_grad()
    >>> w.trace.loss.tolist(), w.trace.update.reshape(-1).round(6).tolist()
    ([2.0, 1.75, 1.5], [0.125, 0.125, 0.125])
    """
    if steps < 1:
        expected = "a whole number above 0"
        raise ArgumentError.of(argument="steps", received=steps, expected=expected)
    example = Example(batch=batch, loss=loss, target=target, words=check_arguments)
    return Watch(model, optimizer, steps=steps, budget=budget, example=example)
