"""The network site by site, as plain numbers: what pictures are drawn from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Row:
    """One site, in order of running.

    name: as a reader would look for it. kind: the operation. shape: of its output.
    forward: pooled root mean square. between: root mean square of what differs
    between samples. gradient: root mean square of the objective's gradient there.
    """

    name: str
    kind: str
    shape: tuple[int, ...] = ()
    forward: float | None = None
    between: float | None = None
    gradient: float | None = None


@dataclass(frozen=True, kw_only=True)
class Profile:
    """All sites of one check.

    >>> row = Row(name="0", kind="linear", shape=(4, 2), forward=1.0)
    >>> Profile.from_data(Profile(rows=(row,)).to_data()) == Profile(rows=(row,))
    True
    """

    rows: tuple[Row, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Give plain dicts, lists and numbers, for JSON."""
        return {"rows": [{**asdict(r), "shape": list(r.shape)} for r in self.rows]}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Profile:
        """Read them back."""
        rows = data["rows"]
        return cls(
            rows=tuple(Row(**{**row, "shape": tuple(row["shape"])}) for row in rows)
        )
