"""What a verification found: of each parameter, and of all."""

from __future__ import annotations

from dataclasses import dataclass

from fanin.errors import VerificationError
from fanin.prescription.verification.printing import as_json, as_text
from fanin.prescription.verification.verdicts import BAD, Verdict


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found of one parameter.

    size: of the whole parameter. n_looked: numbers that were compared, of those that
    this process holds. n_different: of them. first: the first place that differs, an
    index for each axis; received and expected: the numbers there. dtype: in which it
    is held; "" where it is not. reason: why it was skipped, or what seems to have
    happened to it; detail: what belongs to this parameter alone.
    """

    path: str
    verdict: Verdict
    shape: tuple[int, ...]
    n_looked: int = 0
    n_different: int = 0
    first: tuple[int, ...] | None = None
    received: float | None = None
    expected: float | None = None
    dtype: str = ""
    reason: str = ""
    detail: str = ""

    @property
    def size(self) -> int:
        """Count the numbers of the whole parameter."""
        size = 1
        for length in self.shape:
            size *= length
        return size


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Whether a model's numbers are its plan's, as far as this process holds them.

    checked: one record a parameter, in the plan's order. seed: from which the plan's
    numbers were drawn again. fingerprint: of the plan. sample: how many numbers of a
    large parameter were looked at; None for all. unplanned: parameters of the model
    that the plan does not speak of. where: what was looked at, in words.
    """

    checked: tuple[Checked, ...]
    seed: int
    fingerprint: str
    sample: int | None
    unplanned: tuple[str, ...] = ()
    where: str = "model"

    def __bool__(self) -> bool:
        """Say whether every number that was compared is the plan's, and any was."""
        has_looked = any(found.n_looked for found in self.checked)
        return has_looked and not self.different

    @property
    def different(self) -> tuple[Checked, ...]:
        """Give what is not the plan's: numbers that differ, and missing parameters."""
        return tuple(found for found in self.checked if found.verdict in BAD)

    @property
    def n_looked(self) -> int:
        """Count the numbers that were compared."""
        return sum(found.n_looked for found in self.checked)

    def of(self, verdict: Verdict) -> tuple[Checked, ...]:
        """Give the parameters with a verdict, in the plan's order."""
        return tuple(found for found in self.checked if found.verdict is verdict)

    def raise_if_different(self) -> None:
        """Stop where the weights are not the plan's.

        Raises:
            VerificationError: it says what differs, and what seems to have happened.
        """
        if not self:
            raise VerificationError(str(self))

    def to_json(self) -> str:
        """Give the record as JSON text of schema ``fanin.verification/1``."""
        return as_json(self)

    def __str__(self) -> str:
        return as_text(self)
