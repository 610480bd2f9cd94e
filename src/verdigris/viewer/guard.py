"""Who may ask the viewer's server for anything: a page of its own, opened by the address that was printed."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def new_token() -> str:
    """The secret part of the page's address."""
    return secrets.token_urlsafe(24)


class Guard:
    """Refuses what comes from elsewhere, and lets the rest see the path behind the token.

    A request must name this host (against DNS rebinding), come from this origin where it says so, and begin with the
    token. All that is refused gets one answer, which tells nothing.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app, self._prefix = app, f"/{token}"
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request of ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        if scope["type"] != "http" or not self._admits(Request(scope)):
            await PlainTextResponse("not found", 404)(scope, receive, with_headers)
            return
        inner = {**scope, "path": scope["path"][len(self._prefix) :], "raw_path": b""}
        await self._app(inner, receive, with_headers)

    def _admits(self, request: Request) -> bool:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if host not in self._hosts or origin not in (None, f"http://{host}"):
            return False
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return False
        start = request.url.path[: len(self._prefix) + 1]
        return secrets.compare_digest(start.encode(), f"{self._prefix}/".encode())
