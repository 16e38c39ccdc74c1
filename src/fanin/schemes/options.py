"""The options of a scheme, and how a spec sets them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.registry import Spec, Value
    from fanin.schemes.scheme import Scheme, VarianceFormula


@dataclass(frozen=True, kw_only=True)
class Option:
    """One thing of a scheme that a spec may set.

    expected: what a value must be, as the error says it. accepts: whether it is.
    apply: the scheme with it set.
    """

    name: str
    expected: str
    accepts: Callable[[Value], bool]
    apply: Callable[[Scheme, Value], Scheme]


@dataclass(frozen=True, kw_only=True)
class Mode:
    """A choice of fans: its variance, its formula in print, and what it keeps."""

    variance: VarianceFormula
    formula: str
    keeps: str


LARGEST: Final = 1e100
"""Larger numbers count as infinite: their squares would leave float64's range."""


def is_number(value: Value) -> bool:
    """Say whether the value is a finite number (True and False are none)."""
    if isinstance(value, bool | str):
        return False
    return abs(value) <= LARGEST


def is_positive(value: Value) -> bool:
    """Say whether the value is a finite number above 0."""
    return is_number(value) and float(value) > 0.0


def number_option(name: str, apply: Callable[[Scheme, float], Scheme]) -> Option:
    """Make an option that takes any finite number."""
    return Option(
        name=name,
        expected="a finite number",
        accepts=is_number,
        apply=lambda scheme, value: apply(scheme, float(value)),
    )


def positive_option(name: str, apply: Callable[[Scheme, float], Scheme]) -> Option:
    """Make an option that takes a number above 0."""
    return Option(
        name=name,
        expected="a finite number above 0",
        accepts=is_positive,
        apply=lambda scheme, value: apply(scheme, float(value)),
    )


GAIN: Final = positive_option(
    "gain", lambda scheme, value: replace(scheme, gain=value, uses_gain=False)
)
"""A gain set by hand: the activation no longer decides it."""


def mode_option(modes: Mapping[str, Mode]) -> Option:
    """Make the option that chooses among fans."""

    def apply(scheme: Scheme, value: Value) -> Scheme:
        mode = modes[str(value)]
        return replace(
            scheme, variance=mode.variance, formula=mode.formula, keeps=mode.keeps
        )

    return Option(
        name="mode",
        expected=f"one of {', '.join(modes)}",
        accepts=modes.__contains__,
        apply=apply,
    )


def configure(scheme: Scheme, spec: Spec) -> Scheme:
    """Set the options that the spec names, by position or by name.

    Raises:
        UnknownNameError: if the scheme has no option of that name.
        ArgumentError: if a value is of the wrong kind or range, an option is set
            twice, or there are more values than options.
    """
    by_name = {option.name: option for option in scheme.options}
    settings = _named_values(scheme, spec)
    for name, value in settings.items():
        option = by_name.get(name)
        if option is None:
            raise UnknownNameError.of(
                kind=f"option of {scheme.name}", name=name, known=by_name
            )
        if not option.accepts(value):
            where = f"{scheme.name}({name}=…)"
            raise ArgumentError.of(
                argument=where, received=value, expected=option.expected
            )
        scheme = option.apply(scheme, value)
    return replace(scheme, settings=tuple(settings.items()))


def _named_values(scheme: Scheme, spec: Spec) -> dict[str, Value]:
    names = [option.name for option in scheme.options]
    _require_room(scheme, spec, names)
    settings = dict(zip(names, spec.values, strict=False))
    for name, value in spec.options.items():
        if name in settings:
            expected = "set once: by position or by name"
            raise ArgumentError.of(argument=name, received=value, expected=expected)
        settings[name] = value
    return settings


def _require_room(scheme: Scheme, spec: Spec, names: list[str]) -> None:
    if not names and (spec.values or spec.options):
        raise ArgumentError.of(
            argument=scheme.name,
            received=spec.values or dict(spec.options),
            expected="named without options",
        )
    if len(spec.values) > len(names):
        expected = f"given at most {len(names)} options ({', '.join(names)})"
        raise ArgumentError.of(
            argument=scheme.name, received=spec.values, expected=expected
        )
