"""Pictures of references as the page sees them: the same mesh, light and camera, rendered by Mitsuba in passes."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.errors import RenderError
from verdigris.render.emission import area_emitter
from verdigris.render.geometry import mesh
from verdigris.render.pathtrace import as_bsdf
from verdigris.render.scenes import camera
from verdigris.runtime import mitsuba
from verdigris.viewer.environments import ENVIRONMENTS, HALF_MAX
from verdigris.viewer.shapes import SHAPES

MAX_SIDE = 2048
MAX_SPP = 4096
LONGEST_PASS = 16
"""Samples a pixel: a stop waits for the pass that is under way."""


@dataclass(frozen=True)
class View:
    """What is rendered. material: its number. origin, target: the camera's; +y is up. fov_deg: of the shorter side.

    rotation_deg: of the light about the vertical axis. size: width, height in pixels. spp: at the end.
    """

    material: int
    shape: str
    environment: str
    origin: tuple[float, float, float]
    target: tuple[float, float, float]
    fov_deg: float
    rotation_deg: float
    size: tuple[int, int]
    spp: int


def parse_view(query: Mapping[str, str]) -> View:
    """A view from the parameters of an address. Raises RenderError that names the parameter."""
    view = View(
        material=int(_numbers(query, "material", 1)[0]),
        shape=_choice(query, "shape", SHAPES),
        environment=_choice(query, "environment", ENVIRONMENTS),
        origin=_triple(query, "origin"),
        target=_triple(query, "target"),
        fov_deg=_numbers(query, "fov", 1)[0],
        rotation_deg=_numbers(query, "rotation", 1)[0],
        size=(int(_numbers(query, "width", 1)[0]), int(_numbers(query, "height", 1)[0])),
        spp=int(_numbers(query, "spp", 1)[0]),
    )
    if not all(1 <= side <= MAX_SIDE for side in view.size):
        raise RenderError(f"size: expected two sides from 1 to {MAX_SIDE}, got {view.size[0]} x {view.size[1]}")
    if not 1 <= view.spp <= MAX_SPP:
        raise RenderError(f"spp: expected 1 to {MAX_SPP}, got {view.spp}")
    if not 1 <= view.fov_deg < 170:
        raise RenderError(f"fov: expected 1 to 170 degrees, got {view.fov_deg:g}")
    if view.origin == view.target:
        raise RenderError("origin: expected another place than the target's, got the same")
    return view


class References:
    """What the page's assets were baked from: a loader each, None where that is not given.

    All of it happens in one thread: Mitsuba's variant is a thread's own, and two renders at once help nobody.
    """

    def __init__(self, loaders: Sequence[Callable[[], Any] | None]) -> None:
        self._loaders = [None if load is None else functools.cache(load) for load in loaders]
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reference")

    async def start(self, view: View) -> AsyncIterator[bytes]:
        """The `passes` of the view, once there is one. Raises VerdigrisError where nothing can be rendered."""
        load = self._loaders[view.material] if 0 <= view.material < len(self._loaders) else None
        if load is None:
            raise RenderError(f"material: expected one whose source is given, got number {view.material}")
        loop, made = asyncio.get_running_loop(), passes(load, view)
        first = await loop.run_in_executor(self._thread, next, made, None)

        async def pictures() -> AsyncIterator[bytes]:
            picture = first
            try:
                while picture is not None:
                    yield picture
                    picture = await loop.run_in_executor(self._thread, next, made, None)
            finally:
                # The scene is given up where it was made: no other thread has Mitsuba's variant.
                self._thread.submit(made.close)

        return pictures()


def passes(load: Callable[[], Any], view: View) -> Generator[bytes, None, None]:
    """Better and better pictures of a view. load: gives the material.

    Each: samples a pixel, width, height and 0 (u32), then the pixels' RGB as 16-bit floats, row 0 at the top; all
    little-endian. Raises VerdigrisError where the material cannot be loaded.
    """
    scene = reference_scene(load(), view)
    total, done = np.zeros((view.size[1], view.size[0], 3)), 0
    while done < view.spp:
        count = min(max(done, 1), LONGEST_PASS, view.spp - done)
        image = scene.integrator().render(scene, scene.sensors()[0], seed=done, spp=count)
        total += np.array(image)[..., :3] * count
        done += count
        header = np.array([done, *view.size, 0], "<u4").tobytes()
        yield header + np.clip(total / done, 0, HALF_MAX).astype("<f2").tobytes()


def reference_scene(material: Any, view: View, max_depth: int = 8) -> Any:
    """A `mitsuba.Scene` of a view. material: as `verdigris.render.pathtrace.render` takes it."""
    mi = mitsuba()
    bsdf = as_bsdf(material)
    return mi.load_dict(
        {
            "type": "scene",
            "integrator": {"type": "verdigris_path", "max_depth": max_depth},
            "sensor": camera(view.origin, view.target, view.fov_deg, view.size),
            "object": mesh(SHAPES[view.shape].grids(), bsdf, area_emitter(getattr(bsdf, "material", None))),
            "environment": {
                "type": "envmap",
                "bitmap": mi.Bitmap(_image(view.environment)),
                "to_world": mi.ScalarTransform4f().rotate([0, 1, 0], view.rotation_deg),
            },
        }
    )


@functools.cache
def _image(environment: str) -> Array:
    return ENVIRONMENTS[environment].image()


def _choice(query: Mapping[str, str], name: str, known: Mapping[str, Any]) -> str:
    value = query.get(name, "")
    if value not in known:
        raise RenderError(f"{name}: expected one of {', '.join(known)}, got {value[:40]!r}")
    return value


def _numbers(query: Mapping[str, str], name: str, count: int) -> tuple[float, ...]:
    text = query.get(name, "")
    try:
        values = tuple(map(float, text.split(",")))
    except ValueError:
        values = ()
    if len(values) != count or not np.isfinite(values).all():
        raise RenderError(f"{name}: expected {count} finite number{'s' * (count > 1)}, got {text[:40]!r}")
    return values


def _triple(query: Mapping[str, str], name: str) -> tuple[float, float, float]:
    x, y, z = _numbers(query, name, 3)
    return x, y, z
