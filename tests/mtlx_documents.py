"""Small MaterialX documents that tests write and load."""

from pathlib import Path

from verdigris.materials.reference import ReferenceMaterial, load_reference

_TEMPLATE = """<?xml version="1.0"?>
<materialx version="1.39" colorspace="lin_rec709">
{body}
  <surface name="S" type="surfaceshader"><input name="bsdf" type="BSDF" nodename="{root}" /></surface>
  <surfacematerial name="M" type="material">
    <input name="surfaceshader" type="surfaceshader" nodename="S" />
  </surfacematerial>
</materialx>
"""


def write_document(folder: Path, body: str, root: str = "B") -> Path:
    """A document whose surface reads the closure node `root` of `body`."""
    path = folder / "material.mtlx"
    path.write_text(_TEMPLATE.format(body=body, root=root))
    return path


def closure_node(category: str, name: str = "B", **inputs: str) -> str:
    """One closure node; inputs are given as `type:value`, or `@node` for a vector3 connection."""
    lines = []
    for key, text in inputs.items():
        if text.startswith("@"):
            lines.append(f'<input name="{key}" type="vector3" nodename="{text[1:]}" />')
        else:
            kind, value = text.split(":", 1)
            lines.append(f'<input name="{key}" type="{kind}" value="{value}" />')
    return f'<{category} name="{name}" type="BSDF">{"".join(lines)}</{category}>'


def closure_material(folder: Path, category: str, **inputs: str) -> ReferenceMaterial:
    """A material that is one closure."""
    return load_reference(write_document(folder, closure_node(category, **inputs)))


RED = """<?xml version="1.0"?>
<materialx version="1.39" colorspace="lin_rec709">
  <oren_nayar_diffuse_bsdf name="body" type="BSDF">
    <input name="color" type="color3" value="0.6, 0.1, 0.1" />
  </oren_nayar_diffuse_bsdf>
  <surface name="shader" type="surfaceshader"><input name="bsdf" type="BSDF" nodename="body" /></surface>
  <surfacematerial name="red" type="material">
    <input name="surfaceshader" type="surfaceshader" nodename="shader" />
  </surfacematerial>
</materialx>
"""
