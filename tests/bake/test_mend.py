"""Lost texels are found by held-out queries, and nothing else is touched."""

from dataclasses import replace

import numpy as np
import pytest

from bake_standin import StandIn
from verdigris.bake import bake, preset
from verdigris.bake.mend import mended
from verdigris.bake.subject import subject


@pytest.fixture(scope="module")
def trained():
    reference = StandIn(32)
    config = preset("draft", resolution=32, encode_samples=1 << 17, tune_samples=1 << 19, auxiliary_samples=0)
    return bake(reference, config), subject(reference, config)


def test_a_lost_texel_gets_a_neighbours_latent(trained):
    material, one = trained
    lost = [(0, (3, 31)), (0, (17, 8)), (1, (5, 5))]
    latents = [level.copy() for level in material.latents]
    for level, at in lost:
        latents[level][at] = 12.0
    broken = replace(material, latents=tuple(latents))
    found, count = mended(broken, one.source, one.levels, np.random.default_rng(0))
    assert count == len(lost)
    for level, (y, x) in lost:
        side = len(found.latents[level])
        around = [material.latents[level][(y + j) % side, (x + i) % side] for j in (-1, 0, 1) for i in (-1, 0, 1)]
        assert any((found.latents[level][y, x] == latent).all() for latent in around)
        found.latents[level][y, x] = latents[level][y, x]
    assert all((a == b).all() for a, b in zip(found.latents, latents, strict=True))


def test_what_was_trained_stays(trained):
    material, one = trained
    found, count = mended(material, one.source, one.levels, np.random.default_rng(1))
    assert count == 0 and found is material
    assert material.metadata.report["mended"] == 0
