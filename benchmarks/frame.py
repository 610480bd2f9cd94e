"""What a frame costs with a neural material, over the same frame with `roughplastic`. Prints JSON.

    .venv/bin/python benchmarks/frame.py out/brass.vdg out/small.vdg [--scenes sphere plane teapot]
    .venv/bin/python benchmarks/frame.py out/brass.vdg --walks verdigris_path sorted path
    .venv/bin/python benchmarks/frame.py out/*.vdg --variant cuda_ad_rgb --size 1920 1080 --samples 1

Paths of up to 6 edges under the studio. `--walks`: `verdigris_path`, with the ray cones and the choice of level that
are part of it; the same `sorted` by material; Mitsuba's `path`. All materials and walks of a scene are rendered by
turns, `--repeats` times, after a first frame that compiles; the ratio to `roughplastic` is that of the medians in the
same walk, by the clock and by the processor's time of all threads; `over_walk` that to the first walk with the same
material. `diffuse` shows what of a frame is not shading. On CUDA each material is rendered with either emitter of its
networks.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import verdigris
from verdigris.model import NeuralMaterial
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.networks import Kind
from verdigris.render.pathtrace import as_bsdf
from verdigris.render.plugin import VARIANTS
from verdigris.render.scenes import build_scene
from verdigris.runtime import mitsuba

DEPTH = 6
PLASTIC = {"type": "roughplastic", "diffuse_reflectance": {"type": "rgb", "value": [0.6, 0.3, 0.1]}}
WALKS: dict[str, dict[str, Any]] = {
    "verdigris_path": {"type": "verdigris_path", "sort": False},
    "sorted": {"type": "verdigris_path", "sort": True},
    "path": {"type": "path"},
}
Run = Callable[[int], None]
Key = TypeVar("Key")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assets", nargs="+", type=Path, help="baked materials")
    parser.add_argument("--scenes", nargs="+", default=["sphere", "plane", "teapot"])
    parser.add_argument("--walks", nargs="+", choices=WALKS, default=["verdigris_path"])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--size", nargs=2, type=int, default=[512, 512], metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--samples", type=int, default=16, help="a pixel")
    parser.add_argument("--variant", choices=VARIANTS, default=VARIANTS[0])
    options = parser.parse_args()
    mitsuba(options.variant)
    materials: dict[str, Any] = {"roughplastic": PLASTIC, "diffuse": {"type": "diffuse"}}
    for asset in options.assets:
        materials |= emitted(asset.stem, verdigris.load(asset), options.variant)
    print(json.dumps({scene: frames(scene, materials, options) for scene in options.scenes}, indent=1))


def emitted(name: str, material: NeuralMaterial, variant: str) -> dict[str, Any]:
    """The material, on CUDA with either emitter of its networks."""
    if variant == "llvm_ad_rgb":
        return {name: material}
    kinds: tuple[Kind, ...] = ("literal", "cooperative")
    return {f"{name} {kind}": DrjitMaterial(material, networks=kind) for kind in kinds}


def frames(scene: str, materials: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """For each walk and material the first frame and the usual one in milliseconds, and the ratios."""
    loaded = {name: build_scene(scene, as_bsdf(material), tuple(options.size)) for name, material in materials.items()}
    runs = {(walk, name): rendering(walk, loaded[name], options.samples) for walk in options.walks for name in loaded}
    first = {key: timed(run, 0)[0] for key, run in runs.items()}
    times = by_turns(runs, options.repeats)
    wall, processor = ({key: statistics.median(t[k] for t in times[key]) for key in runs} for k in (0, 1))
    found: dict[str, Any] = {walk: {} for walk in options.walks}
    for key in runs:
        (walk, name), plastic, plain = key, (key[0], "roughplastic"), (options.walks[0], key[1])
        found[walk][name] = {
            "first_ms": round(first[key] * 1e3),
            "ms": round(wall[key] * 1e3, 1),
            "over_roughplastic": round(wall[key] / wall[plastic], 3),
            "processor_over_roughplastic": round(processor[key] / processor[plastic], 3),
            "over_walk": round(wall[key] / wall[plain], 3),
        }
    return found


def rendering(walk: str, scene: Any, samples: int) -> Run:
    """Renders one frame, by a seed."""
    integrator = mitsuba().load_dict({**WALKS[walk], "max_depth": DEPTH})

    def run(seed: int) -> None:
        np.array(integrator.render(scene, scene.sensors()[0], seed=seed, spp=samples))

    return run


def by_turns(runs: dict[Key, Run], repeats: int) -> dict[Key, list[tuple[float, float]]]:
    """The times of each run, in turns, so that what else the machine does meets all alike."""
    times: dict[Key, list[tuple[float, float]]] = {name: [] for name in runs}
    for repeat in range(1, repeats + 1):
        for name, run in runs.items():
            times[name].append(timed(run, repeat))
    return times


def timed(run: Run, seed: int) -> tuple[float, float]:
    """Seconds by the clock, and of the processor, all threads."""
    clock, processor = time.perf_counter(), time.process_time()
    run(seed)
    return time.perf_counter() - clock, time.process_time() - processor


if __name__ == "__main__":
    main()
