"""The JAX twin against the NumPy forward, which is the arbiter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from directions import random_directions
from neural_samples import no_sampler
from verdigris import asset
from verdigris.bake.trainable import as_stored, decode, init_network
from verdigris.model.config import DecoderConfig, ModelConfig
from verdigris.model.neural import NeuralMaterial

CONFIGS = [
    ModelConfig(),
    ModelConfig(channels=5, frames=3, decoder=DecoderConfig((16,), "leaky_relu")),
    ModelConfig(frames=0, decoder=DecoderConfig((64, 64, 64), features=("wo", "wi"))),
    ModelConfig(frames=1, decoder=DecoderConfig(features=("log_half", "wi"))),
    ModelConfig(decoder=DecoderConfig((16, 16), "leaky_smelu", ("half", "difference", "cosines"), "sigmoid")),
    ModelConfig(frames=3, decoder=DecoderConfig(features=("wi", "wo", "half", "difference"), cosine=False)),
    ModelConfig(frames=2, decoder=DecoderConfig(features=("turned_difference", "cosines", "turned_half"))),
    ModelConfig(frames=0, decoder=DecoderConfig((16,), "leaky_smelu", ("difference",), "sigmoid", False)),
]


def twin(config, rng, n):
    """A random network, the NumPy material with one texel a query's latent, and the queries."""
    network = jax.tree.map(lambda x: x + 0.1 * rng.normal(size=x.shape).astype(np.float32), init_network(config, rng))
    latents = rng.normal(size=(n, 1, config.channels)).astype(np.float32)
    layers = tuple((np.asarray(weight), np.asarray(bias)) for weight, bias in network["layers"])
    frame_weight = np.asarray(network["frames"]) if config.frames else None
    material = NeuralMaterial(config, (latents,), frame_weight, layers, no_sampler(config))
    return network, material, latents[:, 0].T


@pytest.mark.parametrize("config", CONFIGS)
def test_forward_agrees_with_numpy(config, rng):
    n = 2000
    network, material, latent = twin(config, rng, n)
    wi, wo = random_directions(rng, n, 0.05), random_directions(rng, n, 0.05)
    # Half of the pairs almost mirror each other, where the half vector's distance to n loses digits first.
    wo[::2] = wi[::2] * np.float32([-1, -1, 1]) + 1e-3 * rng.normal(size=(n // 2, 3)).astype(np.float32)
    wo /= np.linalg.norm(wo, axis=1, keepdims=True)
    wo = np.where(wo[:, 2:] > 0, wo, np.float32([0, 0, 1]))
    uv = np.stack([np.full(n, 0.5), (np.arange(n) + 0.5) / n], axis=1)
    got = decode(config, network, jnp.asarray(latent), tuple(jnp.asarray(wi.T)), tuple(jnp.asarray(wo.T)))
    expected = _at_texel_centres(material, uv, wi, wo)
    np.testing.assert_allclose(got.T, expected, rtol=1e-5)


def test_training_sees_what_the_asset_stores(rng, tmp_path):
    """The forward that training optimises, beside the float16 file: 1e5 queries, none off by 2e-2 (1e-4 here)."""
    n, config = 100_000, ModelConfig()
    network, material, _ = twin(config, rng, 16)
    asset.save(material, tmp_path / "a.vdg")
    stored = asset.load(tmp_path / "a.vdg")
    row = rng.integers(0, 16, n)
    wi, wo = random_directions(rng, n, 0.05), random_directions(rng, n, 0.05)
    uv = np.stack([np.full(n, 0.5), (row + 0.5) / 16], axis=1)
    trained = as_stored({"network": network, "latent": jnp.asarray(material.latents[0][row, 0].T)})
    got = decode(config, trained["network"], trained["latent"], tuple(jnp.asarray(wi.T)), tuple(jnp.asarray(wo.T)))
    np.testing.assert_allclose(got.T, stored.eval(uv, wi, wo), rtol=1e-4)


def test_rounding_passes_gradients(rng):
    x = jnp.asarray(rng.normal(size=100).astype(np.float32))
    np.testing.assert_array_equal(as_stored(x), np.asarray(x).astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(jax.grad(lambda y: jnp.sum(3 * as_stored(y)))(x), 3)


def _at_texel_centres(material, uv, wi, wo):
    """The material's answers with exact latents: float32 texture coordinates would blend neighbours by 1e-4."""
    wide = NeuralMaterial(
        material.config,
        tuple(level.astype(np.float64) for level in material.latents),
        None if material.frame_weight is None else material.frame_weight.astype(np.float64),
        tuple((weight.astype(np.float64), bias.astype(np.float64)) for weight, bias in material.layers),
        tuple((weight.astype(np.float64), bias.astype(np.float64)) for weight, bias in material.sampler),
    )
    return wide.eval(uv, wi.astype(np.float64), wo.astype(np.float64))


def test_gradient_agrees_with_differences(rng):
    config = ModelConfig()
    network, _, latent = twin(config, rng, 64)
    wi, wo = (tuple(jnp.asarray(random_directions(rng, 64, 0.05).T)) for _ in range(2))

    def total(z):
        return jnp.log(decode(config, network, z, wi, wo)).sum()

    latent = jnp.asarray(latent)
    grad = jax.grad(total)(latent)
    step = 1e-2 * grad / jnp.linalg.norm(grad)
    slope = (total(latent + step) - total(latent - step)) / (2 * jnp.linalg.norm(step))
    # ReLU kinks inside the step bend the difference quotient, not the gradient.
    assert slope == pytest.approx(float(jnp.linalg.norm(grad)), rel=0.05)


def test_gradient_is_finite_for_degenerate_frames():
    """Raw numbers that cancel the geometric normal leave a vector of length 0."""
    config = ModelConfig(channels=1, frames=1)
    network = init_network(config, np.random.default_rng(0))
    network["frames"] = jnp.asarray([[0.0], [0.0], [-1.0], [-1.0], [0.0], [0.0]])
    wi = tuple(jnp.asarray([[0.0], [0.6], [0.8]]))
    grad = jax.grad(lambda z: decode(config, network, z, wi, wi).sum())(jnp.ones((1, 1)))
    assert np.isfinite(grad).all()
