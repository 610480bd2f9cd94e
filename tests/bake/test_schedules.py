"""What the first part of a training does otherwise: blurred targets, changed colours; and bakes of other decoders."""

import numpy as np
import pytest

from bake_standin import StandIn
from verdigris.bake import bake, colours, preset
from verdigris.bake.blur import Blur
from verdigris.bake.config import BakeConfig, DirectionMix
from verdigris.bake.encoder import Encoded, encode_phase
from verdigris.bake.metrics import KINDS
from verdigris.bake.phases import Texture, tune_phase
from verdigris.bake.queries import QuerySource
from verdigris.model import DecoderConfig, ModelConfig
from verdigris.runtime import mitsuba

SMALL = dict(levels=1, batch=64, chunk_steps=2, resolution=32)


class Recorder(QuerySource):
    """Notes the cone of every call."""

    def directions(self, *args, **kwargs):
        self.cones = [*getattr(self, "cones", []), np.degrees(kwargs["blur"].cone)]
        self.samples = kwargs["blur"].cone_samples
        return super().directions(*args, **kwargs)


def encoded(source, inputs):
    """A material in the encoder phase, its inputs as they are."""
    return Encoded(source, (np.zeros(inputs, np.float32), np.ones(inputs, np.float32)))


def cones(reference, config):
    """The cone of each chunk of each phase, in degrees."""
    source = Recorder(reference, DirectionMix())
    samples = config.tune_samples if reference.varying else config.uniform_samples
    textures = [Texture(config.resolution if reference.varying else 1)]
    phases = [encode_phase(config, [encoded(source, 6)], config.encode_samples, config.chunks(samples))]
    phases = phases if reference.varying else []
    phases.append(tune_phase(config, [source], textures, samples, sum(phase.chunks for phase in phases)))
    for phase in phases:
        for chunk in range(phase.chunks):
            phase.prepare(chunk)
    return np.array(source.cones), source.samples


@pytest.mark.parametrize("varying", [True, False])
def test_the_cone_closes_over_the_first_share_of_all_phases(varying):
    sizes = dict(encode_samples=4 * 128, tune_samples=6 * 128, uniform_samples=10 * 128)
    config = BakeConfig(**SMALL, **sizes, mollify_degrees=10.0, mollify_share=0.8, mollify_samples=3)
    found, samples = cones(StandIn(32 if varying else 0), config)
    # 10 chunks in all, of which 8 are blurred [P].
    expected = [5.0 * (1.0 + np.cos(i * np.pi / 8)) for i in range(8)]
    np.testing.assert_allclose(found, [*expected, 0.0, 0.0], atol=1e-12)
    assert samples == 3


def test_by_default_nothing_is_blurred():
    config = BakeConfig(**SMALL, encode_samples=128, tune_samples=128)
    np.testing.assert_array_equal(cones(StandIn(32), config)[0], 0.0)


def test_colours_change_with_a_probability_that_falls_to_0(monkeypatch):
    config = BakeConfig(**(SMALL | {"batch": 8192}), encode_samples=4 * 16384, augment_colours=0.8)
    source = QuerySource(StandIn(32), DirectionMix(), marked=True)
    phase, real, changed = encode_phase(config, [encoded(source, 9)], config.encode_samples), colours.draw, []

    def draw(*arguments):
        channels = real(*arguments)
        assert channels.shape == (3, 16384)
        changed.append((channels != np.arange(3)[:, None]).any(axis=0).mean())
        return channels

    monkeypatch.setattr(colours, "draw", draw)
    for chunk in range(4):
        assert len(phase.prepare(chunk)[1]) == 9 + 9
    # One map in 27 changes nothing.
    np.testing.assert_allclose(changed, 0.8 * np.array([0.75, 0.5, 0.25, 0.0]) * 26 / 27, atol=0.02)


