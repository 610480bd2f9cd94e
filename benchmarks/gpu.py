"""A scene of several materials, frame after frame, and a bake: what a graphics card does with them. Prints JSON.

    .venv/bin/python benchmarks/gpu.py out/a.vdg out/b.vdg out/c.vdg out/d.vdg out/e.vdg --variant cuda_ad_rgb
    .venv/bin/python benchmarks/gpu.py out/a.vdg --variant llvm_ad_rgb --size 64 36 --frames 3

Spheres side by side, one a material, under a sky and a lamp; one sample a pixel, paths of up to 6 edges, by
`verdigris_path`. Frames with either emitter of the networks, `literal` and `cooperative`, as the threads come and
`sorted` by material (`sort`; on CUDA `dr.reorder_threads`), one way after the other, since a call of Dr.Jit's goes
through all BSDFs that there are; milliseconds by the clock, medians, without the frames that compile. `bake`: samples a
second of `--bake` at `draft`, and the device that JAX ran on. On the CPU cooperative vectors are emulated: a run there
only shows that everything works.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import verdigris
from verdigris.model import NeuralMaterial
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.networks import Kind
from verdigris.render.plugin import VARIANTS, make_bsdf
from verdigris.render.realtime import SETTLING, RealtimeLoop
from verdigris.runtime import mitsuba

DEPTH = 6
NETWORKS: tuple[Kind, ...] = ("literal", "cooperative")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assets", nargs="+", type=Path, help="baked materials")
    parser.add_argument("--variant", choices=VARIANTS, default="cuda_ad_rgb")
    parser.add_argument("--size", nargs=2, type=int, default=[1920, 1080], metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--bake", default="library:inkwell_brass", metavar="SOURCE", help="`none`: no bake")
    options = parser.parse_args()
    mitsuba(options.variant)
    materials = [verdigris.load(asset) for asset in options.assets]
    found: dict[str, Any] = {"variant": options.variant, "size": options.size, "materials": len(materials)}
    found["frames"] = frames(materials, options)
    if options.bake != "none":
        found["bake"] = baked(options.bake)
    print(json.dumps(found, indent=1))


def frames(materials: list[NeuralMaterial], options: argparse.Namespace) -> dict[str, Any]:
    """Each way's first frames and its usual one."""
    return {
        f"{networks}, {order}": timed(materials, networks, order == "sorted", options)
        for networks in NETWORKS
        for order in ("as they come", "sorted")
    }


def timed(materials: list[NeuralMaterial], networks: Kind, by_material: bool, options: argparse.Namespace) -> Any:
    """One way, whose scene is gone afterwards."""
    start = time.perf_counter()
    bsdfs = [make_bsdf(DrjitMaterial(material, networks=networks)) for material in materials]
    loop = RealtimeLoop(row(bsdfs, options.size, by_material))
    for _ in range(SETTLING):
        loop.frame()
    first, seconds = time.perf_counter() - start, []
    for _ in range(options.frames):
        start = time.perf_counter()
        loop.frame()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    return {"start_s": round(first, 2), "ms": round(1e3 * median, 3), "frames_per_second": round(1 / median, 1)}


def row(bsdfs: list[Any], size: list[int], by_material: bool) -> Any:
    """The scene: spheres on a floor, each of which has another BSDF."""
    mi = mitsuba()
    middle, width = (len(bsdfs) - 1) / 2, len(bsdfs) + 0.5
    look = mi.ScalarTransform4f().look_at([middle, 1.2, 2 * width], [middle, 0, 0], [0, 1, 0])
    film = {"type": "hdrfilm", "width": size[0], "height": size[1], "rfilter": {"type": "box"}, "pixel_format": "rgb"}
    flat = mi.ScalarTransform4f().translate([middle, -0.5, 0]).rotate([1, 0, 0], -90).scale(width)
    spheres = {
        f"sphere{k}": {"type": "sphere", "center": [k, 0, 0], "radius": 0.5, "bsdf": bsdf}
        for k, bsdf in enumerate(bsdfs)
    }
    lamp = {"type": "sphere", "center": [middle, 4, 3], "radius": 0.5, "emitter": {"type": "area", "radiance": 20.0}}
    return mi.load_dict(
        {
            "type": "scene",
            "integrator": {"type": "verdigris_path", "max_depth": DEPTH, "sort": by_material},
            "sensor": {"type": "perspective", "fov": 30.0, "to_world": look, "film": film},
            "sky": {"type": "constant", "radiance": 0.5},
            "lamp": lamp,
            "floor": {"type": "rectangle", "to_world": flat, "bsdf": bsdfs[0]},
            **spheres,
        }
    )


def baked(source: str) -> dict[str, Any]:
    """A bake's rate."""
    import jax

    from verdigris.bake import bake, preset

    start = time.perf_counter()
    report = bake(source, preset("draft")).metadata.report
    seconds, samples = time.perf_counter() - start, report["training_samples"]
    return {
        "source": source,
        "device": str(jax.devices()[0]),
        "samples": samples,
        "seconds": round(seconds, 1),
        "samples_per_second": round(samples / seconds),
    }


if __name__ == "__main__":
    main()
