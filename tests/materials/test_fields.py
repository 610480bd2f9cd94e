"""Fields and marks of the deep materials: the same at every resolution, seamless, and of the shape they claim."""

import numpy as np
import pytest

from verdigris.materials.library import fields, marks
from verdigris.materials.library.fields import Canvas, cover, pack, ramp, resample

ANGLE = 0.4


def kinds(canvas):
    """One of each kind of field."""
    return {
        "fractal": canvas.fractal("a", 3, 140, 1.0),
        "streaks": canvas.streaks("b", 20, 140, ANGLE, 0.2),
        "strokes": marks.strokes(canvas, "c", marks.Strokes(60, 200, ANGLE, 0.1, 0.2)),
        "spots": marks.spots(canvas, "d", 30, 5, 40, 0.6),
        "fingerprints": marks.fingerprints(canvas, "e", ((0.02, 0.98, 0.3), (0.5, 0.5, 1.0)), 74),
        "cracks": marks.cracks(canvas, "f", 8, 4.0, 12),
    }


@pytest.fixture(scope="module")
def coarse():
    return kinds(Canvas(1024, 5))


@pytest.fixture(scope="module")
def fine():
    return kinds(Canvas(2048, 5))


def test_the_same_seed_gives_the_same_field(coarse):
    again = Canvas(1024, 5).fractal("a", 3, 140, 1.0)
    assert np.array_equal(again, coarse["fractal"])
    assert not np.allclose(Canvas(1024, 6).fractal("a", 3, 140, 1.0), again)
    assert not np.allclose(Canvas(1024, 5).fractal("b", 3, 140, 1.0), again), "each name has its own numbers"


def test_a_finer_canvas_shows_the_same_picture(coarse, fine):
    for name, field in coarse.items():
        mean = fine[name].reshape(1024, 2, 1024, 2).mean(axis=(1, 3))
        correlation = np.corrcoef(mean.ravel(), field.ravel())[0, 1]
        assert correlation > 0.99, f"{name}: {correlation}"


def test_fields_repeat_without_a_seam(coarse):
    for name, field in coarse.items():
        for axis in (0, 1):
            rows = np.moveaxis(field, axis, 0)
            steps = np.abs(np.diff(rows, axis=0)).mean(axis=1)
            seam = np.abs(rows[0] - rows[-1]).mean()
            # Few marks cross the border, so a seam is compared with the busiest place inside.
            assert seam <= steps.max() * 1.001, f"{name}, axis {axis}"


def test_fields_hold_nothing_finer_than_three_points(coarse):
    for name, field in coarse.items():
        power = np.abs(np.fft.rfft2(field - field.mean())) ** 2
        fu, fv = np.fft.rfftfreq(1024, 1 / 1024)[None, :], np.fft.fftfreq(1024, 1 / 1024)[:, None]
        beyond = power[np.hypot(fu, fv) > 1024 / 4].sum() / power.sum()
        assert beyond < 0.02, f"{name}: {beyond:.3f} of the power has a period below four points"


def test_streaks_run_along_their_angle(coarse):
    rows, columns = np.gradient(coarse["streaks"])
    along = np.cos(ANGLE) * columns + np.sin(ANGLE) * rows
    across = np.cos(ANGLE) * rows - np.sin(ANGLE) * columns
    assert along.std() < 0.1 * across.std()


def test_marks_reach_their_depth_and_leave_the_rest_alone(coarse):
    for name in ("strokes", "spots", "fingerprints", "cracks"):
        field = coarse[name]
        assert field.min() > -1e-3, name
        assert 0.5 < field.max() < 1.8, name
        assert np.median(field) < 0.02, name


def test_fingerprints_have_ridges_seven_to_ten_points_apart(coarse):
    patch = coarse["fingerprints"][490:560, 480:544]
    patch = (patch - patch.mean()) * np.hanning(70)[:, None] * np.hanning(64)[None, :]
    power = np.abs(np.fft.fft2(patch)) ** 2
    radius = np.hypot(np.fft.fftfreq(70)[:, None], np.fft.fftfreq(64)[None, :])
    band = (radius > 0.08) & (radius < 0.3)
    pitch = 1 / (radius[band] * power[band]).sum() * power[band].sum()
    assert 6 < pitch < 10


def test_cells_are_bounded_by_the_points_halfway_between_seeds():
    border, label = marks.cells(Canvas(1024, 2), "g", 6, 0.0)
    across = np.abs(np.diff(label, axis=1)) > 0
    assert len(np.unique(label)) == 36
    assert border.min() >= -1e-4
    assert border[:, 1:][across].max() < 1.5 * 6 / 1024, "labels change where the distance is 0"


def test_cover_marks_the_fraction_asked_for(coarse):
    for fraction in (0.05, 0.3, 0.8):
        assert abs(cover(coarse["fractal"], fraction, 0.2).mean() - fraction) < 0.02


def test_warping_by_whole_points_is_a_shift():
    canvas = Canvas(1024, 1)
    field = canvas.fractal("a", 3, 100, 1.0)
    shifted = canvas.warp(field, np.full_like(field, 5.0), np.full_like(field, -3.0))
    assert np.allclose(shifted, np.roll(field, (3, -5), axis=(0, 1)), atol=1e-5)


def test_normals_are_unit_and_lean_away_from_a_rise():
    canvas = Canvas(1024, 1)
    u, v = canvas.uv()
    height = (4.0 * np.sin(2 * np.pi * 8 * u) + 0 * v).astype(np.float32)
    n = canvas.normals(height)
    assert np.allclose(np.linalg.norm(n, axis=-1), 1, atol=1e-6)
    slope = -n[..., 0] / n[..., 2]
    assert slope.max() == pytest.approx(4.0 * 2 * np.pi * 8 / fields.POINTS, rel=0.01)
    assert np.abs(n[..., 1]).max() < 1e-6


def test_cavities_are_where_it_dips():
    canvas = Canvas(1024, 1)
    height = canvas.fractal("a", 8, 40, 1.0)
    assert np.corrcoef(canvas.cavities(height, 30).ravel(), height.ravel())[0, 1] < -0.8


@pytest.mark.parametrize("size", [256, 700, 2048])
def test_resampling_keeps_places_and_the_seam(size):
    canvas = Canvas(1024, 1)
    field = canvas.fractal("a", 2, 12, 1.0)
    centres = (np.arange(size) + 0.5) / size
    other = resample(field, size)
    mode = np.exp(-2j * np.pi * 3 * centres)
    expected = np.exp(-2j * np.pi * 3 * canvas.uv()[0][0]) @ field.mean(axis=0) / 1024
    assert abs(other.mean(axis=0) @ mode / size - expected) < 2e-3
    assert np.abs(other[0] - other[-1]).mean() <= np.abs(np.diff(other, axis=0)).mean(axis=1).max() * 1.001
    assert np.array_equal(resample(np.stack([field, field], axis=-1), size)[..., 1], other)


def test_ramp_and_pack():
    colours = ramp(np.array([[-1.0, 0.5, 9.0]]), (0.0, (0, 0, 0)), (1.0, (1, 0.5, 0)))
    assert np.allclose(colours, [[[0, 0, 0], [0.5, 0.25, 0], [1, 0.5, 0]]])
    assert pack(np.array([[2.0]]), np.array([[-1.0]]), np.array([[0.5]])).tolist() == [[[1.0, 0.0, 0.5]]]
