"""A table of records found by name or alias: schemes, activations, rules, cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from fanin.errors import DuplicateNameError, UnknownNameError


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
