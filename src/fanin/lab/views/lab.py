"""The lab's own view: a net, what its weights are drawn from, and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.lab.seam import Answer, Asked, Route, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.lab.seam import House


def routes(house: House) -> Sequence[Route]:
    """Give the page."""

    def page(_: Asked) -> Answer:
        return house.page(VIEW, title="Lab", body="")

    return (Route(path="/lab", handler=page),)


VIEW = View(name="lab", title="Lab", order=2, routes=routes, assets="fanin.lab.static")
