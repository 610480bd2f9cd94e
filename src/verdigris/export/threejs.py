"""A material as a node material of three.js: its functions in WGSL, and modules that hand them to the renderer."""

from __future__ import annotations

import json
from importlib.resources import files

from verdigris.export import latents
from verdigris.export.assemble import assemble
from verdigris.export.options import Binding, Export
from verdigris.export.syntax.wgsl import Wgsl
from verdigris.export.textures import TextureArray
from verdigris.export.weights import Literals
from verdigris.model.neural import NeuralMaterial

PREFIX = "vd"

THREE = "0.187.0"
"""The version of three.js that the modules are written for, and tested with."""

TEXEL = """\
fn {p}_texel({declared}, x: u32, y: u32, level: u32, part: u32) -> vec4f {{
{cases}
}}"""

USAGE = """\
```js
import {{ NeuralMaterial }} from './material.js';

mesh.material = await NeuralMaterial.load();              // reads latents.bin from beside the module
```

It needs three.js r{revision}, its `WebGPURenderer` on WebGPU, and a mesh with `uv`. `index.html` shows a sphere:
serve the folder (`python -m http.server`) and open it; it reads three.js (MIT licence) from a public copy, which its
import map names.

| parameter of `load` | default | |
|---|---|---|
| `uv` | `uv()` | a node, (0, 0) lower left: `vec2(uv().x, uv().y.oneMinus())` for a model of glTF |
| `samples` | 16 | of the environment; of the albedo too, where there is no head for it |
| `url` | beside the module | of `latents.bin` |
| any other | | of every material: `side`, `transparent`, `alphaTest`, `envMap` |

Lights with a place or a direction shade it by that direction, shadows included. The environment of the scene does by
samples of the material, blurred by their solid angle. Light without a direction (ambient, hemisphere, probes, light
maps) does by its albedo. Area lights do nothing. The level follows from the change of `uv` across a pixel, one of two
drawn by a noise that stands still."""


def export(material: NeuralMaterial, codes: bool = False) -> Export:
    """The files of the target. codes: latents of 8 or 4 bits as RGBA8. Raises ExportError where there are none."""
    functions = module(material, codes)
    array = latents.texture_array(material, codes)
    folder = files("verdigris.export") / "templates"
    modules = {name: (folder / f"threejs_{name}").read_bytes() for name in ("material.js", "example.js", "index.html")}
    kind = "RGBA8" if codes else "RGBA16F"
    binding = Binding("latents0, ...", "found by three.js", f"DataTexture of {kind}, one for 4 channels", "latents.bin")
    return Export(
        {
            "shader.js": shader(material, array, functions).encode(),
            "latents.bin": b"".join(texels for _, _, texels in array.levels),
            **modules,
        },
        "three.js",
        (binding,),
        USAGE.format(revision=THREE.split(".")[1]),
        facts={"three": THREE},
    )


def shader(material: NeuralMaterial, array: TextureArray, functions: str) -> str:
    """The module that holds what differs between assets. functions: in WGSL."""
    constants = {
        "MODULE": functions,
        "PARTS": array.layers,
        "LEVELS": [[width, height] for width, height, _ in array.levels],
        "LATENT_BYTES": array.format.texel_bytes // 4,
        "HEADS": list(material.heads),
    }
    lines = [f"export const {name} = {_script(value)};" for name, value in constants.items()]
    return "\n".join(["// Functions in WGSL, and what there is of latents and heads.", *lines]) + "\n"


def _script(value: object) -> str:
    """A constant in JavaScript: text over several lines as it is, which holds no character that ends it."""
    return f"`{value}`" if isinstance(value, str) else json.dumps(value)


def module(material: NeuralMaterial, codes: bool = False) -> str:
    """The functions in WGSL; `vd_fetch` takes a texture for each four channels first. Raises ExportError."""
    program = assemble(material, Literals(), prefix=PREFIX, coded=codes)
    names = [f"latents{part}" for part in range(-(-material.config.channels // 4))]
    declared = dict.fromkeys(names, "texture_2d<f32>")
    last = len(names) - 1
    cases = [
        f"  {'' if part == last else f'if (part == {part}u) {{ '}return textureLoad({name}, vec2u(x, y), level);"
        f"{'' if part == last else ' }'}"
        for part, name in enumerate(names)
    ]
    listed = ", ".join(f"{name}: {kind}" for name, kind in declared.items())
    preamble = TEXEL.format(p=PREFIX, declared=listed, cases="\n".join(cases))
    return Wgsl(False, PREFIX, declared).module(program, preamble)
