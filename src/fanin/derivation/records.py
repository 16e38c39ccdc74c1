"""What an explanation is made of: formulas, steps, proofs, claims, a run.

These records hold finished text (Unicode and LaTeX) beside the SymPy expressions, so a
renderer needs neither SymPy nor this room's other files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Formula:
    """A chain of equal sides, as printed and as SymPy expressions.

    text: Unicode, one line. latex: without dollar signs. sides: the SymPy expressions
    among the sides, in order (labels such as dL/dw have none).
    """

    text: str
    latex: str
    sides: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Step:
    """One line of a derivation: a sentence, a formula, or both."""

    text: str = ""
    formula: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class Section:
    """A titled run of steps."""

    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class ProofStep:
    """One checked line of a proof.

    holds: what SymPy (or the arithmetic) said of this very line; a step is never
    marked by hand.
    """

    text: str
    holds: bool
    formula: Formula | None = None


@dataclass(frozen=True, kw_only=True)
class Proof:
    """How a claim was decided.

    kind: "identity" (a SymPy identity in all inputs, targets and rates), "induction"
    (start and step of an invariant), "witness" (a statement of existence, by an
    example) or "counterexample" (a statement for all, refuted by an example).
    values: the example's numbers by symbol, empty for the first two kinds.
    """

    kind: str
    steps: tuple[ProofStep, ...]
    values: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement in plain English, whether it holds, and the proof of that.

    observed: what the run of real steps showed, "" where a run cannot speak to it.
    agrees: whether that is what the proof says; None without an observation.
    """

    statement: str
    holds: bool
    proof: Proof
    observed: str = ""
    agrees: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Movement:
    """When one parameter tensor first moves.

    tensor: "W1", "b1", … step: 1 for the first update; None for never, which is
    proved. largest_change: max |Δ| in the run of real steps; first_seen: the step at
    which the run saw it move, None if it did not.
    """

    tensor: str
    step: int | None
    largest_change: float
    first_seen: int | None

    @property
    def agrees(self) -> bool:
        """Say whether the run saw what the proof says."""
        return self.step == self.first_seen


@dataclass(frozen=True, kw_only=True)
class UnitTies:
    """Which units of one hidden layer stay equal for ever.

    blocks: the units (from 1) in groups that stay equal; all alone when none is tied.
    spread: largest difference inside a block in the run; apart: smallest largest
    difference between units of two blocks (None with one block).
    """

    layer: int
    blocks: tuple[tuple[int, ...], ...]
    spread: float
    apart: float | None

    @property
    def are_all_tied(self) -> bool:
        """Say whether the whole layer works as one unit."""
        return len(self.blocks) == 1


@dataclass(frozen=True, kw_only=True)
class Run:
    """Real steps of gradient descent that stand beside the proofs.

    rate: learning rate η; n_steps, n_samples: counts; losses: before each step and
    after the last. optimizer: "sgd".
    """

    rate: float
    n_steps: int
    n_samples: int
    losses: tuple[float, ...]
    optimizer: str = "sgd"


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A weight of the diagram: from unit to unit, with its starting value."""

    layer: int
    source: int
    target: int
    label: str
    value: str
    moves: int | None


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """The net as a picture: widths, weights, and which units are twins.

    blocks: for each layer of units from the inputs to the outputs, the number of the
    block that each unit belongs to. values: the same shape, text under each unit.
    """

    widths: tuple[int, ...]
    edges: tuple[Edge, ...]
    blocks: tuple[tuple[int, ...], ...]
    values: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """One case of the lesson, derived, decided and run.

    case: its id ("A1"); name: its word ("zero"); setting: what was assumed, by word;
    sections: the derivation in order; claims: each proved or refuted; movements and
    ties: the truth table of this case, empty where no net is trained.
    """

    case: str
    name: str
    title: str
    summary: str
    setting: Mapping[str, str]
    sections: tuple[Section, ...]
    claims: tuple[Claim, ...]
    movements: tuple[Movement, ...] = ()
    ties: tuple[UnitTies, ...] = ()
    run: Run | None = None
    diagram: Diagram | None = None

    @property
    def agrees(self) -> bool:
        """Say whether every run of real steps saw what the proofs say."""
        seen = [claim.agrees for claim in self.claims if claim.agrees is not None]
        return all(seen) and all(movement.agrees for movement in self.movements)
