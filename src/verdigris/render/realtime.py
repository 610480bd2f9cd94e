"""The real-time loop: frame after frame of one scene while the camera moves, traced once and then only replayed.

All that changes between frames, the camera and the seed, is data of the kernels and no number in their code, so nothing
is compiled after the first frame. From the third on nothing is traced in Python either: the frame is a frozen function.
An integrator that sorts has a frozen bounce instead, the same for all bounces of a frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.errors import RenderError
from verdigris.render.aov import AOVS, as_samples, shapes_with, trace_aovs
from verdigris.render.denoise import denoise, library
from verdigris.render.frame_times import FrameTimes, Kernels, resident_mib
from verdigris.render.guided import guide_names
from verdigris.render.pathtrace import MAX_SPP, as_bsdf
from verdigris.render.scenes import build_scene
from verdigris.runtime import mitsuba

MAX_FRAMES = 1_000_000
SETTLING = 4
"""Frames until a frozen function records no more: Dr.Jit first learns which numbers change."""

OnFrame = Callable[[int, Array], None]
"""Called after each frame with its number and the picture."""


class RealtimeLoop:
    """Frames of a `mitsuba.Scene`, one call each.

    ```python
    loop = RealtimeLoop(mi.load_file("scene.xml"))
    picture = loop.frame(camera_to_world)
    ```

    The camera is the scene's first sensor. While it stands still, frames are averaged.
    """

    def __init__(self, scene: Any, spp: int = 1, seed: int = 0, guided: Any = None) -> None:
        """spp: samples a pixel and frame. guided: a BSDF of ours; frames are then denoised, guided by its material.
        The film's filter should then be a box: see `build_scene`.

        Raises RenderError for a wrong `spp`, RuntimeMissing where frames shall be denoised and there is no `pyoidn`.
        """
        if not 1 <= spp <= MAX_SPP:
            raise RenderError(f"spp: expected 1 to {MAX_SPP}, got {spp}")
        self._mi, self._dr = mitsuba(), import_module("drjit")
        self._scene, self._spp, self._seed = scene, spp, seed
        self._camera = self._mi.traverse(scene.sensors()[0])
        self._guided = guided
        self._guides = guide_names(getattr(guided, "material", None))
        if guided is not None:
            library()
        self._sorts = getattr(scene.integrator(), "sorts", False)
        self._frame: Any = self._traced() if self._sorts else self._dr.freeze(self._traced(), auto_opaque=False)
        self._total: Array = np.zeros(1)
        self._count = 0
        self.frames = 0
        """Frames so far."""

    @property
    def recordings(self) -> int:
        """How often the frame, or its bounce, was traced; it stays as it is once the loop has settled."""
        return self._scene.integrator().recordings if self._sorts else self._frame.n_recordings

    @property
    def camera(self) -> Array:
        """The camera's place, `[4, 4]`, camera to world."""
        return _matrix(self._camera["to_world"])

    def frame(self, camera: Array | None = None) -> Array:
        """The next frame, `[height, width, 3]` linear RGB float32.

        camera: `[4, 4]`, camera to world, for this frame and those after it. None: it stays where it is, and the answer
        is the mean of all frames since it moved.
        """
        mi, dr = self._mi, self._dr
        if camera is not None:
            self._camera["to_world"] = mi.Transform4f(mi.Matrix4f(np.asarray(camera, np.float32)))
            self._camera.update()
            self._count = 0
        image, guides = self._frame(self._scene, dr.opaque(mi.UInt32, (self._seed + self.frames) & 0xFFFFFFFF))
        self.frames += 1
        picture = self._averaged([np.array(image)[..., :3], *self._as_pictures(guides, image.shape[:2])])
        return picture[0] if self._guided is None else denoise(*picture)

    def _traced(self) -> Callable[[Any, Any], tuple[Any, list[Any]]]:
        """One frame and its guides, as a function of what may change."""
        spp, names, guided = self._spp, self._guides, self._guided
        shown = [] if guided is None else shapes_with(self._scene, guided)

        def traced(scene: Any, seed: Any) -> tuple[Any, list[Any]]:
            sensor = scene.sensors()[0]
            image = scene.integrator().render(scene, sensor, seed=seed, spp=spp)
            width, height = (int(side) for side in sensor.film().crop_size())
            found = trace_aovs(guided.material, names, scene, shown, (width, height), 1, seed) if names else ()
            return image, [value for _, value in found]

        return traced

    def _as_pictures(self, guides: list[Any], shape: tuple[int, int]) -> list[Array]:
        return [
            as_samples(value, name).reshape(*shape, AOVS[name])
            for value, name in zip(guides, self._guides, strict=True)
        ]

    def _averaged(self, pictures: list[Array]) -> Array:
        """The mean of the pictures since the camera moved, `[pictures, height, width, 3]`."""
        stacked = np.stack(pictures)
        self._total = self._total + stacked if self._count else stacked
        self._count += 1
        return self._total / np.float32(self._count)


