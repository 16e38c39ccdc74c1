"""Who may ask: this machine's browser, with the token, for what this page offers.

A page on another site can make a browser send requests to 127.0.0.1, or point a name of
its own there (DNS rebinding). So every request must name this host (Host), come from
this page where it says where it comes from (Origin, Sec-Fetch-Site), and carry the
cookie that only the address printed on the terminal gives. A body that is too large is
refused before it is read whole.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Message, Receive, Send], Awaitable[None]]
    Refusal = tuple[HTTPStatus, str]

MOST_BYTES: Final = 64 * 1024
"""Of a request's body: a form's state is below one thousand."""
LONGEST_QUERY: Final = 4096
POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; style-src-attr 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""No script and no stylesheet but this server's own files; a ``style`` attribute, which
can run nothing, is let in for the reports' charts."""
HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
ADMITTED: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<link rel="icon" href="data:,"><meta http-equiv="refresh" content="0;url=/">'
    "<title>fanin lab</title></head>"
    '<body><main><h1>fanin lab</h1><p><a href="/">Open the lab</a></p></main></body>'
    "</html>"
)
"""A page and no redirect: a cookie that is SameSite=Strict is not sent with a redirect
that began on another site, as a click in a terminal on the web does."""


def new_token() -> str:
    """Give 256 random bits as text for an address."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, kw_only=True)
class Guard:
    """An ASGI application around another, that lets in who may ask.

    port: of this server; part of the host's name and of the cookie's, since cookies are
    shared between ports. token: in the first address. session: in the cookie.
    """

    app: App
    port: int
    token: str
    session: str = field(default_factory=new_token, repr=False)

    @property
    def cookie(self) -> str:
        """Give the cookie's name."""
        return f"fanin-lab-{self.port}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Give the names under which this server is asked."""
        return (f"127.0.0.1:{self.port}", f"localhost:{self.port}")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let the request in, or say why not."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = _read(scope)
        refusal = self.refusal(scope["method"], scope["query_string"], headers)
        if refusal is not None:
            await _say(send, *refusal)
        elif self._brings_token(scope):
            await self._admit(send)
        elif not self._brings_cookie(headers):
            words = "Open the address that `fanin lab` printed: it holds the token."
            await _say(send, HTTPStatus.UNAUTHORIZED, words)
        else:
            await self._pass(scope, receive, send)

    def refusal(
        self, method: str, query: bytes, headers: Mapping[str, str]
    ) -> Refusal | None:
        """Give why a request is turned away before anything of it is looked at."""
        if headers.get("host", "") not in self.hosts:
            return HTTPStatus.MISDIRECTED_REQUEST, "This server has another name."
        return _foreign(method, headers, self.hosts) or _oversized(query, headers)

    def _brings_token(self, scope: Message) -> bool:
        if scope["method"] != "GET" or scope["path"] != "/":
            return False
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        return hmac.compare_digest(asked[0].encode(), self.token.encode())

    def _brings_cookie(self, headers: dict[str, str]) -> bool:
        """Look for the cookie by hand: other pages of this machine set odd ones."""
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.cookie:
                return hmac.compare_digest(value.encode(), self.session.encode())
        return False

    async def _admit(self, send: Send) -> None:
        """Give the cookie, and a page that leads on without the token."""
        cookie = f"{self.cookie}={self.session}; Path=/; HttpOnly; SameSite=Strict"
        extra = ((b"set-cookie", cookie.encode()), (b"content-type", b"text/html"))
        await _respond(send, HTTPStatus.OK, ADMITTED, extra)

    async def _pass(self, scope: Message, receive: Receive, send: Send) -> None:
        """Hand the request on; count its body, and add the headers."""
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MOST_BYTES:  # it said less, or nothing, of its length
                return {"type": "http.disconnect"}
            return message

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = {name.lower() for name, _ in message["headers"]}
                more = [pair for pair in HEADERS if pair[0] not in named]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self.app(scope, counted, dressed)


def _foreign(
    method: str, headers: Mapping[str, str], hosts: Sequence[str]
) -> Refusal | None:
    """Give why a request does not come from this page, as far as it says so."""
    origin = headers.get("origin")
    if origin is None and method not in {"GET", "HEAD"}:
        return HTTPStatus.FORBIDDEN, "A request that changes something says Origin."
    if origin is not None and origin not in {f"http://{host}" for host in hosts}:
        return HTTPStatus.FORBIDDEN, "The request comes from another page."
    site = headers.get("sec-fetch-site", "none")
    is_opened = headers.get("sec-fetch-mode") == "navigate" and method == "GET"
    if site not in {"same-origin", "none"} and not is_opened:
        return HTTPStatus.FORBIDDEN, "The request comes from another site."
    return None


def _oversized(query: bytes, headers: Mapping[str, str]) -> Refusal | None:
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        words = f"The body may hold {MOST_BYTES} bytes."
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words
    if len(query) > LONGEST_QUERY:
        return HTTPStatus.REQUEST_URI_TOO_LONG, "The address is too long."
    return None


def _read(scope: Message) -> dict[str, str]:
    """Give the headers by name; of one sent twice, both, so that neither is trusted."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}; {text}" if key in found else text
    return found


async def _say(send: Send, status: HTTPStatus, words: str) -> None:
    await _respond(send, status, words, ((b"content-type", b"text/plain"),))


async def _respond(
    send: Send, status: HTTPStatus, text: str, extra: tuple[tuple[bytes, bytes], ...]
) -> None:
    start = {"status": int(status), "headers": [*HEADERS, *extra]}
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": text.encode()})
