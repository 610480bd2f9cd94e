"""The picture of a bake: which texels it shows, what it draws, and that a strange asset does not break it."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mtlx_documents import RED
from neural_samples import random_material
from verdigris.asset import save
from verdigris.cli.main import run
from verdigris.conventions import luminance
from verdigris.materials.reference import load_reference
from verdigris.model.neural import Metadata
from verdigris.render import report
from verdigris.render.plot import BACKGROUND, NEURAL, REFERENCE, Curve, chart, half_circle

CURVES = [
    {"phase": "encode", "steps": 128, "steps_a_point": 64, "loss": [0.5, 0.2]},
    {"phase": "tune", "steps": 160, "steps_a_point": 64, "loss": [0.2, 0.1, 0.05]},
]


def reported(**values):
    """A random material whose report holds these values."""
    return random_material(metadata=Metadata("brass", bake={"batch": 1_000_000}, report=values))


def near(pixels, colour):
    """Which pixels have a colour, give or take what smoothing does to it."""
    return np.abs(pixels.astype(int) - colour).max(axis=2) < 24


def test_one_texel_of_each_region_is_shown(rng):
    texture = np.zeros((32, 32, 8), np.float32)
    texture[:, 20:] = 3.0
    texture[:4, :4] = -5.0
    texture += rng.normal(0, 1e-3, texture.shape).astype(np.float32)
    material = replace(random_material(), latents=(texture,))
    places = report.choose_texels(material, 3)
    np.testing.assert_array_equal(places, report.choose_texels(material, 3))
    x, y = (places * 32).astype(int).T
    regions = np.where(x >= 20, "right", np.where((x < 4) & (y < 4), "corner", "rest"))
    assert list(regions) == ["rest", "right", "corner"], "the largest first"
    np.testing.assert_allclose((places * 32) % 1, 0.5)


def test_a_uniform_material_has_one_texel():
    material = replace(random_material(), latents=(np.ones((1, 1, 8), np.float32),))
    np.testing.assert_array_equal(report.choose_texels(material), [[0.5, 0.5]])


def test_the_plane_of_incidence_holds_both_directions_and_the_mirror():
    angles, wi, wo = report.plane_of_incidence(np.radians(40.0))
    np.testing.assert_allclose(np.linalg.norm(wo, axis=1), 1.0, atol=1e-6)
    assert (wo[:, 2] > 0).all() and (wo[:, 1] == 0).all() and angles[0] < -1.56
    np.testing.assert_allclose(wi[0], [np.sin(np.radians(40)), 0, np.cos(np.radians(40))], rtol=1e-6)
    mirror = np.abs(wo - wi[0] * [-1, 1, 1]).max(axis=1).argmin()
    assert np.degrees(angles[mirror]) == pytest.approx(-40.0, abs=0.1)


def test_a_half_circle_shows_the_reference_as_an_area_under_the_line():
    angles, _, _ = report.plane_of_incidence(0.0)
    lobe = np.cos(angles) ** 3
    pixels = half_circle(angles, lobe, lobe / 8, 0.0, "view", 200)
    # Cube roots: the area reaches the rim above the centre, an eighth of it half as high.
    area, line = near(pixels, REFERENCE), near(pixels, NEURAL)
    radius, base = 0.5 * 200 - 14, pixels.shape[0] - 12
    column = slice(99, 101)
    assert np.flatnonzero(area[:, column].any(axis=1))[0] == pytest.approx(base - radius, abs=8)
    assert np.flatnonzero(line[:, column].any(axis=1))[0] == pytest.approx(base - 0.5 * radius, abs=2)
    assert area[base - 30 : base - 10, 95:105].all()
    assert near(pixels[-12:, :12], BACKGROUND).all()


def test_a_chart_falls_with_the_loss():
    curve = Curve("tune", np.arange(1.0, 11.0), 10.0 ** -np.linspace(0, 2, 10))
    pixels = chart([curve], "loss", "samples", 300, 200)
    rows = [np.flatnonzero(near(pixels, NEURAL)[:, x]).mean() for x in (80, 150, 280)]
    assert rows[0] < rows[1] < rows[2]
    # On a logarithmic axis a geometric fall is a straight line.
    assert (rows[1] - rows[0]) / 70 == pytest.approx((rows[2] - rows[1]) / 130, abs=0.05)
    assert not near(chart([], "nothing", "samples", 300, 200), NEURAL).any()


def test_curves_follow_one_another():
    first, second = report.curves(reported(curves=CURVES))
    np.testing.assert_allclose(first.positions, [64, 128])
    np.testing.assert_allclose(second.positions, [192, 256, 288])
    assert (first.label, second.values[-1]) == ("encode", 0.05)


@pytest.mark.parametrize(
    "value",
    [None, 3, "curves", [1], [{}]]
    + [[{**CURVES[0], "loss": loss}] for loss in (["a"], [0.0], [], [[1.0], 2.0], [1e400], 3)]
    + [[{**CURVES[0], **change}] for change in ({"steps": -1}, {"steps_a_point": "x"}, {"steps": 1e400})],
)
def test_a_report_of_another_writer_has_no_curves(value):
    assert report.curves(reported(curves=value)) == []


def test_walked_references_are_averaged():
    reference = load_reference("library:verdigris_brass")
    _, wi, wo = report.plane_of_incidence(np.radians(40.0))
    wi, wo = wi[::60], wo[::60]
    uv = np.full((len(wi), 2), 0.271, np.float32)
    once, mean, other = (
        luminance(report.mean_response(reference, uv, wi, wo, seeds, first))
        for seeds, first in ((1, 3), (64, 100), (64, 1000))
    )
    assert mean.shape == once.shape == (len(wi),)
    np.testing.assert_allclose(once, luminance(reference.eval(uv, wi, wo, seed=3)), rtol=1e-4, atol=1e-6)
    assert np.abs(mean - other).mean() < 0.5 * np.abs(once - other).mean()


def test_the_command_writes_a_picture(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "red.mtlx").write_text(RED)
    save(reported(curves=CURVES, power_l1=0.05, retries=0), "random.vdg")
    assert run(["report", "random.vdg", "red.mtlx"]) == 0
    out, err = capsys.readouterr()
    assert out == "random_report.png\n" and "not the document" in err
    with Image.open("random_report.png") as image:
        pixels = np.asarray(image)
    assert near(pixels[:, : report.SIDE], NEURAL).any() and near(pixels[:, report.SIDE :], REFERENCE).any()
    assert pixels.shape[1] == report.SIDE + 3 * report.PLOT
    for arguments, message in (
        (["red.mtlx", "red.mtlx"], "expected a .vdg file"),
        (["gone.vdg", "red.mtlx"], "gone.vdg"),
        (["random.vdg", "gone.mtlx"], "gone.mtlx"),
        (["random.vdg", "red.mtlx", "-o", "picture.jpg"], ".png"),
    ):
        assert run(["report", *arguments]) == 1
        assert message in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"red.mtlx", "random.vdg", "random_report.png"}
