"""A render's noise taken away with the help of the material's own guides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from verdigris.conventions import Array
from verdigris.errors import RenderError
from verdigris.render.aov import check_aovs, render_aovs
from verdigris.render.denoise import GUIDES, denoise

GUIDE_SPP = 16
"""Camera rays a pixel that guides are averaged over, at most: they have little noise of their own."""


def guide_names(material: Any) -> tuple[str, ...]:
    """The guides that a denoiser can have of a material: both or none."""
    try:
        check_aovs(material, GUIDES)
    except RenderError:
        return ()
    return GUIDES


def without_noise(material: Any, picture: Array, scene: str | Path, spp: int, seed: int = 0) -> Array:
    """A picture of the material in the scene, `[height, width, 3]` linear RGB, denoised; as the loop's frames are.

    spp: camera rays a pixel for the guides, of which GUIDE_SPP at most are traced. Raises RuntimeMissing without
    `pyoidn`.
    """
    names = guide_names(material)
    size = (picture.shape[1], picture.shape[0])
    guides = render_aovs(material, names, scene, size, min(spp, GUIDE_SPP), seed) if names else {}
    return denoise(picture, guides.get("albedo"), guides.get("normal"))
