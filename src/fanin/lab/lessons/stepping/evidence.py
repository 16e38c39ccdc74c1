"""What a case is judged by: its derivation, a run of it, and a run that works."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from fanin.lab.lessons.stepping.data import INPUTS, batch_for
from fanin.lab.lessons.stepping.run import Run, drawn_start, working_seeds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.derivation.notation import Entry
    from fanin.derivation.records import Claim, Derivation

N_STEPS = 20
N_LONG = 200
N_SALTS = 12
SCHEMES = {"relu": "he_normal"}
USUAL_SCHEME = "glorot_normal"
RATES = {"relu": 0.1, "tanh": 0.2, "sigmoid": 0.4}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One case with numbers.

    derivation: in symbols, for every constant, rate and input. run: what the player
    shows. scheme, seeds: of a start that works, the first of those seeds
    that do; better: its run, on the same samples.
    far, better_far: the same two over many more updates. settings: as asked.
    """

    derivation: Derivation
    run: Run
    better: Run
    far: Run
    better_far: Run
    scheme: str
    seeds: tuple[int, ...]
    settings: Mapping[str, float]

    def step_of(self, tensor: str) -> int | None:
        """Give when an array first moves, as proved; None for never.

        A case whose page has no table of moves is answered by its run.
        """
        for movement in self.derivation.movements:
            if movement.tensor == tensor:
                return movement.step
        return self.run.first_move(tensor)

    @property
    def frozen(self) -> tuple[str, ...]:
        """Give the arrays that never move."""
        return tuple(t for t in self.run.net.tensors if self.step_of(t) is None)

    @property
    def are_twins(self) -> bool:
        """Say whether all hidden units stay equal for ever, as proved."""
        ties = self.derivation.ties
        return bool(ties) and all(tie.are_all_tied for tie in ties)

    def claim(self, words: str) -> Claim:
        """Give the claim whose statement holds these words.

        Raises:
            LookupError: if there is none.
        """
        for claim in self.derivation.claims:
            if words in claim.statement:
                return claim
        raise LookupError(words)


def evidence_of(case: str, net: str | None, settings: Mapping[str, float]) -> Evidence:
    """Derive a case, and run it beside a start that works."""
    from fanin.derivation import case_start, find_case

    found = find_case(case)
    slope = settings.get("slope")
    derivation = derived(case, net, slope)
    constant = settings.get("c")
    salt = lively_salt(case, net)
    small, start = case_start(
        case, net=net, slope_at_zero=slope, constant=constant, salt=salt
    )
    batch = batch_for(small, settings["x1"], settings["x2"])
    rate = settings["rate"]
    scheme = SCHEMES.get(small.activation.name, USUAL_SCHEME)
    usual = batch_for(small, *INPUTS[0])
    seeds = working_seeds(small, scheme, usual, RATES[small.activation.name], N_LONG)
    good = drawn_start(small, scheme, seeds[0])
    has_dropout = found.has_masks
    return Evidence(
        derivation=derivation,
        run=Run(small, start, batch, rate, N_STEPS, has_dropout),
        better=Run(small, good, batch, rate, N_STEPS),
        far=Run(small, start, batch, rate, N_LONG, has_dropout),
        better_far=Run(small, good, batch, rate, N_LONG),
        scheme=scheme,
        seeds=seeds,
        settings=dict(settings),
    )


@lru_cache(maxsize=64)
def derived(case: str, net: str | None, slope: float | None) -> Derivation:
    """Derive a case in symbols, once."""
    from fanin.derivation import explain

    return explain(case, net=net, slope_at_zero=slope)


@cache
def lively_salt(case: str, net: str | None) -> int:
    """Choose the numbers of what may be any values, so that the run shows the case.

    It is the first choice with which every weight that can move does, and the first
    sample passes through some hidden unit; 0 where the case leaves nothing free.
    """
    from fanin.derivation import case_start

    seen = 0
    best = 0
    for salt in range(N_SALTS):
        small, start = case_start(case, net=net, salt=salt)
        run = Run(small, start, batch_for(small, *INPUTS[0]), 0.1, N_STEPS)
        n_moved = sum(_moves(run, entry) for entry in small.entries)
        passed = [
            value
            for (layer, _), value in run.moments[0].passes[0].a.items()
            if 0 < layer < small.n_layers and value > 0
        ]
        if n_moved + bool(passed) > seen:
            seen, best = n_moved + bool(passed), salt
    return best


def _moves(run: Run, entry: Entry) -> bool:
    return run.moments[-1].parameters[entry] != run.moments[0].parameters[entry]
