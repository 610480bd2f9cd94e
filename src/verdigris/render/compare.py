"""A neural material beside its reference: images, errors, pictures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.errors import RenderError
from verdigris.render import metrics
from verdigris.render.image import tonemap, write_atomically, write_image, write_png
from verdigris.render.pathtrace import coverage, render
from verdigris.render.picture import magma, panels, sheet, shrink

Progress = Callable[[str, int, int], None]
"""Called with (reference or neural, samples per pixel done, samples per pixel asked for)."""


@dataclass(frozen=True, eq=False)
class ComparisonResult:
    """Two images of one scene and how far they are apart.

    reference, neural: linear RGB, `[height, width, 3]`. flip, hdr_flip: error maps, `[height, width]` in 0..1, 0 where
    the material is not. mask: the pixels it covers. exposure: of all that is tone-mapped, in stops.
    metrics: plain JSON values; the keys are those of `compare_images` and `compare`.
    """

    reference: Array
    neural: Array
    flip: Array
    hdr_flip: Array
    mask: np.ndarray
    exposure: float
    metrics: dict[str, Any]

    def pictures(self) -> dict[str, np.ndarray]:
        """reference, neural, flip, hdr_flip and side_by_side as 8-bit sRGB, `[height, width, 3]`."""
        shown = {
            "reference": tonemap(self.reference, self.exposure),
            "neural": tonemap(self.neural, self.exposure),
            "flip": magma(self.flip),
            "hdr_flip": magma(self.hdr_flip),
        }
        labels = ("reference", "neural", f"FLIP {self.metrics['covered']['flip']:.3f}")
        shown["side_by_side"] = panels([shown[name] for name in ("reference", "neural", "flip")], labels)
        return shown

    def save(self, folder: str | Path) -> None:
        """Writes reference, neural, flip, hdr_flip and side_by_side as PNG, both images as EXR, and metrics.json.

        Each file is whole or absent; metrics.json comes last. Raises RenderError naming the path.
        """
        folder = Path(folder)
        for name, pixels in self.pictures().items():
            write_png(folder / f"{name}.png", pixels)
        for name, image in (("reference", self.reference), ("neural", self.neural)):
            write_image(folder / f"{name}.exr", image)
        text = json.dumps(self.metrics, indent=2, sort_keys=True) + "\n"
        write_atomically(folder / "metrics.json", lambda path: _write_text(path, text))


def compare_images(reference: Array, neural: Array, mask: np.ndarray, exposure: float = 0.0) -> ComparisonResult:
    """Errors of two images, `[height, width, 3]` linear, over the mask ("covered") and over all pixels ("image").

    Under each: flip, hdr_flip (mean of the map), psnr_db (None where equal), relmse, reference_mean, neural_mean (RGB).
    Beside them: covered_pixels, exposure, and invalid_pixels, of the neural image, which count as black.
    Raises RenderError where the shapes differ or the reference is not finite.
    """
    if reference.shape != neural.shape or mask.shape != reference.shape[:2]:
        raise RenderError(f"images: expected one shape, got {reference.shape}, {neural.shape} and mask {mask.shape}")
    if not np.isfinite(reference).all():
        raise RenderError("reference image: expected finite values, got NaN or infinity")
    valid = np.asarray(np.isfinite(neural).all(axis=-1))
    neural = np.where(valid[..., None], neural, 0)
    maps = {"flip": metrics.flip_ldr(reference, neural, exposure), "hdr_flip": metrics.flip_hdr(reference, neural)}
    values: dict[str, Any] = {
        name: _errors(reference, neural, maps, chosen, exposure)
        for name, chosen in (("covered", mask), ("image", None))
    }
    values |= {"covered_pixels": int(mask.sum()), "invalid_pixels": int((~valid).sum()), "exposure": exposure}
    shown = {name: np.where(mask, error, 0) for name, error in maps.items()}
    return ComparisonResult(reference, neural, shown["flip"], shown["hdr_flip"], mask, exposure, values)


def compare(
    neural: Any,
    reference: Any,
    scene: str | Path = "sphere",
    size: tuple[int, int] = (512, 512),
    spp: int = 64,
    reference_spp: int | None = None,
    seed: int = 0,
    on_progress: Progress | None = None,
    level: float | None = None,
) -> ComparisonResult:
    """Renders a neural material and its reference in one scene and compares them.

    neural, reference, scene, size, spp, level: as `verdigris.render.pathtrace.render` takes them. reference_spp:
    samples per pixel of the reference, `spp` by default. The two renders get different random numbers, so their noise
    adds to the errors. metrics: those of `compare_images`, and scene, size, spp, reference_spp, seed, neural_seconds,
    reference_seconds (loading the scene and compiling included).
    """
    reference_spp = reference_spp or spp
    images, seconds = [], []
    for name, material, samples, number, shown in (
        ("reference", reference, reference_spp, 2 * seed + 1, None),
        ("neural", neural, spp, 2 * seed, level),
    ):
        start = time.perf_counter()
        report = None if on_progress is None else _named(on_progress, name)
        images.append(render(material, scene, size, samples, number, report, shown))
        seconds.append(round(time.perf_counter() - start, 3))
    result = compare_images(images[0], images[1], coverage(scene, size))
    result.metrics.update(
        scene=str(scene),
        size=list(size),
        spp=spp,
        reference_spp=reference_spp,
        seed=seed,
        reference_seconds=seconds[0],
        neural_seconds=seconds[1],
    )
    return result


def contact_sheet(
    rows: Sequence[tuple[str, ComparisonResult]], path: str | Path, columns: int = 1, panel_width: int = 256
) -> None:
    """Writes one PNG with reference | neural | FLIP of many materials, each under its name.

    rows: (label, result). columns: comparisons beside one another. panel_width: images wider than it are scaled down.
    Raises RenderError where there are none, their sizes differ, or the file cannot be written.
    """
    if len({result.reference.shape for _, result in rows}) != 1:
        raise RenderError(
            f"contact sheet: expected 1 or more comparisons of one size, got {len(rows)} of several or none"
        )
    drawn = []
    for label, result in rows:
        shown = result.pictures()
        small = [shrink(shown[name], panel_width) for name in ("reference", "neural", "flip")]
        drawn.append(panels(small, (label, "neural", f"FLIP {result.metrics['covered']['flip']:.3f}")))
    sheet(drawn, path, columns)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _named(on_progress: Progress, name: str) -> Callable[[int, int], None]:
    return lambda done, total: on_progress(name, done, total)


def _errors(
    reference: Array, neural: Array, maps: dict[str, Array], mask: np.ndarray | None, exposure: float
) -> dict[str, Any]:
    decibels = metrics.psnr(reference, neural, exposure, mask)
    return {
        **{name: metrics.masked_mean(error, mask) for name, error in maps.items()},
        "psnr_db": decibels if np.isfinite(decibels) else None,
        "relmse": metrics.relative_mse(reference, neural, mask),
        "reference_mean": [metrics.masked_mean(reference[..., c], mask) for c in range(3)],
        "neural_mean": [metrics.masked_mean(neural[..., c], mask) for c in range(3)],
    }
