"""Scenes, renders and coverage."""

import numpy as np
import pytest

from neural_samples import random_material
from verdigris.errors import RenderError
from verdigris.render.pathtrace import as_bsdf, coverage, render
from verdigris.render.scenes import STAGES, build_scene

SIZE = (48, 32)
WHITE = {"type": "diffuse", "reflectance": {"type": "rgb", "value": 0.8}}

SCENE = """<scene version="3.0.0">
  <integrator type="path"/>
  <sensor type="perspective"><transform name="to_world"><lookat origin="0,0,6" target="0,0,0" up="0,1,0"/></transform>
    <film type="hdrfilm"><integer name="width" value="7"/><integer name="height" value="9"/></film></sensor>
  <emitter type="constant"/>
  {body}
</scene>"""
MATERIAL = '<bsdf type="diffuse" id="material"/>'
BALL = '<shape type="sphere">{bsdf}</shape>'


def write_scene(folder, body):
    path = folder / "scene.xml"
    path.write_text(SCENE.format(body=body))
    return path


@pytest.mark.parametrize("scene", [name for name in STAGES if name != "horizon"])
def test_an_object_fills_its_frame_and_stays_inside(scene):
    mask = coverage(scene, (96, 96))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    filled = max(np.ptp(rows), np.ptp(columns)) / 96
    assert 0.8 <= filled <= 0.95
    assert abs(rows[0] + rows[-1] - 95) < 14 and abs(columns[0] + columns[-1] - 95) < 14


@pytest.mark.parametrize("scene", STAGES)
def test_every_scene_renders_a_neural_material(scene, rng):
    image = render(random_material(), scene, SIZE, spp=4)
    assert image.shape == (SIZE[1], SIZE[0], 3) and image.dtype == np.float32
    assert np.isfinite(image).all() and image.min() >= 0 and image.max() > 0.05


def test_the_teapot_has_no_holes():
    """Seen from the camera, the only black pixels of a white teapot are the gap of the lid and the spout's mouth."""
    mask = coverage("teapot", (96, 96))
    image = render(WHITE, "teapot", (96, 96), spp=16)
    assert (image[mask].max(axis=1) < 1e-3).mean() < 0.02


def test_equal_arguments_give_equal_images_and_seeds_differ():
    first, again, other = (render(WHITE, "sphere", SIZE, spp=2, seed=seed) for seed in (1, 1, 2))
    # Threads add up the samples of a pixel in any order.
    np.testing.assert_allclose(first, again, rtol=1e-5)
    assert np.abs(first - other).max() > 1e-2


def test_passes_average_and_report(monkeypatch):
    monkeypatch.setattr("verdigris.render.pathtrace.SAMPLES_A_PASS", SIZE[0] * SIZE[1] * 4)
    seen = []
    image = render(WHITE, "sphere", SIZE, spp=10, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(4, 10), (8, 10), (10, 10)]
    monkeypatch.undo()
    whole = render(WHITE, "sphere", SIZE, spp=10, seed=5)
    assert abs(image.mean() - whole.mean()) < 0.02 * whole.mean()


@pytest.mark.parametrize(
    "body",
    [
        BALL.format(bsdf=MATERIAL),
        MATERIAL + BALL.format(bsdf='<ref id="material"/>'),
        MATERIAL + BALL.format(bsdf='<bsdf type="twosided"><ref id="material"/></bsdf>'),
    ],
    ids=["nested", "referenced", "wrapped"],
)
def test_a_scene_file_shows_the_material_in_place_of_its_own(body, tmp_path):
    path = write_scene(tmp_path, body)
    black = {"type": "diffuse", "reflectance": {"type": "rgb", "value": 0.0}}
    image = render(black, path, SIZE, spp=4)
    assert image.shape == (SIZE[1], SIZE[0], 3)
    mask = coverage(path, SIZE)
    assert mask[16, 24] and not mask[0, 0]
    assert image[16, 24].max() == 0
    assert image[0, 0].min() > 0.9


