"""Bakes the five built-in materials with latents of 16, 8 and 4 bits: their bytes and their errors. Prints JSON.

    .venv/bin/python benchmarks/latent_bits.py --preset draft --resolution 256 --out out/latent_bits

bytes: of the file, and their share of the source's texture set at the latents' resolution, as uncompressed images of 8
bits a channel, with and without MIP levels; an asset has one level today. hdr_flip, flip: means over the scenes of
`bake_quality.py`, and `over_16` their ratio to those of float16. power_l1, relative_l2: on held-out queries. What is in
`--out` is not done again, so a run that was stopped goes on, and `--only NAME` does a part.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from bake_quality import ERRORS, LIBRARY, SCENES, bake, measure

from verdigris import asset
from verdigris.materials.reference import load_reference
from verdigris.model.grid import LATENT_BITS

HELD_OUT = ("power_l1", "relative_l2")


def texture_bytes(shapes: Iterable[tuple[int, ...]]) -> dict[str, int]:
    """Bytes of images `(height, width, channels)` at 8 bits a channel: `base` alone, `mip` with all levels.

    A level has half the sides of the one before, rounded down to 1 or more.
    """
    base = mip = 0
    for height, width, channels in shapes:
        base += height * width * channels
        levels = max(height, width).bit_length()
        mip += sum(max(height >> k, 1) * max(width >> k, 1) * channels for k in range(levels))
    return {"base": base, "mip": mip}


def row(name: str, reference: Any, bits: int, source: str, options: argparse.Namespace) -> dict[str, Any]:
    """One material with latents of so many bits."""
    kept = options.out / f"{name}.{options.preset}.{options.resolution}.{bits}.json"
    if kept.is_file():
        return dict(json.loads(kept.read_text()))
    path = kept.with_suffix(".vdg")
    settings = ["--resolution", str(options.resolution), "--latent-bits", str(bits), "--layering", options.layering]
    seconds, _ = bake(source, name, path, options, *settings)
    scenes, _ = measure(name, reference, path, options, options.scenes)
    facts = asset.inspect(path)
    result = {
        "bytes": facts["bytes"],
        "seconds": seconds,
        **{key: float(f"{facts['report'][key]:.4g}") for key in HELD_OUT},
        **{key: round(float(np.mean([scenes[s][key] for s in scenes])), 4) for key in (*ERRORS, "floor_hdr_flip")},
        "scenes": scenes,
    }
    beside = kept.with_suffix(".part")
    beside.write_text(json.dumps(result))
    beside.replace(kept)
    print(f"{name}, {bits} bits: {result}", file=sys.stderr, flush=True)
    return result


def compared(rows: dict[int, dict[str, Any]], textures: dict[str, int]) -> dict[str, Any]:
    """The rows of a material with their ratios."""
    found: dict[str, Any] = {"texture_bytes": textures}
    for bits, numbers in rows.items():
        shares = {f"of_textures_{key}": round(numbers["bytes"] / size, 4) for key, size in textures.items()}
        over = {f"{key}_over_16": round(numbers[key] / rows[16][key], 4) for key in (*ERRORS, *HELD_OUT)}
        found[str(bits)] = {**numbers, **shares, **over}
    return found


def main() -> None:
    """Runs what is not done yet, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for assets, images and results")
    parser.add_argument("--preset", default="draft")
    parser.add_argument("--resolution", type=int, default=256, help="side of latents and of the source's textures")
    parser.add_argument("--layering", default="walk", help="scale or walk")
    parser.add_argument("--scenes", nargs="+", default=list(SCENES), metavar="SCENE")
    parser.add_argument("--size", type=int, default=128, help="side of the pictures in pixels")
    parser.add_argument("--spp", type=int, default=512, help="samples a pixel, of each picture")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of all bakes")
    parser.add_argument("--only", action="append", help="a material; repeatable; default: all five")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    materials = {}
    for name in LIBRARY if not options.only else options.only:
        source = f"library:{name}@{options.resolution}"
        reference = load_reference(source, name, layering=options.layering)
        textures = texture_bytes([texture.shape for texture in reference.textures.values()])
        rows = {bits: row(name, reference, bits, source, options) for bits in LATENT_BITS}
        materials[name] = compared(rows, textures)
    keys = [f"{key}_over_16" for key in (*ERRORS, *HELD_OUT)] + ["of_textures_base", "of_textures_mip"]
    worst = {bits: {key: max(m[str(bits)][key] for m in materials.values()) for key in keys} for bits in LATENT_BITS}
    given = ("preset", "resolution", "layering", "scenes", "size", "spp", "set")
    print(
        json.dumps({**{key: getattr(options, key) for key in given}, "worst": worst, "materials": materials}, indent=1)
    )


if __name__ == "__main__":
    main()
