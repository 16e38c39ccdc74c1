"""The settings of a check, and which words they are written with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from fanin.errors import ArgumentError, UnknownNameError

SEVERITIES: Final = ("error", "warning", "info", "never")
PRECISIONS: Final = ("float16", "bfloat16")
Ignores = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What was said of checks; None where nothing was said.

    select, ignore, extend_select: codes, names or beginnings of codes ("FAN1").
    fail_on: the least severity that makes the command fail. baseline: a file.
    optimizer: a name; learning_rate: of it. precision: of mixed precision.
    per_param_ignores: pattern of parameters → codes not to report for them.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    fail_on: str | None = None
    baseline: Path | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    precision: str | None = None
    per_param_ignores: Ignores = field(default_factory=lambda: MappingProxyType({}))


ALIASES: Final = MappingProxyType({"lr": "learning_rate"})
"""Short words for long ones."""


def settings_of(
    data: Mapping[str, Any], *, where: str = "config", folder: Path | None = None
) -> Settings:
    """Read settings from a table, with dashes or underscores in its words.

    Args:
        data: as TOML gives it.
        where: named in errors.
        folder: from which the baseline's path counts; None for the working directory.

    Raises:
        UnknownNameError: if a word is no setting; it names the nearest.
        ArgumentError: if a value is not of its setting's kind.

    >>> settings_of({"extend-select": ["FAN9"], "lr": 1e-3}).learning_rate
    0.001
    >>> settings_of({"ignroe": []})
    Traceback (most recent call last):
        ...
    fanin.errors.UnknownNameError: There is no setting of config 'ignroe'. Did you mean
    'ignore'? Known: baseline, extend-select, fail-on, ignore, lr, optimizer,
    per-param-ignores, precision, select.
    """
    known = {each.name for each in fields(Settings)}
    found: dict[str, Any] = {}
    for word, value in data.items():
        name = ALIASES.get(word, word.replace("-", "_"))
        if name not in known:
            kind = f"setting of {where}"
            raise UnknownNameError.of(kind, word, _words())
        found[name] = _value(f"{word} in {where}", name, value)
    if found.get("baseline") is not None and folder is not None:
        found["baseline"] = folder / found["baseline"]
    return Settings(**found)


def _words() -> list[str]:
    short = {name: word for word, name in ALIASES.items()}
    names = (each.name for each in fields(Settings))
    return [short.get(name, name.replace("_", "-")) for name in names]


def _value(argument: str, name: str, value: object) -> Any:  # noqa: ANN401 (of any setting)
    if name in {"select", "ignore", "extend_select"}:
        return _codes(argument, value)
    if name == "per_param_ignores":
        return _ignores(argument, value)
    if name == "learning_rate":
        return _rate(argument, value)
    if name == "baseline":
        return Path(_text(argument, value))
    choices = {"fail_on": SEVERITIES, "precision": PRECISIONS}.get(name, ())
    return _text(argument, value, choices)


def _codes(argument: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(code.strip() for code in value.split(",") if code.strip())
    codes = tuple(value) if isinstance(value, Sequence) else (None,)
    if not all(isinstance(code, str) for code in codes):
        expected = 'a list of codes, such as ["FAN101", "FAN2"]'
        raise ArgumentError.of(argument, value, expected)
    return tuple(str(code) for code in codes)


def _ignores(argument: str, value: object) -> Ignores:
    if not isinstance(value, Mapping):
        expected = 'a table of patterns and codes, such as "head.*" = ["FAN501"]'
        raise ArgumentError.of(argument, value, expected)
    found = {
        str(pattern): _codes(f"{argument}, {pattern!r}", codes)
        for pattern, codes in value.items()
    }
    return MappingProxyType(found)


def _rate(argument: str, value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    rate = float(value) if is_number and isinstance(value, int | float) else 0.0
    if not rate > 0.0:
        expected = "a number above 0"
        raise ArgumentError.of(argument, value, expected)
    return rate


def _text(argument: str, value: object, choices: Sequence[str] = ()) -> str:
    if isinstance(value, Path):
        return str(value)
    if not isinstance(value, str) or (choices and value not in choices):
        expected = f"one of {', '.join(choices)}" if choices else "a text"
        raise ArgumentError.of(argument, value, expected)
    return value
