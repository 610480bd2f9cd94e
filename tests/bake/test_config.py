"""Presets and checks of a bake's settings."""

import dataclasses
import math

import pytest

from verdigris.bake.config import PRESETS, BakeConfig, DirectionMix, preset
from verdigris.errors import BakeError


def test_presets_are_named_after_themselves():
    assert {name: config.preset for name, config in PRESETS.items()} == {name: name for name in PRESETS}
    assert preset("draft", resolution=64, seed=3) == dataclasses.replace(PRESETS["draft"], resolution=64, seed=3)


def test_budgets_grow_from_preset_to_preset():
    order = [PRESETS[name] for name in ("draft", "standard", "final")]
    for field in ("encode_samples", "tune_samples", "uniform_samples"):
        values = [getattr(config, field) for config in order]
        assert values == sorted(values)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: preset("fast"), "preset: expected one of draft, standard, final, got 'fast'"),
        (lambda: preset("draft", speed=2), "unknown speed"),
        (lambda: BakeConfig(resolution=8), "resolution: expected 16 to 8192, got 8"),
        (lambda: BakeConfig(seed=-1), "seed: "),
        (lambda: BakeConfig(batch=1000), "batch: expected a power of two"),
        (lambda: BakeConfig(loss="l3"), "loss: expected one of power_l1"),
        (lambda: BakeConfig(mollify_degrees=-1), "mollify_degrees: expected 0 to 45, got -1"),
        (lambda: BakeConfig(mollify_share=1.5), "mollify_share: expected 0 to 1, got 1.5"),
        (lambda: BakeConfig(mollify_samples=0), "mollify_samples: expected 1 to 1024, got 0"),
        (lambda: BakeConfig(augment_colours=2), "augment_colours: expected 0 to 1, got 2"),
        (lambda: BakeConfig(instances=8), "instances: expected one of 1, 4, 16, 64, got 8"),
        (lambda: BakeConfig(instance_share=1.0), "instance_share: expected more than 0 and less than 1, got 1.0"),
        (lambda: BakeConfig(latent_bits=5), "latent_bits: expected 16, 8 or 4, got 5"),
        (lambda: BakeConfig(quantise_share=0), "quantise_share: expected more than 0, up to 1, got 0"),
        (lambda: BakeConfig(tune_samples=0), "tune_samples: expected more than 0, got 0"),
        (lambda: DirectionMix(0.5, 0.5, 0.5), "mix: expected three shares"),
    ],
)
def test_a_wrong_setting_is_named(call, message):
    with pytest.raises(BakeError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_the_cone_is_that_of_the_paper():
    """20 000 of 300 000 iterations, from 10 degrees."""
    config = BakeConfig(mollify_degrees=10, mollify_share=20_000 / 300_000)
    found = [math.degrees(config.cone(i / 300_000)) for i in (0, 5_000, 10_000, 20_000, 150_000, 300_000)]
    assert found == pytest.approx([10.0, 5.0 * (1.0 + math.sqrt(0.5)), 5.0, 0.0, 0.0, 0.0])
    assert BakeConfig(mollify_degrees=10, mollify_share=0).cone(0.0) == 0.0


def test_chunks_cover_the_budget():
    config = BakeConfig(batch=64, chunk_steps=2)
    assert [config.chunks(n) for n in (1, 128, 129)] == [1, 1, 2]
