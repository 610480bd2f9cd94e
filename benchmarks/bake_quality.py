"""Bakes twelve materials and measures them in four scenes against their references. Prints JSON.

    .venv/bin/python benchmarks/bake_quality.py ../shared/materials --preset standard --out out/quality

Sphere and plane, each under the studio and under a lamp: views that no bake has seen. Errors are means over the pixels
the material covers. The reference is the mean of two renders of half the samples each; `floor` is the error between
these two, which is more than the noise of the pictures adds. The library's materials are walked. Each bake runs by the
command line in a process of its own: its seconds are those a user waits, if nothing else runs, and its processor
seconds over the number of cores are nearly that, whatever runs. What is in `--out` is not done again, so a run that was
stopped goes on, and `--only NAME` does a part.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import verdigris
from verdigris.materials.material import Material
from verdigris.materials.reference import load_reference
from verdigris.model import NeuralMaterial
from verdigris.render.compare import ComparisonResult, compare_images, contact_sheet
from verdigris.render.image import read_image, write_image
from verdigris.render.pathtrace import coverage, render

LIBRARY = ("ceramic_teapot", "teapot_handle", "slicer_handle", "slicer_blade", "inkwell_brass")
DOCUMENTS = (
    ("standard_surface_chess_pieces.mtlx", "M_King_B"),
    ("standard_surface_chess_pieces.mtlx", "M_Chessboard"),
    ("standard_surface_chess_pieces.mtlx", "M_Knight_B"),
    ("standard_surface_wood_tiled.mtlx", "Tiled_Wood"),
    ("gltf_pbr_boombox.mtlx", "Material_boombox"),
    ("open_pbr_carpaint.mtlx", "Car_Paint"),
    ("standard_surface_carpaint.mtlx", "Car_Paint"),
)
SCENES = ("sphere", "plane", "sphere@lamp", "plane@lamp")
ERRORS = ("flip", "hdr_flip")


def subjects(folder: Path) -> dict[str, tuple[str, str]]:
    """(source, material) of every name."""
    found = {name: (f"library:{name}", name) for name in LIBRARY}
    for document, name in DOCUMENTS:
        label = name if name.startswith("M_") else document.removesuffix(".mtlx")
        found[label] = (str(folder / document), name)
    return found


def bake(source: str, material: str, asset: Path, options: argparse.Namespace, *more: str) -> tuple[float, float]:
    """Bakes by the command line, with more options of it; the seconds, start to end, and the processor seconds of all
    threads are kept beside the asset."""
    record = asset.with_suffix(".seconds.json")
    if not (asset.is_file() and record.is_file()):
        start = np.array([time.perf_counter(), _processor_seconds()])
        command = [sys.executable, "-m", "verdigris.cli.main", "bake", source, "-m", material, "-o", str(asset)]
        settings = [text for setting in options.set for text in ("--set", setting)]
        subprocess.run([*command, "--preset", options.preset, *settings, *more], check=True, stdout=sys.stderr)
        spent = np.array([time.perf_counter(), _processor_seconds()]) - start
        record.write_text(json.dumps([round(seconds, 1) for seconds in spent.tolist()]))
    wall, processor = json.loads(record.read_text())
    return wall, processor


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def image(folder: Path, stem: str, material: Any, scene: str, size: int, spp: int, seed: int) -> np.ndarray:
    """A render, kept as EXR; of a baked material its finest level, whatever a pixel covers."""
    kept = folder / f"{stem}.{scene}.{size}.{spp}.{seed}.exr"
    if not kept.is_file():
        level = 0 if isinstance(material, NeuralMaterial) else None
        write_image(kept, render(material, scene, (size, size), spp, seed, level=level))
    return read_image(kept)


def measure(
    name: str, reference: Material, asset: Path, options: argparse.Namespace, scenes: Sequence[str] = SCENES
) -> tuple[dict[str, Any], list[tuple[str, ComparisonResult]]]:
    """Errors in every scene, and the pictures."""
    neural, numbers, pictures = verdigris.load(asset), {}, []
    out, size = options.out, options.size
    for scene in scenes:
        halves = [image(out, name, reference, scene, size, options.spp // 2, 100 + k) for k in (0, 1)]
        baked = image(out, asset.stem, neural, scene, size, options.spp, 7)
        mask = coverage(scene, (size, size))
        result, noise = compare_images(sum(halves) / 2, baked, mask), compare_images(*halves, mask)
        numbers[scene] = {key: round(result.metrics["covered"][key], 4) for key in (*ERRORS, "relmse")}
        numbers[scene] |= {f"floor_{key}": round(noise.metrics["covered"][key], 4) for key in ERRORS}
        pictures.append((f"{name} {scene}", result))
    return numbers, pictures


def _kind(options: argparse.Namespace) -> str:
    """What tells the bakes of one run from those of another, as a part of file names."""
    side = [] if options.resolution == 512 else [f"resolution={options.resolution}"]
    return ".".join([options.preset, *side, *options.set])


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("documents", type=Path, help="folder of the shared documents")
    parser.add_argument("--out", type=Path, required=True, help="folder for assets, images and pictures")
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--resolution", type=int, default=512, help="side of the latent textures in texels")
    parser.add_argument("--size", type=int, default=192, help="side of the pictures in pixels")
    parser.add_argument("--spp", type=int, default=2048, help="samples a pixel, of each picture")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of all bakes")
    parser.add_argument("--only", action="append", help="a material; repeatable; default: all twelve")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    materials, pictures = {}, []
    for name, (source, material) in subjects(options.documents).items():
        if options.only and name not in options.only:
            continue
        asset = options.out / f"{name}.{_kind(options)}.vdg"
        wall, processor = bake(source, material, asset, options, "--resolution", str(options.resolution))
        scenes, shown = measure(name, load_reference(source, material), asset, options)
        pictures += shown
        means = {key: round(float(np.mean([scenes[s][key] for s in SCENES])), 4) for key in scenes[SCENES[0]]}
        costs = {"bake_seconds": wall, "processor_seconds": processor, "bytes": asset.stat().st_size}
        materials[name] = {**costs, **means, "scenes": scenes}
        print(f"{name}: {means}", file=sys.stderr, flush=True)
    contact_sheet(pictures, options.out / f"{_kind(options)}.png", columns=2, panel_width=160)
    means = {key: round(float(np.mean([m[key] for m in materials.values()])), 4) for key in ERRORS}
    worst = {key: max(materials, key=lambda name: materials[name][key]) for key in ERRORS}
    settings = {name: getattr(options, name) for name in ("preset", "resolution", "set", "size", "spp")}
    print(json.dumps({**settings, "mean": means, "worst": worst, "materials": materials}, indent=1))


if __name__ == "__main__":
    main()
