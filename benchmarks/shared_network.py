"""Measures what it costs that materials share one network: joint bakes beside separate ones. Prints JSON.

    .venv/bin/python benchmarks/shared_network.py ../shared/materials --out out/shared

Equal samples a material. Errors are power-L1 on queries that no training has seen. Every bake is kept in `--out`, and a
joint one that was stopped goes on: a run that was stopped goes on. Layers are scaled, so that references are free of
noise.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from decoder_choices import keep
from training import MATERIALS

from verdigris.bake import BakeConfig, Job, bake, bake_shared, preset
from verdigris.materials.reference import load_reference
from verdigris.model import NeuralMaterial

NAMES = ("inkwell_brass", "king_black", "slicer_handle")
Measured = dict[str, Any]


def reference(folder: Path, name: str) -> Any:
    """One of the materials."""
    source, material = MATERIALS[name]
    return load_reference(source if source.startswith("library:") else str(folder / source), material, layering="scale")


def measured(material: NeuralMaterial) -> Measured:
    """What is kept of a bake."""
    report = material.metadata.report
    return {"power_l1": float(f"{report['power_l1']:.5g}"), "samples": report["training_samples"]}


def main() -> None:
    """Runs what is not done yet, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the shared documents")
    parser.add_argument("--out", type=Path, required=True, help="folder that keeps the results")
    parser.add_argument("--materials", nargs="+", choices=MATERIALS, default=NAMES, metavar="NAME")
    parser.add_argument("--preset", default="draft")
    parser.add_argument("--resolution", type=int, default=128)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    config = preset(options.preset, resolution=options.resolution, auxiliary_samples=0, levels=1)
    print(json.dumps(table(options, config), indent=1))


def table(options: argparse.Namespace, config: BakeConfig) -> Measured:
    """Errors of each material, apart and together."""
    key = f"{options.preset}.{options.resolution}"
    rows: Measured = {name: {} for name in options.materials}
    for name in options.materials:
        path = options.out / f"{key}.{name}.json"
        if not path.is_file():
            kept = Job(path.with_suffix(".checkpoint"))
            keep(path, measured(bake(reference(options.folder, name), config, job=kept)))
        rows[name]["apart"] = json.loads(path.read_text())
        print(f"{name}: {rows[name]}", file=sys.stderr, flush=True)
    path = options.out / f"{key}.{'+'.join(options.materials)}.json"
    if not path.is_file():
        references = [reference(options.folder, name) for name in options.materials]
        together = bake_shared(references, config, job=Job(path.with_suffix(".checkpoint")))
        keep(path, dict(zip(options.materials, map(measured, together), strict=True)))
    for name, together in json.loads(path.read_text()).items():
        rows[name]["together"] = together
        rows[name]["ratio"] = round(together["power_l1"] / rows[name]["apart"]["power_l1"], 2)
    return rows


if __name__ == "__main__":
    main()
