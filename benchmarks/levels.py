"""Measures the coarse levels of baked materials, and what they cost level 0. Prints JSON.

    .venv/bin/python benchmarks/levels.py --out out/levels

Every material is baked with level 0 alone and with all levels; `--samples` and `--mean-weight` give further bakes of
all levels. Errors are power-L1 on queries that no training has seen, against responses averaged over 64 positions of a
footprint; `light` is what is learned over what is true. `finest`: level 0 asked in the place of each level, as one did
without coarse levels; `averaged`: the means of its texels. Every bake is kept in `--out`: a run that was stopped goes
on. Layers are scaled, so that references are free of noise.
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
from decoder_choices import keep

from verdigris.bake import bake, metrics, phases, preset
from verdigris.bake.queries import QuerySource
from verdigris.materials.reference import load_reference
from verdigris.model import NeuralMaterial

NAMES = ("slicer_handle", "inkwell_brass")
Measured = dict[str, Any]


def main() -> None:
    """Runs what is not done yet, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder that keeps the results")
    parser.add_argument("--materials", nargs="+", default=NAMES, metavar="NAME", help="of the library")
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--encode", type=int, default=3_000_000, metavar="SAMPLES")
    parser.add_argument("--tune", type=int, default=3_000_000, metavar="SAMPLES")
    parser.add_argument("--samples", type=int, nargs="*", default=[], help="positions of a footprint to compare")
    parser.add_argument("--mean-weight", type=float, nargs="*", default=[], help="weights of losses.mean_l2 to compare")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    choices: dict[str, Measured] = {"level 0 alone": {"levels": 1}, "all levels": {}}
    choices |= {f"{samples} positions": {"footprint_samples": samples} for samples in options.samples}
    choices |= {f"mean weight {weight:g}": {"weight": weight} for weight in options.mean_weight}
    print(json.dumps({name: table(options, name, choices) for name in options.materials}, indent=1))


def table(options: argparse.Namespace, name: str, choices: dict[str, Measured]) -> Measured:
    """All bakes of one material."""
    rows: Measured = {}
    for label, changes in choices.items():
        key = f"{name}.{options.resolution}.{options.encode}.{options.tune}.{label.replace(' ', '_')}"
        path = options.out / f"{key}.json"
        if not path.is_file():
            keep(path, measured(options, name, changes))
        rows[label] = json.loads(path.read_text())
        print(f"{name}, {label}: {rows[label]}", file=sys.stderr, flush=True)
    return rows


def measured(options: argparse.Namespace, name: str, changes: Measured) -> Measured:
    """One bake: processor seconds without the report, errors at level 0 and at each level."""
    reference = load_reference(f"library:{name}@512", layering="scale")
    phases.MEAN_WEIGHT, weight = changes.get("weight", phases.MEAN_WEIGHT), phases.MEAN_WEIGHT
    config = preset(
        "draft",
        resolution=options.resolution,
        encode_samples=options.encode,
        tune_samples=options.tune,
        auxiliary_samples=0,
        **{key: value for key, value in changes.items() if key != "weight"},
    )
    seconds = [time.process_time()]
    material = bake(reference, config, lambda now: seconds.append(time.process_time()))
    phases.MEAN_WEIGHT = weight
    found = {"seconds": round(seconds[-2] - seconds[0], 1), "power_l1": short(material.metadata.report["power_l1"])}
    source = QuerySource(reference, config.mix)
    if config.levels == 1:
        return found | {"finest": by_level(material, source), "averaged": by_level(averaged(material), source)}
    report = material.metadata.report
    keys = {"own": "power_l1_by_level", "light": "light_by_level"}
    return found | {name: list(map(short, report[key])) for name, key in keys.items()}


def averaged(material: NeuralMaterial) -> NeuralMaterial:
    """A material with levels that are means of the texels of level 0; sides are powers of two."""
    levels = [material.latents[0]]
    while len(levels[-1]) > 1:
        texels = levels[-1]
        levels.append(texels.reshape(len(texels) // 2, 2, -1, 2, texels.shape[2]).mean(axis=(1, 3)))
    return replace(material, latents=tuple(levels))


def by_level(material: NeuralMaterial, source: QuerySource) -> list[float]:
    """Errors at the levels above 0; where a material has none, level 0 answers in their place."""
    side = len(material.latents[0])
    sides = [side >> level for level in range(1, side.bit_length())]
    return list(map(short, metrics.by_level(material, source, sides, np.random.default_rng(1))["power_l1_by_level"]))


def short(number: float) -> float:
    """Three digits."""
    return float(f"{number:.3g}")


if __name__ == "__main__":
    main()
