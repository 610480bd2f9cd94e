"""Serves an export for three.js and a copy of three.js to the browser, and renders a square. Skips without either.

A copy: `npm ci --prefix tests/tools`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
import pytest

HERE = Path(__file__).parent
COPY = HERE.parent / "tools" / "node_modules" / "three"
PUBLIC = "cdn.jsdelivr.net"
"""Where an example's import map takes three.js from; nothing is asked of it here."""

RENDER, PAGE = ((HERE / name).read_text() for name in ("three_render.js", "three_page.html"))
TYPES = {".js": "text/javascript", ".html": "text/html", ".bin": "application/octet-stream"}
SIDE = 96
FIELD = np.radians(40)
"""Pixels along a picture's side; the camera's opening angle."""


@dataclass(frozen=True)
class View:
    """A square of 2 x 2 under lights. turn: its Euler angles. camera: a place that looks at its middle.

    uv: factors and offsets of the square's own uv. lights: class of three.js, intensity, position. environment: its
    radiance, the same from everywhere.
    """

    turn: tuple[float, float, float] = (0.3, -0.4, 0.2)
    camera: tuple[float, float, float] = (0.4, 0.9, 2.6)
    uv: tuple[tuple[float, float], tuple[float, float]] = ((0.06, 0.05), (0.2, 0.7))
    lights: tuple[tuple[str, float, tuple[float, float, float]], ...] = ()
    environment: float = 0.0
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """What a view shows where the square is seen, a row a pixel: RGBA, place, `wi` and axes."""

    colour: np.ndarray
    position: np.ndarray
    uv: np.ndarray
    wi: np.ndarray
    frame: np.ndarray
    pixel: np.ndarray

    def local(self, directions: np.ndarray) -> np.ndarray:
        """Unit vectors of the world in the square's frame, `[n, 3]`."""
        return (np.broadcast_to(directions, self.wi.shape) @ self.frame).astype(np.float32)


@dataclass
class Site:
    """A page of a browser at the origin of three.js and of an export's files."""

    page: Any
    folder: Path | None = None

    def visit(self, folder: Path, name: str = "page.html") -> Any:
        """The page, with nothing loaded yet, before the files of that folder."""
        self.folder = folder
        self.page.goto(f"https://localhost/{name}")
        return self.page

    def serve(self, route: Any) -> None:
        """Answers the page's requests, those of three.js from the copy."""
        address = urlparse(route.request.url)
        inside = Path(address.path.lstrip("/"))
        if address.netloc == PUBLIC:
            path = COPY.joinpath(*inside.parts[2:])
        else:
            path = COPY.joinpath(*inside.parts[1:]) if inside.parts[:1] == ("three",) else self.folder / inside
        if path.is_file():
            kind, shared = TYPES.get(path.suffix, "text/plain"), {"Access-Control-Allow-Origin": "*"}
            route.fulfill(body=path.read_bytes(), content_type=kind, headers=shared)
        else:
            found = str(inside) == "page.html"
            route.fulfill(body=PAGE if found else "", content_type="text/html", status=200 if found else 404)


@contextmanager
def site(browser: Any) -> Iterator[Site]:
    """A page of the browser. Skips without three.js."""
    if not (COPY / "build" / "three.webgpu.js").exists():
        pytest.skip(f"no three.js: expected {COPY}, from npm ci --prefix tests/tools")

    opened = Site(browser.new_page(viewport={"width": 96, "height": 96}))
    opened.page.route("**/*", opened.serve)
    try:
        yield opened
    finally:
        opened.page.close()


def render(opened: Site, folder: Path, view: View) -> Picture:
    """The view of an export, by three.js. Skips without WebGPU."""
    found = opened.visit(folder).evaluate(RENDER, {"side": SIDE, **view.__dict__})
    if found is None:
        pytest.skip("the browser has no WebGPU adapter")
    text, eye, square = found
    colour = np.frombuffer(base64.b64decode(text), np.float32).reshape(SIDE, SIDE, 4)[::-1].reshape(-1, 4)
    eye, square = (np.reshape(matrix, (4, 4)).T for matrix in (eye, square))
    pixel = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).reshape(-1, 2)
    clip = (pixel + 0.5) / SIDE * 2 - 1
    rays = np.c_[clip * np.tan(FIELD / 2), -np.ones(len(clip))] @ eye[:3, :3].T
    t, b, n = square[:3, 0], square[:3, 1], square[:3, 2]
    distance = -(eye[:3, 3] @ n) / (rays @ n)
    position = eye[:3, 3] + distance[:, None] * rays
    place = np.c_[position @ t, position @ b]
    seen = (np.abs(place) < 0.98).all(axis=1)
    factors, offsets = np.array(view.uv)
    mirrored = np.sign(factors)
    frame = np.stack([t * mirrored[0], b * mirrored[1], n], axis=1)
    wi = -rays / np.linalg.norm(rays, axis=1, keepdims=True)
    uv = (place / 2 + 0.5) * factors + offsets
    return Picture(
        colour[seen],
        position[seen],
        uv[seen].astype(np.float32),
        (wi[seen] @ frame).astype(np.float32),
        frame,
        pixel[seen],
    )
