"""The network site by site, as plain numbers: what a picture of a check is drawn from.

Every number is kept in four digits, so that a report that is written and read back is
the report that was written, and weighs little.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from fanin.rules.as_json import number_from, number_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

N_BINS: Final = 25
"""Bins of a histogram; odd, so that 0 has a bin of its own."""
ALWAYS_OFF, ALWAYS_ON, WORKING = "0", "1", "+"


@dataclass(frozen=True, kw_only=True)
class Bins:
    """A histogram over [−reach, reach], in equal bins.

    reach: in the values' unit; 0 where all of them are 0. counts: the outermost bins
    hold what lies beyond too; NaN and infinity are left out.
    """

    reach: float
    counts: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured site, in order of running.

    name: as a reader would look for it. kind: the operation. shape: of its output.
    weight: path of the weight that a linear node multiplies with. is_trunk: on the path
    that carries the signal. forward: root mean square over all entries. between: root
    mean square of what differs between samples. maximum: largest size. gradient: root
    mean square of the objective's gradient there, once zeros on purpose are filled.
    predicted, predicted_low, predicted_high: theory's root mean square and its interval
    for one draw of the weights; predicted_gradient: theory's, from the measured one at
    the output backwards. dead: share of a rectifier's units that are off for the whole
    batch. saturated: share of values in the flat parts of a tanh or sigmoid. units: of
    a rectifier, a letter a unit, of at most 128 evenly spaced: "0" always off, "1"
    always on, "+" working. n_units: of them all. values: histogram.
    """

    name: str
    kind: str
    shape: tuple[int, ...] = ()
    weight: str = ""
    is_trunk: bool = False
    forward: float | None = None
    between: float | None = None
    maximum: float | None = None
    gradient: float | None = None
    predicted: float | None = None
    predicted_low: float | None = None
    predicted_high: float | None = None
    predicted_gradient: float | None = None
    dead: float | None = None
    saturated: float | None = None
    units: str = ""
    n_units: int = 0
    values: Bins | None = None

    @property
    def input_share(self) -> float | None:
        """Give between² / forward²: 1 for independent samples, 0 if all are alike.

        >>> Row(name="0", kind="linear", forward=2.0, between=1.0).input_share
        0.25
        """
        if self.forward is None or self.between is None:
            return None
        ratio = self.between / self.forward if self.forward else 0.0
        return ratio * ratio


@dataclass(frozen=True, kw_only=True)
class Weight:
    """One weight. mean, std: of its entries. n_in: fan-in, None where it is not known.

    step: the optimizer's step at which it first moves, 0 if never, None if not asked.
    gradient: root mean square. values, gradients: histograms.
    """

    path: str
    shape: tuple[int, ...]
    mean: float
    std: float
    n_in: float | None = None
    step: int | None = None
    gradient: float | None = None
    values: Bins | None = None
    gradients: Bins | None = None


@dataclass(frozen=True, kw_only=True)
class TwinUnits:
    """Equal units of one layer. n_different: left when equal ones are counted once.

    labels: the class of each unit, of at most 128; equal units share a class.
    """

    name: str
    size: int
    n_different: int
    labels: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """All sites, weights and equal units of one check. loss: at the start, if any.

    >>> row = Row(name="0", kind="linear", shape=(4, 2), forward=float("inf"))
    >>> Profile.from_data(Profile(rows=(row,)).to_data()) == Profile(rows=(row,))
    True
    """

    rows: tuple[Row, ...] = ()
    weights: tuple[Weight, ...] = ()
    twins: tuple[TwinUnits, ...] = ()
    loss: float | None = None
    batch_size: int = 0

    @property
    def trunk(self) -> tuple[Row, ...]:
        """Give the rows on the path that carries the signal."""
        return tuple(row for row in self.rows if row.is_trunk)

    def to_data(self) -> dict[str, Any]:
        """Give plain dicts, lists and numbers, for JSON; what says nothing is left out.

        >>> Profile(rows=(Row(name="0", kind="linear", n_units=3),)).to_data()["rows"]
        [{'name': '0', 'kind': 'linear', 'n_units': 3}]
        """
        return {
            "loss": number_to(self.loss),
            "batch_size": self.batch_size,
            "rows": [_plain(row) for row in self.rows],
            "weights": [_plain(weight) for weight in self.weights],
            "twins": [_plain(group) for group in self.twins],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Profile:
        """Read them back."""
        return cls(
            loss=number_from(data["loss"]),
            batch_size=data["batch_size"],
            rows=tuple(Row(**_read(item)) for item in data["rows"]),
            weights=tuple(Weight(**_read(item)) for item in data["weights"]),
            twins=tuple(TwinUnits(**_read(item)) for item in data["twins"]),
        )


def _plain(record: Row | Weight | TwinUnits) -> dict[str, Any]:
    """Give the fields that differ from their default."""
    usual = {field.name: field.default for field in fields(record)}
    found = {k: v for k, v in asdict(record).items() if v != usual[k]}
    return {key: _value(value) for key, value in found.items()}


def _value(value: object) -> object:
    if isinstance(value, float):
        return number_to(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict):  # bins
        return {key: _value(part) for key, part in value.items()}
    return value


WORDS: Final = frozenset({"name", "kind", "weight", "units", "path"})


def _read(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _back(key, value) for key, value in item.items()}


def _back(key: str, value: Any) -> Any:  # noqa: ANN401 - as JSON holds it
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        counts: Sequence[int] = value["counts"]
        return Bins(reach=float(value["reach"]), counts=tuple(counts))
    if isinstance(value, str) and key not in WORDS:
        return float(value)
    return value
