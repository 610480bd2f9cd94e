"""Metrics, pictures and image files."""

import json

import numpy as np
import pytest
from PIL import Image

from neural_samples import random_material
from verdigris.errors import RenderError
from verdigris.render import metrics
from verdigris.render.compare import compare, compare_images, contact_sheet
from verdigris.render.image import read_image, tonemap, write_atomically, write_image
from verdigris.render.picture import magma, panels, shrink

SHAPE = (24, 32, 3)


@pytest.fixture
def pair(rng):
    reference = rng.random(SHAPE).astype(np.float32)
    return reference, (reference * 1.1).astype(np.float32), np.indices(SHAPE[:2])[1] < 16


def test_equal_images_have_no_error(pair):
    reference, _, mask = pair
    covered = compare_images(reference, reference, mask).metrics["covered"]
    assert covered["flip"] == covered["hdr_flip"] == covered["relmse"] == 0
    assert covered["psnr_db"] is None


def test_metrics_by_hand():
    reference, test = np.full(SHAPE, 0.5, np.float32), np.full(SHAPE, 0.6, np.float32)
    assert metrics.relative_mse(reference, test) == pytest.approx(0.01 / 0.26, rel=1e-5)
    # sRGB of 0.5 and 0.6 are 0.735357 and 0.797738.
    assert metrics.psnr(reference, test) == pytest.approx(-20 * np.log10(0.062381), abs=1e-3)
    assert metrics.masked_mean(reference, np.zeros(SHAPE[:2], bool)) == 0


def test_errors_outside_the_mask_count_in_the_image_only(pair):
    reference, _, mask = pair
    wrong = reference.copy()
    wrong[:, 24:] = 1 - wrong[:, 24:]
    result = compare_images(reference, wrong, mask)
    assert result.metrics["covered"]["relmse"] == 0 < result.metrics["image"]["relmse"]
    assert (result.flip[~mask] == 0).all()
    assert result.metrics["covered_pixels"] == mask.sum()


def test_exposure_changes_what_is_clipped(pair):
    reference, test, mask = pair
    dark, bright = (compare_images(reference, test, mask, exposure).metrics["covered"] for exposure in (-3, 5))
    assert bright["flip"] < dark["flip"]
    assert bright["relmse"] == dark["relmse"]


def test_black_and_broken_images_do_not_end_the_process(pair):
    reference, test, mask = pair
    assert compare_images(reference * 0, test, mask).metrics["covered"]["hdr_flip"] > 0
    assert compare_images(reference * 0, reference * 0, mask).metrics["covered"]["hdr_flip"] == 0
    test[3, 3] = np.nan
    result = compare_images(reference, test, mask)
    assert result.metrics["invalid_pixels"] == 1
    json.dumps(result.metrics, allow_nan=False)
    with pytest.raises(RenderError, match="reference image"):
        compare_images(test, reference, mask)
    with pytest.raises(RenderError, match="one shape"):
        compare_images(reference, test[:4], mask)


def test_compare_renders_and_saves(rng, tmp_path):
    material = random_material(finest=(2, 2))
    seen = []
    result = compare(
        material, material, "sphere", (40, 40), spp=64, reference_spp=128, on_progress=lambda *a: seen.append(a)
    )
    assert {name for name, *_ in seen} == {"reference", "neural"}
    # Only the noise differs.
    assert result.metrics["covered"]["neural_mean"] == pytest.approx(
        result.metrics["covered"]["reference_mean"], rel=0.05
    )
    assert 0 < result.metrics["covered"]["flip"] < 0.2
    result.save(tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    pictures = {f"{name}.png" for name in ("reference", "neural", "flip", "hdr_flip", "side_by_side")}
    assert names == pictures | {"reference.exr", "neural.exr", "metrics.json"}
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == result.metrics
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "neural.exr"), result.neural)


def test_a_contact_sheet_holds_every_row(pair, tmp_path):
    result = compare_images(*pair)
    contact_sheet([("one", result), ("two", result), ("a name too long for its panel", result)], tmp_path / "s.png", 2)
    picture = np.asarray(Image.open(tmp_path / "s.png"))
    shown = panels([result.pictures()[name] for name in ("reference", "neural", "flip")], ("", "", ""))
    assert picture.shape[0] > 2 * shown.shape[0] and picture.shape[1] > 2 * shown.shape[1]
    with pytest.raises(RenderError, match="contact sheet"):
        contact_sheet([], tmp_path / "s.png")


def test_png_and_exr_round_trip(pair, tmp_path):
    reference, *_ = pair
    for name, tolerance in (("a.png", 0.006), ("a.exr", 0)):
        write_image(tmp_path / name, reference)
        np.testing.assert_allclose(read_image(tmp_path / name), reference, atol=tolerance)
    write_image(tmp_path / "b.png", reference, exposure=-1)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "b.png")), tonemap(reference / 2))


def test_image_errors_name_the_file(pair, tmp_path):
    reference, *_ = pair
    (tmp_path / "file").write_text("no image")
    for path in (tmp_path / "a.jpg", tmp_path / "file" / "a.png", tmp_path / "file" / "a.exr"):
        with pytest.raises(RenderError, match=path.name):
            write_image(path, reference)
    (tmp_path / "broken.exr").write_bytes(b"no image")
    for name in ("absent.exr", "broken.exr"):
        with pytest.raises(RenderError, match=name):
            read_image(tmp_path / name)


def test_a_failed_write_leaves_nothing_and_the_old_file(tmp_path):
    def fail(path):
        path.write_text("half")
        raise OSError("disk full")

    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RenderError, match=r"a\.txt: cannot be written: disk full"):
        write_atomically(tmp_path / "a.txt", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_the_error_colours_run_from_black_to_pale():
    colours = magma(np.array([[0.0, 0.5, 1.0, 2.0]]))
    assert colours[0, 0].max() < 10 and colours[0, 2].min() > 180
    np.testing.assert_array_equal(colours[0, 2], colours[0, 3])


def test_shrink_keeps_proportions_and_never_grows():
    image = np.zeros((40, 80, 3), np.uint8)
    assert shrink(image, 20).shape == (10, 20, 3)
    assert shrink(image, 200).shape == image.shape
