"""A derivation as JSON: everything that the page shows, in one document."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from fanin.derivation.records import Derivation

SCHEMA = "fanin.explain/1"


def json_of(derivation: Derivation) -> str:
    """Give the record as JSON text, with formulas as text and LaTeX."""
    return json.dumps(data_of(derivation), ensure_ascii=False, indent=2)


def data_of(derivation: Derivation) -> dict[str, object]:
    """Give the record as plain dicts, lists, texts and numbers."""
    plain = _plain(derivation)
    return {"schema": SCHEMA, **plain} if isinstance(plain, dict) else {}


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name != "sides"
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def writer_for(
    path: str | Path, writers: Mapping[str, Callable[[Derivation], str]]
) -> Callable[[Derivation], str]:
    """Give the writer of a path's suffix.

    Raises:
        ArgumentError: if no writer has it.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in writers:
        raise _no_format(path, writers)
    return writers[suffix]


def _no_format(path: str | Path, writers: Mapping[str, object]) -> ArgumentError:
    expected = f"a file name that ends in {', '.join(writers)}"
    return ArgumentError.of("path", str(path), expected)
