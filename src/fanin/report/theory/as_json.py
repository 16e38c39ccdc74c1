"""The lesson as JSON: every number that the page shows."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from math import isfinite
from typing import TYPE_CHECKING

from fanin.report.theory.summary import summary_of, title_of

if TYPE_CHECKING:
    from fanin.theory import EdgePoint, FixedPoint, Portrait

SCHEMA = "fanin.theory/1"


def json_of(portrait: Portrait) -> str:
    """Give the numbers as JSON text; what is not finite as "inf", "-inf" or "nan"."""
    return json.dumps(data_of(portrait), ensure_ascii=False, indent=2)


def data_of(portrait: Portrait) -> dict[str, object]:
    """Give the numbers as plain dicts, lists, texts and numbers."""
    kept = {
        field.name: getattr(portrait, field.name)
        for field in fields(portrait)
        if field.name not in {"field", "gains", "points", "point", "edges", "rate"}
    }
    found = {
        "schema": SCHEMA,
        "title": title_of(portrait),
        "summary": summary_of(portrait),
        "activation": portrait.field.nonlinearity.name,
        "weight_variance": portrait.field.weight_variance,
        "bias_variance": portrait.field.bias_variance,
        "phase": portrait.phase,
        "gains": asdict(portrait.gains),
        "fixed_points": [_point(point) for point in portrait.points],
        "edge_of_chaos": [_edge(edge) for edge in portrait.edges],
        "rate": None if portrait.rate is None else asdict(portrait.rate),
        **kept,
    }
    plain = _plain(found)
    return plain if isinstance(plain, dict) else {}


def _point(point: FixedPoint) -> dict[str, object]:
    words = {"stability": point.stability.name.lower(), "phase": point.phase}
    return {**asdict(point), **words}


def _edge(edge: EdgePoint) -> dict[str, object]:
    return {**asdict(edge), "stability": edge.stability.name.lower()}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value
