"""Learned frames, direction features and the decoder against numbers worked out by hand."""

import numpy as np
import pytest

from directions import random_directions
from verdigris.model.config import DecoderConfig, ModelConfig
from verdigris.model.decoder import activate, decode, respond
from verdigris.model.features import decoder_input, difference, half_distance, half_in_frames, in_frames, log_half
from verdigris.model.frames import shading_frames

# raw n = (.3, -.4, .2), raw t = (1, 1, -2): n = (3, -4, 12) / 13, t = (2, 1, -2) / 3, b = n x t = (-4, 30, 11) / 39
RAW = np.array([0.3, -0.4, 0.2, 1.0, 1.0, -2.0])
T, B, N = np.array([2, 1, -2]) / 3, np.array([-4, 30, 11]) / 39, np.array([3, -4, 12]) / 13


def test_a_frame_by_hand():
    frames = shading_frames(np.concatenate([np.zeros(6), RAW])[:, None], np.ones((1, 1)))
    np.testing.assert_allclose(frames[0, 0], np.eye(3), atol=1e-15)
    np.testing.assert_allclose(frames[0, 1], [T, B, N], atol=1e-12)


def test_frames_are_not_orthogonalised():
    t, b, n = shading_frames(RAW[:, None], np.ones((1, 1)))[0, 0]
    assert abs(t @ n) > 0.1
    assert np.linalg.norm(b) < 1
    np.testing.assert_allclose([b @ n, b @ t], 0, atol=1e-12)


def test_without_learned_frames_there_is_the_identity():
    np.testing.assert_array_equal(shading_frames(None, np.ones((3, 8))), np.broadcast_to(np.eye(3), (3, 1, 3, 3)))


def test_a_degenerate_frame_is_finite():
    assert np.isfinite(shading_frames(np.array([[0], [0], [-1], [-1], [0], [0]], dtype=float), np.ones((1, 1)))).all()


def test_directions_are_dotted_with_t_b_n():
    frames = np.stack([np.eye(3), np.stack([T, B, N])])[None]
    d = np.array([[0.6, 0.0, 0.8]])
    np.testing.assert_allclose(in_frames(frames, d)[0], [d[0], [T @ d[0], B @ d[0], N @ d[0]]], atol=1e-12)


def test_log_half_by_hand():
    z = np.array([[[0.0, 0.0, 1.0]]])
    wi, mirror, flat = np.array([[0.6, 0, 0.8]]), np.array([[-0.6, 0, 0.8]]), np.array([[0.6, 0, 0.8]])
    np.testing.assert_allclose(log_half(z, wi, mirror), (np.log(1e-6) + 6) / 6)
    # h = wi: |h - n|^2 = 2 (1 - 0.8) = 0.4
    np.testing.assert_allclose(log_half(z, wi, flat), (np.log(0.4 + 1e-6) + 6) / 6)


def test_half_and_difference_by_hand():
    # i = (.6, 0, .8), o = (0, .6, .8): g = (.6, .6, 1.6) / sqrt(3.28)
    g = np.array([0.6, 0.6, 1.6]) / np.sqrt(3.28)
    i, o = np.array([[[0.6, 0, 0.8]]]), np.array([[[0, 0.6, 0.8]]])
    np.testing.assert_allclose(half_in_frames(i, o)[0, 0], g)
    # The arc's axis is (1, -1, 0) / sqrt(2); the part of i along it stays, the rest turns by arccos(g.z).
    axis, angle = np.array([1, -1, 0]) / np.sqrt(2), np.arccos(g[2])
    turned = _rotate(axis, angle, i[0, 0])
    np.testing.assert_allclose(difference(g[None, None], i)[0, 0], turned, atol=1e-12)


def _rotate(axis, angle, v):
    """Rodrigues' formula."""
    return v * np.cos(angle) + np.cross(axis, v) * np.sin(angle) + axis * (axis @ v) * (1 - np.cos(angle))


def test_difference_is_a_rotation_that_takes_the_half_vector_to_z(rng):
    half, wi = (random_directions(rng, 500, 0, below, np.float64)[:, None] for below in (0, 0.5))
    turned = difference(half, wi)
    np.testing.assert_allclose(difference(half, half), np.broadcast_to([0.0, 0.0, 1.0], half.shape), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), 1, atol=1e-12)
    # Angles to the half vector become angles to z.
    np.testing.assert_allclose(turned[..., 2], (half * wi).sum(-1), atol=1e-12)


