"""Presets and checks of a bake's settings."""

import dataclasses

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
        (lambda: BakeConfig(tune_samples=0), "tune_samples: expected more than 0, got 0"),
        (lambda: DirectionMix(0.5, 0.5, 0.5), "mix: expected three shares"),
    ],
)
def test_a_wrong_setting_is_named(call, message):
    with pytest.raises(BakeError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_chunks_cover_the_budget():
    config = BakeConfig(batch=64, chunk_steps=2)
    assert [config.chunks(n) for n in (1, 128, 129)] == [1, 1, 2]
