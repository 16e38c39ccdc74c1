"""assert_init_ok: the check as one line of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fanin.api.checking import check
from fanin.rules import Report, Verdict
from fanin.testing.allowing import NEVER, failing
from fanin.testing.message import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.rules import Finding


NOTHING: Final = Report(verdict=Verdict.HEALTHY)


def assert_init_ok(
    model: object,
    batch: object = None,
    loss: str | Callable[[Any, Any], Any] | None = None,
    target: object = None,
    *,
    allow: Sequence[str] = (),
    fail_on: str = "warning",
    **check_arguments: Any,  # noqa: ANN401 (handed on as they are)
) -> Report:
    """Fail unless the model, as it is now, can learn.

    Args:
        model: as `fanin.check` takes it; it is left as it was.
        batch: an example batch; None for standard normal numbers.
        loss: a name or callable(output, target) → scalar.
        target: what the loss compares the output with.
        allow: codes, names or beginnings of what may be found ("FAN501", "FAN5");
            "FAN105:head.*" allows it for parameters that fit the glob.
        fail_on: the least severity that fails: "error", "warning", "info" or "never".
        check_arguments: further arguments of `fanin.check`.

    Returns:
        The report, with what was allowed still in it.

    Raises:
        AssertionError: the message is the report, worst first, in forty lines at most.
            A model that could not be checked fails as well.
        ArgumentError, UnknownNameError, ModelError, BatchError: as `fanin.check`.

    >>> import torch
    >>> net = torch.nn.Sequential(
    ...     torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)
    ... )
    >>> batch = torch.linspace(-1, 1, 64).reshape(16, 4)
    >>> assert_init_ok(net, batch, fail_on="error").ok
    True
    >>> for parameter in net.parameters():
    ...     _ = torch.nn.init.zeros_(parameter)
    >>> assert_init_ok(net, batch)
    Traceback (most recent call last):
        ...
    AssertionError: cannot learn (proved): 1 error, 1 note in 4 parameters, ...
    """
    failing(NOTHING, allow=allow, fail_on=fail_on)  # refuse wrong words first
    report = check(model, batch, loss, target, **check_arguments)
    assert_report_ok(report, allow=allow, fail_on=fail_on)
    return report


def assert_report_ok(
    report: Report, *, allow: Sequence[str] = (), fail_on: str = "warning"
) -> None:
    """Fail if a report holds a finding of this severity that is not allowed.

    Raises:
        AssertionError: with the report as its message; also if nothing was checked.
        ArgumentError, UnknownNameError: if a word is not known.
    """
    bad = failing(report, allow=allow, fail_on=fail_on)
    if not is_ok(report, bad, fail_on=fail_on):
        raise AssertionError(message_of(report, bad))


def is_ok(report: Report, failing: Sequence[Finding], *, fail_on: str) -> bool:
    """Say whether nothing fails, and something was checked or nothing may fail.

    >>> is_ok(NOTHING, (), fail_on="warning")
    True
    >>> is_ok(Report(verdict=Verdict.NOT_CHECKED), (), fail_on="warning")
    False
    """
    is_checked = report.verdict is not Verdict.NOT_CHECKED or bool(report.warnings)
    return not failing and (is_checked or fail_on == NEVER)
