"""Browse what `fanin compare` has run: the runs of the store, and each one's page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError
from fanin.lab.seam import Answer, Asked, Route, View
from fanin.report.page import Html, inline, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.lab.seam import House
    from fanin.race import Store
    from fanin.race.store import Run

NONE_YET: Final = (
    '<p class="lead">No run is stored yet.</p><p>Make one, then look here again:</p>'
    "<pre>fanin compare --depth 20 --width 64</pre>"
)
LEAD: Final = (
    '<p class="lead">Schemes that were raced, from this machine\'s store of runs; the '
    "newest first.</p>"
)
HEAD: Final = ("run", "when", "what", "trials", "failed", "seconds")


def usual_store() -> Store:
    """Give the store that `fanin compare` writes to unless told otherwise."""
    from fanin.race import Store, default_store

    return Store(default_store())


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The handlers, around a store that is opened anew at each question."""

    house: House
    store: Callable[[], Store] = field(default=usual_store)

    def index(self, _: Asked) -> Answer:
        """List the runs, or say how to make one."""
        store = self.store()
        runs = store.runs() if store.path.exists() else ()
        if not runs:
            return self.house.page(VIEW, title="Compare", body=NONE_YET)
        newest = sorted(runs, key=lambda run: (run.created, run.id), reverse=True)
        body = table(HEAD, [_row(run) for run in newest], caption="Stored runs")
        return self.house.page(
            VIEW, title="Compare", lead=LEAD, body=body, modules=("tables.js",)
        )

    def run(self, asked: Asked) -> Answer:
        """Give one run as `fanin compare show` does.

        Raises:
            ArgumentError: if there is no such run.
        """
        from fanin.report.comparison.as_html import sections_of

        number = asked.path["run"]
        store = self.store()
        known = {str(r.id): r for r in store.runs()} if store.path.exists() else {}
        if number not in known:
            expected = "the number of a stored run"
            raise ArgumentError.of(
                argument="run", received=number[:40], expected=expected
            )
        found = known[number]
        title = f"Run {found.id}"
        if not found.n_done:
            waiting = '<p class="lead">No trial of this run is over yet.</p>'
            return self.house.page(VIEW, title=title, body=waiting)
        body = "".join(
            f'<section aria-labelledby="{part.link}"><h2 id="{part.link}">'
            f"{inline(part.title)}</h2>{part.body}</section>"
            for part in sections_of(store.load(found.id))
        )
        lead = f'<p class="lead">{inline(_words(found))}</p>'
        return self.house.page(
            VIEW, title=title, lead=lead, body=body, modules=("tables.js",)
        )


def _row(run: Run) -> tuple[object, ...]:
    return (
        Html(f'<a href="/compare/{run.id}">{run.id}</a>'),
        f"{run.created:%Y-%m-%d %H:%M} UTC",
        _what(run),
        f"{run.n_done} of {run.n_trials}",
        run.n_failed,
        run.seconds,
    )


def _what(run: Run) -> str:
    experiment = run.experiment
    return (
        f"{', '.join(experiment.schemes)} with {', '.join(experiment.activations)} on "
        f"{experiment.data}"
    )


def _words(run: Run) -> str:
    state = "All" if run.is_done else "So far"
    failed = f", {run.n_failed} failed" if run.n_failed else ""
    return (
        f"{_what(run)}. {state}: {run.n_done} of {run.n_trials} trials{failed}; begun "
        f"{run.created:%Y-%m-%d %H:%M} UTC."
    )


def routes(house: House) -> Sequence[Route]:
    """Give the list, and a page a run."""
    shelf = Shelf(house=house)
    return (
        Route(path="/compare", handler=shelf.index),
        Route(path="/compare/{run}", handler=shelf.run),
    )


VIEW = View(
    name="compare",
    title="Compare",
    order=4,
    routes=routes,
    assets="fanin.report.findings",
)
