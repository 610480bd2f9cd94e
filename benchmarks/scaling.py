"""Measures a frame with many materials, each pixel's neighbours another one. Prints JSON; keeps it in `--out`.

    .venv/bin/python benchmarks/scaling.py out/q/M_King_B.standard.vdg --kind shared --out out/scaling.json

An open box whose walls are tiles about a pixel wide, 64 meshes of tiles drawn at random; of 64 meshes K materials, each
with its own BSDF object. `shared`: copies of the asset with its latents rolled, so that they have one network; `apart`:
weights are changed by 1 % too, so that each is a decoder of its own; `sorted`: these, shaded by `verdigris_path` in
the order of the materials; `layered`: a graph of the library, its numbers changed by 1 %, of which the kernels' time
counts. 256 x 256, one sample a pixel, depth 6; the median counts. `ratio` is that of K materials over the first count
of the same kind, `again` the ratio of that count itself, measured once more at the end: how far the machine drifted.
Each count has a process of its own: a call of Dr.Jit's goes through all the BSDFs that its process holds, those of
other scenes too. `start_s`: from the first trace to the first frames, compilation included where kernels were not in
Dr.Jit's cache.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import verdigris
from verdigris.materials.library.catalogue import locate
from verdigris.materials.library.textures import SMALLEST
from verdigris.model import NeuralMaterial
from verdigris.render.pathtrace import as_bsdf
from verdigris.render.realtime import SETTLING, RealtimeLoop
from verdigris.runtime import mitsuba

KINDS = ("shared", "apart", "sorted", "layered")
LAYERED = "ceramic_teapot"
NUMBERS = re.compile(r'type="(?:float|color3|vector3)" value="([^"]*)"')
MESHES, CELLS, SIZE, DEPTH = 64, 160, 256, 6
ROUNDS = 15
Measured = dict[str, Any]


def main() -> None:
    """Runs one kind, and adds it to the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("asset", type=Path)
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64], metavar="K")
    parser.add_argument("--out", type=Path, help="JSON table that the kind is added to; without, the first count alone")
    options = parser.parse_args()
    if options.out is None:
        print(json.dumps(measured(options.asset, options.kind, options.counts[0])))
        return
    table = json.loads(options.out.read_text()) if options.out.is_file() else {}
    table[options.kind] = compared(options.asset, options.kind, options.counts)
    options.out.write_text(json.dumps(table, indent=1) + "\n")
    print(json.dumps(table[options.kind], indent=1))


def compared(asset: Path, kind: str, counts: list[int]) -> list[Measured]:
    """A row for each count, a process each, and the first count once more."""
    rows = []
    for count in (*counts, counts[0]):
        command = [sys.executable, __file__, str(asset), "--kind", kind, "--counts", str(count)]
        rows.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
        print(rows[-1], file=sys.stderr, flush=True)
    *rows, again = rows
    for row in rows:
        row["ratio"] = round(row["frame_ms"] / rows[0]["frame_ms"], 2)
    rows[0]["again"] = round(again["frame_ms"] / rows[0]["frame_ms"], 2)
    return rows


def measured(asset: Path, kind: str, count: int) -> Measured:
    """The row of one count."""
    bsdfs = materials(asset, kind, count)
    frame = kernels(box(bsdfs, False)) if kind == "layered" else frozen(box(bsdfs, kind == "sorted"))
    start = time.perf_counter()
    for _ in range(SETTLING):
        frame()
    started = time.perf_counter() - start
    frame_ms = round(float(np.median([frame() for _ in range(ROUNDS)])), 2)
    return {"materials": count, "start_s": round(started, 2), **latents(bsdfs), "frame_ms": frame_ms}


def frozen(scene: Any) -> Callable[[], float]:
    """Renders a frame that is traced once, and tells how many milliseconds it took."""
    loop = RealtimeLoop(scene)

    def frame() -> float:
        start = time.perf_counter()
        loop.frame()
        return 1e3 * (time.perf_counter() - start)

    return frame


def kernels(scene: Any) -> Callable[[], float]:
    """Renders a frame, and tells the milliseconds of its kernels: with graphs, whose textures are functions that a
    function calls, no frame can be frozen, and most of its time is that of tracing it anew."""
    import drjit as dr

    mi, seeds = mitsuba(), itertools.count()

    def frame() -> float:
        with dr.scoped_set_flag(dr.JitFlag.KernelHistory):
            dr.kernel_history_clear()
            seed = dr.opaque(mi.UInt32, next(seeds))
            dr.eval(scene.integrator().render(scene, scene.sensors()[0], seed=seed, spp=1))
            dr.sync_thread()
            return sum(kernel["execution_time"] for kernel in dr.kernel_history())

    return frame


def materials(asset: Path, kind: str, count: int) -> list[Any]:
    """BSDFs, one for each material."""
    if kind == "layered":
        return layered(count)
    first = replace(verdigris.load(asset), grids=())
    return [as_bsdf(varied(first, number, apart=kind != "shared")) for number in range(count)]