def test_difference_is_continuous_at_mirror_reflection_and_opposite_the_normal():
    wi = np.array([[[0.6, 0.0, 0.8]]])
    for z in (1.0, -1.0):
        near = np.array([[1e-6, 0.0], [0.0, 1e-6], [-1e-6, -1e-6]])
        half = np.concatenate([near, np.full((3, 1), z)], axis=1)
        turned = difference(half[:, None], np.repeat(wi, 3, axis=0))
        np.testing.assert_allclose(turned, np.broadcast_to(z * wi, turned.shape), atol=1e-5)


def test_half_distance_is_2_minus_2_cosines(rng):
    wi, wo, normal = (random_directions(rng, 500, dtype=np.float64) for _ in range(3))
    h = (wi + wo) / np.linalg.norm(wi + wo, axis=1, keepdims=True)
    np.testing.assert_allclose(half_distance(normal[:, None], wi, wo)[:, 0], 2 - 2 * (h * normal).sum(1), atol=1e-12)


def test_order_of_the_decoder_input():
    config = DecoderConfig(features=("wo", "log_half", "wi", "difference", "cosines", "half"))
    wi, wo, latent = np.array([[0.6, 0, 0.8]]), np.array([[0, 0.6, 0.8]]), np.array([[7.0, 8.0]])
    frames = np.stack([np.eye(3), np.stack([T, B, N])])[None]
    x = decoder_input(config, frames, wi, wo, latent)[0]
    logs = log_half(frames[:, :, 2], wi, wo)[0]
    expected = []
    for frame, log in zip(frames[0], logs, strict=True):
        i, o = frame @ wi[0], frame @ wo[0]
        g = (i + o) / np.linalg.norm(i + o)
        expected += [*o, log, *i, *difference(g, i), i[2], o[2], *g]
    expected += [7, 8]
    np.testing.assert_allclose(x, expected, atol=1e-12)
    assert len(x) == ModelConfig(channels=2, decoder=config).decoder_inputs


@pytest.mark.parametrize(
    ("kind", "hidden"), [("relu", [3.0, 0.0]), ("leaky_relu", [3.0, -0.04]), ("leaky_smelu", [3.0, -0.04])]
)
@pytest.mark.parametrize(
    ("output", "function"), [("exp", lambda raw: np.exp(raw - 3)), ("sigmoid", lambda raw: 1e5 / (1 + np.exp(-raw)))]
)
def test_the_decoder_by_hand(kind, hidden, output, function):
    # hidden raw: 1*1 + 1*2 + 0 = 3 and -2*1 + 0*2 - 2 = -4
    layers = [
        (np.array([[1.0, 1.0], [-2.0, 0.0]]), np.array([0.0, -2.0])),
        (np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), np.array([0.0, 3.0, 1.0])),
    ]
    raw = np.array([hidden[0], hidden[1] + 3, 0.5 * hidden[0] + 0.5 * hidden[1] + 1])
    np.testing.assert_allclose(decode(layers, kind, output, np.array([[1.0, 2.0]]))[0], function(raw))


def test_leaky_smelu_by_hand():
    # At 0.25: 0.0025 + 0.99 * 0.75^2 / 2
    x = np.array([-2.0, -0.5, 0.0, 0.25, 0.5, 2.0])
    np.testing.assert_allclose(activate("leaky_smelu", x), [-0.02, -0.005, 0.12375, 0.2809375, 0.5, 2.0])


def test_leaky_smelu_has_a_continuous_slope():
    x = np.linspace(-1, 1, 20_001)
    slope = np.diff(activate("leaky_smelu", x)) / np.diff(x)
    assert np.abs(np.diff(slope)).max() < 1.1e-4  # 1 / (2 beta) a unit of x, at steps of 1e-4
    np.testing.assert_allclose([slope[0], slope[-1]], [0.01, 1.0])


def test_the_sigmoid_keeps_its_digits_and_never_overflows():
    raw = np.float32([-1e30, -1000, -80, -15, 0, 20, 1e30])
    got = respond("sigmoid", raw)
    with np.errstate(over="ignore"):
        expected = 1e5 / (1 + np.exp(-raw.astype(float)))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-6)