def realtime(
    material: Any,
    scene: str | Path = "sphere",
    size: tuple[int, int] = (512, 512),
    frames: int = 300,
    spp: int = 1,
    seed: int = 0,
    turn_deg: float = 1.0,
    hold: int = 1,
    denoised: bool = False,
    level: float | None = None,
    on_frame: OnFrame | None = None,
) -> FrameTimes:
    """Runs the loop on a material in a scene, the camera going around it, and tells how long frames take.

    material, scene, size, level: as `verdigris.render.pathtrace.render` takes them. turn_deg: how far the camera goes a
    step, around the upright axis through the middle of what the material covers. hold: frames between steps, over which
    the picture is averaged. denoised: by Open Image Denoise, guided where the material has guides.
    A frame's time is from the camera's step to the picture in memory. Those before the loop has settled, which compile,
    are counted in `first_frame_s` alone.
    Raises RenderError for a wrong argument, RuntimeMissing without `pyoidn` where it is needed.
    """
    for name, value in (("frames", frames), ("hold", hold)):
        if not 1 <= value <= MAX_FRAMES:
            raise RenderError(f"{name}: expected 1 to {MAX_FRAMES}, got {value}")
    if not np.isfinite(turn_deg):
        raise RenderError(f"turn_deg: expected a number, got {turn_deg}")
    bsdf = as_bsdf(material, level)
    loaded = build_scene(scene, bsdf, size, box_filter=denoised)
    loop = RealtimeLoop(loaded, spp, seed, bsdf if denoised else None)
    place = turntable(loop.camera, shapes_with(loaded, bsdf))
    with Kernels() as kernels:
        started = time.perf_counter()
        for _ in range(SETTLING):
            loop.frame(place(0.0))
        first_frame_s, before, recorded = time.perf_counter() - started, resident_mib(), loop.recordings
        kernels.clear()
        milliseconds = np.empty(frames)
        for number in range(frames):
            camera = place(np.radians(turn_deg) * (number // hold)) if number % hold == 0 else None
            started = time.perf_counter()
            picture = loop.frame(camera)
            milliseconds[number] = 1e3 * (time.perf_counter() - started)
            kernels.count()
            if on_frame is not None:
                on_frame(number, picture)
    return FrameTimes(
        size=size,
        spp=spp,
        denoised=denoised,
        milliseconds=milliseconds,
        first_frame_s=first_frame_s,
        memory_mib=(before, resident_mib()),
        launches=kernels.launched / frames,
        compiled=kernels.compiled,
        recordings=loop.recordings - recorded,
    )


def turntable(camera: Array, shapes: list[Any]) -> Callable[[float], Array]:
    """Places of a camera that goes around shapes, by the angle in radians: `[4, 4]`, camera to world.

    camera: its place at angle 0. The axis is the world axis that comes closest to the camera's upright.
    """
    low = np.min([np.ravel(shape.bbox().min) for shape in shapes], axis=0)
    high = np.max([np.ravel(shape.bbox().max) for shape in shapes], axis=0)
    middle = (low + high) / 2
    up = int(np.argmax(np.abs(camera[:3, 1])))
    first, second = (up + 1) % 3, (up + 2) % 3

    def place(angle: float) -> Array:
        turn = np.eye(4)
        turn[[first, second], [first, second]] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        turn[:3, 3] = middle - turn[:3, :3] @ middle
        return turn @ camera

    return place


def _matrix(transform: Any) -> Array:
    return np.array(transform.matrix, dtype=np.float64).reshape(4, 4)
