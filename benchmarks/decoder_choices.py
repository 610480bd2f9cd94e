"""Bakes three materials with one choice at a time other than the default, at equal samples: a table of held-out errors.

    .venv/bin/python benchmarks/decoder_choices.py ../shared/materials --out out/choices

Choices are those of the decoder (widths, activation, features, frames, output, cosine) and of its training (loss,
directions, mollification, colour augmentation). A small network lands in good or bad minima by chance: compare only
what differs by more than the `spread` of the default over a few `--seeds`. Relative L2 hangs on the few directions
where the truth is dark and the network is not: seeds differ in it by more than choices do. Every bake is written to
`--out` when it is done, so a run that was stopped goes on. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.bake import BakeConfig, DirectionMix, bake
from verdigris.errors import VerdigrisError
from verdigris.materials.reference import load_reference
from verdigris.model import DecoderConfig, ModelConfig

MATERIALS = {
    "inkwell_brass": ("library:inkwell_brass@512", None),
    "king_black": ("standard_surface_chess_pieces.mtlx", "M_King_B"),
    "car_paint": ("gltf_pbr_carpaint.mtlx", None),
}
"""(source, material); documents lie in the folder that is given. The brass is scaled, not walked: free of noise."""

ENCODE_SHARE = 1 / 6
"""Of the samples, as in the presets."""

MEASURES = ("power_l1", "relative_l2", "reciprocity_error", "energy_ratio")


def decoder(**changes: Any) -> dict[str, Any]:
    """Settings of a bake whose decoder differs from the default."""
    return {"model": ModelConfig(decoder=DecoderConfig(**changes))}


CHOICES: dict[str, dict[str, Any]] = {
    "default": {},
    "hidden 16 16": decoder(hidden=(16, 16)),
    "hidden 64 64 64": decoder(hidden=(64, 64, 64)),
    "leaky_relu": decoder(activation="leaky_relu"),
    "leaky_smelu": decoder(activation="leaky_smelu"),
    "wi wo": decoder(features=("wi", "wo")),
    "half difference": decoder(features=("half", "difference")),
    "half difference cosines": decoder(features=("half", "difference", "cosines")),
    "wi wo half difference": decoder(features=("wi", "wo", "half", "difference")),
    "half difference log_half": decoder(features=("half", "difference", "log_half")),
    "0 frames": {"model": ModelConfig(frames=0)},
    "1 frame": {"model": ModelConfig(frames=1)},
    "3 frames": {"model": ModelConfig(frames=3)},
    "sigmoid": decoder(output="sigmoid"),
    "without cosine": decoder(cosine=False),
    "log_l1": {"loss": "log_l1"},
    "relative_l1": {"loss": "relative_l1"},
    "relative_l2": {"loss": "relative_l2"},
    "smape": {"loss": "smape"},
    "95 % half, 5 % sampled": {"mix": DirectionMix(0.95, 0.0, 0.05)},
    "mollified": {"mollify_degrees": 10.0},
    "colours augmented": {"augment_colours": 1.0},
}
"""What differs from the default, by name."""


def main() -> None:
    """Runs what is not done yet, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the shared documents")
    parser.add_argument("--out", type=Path, required=True, help="folder that keeps the results")
    parser.add_argument("--samples", type=int, default=20_000_000, help="queries a bake learns from")
    parser.add_argument("--resolution", type=int, default=512, help="side of the latent textures")
    parser.add_argument("--seeds", type=int, default=1, help="bakes a choice")
    parser.add_argument("--choices", nargs="+", choices=CHOICES, default=list(CHOICES), metavar="NAME")
    parser.add_argument("--materials", nargs="+", choices=MATERIALS, default=list(MATERIALS), metavar="NAME")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table = {name: material_rows(name, options) for name in options.materials}
    report = {
        "device": {"cpu_count": os.cpu_count()},
        **{key: getattr(options, key) for key in ("samples", "resolution", "seeds")},
        "materials": table,
        "power_l1_over_default": {name: over_default(table, name) for name in options.choices},
    }
    print(json.dumps(report, indent=1))


def material_rows(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """One material's table: for each choice the means over the seeds, and the spread of power-L1."""
    source, material = MATERIALS[name]
    path = source if source.startswith("library:") else str(options.folder / source)
    reference = None
    rows: dict[str, Any] = {}
    for choice in options.choices:
        runs = []
        for seed in range(options.seeds):
            kept = options.out / f"{name}.{choice}.{options.samples}.{options.resolution}.{seed}.json".replace(" ", "_")
            if not kept.is_file():
                reference = reference or load_reference(path, material, layering="scale")
                result = measured(reference, config(choice, seed, options))
                keep(kept, result)
                print(f"{name}, {choice}, seed {seed}: {json.dumps(result)}", file=sys.stderr, flush=True)
            runs.append(json.loads(kept.read_text()))
        rows[choice] = summary(runs)
    return rows


def keep(path: Path, result: dict[str, Any]) -> None:
    """Writes a result whole or not at all."""
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(result))
    beside.replace(path)


def config(choice: str, seed: int, options: argparse.Namespace) -> BakeConfig:
    """The settings of one bake, the same number of samples whatever the material."""
    encoded = round(options.samples * ENCODE_SHARE)
    base = BakeConfig(
        preset="choices",
        resolution=options.resolution,
        seed=seed,
        encode_samples=encoded,
        tune_samples=options.samples - encoded,
        uniform_samples=options.samples,
        auxiliary_samples=0,
    )
    return replace(base, **CHOICES[choice])


def measured(reference: Any, settings: BakeConfig) -> dict[str, Any]:
    """One bake's report and seconds; or its error, where it fails."""
    start = time.perf_counter()
    try:
        material = bake(reference, settings)
    except VerdigrisError as error:
        return {"error": str(error)}
    numbers = {key: float(f"{material.metadata.report[key]:.4g}") for key in MEASURES}
    weights = sum(array.size for layer in material.layers for array in layer)
    return numbers | {"decoder_parameters": weights, "seconds": round(time.perf_counter() - start, 1)}


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Means of the runs that did not fail; `spread`: the standard deviation of power-L1 over its mean."""
    good = [run for run in runs if "error" not in run]
    failed = {"errors": [run["error"] for run in runs if "error" in run]} if len(good) < len(runs) else {}
    if not good:
        return failed
    means = {key: float(f"{np.mean([run[key] for run in good]):.4g}") for key in (*MEASURES, "seconds")}
    means["decoder_parameters"] = good[0]["decoder_parameters"]
    errors = [run["power_l1"] for run in good]
    spread = {"spread": round(float(np.std(errors, ddof=1) / np.mean(errors)), 3)} if len(good) > 1 else {}
    return means | spread | failed


def over_default(table: Mapping[str, Any], choice: str) -> float | None:
    """Geometric mean over the materials of a choice's power-L1 over the default's; None where either is missing."""
    rows = [
        (found.get(choice, {}).get("power_l1"), found.get("default", {}).get("power_l1")) for found in table.values()
    ]
    if not all(a and b for a, b in rows):
        return None
    return round(float(np.exp(np.mean([np.log(a / b) for a, b in rows]))), 3)


if __name__ == "__main__":
    main()
