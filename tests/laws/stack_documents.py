"""Layered stacks that the tests of their laws load: the same trees coloured and white.

The texture coordinate u is the GGX width of the layers marked by `ROUGH`, so that one material holds all roughnesses.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import numpy as np

from directions import direction
from mtlx_documents import closure_node, write_document
from verdigris.materials.reference import ReferenceMaterial, load_reference

LAYERINGS = ("scale", "walk")
ROUGH = "u"
"""Stands for a width in `coat`."""
TILT_DEG = 10

_PLANE = (
    '<texcoord name="uv" type="vector2" />'
    '<extract name="u" type="float"><input name="in" type="vector2" nodename="uv" /></extract>'
    '<combine2 name="rough" type="vector2"><input name="in1" type="float" nodename="u" />'
    '<input name="in2" type="float" nodename="u" /></combine2>'
)


def coat(
    name: str,
    base: str,
    ior: float = 1.5,
    width: float | str = ROUGH,
    medium: str = "",
    tilt: str = "",
    weight: float = 1,
) -> str:
    """A dielectric layer `name` over the node `base`.

    width: of GGX. medium: inputs of the medium below, as XML. tilt: name of a `normal` node. weight: of the coverage.
    """
    rough = 'nodename="rough"' if width == ROUGH else f'value="{width},{width}"'
    body = (
        f'<dielectric_bsdf name="{name}_top" type="BSDF"><input name="ior" type="float" value="{ior}" />'
        f'<input name="roughness" type="vector2" {rough} /><input name="weight" type="float" value="{weight}" />'
    )
    body += f'<input name="normal" type="vector3" nodename="{tilt}" />' if tilt else ""
    body += "</dielectric_bsdf>"
    if not medium:
        return body + layer(name, f"{name}_top", base)
    body += f'<anisotropic_vdf name="{name}_medium" type="VDF">{medium}</anisotropic_vdf>'
    return body + layer(f"{name}_filled", f"{name}_top", f"{name}_medium", "VDF") + layer(name, f"{name}_filled", base)


def layer(name: str, top: str, base: str, kind: str = "BSDF") -> str:
    """A `layer` node."""
    return (
        f'<layer name="{name}" type="BSDF"><input name="top" type="BSDF" nodename="{top}" />'
        f'<input name="base" type="{kind}" nodename="{base}" /></layer>'
    )


def slab(absorption: str = "0,0,0", scattering: str = "0,0,0", anisotropy: float = 0) -> str:
    """Inputs of a medium."""
    return (
        f'<input name="absorption" type="vector3" value="{absorption}" />'
        f'<input name="scattering" type="vector3" value="{scattering}" />'
        f'<input name="anisotropy" type="float" value="{anisotropy}" />'
    )


def normal(name: str, azimuth_deg: float) -> str:
    """A normal tilted by `TILT_DEG`."""
    value = ",".join(f"{v:.7f}" for v in direction(np.radians(TILT_DEG), np.radians(azimuth_deg)))
    return f'<constant name="{name}" type="vector3"><input name="value" type="vector3" value="{value}" /></constant>'


def mix(name: str, fg: str, bg: str, amount: float) -> str:
    """A `mix` node."""
    return (
        f'<mix name="{name}" type="BSDF"><input name="fg" type="BSDF" nodename="{fg}" />'
        f'<input name="bg" type="BSDF" nodename="{bg}" /><input name="mix" type="float" value="{amount}" /></mix>'
    )


def bodies(white: bool = False) -> dict[str, str]:
    """XML of each stack, whose root is `B`; white: nothing of it absorbs."""
    color = "color3:1,1,1" if white else "color3:0.7,0.4,0.2"
    diffuse = closure_node("oren_nayar_diffuse_bsdf", "diffuse", color=color, weight="float:1")
    mirror = {"color0": color, "color82": color, "color90": color, "roughness": "vector2:0.3,0.3"}
    gold = {"ior": "color3:0.18,0.42,1.37", "extinction": "color3:3.42,2.35,1.77", "roughness": "vector2:0.4,0.2"}
    metal = (
        closure_node("generalized_schlick_bsdf", "metal", **mirror)
        if white
        else closure_node("conductor_bsdf", "metal", **gold)
    )
    absorbing = slab() if white else slab(absorption="0.1,0.4,0.9")
    scattering = slab("0,0,0" if white else "0.05,0.2,0.4", "0.5,1,2", 0.5)
    sheen = closure_node("sheen_bsdf", "sheen", color=color, weight="float:0.6", roughness="float:0.4")
    mixed = diffuse + metal + mix("mixed", "metal", "diffuse", 0.4)
    two = coat("inner", "diffuse", 1.7) + coat("B", "inner", 1.3)
    three = coat("innermost", "diffuse", 1.4) + coat("inner", "innermost", 1.7) + coat("B", "inner", 1.3)
    tilted = normal("n", 30) + normal("m", 250)
    tilted_two = coat("inner", "diffuse", 1.7, tilt="m") + coat("B", "inner", 1.3, tilt="n")
    found = {
        "coat over diffuse": diffuse + coat("B", "diffuse"),
        "coat over metal": metal + coat("B", "metal"),
        "two coats over diffuse": diffuse + two,
        "three coats over diffuse": diffuse + three,
        "absorbing coat": diffuse + coat("B", "diffuse", medium=absorbing),
        "scattering coat": diffuse + coat("B", "diffuse", medium=scattering),
        "tilted coat": tilted + diffuse + coat("B", "diffuse", tilt="n"),
        "two tilted coats": tilted + diffuse + tilted_two,
        "sheen over coat over mix": mixed + coat("coated", "mixed") + sheen + layer("B", "sheen", "coated"),
        "partial coat": diffuse + coat("B", "diffuse", weight=0.6),
    }
    return {name: _PLANE + body for name, body in found.items()}


STACKS = tuple(bodies())


@functools.cache
def load_stack(name: str, layering: str, white: bool = False) -> ReferenceMaterial:
    """One stack as a material, loaded once."""
    with tempfile.TemporaryDirectory() as folder:
        material = load_reference(write_document(Path(folder), bodies(white)[name]), layering=layering)
    assert isinstance(material, ReferenceMaterial)
    return material
