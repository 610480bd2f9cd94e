"""Runs the viewer's server on this machine alone, until it is interrupted."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable

import uvicorn

from verdigris.errors import RenderError
from verdigris.viewer.guard import new_token
from verdigris.viewer.server import Server

LOOPBACK = "127.0.0.1"
GRACE_SECONDS = 2


def serve(server: Server, port: int, announce: Callable[[str], None], open_browser: bool) -> None:
    """Serves the page until the process is interrupted.

    port: 0 for a free one. announce: called with the page's address once it can be opened. Raises RenderError where the
    port is taken.
    """
    listener = listen(port)
    token, bound = new_token(), listener.getsockname()[1]
    address = f"http://{LOOPBACK}:{bound}/{token}/"
    config = uvicorn.Config(
        server.app(token, bound),
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            announce(address)
            if open_browser:
                webbrowser.open(address)

    try:
        Announcing(config).run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # the way to stop it
    finally:
        listener.close()


def listen(port: int) -> socket.socket:
    """A socket of this machine alone, not yet listening; port 0: a free one. Raises RenderError where it is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise RenderError(f"--port: {port} cannot be used: {getattr(error, 'strerror', None) or error}") from error
    return listener
