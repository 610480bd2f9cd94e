"""Auxiliary heads in training: the twin, its targets, whole bakes."""

import jax.numpy as jnp
import numpy as np
import pytest

from neural_samples import queries, random_material, with_heads
from verdigris.bake import auxiliary
from verdigris.model import HEADS, ModelConfig


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_the_twin_agrees_with_numpy(frames):
    material = with_heads(random_material(ModelConfig(frames=frames), finest=(7, 12)), hidden=(16, 5))
    uv, wi, _ = (part.astype(np.float32) for part in queries(2000))
    uv -= np.floor(uv)
    network = {} if frames == 0 else {"frames": jnp.asarray(material.frame_weight)}
    latent = auxiliary.fetch(jnp.asarray(material.latents[0]), *jnp.asarray(uv.T))
    heads, directions = material.auxiliary.heads, tuple(jnp.asarray(wi.T))
    found = {
        name: np.asarray(auxiliary.answer(material.config, heads, name, network, latent, directions)).T
        for name in HEADS
    }
    np.testing.assert_allclose(found["albedo"], material.albedo(uv, wi), rtol=1e-5)
    np.testing.assert_allclose(found["emission"], material.emission(uv), rtol=1e-5)
    np.testing.assert_allclose(found["opacity"][:, 0], material.opacity(uv), rtol=1e-5)
    albedo, normal, roughness = material.guides(uv)
    np.testing.assert_allclose(found["guides"][:, :3], albedo, rtol=1e-5)
    np.testing.assert_allclose(found["guides"][:, 3:6], normal, atol=1e-5)
    np.testing.assert_allclose(found["guides"][:, 6], roughness, rtol=1e-5)
