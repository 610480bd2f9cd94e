"""Measures the coarse levels of baked materials, and what they cost level 0. Prints JSON.

    .venv/bin/python benchmarks/levels.py ../shared/materials --out out/levels

Names are those of bake_quality.py; the library's materials are walked. Every material is baked with level 0 alone, with
all levels, and once more for each `--set`. `finest`: level 0 asked in the place of each level. `averaged`: the means of
its texels. Seconds are the processor's, without the report. `--assets` measures baked files instead.

The truth is kept in `--out`: held-out queries at each level of a texture of 512 x 512, a third of each kind of the
report, their responses averaged over 512 positions of the footprint, at level 0 over as many walks. A bake of fewer
texels is asked at those levels whose footprints it has. Of each level, from 0:

    power_l1  of all queries
    light     learned over true directional albedo, averaged over views; directions count by the inverse of their
              density over the whole footprint
    lobe      root of the mean square error of the response over that of the mean square, over the same directions

What is in `--out` is not done again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from bake_quality import subjects
from decoder_choices import keep

import verdigris
from verdigris.bake import bake, preset
from verdigris.bake.blur import Blur, Footprint, Places
from verdigris.bake.config import DirectionMix
from verdigris.bake.metrics import KINDS, power_l1
from verdigris.bake.queries import QuerySource
from verdigris.cli.settings import changes
from verdigris.conventions import Array
from verdigris.materials.reference import load_reference
from verdigris.model import NeuralMaterial
from verdigris.runtime import mitsuba

NAMES = ("ceramic_teapot", "M_King_B", "slicer_blade")
SIDE, QUERIES, POSITIONS, DENSITY_POSITIONS = 512, 3072, 512, 128
"""Of the truth: texels along a side of level 0, queries at each level, positions of a footprint."""

WEIGHT_MAX = 50.0
"""Of a query, the inverse of its density: a few grazing directions would outweigh all others."""

Measured = dict[str, Any]
Truth = dict[str, Array]


def truth(reference: Any) -> Truth:
    """Queries of all levels, level after level: `uv`, `wi`, `wo`, `target`, `level`, and `weight`, which is 0 for
    half/difference pairs and else the inverse of the density of the two other kinds together."""
    sides = [SIDE >> level for level in range(SIDE.bit_length())]
    n, rng, source = QUERIES * len(sides), np.random.default_rng(11), QuerySource(reference, DirectionMix())
    level, which = np.repeat(np.arange(len(sides)), QUERIES), np.tile(np.arange(QUERIES) % len(KINDS), len(sides))
    deviation = np.where(level > 0, 0.5 / np.repeat(sides, QUERIES), 0.0)
    uv = rng.random((n, 2), dtype=np.float32)
    near = ((uv + deviation[:, None] * rng.normal(size=(n, 2))) % 1.0).astype(np.float32)
    wi, wo = np.zeros((2, n, 3), np.float32)
    for index, (kind, mix) in enumerate(KINDS.items()):
        at, mine = (near if kind == "sampled" else uv), which == index
        found = source.directions(at[:, 0].copy(), at[:, 1].copy(), 100 + index, mix).numpy()
        wi[mine], wo[mine] = found[0][mine], found[1][mine]
    u, v = (np.ascontiguousarray(axis) for axis in uv.T)
    wide = Blur(footprint=Footprint(deviation.astype(np.float32), POSITIONS))
    target = QuerySource(reference.averaging(POSITIONS), DirectionMix()).responses(u, v, wi, wo, 5, wide)
    density = 0.5 * wo[:, 2] / np.pi + 0.5 * densities(reference, uv, wi, wo, deviation)
    weight = np.where(which == list(KINDS).index("half"), 0.0, 1.0 / density)
    return {"uv": uv, "wi": wi, "wo": wo, "target": target, "level": level, "weight": np.minimum(weight, WEIGHT_MAX)}


def densities(reference: Any, uv: Array, wi: Array, wo: Array, deviation: Array) -> Array:
    """Of directions by the reference's sampler, averaged over footprints, `[n]`."""
    mi = mitsuba()
    import drjit as dr

    at, known, drawn = mi.Point2f(uv.T), mi.Vector3f(wi.T), mi.Vector3f(wo.T)
    places = Places(mi, dr, at, deviation, mi.PCG32(len(uv), dr.opaque(mi.UInt64, 7)))
    dr.make_opaque(known, drawn)
    counts = np.where(deviation > 0, DENSITY_POSITIONS, 1).astype(np.uint32)
    found = places.mean(counts, lambda place: [reference.pdf_dr(place, known, drawn)], [dr.zeros(mi.Float, len(uv))])
    return np.array(found[0])


