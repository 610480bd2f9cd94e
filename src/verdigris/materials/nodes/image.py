"""Texture images: where the file lies, its colour space, its filter and address modes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from verdigris.errors import GraphError
from verdigris.materials.graph import WIDTHS, Constant, Node
from verdigris.materials.nodes.registry import Call, parts, pattern, vector_type
from verdigris.runtime import mitsuba

_WRAP = {"periodic": "Repeat", "clamp": "Clamp", "mirror": "Mirror", "constant": "Clamp"}
_FILTER = {"linear": "Linear", "closest": "Nearest", "cubic": "Linear"}
_COLOUR_TYPES = ("color3", "color4")
IMAGES = frozenset({"image", "hextiledimage", "hextilednormalmap"})
"""Categories that look up a texture file."""


def _ap1_to_rec709() -> np.ndarray:
    """ACEScg (AP1, D60) to Rec. 709 (D65), Bradford adapted; from the ACES reference implementation."""
    return np.array(
        [
            [1.70505099, -0.62179212, -0.08325887],
            [-0.13025642, 1.14080474, -0.01054832],
            [-0.02400336, -0.12896898, 1.15297233],
        ]
    )


def _gamma(exponent: float) -> Any:
    return lambda x: np.power(np.maximum(x, 0), exponent)


def _from_srgb(x: np.ndarray) -> np.ndarray:
    return np.where(x <= 0.04045, x / 12.92, np.power(np.maximum((x + 0.055) / 1.055, 0), 2.4))


COLOUR_SPACES: dict[str, Any] = {
    "": lambda x: x,
    "none": lambda x: x,
    "raw": lambda x: x,
    "lin_rec709": lambda x: x,
    "srgb_texture": _from_srgb,
    "gamma18": _gamma(1.8),
    "gamma22": _gamma(2.2),
    "gamma24": _gamma(2.4),
    "acescg": lambda x: x @ _ap1_to_rec709().T,
    "lin_ap1": lambda x: x @ _ap1_to_rec709().T,
}
"""Conversions of `[..., 3]` values to linear Rec. 709, by MaterialX colour space name."""


def to_linear(value: np.ndarray, colorspace: str, where: str) -> np.ndarray:
    """Linear Rec. 709 of `[..., 3 or 4]` values; alpha is kept. Raises GraphError for an unknown colour space."""
    if colorspace not in COLOUR_SPACES:
        known = ", ".join(sorted(name for name in COLOUR_SPACES if name))
        raise GraphError(f"{where}: colorspace: expected one of {known}; got {colorspace}")
    colour = COLOUR_SPACES[colorspace](value[..., :3])
    return np.concatenate([colour, value[..., 3:]], axis=-1)


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
    spec = node.inputs.get("file")
    assert isinstance(spec, Constant)
    space = spec.colorspace if node.type in _COLOUR_TYPES else ""
    modes = [node.constant(name, "") for name in ("uaddressmode", "vaddressmode", "filtertype")]
    return "|".join(map(str, [spec.value, space, WIDTHS[node.type], *modes]))


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


def load_texture(node: Node, roots: tuple[Path, ...]) -> Any:
    """The Dr.Jit texture of an image node, linear Rec. 709 where it is a colour, first row at v = 0."""
    mi = mitsuba()
    import drjit as dr

    spec = node.inputs["file"]
    assert isinstance(spec, Constant)
    where = node.path
    modes = {str(node.constant(name, "periodic")) for name in ("uaddressmode", "vaddressmode")}
    if len(modes) != 1:
        raise GraphError(f"{where}: expected the same address mode for u and v, got {' and '.join(sorted(modes))}")
    pixels = read_pixels(resolve(str(spec.value), roots, where), WIDTHS[node.type], where)
    if node.type in _COLOUR_TYPES:
        pixels = to_linear(pixels, spec.colorspace, where).astype(np.float32)
    return mi.Texture2f(
        mi.TensorXf(np.ascontiguousarray(pixels[::-1])),
        filter_mode=getattr(dr.FilterMode, _FILTER[str(node.constant("filtertype", "linear"))]),
        wrap_mode=getattr(dr.WrapMode, _WRAP[modes.pop()]),
    )


@pattern("image")
def image(call: Call) -> Any:
    """Filtered texture lookup; address mode `constant` yields `default` outside the unit square."""
    uv = call["texcoord"]
    width = WIDTHS[call.node.type]
    value = call.textures[texture_key(call.node)].eval(call.mi.Point2f(uv.x, uv.y))
    if call.node.constant("uaddressmode", "periodic") == "constant":
        inside = (uv.x >= 0) & (uv.x <= 1) & (uv.y >= 0) & (uv.y <= 1)
        value = [call.dr.select(inside, a, b) for a, b in zip(value, parts(call["default"]), strict=True)]
    return vector_type(call.mi, width)(*value)
