"""A policy: a way to decide all parameters of a model at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError, UnknownNameError

if TYPE_CHECKING:
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription
    from fanin.registry import Spec, Value

Decide = Callable[..., Mapping[str, "Prescription"]]
"""Desk, and options by name → the prescriptions that the policy decides, by path."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A way to decide all parameters of a model at once.

    name: as found by `find_policy`. summary: one line. source: authors, year, equation.
    decide: the function; what it leaves out falls to the policy "auto", and its keyword
    arguments with a default are the options that a spec may set. warnings: what there
    is to say of the whole model, from the same arguments. settings: those that a spec
    has set.
    """

    name: str
    summary: str
    source: str
    decide: Decide
    warnings: Callable[..., tuple[str, ...]] | None = None
    settings: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def spec(self) -> str:
        """Give the text by which `find_policy` finds this very policy.

        >>> from fanin.prescription.policies import find_policy
        >>> find_policy("Auto").spec
        'auto'
        """
        if not self.settings:
            return self.name
        settings = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        return f"{self.name}({settings})"

    @property
    def options(self) -> Mapping[str, Value | None]:
        """Give what a spec may set, with the defaults."""
        arguments = inspect.signature(self.decide).parameters.values()
        return {a.name: a.default for a in arguments if a.kind is a.KEYWORD_ONLY}

    def prescribe(self, desk: Desk) -> Mapping[str, Prescription]:
        """Decide, with the options set.

        Raises:
            ArgumentError: if an option has a value that the policy does not know.
        """
        return self.decide(desk, **self.settings)

    def warn(self, desk: Desk) -> tuple[str, ...]:
        """Say what there is to say of the whole model, in sentences."""
        return () if self.warnings is None else self.warnings(desk, **self.settings)


def settings_of(policy: Policy, spec: Spec) -> Mapping[str, Value]:
    """Read the options that a spec sets, by position or by name.

    Raises:
        UnknownNameError: if the policy has no option of that name.
        ArgumentError: if a value is of another kind than the default, an option is set
            twice, or there are more values than options.
    """
    options = policy.options
    if len(spec.values) > len(options):
        expected = f"given at most {len(options)} options ({', '.join(options)})"
        raise ArgumentError.of(
            argument=policy.name, received=spec.values, expected=expected
        )
    settings = dict(zip(options, spec.values, strict=False))
    for name, value in spec.options.items():
        if name not in options:
            kind = f"option of the policy {policy.name}"
            raise UnknownNameError.of(kind=kind, name=name, known=options)
        if name in settings:
            expected = "set once: by position or by name"
            raise ArgumentError.of(argument=name, received=value, expected=expected)
        settings[name] = value
    return MappingProxyType(
        {name: _like(policy, name, value) for name, value in settings.items()}
    )


def _like(policy: Policy, name: str, value: Value) -> Value:
    """Give a value in the kind that the option's default has."""
    default = policy.options[name]
    if isinstance(default, float) and isinstance(value, int):
        value = float(value)
    if default is not None and type(value) is not type(default):
        kind = {str: "a word", int: "a whole number", float: "a number"}
        raise ArgumentError.of(
            argument=f"{policy.name}({name}=…)",
            received=value,
            expected=kind.get(type(default), "True or False"),
        )
    return value
