"""The lab's own view: a net, what its weights are drawn from, and what they do."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError
from fanin.lab.controls import form
from fanin.lab.engine.reading import KINDS
from fanin.lab.engine.recipe import Recipe
from fanin.lab.panels.counted import WORDS
from fanin.lab.panels.table import PANELS, WITH_SPREAD, drawn, summary
from fanin.lab.seam import Answer, Asked, Events, Route, View
from fanin.lab.sessions import (
    Session,
    Sessions,
    as_object,
    kind_of,
    playing,
    recipes_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fanin.lab.panels.side import Scene
    from fanin.lab.seam import House

MOST_AT_ONCE: Final = 200
"""Steps that one press may ask for."""
BUTTONS: Final = {
    "play": "Play",
    "step": "Step",
    "leap": "10 steps",
    "rewind": "Rewind",
    "reseed": "New seed",
}
PACE: Final = {"quick": 0.1, "calm": 1.0}
"""Seconds between two pictures while it plays; calm where motion is to be reduced."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The handlers, around the sessions of all open pages."""

    house: House
    sessions: Sessions = field(default_factory=Sessions)

    def page(self, _: Asked) -> Answer:
        """Give the page: controls, player and empty panels; the module fills them."""
        return self.house.page(
            VIEW,
            title="Lab",
            lead=LEAD,
            body=body(),
            modules=("lab.js",),
        )

    def start(self, asked: Asked) -> Answer:
        """Build what the form says, draw its weights, and look."""
        told = as_object(asked.body)
        session = Session.start(recipes_of(told))
        self.sessions.drop(told.get("session"))
        name = self.sessions.add(session)
        scene = session.scene(kind_of(told.get("kind")))
        return Answer.of_json({"session": name, **_shown(session, scene)})

    def spread(self, asked: Asked) -> Answer:
        """Find the spread over seeds; give the two panels that show it."""
        told = as_object(asked.body)
        session = self.sessions.find(told.get("session"))
        session.widen()
        scene = session.scene(kind_of(told.get("kind")), step=0)
        return Answer.of_json({"panels": drawn(scene, WITH_SPREAD)})

    def step(self, asked: Asked) -> Answer:
        """Take so many steps, and look."""
        told = as_object(asked.body)
        session = self.sessions.find(told.get("session"))
        n_steps = _whole("n_steps", told.get("n_steps", 1), MOST_AT_ONCE)
        session.turn += 1
        session.advance(n_steps)
        return Answer.of_json(_shown(session, session.scene(kind_of(told.get("kind")))))

    def frame(self, asked: Asked) -> Answer:
        """Give a moment that was kept: nothing is computed again."""
        told = as_object(asked.body)
        session = self.sessions.find(told.get("session"))
        step = _whole("step", told.get("step", 0), 10**9)
        scene = session.scene(kind_of(told.get("kind")), step=step)
        return Answer.of_json(_shown(session, scene))

    def stop(self, asked: Asked) -> Answer:
        """End what plays."""
        self.sessions.find(as_object(asked.body).get("session")).turn += 1
        return Answer.of_json({})

    def play(self, asked: Asked) -> Events:
        """Train, and send a picture every tenth of a second."""
        session = self.sessions.find(asked.query.get("session"))
        kind = kind_of(asked.query.get("kind"))
        seconds = PACE.get(asked.query.get("pace", ""), PACE["quick"])
        return Events(values=_pictures(session, kind, seconds))


LEAD: Final = (
    '<p class="lead">Change how the weights start, and see what they do to the signal, '
    "the gradients and the training.</p>"
)
KEYS: Final = (
    '<details class="keys"><summary>Keys</summary><p>While this part of the page has '
    "the focus: space plays and pauses, → takes a step, ← goes back one kept moment, R "
    "rewinds with the same seed, N draws with a new one.</p></details>"
)
WITHOUT: Final = (
    "<noscript><p>The lab needs JavaScript, which comes from this machine.</p>"
    "</noscript>"
)


def body() -> str:
    """Give what stands on the page before the module has asked for anything."""
    panels = "".join(f'<div class="panel" id="{panel.name}"></div>' for panel in PANELS)
    bench = (
        '<section class="bench" aria-label="What the net does" tabindex="0">',
        _player(),
        '<p class="notice note" id="said" role="status"></p>',
        '<p class="notice bad" id="wrong" role="alert" hidden></p>',
        f'<div class="panels">{panels}</div>{KEYS}</section>',
    )
    return f'<div class="desk">{form(Recipe())}{"".join(bench)}</div>{WITHOUT}'


def _player() -> str:
    """Give what plays, steps and scrubs."""
    buttons = "".join(
        f'<button type="button" id="{name}">{words}</button>'
        for name, words in BUTTONS.items()
    )
    kinds = "".join(f'<option value="{kind}">{WORDS[kind]}</option>' for kind in KINDS)
    parts = (
        f'<div class="player" role="group" aria-label="Training">{buttons}',
        '<label class="scrub">Scrub back <input type="range" id="scrub" min="0" ',
        'max="0" step="1" value="0"></label>',
        '<output id="at" for="scrub">step 0</output>',
        f'<label>Histograms of <select id="kind">{kinds}</select></label></div>',
    )
    return "".join(parts)


def _pictures(session: Session, kind: str, seconds: float) -> Iterator[object]:
    for scene in playing(session, kind, seconds=seconds):
        yield _shown(session, scene)


def _shown(session: Session, scene: Scene) -> dict[str, object]:
    """Give what the page swaps in, and where the scrubber can go."""
    return {
        "step": scene.sides[0].frame.step,
        "steps": [frame.step for frame in session.trials[0].frames],
        "is_over": session.is_over,
        "summary": summary(scene),
        "panels": drawn(scene),
    }


def _whole(name: str, value: object, most: int) -> int:
    is_right = isinstance(value, int) and not isinstance(value, bool)
    if not is_right or not 0 <= value <= most:  # type: ignore[operator]
        expected = f"a whole number from 0 to {most}"
        raise ArgumentError.of(argument=name, received=value, expected=expected)
    return math.trunc(value)  # type: ignore[arg-type]


def routes(house: House) -> Sequence[Route]:
    """Give the page and what its module asks for."""
    desk = Desk(house=house)
    return (
        Route(path="/lab", handler=desk.page),
        Route(path="/lab/start", handler=desk.start, method="POST"),
        Route(path="/lab/spread", handler=desk.spread, method="POST"),
        Route(path="/lab/step", handler=desk.step, method="POST"),
        Route(path="/lab/frame", handler=desk.frame, method="POST"),
        Route(path="/lab/stop", handler=desk.stop, method="POST"),
        Route(path="/lab/play", handler=desk.play),
    )


VIEW = View(name="lab", title="Lab", order=2, routes=routes, assets="fanin.lab.static")
