"""Renders the five deep materials of the library on the sphere and the teapot, as one picture.

    .venv/bin/python benchmarks/gallery.py --out docs/images/library.jpg

Each is the reference itself, path-traced with its layers walked. Prints a line of progress a picture.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image

from verdigris.materials.reference import load_reference
from verdigris.render.image import tonemap, write_atomically
from verdigris.render.pathtrace import render
from verdigris.render.picture import panels

MATERIALS = ("ceramic_teapot", "teapot_handle", "slicer_handle", "slicer_blade", "inkwell_brass")
SCENES = ("sphere", "teapot")


def main() -> None:
    """Renders and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a .jpg or .png file")
    parser.add_argument("--size", type=int, default=320, help="side of each picture in pixels")
    parser.add_argument("--spp", type=int, default=256, help="samples a pixel")
    parser.add_argument("--layering", default="walk", choices=("walk", "scale"))
    parser.add_argument("--resolution", type=int, default=1024, help="side of the textures in texels")
    options = parser.parse_args()

    rows = []
    for scene in SCENES:
        images = [picture(name, scene, options) for name in MATERIALS]
        rows.append(panels(images, [name.replace("_", " ") if scene == SCENES[0] else "" for name in MATERIALS]))
    sheet = Image.fromarray(np.concatenate(rows))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(options.out, lambda path: sheet.save(path, quality=88, optimize=True))
    print(f"{options.out}: {options.out.stat().st_size} bytes")


def picture(name: str, scene: str, options: argparse.Namespace) -> np.ndarray:
    """One material in one scene, `[size, size, 3]` uint8 sRGB."""
    material = load_reference(f"library:{name}@{options.resolution}", layering=options.layering)
    start = time.perf_counter()
    image = render(material, scene, (options.size, options.size), options.spp)
    print(f"{name}, {scene}: {time.perf_counter() - start:.1f} s", flush=True)
    return tonemap(image)


if __name__ == "__main__":
    main()
