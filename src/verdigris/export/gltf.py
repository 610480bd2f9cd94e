"""The target `gltf`: a sphere whose material any viewer shows, and the asset itself for viewers that know it.

The fallback is metallic-roughness of glTF 2.0: base colour, roughness and normal from the head `guides`, and for the
whole material the metalness that comes closer to the response.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import numpy as np

from verdigris.asset.write import encode
from verdigris.conventions import ALPHA_MIN, Array, half_vector, to_srgb
from verdigris.errors import ExportError
from verdigris.export.options import Export
from verdigris.model.neural import NeuralMaterial

EXTENSION = "VERDIGRIS_neural_material"
RINGS, SECTORS = 48, 96
SIDE_MAX = 1024
"""Largest side of a fallback texture: coarser levels take the place of finer ones."""

QUERIES = 4096
F0_DIELECTRIC = 0.04

USAGE = f"""\
`material.glb` is a unit sphere. A viewer that does not know the extension `{EXTENSION}` of its material shows the
fallback; one that does finds the asset, a `.vdg` file, in the buffer view `asset` of that extension."""


def export(material: NeuralMaterial) -> Export:
    """The target's files. Raises ExportError without the head `guides`, which the fallback is made of."""
    if "guides" not in material.heads:
        raise ExportError("--target gltf: expected an asset with the head guides (auxiliary_samples above 0), got none")
    return Export({"material.glb": glb(material)}, "glTF 2.0", usage=USAGE, facts={"extension": EXTENSION})


def glb(material: NeuralMaterial) -> bytes:
    """The file."""
    buffer = _Buffer()
    positions, uv, triangles = sphere()
    attributes = {
        "POSITION": buffer.accessor(positions, bounds=True),
        "NORMAL": buffer.accessor(positions),
        "TEXCOORD_0": buffer.accessor(uv),
    }
    primitive = {"attributes": attributes, "indices": buffer.accessor(triangles, target=34963), "material": 0}
    pictures = textures(material)
    images = [{"bufferView": buffer.view(png(picture)), "mimeType": "image/png"} for picture in pictures.values()]
    asset = {"asset": buffer.view(encode(material)), "mimeType": "application/x-verdigris"}
    described = {
        "asset": {"version": "2.0", "generator": "verdigris"},
        "extensionsUsed": [EXTENSION],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "materials": [_material(material, list(pictures), asset)],
        "textures": [{"source": index, "sampler": 0} for index in range(len(images))],
        "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 10497, "wrapT": 10497}],
        "images": images,
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.content)}],
    }
    text = json.dumps(described, separators=(",", ":")).encode()
    chunks = _chunk(b"JSON", text, b" ") + _chunk(b"BIN\0", bytes(buffer.content), b"\0")
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _material(material: NeuralMaterial, names: list[str], asset: dict[str, Any]) -> dict[str, Any]:
    """The material; names: of the pictures, in order."""
    made: dict[str, Any] = {
        "name": material.metadata.name or "material",
        "pbrMetallicRoughness": {
            "baseColorTexture": {"index": names.index("base_colour")},
            "metallicRoughnessTexture": {"index": names.index("roughness")},
            "metallicFactor": metalness(material),
        },
        "normalTexture": {"index": names.index("normal")},
        "extensions": {EXTENSION: asset},
    }
    if "emission" in names:
        made |= {"emissiveTexture": {"index": names.index("emission")}, "emissiveFactor": [1, 1, 1]}
    if "opacity" in material.heads:
        made |= {"alphaMode": "MASK", "alphaCutoff": 0.5}
    return made


def textures(material: NeuralMaterial) -> dict[str, Array]:
    """The fallback's pictures, first row at the top, `[H, W, 3 or 4]` uint8."""
    level = next(k for k, texture in enumerate(material.latents) if max(texture.shape[:2]) <= SIDE_MAX)
    height, width = material.latents[level].shape[:2]
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height)[::-1] + 0.5) / height)
    uv, shape = np.stack([x.ravel(), y.ravel()], axis=1), (height, width, -1)
    albedo, normal, roughness = material.guides(uv, level)
    colour = to_srgb(albedo)
    if "opacity" in material.heads:
        colour = np.concatenate([colour, material.opacity(uv, level)[:, None]], axis=1)
    rough = np.stack([np.zeros_like(roughness), roughness, np.ones_like(roughness)], axis=1)
    pictures = {"base_colour": colour, "roughness": rough, "normal": normal / 2 + 0.5}
    if "emission" in material.heads:
        pictures["emission"] = to_srgb(material.emission(uv, level))
    return {name: np.rint(255 * np.clip(p, 0, 1)).astype(np.uint8).reshape(shape) for name, p in pictures.items()}


