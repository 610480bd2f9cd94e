"""The built-in materials: their textures repeat without a seam, come out the same each time, and are all there."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from verdigris.errors import GraphError
from verdigris.materials.library import locate, names, noise, textures


@pytest.fixture(scope="module")
def images():
    return dict(textures.draw("verdigris_brass"))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "verdigris" / "library"


def test_textures_come_out_the_same_each_time(images):
    again = dict(textures.draw("verdigris_brass"))
    assert list(again) == list(images)
    assert all(np.array_equal(again[name], image) for name, image in images.items())
    assert all(image.dtype == np.uint8 and image.shape[:2] == (512, 512) for image in images.values())


def test_textures_repeat_without_a_seam(images):
    for name, image in images.items():
        values = image.astype(float)
        for axis in (0, 1):
            rows = np.moveaxis(values, axis, 0)
            steps = np.abs(np.diff(rows, axis=0)).reshape(511, -1).mean(axis=1)
            seam = np.abs(rows[0] - rows[-1]).mean()
            assert seam <= steps.max(), f"{name}, axis {axis}: the step across the border is larger than any inside"


def test_layers_are_readable(images):
    oxide, verdigris = images["oxide_mask"] / 255.0, images["verdigris_mask"] / 255.0
    assert 0.35 < oxide.mean() < 0.7
    assert 0.2 < verdigris.mean() < 0.45
    assert (oxide >= verdigris - 1e-9).all(), "verdigris grows on oxide only"
    normals = images["brass_normal"] / 127.5 - 1.0
    assert abs(np.linalg.norm(normals, axis=-1) - 1.0).max() < 0.02


def test_normals_point_away_from_a_rise():
    x = np.arange(64) / 64
    rising_in_v = np.sin(2 * np.pi * x)[:, None] + np.zeros(64)
    n = noise.normals(rising_in_v, 0.2)
    assert np.allclose(n[..., 0], 0.0, atol=1e-12)
    assert n[0, 0, 1] < -0.1
    assert n[32, 0, 1] > 0.1


def test_locate_writes_every_file_that_the_document_names(cache):
    document, root = locate("verdigris_brass")
    text = document.read_text(encoding="utf-8")
    files = re.findall(r'value="([^"]+\.png)"', text)
    assert len(files) == 10
    for file in files:
        with Image.open(root / file) as image:
            assert image.size == (512, 512)
            assert image.mode == ("RGB" if "color" in file or "normal" in file else "L")
    assert ET.fromstring(text).get("version") == "1.39"
    assert [path.name for path in cache.iterdir()] == [root.name], "nothing else is left"


def test_locate_draws_once(cache, monkeypatch):
    first = locate("verdigris_brass")
    monkeypatch.setattr(textures, "draw", lambda name, size: pytest.fail("drawn again"))
    assert locate("verdigris_brass") == first


def test_a_failure_leaves_nothing(cache, monkeypatch):
    monkeypatch.setattr(textures, "draw", lambda name, size: [("x", np.zeros((2, 2), np.complex128))])
    with pytest.raises(TypeError):
        locate("verdigris_brass")
    assert list(cache.iterdir()) == []


def test_an_unwritable_cache_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(GraphError, match="library:verdigris_brass: no folder") as caught:
        locate("verdigris_brass")
    assert "\n" not in str(caught.value)


def test_a_resolution_is_part_of_the_name_or_an_argument(cache):
    document, root = locate("verdigris_brass@256")
    assert (document, root) == locate("verdigris_brass", 256)
    with Image.open(root / "oxide_mask.png") as image:
        assert image.size == (256, 256)
    assert root != locate("verdigris_brass")[1]


@pytest.mark.parametrize("name", ["verdigris_brass@128", "verdigris_brass@8192", "verdigris_brass@big"])
def test_a_resolution_out_of_range_is_refused(cache, name):
    with pytest.raises(GraphError, match=r"library:.*: resolution: expected 256 to 4096 texels, got") as caught:
        locate(name)
    assert "\n" not in str(caught.value)
    assert not cache.exists()


def test_unknown_name_lists_what_exists():
    assert "verdigris_brass" in names()
    with pytest.raises(GraphError, match="library:gold: .*verdigris_brass"):
        locate("gold")


def test_the_document_is_valid_materialx(cache):
    mx = pytest.importorskip("MaterialX")
    document = mx.createDocument()
    stdlib = mx.createDocument()
    mx.loadLibraries(mx.getDefaultDataLibraryFolders(), mx.getDefaultDataSearchPath(), stdlib)
    mx.readFromXmlFile(document, str(locate("verdigris_brass")[0]))
    document.setDataLibrary(stdlib)
    valid, message = document.validate()
    assert valid, message
    assert [m.getName() for m in document.getMaterialNodes()] == ["verdigris_brass"]
