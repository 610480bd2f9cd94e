"""Measures how baked materials are sampled: chi-square, noise in renders, furnace, largest weight. Prints JSON.

    .venv/bin/python benchmarks/sampling.py out/quality/*.vdg --references ../shared/materials --out out/sampling

chi_square: p-values of `--cases` cases; a significance of 0.01 is shared by all cases of a run (Bonferroni).
relmse: of an image with 16 samples a pixel of a sphere under a dim sky with a small bright light, stock `path` with
multiple importance sampling, each way to sample against its own mean: the material's own sampler, the cosine, one
mixture a texel, and the reference with its own sampler.
kept: light in a white furnace by the sampler over the same by other directions. largest: weight of a sample over the
mean.
A table, and a picture of the noise, are written beside the JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from decoder_choices import keep
from samplers import Cosine, PerTexel, chi_squares, kept, largest, noise, pictures

import verdigris
from verdigris.conventions import Array
from verdigris.materials.reference import load_reference
from verdigris.model import NeuralMaterial
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.image import tonemap
from verdigris.render.picture import panels, sheet

SCENE, SIZE, SPP, RENDERS = "sphere@glare", 64, 16, 64
SIGNIFICANCE = 0.01
WAYS: dict[str, Callable[[NeuralMaterial], Any]] = {"neural": DrjitMaterial, "cosine": Cosine, "per_texel": PerTexel}
SHOWN_SPP, SHOWN_SIZE = 8, 192


def reference(material: NeuralMaterial, folder: Path | None) -> Any:
    """What a material was baked from."""
    source = material.metadata.source
    uri = source["uri"]
    path = uri if uri.startswith("library:") or folder is None else str(folder / Path(uri).name)
    if not uri.startswith("library:") and folder is not None and not Path(path).is_file():
        path = str(next(folder.rglob(Path(uri).name)))
    return load_reference(path, source.get("material"), layering=source.get("layering"))


def measured(path: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All numbers of a material, kept one by one."""
    material = verdigris.load(path)
    files = options.out / path.stem.split(".")[0]
    files.mkdir(parents=True, exist_ok=True)

    def once(name: str, measure: Callable[[], Any]) -> Any:
        file = files / f"{name}.json"
        if not file.is_file():
            keep(file, measure())
            print(f"{files.name}: {name}: {file.read_text().strip()}", file=sys.stderr, flush=True)
        return json.loads(file.read_text())

    relmse = {name: once(name, lambda way=way: _noise(way(material))) for name, way in WAYS.items()}
    relmse["reference"] = once("reference", lambda: _noise(reference(material, options.references)))
    p_values = once("chi_square", lambda: chi_squares(material, options.cases, options.chi_samples))
    return {
        "chi_square": p_values,
        "relmse": relmse,
        "kept": once("kept", lambda: round(kept(material, options.views), 5)),
        "largest": once("largest", lambda: {"samples": options.samples, "ratio": largest(material, options.samples)}),
    }


def _noise(material: Any) -> float:
    return float(f"{noise(material, SCENE, SIZE, SPP, RENDERS)[0]:.4g}")


def table(found: dict[str, Any]) -> str:
    """The numbers as Markdown."""
    lines = [
        "| material | chi-square, failed of | relMSE: reference | neural | cosine | per texel | neural / reference "
        "| cosine / neural | kept | largest / mean |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in found.items():
        noise_of, p_values = row["relmse"], row["chi_square"]
        failed = sum(p < SIGNIFICANCE / (len(p_values) * len(found)) for p in p_values)
        ratios = noise_of["neural"] / noise_of["reference"], noise_of["cosine"] / noise_of["neural"]
        values = [noise_of[key] for key in ("reference", "neural", "cosine", "per_texel")]
        lines.append(
            f"| {name} | {failed} of {len(p_values)} | "
            + " | ".join(f"{value:.3g}" for value in values)
            + f" | {ratios[0]:.2f} | {ratios[1]:.1f} | {row['kept']:.4f} | {row['largest']['ratio']:.0f} |"
        )
    return "\n".join(lines) + "\n"


def picture(paths: list[Path], options: argparse.Namespace) -> None:
    """A row a material: cosine, one mixture a texel, the sampler, and the reference's own, at few samples a pixel."""
    rows = []
    for path in paths:
        material = verdigris.load(path)
        shown = {
            "cosine": Cosine(material),
            "per texel": PerTexel(material),
            "neural": DrjitMaterial(material),
            "reference": reference(material, options.references),
        }
        images = [_shown(way) for way in shown.values()]
        rows.append(panels(images, [f"{path.stem.split('.')[0]}: {name}" for name in shown]))
    sheet(rows, options.out / "sampling.png")


def _shown(material: Any) -> Array:
    return np.asarray(tonemap(pictures(material, SCENE, SHOWN_SIZE, SHOWN_SPP, 1)[0]))


def main() -> None:
    """Measures what is not kept yet, and prints all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assets", nargs="+", type=Path)
    parser.add_argument("--references", type=Path, help="folder of the documents that are not built in")
    parser.add_argument("--out", type=Path, required=True, help="folder that keeps the results")
    parser.add_argument("--cases", type=int, default=24)
    parser.add_argument("--chi-samples", type=int, default=40_000)
    parser.add_argument("--views", type=int, default=1 << 15)
    parser.add_argument("--samples", type=int, default=1 << 25, help="of the largest weight, for each material")
    parser.add_argument("--picture", action="store_true", help="render the picture too")
    options = parser.parse_args()
    found = {path.stem.split(".")[0]: measured(path, options) for path in options.assets}
    (options.out / "table.md").write_text(table(found), encoding="utf-8")
    if options.picture:
        picture(options.assets, options)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
