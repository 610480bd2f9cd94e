"""The closed sphere, and the cap on what would gain energy in it: materials whose albedo is known."""

import numpy as np
import pytest

from neural_samples import no_sampler
from verdigris.bake import furnace
from verdigris.model import DecoderConfig, ModelConfig, NeuralMaterial, SamplerConfig

FEW = {"paths": 1 << 12}
COSINE = SamplerConfig(hidden=(1,), lobes=1, defensive=0.0)


def lambert(albedo: tuple[float, float, float], output: str = "exp") -> NeuralMaterial:
    """A decoder without weights: its bias alone is the response."""
    config = ModelConfig(channels=1, frames=0, decoder=DecoderConfig((1,), output=output, cosine=False), sampler=COSINE)
    response = np.array(albedo) / np.pi
    bias = np.log(response) + 3 if output == "exp" else np.log(response / 1e5)
    return NeuralMaterial(
        config=config,
        latents=(np.zeros((1, 1, 1), np.float32),),
        frame_weight=None,
        layers=(
            (np.zeros((1, config.decoder_inputs), np.float32), np.zeros(1, np.float32)),
            (np.zeros((3, 1), np.float32), bias.astype(np.float32)),
        ),
        sampler=no_sampler(config, cosine_share=1.0),
    )


def test_energy_is_the_power_of_the_albedo(rng):
    found = furnace.energy(lambert((0.9, 0.5, 1.02)).sample, rng, 8, **FEW)
    np.testing.assert_allclose(found, np.power.outer([0.9, 0.5, 1.02], np.arange(1, 9)).T, rtol=1e-3)


def test_energy_does_not_hang_on_the_sampler(rng):
    class Other:
        """Directions uniform on the hemisphere, for a white Lambert."""

        @staticmethod
        def sample(uv, wi, u):
            z, phi = u[:, 0], 2 * np.pi * u[:, 1]
            wide = np.sqrt(1 - z * z)
            wo = np.stack([wide * np.cos(phi), wide * np.sin(phi), z], axis=1)
            return wo, np.full(len(u), 0.5 / np.pi), np.repeat(2 * z[:, None], 3, axis=1)

    found = furnace.energy(Other.sample, rng, 64, 1 << 14)
    # The weight's deviation is 0.58.
    np.testing.assert_allclose(found, 1, atol=5 * 0.58 * np.sqrt(64 / (1 << 14)))


def test_a_material_without_any_energy_is_black(rng):
    def nothing(uv, wi, u):
        return wi, np.zeros(len(u)), np.zeros((len(u), 3))

    assert not furnace.energy(nothing, rng, 4, **FEW).any()


@pytest.mark.parametrize("output", ["exp", "sigmoid"])
def test_only_what_gains_energy_is_dimmed(rng, monkeypatch, output):
    monkeypatch.setattr(furnace, "PATHS", 1 << 10)
    for albedo in ((0.4, 0.2, 0.1), (0.98, 0.9, 0.9)):
        kept = lambert(albedo, output)
        assert furnace.conserving([kept], rng) == ([kept], 1.0)
    dimmed, factor = furnace.conserving([lambert((0.9, 1.03, 1.05), output)], rng)
    bias = dimmed[0].layers[-1][1]
    np.testing.assert_array_equal(bias, bias.astype(np.float16).astype(np.float32))
    assert factor == pytest.approx((1 - furnace.MARGIN) / 1.05, rel=1e-4)
    energy = furnace.energy(dimmed[0].sample, rng, 64, **FEW)
    # A float16 near -10 steps by 0.008.
    assert 0.98**64 < energy[-1].max() < 1 and energy.max() < 1


def test_materials_that_share_a_network_are_dimmed_alike(rng, monkeypatch):
    monkeypatch.setattr(furnace, "PATHS", 1 << 10)
    dimmed, factor = furnace.conserving([lambert((0.5, 0.5, 0.5)), lambert((1.1, 1.0, 1.0))], rng)
    assert factor < 0.92
    for material, before in zip(dimmed, (0.5, 1.1), strict=True):
        after = np.pi * np.exp(material.layers[-1][1][0] - 3)
        assert after == pytest.approx(before * factor, rel=3e-3)