def test_a_scene_file_finds_its_own_files_beside_it(tmp_path, mi):
    folder = tmp_path / "scene"
    folder.mkdir()
    mi.Bitmap(np.ones((4, 4, 3), np.float32)).write(str(folder / "texture.exr"))
    floor = (
        '<shape type="rectangle"><bsdf type="diffuse"><texture type="bitmap" name="reflectance">'
        '<string name="filename" value="texture.exr"/></texture></bsdf></shape>'
    )
    path = write_scene(folder, floor + BALL.format(bsdf=MATERIAL))
    before = str(mi.file_resolver())
    assert np.isfinite(render(WHITE, path, SIZE, spp=1)).all()
    assert str(mi.file_resolver()) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SCENE.format(body=BALL.format(bsdf="")), 'id "material", got none'),
        (SCENE.format(body='<shape type="sphere" id="material"/>'), "another kind of object"),
        ("<scene", "cannot be loaded"),
        (
            SCENE.format(body='<bsdf type="verdigris"/><bsdf type="diffuse" id="material"/>'),
            "RenderError: verdigris: exp",
        ),
        (SCENE.format(body='<bsdf type="nonsense"/><bsdf type="diffuse" id="material"/>'), "cannot be loaded"),
    ],
)
def test_a_wrong_scene_file_is_one_line(text, message, tmp_path):
    path = tmp_path / "scene.xml"
    path.write_text(text)
    with pytest.raises(RenderError, match=message) as caught:
        render(WHITE, path, SIZE, spp=1)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(scene="cube"), "sphere, plane, teapot"),
        (dict(scene="absent.xml"), "absent.xml: expected a scene file"),
        (dict(size=(0, 10)), "size: .*0x10"),
        (dict(size=(10, 9000)), "size: .*10x9000"),
        (dict(spp=0), "spp: .*got 0"),
        (dict(material=3), "material: .*got int"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(RenderError, match=message):
        render(**{"material": WHITE, "spp": 1, "size": SIZE, **arguments})


def test_a_bsdf_is_taken_as_it_is(mi):
    bsdf = mi.load_dict(WHITE)
    assert as_bsdf(bsdf) is bsdf


@pytest.mark.parametrize("scene", STAGES)
def test_the_lamp_lights_the_same_object(scene):
    studio, lamp = (render(WHITE, name, SIZE, 16) for name in (scene, f"{scene}@lamp"))
    mask = coverage(f"{scene}@lamp", SIZE)
    assert np.array_equal(mask, coverage(scene, SIZE))
    assert 0.1 < lamp[mask].mean() < 3 and not np.allclose(lamp[mask], studio[mask], rtol=0.05)
    np.testing.assert_allclose(render(WHITE, f"{scene}@studio", SIZE, 4), render(WHITE, scene, SIZE, 4), rtol=1e-3)


@pytest.mark.parametrize("scene", ["sphere@", "sphere@moon", "@lamp", "cube@lamp"])
def test_an_unknown_light_is_refused(scene):
    with pytest.raises(RenderError, match="scene: expected sphere, plane, teapot, horizon .or one @lamp."):
        render(WHITE, scene, SIZE, 1)


def test_a_box_filter_is_put_in_the_place_of_any(mi, tmp_path):
    """In the named scenes, and in files with a filter, without one, or with a film that names none."""
    path = tmp_path / "scene.xml"
    for inside in ("", '<rfilter type="mitchell"/>'):
        film = f'<film type="hdrfilm">{inside}</film>'
        path.write_text(
            f'<scene version="3.0.0"><sensor type="perspective">{film}</sensor>'
            '<shape type="sphere"><bsdf type="diffuse" id="material"/></shape></scene>'
        )
        for scene in (path, "sphere"):
            for boxed in (True, False):
                built = build_scene(scene, mi.load_dict({"type": "diffuse"}), (4, 4), boxed)
                found = built.sensors()[0].film().rfilter().is_box_filter()
                assert found is boxed
