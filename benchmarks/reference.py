"""Cost of the reference beside Mitsuba's own BSDFs, in one run: ratios, and the noise of walked layers. Prints JSON.

    .venv/bin/python benchmarks/reference.py [--frames]

Per evaluation: closed-form OpenPBR with constant inputs against `principled`, and one walk through a coat over a
diffuse base against `roughplastic`; the minimum of several launches of one kernel of a million queries each, the two
kernels by turns. With `--frames`, the five deep materials path-traced at 512 x 512, 64 samples a pixel, against
`roughplastic`, layered both ways, and their noise.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.materials.material import Material
from verdigris.materials.reference import load_reference
from verdigris.runtime import mitsuba

QUERIES = 1 << 20
LAUNCHES = 15
RENDERS = 4
DEEP = ("ceramic_teapot", "teapot_handle", "slicer_handle", "slicer_blade", "inkwell_brass")

_DOCUMENT = """<?xml version="1.0"?>
<materialx version="1.39" colorspace="lin_rec709">{body}
  <surfacematerial name="M" type="material"><input name="surfaceshader" type="surfaceshader" nodename="S" />
  </surfacematerial></materialx>"""

OPENPBR = """<open_pbr_surface name="S" type="surfaceshader">
  <input name="base_color" type="color3" value="0.6, 0.3, 0.1" />
  <input name="base_metalness" type="float" value="0.3" />
  <input name="specular_roughness" type="float" value="0.3" /><input name="coat_weight" type="float" value="0.5" />
  <input name="fuzz_weight" type="float" value="0.3" /></open_pbr_surface>"""

STACK = """<dielectric_bsdf name="top" type="BSDF"><input name="ior" type="float" value="1.5" />
    <input name="roughness" type="vector2" value="0.05, 0.05" /></dielectric_bsdf>
  <oren_nayar_diffuse_bsdf name="base" type="BSDF"><input name="weight" type="float" value="1" />
    <input name="color" type="color3" value="0.6, 0.3, 0.1" /></oren_nayar_diffuse_bsdf>
  <layer name="coat" type="BSDF"><input name="top" type="BSDF" nodename="top" />
    <input name="base" type="BSDF" nodename="base" /></layer>
  <surface name="S" type="surfaceshader"><input name="bsdf" type="BSDF" nodename="coat" /></surface>"""

PRINCIPLED = {
    "type": "principled",
    "base_color": {"type": "rgb", "value": [0.6, 0.3, 0.1]},
    "metallic": 0.3,
    "roughness": 0.3,
    "clearcoat": 0.5,
    "clearcoat_gloss": 1.0,
    "sheen": 0.3,
}
PLASTIC = {
    "type": "roughplastic",
    "alpha": 0.05,
    "diffuse_reflectance": {"type": "rgb", "value": [0.6, 0.3, 0.1]},
    "nonlinear": True,
}


def document(body: str, layering: str) -> Material:
    """A material written for this run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "material.mtlx"
        path.write_text(_DOCUMENT.format(body=body))
        return load_reference(path, layering=layering)


def ratio(launch: Callable[[], Any], beside: Callable[[], Any]) -> float:
    """The quickest of several launches of one kernel over the quickest of another, launched by turns."""
    import drjit as dr

    def seconds(run: Callable[[], Any]) -> float:
        start = time.perf_counter()
        dr.eval(run())
        dr.sync_thread()
        return time.perf_counter() - start

    pairs = [(seconds(launch), seconds(beside)) for _ in range(LAUNCHES + 1)][1:]  # the first compiles
    return min(first for first, _ in pairs) / min(second for _, second in pairs)


def evaluations() -> dict[str, float]:
    """Cost of an evaluation relative to Mitsuba's BSDF of the same kind."""
    mi = mitsuba()
    import drjit as dr

    rng = np.random.default_rng(0)
    z = rng.uniform(0.05, 1, (2, QUERIES))
    phi = rng.uniform(0, 2 * np.pi, (2, QUERIES))
    sine = np.sqrt(1 - z * z)
    wi, wo = (mi.Vector3f(np.stack([s * np.cos(p), s * np.sin(p), c])) for s, p, c in zip(sine, phi, z, strict=True))
    uv = mi.Point2f(rng.random((2, QUERIES)))
    si = dr.zeros(mi.SurfaceInteraction3f, QUERIES)
    si.wi, si.uv = wi, mi.Point2f(uv)
    dr.eval(wi, wo, uv, si)

    def compared(material: Material, description: dict[str, Any]) -> float:
        bsdf = mi.load_dict(description)
        return ratio(lambda: material.eval_dr(uv, wi, wo), lambda: bsdf.eval(mi.BSDFContext(), si, wo))

    return {
        "openpbr_over_principled": compared(document(OPENPBR, "scale"), PRINCIPLED),
        "scaled_coat_over_roughplastic": compared(document(STACK, "scale"), PLASTIC),
        "walked_coat_over_roughplastic": compared(document(STACK, "walk"), PLASTIC),
    }


def frames() -> dict[str, Any]:
    """Cost, in processor time of all threads, and noise of the deep materials in the sphere scene.

    relmse: the variance over RENDERS renders of 64 samples a pixel over their squared mean (plus 0.01, as
    `relative_mse`), the mean over the pixels covered: what the relMSE of one of them against a converged image tends
    to. equal_error: cost times relmse of the walk over that of scaling, the price of the truth at equal noise.
    shading: the share of the frame that a diffuse BSDF would not take.
    """
    from verdigris.render.pathtrace import coverage, render

    size, mask = (512, 512), coverage("sphere", (512, 512))

    def measured(subject: Any) -> tuple[float, float]:
        render(subject, "sphere", size, 1, 0)
        images, times = [], []
        for seed in range(1, RENDERS + 1):
            start = time.process_time()
            images.append(render(subject, "sphere", size, 64, seed))
            times.append(time.process_time() - start)
        stacked = np.stack(images)[:, mask].astype(np.float64)
        relative = stacked.var(0, ddof=1) / (stacked.mean(0) ** 2 + 0.01)
        return min(times), float(relative.mean())

    plastic, plastic_noise = measured(PLASTIC)
    diffuse, _ = measured({"type": "diffuse"})
    row = {"cost": 1, "relmse": round(plastic_noise, 4), "shading": round(1 - diffuse / plastic, 2)}
    found: dict[str, Any] = {"roughplastic": row}
    for label, layering in (("scaled coat", "scale"), ("walked coat", "walk")):
        seconds, noise = measured(document(STACK, layering))
        found[label] = {"cost": round(seconds / plastic, 2), "relmse": round(noise, 4)}
    for name in DEEP:
        rows = {}
        for layering in ("scale", "walk"):
            seconds, noise = measured(load_reference(f"library:{name}", layering=layering))
            rows[layering] = {"cost": round(seconds / plastic, 2), "relmse": round(noise, 4)}
        costs = [row["cost"] * row["relmse"] for row in rows.values()]
        found[name] = {**rows, "equal_error": round(costs[1] / costs[0], 2)}
    return found


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", action="store_true", help="path-trace the deep materials too (15 minutes)")
    options = parser.parse_args()
    report: dict[str, Any] = {"evaluation": {key: round(value, 2) for key, value in evaluations().items()}}
    if options.frames:
        report["frames"] = frames()
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
