"""The tests of ``pytest --fanin TARGET``: that it can be checked, and one a rule."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

import pytest

from fanin.cli.commands.model import add_subject, subject
from fanin.config import nearest
from fanin.errors import FaninError
from fanin.pytest_plugin.baseline import ACCEPT, existing, path_in, update
from fanin.rules.judge import chosen_rules
from fanin.testing import failing, is_ok, message_of
from fanin.testing.asserting import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fanin.rules import Finding, Report, Rule

FRAMEWORKS: Final = {"torch", "keras", "jax", "flax", "equinox", "tensorflow"}
FIRST: Final = "can-be-checked"


class Failure(Exception):  # noqa: N818 (never seen: pytest shows its text)
    """A test of a model that failed; its text is what there is to read."""


class Model(pytest.Collector):
    """One TARGET. It is built and checked once, when the first of its tests runs."""

    _outcome: Report | Exception | None = None

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test that the model can be checked, then one for every rule."""
        yield Checked.from_parent(self, name=FIRST)
        for rule in chosen_rules(self._words("select"), self._words("ignore")):
            item: Ruled = Ruled.from_parent(self, name=f"{rule.code}-{rule.name}")
            item.rule = rule
            yield item

    def report(self) -> Report:
        """Give the check's report, of one check for all tests.

        Raises:
            FaninError: if the model cannot be built or run.
        """
        if self._outcome is None:
            try:
                self._outcome = self._check()
            except FaninError as error:
                self._outcome = error
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def failing(self) -> tuple[Finding, ...]:
        """Give the findings that fail a test."""
        return self._bad(self.report())

    @property
    def fail_on(self) -> str:
        """Give the least severity that fails."""
        return str(self.config.getoption("--fanin-fail-on"))

    @property
    def is_updating(self) -> bool:
        """Say whether the baseline is written, and nothing fails."""
        return bool(self.config.getoption("--fanin-update"))

    def _bad(self, report: Report) -> tuple[Finding, ...]:
        allow = self._words("allow") or ()
        return failing(report, allow=allow, fail_on=self.fail_on)

    def _words(self, name: str) -> list[str] | None:
        text: str | None = self.config.getoption(f"--fanin-{name}")
        return None if text is None else [word.strip() for word in text.split(",")]

    def _check(self) -> Report:
        import fanin

        parser = argparse.ArgumentParser()
        add_subject(parser)
        said = [
            f"--{name}={text}"
            for name in ("input", "target", "loss")
            if (text := self.config.getoption(f"--fanin-{name}")) is not None
        ]
        it = subject(parser.parse_args([self.name, *said]))
        file = path_in(self.config.rootpath, self.name)
        report = fanin.check(
            it.model,
            it.batch,
            it.loss,
            it.target,
            factory=it.factory,
            select=self._words("select"),
            ignore=self._words("ignore"),
            baseline=None if self.is_updating else existing(file),
            config=nearest(self.config.rootpath),
        )
        if self.is_updating:
            update(file, report, self._bad(report), it.model)
        return report


class ModelItem(pytest.Item):
    """What the tests of a model share: where they are, and how they fail."""

    parent: Model

    def reportinfo(self) -> tuple[Path, None, str]:
        """Give the heading under which a failure is shown."""
        return self.path, None, f"{self.parent.name}: {self.name}"

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: Any = None,  # noqa: ANN401 (pytest's own signature)
    ) -> Any:  # noqa: ANN401
        """Give the text alone where the model is at fault, else the traceback."""
        if isinstance(excinfo.value, (Failure, FaninError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class Checked(ModelItem):
    """The model can be built and run, so that the other tests mean something."""

    def runtest(self) -> None:
        """Fail if the model could not be checked at all."""
        try:
            report = self.parent.report()
        except FaninError as error:
            missing = missing_framework(error)
            if missing is not None:
                pytest.skip(f"{missing} is not installed")
            raise
        if not is_ok(report, (), fail_on=self.parent.fail_on):
            raise Failure(message_of(report, ()))
        if report.notes:
            self.add_report_section("call", "notes", "\n".join(report.notes))


class Ruled(ModelItem):
    """One rule finds nothing that fails."""

    rule: Rule

    def runtest(self) -> None:
        """Fail with what the rule found."""
        try:
            report = self.parent.report()
        except FaninError as error:
            missing = missing_framework(error)
            reason = f"{missing} is not installed" if missing else f"see {FIRST}"
            pytest.skip(reason)
        if self.parent.is_updating:
            return
        found = [f for f in self.parent.failing() if f.code == self.rule.code]
        if found:
            text = f"{message_of(report, found)}\n{ACCEPT}"
            raise Failure(text)
        if self.rule.code in report.coverage.unasked:
            pytest.skip("this rule could not be asked: the model did not run")


def items_of(session: pytest.Session, target: str) -> list[pytest.Item]:
    """Give the tests of one model.

    Raises:
        pytest.UsageError: if a word of an option is not known.
    """
    model: Model = Model.from_parent(session, name=target, nodeid=f"fanin::{target}")
    model.add_marker("fanin")
    if session.config.pluginmanager.hasplugin("xdist"):
        # With --dist=loadgroup one process checks the model for all of its tests.
        model.add_marker(pytest.mark.xdist_group(f"fanin::{target}"))
    try:
        failing(NOTHING, allow=model._words("allow") or ())  # noqa: SLF001
        return list(model.collect())
    except FaninError as error:
        raise pytest.UsageError(str(error)) from error


def missing_framework(error: FaninError) -> str | None:
    """Give the framework whose absence is why a model could not be built.

    >>> from fanin.errors import ModelError
    >>> missing = ModelError("Importing 'net.py:make' raised")
    >>> missing.__cause__ = ModuleNotFoundError("No module named 'torch'", name="torch")
    >>> missing_framework(missing)
    'torch'
    >>> missing_framework(ModelError("The model raised")) is None
    True
    """
    cause = error.__cause__
    if isinstance(cause, ModuleNotFoundError) and cause.name is not None:
        package = cause.name.partition(".")[0]
        return package if package in FRAMEWORKS else None
    return None
