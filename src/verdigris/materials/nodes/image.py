"""Texture images: where the file lies, its colour space, its filter and address modes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from verdigris.errors import GraphError
from verdigris.materials.colorspaces import COLOUR_TYPES, to_linear
from verdigris.materials.graph import WIDTHS, Constant, Node
from verdigris.materials.nodes.registry import Call, parts, pattern, vector_type
from verdigris.materials.nodes.sampler import ADDRESS_MODES, FILTERS, Sampler
from verdigris.runtime import mitsuba

IMAGES = frozenset({"image", "hextiledimage", "hextilednormalmap"})
"""Categories that look up a texture file."""


def resolve(name: str, roots: tuple[Path, ...], where: str) -> Path:
    """The texture file `name`, sought in each root in turn. Raises GraphError if absent or outside all roots."""
    if not name:
        raise GraphError(f"{where}: input 'file': expected a file name, got none")
    if "<" in name:
        raise GraphError(f"{where}: input 'file': tokens such as <UDIM> are not supported: {name}")
    inside = [root.resolve() for root in roots]
    outside = None
    for root in inside:
        path = (root / name).resolve()
        if not path.is_file():
            continue
        if any(path.is_relative_to(allowed) for allowed in inside):
            return path
        outside = path
    if outside is not None:
        raise GraphError(f"{where}: input 'file': {name} leaves the asset roots {', '.join(map(str, inside))}")
    raise GraphError(f"{where}: input 'file': no file {name} in {', '.join(map(str, inside))}")


def texture_key(node: Node) -> str:
    """What two image nodes must share to share a texture."""
    spec = _file(node)
    space = spec.colorspace if node.type in COLOUR_TYPES else ""
    modes = [node.constant(name, "") for name in ("uaddressmode", "vaddressmode", "filtertype")]
    return "|".join(map(str, [spec.value, space, WIDTHS[node.type], *modes]))


def _file(node: Node) -> Constant:
    """The file name of an image node. Raises GraphError where it depends on the surface point."""
    spec = node.inputs.get("file")
    if not isinstance(spec, Constant):
        raise GraphError(f"{node.path}: input 'file': expected a file name, got a connection that varies")
    return spec


def read_pixels(path: Path, width: int, where: str) -> np.ndarray:
    """Encoded pixel values as float32 `[h, w, width]`, first row on top; grey fills colours, absent alpha is 1."""
    mi = mitsuba()
    try:
        bitmap = mi.Bitmap(str(path))
        bitmap.set_srgb_gamma(False)  # values as stored: the colour space is the node's to say
        pixels = np.array(bitmap.convert(component_format=mi.Struct.Type.Float32, srgb_gamma=False))
    except Exception as error:  # Mitsuba raises RuntimeError for every format problem
        detail = " ".join(str(error).split())
        raise GraphError(f"{where}: input 'file': {path} cannot be read as an image: {detail}") from error
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.shape[2] in (1, 2):
        alpha = pixels[..., 1:]
        pixels = np.concatenate([np.repeat(pixels[..., :1], 3, axis=2), alpha], axis=2)
    if pixels.shape[2] < width:
        pixels = np.concatenate([pixels, np.ones((*pixels.shape[:2], width - pixels.shape[2]), np.float32)], axis=2)
    return np.ascontiguousarray(pixels[..., :width], dtype=np.float32)


def load_texture(node: Node, roots: tuple[Path, ...]) -> Sampler:
    """The texture of an image node, linear Rec. 709 where it is a colour. Raises GraphError naming node and input."""
    spec, where = _file(node), node.path
    for name in ("layer", "framerange"):
        if node.constant(name, "") != "":
            raise GraphError(f"{where}: input '{name}': layers and frames of image files are not supported")
    modes = (_option(node, "uaddressmode", "periodic"), _option(node, "vaddressmode", "periodic"))
    filter_type = _option(node, "filtertype", "linear")
    pixels = read_pixels(resolve(str(spec.value), roots, where), WIDTHS[node.type], where)
    if node.type in COLOUR_TYPES:
        pixels = to_linear(pixels, spec.colorspace, where).astype(np.float32)
    return Sampler.build(pixels[::-1], modes, filter_type)


def _option(node: Node, name: str, default: str) -> str:
    """An enumerated input. Raises GraphError for a value that is none of its."""
    known = FILTERS if name == "filtertype" else ADDRESS_MODES
    value = str(node.constant(name, default))
    if value not in known:
        raise GraphError(f"{node.path}: input '{name}': expected one of {', '.join(known)}; got {value!r}")
    return value


@pattern("image")
def image(call: Call) -> Any:
    """Filtered texture lookup; under the address mode `constant`, `default` where a coordinate leaves 0..1."""
    uv, sampler = call["texcoord"], call.textures[texture_key(call.node)]
    value = sampler.eval(uv)
    outside = sampler.outside(uv)
    if outside is not None:
        value = [call.dr.select(outside, b, a) for a, b in zip(value, parts(call["default"]), strict=True)]
    return vector_type(call.mi, WIDTHS[call.node.type])(*value)
