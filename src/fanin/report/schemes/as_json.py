"""Schemes as JSON, schema ``fanin.schemes/1``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fanin.graph.fans import Fan
    from fanin.schemes import Scheme

SCHEMA = "fanin.schemes/1"


def schemes_json(schemes: Iterable[Scheme], fan: Fan[float]) -> str:
    """Give each scheme's record, and its std for a layer of these fans.

    >>> from fanin.graph.fans import Fan
    >>> from fanin.schemes import SCHEMES
    >>> text = schemes_json([SCHEMES["he_normal"]], Fan(n_in=512.0, n_out=10.0))
    >>> round(json.loads(text)["schemes"][0]["std"], 12)
    0.0625
    """
    fields = {"n_in": fan.n_in, "n_out": fan.n_out}
    listed = [_record(scheme, fan) for scheme in schemes]
    data = {"schema": SCHEMA, "fan": fields, "schemes": listed}
    return json.dumps(data, indent=2, ensure_ascii=False)


def _record(scheme: Scheme, fan: Fan[float]) -> dict[str, object]:
    return {
        "name": scheme.name,
        "spec": scheme.spec,
        "aliases": list(scheme.aliases),
        "law": scheme.law,
        "formula": scheme.formula,
        "std": float(scheme.std(fan)),
        "keeps": scheme.keeps,
        "assumes": list(scheme.assumes),
        "sources": [str(source) for source in scheme.sources],
    }
