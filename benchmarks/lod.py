"""Measures the level of detail of baked materials in renders. Prints JSON; writes pictures into `--out`.

    .venv/bin/python benchmarks/lod.py ../shared/materials --out out/lod --only ceramic_teapot M_King_B

A plane to the horizon, whose texture is so fine that a pixel of the nearest row is 1, 4, 16 or 64 texels wide, and a
sphere so far away that one in its middle is. Both under a sun, whose light is sampled without noise. Three pictures of
many samples each: the reference, level 0, which shows what the bake itself lacks, and the levels that footprints ask
for. `flip_levels` is the error of these against the reference, `flip_level0` that of level 0, `flip_between` that of
the one against the other: what levels alone add. `noise` is relMSE of one sample a pixel against level 0 with many;
`ratio` is that of level 0 over that of levels, and `floor` what the coarsest level keeps of it: edges, and light that
changes over a pixel. `ratio_of_textures` is the ratio of what is above that, none where levels are not. All take
equally many samples; `cost` says how much longer one with levels takes. `rows`: the plane's, one by one,
from the horizon.
`lod_motion.py` is the fly-over, `lod_lobes.py` the width of highlights, `lod_grazing.py` the light at grazing views.
Assets are taken from `--out`, NAME.PRESET.vdg, and baked where they are not there, as in `bake_quality.py`. Pictures
are kept there too: a run that was stopped goes on. References are layered as their bakes learned them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lod_grazing
import lod_lobes
import lod_motion
import numpy as np
from bake_quality import bake, subjects

import verdigris
from verdigris.model import NeuralMaterial
from verdigris.render.image import read_image, tonemap, write_image, write_png
from verdigris.render.metrics import flip_ldr, relative_mse
from verdigris.render.pathtrace import as_bsdf, coverage, render_scene
from verdigris.render.picture import panels
from verdigris.render.scenes import STAGES, build_scene
from verdigris.runtime import mitsuba

TEXELS = (1, 4, 16, 64)
"""Texels of level 0 that a pixel is wide."""
PLANE, SPHERE = "horizon@sun", "sphere@sun"
ROWS_BELOW_HORIZON = 2
SIZE = (192, 144)
ROWS = (25, 31, 41, 57, 73, 89, 137)
"""Of the plane that are looked at one by one."""
SAMPLES = 1 << 23
"""Of a picture with many samples a pixel, over all pixels."""
PER_LEVELS = 4
"""A picture with levels needs so many times fewer of them."""
NOISY_SEEDS = 4
Measured = dict[str, Any]


@dataclass(frozen=True)
class View:
    """A scene, the picture's size, how many times finer the texture is than the scene's, and the pixels to count."""

    scene: str
    size: tuple[int, int]
    repeat: float
    mask: np.ndarray


def main() -> None:
    """Runs what is not done yet, and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("documents", type=Path, help="folder of the shared documents")
    parser.add_argument("--out", type=Path, required=True, help="folder for assets and pictures")
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of all bakes")
    parser.add_argument("--only", nargs="+", default=["ceramic_teapot", "M_King_B"], metavar="NAME")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    known, found = subjects(options.documents), {}
    for name in options.only:
        asset = options.out / f"{name}.{options.preset}.vdg"
        if not asset.is_file():
            bake(*known[name], asset, options)
        found[name] = measured(options.out, name, verdigris.load(asset), known[name])
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
    print(json.dumps({"cost_without_neural": cost_without_neural(), "materials": found}, indent=1))


def measured(out: Path, name: str, neural: NeuralMaterial, source: tuple[str, str]) -> Measured:
    """All that is measured of one material."""
    layering = neural.metadata.source.get("layering")
    reference = verdigris.load_reference(*source, layering=None if layering is None else str(layering))
    side, result = len(neural.latents[0]), Measured(plane=[], sphere=[])
    for texels in TEXELS:
        ball = (side_of_sphere(side, texels),) * 2
        for key, view in (
            ("plane", View(PLANE, SIZE, texels / nearest_texels(side), ground())),
            ("sphere", View(SPHERE, ball, 1.0, coverage(SPHERE, ball))),
        ):
            shown = pictures(out, name, neural, reference, view)
            found = {"texels": texels, "side": view.size[0], **errors(shown, view.mask)}
            by_rows = {"rows": rows(shown)} if key == "plane" else {}
            result[key].append({**found, **by_rows, "noise": noise(neural, shown["level0"], view)})
            write_png(out / f"{name}.{key}.{texels}.png", beside(shown))
    result["cost"] = cost(neural)
    result["lobes"] = lod_lobes.measured(out, name, neural, reference)
    result["grazing"] = lod_grazing.measured(neural, reference)
    result["motion"] = lod_motion.measured(out, name, neural)
    return result


