"""The fixture check_init: assert_init_ok with the test's marker and baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from fanin.api.checking import check
from fanin.config import nearest
from fanin.pytest_plugin.baseline import ACCEPT, existing, path_in, update
from fanin.testing import failing, is_ok, message_of
from fanin.testing.asserting import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from fanin.rules import Report


@dataclass(kw_only=True)
class Checker:
    """What the fixture gives: called with a model, it fails the test or returns.

    defaults: the marker's words. folder, name: where the test is, for its baseline.
    is_updating: with --fanin-update. n_calls: so far in this test.
    """

    defaults: Mapping[str, Any]
    folder: Path
    name: str
    is_updating: bool
    n_calls: int = field(default=0)

    @classmethod
    def of(cls, request: pytest.FixtureRequest) -> Checker:
        """Read the marker and the options of the test that asks."""
        defaults: dict[str, Any] = {}
        for marker in reversed(list(request.node.iter_markers("fanin"))):
            if marker.args:
                msg = (
                    "@pytest.mark.fanin takes keywords only, those of "
                    f"fanin.testing.assert_init_ok. Received: {marker.args!r}."
                )
                raise pytest.UsageError(msg)
            defaults |= marker.kwargs
        return cls(
            defaults=defaults,
            folder=request.path.parent,
            name=f"{request.path.stem}.{request.node.name}",
            is_updating=request.config.getoption("--fanin-update"),
        )

    def __call__(
        self,
        model: object,
        batch: object = None,
        loss: str | Callable[[Any, Any], Any] | None = None,
        target: object = None,
        **arguments: Any,  # noqa: ANN401 (handed on as they are)
    ) -> Report:
        """Fail unless the model can learn; give the report.

        Args:
            model: as `fanin.check` takes it.
            batch: an example batch; None for standard normal numbers.
            loss: a name or callable(output, target) → scalar.
            target: what the loss compares the output with.
            arguments: ``allow`` and ``fail_on`` as of `fanin.testing.assert_init_ok`,
                and further arguments of `fanin.check`. Settings are those of the
                nearest fanin.toml or [tool.fanin].

        Raises:
            AssertionError: with the report as its message.
        """
        said = {"batch": batch, "loss": loss, "target": target}
        given = {name: value for name, value in said.items() if value is not None}
        words = {**self.defaults, **given, **arguments}
        allow: Sequence[str] = words.pop("allow", ())
        fail_on: str = words.pop("fail_on", "warning")
        failing(NOTHING, allow=allow, fail_on=fail_on)  # refuse wrong words first
        words.setdefault("config", nearest(self.folder))
        path = self._next_path()
        if not self.is_updating:
            words.setdefault("baseline", existing(path))
        report = check(model, **words)
        bad = failing(report, allow=allow, fail_on=fail_on)
        if self.is_updating:
            update(path, report, bad, model)
        elif not is_ok(report, bad, fail_on=fail_on):
            pytest.fail(f"{message_of(report, bad)}\n{ACCEPT}", pytrace=False)
        return report

    def _next_path(self) -> Path:
        """Give the file of this call: a test may ask more than once."""
        self.n_calls += 1
        suffix = f".{self.n_calls}" if self.n_calls > 1 else ""
        return path_in(self.folder, self.name + suffix)
