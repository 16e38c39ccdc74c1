"""What was seen while a factory built a model: who wrote which parameter."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Construction:
    """The writes to each parameter, by path, in their order.

    never_written: paths whose memory nobody filled. writers: path → who wrote it
    ("kaiming_uniform_", "net.py:23"), first to last.
    """

    never_written: tuple[str, ...] = ()
    writers: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
