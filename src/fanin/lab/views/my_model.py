"""The reader's own model: the signal through it, its units, and what a check finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fanin.lab.checkup import Checkup
from fanin.lab.seam import Answer, Asked, Route, View
from fanin.report.page import inline, notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.lab.seam import House
    from fanin.rules import Report

AT_ONCE: Final = 0.5
"""Seconds that the page itself waits for a check that is nearly done."""
PATIENCE: Final = 2.0
"""Seconds after which the page's module asks again; Ctrl-C waits no longer."""
HOW: Final = (
    '<p class="lead">No model was named when the lab was started.</p>'
    "<p>The browser cannot name one: it would run code. Start the lab with it:</p>"
    "<pre>fanin lab pkg.module:make --input 64x784\n"
    "fanin lab net.py:make --input digits.npz --loss cross_entropy</pre>"
    "<p>What may stand there is what <code>fanin check</code> takes. The model is run "
    "once forwards and backwards, and not changed.</p>"
)
WAITING: Final = (
    '<p class="lead" role="status" id="waiting">The check is running; this page '
    "shows it when it is done.</p>"
    '<noscript><p><a href="/model">Look again</a></p></noscript>'
)


@dataclass(frozen=True, kw_only=True)
class Room:
    """The handlers, around the one check. checkup: None where there is no model."""

    house: House
    checkup: Checkup | None = None

    def page(self, _: Asked) -> Answer:
        """Give the report, or say that it is on its way, or how to bring a model."""
        if self.checkup is None:
            return self.house.page(VIEW, title="My model", body=HOW)
        name = self.checkup.guest.name
        if not self.checkup.wait(AT_ONCE):
            module = ("/static/lab/waiting.js",)
            return self.house.page(VIEW, title=name, body=WAITING, modules=module)
        if self.checkup.report is None:
            wrong = notice("bad", self.checkup.error)
            return self.house.page(VIEW, title=name, body=wrong)
        return self._shown(name, self.checkup.report)

    def done(self, _: Asked) -> Answer:
        """Wait a while for the check; say whether it is done."""
        is_done = self.checkup is None or self.checkup.wait(PATIENCE)
        return Answer.of_json({"is_done": is_done})

    def _shown(self, name: str, report: Report) -> Answer:
        from fanin.report.findings.as_html import lead_of, sections_of

        sections = sections_of(report)
        links = "".join(
            f'<li><a href="#{part.link}">{inline(part.title)}</a></li>'
            for part in sections
        )
        contents = f'<nav aria-label="Contents"><ul>{links}</ul></nav>'
        body = "".join(
            f'<section aria-labelledby="{part.link}"><h2 id="{part.link}">'
            f"{inline(part.title)}</h2>{part.body}</section>"
            for part in sections
        )
        return self.house.page(
            VIEW,
            title=name,
            lead=lead_of(report) + contents,
            body=body,
            modules=("tables.js",),
        )


def routes(house: House) -> Sequence[Route]:
    """Give the page, and where its module waits."""
    checkup = None if house.guest is None else Checkup(guest=house.guest)
    room = Room(house=house, checkup=checkup)
    return (
        Route(path="/model", handler=room.page),
        Route(path="/model/done", handler=room.done),
    )


VIEW = View(
    name="model",
    title="My model",
    order=3,
    routes=routes,
    assets="fanin.report.findings",
)
