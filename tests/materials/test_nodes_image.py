"""Image lookups against plain loops: every filter with every address mode, and what image nodes refuse."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from directions import direction
from mtlx_documents import write_document
from verdigris.errors import GraphError
from verdigris.materials.nodes.sampler import ADDRESS_MODES, FILTERS, Sampler
from verdigris.materials.reference import load_reference
from verdigris.runtime import mitsuba

HEIGHT, WIDTH = 3, 5


def wrapped(index: int, size: int, mode: str) -> int:
    """Index of the texel that stands at `index` of the endless image."""
    if mode == "periodic":
        return index % size
    if mode == "mirror":
        index %= 2 * size
        return min(index, 2 * size - 1 - index)
    return min(max(index, 0), size - 1)


def weights(filter_type: str, t: float) -> dict[int, float]:
    """Weights of the texels around a point t texels past the centre of texel 0."""
    if filter_type == "linear":
        return {0: 1 - t, 1: t}

    def spline(x: float) -> float:
        """Uniform cubic B-spline."""
        x = abs(x)
        return (4 - 6 * x**2 + 3 * x**3) / 6 if x < 1 else (2 - x) ** 3 / 6

    return {k: spline(t - k) for k in (-1, 0, 1, 2)}


def looked_up(pixels: np.ndarray, uv: np.ndarray, modes: tuple[str, str], filter_type: str) -> np.ndarray:
    """One lookup, in plain Python."""
    x, y = uv[0] * WIDTH, uv[1] * HEIGHT
    if filter_type == "closest":
        return pixels[wrapped(int(np.floor(y)), HEIGHT, modes[1]), wrapped(int(np.floor(x)), WIDTH, modes[0])]
    i, j = int(np.floor(x - 0.5)), int(np.floor(y - 0.5))
    total = np.zeros(pixels.shape[2])
    for (k, a), (m, b) in product(weights(filter_type, x - 0.5 - i).items(), weights(filter_type, y - 0.5 - j).items()):
        total += a * b * pixels[wrapped(j + m, HEIGHT, modes[1]), wrapped(i + k, WIDTH, modes[0])]
    return total


@pytest.mark.parametrize("filter_type", FILTERS)
@pytest.mark.parametrize("modes", list(product(ADDRESS_MODES, repeat=2)))
def test_lookup_equals_a_plain_loop(rng, filter_type: str, modes: tuple[str, str]) -> None:
    mi = mitsuba()
    pixels = rng.random((HEIGHT, WIDTH, 3)).astype(np.float32)
    uv = rng.uniform(-2, 3, (60, 2)).astype(np.float32)
    got = np.array(Sampler.build(pixels, modes, filter_type).eval(mi.Vector2f(uv.T.copy()))).T
    expected = np.array([looked_up(pixels, p, modes, filter_type) for p in uv])
    # uv reach 3 and are multiplied by 5: their rounding moves a lookup by 1e-6 texels.
    np.testing.assert_allclose(got, expected, atol=1e-5)


def diffuse(folder: Path, image: str) -> Path:
    """A diffuse material that shows an image node `I` with the given inputs."""
    body = f'<image name="I" type="color3">{image}</image>'
    body += (
        '<oren_nayar_diffuse_bsdf name="B" type="BSDF"><input name="weight" type="float" value="1" />'
        '<input name="color" type="color3" nodename="I" /></oren_nayar_diffuse_bsdf>'
    )
    return write_document(folder, body)


def colours(path: Path, uv: list[tuple[float, float]]) -> np.ndarray:
    """Diffuse colour at some points, `[n, 3]`."""
    up = np.repeat(direction(0.0)[None], len(uv), 0)
    return load_reference(path).eval(np.array(uv, np.float32), up, up) * np.pi


@pytest.mark.parametrize(
    ("u_mode", "v_mode", "inside"),
    [
        ("constant", "periodic", [True, False, False, True, False]),
        ("periodic", "constant", [True, True, True, False, False]),
        ("constant", "constant", [True, False, False, False, False]),
    ],
)
def test_the_default_shows_where_a_constant_axis_leaves_the_image(
    tmp_path, u_mode: str, v_mode: str, inside: list[bool]
) -> None:
    Image.new("RGB", (4, 4), (255, 255, 255)).save(tmp_path / "a.png")
    image = (
        '<input name="file" type="filename" value="a.png" />'
        '<input name="default" type="color3" value="0.25, 0.5, 0.75" />'
        f'<input name="uaddressmode" type="string" value="{u_mode}" />'
        f'<input name="vaddressmode" type="string" value="{v_mode}" />'
    )
    got = colours(diffuse(tmp_path, image), [(0.01, 0.99), (1.01, 0.5), (-0.01, 0.5), (0.5, 1.2), (-3, -3)])
    expected = [[1, 1, 1] if here else [0.25, 0.5, 0.75] for here in inside]
    np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ('<input name="file" type="filename" value="a_&lt;UDIM&gt;.png" />', "UDIM"),
        ('<input name="layer" type="string" value="diffuse" />', "layer"),
        ('<input name="framerange" type="string" value="1-10" />', "framerange"),
        ('<input name="uaddressmode" type="string" value="wrap" />', "uaddressmode"),
        ('<input name="filtertype" type="string" value="sinc" />', "filtertype"),
    ],
)
def test_what_is_refused_is_named(tmp_path, inputs: str, named: str) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    if "filename" not in inputs:
        inputs += '<input name="file" type="filename" value="a.png" />'
    with pytest.raises(GraphError, match=f"I: .*{named}"):
        load_reference(diffuse(tmp_path, inputs))


def test_a_file_name_may_come_through_an_interface(tmp_path) -> None:
    Image.new("RGB", (2, 2), (255, 0, 0)).save(tmp_path / "a.png")
    body = (
        '<nodegraph name="G"><input name="picture" type="filename" value="a.png" />'
        '<dot name="D" type="filename"><input name="in" type="filename" interfacename="picture" /></dot>'
        '<image name="I" type="color3"><input name="file" type="filename" nodename="D" /></image>'
        '<output name="out" type="color3" nodename="I" /></nodegraph>'
        '<oren_nayar_diffuse_bsdf name="B" type="BSDF"><input name="weight" type="float" value="1" />'
        '<input name="color" type="color3" nodegraph="G" /></oren_nayar_diffuse_bsdf>'
    )
    np.testing.assert_allclose(colours(write_document(tmp_path, body), [(0.5, 0.5)]), [[1, 0, 0]], atol=1e-6)