def kept_truth(path: Path, reference: Any) -> Truth:
    """The truth of a material, made where the file is not there."""
    if not path.is_file():
        np.savez(path, **truth(reference))
    with np.load(path) as found:
        return dict(found)


def by_level(material: NeuralMaterial, true: Truth) -> dict[str, list[float]]:
    """Errors at all levels of a material; where it has no level for a footprint, its last one answers."""
    first = int(np.log2(SIDE // len(material.latents[0])))
    found: dict[str, list[float]] = {"power_l1": [], "light": [], "lobe": []}
    for level in range(first, int(true["level"].max()) + 1):
        part = {name: column[true["level"] == level] for name, column in true.items()}
        learned = material.eval(part["uv"], part["wi"], part["wo"], level=float(level - first))
        target, weight = part["target"].astype(np.float64), part["weight"][:, None]
        found["power_l1"].append(short(power_l1(learned, target)))
        found["light"].append(short((weight * learned).sum() / (weight * target).sum()))
        square = (weight * (learned - target) ** 2).sum() / (weight * target**2).sum()
        found["lobe"].append(short(square**0.5))
    return found


def measured(options: argparse.Namespace, reference: Any, true: Truth, settings: list[str]) -> Measured:
    """One bake: processor seconds without the report, and errors at each level."""
    config = preset(options.preset, resolution=options.resolution, **changes([*options.all, *settings]))
    seconds = [time.process_time()]
    material = bake(reference, config, lambda now: seconds.append(time.process_time()))
    found: Measured = {"seconds": round(seconds[-2] - seconds[0], 1), **by_level(material, true)}
    if config.levels == 1:
        return {**found, "averaged": by_level(averaged(material), true)}
    return found


def averaged(material: NeuralMaterial) -> NeuralMaterial:
    """A material with levels that are means of the texels of level 0; sides are powers of two."""
    levels = [material.latents[0]]
    while len(levels[-1]) > 1:
        texels = levels[-1]
        levels.append(texels.reshape(len(texels) // 2, 2, -1, 2, texels.shape[2]).mean(axis=(1, 3)))
    return replace(material, latents=tuple(levels))


def short(number: float) -> float:
    """Three digits."""
    return float(f"{number:.3g}")


def main() -> None:
    """Runs what is not done yet, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("documents", type=Path, help="folder of the shared documents")
    parser.add_argument("--out", type=Path, required=True, help="folder that keeps the results")
    parser.add_argument("--materials", nargs="+", default=NAMES, metavar="NAME")
    parser.add_argument("--preset", default="draft")
    parser.add_argument("--resolution", type=int, default=SIDE)
    parser.add_argument("--all", action="append", default=[], metavar="NAME=VALUE", help="a setting of every bake")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of one more bake")
    parser.add_argument("--assets", type=Path, nargs="+", help="baked files, one for each of the materials")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    choices = {"level 0 alone": ["levels=1"], "all levels": []} | {text: [text] for text in options.set}
    table: dict[str, Measured] = {}
    for index, name in enumerate(options.materials):
        reference = load_reference(*subjects(options.documents)[name])
        true = kept_truth(options.out / f"{name}.npz", reference)
        if options.assets:
            table[name] = by_level(verdigris.load(options.assets[index]), true)
            continue
        table[name] = {}
        for label, settings in choices.items():
            stem = ".".join([name, options.preset, str(options.resolution), *options.all, *settings])
            path = options.out / f"{stem}.json"
            if not path.is_file():
                keep(path, measured(options, reference, true, settings))
            table[name][label] = json.loads(path.read_text())
            print(f"{name}, {label}: {table[name][label]}", file=sys.stderr, flush=True)
    print(json.dumps({"preset": options.preset, "all": options.all, "materials": table}, indent=1))


if __name__ == "__main__":
    main()
