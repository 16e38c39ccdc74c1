"""Run the lab on a free port of this machine until somebody ends it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError, MissingDependencyError
from fanin.lab.seam import House
from fanin.lab.server.app import guarded
from fanin.lab.server.guard import new_token
from fanin.lab.server.threads import one_thread_a_product
from fanin.lab.views import find_views

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn import Server

    from fanin.lab.guest import Guest

HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A server that listens and does not answer yet. url: with its token."""

    server: Server
    listener: socket.socket
    url: str

    def run(self, *, on_start: Callable[[], None] | None = None) -> None:
        """Serve until the process is interrupted, or ``server.should_exit`` is set.

        Args:
            on_start: called once, when a browser may ask.
        """
        try:
            with one_thread_a_product():
                if on_start is not None:
                    on_start()
                self.server.run(sockets=[self.listener])
        finally:
            self.listener.close()


def prepare(
    guest: Guest | None = None, *, port: int = 0, token: str | None = None
) -> Place:
    """Bind to 127.0.0.1 and build the application.

    Args:
        guest: the model for the view "My model", or None.
        port: 0 for a free one.
        token: None for a random one.

    Raises:
        MissingDependencyError: if Starlette or uvicorn is not installed.
        ArgumentError: if the port is taken, or no port.
    """
    try:
        import uvicorn
    except ImportError as missing:
        raise MissingDependencyError.of(
            package="uvicorn", purpose="fanin lab", extra="web"
        ) from missing
    token = new_token() if token is None else token
    listener = _listener(port)
    port = int(listener.getsockname()[1])
    house, ending = House(views=find_views(), guest=guest), Event()
    try:
        app = guarded(house, port=port, token=token, is_ending=ending.is_set)
    except BaseException:
        listener.close()
        raise
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody stands between
        timeout_graceful_shutdown=5,
        limit_concurrency=64,
    )
    url = f"http://{HOST}:{port}/?token={token}"
    server = _server_class(ending)(config)
    return Place(server=server, listener=listener, url=url)


def _server_class(ending: Event) -> type[Server]:
    """Give uvicorn's server, changed to say at once that it is being ended."""
    import uvicorn

    class EndingServer(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            ending.set()
            await super().shutdown(sockets)

    return EndingServer


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()  # who asks before the server runs waits, and is not refused
    except (OSError, OverflowError) as error:
        listener.close()
        expected = f"a free port of this machine, or 0 ({error})"
        raise ArgumentError.of(
            argument="port", received=port, expected=expected
        ) from error
    return listener
