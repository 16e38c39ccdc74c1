"""A table of records found by name or alias: schemes, activations, rules, cases."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from fanin.errors import ArgumentError, DuplicateNameError, UnknownNameError


class Named(Protocol):
    """A record with one name and any number of further names."""

    @property
    def name(self) -> str:
        """The name under which it is listed."""
        ...

    @property
    def aliases(self) -> tuple[str, ...]:
        """Further names under which it is found."""
        ...


Record = TypeVar("Record", bound=Named)


class Registry(Mapping[str, Record], Generic[Record]):
    """Name or alias → record. Iterates over names only, in order of registration."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._records: dict[str, Record] = {}
        self._names: dict[str, str] = {}

    def register(self, record: Record) -> Record:
        """Add a record under its name and its aliases.

        Raises:
            DuplicateNameError: if a name or alias is taken; the table is unchanged.
        """
        for name in (record.name, *record.aliases):
            if name.lower() in self._names:
                raise DuplicateNameError.of(self.kind, name)
        for name in (record.name, *record.aliases):
            self._names[name.lower()] = record.name
        self._records[record.name] = record
        return record

    def __getitem__(self, name: str) -> Record:
        """Give the record of that name or alias, in any case of letters.

        Raises:
            UnknownNameError: if there is none; it names the nearest. A KeyError too
                would hide the message, so ``in`` and ``get`` are spelled out below.
        """
        known = self._names.get(name.lower())
        if known is None:
            raise UnknownNameError.of(self.kind, name, self._records)
        return self._records[known]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)


Value = int | float | str | bool
"""What an option of a spec may be."""

NOT_A_SPEC = (
    AttributeError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What Python's own parser raises for a text that is no spec."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A name with its options, as a user writes them: ``he_normal(mode=fan_out)``."""

    name: str
    values: tuple[Value, ...] = ()
    options: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))


def parse_spec(text: str) -> Spec:
    """Read a name, or a name with options in parentheses; nothing is evaluated.

    Options are numbers, words, quoted texts, True or False.

    Raises:
        ArgumentError: if the text is anything else.

    >>> parse_spec("normal(std=0.01)").options["std"]
    0.01
    >>> parse_spec("he_normal(mode=fan_out)").options["mode"]
    'fan_out'
    >>> parse_spec("leaky_relu(0.2)").values
    (0.2,)
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        if isinstance(tree, ast.Name):
            return Spec(name=tree.id)
        return _spec_of_call(tree)
    except NOT_A_SPEC as why:
        expected = "a name such as 'zeros', or one with options: 'normal(std=0.01)'"
        raise ArgumentError.of(
            argument="spec", received=text, expected=expected
        ) from why


def _spec_of_call(tree: ast.expr) -> Spec:
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise TypeError
    options: dict[str, Value] = {}
    for keyword in tree.keywords:
        if keyword.arg is None or keyword.arg in options:
            raise TypeError
        options[keyword.arg] = _value(keyword.value)
    return Spec(
        name=tree.func.id,
        values=tuple(_value(argument) for argument in tree.args),
        options=MappingProxyType(options),
    )


def _value(tree: ast.expr) -> Value:
    if isinstance(tree, ast.Name):
        return tree.id
    value = ast.literal_eval(tree)
    if not isinstance(value, int | float | str):
        raise TypeError
    return value
