"""Light that a material emits: in Mitsuba it is shapes that emit, so a material's is decoded to a picture for them.

The built-in scenes attach it themselves. In a scene of your own, write the picture and put it on the shape:

```python
verdigris.render.emission.write_emission("lamp.vdg", "lamp.exr")
```

```xml
<emitter type="area">
  <texture name="radiance" type="bitmap">
    <string name="filename" value="lamp.exr"/><boolean name="raw" value="true"/>
  </texture>
</emitter>
```
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from verdigris.conventions import Array
from verdigris.errors import RenderError
from verdigris.materials.material import DEFAULT_RESOLUTION
from verdigris.model.neural import NeuralMaterial
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.image import write_image
from verdigris.runtime import mitsuba


def emission_map(material: Any) -> Array:
    """Radiance over the unit square, `[H, W, 3]`, row 0 at the top (v = 1), as pictures have it.

    It is scaled by the opacity: what is cut out does not shine. material: as `verdigris.render.pathtrace.render` takes
    it, not a dict or a BSDF. Size: that of the latents, or of a reference's largest texture. Raises RenderError where
    it does not emit.
    """
    if isinstance(material, NeuralMaterial):
        material = DrjitMaterial(material)
    if not getattr(material, "emits", False):
        raise RenderError("material: expected one that emits light, got one that does not")
    mi = mitsuba()
    height, width = _size(material)
    y, x = np.divmod(np.arange(height * width), width)
    uv = mi.Point2f(mi.Float((x + 0.5) / width), mi.Float(1 - (y + 0.5) / height))
    shown = material.emission_dr(uv)
    if getattr(material, "cuts_out", False):
        shown = shown * material.opacity_dr(uv)
    return (np.array(shown).T + np.zeros((height * width, 1), np.float32)).reshape(height, width, 3)


def write_emission(source: str | Path, path: str | Path) -> None:
    """Writes the `emission_map` of an asset or a reference as an `.exr`.

    source: a `.vdg` file, or as `load_reference` takes it.
    Raises AssetError, GraphError, or RenderError where the source does not emit or the path cannot be written.
    """
    from verdigris.asset import load
    from verdigris.materials.reference import load_reference

    asset = str(source).lower().endswith(".vdg")
    write_image(path, emission_map(load(source) if asset else load_reference(source)))


def area_emitter(material: Any) -> Any:
    """A material's emission as a Mitsuba area emitter, to be given to one shape; None where it does not emit."""
    if not getattr(material, "emits", False):
        return None
    mi = mitsuba()
    # A texel's own radiance at its centre, as the latents have it.
    picture = {"type": "bitmap", "bitmap": mi.Bitmap(emission_map(material)), "raw": True, "wrap_mode": "repeat"}
    return mi.load_dict({"type": "area", "radiance": picture})


def _size(material: Any) -> tuple[int, int]:
    if isinstance(material, DrjitMaterial):
        return material.material.latents[0].shape[:2]
    side = (material.native_resolution or DEFAULT_RESOLUTION) if material.signals_vary else 1
    return side, side
