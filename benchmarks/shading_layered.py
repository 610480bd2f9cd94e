"""Neural materials against the layered ones they were baked from: time to equal error, and time per hit.

On the sphere under the studio every path meets the material once, so that frames of two materials trace equally many
hits, and a frame less one of a `diffuse` sphere is what its shading takes. Frames are rendered by turns; all times are
the processor's, of all threads.

`relmse`: of one frame, its variance over `FRAMES` frames over the squared mean of them all (plus 0.01), over the
pixels covered: what a frame's relMSE against a converged image of the same material tends to. `equal_error`: (seconds
x relmse) of the layered material over that of the neural one, the product of `by_time` and `by_noise`. `free`: the same
if the neural material's shading took no time at all and its frame that of `diffuse`, which no material of its noise can
beat. `shading`: the ratio of the nanoseconds a hit, and `shading_equal_error` its product with `by_noise`: what is left
of the gain where rays cost nothing. `graph`: of these, those of the layered material that are left where each layer is
evaluated once (`layering="scale"`), without the walk and its noise: textures, nodes and closures.
`bias`: relMSE of the neural material's mean against the layered one's, which no number of samples takes away.
"""

from __future__ import annotations

import statistics
import sys
from typing import Any

import numpy as np
from frame import by_turns, timed

import verdigris
from verdigris.model import NeuralMaterial
from verdigris.render.metrics import RELMSE_EPSILON, relative_mse
from verdigris.render.pathtrace import as_bsdf, coverage
from verdigris.render.scenes import build_scene
from verdigris.runtime import mitsuba

SCENE, SIZE, SAMPLES, DEPTH = "sphere", (256, 256), 16, 6
FRAMES = 6
"""At least 2; more than the repeats asked for are rendered without being timed."""


def measured(materials: dict[str, NeuralMaterial], repeats: int) -> dict[str, Any]:
    """For each material, named as the library names it, what the module's docstring says; and the geometric means."""
    mask, found = coverage(SCENE, SIZE), {}
    for name, neural in materials.items():
        found[name] = _of_one(name, neural, repeats, mask)
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
    means = {
        key: round(float(np.exp(np.mean([np.log(row[key]) for row in found.values()]))), 2)
        for key in ("equal_error", "by_time", "by_noise", "shading", "shading_equal_error", "free")
    }
    return {"materials": found, "geometric_mean": means}


def _of_one(name: str, neural: NeuralMaterial, repeats: int, mask: np.ndarray) -> dict[str, Any]:
    subjects = {
        "layered": verdigris.load_reference(f"library:{name}", layering="walk"),
        "graph": verdigris.load_reference(f"library:{name}", layering="scale"),
        "neural": neural,
        "diffuse": {"type": "diffuse"},
    }
    pictures: dict[str, list[np.ndarray]] = {kind: [] for kind in subjects}
    runs = {kind: _rendering(subject, pictures[kind]) for kind, subject in subjects.items()}
    for run in runs.values():
        timed(run, 0)
    times = by_turns(runs, repeats)
    for kind in ("layered", "neural"):
        for seed in range(repeats + 1, FRAMES):
            runs[kind](seed)
    seconds = {kind: statistics.median(processor for _, processor in times[kind]) for kind in runs}
    stacks = {kind: np.stack(pictures[kind]).astype(np.float64) for kind in ("layered", "neural")}
    noise = {kind: _noise(stack, mask) for kind, stack in stacks.items()}
    hits = mask.sum() * SAMPLES
    a_hit = {kind: (seconds[kind] - seconds["diffuse"]) * 1e9 / hits for kind in ("layered", "graph", "neural")}
    by_time, by_noise = seconds["layered"] / seconds["neural"], noise["layered"] / noise["neural"]
    means = [stacks[kind].mean(axis=0).astype(np.float32) for kind in ("layered", "neural")]
    shading = float(a_hit["layered"] / a_hit["neural"])
    return {
        "equal_error": round(by_time * by_noise, 2),
        "by_time": round(by_time, 2),
        "by_noise": round(by_noise, 2),
        "shading": round(shading, 2),
        "shading_equal_error": round(shading * by_noise, 2),
        "free": round(seconds["layered"] / seconds["diffuse"] * by_noise, 2),
        "ns_a_hit": {kind: round(float(value), 1) for kind, value in a_hit.items()},
        "frame_ms": {kind: round(value * 1e3, 1) for kind, value in seconds.items()},
        "relmse": {kind: float(f"{value:.3g}") for kind, value in noise.items()},
        "bias": float(f"{relative_mse(*means, mask):.3g}"),
    }


def _noise(stack: np.ndarray, mask: np.ndarray) -> float:
    """Mean relMSE of one of the pictures `[n, H, W, 3]`, from their variance."""
    relative = stack.var(axis=0, ddof=1) / (stack.mean(axis=0) ** 2 + RELMSE_EPSILON)
    return float(relative[mask].mean())


def _rendering(subject: Any, pictures: list[np.ndarray]) -> Any:
    """Renders one frame by a seed, and keeps it."""
    mi = mitsuba()
    loaded = build_scene(SCENE, as_bsdf(subject), SIZE)
    integrator = mi.load_dict({"type": "verdigris_path", "max_depth": DEPTH})

    def run(seed: int) -> None:
        pictures.append(np.array(integrator.render(loaded, loaded.sensors()[0], seed=seed, spp=SAMPLES))[..., :3])

    return run
