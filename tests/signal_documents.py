"""A material that reflects alike everywhere, but is cut out in one half and glows in the other."""

from pathlib import Path

import numpy as np
from PIL import Image

_DOCUMENT = """<?xml version="1.0"?>
<materialx version="1.39" colorspace="lin_rec709">
  <image name="I" type="color3"><input name="file" type="filename" value="leaf.png" /></image>
  <extract name="glow" type="float"><input name="in" type="color3" nodename="I" /></extract>
  <extract name="there" type="float">
    <input name="in" type="color3" nodename="I" /><input name="index" type="integer" value="1" />
  </extract>
  <multiply name="colour" type="color3">
    <input name="in1" type="color3" value="4, 2, 1" /><input name="in2" type="float" nodename="glow" />
  </multiply>
  <uniform_edf name="E" type="EDF"><input name="color" type="color3" nodename="colour" /></uniform_edf>
  <oren_nayar_diffuse_bsdf name="B" type="BSDF">
    <input name="color" type="color3" value="0.2, 0.5, 0.1" />
  </oren_nayar_diffuse_bsdf>
  <surface name="S" type="surfaceshader">
    <input name="bsdf" type="BSDF" nodename="B" />{inputs}
  </surface>
  <surfacematerial name="M" type="material">
    <input name="surfaceshader" type="surfaceshader" nodename="S" />
  </surfacematerial>
</materialx>
"""
_EMISSION = '<input name="edf" type="EDF" nodename="E" />'
_OPACITY = '<input name="opacity" type="float" nodename="there" />'


def glowing_leaf(folder: Path, emission: bool = True, opacity: bool = True, size: int = 32) -> Path:
    """The document: there where u > 0.5, glowing (4, 2, 1) in the upper half of that, black elsewhere."""
    pixels = np.zeros((size, size, 3), np.uint8)
    pixels[:, size // 2 :, 1] = 255
    pixels[: size // 2, size // 2 :, 0] = 255
    Image.fromarray(pixels).save(folder / "leaf.png")
    path = folder / "leaf.mtlx"
    path.write_text(_DOCUMENT.format(inputs=_EMISSION * emission + _OPACITY * opacity))
    return path
