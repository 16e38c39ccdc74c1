"""The views' routes as a Starlette application, behind the guard."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from fanin.errors import FaninError, MissingDependencyError
from fanin.lab.seam import Answer, Asked, Events
from fanin.lab.server.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from fanin.lab.seam import House, Route

    Endpoint = Callable[[Request], Awaitable[Response]]

MEDIA: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
"""What is served as a file, by suffix; nothing else of a package is."""
SHARED: Final = (("fanin.report", "page.css"), ("fanin.lab.static", "lab.css"))
ICON: Final = ("fanin.lab.static", "icon.svg")
LOG: Final = logging.getLogger("fanin.lab")


def never() -> bool:
    """Say that the server goes on."""
    return False


def guarded(
    house: House, *, port: int, token: str, is_ending: Callable[[], bool] = never
) -> Guard:
    """Give the whole application: the guard around the views.

    Args:
        house: the views and what they show.
        port: of this server.
        token: that lets a browser in.
        is_ending: whether the server is being ended, so that what streams stops.

    Raises:
        MissingDependencyError: if Starlette is not installed.
    """
    return Guard(app=application(house, is_ending), port=port, token=token)


def application(house: House, is_ending: Callable[[], bool] = never) -> Starlette:
    """Give the views' routes as a Starlette application, without the guard.

    Args and errors as `guarded`.
    """
    try:
        from starlette.applications import Starlette
        from starlette.responses import RedirectResponse
        from starlette.routing import Route as Address
    except ImportError as missing:
        raise MissingDependencyError.of(
            package="starlette", purpose="fanin lab", extra="web"
        ) from missing

    async def start(_: Request) -> Response:
        return RedirectResponse(f"/{house.views[0].name}", status_code=303)

    addresses = [Address("/", start)]
    addresses += [Address(path, _served(answer)) for path, answer in _assets(house)]
    for view in house.views:
        addresses += [
            Address(route.path, _endpoint(route, is_ending), methods=[route.method])
            for route in view.routes(house)
        ]
    return Starlette(routes=addresses)


def _assets(house: House) -> Iterator[tuple[str, Answer]]:
    """Give every file that is served, by its address; read once, when it starts."""
    for package, name in (*SHARED, ICON):
        yield f"/static/{name}", _asset(package, name)
    for view in house.views:
        if not view.assets:
            continue
        for each in files(view.assets).iterdir():
            if any(each.name.endswith(suffix) for suffix in MEDIA):
                yield f"/static/{view.name}/{each.name}", _asset(view.assets, each.name)


def _asset(package: str, name: str) -> Answer:
    content = files(package).joinpath(name).read_bytes()
    suffix = name[name.rindex(".") :]
    return Answer(content=content, media=f"{MEDIA[suffix]}; charset=utf-8")


def _served(answer: Answer) -> Endpoint:
    async def endpoint(_: Request) -> Response:
        return _response(answer)

    return endpoint


def _endpoint(route: Route, is_ending: Callable[[], bool]) -> Endpoint:
    """Give what Starlette calls: the handler, in a thread of its own."""

    async def endpoint(request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        asked = Asked(path=dict(request.path_params), query=dict(request.query_params))
        try:
            if route.method == "POST":
                asked = replace(asked, body=json.loads(await request.body()))
            answer = await run_in_threadpool(route.handler, asked)
        except FaninError as error:
            answer = Answer.of_json({"error": str(error)}, status=422)
        except ValueError:
            if asked.body is not None or route.method == "GET":
                raise
            answer = Answer.of_json({"error": "The body is no JSON."}, status=400)
        if isinstance(answer, Events):
            return _stream(answer, is_ending)
        return _response(answer)

    return endpoint


def _response(answer: Answer) -> Response:
    from starlette.responses import Response

    return Response(
        answer.content,
        status_code=answer.status,
        media_type=answer.media,
        headers=dict(answer.headers),
    )


def _stream(events: Events, is_ending: Callable[[], bool]) -> Response:
    from starlette.responses import StreamingResponse

    lines = _lines(events, is_ending)
    return StreamingResponse(lines, media_type="text/event-stream")


def _lines(events: Events, is_ending: Callable[[], bool]) -> Iterator[str]:
    """Write each value as one event; an error of fanin's ends the stream in words."""
    try:
        for value in events.values:
            text = json.dumps(value, allow_nan=False, separators=(",", ":"))
            yield f"data: {text}\n\n"
            if is_ending():
                break
    except FaninError as error:
        yield f"event: failed\ndata: {json.dumps(str(error))}\n\n"
    yield "event: end\ndata: {}\n\n"