def slopes() -> np.ndarray:
    """How far the ray of each row of the plane's picture falls, for a length of 1 along the camera's axis."""
    stage, height = STAGES["horizon"], SIZE[1]
    pitch = np.arctan2(stage.origin[1] - stage.target[1], stage.origin[2] - stage.target[2])
    return np.sin(pitch) + np.cos(pitch) * (np.arange(height) + 0.5 - height / 2) * pixel_of("horizon", height)


def pixel_of(name: str, height: int) -> float:
    """Width of a pixel, for a length of 1 along the camera's axis."""
    return 2 * np.tan(np.radians(STAGES[name].fov_deg / 2)) / height


def ground() -> np.ndarray:
    """The pixels of the plane, but for the rows at the horizon, which the picture's filter mixes with the sky."""
    rows = slopes() > ROWS_BELOW_HORIZON * pixel_of("horizon", SIZE[1])
    return np.repeat(rows[:, None], SIZE[0], axis=1)


def nearest_texels(side: int) -> float:
    """Texels of a texture of `side`, 2 long on the plane, that a pixel of the nearest row is wide."""
    return STAGES["horizon"].origin[1] / slopes()[-1] * pixel_of("horizon", SIZE[1]) * side / 2


def side_of_sphere(side: int, texels: int) -> int:
    """Side of a picture of the sphere in whose middle a pixel is that many texels wide."""
    # Half around the sphere, pi, lies one texture; its nearest point is its radius, 1, nearer than its middle.
    distance = STAGES["sphere"].origin[2] - 1
    return round(side / np.pi / texels * pixel_of("sphere", 1) * distance)


def shown_in(view: View, material: Any, spp: int, seed: int, level: float | None = None) -> np.ndarray:
    """A picture of a view."""
    mi = mitsuba()
    scene = build_scene(view.scene, as_bsdf(material, level), view.size)
    if view.repeat != 1:
        parameters = mi.traverse(scene)
        key = next(key for key in parameters.keys() if key.endswith("vertex_texcoords"))
        parameters[key] = parameters[key] * view.repeat
        parameters.update()
    return render_scene(scene, view.size, spp, seed)


