"""The targets: which files each one makes of a material."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from importlib.resources import files

from verdigris.errors import ExportError
from verdigris.export import (
    batch,
    cooperative,
    cuda,
    glsl,
    gltf,
    hlsl,
    interchange,
    latents,
    onnx_target,
    slang,
    textures,
    threejs,
    wgsl,
)
from verdigris.export.assemble import weight_blocks
from verdigris.export.options import Binding, Export, Options
from verdigris.model.neural import NeuralMaterial

Target = Callable[[NeuralMaterial, Options], Export]


def make(material: NeuralMaterial, target: str, options: Options) -> Export:
    """The files of a target. Raises ExportError, naming the option, where it is unknown or cannot be had."""
    check(target)
    return TARGETS[target](material, options)


def check(target: str) -> None:
    """Raises ExportError where there is no such target."""
    if target not in TARGETS:
        raise ExportError(f"--target: expected one of {', '.join(TARGETS)}, got {target!r}")


def takes(target: str, options: Options, *names: str) -> None:
    """Raises ExportError where an option is set that is none of those that the target takes."""
    for option in fields(Options):
        if option.name not in names and getattr(options, option.name) != option.default:
            raise ExportError(f"--{option.name}: expected no such option for --target {target}")


def template(name: str, prefix: str) -> str:
    """A file beside the code, its names with this prefix."""
    text = (files("verdigris.export") / "templates" / name).read_text(encoding="utf-8")
    return text.replace("vd_", f"{prefix}_").replace("Vd", prefix.capitalize()).replace("VD_", f"{prefix.upper()}_")


def latent_files(material: NeuralMaterial, codes: bool) -> dict[str, bytes]:
    """The latents as textures."""
    array = latents.texture_array(material, codes)
    return {"latents.dds": textures.dds(array), "latents.ktx2": textures.ktx2(array)}


def weight_files(material: NeuralMaterial, options: Options, half: bool = False) -> dict[str, bytes]:
    """The buffer of weights, if there is one."""
    return {"weights.bin": weight_blocks(material, half=half)} if options.weights == "buffer" else {}


def _wgsl(material: NeuralMaterial, options: Options) -> Export:
    takes("wgsl", options, "weights", "half", "prefix")
    text = wgsl.module(material, weights=options.weights, half=options.half, prefix=options.prefix)
    bindings = [Binding(f"{options.prefix}_latents", "@group(0) @binding(0)", "storage, array<u32>", "latents.bin")]
    if options.weights == "buffer":
        bindings.append(Binding(f"{options.prefix}_weights", "@group(0) @binding(1)", "uniform", "weights.bin"))
    return Export(
        {
            "material.wgsl": text.encode(),
            "example.wgsl": template("example.wgsl", options.prefix).encode(),
            "latents.bin": latents.packed_halves(material),
            **weight_files(material, options, options.half),
        },
        "WGSL",
        tuple(bindings),
        "Paste `example.wgsl` behind `material.wgsl`: the whole is a compute shader that fills an image.",
        template("interface.md", options.prefix),
    )


def _glsl(material: NeuralMaterial, options: Options) -> Export:
    takes("glsl", options, "weights", "codes", "prefix")
    text = glsl.module(material, weights=options.weights, codes=options.codes, prefix=options.prefix)
    kind = "RGBA8" if options.codes else "RGBA16F"
    bindings = [Binding(f"{options.prefix}_latents", "uniform", f"sampler2DArray of {kind}", "latents.ktx2")]
    if options.weights == "buffer":
        width = f"sampler2D of RGBA32F, {glsl.WEIGHTS_WIDTH} wide, rows filled up"
        bindings.append(Binding(f"{options.prefix}_weights", "uniform", width, "weights.bin"))
    return Export(
        {
            "material.glsl": text.encode(),
            "example.frag": template("example.frag", options.prefix).encode(),
            **latent_files(material, options.codes),
            **weight_files(material, options),
        },
        "GLSL ES 3.00, GLSL 3.30 and later",
        tuple(bindings),
        "Put `material.glsl` in place of the line `// material.glsl` of `example.frag`. Only `texelFetch` reads the "
        "texture: filters do not matter, but all levels must be there.",
        template("interface.md", options.prefix),
    )


MATRICES, MATRICES_SLOT = "matrices.bin", 3
"""File and slot of the cooperative variant's matrices, behind what examples bind."""


def _matrix_files(material: NeuralMaterial, options: Options) -> dict[str, bytes]:
    """The buffer of matrices, if there is one."""
    return {MATRICES: cooperative.matrices(material)} if options.cooperative else {}


def _hlsl_bindings(options: Options, slot: int = MATRICES_SLOT) -> tuple[Binding, ...]:
    kind = "RGBA8" if options.codes else "RGBA16F"
    found = [
        Binding(f"{options.prefix}_latents", "t0, space0 (set 0)", f"Texture2DArray of {kind}", "latents.dds"),
        Binding(f"{options.prefix}_weights", "t1, space0 (set 0)", "StructuredBuffer<float4>", "weights.bin"),
    ]
    if options.weights != "buffer":
        found.pop()
    if options.cooperative:
        place = f"t{slot}, space0 (set 0)"
        found.append(Binding(f"{options.prefix}_matrices", place, "ByteAddressBuffer, if cooperative", MATRICES))
    return tuple(found)


