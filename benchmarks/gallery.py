"""Path-traces references as one picture: the five deep materials, or spheres of these and of all documents of a folder.

    .venv/bin/python benchmarks/gallery.py --out docs/images/library.jpg
    .venv/bin/python benchmarks/gallery.py --documents ../shared/materials --spp 1024 --out docs/images/gallery.jpg

Without `--documents` each deep material is shown on the sphere and the teapot. Layers are combined as by default, so
the library's are walked. Images are kept in `--work`, so a run that was stopped goes on. Prints a line a picture.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from verdigris.errors import VerdigrisError
from verdigris.materials.reference import load_reference, material_names
from verdigris.render.image import read_image, tonemap, write_atomically, write_image
from verdigris.render.pathtrace import render
from verdigris.render.picture import BACKGROUND, GAP, panels

MATERIALS = ("ceramic_teapot", "teapot_handle", "slicer_handle", "slicer_blade", "inkwell_brass")
COLUMNS = 5


def main() -> None:
    """Renders and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="a .jpg or .png file")
    parser.add_argument("--documents", type=Path, help="a folder of .mtlx documents, to be shown as well")
    parser.add_argument("--size", type=int, default=256, help="side of each picture in pixels")
    parser.add_argument("--spp", type=int, default=256, help="samples a pixel")
    parser.add_argument("--resolution", type=int, default=1024, help="side of the library's textures in texels")
    parser.add_argument("--work", type=Path, help="folder that keeps the images; a temporary one by default")
    options = parser.parse_args()

    library = [(f"library:{name}@{options.resolution}", name, name.replace("_", " ")) for name in MATERIALS]
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        if options.documents:
            shown = [picture(*subject, "sphere", work, options) for subject in library + documents(options.documents)]
            labels = [label for label, image in shown if image is not None]
            images = [image for _, image in shown if image is not None]
        else:
            shown = [picture(*subject, scene, work, options) for scene in ("sphere", "teapot") for subject in library]
            images = [image for _, image in shown if image is not None]
            labels = [label if index < COLUMNS else "" for index, (label, _) in enumerate(shown)]
    sheet = table(images, labels)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(options.out, lambda path: sheet.save(path, quality=88, optimize=True))
    print(f"{options.out}: {options.out.stat().st_size} bytes")


def documents(folder: Path) -> list[tuple[str, str, str]]:
    """(source, material, label) of every material of every document of a folder."""
    subjects = []
    for path in sorted(folder.glob("*.mtlx")):
        names = material_names(path)
        for name in names:
            label = name.removeprefix("M_") if len(names) > 1 else path.stem
            subjects.append((str(path), name, label.replace("_", " ")))
    return subjects


def picture(
    source: str, name: str, label: str, scene: str, work: Path, options: argparse.Namespace
) -> tuple[str, np.ndarray | None]:
    """The label and the image, `[size, size, 3]` uint8 sRGB; None, with the reason printed, for what is refused."""
    kept = work / f"{Path(source).stem.replace(':', '.')}.{name}.{scene}.{options.size}.{options.spp}.exr"
    start = time.perf_counter()
    try:
        if not kept.is_file():
            image = render(load_reference(source, name), scene, (options.size, options.size), options.spp)
            write_image(kept, image)
    except VerdigrisError as error:
        print(f"{label}: refused: {error}", flush=True)
        return label, None
    print(f"{label}, {scene}: {time.perf_counter() - start:.1f} s", flush=True)
    return label, tonemap(read_image(kept))


def table(images: list[np.ndarray], labels: list[str]) -> Image.Image:
    """Pictures of one size under their labels, in rows of COLUMNS."""
    rows = [range(first, min(first + COLUMNS, len(images))) for first in range(0, len(images), COLUMNS)]
    drawn = [panels([images[index] for index in row], [labels[index] for index in row]) for row in rows]
    canvas = Image.new("RGB", (drawn[0].shape[1], sum(row.shape[0] + GAP for row in drawn)), BACKGROUND)
    for line, row in enumerate(drawn):
        canvas.paste(Image.fromarray(row), (0, line * (row.shape[0] + GAP)))
    return canvas


if __name__ == "__main__":
    main()
