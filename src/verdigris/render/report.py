"""A picture of how a bake went: its loss curves, and its response beside the reference's at several texels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from verdigris.conventions import Array, luminance
from verdigris.model.neural import NeuralMaterial
from verdigris.render.image import write_png
from verdigris.render.picture import BACKGROUND
from verdigris.render.plot import INK, NEURAL, REFERENCE, Colour, Curve, chart, half_circle, notes
from verdigris.runtime import mitsuba

VIEWS_DEG = (0.0, 40.0, 75.0)
TEXELS = 4
CANDIDATES, LLOYD_STEPS = 1024, 10
SEEDS = 256
"""Estimates that the reference's curve averages where layers are walked."""

ANGLE_STEP_DEG = 0.1
SIDE, PLOT = 400, 250
NUMBERS = ("power_l1", "relative_l1", "energy_ratio", "reciprocity_error", "albedo_max", "training_samples", "retries")


def choose_texels(material: NeuralMaterial, count: int = TEXELS) -> Array:
    """Centres `[k, 2]` of up to `count` texels that stand for the surface's regions, the largest region first; the same
    for the same material.

    Up to CANDIDATES random texels are grouped by their latents (Lloyd's algorithm, from texels far apart); each group
    is stood for by the one nearest to its mean.
    """
    texture = material.latents[0]
    height, width = texture.shape[:2]
    rng = np.random.default_rng(height * width)
    flat = rng.permutation(height * width)[:CANDIDATES]
    latents = texture.reshape(height * width, -1)[flat].astype(np.float64)
    centres = latents.mean(axis=0)[None]
    while len(centres) < count and (gap := _distances(latents, centres).min(axis=1)).max() > 0.0:
        centres = np.concatenate([centres, latents[gap.argmax()][None]])
    for _ in range(LLOYD_STEPS):
        group = _distances(latents, centres).argmin(axis=1)
        kept = [k for k in range(len(centres)) if (group == k).any()]
        centres = np.stack([latents[group == k].mean(axis=0) for k in kept])
    distances = _distances(latents, centres)
    sizes = np.bincount(distances.argmin(axis=1), minlength=len(centres))
    chosen = list(dict.fromkeys(flat[distances[:, k].argmin()] for k in np.argsort(-sizes, kind="stable")))
    y, x = np.divmod(np.array(chosen), width)
    return np.stack([(x + 0.5) / width, (y + 0.5) / height], axis=1)


def _distances(points: Array, centres: Array) -> Array:
    return np.linalg.norm(points[:, None] - centres[None], axis=2)


def plane_of_incidence(theta: float) -> tuple[Array, Array, Array]:
    """(angles `[n]`, wi `[n, 3]`, wo `[n, 3]`): a viewer `theta` radians from the normal towards +x, and directions all
    over the half circle through both, angles from -pi/2 to pi/2, positive on the viewer's side."""
    end = 0.5 * np.pi - 1e-3
    angles = np.linspace(-end, end, round(180.0 / ANGLE_STEP_DEG) + 1)
    wo = np.stack([np.sin(angles), np.zeros_like(angles), np.cos(angles)], axis=1)
    wi = np.broadcast_to([np.sin(theta), 0.0, np.cos(theta)], wo.shape)
    return angles, wi.astype(np.float32), wo.astype(np.float32)


def mean_response(reference: Any, uv: Array, wi: Array, wo: Array, seeds: int = SEEDS, first: int = 0) -> Array:
    """The reference's response times cosine, `[n, 2], [n, 3], [n, 3] -> [n, 3]`.

    Of walks it is the mean over that many seeds from `first` on.
    """
    if not reference.stochastic:
        return reference.eval(uv, wi, wo)
    # One array of seeds, for one kernel: a number would be compiled into a kernel of its own.
    numbers = mitsuba().UInt32(np.repeat(np.arange(first, first + seeds, dtype=np.uint32), len(uv)))
    repeated = (np.tile(part, (seeds, 1)) for part in (uv, wi, wo))
    return reference.eval(*repeated, seed=numbers).reshape(seeds, len(uv), 3).mean(axis=0)


def picture(material: NeuralMaterial, reference: Any) -> np.ndarray:
    """The report of a bake as 8-bit sRGB, `[height, width, 3]`. reference: what the material was baked from.

    Left: the loss over the training (of the asset's report, where it has that) and the measured quality. Right: a row a
    texel, a column a view, luminance of response times cosine in the plane of incidence, see `plot.half_circle`.
    """
    places = choose_texels(material)
    queries = [plane_of_incidence(np.radians(view)) for view in VIEWS_DEG]
    wi, wo = (np.concatenate([query[k] for query in queries]) for k in (1, 2))
    rows = []
    for uv in places:
        at = np.repeat(uv[None].astype(np.float32), len(wi), axis=0)
        values = [luminance(value) for value in (mean_response(reference, at, wi, wo), material.eval(at, wi, wo))]
        pairs = np.stack(values).reshape(2, len(VIEWS_DEG), -1)
        rows.append(np.concatenate([_plot(queries[k][0], pairs[:, k], k, uv) for k in range(len(VIEWS_DEG))], axis=1))
    right = np.concatenate(rows)
    left = _side(material, max(len(right), 420))
    height = max(len(left), len(right))
    return np.concatenate([_pad(left, height), _pad(right, height)], axis=1)


def save(material: NeuralMaterial, reference: Any, path: str | Path) -> None:
    """Writes `picture` as a PNG. Raises RenderError where it cannot be written."""
    write_png(path, picture(material, reference))


def curves(material: NeuralMaterial) -> list[Curve]:
    """The training's loss over millions of samples, a curve a phase; none where the asset's report has no such."""
    found, start = [], 0.0
    try:
        for part in material.metadata.report["curves"]:
            values = np.array(part["loss"], dtype=np.float64)
            every, steps = int(part["steps_a_point"]), int(part["steps"])
            positions = np.minimum(np.arange(1, len(values) + 1) * every, steps) * int(material.metadata.bake["batch"])
            if not len(values) or not (values > 0.0).all() or not np.isfinite(values).all() or steps <= 0:
                return []
            found.append(Curve(str(part["phase"])[:32], start + positions * 1e-6, values))
            start = float(found[-1].positions[-1])
    except (KeyError, TypeError, ValueError, OverflowError):
        # The report is free in the format, and other writers may use the name for something else.
        return []
    return found


def _plot(angles: Array, pair: Array, view: int, uv: Array) -> np.ndarray:
    label = f"view {VIEWS_DEG[view]:g}°, uv {uv[0]:.3f} {uv[1]:.3f}"
    return half_circle(angles, pair[0], pair[1], np.radians(VIEWS_DEG[view]), label, PLOT)


def _side(material: NeuralMaterial, height: int) -> np.ndarray:
    metadata = material.metadata
    rows: list[tuple[str, str, Colour]] = [
        ("reference", "area", REFERENCE),
        ("neural", "line", NEURAL),
        ("radius", "cube root, inner circle a tenth", INK),
    ]
    for name in NUMBERS:
        value = metadata.report.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            rows.append((name, f"{value:.4g}", INK))
    below = notes(rows, SIDE, 19 * len(rows) + 12)
    found = curves(material)
    title = f"{metadata.name}: training loss" if found else f"{metadata.name}: no curves in this asset"
    above = chart(found, title, "million samples", SIDE, height - len(below))
    return np.concatenate([above, below])


def _pad(image: np.ndarray, height: int) -> np.ndarray:
    fill = np.full((height - len(image), image.shape[1], 3), BACKGROUND, np.uint8)
    return np.concatenate([image, fill])