def _hlsl_family(material: NeuralMaterial, options: Options, suffix: str, language: str, usage: str) -> Export:
    text = hlsl.module(
        material,
        latents="codes" if options.codes else "texture",
        weights=options.weights,
        half=options.half,
        prefix=options.prefix,
        matrices=MATRICES_SLOT if options.cooperative else None,
    )
    example = template("example.hlsl", options.prefix).replace("material.hlsl", f"material.{suffix}")
    return Export(
        {
            f"material.{suffix}": text.encode(),
            f"example.{suffix}": example.encode(),
            **latent_files(material, options.codes),
            **weight_files(material, options),
            **_matrix_files(material, options),
        },
        language,
        _hlsl_bindings(options),
        usage,
        template("interface.md", options.prefix),
    )


def _hlsl(material: NeuralMaterial, options: Options) -> Export:
    takes("hlsl", options, "weights", "half", "codes", "prefix")
    flags = " -enable-16bit-types -T cs_6_2" if options.half else " -T cs_6_0"
    usage = f"Compile the example with `dxc{flags} -E example example.hlsl`."
    return _hlsl_family(material, options, "hlsl", "HLSL, shader model 6", usage)


def _slang(material: NeuralMaterial, options: Options) -> Export:
    usage = (
        "Compile the example with `slangc example.slang -entry example -stage compute -target spirv -o example.spv`."
    )
    if options.cooperative:
        usage = f"{usage}\n\n{COOPERATIVE_USAGE.format(name=f'{options.prefix.upper()}_COOPERATIVE')}"
    return _hlsl_family(material, options, "slang", "Slang", usage)


COOPERATIVE_USAGE = """\
With `-D {name}` its networks are cooperative vectors, which take their matrices from `matrices.bin`: `-target spirv`
(VK_NV_cooperative_vector), `-target hlsl -profile sm_6_9`, `-target cuda` (OptiX). Without it they are plain. Matrices
are row by row, of halves, at multiples of 64 bytes; drivers convert them to the layouts that they prefer, and
`CoopVecMatrixLayout` in the text then names that one."""

BATCH_USAGE = """\
The whole is a compute shader with the entry point `vd_answer`, in groups of 64, that answers an array of queries
(`uv`, `level`, `wi`, `wo`, `u`: 64 bytes, each vector at a multiple of 16) with an array of answers (96 bytes):
`manifest.json` lists where each field lies. Functions are named as in Slang, with a number behind."""


def _compiled(name: str, file: str, language: str) -> Target:
    def target(material: NeuralMaterial, options: Options) -> Export:
        takes(name, options, "weights", "half", "codes", *(("cooperative",) if name == "spirv" else ()))
        home: hlsl.LatentHome = "codes" if options.codes else "texture"
        source = batch.shader(
            material, latents=home, weights=options.weights, half=options.half, cooperative=options.cooperative
        )
        made = {file: slang.compile_source(source, name, batch.ENTRY_POINT)}
        if options.cooperative:
            chosen = slang.compile_source(source, name, batch.ENTRY_POINT, ("-DVD_COOPERATIVE",))
            made[file.replace(".", "_cooperative.")] = chosen
        return Export(
            {
                **made,
                "source.slang": source.encode(),
                **latent_files(material, options.codes),
                **weight_files(material, options),
                **_matrix_files(material, options),
            },
            language,
            (
                *_hlsl_bindings(options, batch.MATRICES),
                Binding("vd_queries", "t2, space0 (set 0)", "StructuredBuffer", ""),
                Binding("vd_answers", "u3, space0 (set 0)", "RWStructuredBuffer", ""),
                Binding("VdBatch", "b4, space0 (set 0)", "constant buffer: u32, number of queries", ""),
            ),
            BATCH_USAGE,
            template("interface.md", options.prefix),
            {"query": batch.layout(batch.QUERY), "answer": batch.layout(batch.ANSWER)},
        )

    return target


def _cuda(material: NeuralMaterial, options: Options) -> Export:
    takes("cuda", options, "prefix")
    latent = Binding("latents", "first argument of fetch", "const unsigned short*, halves", "latents.bin")
    return Export(
        {
            "material.h": cuda.header(material, prefix=options.prefix).encode(),
            "example.cu": template("example.cu", options.prefix).encode(),
            "latents.bin": latents.packed_halves(material),
        },
        "CUDA, and C++11 without it",
        (latent,),
        "Compile the example with `nvcc example.cu`, or `g++ -x c++ example.cu`.",
        template("interface.md", options.prefix).replace("_fetch(uv", "_fetch(latents, uv"),
    )


def _onnx(material: NeuralMaterial, options: Options) -> Export:
    takes("onnx", options)
    return onnx_target.export(material)


def _neuralappearance(material: NeuralMaterial, options: Options) -> Export:
    takes("neuralappearance", options)
    return interchange.export(material)


def _threejs(material: NeuralMaterial, options: Options) -> Export:
    takes("threejs", options, "codes")
    return threejs.export(material, options.codes)


def _gltf(material: NeuralMaterial, options: Options) -> Export:
    takes("gltf", options)
    return gltf.export(material)


TARGETS: dict[str, Target] = {
    "wgsl": _wgsl,
    "glsl": _glsl,
    "hlsl": _hlsl,
    "slang": _slang,
    "metal": _compiled("metal", "material.metal", "Metal"),
    "cuda": _cuda,
    "spirv": _compiled("spirv", "material.spv", "SPIR-V 1.5"),
    "threejs": _threejs,
    "onnx": _onnx,
    "gltf": _gltf,
    "neuralappearance": _neuralappearance,
}
"""By the name on the command line."""
