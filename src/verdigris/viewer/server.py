"""The viewer's server: the page's files, pictures of references, and baked materials that are dropped on the page."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from verdigris.asset.read import load
from verdigris.errors import VerdigrisError
from verdigris.viewer.guard import Guard
from verdigris.viewer.reference import References, parse_view
from verdigris.viewer.site import Resource, Site, entry_of

PIECE = 1 << 20
"""Bytes that are sent at once."""

MAX_UPLOAD = 1 << 30


class Server:
    """The routes of one page."""

    def __init__(self, site: Site, references: References) -> None:
        self.site, self._references = site, references

    def app(self, token: str, port: int) -> Guard:
        """The application, behind its guard."""
        routes = [
            Route("/reference", self.reference, methods=["GET"]),
            Route("/materials", self.add, methods=["POST"]),
            Route("/{path:path}", self.file, methods=["GET"]),
        ]
        return Guard(Starlette(routes=routes), token, port)

    async def file(self, request: Request) -> Response:
        """A file of the page."""
        resource = self.site.find(request.path_params["path"] or "index.html")
        if resource is None:
            return PlainTextResponse("not found", 404)
        return await _streamed(resource)

    async def reference(self, request: Request) -> Response:
        """A picture of the reference, and better ones until it has all its samples or nobody listens."""
        try:
            view = parse_view(request.query_params)
            pictures = await self._references.start(view)
        except VerdigrisError as error:
            return PlainTextResponse(str(error), 400)
        return StreamingResponse(pictures, media_type="application/octet-stream")

    async def add(self, request: Request) -> Response:
        """A `.vdg` file that was dropped on the page: checked, and then one more material."""
        name = Path(request.query_params.get("name", "")).stem[:80] or "material"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "dropped.vdg"
            with path.open("wb") as stream:
                async for piece in request.stream():
                    stream.write(piece)
                    if stream.tell() > MAX_UPLOAD:
                        return PlainTextResponse(f"{name}: expected up to {MAX_UPLOAD} bytes, got more", 413)
            try:
                material = await run_in_threadpool(load, path)
            except VerdigrisError as error:
                return PlainTextResponse(str(error).replace(str(path), f"{name}.vdg"), 422)
            return JSONResponse(self.site.add(entry_of(material, name, path.stat().st_size)))


async def _streamed(resource: Resource) -> Response:
    content = memoryview(await run_in_threadpool(resource.read))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), PIECE):
            yield bytes(content[start : start + PIECE])

    length = {"content-length": str(len(content))}
    return StreamingResponse(pieces(), media_type=resource.content_type, headers=length)
