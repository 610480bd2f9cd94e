"""Learned frames, direction features and the decoder against numbers worked out by hand."""

import numpy as np
import pytest

from neural_samples import directions
from verdigris.model.config import DecoderConfig, ModelConfig
from verdigris.model.decoder import decode
from verdigris.model.features import decoder_input, half_distance, in_frames, log_half
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


def test_half_distance_is_2_minus_2_cosines():
    wi, wo, normal = directions(500, 1), directions(500, 2), directions(500, 3)
    h = (wi + wo) / np.linalg.norm(wi + wo, axis=1, keepdims=True)
    np.testing.assert_allclose(half_distance(normal[:, None], wi, wo)[:, 0], 2 - 2 * (h * normal).sum(1), atol=1e-12)


def test_order_of_the_decoder_input():
    config = DecoderConfig(features=("wo", "log_half", "wi"))
    wi, wo, latent = np.array([[0.6, 0, 0.8]]), np.array([[0, 0.6, 0.8]]), np.array([[7.0, 8.0]])
    frames = np.stack([np.eye(3), np.stack([T, B, N])])[None]
    x = decoder_input(config, frames, wi, wo, latent)[0]
    logs = log_half(frames[:, :, 2], wi, wo)[0]
    expected = [
        *wo[0],
        logs[0],
        *wi[0],
        T @ wo[0],
        B @ wo[0],
        N @ wo[0],
        logs[1],
        T @ wi[0],
        B @ wi[0],
        N @ wi[0],
        7,
        8,
    ]
    np.testing.assert_allclose(x, expected, atol=1e-12)
    assert len(x) == ModelConfig(channels=2, decoder=config).decoder_inputs


@pytest.mark.parametrize(("kind", "hidden"), [("relu", [3.0, 0.0]), ("leaky_relu", [3.0, -0.04])])
def test_the_decoder_by_hand(kind, hidden):
    # hidden raw: 1*1 + 1*2 + 0 = 3 and -2*1 + 0*2 - 2 = -4
    layers = [
        (np.array([[1.0, 1.0], [-2.0, 0.0]]), np.array([0.0, -2.0])),
        (np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), np.array([0.0, 3.0, 1.0])),
    ]
    raw = np.array([hidden[0], hidden[1] + 3, 0.5 * hidden[0] + 0.5 * hidden[1] + 1])
    np.testing.assert_allclose(decode(layers, kind, np.array([[1.0, 2.0]]))[0], np.exp(raw - 3))
