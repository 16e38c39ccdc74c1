"""After judging: where each finding belongs, and which of them are set aside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fanin.config import Settings
    from fanin.frameworks.framework import Framework
    from fanin.places import Places
    from fanin.rules import Finding, Location, Report
    from fanin.rules.baseline import Baseline
    from fanin.rules.setting_aside import Decide


@dataclass(frozen=True, kw_only=True)
class Words:
    """What a caller said in arguments, to go before what the settings say.

    None, or nothing, where nothing was said.
    """

    select: Sequence[str] | None = None
    ignore: Sequence[str] | None = None
    ignores: Mapping[str, Sequence[str]] | None = None
    baseline: Any = None
    optimizer: Any = None
    learning_rate: float | None = None
    precision: str | None = None


def merged(config: object, words: Words) -> tuple[Settings, Any]:
    """Give the settings with the caller's words in their place, and the optimizer.

    A word given replaces the setting; ignores by parameter are added to it; what
    ``extend-select`` names is added to either selection.

    Raises:
        ArgumentError, UnknownNameError: if a setting or a word is not right.
    """
    from fanin.config import read, settings_of

    settings = read(config)  # type: ignore[arg-type] # read refuses what it cannot read
    given = {
        "select": words.select,
        "ignore": words.ignore,
        "baseline": words.baseline,
        "precision": words.precision,
        "per-param-ignores": words.ignores,
    }
    said = settings_of(
        {name: value for name, value in given.items() if value is not None},
        where="fanin.check",
    )
    optimizer = settings.optimizer if words.optimizer is None else words.optimizer
    is_named = isinstance(optimizer, str)
    from_settings = settings.learning_rate if is_named else None
    select = settings.select if said.select is None else said.select
    full = replace(
        settings,
        select=None if select is None else (*select, *settings.extend_select),
        ignore=settings.ignore if said.ignore is None else said.ignore,
        baseline=said.baseline or settings.baseline,
        precision=said.precision or settings.precision,
        learning_rate=words.learning_rate or from_settings,
        per_param_ignores={**settings.per_param_ignores, **said.per_param_ignores},
    )
    return full, optimizer


def class_of(model: object) -> str:
    """Give the name of a model's class; of a pair, that of its function.

    >>> class_of((len, {}))
    'len'
    """
    if isinstance(model, tuple) and model:
        model = model[0]
        return getattr(model, "__name__", type(model).__name__)
    return type(model).__name__


def places_for(
    framework: Framework, model: object, factory: Callable[[], Any] | None
) -> Places:
    """Make the finder of lines: in the model's classes, its factory, its callers."""
    from fanin.places import Origin, callers, places_of

    built_by = () if factory is None else (Origin(function=factory),)
    return places_of(model, framework.holders, (*built_by, *callers()))


def located(report: Report, places: Places) -> Report:
    """Give every finding the line that built its layer, where it can be found."""
    return replace(
        report,
        findings=tuple(_placed(f, places) for f in report.findings),
        consequences=tuple(_placed(f, places) for f in report.consequences),
    )


def settled(
    report: Report, places: Places, settings: Settings, model_class: str
) -> Report:
    """Set aside what comments, patterns and the baseline name, and say what they miss.

    Raises:
        ArgumentError: if the baseline cannot be read.
    """
    from fanin.places import Ignored
    from fanin.rules.baseline import Baseline, read_baseline
    from fanin.rules.setting_aside import by_pattern, set_aside

    ignored = Ignored(places)
    deciders: list[Decide] = [ignored.decide, by_pattern(settings.per_param_ignores)]
    baseline = Baseline()
    if settings.baseline is not None:
        baseline = read_baseline(settings.baseline)
        deciders.append(baseline.decider(model_class))
    done = set_aside(report, deciders)
    notes = _remarks(done, ignored.unused(places.trails, done.coverage.asked))
    return replace(done, notes=(*notes, *_stale(done, baseline, model_class)))


MOST_PATHS: Final = 20
"""Parameters of one finding whose line is looked for, until one is found."""


def _remarks(report: Report, unused: Iterable[str]) -> tuple[str, ...]:
    return (*report.notes, *unused)


def _stale(report: Report, baseline: Baseline, model_class: str) -> tuple[str, ...]:
    stale = baseline.stale(report, model_class)
    if not stale:
        return ()
    listed = ", ".join(stale[:5]) + (", …" if len(stale) > 5 else "")
    return (f"No longer found, though in the baseline: {listed}.",)


def _placed(finding: Finding, places: Places) -> Finding:
    from fanin.rules import Severity

    if not finding.paths and finding.severity is Severity.INFO:
        return finding  # a remark on the whole: no line built it
    names = (finding.where, *finding.paths[:MOST_PATHS])
    if finding.paths:  # a name that is no layer's would mean the whole model
        names = tuple(name for name in names if places.knows(name))
    found = [place for name in names if (place := places.of(name)) is not None]
    own = [place for place in found if place.kind == "constructs"]
    location = next(iter(own or found), None) or _running(finding, places)
    return replace(finding, location=location)


def _running(finding: Finding, places: Places) -> Location | None:
    """Give the line of the forward pass that a rule knows, "net.py:23"."""
    from fanin.rules import Location

    path, _, line = (finding.source or "").rpartition(":")
    if not path or not line.isdigit():
        return None
    file = places.sources.file(path)
    text = "" if file is None else file.line(int(line))
    return Location(file=path, line=int(line), text=text, kind="runs")
