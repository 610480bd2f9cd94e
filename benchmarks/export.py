"""What exported shaders weigh, and how fast they start and run in software.

    python benchmarks/export.py sizes     # bytes of text and SPIR-V instructions, a row a network
    python benchmarks/export.py counts    # instructions of what compilers make of each language, a row a network
    python benchmarks/export.py speed     # literals beside weights of a buffer, in lavapipe and in Chromium
    python benchmarks/export.py half A.vdg ...   # errors of single and of half precision in lavapipe, a row an asset

Networks have random weights that float16 has, the default sampler, and the heads albedo and guides of 2 x 16 units.
Speed is the median of 9 runs of 65 536 evaluations, interleaved; a start is making the pipeline and the first run.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from verdigris import asset as assets
from verdigris.conventions import to_srgb
from verdigris.export import assemble, batch, cuda, glsl, hlsl, latents, slang, wgsl
from verdigris.model import Auxiliary, DecoderConfig, ModelConfig, NeuralMaterial
from verdigris.model.auxiliary import head_widths

NETWORKS = ((16, 16), (32, 32), (64, 64, 64))
COUNT, RUNS = 65_536, 9

ENTRY = """
@group(0) @binding(2) var<storage, read_write> answers: array<vec4f>;
@compute @workgroup_size(64)
fn answer(@builtin(global_invocation_id) id: vec3u) {
  let t = f32(id.x);
  let s = vd_fetch(fract(vec2f(t * 0.618034, t * 0.381966)), 0u);
  answers[id.x] = vec4f(vd_eval(s, normalize(vec3f(0.3, fract(t * 0.7548), 1)), normalize(vec3f(-0.2, 0.1, 1))), 1);
}
"""

SCRIPT = """async ([modules, latents, count, runs]) => {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter.requestDevice();
  const filled = (text, usage) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const buffer = device.createBuffer({ size: bytes.length, usage: usage | GPUBufferUsage.COPY_DST });
    device.queue.writeBuffer(buffer, 0, bytes);
    return buffer;
  };
  const answers = device.createBuffer({ size: 16 * count, usage: GPUBufferUsage.STORAGE });
  const texels = filled(latents, GPUBufferUsage.STORAGE);
  const made = [];
  for (const [code, weights] of modules) {
    const start = performance.now();
    const module = device.createShaderModule({ code });
    const compute = { module, entryPoint: 'answer' };
    const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
    const entries = [{ binding: 0, resource: { buffer: texels } }, { binding: 2, resource: { buffer: answers } }];
    if (weights) entries.push({ binding: 1, resource: { buffer: filled(weights, GPUBufferUsage.UNIFORM) } });
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const run = async () => {
      const begin = performance.now();
      const commands = device.createCommandEncoder();
      const work = commands.beginComputePass();
      work.setPipeline(pipeline);
      work.setBindGroup(0, group);
      work.dispatchWorkgroups(count / 64);
      work.end();
      device.queue.submit([commands.finish()]);
      await device.queue.onSubmittedWorkDone();
      return performance.now() - begin;
    };
    await run();
    made.push({ start: performance.now() - start, run, times: [] });
  }
  for (let k = 0; k < runs; k += 1) for (const one of made) one.times.push(await one.run());
  return made.map(({ start, times }) => [start, times]);
}"""


def material(hidden: tuple[int, ...]) -> NeuralMaterial:
    """Random weights of ordinary size, 64 x 64 texels."""
    config, rng = ModelConfig(decoder=DecoderConfig(hidden)), np.random.default_rng(0)

    def layers(*sizes: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        def numbers(*shape: int) -> np.ndarray:
            return (rng.normal(size=shape) * sizes[0] ** -0.5).astype(np.float16).astype(np.float32)

        return tuple((numbers(b, a), numbers(b)) for a, b in zip(sizes, sizes[1:], strict=False))

    heads = {name: layers(*head_widths(name, config, (16, 16))) for name in ("albedo", "guides")}
    return NeuralMaterial(
        config,
        (rng.normal(size=(64, 64, 8)).astype(np.float16).astype(np.float32),),
        layers(8, 12)[0][0],
        layers(config.decoder_inputs, *hidden, 3),
        layers(*config.sampler_widths),
        auxiliary=Auxiliary((16, 16), heads),
    )


def instructions(spirv: bytes) -> int:
    """Instructions in the bodies of functions."""
    words, at, inside, count = np.frombuffer(spirv, "<u4"), 5, False, 0
    while at < len(words):
        length, operation = int(words[at]) >> 16, int(words[at]) & 0xFFFF
        inside = (inside or operation == 54) and operation != 56  # OpFunction to OpFunctionEnd
        count, at = count + inside, at + length
    return count


def sizes() -> list[dict[str, object]]:
    """A row a network."""
    rows = []
    for hidden in NETWORKS:
        asset = material(hidden)
        source = batch.shader(asset)
        made = {name: slang.compile_source(source, name, batch.ENTRY_POINT) for name in ("metal", "spirv")}
        rows.append(
            {
                "decoder": hidden,
                "wgsl": len(wgsl.module(asset)),
                "glsl": len(glsl.module(asset)),
                "glsl packed": len(glsl.module(asset, weights="packed")),
                "glsl buffer": len(glsl.module(asset, weights="buffer")),
                "hlsl, slang": len(hlsl.module(asset)),
                "cuda": len(cuda.header(asset)),
                "weights.bin": len(assemble.weight_blocks(asset)),
                **{name: len(content) for name, content in made.items()},
                "spirv instructions": instructions(made["spirv"]),
            }
        )
    return rows


GLSL = """#version 450
{module}
layout(location = 0) out vec4 answer;
void main() {{
  VdSurface s = vd_fetch(gl_FragCoord.xy, 0u);
  vec3 w = normalize(gl_FragCoord.xyz);
  VdGuides g = vd_guides(s);
  answer = vec4(vd_eval(s, w, w), vd_pdf(s, w, w)) + vd_sample(s, w, w) + vec4(vd_albedo(s, w), vd_opacity(s)) +
    vec4(g.albedo + g.normal + vd_emission(s), g.roughness);
}}
"""

CPP = """#include "material.h"
using namespace vd_math;
Vec3 response(const Half* l, Vec2 uv, Vec3 wi, Vec3 wo) {{ return vd_eval(vd_fetch(l, uv, 0), wi, wo); }}
Vec4 drawn(const Half* l, Vec2 uv, Vec3 wi, Vec3 u) {{ return vd_sample(vd_fetch(l, uv, 0), wi, u); }}
float density(const Half* l, Vec2 uv, Vec3 wi, Vec3 wo) {{ return vd_pdf(vd_fetch(l, uv, 0), wi, wo); }}
Vec3 albedo(const Half* l, Vec2 uv, Vec3 wi) {{ return vd_albedo(vd_fetch(l, uv, 0), wi); }}
float rough(const Half* l, Vec2 uv) {{ return vd_guides(vd_fetch(l, uv, 0)).roughness; }}
"""


def counts() -> list[dict[str, object]]:
    """A row a network: SPIR-V instructions, unoptimised, from Slang and glslang; x86 ones from g++ -O2."""
    rows = []
    for hidden in NETWORKS:
        asset = material(hidden)
        by_slang = {"slang": {}, "slang half": {"half": True}, "slang cooperative": {"cooperative": True}}
        row: dict[str, object] = {"decoder": hidden}
        for name, choice in by_slang.items():
            source = batch.shader(asset, **choice)
            defined = ("-DVD_COOPERATIVE",) if "cooperative" in choice else ()
            row[name] = instructions(slang.compile_source(source, "spirv", batch.ENTRY_POINT, defined))
        with tempfile.TemporaryDirectory() as folder:
            row["hlsl"] = by_glslang(Path(folder), batch.shader(asset), "comp", "-D", "-e", batch.ENTRY_POINT)
            row["glsl"] = by_glslang(Path(folder), GLSL.format(module=glsl.module(asset)), "frag", "--amb", "--aml")
            row["x86"] = by_gcc(Path(folder), cuda.header(asset))
        rows.append(row)
    return rows


def by_glslang(folder: Path, source: str, stage: str, *options: str) -> int:
    """SPIR-V instructions that glslang makes."""
    (folder / "source").write_text(source)
    made = folder / "made.spv"
    command = ["glslangValidator", "-V", "-S", stage, *options, "-o", str(made), str(folder / "source")]
    subprocess.run(command, check=True, capture_output=True)
    return instructions(made.read_bytes())


def by_gcc(folder: Path, header: str) -> int:
    """Instructions of the functions that a renderer calls, each with a fetch."""
    (folder / "material.h").write_text(header)
    (folder / "main.cpp").write_text(CPP.format())
    made = str(folder / "main.o")
    subprocess.run(["g++", "-std=c++11", "-O2", "-c", str(folder / "main.cpp"), "-o", made], check=True)
    shown = subprocess.run(["objdump", "-d", "--no-show-raw-insn", made], check=True, capture_output=True, text=True)
    return sum(line.startswith("  ") and "\t" in line for line in shown.stdout.splitlines())


def modules(asset: NeuralMaterial) -> list[tuple[str, bytes]]:
    """Text and weights, literals first."""
    return [
        (wgsl.module(asset) + ENTRY, b""),
        (wgsl.module(asset, weights="buffer") + ENTRY, assemble.weight_blocks(asset)),
    ]


def lavapipe(asset: NeuralMaterial) -> list[tuple[float, list[float]]]:
    """Milliseconds to start, and of each run, by wgpu."""
    import wgpu

    device, usage = wgpu.gpu.request_adapter_sync().request_device_sync(), wgpu.BufferUsage
    answers = device.create_buffer(size=16 * COUNT, usage=usage.STORAGE | usage.COPY_SRC)
    texels = device.create_buffer_with_data(data=latents.packed_halves(asset), usage=usage.STORAGE)
    made = []
    for code, weights in modules(asset):
        start = time.perf_counter()
        module = device.create_shader_module(code=code)
        pipeline = device.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": "answer"})
        buffers = {0: texels, 2: answers}
        if weights:
            buffers[1] = device.create_buffer_with_data(data=weights, usage=usage.UNIFORM)
        entries = [{"binding": k, "resource": {"buffer": b, "offset": 0, "size": b.size}} for k, b in buffers.items()]
        group = device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)

        def run(pipeline=pipeline, group=group) -> float:
            begin = time.perf_counter()
            commands = device.create_command_encoder()
            work = commands.begin_compute_pass()
            work.set_pipeline(pipeline)
            work.set_bind_group(0, group)
            work.dispatch_workgroups(COUNT // 64)
            work.end()
            device.queue.submit([commands.finish()])
            device.queue.read_buffer(answers, size=16)
            return 1e3 * (time.perf_counter() - begin)

        run()
        made.append((1e3 * (time.perf_counter() - start), run, []))
    for _ in range(RUNS):
        for _, run, times in made:
            times.append(run())
    return [(start, times) for start, _, times in made]


def chromium(asset: NeuralMaterial) -> list[tuple[float, list[float]]]:
    """The same in headless Chromium."""
    from chromium import launched

    asks = [[code, base64.b64encode(weights).decode()] for code, weights in modules(asset)]
    with launched() as browser:
        page = browser.new_page()
        page.route("**/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        page.goto("https://localhost/")
        texels = base64.b64encode(latents.packed_halves(asset)).decode()
        found = page.evaluate(SCRIPT, [asks, texels, COUNT, RUNS])
    return [(start, times) for start, times in found]


def speed() -> list[dict[str, object]]:
    """A row a runtime and home of weights, for the default decoder of 2 x 32 units."""
    rows: list[dict[str, object]] = []
    for runtime in (lavapipe, chromium):
        for home, (start, times) in zip(("literals", "buffer"), runtime(material((32, 32))), strict=True):
            run = round(float(np.median(times)), 1)
            rows.append({"runtime": runtime.__name__, "weights": home, "start_ms": round(start), "run_ms": run})
    return rows


QUERIES, SMALL = 8192, 0.02


def half(*paths: str) -> list[dict[str, object]]:
    """A row an asset and precision: relative errors of the response and density; smaller numbers than SMALL are it."""
    sys.path[0] = str(Path(__file__).parents[1] / "tests")  # instead of this folder, whose `export` is this file
    from export import wgsl_runner
    from export.shader_queries import random_queries

    rows: list[dict[str, object]] = []
    for path in paths:
        asset = assets.load(path)
        asked = random_queries(asset, QUERIES)
        response = asset.eval(asked.uv, asked.wi, asked.wo, asked.level)
        density = asset.pdf(asked.uv, asked.wi, asked.wo, asked.level)
        for precision in (False, True):
            code = wgsl.module(asset, half=precision)
            found = wgsl_runner.run(code, latents.packed_halves(asset), b"", asked.packed())
            errors = np.abs(found[:, :3] - response) / np.maximum(response, SMALL)
            pdf_errors = np.abs(found[:, 3] - density) / np.maximum(density, SMALL)
            display = 255 * np.abs(to_srgb(found[:, :3]) - to_srgb(response)).max()
            numbers = {
                "eval_999": np.quantile(errors, 0.999),
                "eval_worst": errors.max(),
                "pdf_worst": pdf_errors.max(),
                "display_worst_255": display,
            }
            rounded = {name: float(f"{value:.3g}") for name, value in numbers.items()}
            rows.append({"asset": Path(path).stem, "half": precision, **rounded})
    return rows


if __name__ == "__main__":
    table = {"sizes": sizes, "speed": speed, "half": half, "counts": counts}[sys.argv[1]](*sys.argv[2:])
    for row in table:
        print(row)
    path = Path(__file__).parent / "results" / "export.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**results, sys.argv[1]: table}, indent=2) + "\n")
