"""What a check was asked, kept beside its report so that it can be asked again."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The arguments of `fanin.check`, but for the model.

    batch, loss, target, objective: what the model was run on. words: the others, by
    name. It lives as long as the report, is not compared, and is left out of JSON and
    of pickles: a batch can be large, and an objective can be any function.
    """

    batch: Any = None
    loss: Any = None
    target: Any = None
    objective: Any = None
    words: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
