"""Bakes and compares every material of every document in a folder: times, errors, a contact sheet.

    .venv/bin/python benchmarks/documents.py ../shared/materials --out out/documents

Each material is baked by the command line in a process of its own, so the seconds are those a user waits, start-up
and compilation included; let nothing else run meanwhile. Documents that are refused are listed with their error.
What is already in `--out` is not done again, so a run that was stopped goes on. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from bake_quality import bake

import verdigris
from verdigris.errors import VerdigrisError
from verdigris.materials.reference import load_reference, material_names
from verdigris.render.compare import ComparisonResult, compare_images, contact_sheet
from verdigris.render.compare import compare as render_both
from verdigris.render.image import read_image
from verdigris.render.pathtrace import coverage


def materials(sources: list[str]) -> list[tuple[str, str]]:
    """(source, material) of every document of some folders, or of a `library:NAME`."""
    found: list[tuple[str, str]] = []
    for source in sources:
        paths = sorted(map(str, Path(source).glob("*.mtlx"))) if Path(source).is_dir() else [source]
        found += [(path, name) for path in paths for name in material_names(path)]
    return found


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="+", help="folders of .mtlx documents, or library:NAME")
    parser.add_argument("--out", type=Path, required=True, help="folder for assets and pictures")
    parser.add_argument("--preset", default="draft")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of all bakes")
    parser.add_argument("--size", type=int, default=256, help="side of the pictures in pixels")
    parser.add_argument("--spp", type=int, default=256, help="samples a pixel, of each picture")
    parser.add_argument("--bake-only", action="store_true", help="leave the pictures for a later run")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    rows, refused, results = [], {}, []
    for source, material in materials(options.sources):
        label = f"{Path(source).stem.removeprefix('library:')}/{material}"
        try:
            load_reference(source, material)
        except VerdigrisError as error:
            refused[label] = str(error).replace(str(Path(source).parent), "")
            continue
        asset = options.out / f"{label.replace('/', '.')}.vdg"
        rows.append((label, source, material, asset, bake(source, material, asset, options)[0]))
    if not options.bake_only:
        compared = [(row[0], compare(*row[1:4], options)) for row in rows]
        contact_sheet(compared, options.out / "contact_sheet.png", columns=2, panel_width=192)
        results = [numbers(row[0], *row[3:], result) for row, (_, result) in zip(rows, compared, strict=True)]
    report = {
        "device": {"cpu_count": os.cpu_count()},
        "preset": options.preset,
        "size": options.size,
        "spp": options.spp,
        "slowest_bake_seconds": max(row[4] for row in rows),
        "materials": results or [{"name": row[0], "bake_seconds": row[4]} for row in rows],
        "refused": refused,
    }
    print(json.dumps(report, indent=1))


def compare(source: str, material: str, asset: Path, options: argparse.Namespace) -> ComparisonResult:
    """One asset beside its reference; the images are kept, so that a second run only measures them."""
    folder, size = asset.with_suffix(""), (options.size, options.size)
    if (folder / "metrics.json").is_file():
        images = [read_image(folder / f"{name}.exr") for name in ("reference", "neural")]
        return compare_images(*images, coverage("sphere", size))
    folder.mkdir(exist_ok=True)
    result = render_both(verdigris.load(asset), load_reference(source, material), "sphere", size, options.spp)
    result.save(folder)
    return result


def numbers(label: str, asset: Path, seconds: float, result: ComparisonResult) -> dict[str, object]:
    """What the table shows of one material."""
    covered = result.metrics["covered"]
    return {
        "name": label,
        "bake_seconds": seconds,
        "bytes": asset.stat().st_size,
        "power_l1": verdigris.load(asset).metadata.report["power_l1"],
        **{key: covered[key] and round(covered[key], 4) for key in ("flip", "hdr_flip", "psnr_db", "relmse")},
    }


if __name__ == "__main__":
    main()
