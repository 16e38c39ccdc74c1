"""What a view and the server say to each other: records, and no web framework.

A view is a file of `views` that holds a ``VIEW``. It gives routes; a route's handler
takes what was `Asked` and gives an `Answer`, or `Events` that arrive one by one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fanin.lab.guest import Guest

HTML = "text/html; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request, read and checked for size.

    path: the parts that the route names, as text. query: of the address. body: the
    JSON that came with a POST; None with a GET.
    """

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: object = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole response. headers: beyond those that every response has."""

    content: str | bytes
    media: str = HTML
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, value: object, *, status: int = 200) -> Answer:
        """Give a value as JSON; what is no finite number must be text already.

        >>> Answer.of_json({"loss": 2.5}).content
        '{"loss":2.5}'
        """
        text = json.dumps(
            value, allow_nan=False, ensure_ascii=False, separators=(",", ":")
        )
        return cls(content=text, media=JSON, status=status)

    @classmethod
    def of_file(cls, content: str | bytes, *, name: str, media: str) -> Answer:
        """Give a file that the browser saves under that name."""
        disposition = f'attachment; filename="{name}"'
        return cls(
            content=content, media=media, headers={"Content-Disposition": disposition}
        )


@dataclass(frozen=True, kw_only=True)
class Events:
    """A response whose values arrive one by one (Server-Sent Events).

    values: each is sent as JSON as soon as it is there; the last one is followed by an
    event named "end". The iterator is closed when the browser goes away.
    """

    values: Iterator[object]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One address. path: with parts in braces, "/lessons/{case}"."""

    path: str
    handler: Callable[[Asked], Answer | Events]
    method: Literal["GET", "POST"] = "GET"


@dataclass(frozen=True, kw_only=True)
class View:
    """One entry of the navigation.

    name: of its address, "/name", and of its assets, "/static/name/…". title: in the
    navigation. order: its place there, smallest first. routes: made once, when the
    server starts. assets: the package whose files (.js, .css) are served; "" for none.
    """

    name: str
    title: str
    order: int
    routes: Callable[[House], Sequence[Route]]
    assets: str = ""


@dataclass(frozen=True, kw_only=True)
class House:
    """What every view is given. views: all of them, in the navigation's order.

    guest: the model from the command line, or None.
    """

    views: tuple[View, ...] = ()
    guest: Guest | None = None

    def page(
        self,
        view: View,
        *,
        title: str,
        body: str,
        lead: str = "",
        modules: Sequence[str] = (),
        styles: Sequence[str] = (),
    ) -> Answer:
        """Give a page in the lab's frame.

        Args:
            view: the one that is open; marked in the navigation.
            title: of the window and of the one heading of level 1; plain text.
            body: HTML of what stands in <main>, after the heading.
            lead: HTML under the heading.
            modules: files of the view's assets that are loaded as ES modules; another
                view's by its address, "/static/…".
            styles: files of the view's assets that are loaded as stylesheets.
        """
        from fanin.lab.shell import shell

        return Answer(
            content=shell(
                self.views,
                view,
                title=title,
                body=body,
                lead=lead,
                modules=modules,
                styles=styles,
            )
        )
