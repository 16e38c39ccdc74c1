"""What one open page has running on the server: one or two trials, side by side."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError
from fanin.lab.engine.expected import Expected, expected
from fanin.lab.engine.reading import KINDS, N_PROBE, root_mean_square
from fanin.lab.engine.recipe import Recipe
from fanin.lab.engine.seeds import Spread, spread
from fanin.lab.engine.trial import Trial
from fanin.lab.panels.side import Scene, Side

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_SESSIONS: Final = 6
"""Pages that are kept; the one asked longest ago goes first."""
MOMENTS: Final = 10
"""That are kept of the steps that one press takes."""
LABELS: Final = ("A", "B")


@dataclass(kw_only=True)
class Session:
    """The trials of one page. turn: grows with each request to play; the last one runs.

    theory, spreads: of each trial, before training; spreads are None until asked for.
    """

    trials: tuple[Trial, ...]
    theory: tuple[Expected | None, ...]
    spreads: list[Spread | None]
    turn: int = 0
    lock: Lock = field(default_factory=Lock)

    @classmethod
    def start(cls, recipes: tuple[Recipe, ...]) -> Session:
        """Start every recipe, and ask theory what it expects."""
        trials = tuple(Trial.start(recipe) for recipe in recipes)
        return cls(
            trials=trials,
            theory=tuple(map(_theory, trials)),
            spreads=[None] * len(trials),
        )

    @property
    def step(self) -> int:
        """Give how many steps have been taken."""
        return self.trials[0].step

    @property
    def is_over(self) -> bool:
        """Say whether no trial can go on."""
        return all(trial.is_over for trial in self.trials)

    def advance(self, n_steps: int) -> None:
        """Take steps, and keep about ten moments on the way."""
        with self.lock:
            for taken in range(1, n_steps + 1):
                self._take_one()
                if taken % max(1, n_steps // MOMENTS) == 0:
                    self._look()
            self._look()

    def advance_for(self, seconds: float) -> None:
        """Take steps, one at least, until the time is up; keep the last moment."""
        until = monotonic() + seconds
        with self.lock:
            self._take_one()
            while monotonic() < until and not self.is_over:
                self._take_one()
            self._look()

    def _take_one(self) -> None:
        for trial in self.trials:
            if not trial.is_over:
                trial.advance()

    def _look(self) -> None:
        for trial in self.trials:
            trial.look()

    def scene(self, kind: str, step: int | None = None) -> Scene:
        """Give what is drawn: now, or at the last kept moment up to a step."""
        with self.lock:
            sides = tuple(self._side(i, step) for i in range(len(self.trials)))
        return Scene(sides=sides, kind=kind)

    def widen(self) -> None:
        """Find the spread over seeds of every trial's start."""
        for place, trial in enumerate(self.trials):
            if self.spreads[place] is None:
                self.spreads[place] = spread(trial.recipe, trial.data)

    def _side(self, place: int, step: int | None) -> Side:
        trial = self.trials[place]
        frame = trial.frames[-1] if step is None else trial.frame_at(step)
        is_start = frame.step == 0
        return Side(
            label=LABELS[place],
            recipe=trial.recipe,
            data=trial.data,
            frame=frame,
            losses=trial.losses[: frame.step],
            history=[each for each in trial.frames if each.step <= frame.step],
            expected=self.theory[place] if is_start else None,
            spread=self.spreads[place] if is_start else None,
        )


def _theory(trial: Trial) -> Expected | None:
    """Follow theory from the probe's inputs forwards, and back from its gradient."""
    data = trial.data
    return expected(
        trial.recipe,
        trial.recipe.sizes(data.n_in, data.n_classes),
        input_square=root_mean_square(data.inputs[:N_PROBE]) ** 2,
        last_gradient=trial.frames[0].reading.gradient_rms[-1],
    )


class Sessions:
    """The sessions of all open pages, by names that cannot be guessed."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Session] = OrderedDict()
        self._lock = Lock()

    def add(self, session: Session) -> str:
        """Keep a session, and give its name."""
        name = secrets.token_urlsafe(12)
        with self._lock:
            self._known[name] = session
            while len(self._known) > MOST_SESSIONS:
                self._known.popitem(last=False)[1].turn += 1  # it plays no longer
        return name

    def drop(self, name: object) -> None:
        """Forget a session that its page has replaced; an unknown name is no fault."""
        with self._lock:
            gone = self._known.pop(str(name), None)
        if gone is not None:
            gone.turn += 1

    def find(self, name: object) -> Session:
        """Give the session of that name.

        Raises:
            ArgumentError: if there is none: a later page has taken its place.
        """
        with self._lock:
            session = self._known.get(str(name))
            if session is None:
                raise ArgumentError.of(
                    argument="session",
                    received=str(name)[:40],
                    expected="one that is open; reload the page to start anew",
                )
            self._known.move_to_end(str(name))
            return session


def recipes_of(body: object) -> tuple[Recipe, ...]:
    """Read A, and B where there is one.

    B shares with A what decides the draw and the task: depth, width, data, seed and
    batches; so the two differ by what is compared and by nothing else.

    Raises:
        UsageError: if a setting is not known or out of range.

    >>> a, b = recipes_of({"a": {"depth": 3}, "b": {"factor": 2.0}})
    >>> a.depth == b.depth, b.factor / a.factor
    (True, 2.0)
    """
    form = as_object(body)
    first = as_object(form.get("a", {}))
    a = Recipe.of(first)
    if form.get("b") is None:
        return (a,)
    other = as_object(form["b"])
    shared = ("depth", "width", "data", "seed", "batch_size")
    return a, Recipe.of({**other, **{name: getattr(a, name) for name in shared}})


def as_object(value: object) -> Mapping[str, object]:
    """Give a JSON object.

    Raises:
        ArgumentError: if it is anything else.
    """
    if not isinstance(value, Mapping):
        received, expected = str(value)[:40], "a JSON object"
        raise ArgumentError.of(argument="body", received=received, expected=expected)
    return value


def kind_of(value: object) -> str:
    """Give what the histograms count, one of `KINDS`."""
    if value not in KINDS:
        received, expected = str(value)[:40], f"one of {', '.join(KINDS)}"
        raise ArgumentError.of(argument="kind", received=received, expected=expected)
    return str(value)


def playing(session: Session, kind: str, *, seconds: float) -> Iterator[Scene]:
    """Train, and give a scene every so many seconds, until another page plays it.

    Args:
        session: what is trained.
        kind: of the histograms.
        seconds: between two scenes; each is at least one step later.
    """
    session.turn += 1
    turn = session.turn
    while session.turn == turn and not session.is_over:
        session.advance_for(seconds)
        yield session.scene(kind)
