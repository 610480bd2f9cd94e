"""Small MaterialX documents that tests write and load."""

from pathlib import Path

import numpy as np

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


def direction(theta_rad: float, phi_rad: float = 0.0) -> np.ndarray:
    """Unit vector at a polar angle from +z, `[3]` float32."""
    s = np.sin(theta_rad)
    return np.array([s * np.cos(phi_rad), s * np.sin(phi_rad), np.cos(theta_rad)], dtype=np.float32)


def random_directions(rng: np.random.Generator, n: int, lowest: float = 0.02) -> np.ndarray:
    """Uniform unit vectors above the surface with z >= lowest, `[n, 3]` float32."""
    z = rng.uniform(lowest, 1, n)
    phi = rng.uniform(0, 2 * np.pi, n)
    s = np.sqrt(1 - z * z)
    return np.stack([s * np.cos(phi), s * np.sin(phi), z], axis=1).astype(np.float32)
