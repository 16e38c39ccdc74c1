"""A Plan as JSON, schema ``fanin.plan/1``, and back, number for number.

Fields of a prescription that most do not need are left out where they say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container
from dataclasses import asdict, fields
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fanin.errors import ArgumentError
from fanin.graph.fans import AxisRoles, Fan
from fanin.prescription.prescription import Part, Prescription

if TYPE_CHECKING:
    from fanin.prescription.plan import Plan

SCHEMA: Final = "fanin.plan/1"
RARE: Final = (
    "mirrored",
    "n_blocks",
    "parts",
    "weight",
    "learning_rate",
    "learning_rate_sgd",
    "gradient",
    "seed",
    "evidence",
    "centre",
    "is_asked",
    "input_share",
)
DEFAULTS: Final = {
    field.name: field.default for field in fields(Prescription) if field.name in RARE
}
"""Fields of a prescription that may be missing, and what they are then."""


def dumps(plan: Plan) -> str:
    """Give the plan as JSON text; numbers that are not finite become text."""
    head = {
        "schema": SCHEMA,
        "fanin": version("fanin"),
        "fingerprint": plan.fingerprint,
        "framework": plan.framework,
        "policy": plan.policy,
        "seed": plan.seed,
        "is_calibrated": plan.is_calibrated,
        "first_loss": plan.first_loss,
        "measured_loss": plan.measured_loss,
        "warnings": plan.warnings,
        "notes": plan.notes,
        "prescriptions": [_object(p) for p in plan.prescriptions],
    }
    return json.dumps(_finite(head), indent=1, ensure_ascii=False, allow_nan=False)


def _object(prescription: Prescription) -> dict[str, Any]:
    """Give the fields of a prescription, without those that say nothing."""
    found = asdict(prescription)
    return {
        name: value
        for name, value in found.items()
        if name not in DEFAULTS or getattr(prescription, name) != DEFAULTS[name]
    }


def loads(text: str) -> dict[str, Any]:
    """Give the fields of the plan that the text holds.

    Raises:
        ArgumentError: if it is not JSON, of another schema, or a field is missing,
            unknown or of another kind.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        _refuse(f"text that is not JSON ({error})", f"JSON of schema {SCHEMA!r}")
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        schema = data.get("schema") if isinstance(data, dict) else None
        _refuse(f"schema {schema!r}", f"JSON of schema {SCHEMA!r}")
    known = {
        "framework": _text,
        "policy": _text,
        "seed": _seed,
        "is_calibrated": _flag,
        "first_loss": _optional(_number),
        "measured_loss": _optional(_number),
        "warnings": _each(_text),
        "notes": _each(_text),
        "prescriptions": _each(_prescription),
    }
    return _fields(
        data,
        known,
        "plan",
        ignored={"schema", "fanin", "fingerprint"},
        optional=("measured_loss",),
    )