def metalness(material: NeuralMaterial) -> int:
    """0 or 1: which of the two fallbacks has the response closer to the material's, in logarithms."""
    rng = np.random.default_rng(0)
    uv, wi, wo = rng.random((QUERIES, 2)), *(_directions(rng) for _ in range(2))
    albedo, normal, roughness = (part.astype(float) for part in material.guides(uv))
    target = np.log(material.eval(uv, wi, wo).astype(float) + 1e-3)
    errors = [
        np.abs(np.log(fallback(albedo, normal, roughness, metal, wi, wo) + 1e-3) - target).mean() for metal in (0, 1)
    ]
    return int(errors[1] < errors[0])


def fallback(albedo: Array, normal: Array, roughness: Array, metal: int, wi: Array, wo: Array) -> Array:
    """The response of glTF's metallic-roughness material, cosine included (glTF 2.0, appendix B), `[n, 3]`."""
    h = half_vector(wi, wo)
    cos_i, cos_o, cos_h = (np.maximum((normal * d).sum(axis=1, keepdims=True), 1e-4) for d in (wi, wo, h))
    alpha2 = np.maximum(roughness[:, None] ** 2, ALPHA_MIN) ** 2
    distribution = alpha2 / (np.pi * (cos_h * cos_h * (alpha2 - 1) + 1) ** 2)
    shadowing = [c * np.sqrt(alpha2 + (1 - alpha2) * d * d) for c, d in ((cos_i, cos_o), (cos_o, cos_i))]
    schlick = (1 - np.abs((wi * h).sum(axis=1, keepdims=True))) ** 5
    f0 = albedo if metal else np.full_like(albedo, F0_DIELECTRIC)
    fresnel = f0 + (1 - f0) * schlick
    specular = fresnel * distribution * 0.5 / sum(shadowing)
    diffuse = 0 if metal else (1 - fresnel) * albedo / np.pi
    return (diffuse + specular) * cos_o


def _directions(rng: np.random.Generator) -> Array:
    """Directions by the cosine, `[QUERIES, 3]`."""
    u, phi = rng.random(QUERIES), 2 * np.pi * rng.random(QUERIES)
    return np.stack([np.sqrt(u) * np.cos(phi), np.sqrt(u) * np.sin(phi), np.sqrt(1 - u)], axis=1)


def sphere() -> tuple[Array, Array, Array]:
    """Positions, which are normals too, uv with v downwards, as glTF has it, and triangles of a unit sphere."""
    v, u = np.meshgrid(np.linspace(0, 1, RINGS + 1), np.linspace(0, 1, SECTORS + 1), indexing="ij")
    theta, phi = np.pi * v, 2 * np.pi * u
    positions = np.stack([np.sin(theta) * np.sin(phi), np.cos(theta), np.sin(theta) * np.cos(phi)], axis=-1)
    corner = np.arange(RINGS)[:, None] * (SECTORS + 1) + np.arange(SECTORS)
    right, below = corner + 1, corner + SECTORS + 1
    triangles = np.stack([corner, below, right, right, below, below + 1], axis=-1)
    uv = np.stack([u, v], axis=-1)
    return positions.reshape(-1, 3).astype("<f4"), uv.reshape(-1, 2).astype("<f4"), triangles.ravel().astype("<u4")


def png(pixels: Array) -> bytes:
    """A PNG file of `[H, W, 3 or 4]` uint8."""
    height, width, channels = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 6, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(kind: bytes, content: bytes, filler: bytes) -> bytes:
    padded = content + filler * (-len(content) % 4)
    return struct.pack("<I4s", len(padded), kind) + padded


class _Buffer:
    """The binary part as it grows."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.views: list[dict[str, int]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, data: bytes, target: int | None = None) -> int:
        """Adds bytes at a multiple of four."""
        self.content += bytes(-len(self.content) % 4)
        described = {"buffer": 0, "byteOffset": len(self.content), "byteLength": len(data)}
        self.views.append(described | ({} if target is None else {"target": target}))
        self.content += data
        return len(self.views) - 1

    def accessor(self, array: Array, target: int = 34962, bounds: bool = False) -> int:
        """Adds an array of vectors of floats, or of indices."""
        kind = "SCALAR" if array.ndim == 1 else f"VEC{array.shape[1]}"
        component = 5125 if array.dtype == np.dtype("<u4") else 5126
        described: dict[str, Any] = {"componentType": component, "count": len(array), "type": kind}
        if bounds:
            described |= {"min": array.min(axis=0).tolist(), "max": array.max(axis=0).tolist()}
        self.accessors.append({"bufferView": self.view(array.tobytes(), target), **described})
        return len(self.accessors) - 1