def layered(count: int) -> list[Any]:
    """The graph with its numbers changed, and its textures as small as they come."""
    document, folder = locate(LAYERED, SMALLEST)
    rng = np.random.default_rng(0)

    def changed(found: re.Match[str]) -> str:
        numbers = [f"{float(number) * rng.normal(1, 0.01):.6g}" for number in found[1].split(",")]
        return found[0].replace(found[1], ", ".join(numbers))

    with tempfile.TemporaryDirectory() as copies:
        place = Path(shutil.copytree(folder, copies, dirs_exist_ok=True))
        bsdfs = []
        for number in range(count):
            path = place / f"{number}.mtlx"
            path.write_text(NUMBERS.sub(changed, document.read_text()))
            bsdfs.append(as_bsdf(verdigris.load_reference(path)))
        return bsdfs


def varied(material: NeuralMaterial, number: int, apart: bool) -> NeuralMaterial:
    """The material with its latents rolled by a number of texels, and with other weights where it stands apart."""
    latents = tuple(np.roll(level, number * 37 % len(level), axis=0) for level in material.latents)
    rng = np.random.default_rng(number)

    def changed(layers: Any) -> Any:
        return tuple((weight * rng.normal(1, 0.01, weight.shape).astype(np.float32), bias) for weight, bias in layers)

    rolled = replace(material, latents=latents)
    return replace(rolled, layers=changed(material.layers), sampler=changed(material.sampler)) if apart else rolled


def latents(bsdfs: list[Any]) -> Measured:
    """Bytes that the latents take in memory."""
    neural = [bsdf.material for bsdf in bsdfs if hasattr(bsdf.material, "latent_bytes")]
    return {"latent_mib": round(sum(material.latent_bytes for material in neural) / (1 << 20), 2)} if neural else {}


def box(bsdfs: list[Any], by_material: bool) -> Any:
    """The scene: mesh m carries BSDF m modulo their number."""
    mi = mitsuba()
    look = mi.ScalarTransform4f().look_at([0, 0, 4], [0, 0, 0], [0, 1, 0])
    film = {"type": "hdrfilm", "width": SIZE, "height": SIZE, "rfilter": {"type": "box"}, "pixel_format": "rgb"}
    described = {
        "type": "scene",
        "integrator": {"type": "verdigris_path", "max_depth": DEPTH, "sort": by_material},
        "sensor": {"type": "perspective", "fov": 36.0, "to_world": look, "film": film},
        "sky": {"type": "constant", "radiance": 0.5},
        "lamp": {
            "type": "sphere",
            "center": [0, 0.2, 2.2],
            "radius": 0.15,
            "emitter": {"type": "area", "radiance": 40.0},
        },
    }
    corners, normals, uv = tiles()
    owner = np.random.default_rng(0).permutation(len(corners)) % MESHES
    for number in range(MESHES):
        mine = owner == number
        described[f"mesh{number}"] = quads(corners[mine], normals[mine], uv[mine], bsdfs[number % len(bsdfs)])
    return mi.load_dict(described)


def tiles() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners and normals `[tiles, 4, 3]` and uv `[tiles, 4, 2]` of the five walls of a box that is open to +z."""
    x, y, z = np.eye(3)
    walls = ((x, y, -z), (x, -z, -y), (x, z, y), (-z, y, -x), (z, y, x))
    row, column = (part.ravel()[:, None] for part in np.mgrid[:CELLS, :CELLS])
    u, v = (column + [0, 1, 1, 0]) / CELLS, (row + [0, 0, 1, 1]) / CELLS
    corners = [(2 * u - 1)[..., None] * a + (2 * v - 1)[..., None] * b + c for a, b, c in walls]
    normals = [np.broadcast_to(-c, corner.shape) for corner, (_, _, c) in zip(corners, walls, strict=True)]
    return np.concatenate(corners), np.concatenate(normals), np.concatenate([np.stack([u, v], axis=-1)] * len(walls))


def quads(corners: np.ndarray, normals: np.ndarray, uv: np.ndarray, bsdf: Any) -> Any:
    """A mesh of separate quads."""
    mi = mitsuba()
    props = mi.Properties()
    props["bsdf"] = bsdf
    count = len(corners)
    mesh = mi.Mesh("tiles", 4 * count, 2 * count, props, has_vertex_normals=True, has_vertex_texcoords=True)
    parameters = mi.traverse(mesh)
    first = 4 * np.arange(count)[:, None, None]
    values = {"vertex_positions": corners, "vertex_normals": normals, "vertex_texcoords": uv}
    for name, value in values.items():
        parameters[name] = value.astype(np.float32).ravel()
    parameters["faces"] = (first + [[0, 1, 2], [0, 2, 3]]).astype(np.uint32).ravel()
    parameters.update()
    return mesh


if __name__ == "__main__":
    main()
