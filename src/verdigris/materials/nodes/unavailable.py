"""Nodes that MaterialX defines and a surface point cannot answer: refused by name where they contribute."""

_VIEW = "the value depends on the viewer, and a material's parameters may depend on the surface point only"
_TIME = "a baked material does not change with time"
_HAIR = "hair is no surface"
_GEOMETRY = "the surface that is baked carries no such data: replace the node by an image or a constant"

UNAVAILABLE: dict[str, str] = {
    "chiang_hair_absorption_from_color": _HAIR,
    "chiang_hair_roughness": _HAIR,
    "deon_hair_absorption_from_melanin": _HAIR,
    "frame": _TIME,
    "geomcolor": _GEOMETRY,
    "geompropvalueuniform": _GEOMETRY,
    "time": _TIME,
    "viewdirection": _VIEW,
}
"""Reason by node category. Nodes of the library that are graphs around one of them (facingratio) end here too."""
