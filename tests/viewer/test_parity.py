"""Both renderers of the page converge to what Mitsuba renders of the same asset, shape and light."""

from __future__ import annotations

import numpy as np
import pytest

from verdigris.render.pathtrace import render_scene
from verdigris.viewer.reference import View, reference_scene
from verdigris.viewer.shapes import SHAPES

SIDE, BLOCK, BATCHES = 32, 8, 10
Z_MAX = 4.6
"""Of 48 blocks' three colours, none exceeds it but with probability 6e-4 (Sidak), for Student's t a little more."""

GLOWING = 2
"""The number of the material that emits: paths of all lengths meet its light, and pass through it."""


READ = """(() => {
    const { renderer } = viewer, { samples } = renderer;
    return renderer.read().then((pixels) => [samples, Array.from(pixels)]);
})()"""


def blocks(pixels):
    """Means of blocks of pixels, `[SIDE, SIDE, 3] -> [blocks * 3]`: nearer to normal than pixels are."""
    return pixels.reshape(SIDE // BLOCK, BLOCK, SIDE // BLOCK, BLOCK, 3).mean(axis=(1, 3)).ravel()


def batches(shown, count):
    """Means of batches of the page's samples, `[BATCHES, ...]`, out of its growing sums."""
    sums = [(0, 0.0)]
    while len(sums) <= BATCHES:
        shown.samples(sums[-1][0] + count)
        number, pixels = shown.page.evaluate(READ)
        sums.append((number, np.array(pixels).reshape(SIDE, SIDE, 4)[..., :3] * number))
    return [(after - before) / (m - n) for (n, before), (m, after) in zip(sums, sums[1:], strict=False)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("renderer", "material", "shape", "environment", "rotation"),
    [
        ("webgpu", 0, "ball", "clear", 0),
        ("webgpu", 0, "sphere", "studio", 110),
        ("webgpu", GLOWING, "ball", "even", 0),
        ("webgl", 0, "sphere", "clear", -50),
    ],
)
def test_the_page_converges_to_mitsuba(show, running, renderer, material, shape, environment, rotation):
    state = f"material={material}&shape={shape}&environment={environment}&rotation={rotation}"
    shown = show(state, f"side={SIDE}&renderer={renderer}")
    shown.samples()
    assert shown.page.evaluate("viewer.renderer.kind") == {"webgpu": "WebGPU", "webgl": "WebGL 2"}[renderer]
    stage = SHAPES[shape]
    view = View(material, shape, environment, stage.origin, stage.target, stage.fov_deg, rotation, (SIDE, SIDE), 1)
    scene = reference_scene(running.site.entries[material].material, view)
    ours = np.stack([blocks(part) for part in batches(shown, 16)])
    theirs = np.stack([blocks(render_scene(scene, (SIDE, SIDE), 64, seed)) for seed in range(BATCHES)])
    spread = np.sqrt((ours.var(axis=0, ddof=1) + theirs.var(axis=0, ddof=1)) / BATCHES)
    # The texture of the light has 8 bits of position in hardware, Mitsuba's has 24.
    allowed = Z_MAX * spread + 2e-3 * theirs.mean(axis=0)
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) <= allowed).all()
    assert spread.mean() < 0.05 * theirs.mean(), "enough samples to tell"
