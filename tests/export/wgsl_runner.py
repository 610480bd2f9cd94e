"""Runs WGSL on queries: on Vulkan by wgpu. Skips where there is no adapter."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from export.shader_queries import INPUTS, OUTPUTS

ENTRY = """
@group({group}) @binding(2) var<storage, read> asked: array<vec4f>;
@group({group}) @binding(3) var<storage, read_write> answers: array<vec4f>;

@compute @workgroup_size(64)
fn answer(@builtin(global_invocation_id) id: vec3u) {{
  if (id.x * {inputs}u >= arrayLength(&asked)) {{ return; }}
  let a = asked[id.x * {inputs}u];
  let b = asked[id.x * {inputs}u + 1u];
  let c = asked[id.x * {inputs}u + 2u];
  let wi = vec3f(a.w, b.xy);
  let wo = vec3f(b.zw, c.x);
  let s = vd_fetch(a.xy, u32(a.z));
  let g = vd_guides(s);
  let at = id.x * {outputs}u;
  answers[at] = vec4f(vd_eval(s, wi, wo), vd_pdf(s, wi, wo));
  answers[at + 1u] = vd_sample(s, wi, c.yzw);
  answers[at + 2u] = vec4f(vd_albedo(s, wi), vd_opacity(s));
  answers[at + 3u] = vec4f(g.albedo, g.roughness);
  answers[at + 4u] = vec4f(g.normal, 0);
  answers[at + 5u] = vec4f(vd_emission(s), 0);
  answers[at + 6u] = s.latent0;
  answers[at + 7u] = vec4f(s.n0, vd_level(a.xy, b.xy));
}}
"""


def shader(module: str, group: int = 0) -> str:
    """A module with an entry point that answers queries, whose buffers lie in that group."""
    return module + ENTRY.format(inputs=INPUTS, outputs=OUTPUTS, group=group)


@cache
def device() -> Any:
    """A device with half precision, the first that there is. Skips without one."""
    wgpu = pytest.importorskip("wgpu", reason="wgpu runs WGSL here: pip install wgpu")
    try:
        adapter = wgpu.gpu.request_adapter_sync(power_preference="high-performance")
        return adapter.request_device_sync(required_features=["shader-f16"])
    except RuntimeError as error:
        pytest.skip(f"no Vulkan adapter with half precision: {error}")


def run(module: str, latents: bytes, weights: bytes, asked: np.ndarray) -> np.ndarray:
    """The answers to packed queries `[n, 12]`, `[n, 32]`."""
    return answers(shader(module), 0, {0: latents, 2: asked.tobytes()}, {1: weights}, len(asked))


def answers(code: str, group: int, stored: dict[int, bytes], uniform: dict[int, bytes], count: int) -> np.ndarray:
    """What a shader with that entry point answers to `count` queries, `[n, 32]`; stored, uniform: by binding."""
    found = run_buffers(code, "answer", stored, uniform, 3, count, OUTPUTS * 16, group)
    return np.frombuffer(found, np.float32).reshape(count, -1)


def run_buffers(
    code: str,
    entry: str,
    stored: dict[int, bytes],
    uniform: dict[int, bytes],
    output: int,
    count: int,
    stride: int,
    group: int = 0,
) -> bytes:
    """What a shader in groups of 64, WGSL or SPIR-V, writes for `count` queries.

    stored, uniform: by binding, empty ones left out.
    """
    buffers = {binding: buffer(data, "STORAGE") for binding, data in stored.items() if data}
    buffers |= {binding: buffer(data, "UNIFORM") for binding, data in uniform.items() if data}
    buffers[output] = buffer(bytes(count * stride), "STORAGE")
    dispatch(pipeline(code, entry), {group: buffers}, (-(-count // 64), 1, 1))
    return bytes(device().queue.read_buffer(buffers[output]))


def buffer(data: bytes, usage: str) -> Any:
    """A buffer with that content, which can be read and written from here. usage: STORAGE or UNIFORM."""
    import wgpu

    flags = wgpu.BufferUsage
    return device().create_buffer_with_data(data=data, usage=getattr(flags, usage) | flags.COPY_SRC | flags.COPY_DST)


def pipeline(code: str, entry: str) -> Any:
    """An entry point of a module, compiled."""
    module = device().create_shader_module(code=code)
    return device().create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": entry})


def dispatch(compiled: Any, groups: dict[int, dict[int, Any]], size: tuple[int, int, int]) -> None:
    """Runs a pipeline. groups: buffers, views of textures and samplers by group and binding. size: in workgroups."""
    import wgpu

    gpu = device()
    commands = gpu.create_command_encoder()
    work = commands.begin_compute_pass()
    work.set_pipeline(compiled)
    for index in range(max(groups) + 1):
        resources = groups.get(index, {})
        entries = [
            {"binding": at, "resource": {"buffer": r} if isinstance(r, wgpu.GPUBuffer) else r}
            for at, r in resources.items()
        ]
        layout = compiled.get_bind_group_layout(index)
        work.set_bind_group(index, gpu.create_bind_group(layout=layout, entries=entries))
    work.dispatch_workgroups(*size)
    work.end()
    gpu.queue.submit([commands.finish()])
