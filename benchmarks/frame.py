"""What a frame costs with a neural material, over the same frame with `roughplastic`. Prints JSON.

    .venv/bin/python benchmarks/frame.py out/brass.vdg out/small.vdg [--scenes sphere plane teapot] [--baseline]

512 x 512 pixels, 16 samples each, paths of up to 6 edges under the studio, by `verdigris_path`: the sampler, the ray
cones and the choice of level are part of it. All materials of a scene are rendered by turns, `--repeats` times, after a
first frame that compiles; the ratio is that of the medians, by the clock and by the processor's time. `--noise` adds
what the clock says of two equal runs of `roughplastic`. `diffuse` shows what of a frame is not shading.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import verdigris
from verdigris.render.pathtrace import as_bsdf
from verdigris.render.scenes import build_scene
from verdigris.runtime import mitsuba

SIZE, SAMPLES, DEPTH = (512, 512), 16, 6
PLASTIC = {"type": "roughplastic", "diffuse_reflectance": {"type": "rgb", "value": [0.6, 0.3, 0.1]}}
Run = Callable[[int], None]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assets", nargs="+", type=Path, help="baked materials")
    parser.add_argument("--scenes", nargs="+", default=["sphere", "plane", "teapot"])
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    materials: dict[str, Any] = {"roughplastic": PLASTIC, "diffuse": {"type": "diffuse"}}
    materials |= {asset.stem: verdigris.load(asset) for asset in options.assets}
    print(json.dumps({scene: frames(scene, materials, options.repeats) for scene in options.scenes}, indent=1))


def frames(scene: str, materials: dict[str, Any], repeats: int) -> dict[str, Any]:
    """Each material's first frame and its usual one in milliseconds, and the ratios to `roughplastic`."""
    runs = {name: rendering(scene, material) for name, material in materials.items()}
    first = {name: timed(run, 0)[0] for name, run in runs.items()}
    times = by_turns(runs, repeats)
    wall, processor = ({name: statistics.median(t[k] for t in times[name]) for name in runs} for k in (0, 1))
    return {
        name: {
            "first_ms": round(first[name] * 1e3),
            "ms": round(wall[name] * 1e3, 1),
            "over_roughplastic": round(wall[name] / wall["roughplastic"], 3),
            "processor_over_roughplastic": round(processor[name] / processor["roughplastic"], 3),
        }
        for name in runs
    }


def rendering(scene: str, material: Any) -> Run:
    """Renders one frame, by a seed."""
    mi = mitsuba()
    loaded = build_scene(scene, as_bsdf(material), SIZE)
    integrator = mi.load_dict({"type": "verdigris_path", "max_depth": DEPTH})

    def run(seed: int) -> None:
        np.array(integrator.render(loaded, loaded.sensors()[0], seed=seed, spp=SAMPLES))

    return run


def by_turns(runs: dict[str, Run], repeats: int) -> dict[str, list[tuple[float, float]]]:
    """The times of each run, in turns, so that what else the machine does meets all alike."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
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
