"""Runs WGSL on queries: on Vulkan by wgpu. Skips where there is no adapter."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from export.shader_queries import INPUTS, OUTPUTS

ENTRY = """
@group(0) @binding(2) var<storage, read> asked: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> answers: array<vec4f>;

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


def shader(module: str) -> str:
    """A module with an entry point that answers queries."""
    return module + ENTRY.format(inputs=INPUTS, outputs=OUTPUTS)


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
    buffers, stride = {0: latents, 2: asked.tobytes()}, OUTPUTS * 16
    found = run_buffers(shader(module), "answer", buffers, {1: weights}, 3, len(asked), stride)
    return np.frombuffer(found, np.float32).reshape(len(asked), -1)


def run_buffers(
    code: str, entry: str, stored: dict[int, bytes], uniform: dict[int, bytes], output: int, count: int, stride: int
) -> bytes:
    """What a shader in groups of 64 writes for `count` queries; stored, uniform: by binding, empty ones left out."""
    import wgpu

    gpu, usage = device(), wgpu.BufferUsage
    buffers = {
        binding: gpu.create_buffer_with_data(data=data, usage=kind)
        for contents, kind in ((stored, usage.STORAGE), (uniform, usage.UNIFORM))
        for binding, data in contents.items()
        if data
    }
    buffers[output] = gpu.create_buffer(size=count * stride, usage=usage.STORAGE | usage.COPY_SRC)
    pipeline = gpu.create_compute_pipeline(
        layout="auto", compute={"module": gpu.create_shader_module(code=code), "entry_point": entry}
    )
    entries = [
        {"binding": binding, "resource": {"buffer": buffer, "offset": 0, "size": buffer.size}}
        for binding, buffer in buffers.items()
    ]
    group = gpu.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
    commands = gpu.create_command_encoder()
    work = commands.begin_compute_pass()
    work.set_pipeline(pipeline)
    work.set_bind_group(0, group)
    work.dispatch_workgroups(-(-count // 64))
    work.end()
    gpu.queue.submit([commands.finish()])
    return bytes(gpu.queue.read_buffer(buffers[output]))