def read(path: str | Path) -> str:
    """Read a file's text.

    Raises:
        ArgumentError: if there is no such file, or it holds no text.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        expected = f"a readable file that holds a plan ({error})"
        raise ArgumentError.of(
            argument="path", received=str(path), expected=expected
        ) from error


# From JSON: one reader for each kind of value

Reader = Callable[[Any, str], Any]


def _refuse(received: str, expected: str) -> None:
    raise ArgumentError.of(argument="plan", received=received, expected=expected)


def _fields(
    data: dict[str, Any],
    known: dict[str, Reader],
    where: str,
    *,
    ignored: Container[str] = (),
    optional: Container[str] = (),
) -> dict[str, Any]:
    """Read every known field; only optional ones may be missing, and no other there."""
    missing = [name for name in known if name not in data and name not in optional]
    unknown = [name for name in data if name not in known and name not in ignored]
    if missing or unknown:
        received = (
            f"{where} without {missing}" if missing else f"{where} with {unknown}"
        )
        _refuse(received, f"a {where} with the fields {', '.join(known)}")
    return {
        name: reader(data[name], name) for name, reader in known.items() if name in data
    }


def _text(value: Any, name: str) -> str:  # noqa: ANN401 (anything JSON holds)
    if not isinstance(value, str):
        _refuse(f"{name} = {value!r}", f"JSON in which {name!r} is a text")
    return str(value)


def _flag(value: Any, name: str) -> bool:  # noqa: ANN401
    if not isinstance(value, bool):
        _refuse(f"{name} = {value!r}", f"JSON in which {name!r} is true or false")
    return bool(value)


def _whole(value: Any, name: str) -> int:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        _refuse(f"{name} = {value!r}", f"JSON in which {name!r} is a whole number ≥ 0")
    return int(value)


def _seed(value: Any, name: str) -> int:  # noqa: ANN401
    seed = _whole(value, name)
    if seed >= 2**64:
        _refuse(f"{name} = {value!r}", "JSON in which 'seed' is below 2⁶⁴")
    return seed


def _number(value: Any, name: str) -> float:  # noqa: ANN401
    if value in {"inf", "-inf", "nan"}:
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(f"{name} = {value!r}", f"JSON in which {name!r} is a number")
    return float(value)


def _optional(reader: Reader) -> Reader:
    return lambda value, name: None if value is None else reader(value, name)


def _each(reader: Reader) -> Reader:
    def read_all(value: Any, name: str) -> tuple[Any, ...]:  # noqa: ANN401
        if not isinstance(value, list):
            _refuse(f"{name} = {value!r}", f"JSON in which {name!r} is a list")
        return tuple(reader(entry, f"{name}[{i}]") for i, entry in enumerate(value))

    return read_all


def _record(
    kind: type, readers: dict[str, Reader], optional: Container[str] = ()
) -> Reader:
    def read_one(value: Any, name: str) -> Any:  # noqa: ANN401
        if not isinstance(value, dict):
            _refuse(f"{name} = {value!r}", f"JSON in which {name!r} is an object")
        return kind(**_fields(value, readers, name, optional=optional))

    return read_one


_FAN = _record(Fan, {"n_in": _number, "n_out": _number})
_BY_ROLE: dict[str, Reader] = {
    **dict.fromkeys(("inputs", "outputs", "kernel"), _each(_whole)),
    **dict.fromkeys(("groups", "strides"), _whole),
    **dict.fromkeys(("is_transposed", "is_lookup", "has_all_outputs"), _flag),
}
_ROLES = _record(
    AxisRoles, {field.name: _BY_ROLE[field.name] for field in fields(AxisRoles)}
)
_PART = _record(
    Part,
    {
        "kind": _text,
        **dict.fromkeys(("start", "size", "period"), _whole),
        "factor": _number,
        "value": _optional(_number),
    },
)
_MEASURES = (
    "gain",
    "target",
    "predicted",
    "low",
    "high",
    "measured",
    "gradient",
    "input_share",
)
_BY_FIELD: dict[str, Reader] = {
    **dict.fromkeys(("path", "dtype", "role", "scheme", "law", "reason"), _text),
    "evidence": _text,
    **dict.fromkeys(("std", "value", "factor"), _number),
    **dict.fromkeys(("learning_rate", "learning_rate_sgd"), _number),
    **dict.fromkeys(_MEASURES, _optional(_number)),
    **dict.fromkeys(("shape", "mirrored"), _each(_whole)),
    "n_blocks": _whole,
    "is_asked": _flag,
    "parts": _each(_PART),
    "weight": _optional(_text),
    "seed": _optional(_seed),
    **dict.fromkeys(("values", "centre"), _each(_number)),
    "fan": _optional(_FAN),
    "roles": _optional(_ROLES),
}
_READERS = {field.name: _BY_FIELD[field.name] for field in fields(Prescription)}
_prescription = _record(Prescription, _READERS, optional=RARE)


def _finite(value: Any) -> Any:  # noqa: ANN401
    """Replace numbers that JSON does not know by their names."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value
