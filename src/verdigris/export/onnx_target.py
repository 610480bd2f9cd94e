"""The target `onnx`: graphs from latents and directions to the response, samples, densities and heads."""

from __future__ import annotations

import io
from importlib.resources import files

import numpy as np

from verdigris.export.assemble import program_of
from verdigris.export.graph import Graph, Value, WholeNetworks
from verdigris.export.options import Binding, Export
from verdigris.export.surface import Surface
from verdigris.export.weights import BLOCK
from verdigris.model.neural import NeuralMaterial

USAGE = """\
Each graph takes n queries at once; `latent` is what bilinear interpolation in one level of `latents.npz` gives
(`levels.0` the finest, `[H, W, C]`, row 0 at v = 0.5 / H). `example.py` does it with NumPy and onnxruntime.

| graph | inputs | outputs |
|---|---|---|
| `decoder.onnx` | `latent`, `wi`, `wo`; `level` | `response`, the cosine included |
| `sampler.onnx` | `latent`, `wi`, `u` | `wo`, `pdf`; 0: no sample |
| `density.onnx` | `latent`, `wi`, `wo` | `pdf` of the sampler |
| `heads.onnx`, if there are any | `latent`, `wi` | `albedo`, `guide_albedo`, ..., `emission`, `opacity` |

`level` `[n, 1]` is asked for where `decoder.onnx` has an input of that name: its network then differs at coarse levels.
Directions are unit vectors in the local frame with the normal +z; `wi` points to the viewer, `wo` to the light."""


def graphs(material: NeuralMaterial) -> dict[str, bytes]:
    """The files by name. Raises RuntimeMissing without the package `onnx`."""
    made = {
        "decoder.onnx": _graph(material, "eval", {"wi": 3, "wo": 3}, {"response": (0, 3)}, levels=True),
        "sampler.onnx": _graph(material, "sample", {"wi": 3, "u": 3}, {"wo": (0, 3), "pdf": (3, 4)}),
        "density.onnx": _graph(material, "pdf", {"wi": 3, "wo": 3}, {"pdf": (0, 1)}),
    }
    return made | ({"heads.onnx": _heads(material)} if material.heads else {})


def export(material: NeuralMaterial) -> Export:
    """The target's files. Raises RuntimeMissing without the package `onnx`."""
    latents = io.BytesIO()
    np.savez(latents, allow_pickle=False, **{f"levels.{k}": level for k, level in enumerate(material.latents)})
    example = files("verdigris.export") / "templates" / "example_onnx.txt"
    return Export(
        {**graphs(material), "latents.npz": latents.getvalue(), "example.py": example.read_bytes()},
        "ONNX, opset 17",
        (Binding("latent", "input", f"float32 [n, {material.config.channels}]", "latents.npz"),),
        USAGE,
    )


def _opened(material: NeuralMaterial, levels: bool = False) -> tuple[Graph, Value]:
    """A graph that has made the surface of its input `latent`, and of `level` where that is asked for and matters."""
    surface = Surface(material, "vd", stored=False)
    graph = Graph(program_of(surface, WholeNetworks()))
    latent = graph.padded("latent", -material.config.channels % BLOCK)
    parts = [graph.columns(latent, BLOCK * part, BLOCK * (part + 1)) for part in range(surface.parts)]
    level = ["level" if levels else graph.constant([[0.0]])] if material.far else []
    return graph, graph.call("vd_surface", *parts, *level)


def _graph(
    material: NeuralMaterial,
    function: str,
    inputs: dict[str, int],
    outputs: dict[str, tuple[int, int]],
    levels: bool = False,
) -> bytes:
    """A graph of one function. outputs: the columns of its result that each takes. levels: it depends on the level
    beside the latent, where a material's decoder does."""
    graph, surface = _opened(material, levels)
    result = graph.call(f"vd_{function}", surface, *inputs)
    assert isinstance(result, str)
    cut = {name: (graph.columns(result, begin, end), end - begin) for name, (begin, end) in outputs.items()}
    level = {"level": 1} if levels and material.far else {}
    return graph.model(function, {"latent": material.config.channels, **inputs, **level}, cut)


def _heads(material: NeuralMaterial) -> bytes:
    graph, surface = _opened(material)
    outputs: dict[str, tuple[str, int]] = {}
    for name, width in (("albedo", 3), ("emission", 3), ("opacity", 1)):
        if name in material.heads:
            result = graph.call(f"vd_{name}", surface, *(["wi"] if name == "albedo" else []))
            assert isinstance(result, str)
            outputs[name] = (result, width)
    if "guides" in material.heads:
        guides = graph.call("vd_guides", surface)
        assert isinstance(guides, dict)
        outputs |= {f"guide_{field}": (tensor, 1 if field == "roughness" else 3) for field, tensor in guides.items()}
    inputs = {"latent": material.config.channels} | ({"wi": 3} if "albedo" in material.heads else {})
    return graph.model("heads", inputs, outputs)
