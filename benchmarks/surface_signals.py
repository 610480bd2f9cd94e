"""What it costs the reflection that latents also hold emission or opacity, and how well they do. Prints JSON.

    .venv/bin/python benchmarks/surface_signals.py ../shared/materials --out out/signals

The boombox, whose lamps glow, and a leaf: the black king of the chess set cut out along a smooth line. Each is baked
without heads (weight null) and with several weights of the signal in the tuning phase; 0: the head learns afterwards
alone. power_l1: of the response, held out. error: mean absolute error of the signal over the surface; constant: that of
its mean; wrong: share of the surface that is on the other side of an opacity of a half. What is in `--out` is not done
again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from verdigris.bake import bake, preset
from verdigris.materials.material import Material
from verdigris.materials.reference import load_reference

WEIGHTS = (None, 0.0, 0.03, 0.1, 0.3)
SIZES = {"resolution": 256, "encode_samples": 6_000_000, "tune_samples": 16_000_000}
KING = ("king_black_base_color.jpg", "king_black_normal.jpg", "king_black_roughness.jpg")
POINTS = 100_000

LEAF = """<?xml version="1.0"?>
<materialx version="1.39" colorspace="lin_rec709">
  <image name="colour" type="color3">
    <input name="file" type="filename" value="king_black_base_color.jpg" colorspace="srgb_texture" />
  </image>
  <image name="rough" type="float"><input name="file" type="filename" value="king_black_roughness.jpg" /></image>
  <image name="raw" type="vector3"><input name="file" type="filename" value="king_black_normal.jpg" /></image>
  <normalmap name="normal" type="vector3"><input name="in" type="vector3" nodename="raw" /></normalmap>
  <image name="there" type="float"><input name="file" type="filename" value="there.png" /></image>
  <gltf_pbr name="S" type="surfaceshader">
    <input name="base_color" type="color3" nodename="colour" />
    <input name="metallic" type="float" value="0" />
    <input name="roughness" type="float" nodename="rough" />
    <input name="normal" type="vector3" nodename="normal" />
    <input name="alpha" type="float" nodename="there" />
    <input name="alpha_mode" type="integer" value="1" />
  </gltf_pbr>
  <surfacematerial name="leaf" type="material">
    <input name="surfaceshader" type="surfaceshader" nodename="S" />
  </surfacematerial>
</materialx>
"""


def leaf(folder: Path, textures: Path) -> Path:
    """The document of the leaf, with its textures beside it."""
    for name in KING:
        shutil.copyfile(textures / name, folder / name)
    y, x = (np.mgrid[:512, :512] + 0.5) / 512 * 2 * np.pi
    waves = [np.sin(a * x + b * y + a * b) / (a * a + b * b) ** 0.5 for a in range(1, 9) for b in range(-8, 9)]
    level = np.sum(waves, axis=0)
    Image.fromarray(np.uint8(255 * (level > np.quantile(level, 0.4)))).save(folder / "there.png")
    (folder / "leaf.mtlx").write_text(LEAF)
    return folder / "leaf.mtlx"


def measure(reference: Material, weight: float | None) -> dict[str, Any]:
    """Errors of one bake."""
    changes: dict[str, Any] = {"auxiliary_samples": 0} if weight is None else {"surface_weight": weight}
    material = bake(reference, preset("draft", **SIZES, **changes))
    facts: dict[str, Any] = {"power_l1": material.metadata.report["power_l1"]}
    if weight is None:
        return facts
    uv = np.random.default_rng(0).random((POINTS, 2), dtype=np.float32)
    if reference.emits:
        learned, true = material.emission(uv), reference.emission(uv)
    else:
        learned, true = material.opacity(uv), reference.opacity(uv)
        facts["wrong"] = float(np.mean((learned > 0.5) != (true > 0.5)))
    constant = float(np.abs(true - true.mean(axis=0)).mean())
    return facts | {"error": float(np.abs(learned - true).mean()), "constant": constant}


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("documents", type=Path, help="folder of the shared documents")
    parser.add_argument("--out", type=Path, required=True, help="folder for documents and results")
    parser.add_argument("--only", choices=("boombox", "leaf"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sources = {
        "boombox": options.documents / "gltf_pbr_boombox.mtlx",
        "leaf": leaf(options.out, options.documents / "chess_set"),
    }
    results: dict[str, dict[str, Any]] = {}
    for name, source in sources.items():
        if options.only not in (None, name):
            continue
        for weight in WEIGHTS:
            record = options.out / f"{name}.{weight}.json"
            if not record.is_file():
                record.write_text(json.dumps(measure(load_reference(source), weight)))
            results.setdefault(name, {})[str(weight)] = json.loads(record.read_text())
            print(f"{name} {weight}: {results[name][str(weight)]}", file=sys.stderr, flush=True)
    print(json.dumps({"settings": SIZES, "materials": results}, indent=1))


if __name__ == "__main__":
    main()