def pictures(out: Path, name: str, neural: NeuralMaterial, reference: Any, view: View) -> dict[str, np.ndarray]:
    """reference, level0 and levels, with many samples a pixel."""
    many = min(max(SAMPLES // (view.size[0] * view.size[1]), 64), 1 << 18)
    makers: dict[str, Callable[[], np.ndarray]] = {
        "reference": lambda: shown_in(view, reference, many, 1),
        "level0": lambda: shown_in(view, neural, many, 2, level=0),
        "levels": lambda: shown_in(view, neural, many // PER_LEVELS, 3),
    }
    found = {}
    for kind, make in makers.items():
        kept = out / f"{name}.{view.scene}.{view.size[0]}.{view.repeat:.3f}.{kind}.exr"
        if not kept.is_file():
            write_image(kept, make())
        found[kind] = read_image(kept)
    return found


def errors(shown: dict[str, np.ndarray], mask: np.ndarray) -> Measured:
    """FLIP over the mask, and light over that of the reference."""
    pairs = {"levels": ("reference", "levels"), "level0": ("reference", "level0"), "between": ("level0", "levels")}
    found: Measured = {}
    for label, (first, second) in pairs.items():
        found[f"flip_{label}"] = round(float(flip_ldr(shown[first], shown[second])[mask].mean()), 4)
    for label in ("levels", "level0"):
        found[f"light_{label}"] = round(float(shown[label][mask].mean() / shown["reference"][mask].mean()), 3)
    return found


def rows(shown: dict[str, np.ndarray]) -> list[Measured]:
    """Means over ROWS of the plane: the view's height in degrees, FLIP, red, green and blue over the reference's."""
    found, true, heights = [], shown["reference"], np.degrees(np.arctan(slopes()))
    error = {kind: flip_ldr(true, shown[kind]).mean(axis=1) for kind in ("levels", "level0")}
    for row in ROWS:
        colour = shown["levels"][row].mean(axis=0) / true[row].mean(axis=0)
        flips = {f"flip_{kind}": round(float(values[row]), 3) for kind, values in error.items()}
        rounded = [round(float(channel), 3) for channel in colour]
        found.append({"row": row, "degrees": round(float(heights[row]), 1), **flips, "colour": rounded})
    return found


def noise(neural: NeuralMaterial, truth: np.ndarray, view: View) -> Measured:
    """relMSE of one sample a pixel against level 0 with many, of level 0 and of levels; and the coarsest's, its own."""
    coarsest = shown_in(view, neural, 256, 5, level=len(neural.latents) - 1)
    choices = {"level0": (0, truth), "levels": (None, truth), "floor": (len(neural.latents) - 1, coarsest)}
    found: Measured = {}
    for label, (level, against) in choices.items():
        singles = [shown_in(view, neural, 1, 10 + seed, level) for seed in range(NOISY_SEEDS)]
        value = float(np.mean([relative_mse(against, single, view.mask) for single in singles]))
        found[label] = float(f"{value:.3g}")
    excess = {label: found[label] - found["floor"] for label in ("level0", "levels")}
    textures = round(excess["level0"] / excess["levels"], 2) if excess["levels"] > 0 else None
    return {**found, "ratio": round(found["level0"] / found["levels"], 2), "ratio_of_textures": textures}


def cost(neural: NeuralMaterial, scene: str = PLANE, spp: int = 64) -> Measured:
    """Processor nanoseconds a sample, the least of several interleaved runs: stock `path`, level 0 and levels."""
    mi = mitsuba()
    scenes = {level: build_scene(scene, as_bsdf(neural, level), SIZE) for level in (0, None)}
    runs = {
        "path": (scenes[None], mi.load_dict({"type": "path"})),
        "level0": (scenes[0], mi.load_dict({"type": "verdigris_path"})),
        "levels": (scenes[None], mi.load_dict({"type": "verdigris_path"})),
    }
    seconds = interleaved(runs, spp)
    found = {name: round(value * 1e9 / (SIZE[0] * SIZE[1] * spp), 1) for name, value in seconds.items()}
    return {**found, "levels_over_level0": round(seconds["levels"] / seconds["level0"], 3)}


def cost_without_neural(spp: int = 64) -> float:
    """Cost of `verdigris_path` over that of `path` for a teapot of rough plastic in the studio."""
    mi = mitsuba()
    scene = build_scene("teapot", as_bsdf({"type": "roughplastic"}), SIZE)
    kinds = ("path", "verdigris_path")
    seconds = interleaved({kind: (scene, mi.load_dict({"type": kind, "max_depth": 8})) for kind in kinds}, spp)
    return round(seconds["verdigris_path"] / seconds["path"], 3)


def interleaved(runs: dict[str, tuple[Any, Any]], spp: int, repeats: int = 8) -> dict[str, float]:
    """Least processor seconds of each run, in turns, so that what else the machine does meets all alike."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(repeats + 1):
        for name, (scene, integrator) in runs.items():
            start = time.process_time()
            np.array(integrator.render(scene, scene.sensors()[0], seed=repeat, spp=spp))
            if repeat:
                found[name].append(time.process_time() - start)
    return {name: min(values) for name, values in found.items()}


def beside(shown: dict[str, np.ndarray]) -> np.ndarray:
    """The three pictures side by side."""
    return panels(
        [tonemap(shown[kind]) for kind in ("reference", "level0", "levels")], ("reference", "level 0", "levels")
    )


if __name__ == "__main__":
    main()