def test_the_encoder_is_given_inputs_and_targets_that_changed_alike(monkeypatch):
    config = BakeConfig(**SMALL, encode_samples=128, tune_samples=128, augment_colours=1.0)
    source = QuerySource(StandIn(32), DirectionMix(), marked=True)

    def columns(*channels):
        asked = np.repeat(np.int8([[c] for c in channels]), config.chunk, axis=1)
        monkeypatch.setattr(colours, "draw", lambda *_: asked)
        return [np.asarray(column) for column in encode_phase(config, [encoded(source, 9)], 128).prepare(0)[1]]

    plain, swapped = columns(0, 1, 2), columns(2, 0, 1)
    # The target, the colour of the mark; the stand-in says of none of its inputs that it is one.
    for index in range(18):
        first = {6: 6, 15: 15}.get(index // 3 * 3)
        expected = plain[index] if first is None else plain[first + (2, 0, 1)[index - first]]
        np.testing.assert_array_equal(swapped[index], expected)
    assert (plain[6] != plain[7]).any()


def ask(reference, cone, samples, kind="half", n=2000):
    source = QuerySource(reference, DirectionMix())
    u, v = np.random.default_rng(1).random((2, n), dtype=np.float32)
    return source.directions(u, v, 7, KINDS[kind], blur=Blur(cone, samples)).numpy()


class Lambert(StandIn):
    """White."""

    def eval_dr(self, uv, wi, wo):
        import drjit as dr

        return mitsuba().Color3f(dr.maximum(wo.z, 0) / dr.pi)


def test_blurring_leaves_a_lambertian_as_it_is_to_the_horizon():
    _, wo, target, _ = ask(Lambert(size=0), np.radians(30), 16, "cosine")
    np.testing.assert_allclose(target[:, 0], wo[:, 2] / np.pi, rtol=1e-4)
    assert wo[:, 2].min() < 0.05


def test_a_narrow_cone_changes_nothing():
    wi, wo, plain, _ = ask(StandIn(size=0), 0.0, 1)
    same_wi, same_wo, blurred, _ = ask(StandIn(size=0), 1e-4, 2)
    np.testing.assert_array_equal(wi, same_wi)
    np.testing.assert_array_equal(wo, same_wo)
    np.testing.assert_allclose(blurred, plain, rtol=0.01, atol=1e-5)


def test_blurred_targets_are_averages_over_the_cone():
    """Against a quadrature of the BSDF's cosine-weighted average, by hand, for a lobe about as wide as the cone."""
    reference, cone = StandIn(size=0, alpha=(0.1, 0.1)), np.radians(10)
    wi, wo, target, _ = ask(reference, cone, 4000, "sampled", n=50)
    side = 100
    height, phi = np.meshgrid((np.arange(side) + 0.5) / side, 2 * np.pi * (np.arange(side) + 0.5) / side)
    cos = 1 - height.ravel() * (1 - np.cos(cone))
    sin = np.sqrt(1 - cos * cos)
    local = np.stack([sin * np.cos(phi.ravel()), sin * np.sin(phi.ravel()), cos], axis=1)
    mi = mitsuba()
    for one_wi, one_wo, found in zip(wi, wo, target, strict=True):
        first = np.cross(one_wo, [0.0, 1.0, 0.0] if abs(one_wo[1]) < 0.9 else [1.0, 0.0, 0.0])
        first /= np.linalg.norm(first)
        turned = local @ np.stack([first, np.cross(one_wo, first), one_wo])
        views = np.repeat(one_wi[None], len(turned), axis=0)
        values = reference.eval_dr(mi.Point2f(0, 0), mi.Vector3f(views.T), mi.Vector3f(turned.astype(np.float32).T))
        expected = np.asarray(values).mean(axis=1) / np.maximum(turned[:, 2], 0).mean() * one_wo[2]
        # 4000 samples of values that vary tenfold at most leave 2 % at one standard deviation.
        np.testing.assert_allclose(found, expected, rtol=0.07, atol=1e-3)


CHOICES = {
    "2026": dict(
        model=ModelConfig(decoder=DecoderConfig((16, 16), "leaky_smelu", ("half", "difference", "cosines"), "sigmoid")),
        mollify_degrees=10.0,
        mollify_samples=4,
        augment_colours=1.0,
    ),
    "without frames and cosine": dict(model=ModelConfig(frames=0, decoder=DecoderConfig(cosine=False)), loss="smape"),
}


@pytest.mark.parametrize("name", CHOICES)
def test_a_bake_with_other_choices_learns(name):
    size = dict(resolution=32, batch=2048, chunk_steps=32, report_samples=3000)
    config = preset("draft", encode_samples=400_000, tune_samples=600_000, **size, **CHOICES[name])
    report = bake(StandIn(32), config).metadata.report
    # Predicting the mean colour alone leaves 0.15.
    assert report["power_l1"] < 0.1
    assert report["energy_ratio"] == pytest.approx(1.0, abs=0.15)
