"""Runs shaders in headless Chromium: WGSL by WebGPU, GLSL ES by WebGL2. Skips where there is no browser."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export.shader_queries import INPUTS, OUTPUTS
from verdigris.export.textures import TextureArray

CHROMIUM = Path("/usr/bin/chromium")

FLAGS = [
    "--no-sandbox",
    "--enable-unsafe-webgpu",
    "--enable-features=Vulkan",
    "--use-vulkan=swiftshader",
    "--use-angle=swiftshader",
]

WIDTH = 64
"""Queries in a row of WebGL's picture of them."""

WEBGPU, WEBGL = ((Path(__file__).parent / f"{name}.js").read_text() for name in ("webgpu", "webgl"))

FRAGMENT = """#version 300 es
precision highp float;
precision highp int;

{module}

uniform highp sampler2D asked;
out vec4 answer;

vec4 part(int slot, VdSurface s, vec4 a, vec4 b, vec4 c) {{
  vec3 wi = vec3(a.w, b.xy);
  vec3 wo = vec3(b.zw, c.x);
  VdGuides g = vd_guides(s);
  if (slot == 0) return vec4(vd_eval(s, wi, wo), vd_pdf(s, wi, wo));
  if (slot == 1) return vd_sample(s, wi, c.yzw);
  if (slot == 2) return vec4(vd_albedo(s, wi), vd_opacity(s));
  if (slot == 3) return vec4(g.albedo, g.roughness);
  if (slot == 4) return vec4(g.normal, 0.0);
  if (slot == 5) return vec4(vd_emission(s), 0.0);
  if (slot == 6) return s.latent0;
  return vec4(s.n0, vd_level(a.xy, b.xy));
}}

void main() {{
  ivec2 pixel = ivec2(gl_FragCoord.xy);
  int query = pixel.y * {width} + pixel.x / {outputs};
  int row = query / {width}, column = query % {width} * {inputs};
  vec4 a = texelFetch(asked, ivec2(column, row), 0);
  vec4 b = texelFetch(asked, ivec2(column + 1, row), 0);
  vec4 c = texelFetch(asked, ivec2(column + 2, row), 0);
  answer = part(pixel.x % {outputs}, vd_fetch(a.xy, uint(a.z)), a, b, c);
}}
"""


@contextmanager
def launched() -> Iterator[Any]:
    """The browser, with WebGPU on its software renderer. Skips where there is none.

    One at a time in a process: tests take the fixture `browser`.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser here")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: expected {CHROMIUM}")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def empty_page(browser: Any) -> Iterator[Any]:
    """An empty page of it that has WebGPU, which needs a secure origin."""
    opened = browser.new_page()
    opened.route("**/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    opened.goto("https://localhost/")
    try:
        yield opened
    finally:
        opened.close()


def run_wgsl(opened: Any, code: str, latents: bytes, weights: bytes, asked: np.ndarray) -> np.ndarray:
    """A shader's answers to packed queries `[n, 12]`, `[n, 32]`. Skips without WebGPU."""
    parts = [(0, "STORAGE", latents), (1, "UNIFORM", weights), (2, "STORAGE", asked.tobytes())]
    buffers = [[binding, usage, _text(content)] for binding, usage, content in parts if content]
    found = opened.evaluate(WEBGPU, [code, buffers, len(asked) * OUTPUTS * 16, OUTPUTS * 16])
    if found is None:
        pytest.skip("the browser has no WebGPU adapter")
    return np.frombuffer(base64.b64decode(found), np.float32).reshape(len(asked), -1)


def run_glsl(
    opened: Any, module: str, array: TextureArray, weights: tuple[int, int, bytes] | None, asked: np.ndarray
) -> np.ndarray:
    """As `run_wgsl`, for functions in GLSL. array: of latents. weights: width, height and texels."""
    rows = len(asked) // WIDTH
    assert rows * WIDTH == len(asked)
    fragment = FRAGMENT.format(module=module, width=WIDTH, inputs=INPUTS, outputs=OUTPUTS)
    arguments = [
        fragment,
        [[width, height, _text(texels)] for width, height, texels in array.levels],
        not array.format.floating,
        array.layers,
        weights and [*weights[:2], _text(weights[2])],
        [WIDTH * INPUTS, rows, _text(asked.tobytes())],
        [WIDTH * OUTPUTS, rows],
    ]
    found = opened.evaluate(WEBGL, arguments)
    if found is None:
        pytest.skip("the browser has no WebGL2 with pictures of floats")
    return np.frombuffer(base64.b64decode(found), np.float32).reshape(len(asked), -1)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
