"""Renders a material in a scene, in passes, and finds the pixels it covers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.errors import RenderError
from verdigris.model.neural import NeuralMaterial
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.plugin import make_bsdf, register
from verdigris.render.scenes import build_scene
from verdigris.runtime import mitsuba

SAMPLES_A_PASS = 1 << 20
"""Samples traced at once: bounds the memory of a render, and paces its progress."""

MAX_SPP = 1 << 20
COVERAGE_SPP = 16

Progress = Callable[[int, int], None]
"""Called after each pass with (samples per pixel done, samples per pixel asked for)."""


def render(
    material: Any,
    scene: str | Path = "sphere",
    size: tuple[int, int] = (512, 512),
    spp: int = 64,
    seed: int = 0,
    on_progress: Progress | None = None,
    level: float | None = None,
    box_filter: bool = False,
) -> Array:
    """Path-traces a material, `[height, width, 3]` linear RGB float32.

    material: a NeuralMaterial, anything with the traced trio (`verdigris.render.plugin.DrjitBsdf`, such as a
    ReferenceMaterial), a `mitsuba.BSDF`, or a dict that describes one. scene: as in `scenes.build_scene`.
    size: width, height. level: of detail, for a NeuralMaterial; None: that of each hit's footprint. box_filter: as
    `build_scene` has it. Equal arguments
    give equal images up to rounding. Raises RenderError for a wrong argument.
    """
    if not 1 <= spp <= MAX_SPP:
        raise RenderError(f"spp: expected 1 to {MAX_SPP}, got {spp}")
    loaded = build_scene(scene, as_bsdf(material, level), size, box_filter)
    return render_scene(loaded, size, spp, seed, on_progress)


def as_bsdf(material: Any, level: float | None = None) -> Any:
    """The material as a `mitsuba.BSDF`; kinds and level as in `render`. Raises RenderError for anything else."""
    mi = mitsuba()
    register()
    if isinstance(material, NeuralMaterial):
        if level is not None and not 0 <= level < float("inf"):
            raise RenderError(f"level: expected 0 or more, got {level:g}")
        return make_bsdf(DrjitMaterial(material, level))
    if level is not None:
        raise RenderError(f"level: expected none for a {type(material).__name__}, which has no levels, got {level}")
    if isinstance(material, mi.BSDF):
        return material
    if isinstance(material, dict):
        return mi.load_dict(material)
    if hasattr(material, "eval_dr"):
        return make_bsdf(material)
    raise RenderError(f"material: expected a neural material, a reference or a BSDF, got {type(material).__name__}")


def render_scene(
    scene: Any, size: tuple[int, int], spp: int, seed: int = 0, on_progress: Progress | None = None
) -> Array:
    """As `render`, for a loaded `mitsuba.Scene` whose film has that size."""
    a_pass = max(1, min(spp, SAMPLES_A_PASS // (size[0] * size[1])))
    total = np.zeros((size[1], size[0], 3))
    seeds = np.random.SeedSequence(seed).generate_state(-(-spp // a_pass))
    done = 0
    for pass_seed in seeds:
        count = min(a_pass, spp - done)
        image = scene.integrator().render(scene, scene.sensors()[0], seed=int(pass_seed), spp=count)
        total += np.array(image)[..., :3] * count
        done += count
        if on_progress is not None:
            on_progress(done, spp)
    return (total / spp).astype(np.float32)


def coverage(scene: str | Path = "sphere", size: tuple[int, int] = (512, 512)) -> np.ndarray:
    """Pixels that the material covers to at least a half, `[height, width]` of bool.

    Whatever wraps the material in a scene file, what it covers is what changes with its albedo.
    """
    mi = mitsuba()
    albedos = []
    for reflectance in (0.0, 1.0):
        bsdf = mi.load_dict({"type": "diffuse", "reflectance": {"type": "rgb", "value": reflectance}})
        loaded = build_scene(scene, bsdf, size)
        integrator = mi.load_dict({"type": "aov", "aovs": "albedo:albedo"})
        image = np.array(integrator.render(loaded, loaded.sensors()[0], seed=0, spp=COVERAGE_SPP))
        albedos.append(image[..., -3:].mean(axis=-1))
    return (albedos[1] - albedos[0]) >= 0.5
