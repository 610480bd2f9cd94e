"""The real-time loop: nothing compiled or traced after the start, the pictures of a plain render, its errors."""

import gc

import numpy as np
import pytest

from neural_samples import random_material, with_heads
from verdigris.errors import RenderError, RuntimeMissing
from verdigris.render import denoise as denoising
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.denoise import denoise
from verdigris.render.frame_times import Kernels, resident_mib
from verdigris.render.pathtrace import as_bsdf
from verdigris.render.plugin import make_bsdf
from verdigris.render.realtime import SETTLING, RealtimeLoop, realtime, turntable
from verdigris.render.scenes import build_scene, camera
from verdigris.runtime import mitsuba

SIZE = (24, 16)


def material():
    return with_heads(random_material(finest=(16, 16), levels=3), ("guides", "albedo"))


def smooth():
    """One texel all over, so that all that a frame shows is shape and noise."""
    return with_heads(random_material(finest=(1, 1)), ("guides",))


def loop_of(subject, **options):
    bsdf = as_bsdf(subject)
    scene = build_scene("sphere", bsdf, SIZE, box_filter=True)
    guided = {"guided": bsdf} if options.pop("denoised", False) else {}
    return RealtimeLoop(scene, **guided, **options), scene


def turned(loop, angle):
    turn = np.eye(4)
    turn[[0, 2], [0, 2]], turn[0, 2], turn[2, 0] = np.cos(angle), np.sin(angle), -np.sin(angle)
    return turn @ loop.camera


def two_balls(integrator, bsdfs):
    """A scene of two balls of a material each, as a dict."""
    balls = {
        f"ball{k}": {"type": "sphere", "center": [k - 0.5, 0, 0], "radius": 0.6, "bsdf": bsdf}
        for k, bsdf in enumerate(bsdfs)
    }
    view = camera([0, 0, 4], [0, 0, 0], 40.0, SIZE, box_filter=True)
    return {"type": "scene", "integrator": integrator, "sensor": view, "sky": {"type": "constant"}, **balls}


@pytest.mark.parametrize("denoised", [False, True])
def test_nothing_is_compiled_or_traced_once_it_runs(denoised):
    seen = []
    times = realtime(
        material(), "sphere", SIZE, frames=8, turn_deg=20, denoised=denoised, on_frame=lambda n, p: seen.append((n, p))
    )
    assert [number for number, _ in seen] == list(range(8))
    assert times.compiled == times.recordings == 0
    assert times.launches >= 1
    assert (times.milliseconds > 0).all() and times.first_frame_s > 0
    summary = times.summary()
    assert summary["frames"] == 8 and summary["median_ms"] <= summary["p95_ms"] <= summary["p99_ms"]
    assert all(picture.shape == (16, 24, 3) and np.isfinite(picture).all() for _, picture in seen)
    assert not np.allclose(seen[0][1], seen[1][1])


def test_a_frame_is_the_picture_that_the_integrator_gives_for_that_camera_and_seed():
    loop, scene = loop_of(material(), spp=2, seed=5)
    for number, angle in enumerate((0.0, 0.0, 0.4, 0.4, 0.4, 1.3)):
        picture = loop.frame(turned(loop, angle))
        expected = np.array(scene.integrator().render(scene, scene.sensors()[0], seed=5 + number, spp=2))
        np.testing.assert_allclose(picture, expected, rtol=1e-4, atol=1e-5)


def test_frames_are_averaged_while_the_camera_stands():
    loop, _ = loop_of(material())
    noisy = loop.frame(loop.camera)
    still = [loop.frame() for _ in range(31)][-1]
    other = [loop.frame(loop.camera), *(loop.frame() for _ in range(31))][-1]
    assert np.abs(still - other).mean() < 0.35 * np.abs(noisy - other).mean()
    moved = loop.frame(turned(loop, 0.5))
    assert np.abs(moved - still).mean() > 2 * np.abs(still - other).mean()


def test_denoised_frames_are_closer_to_the_truth():
    """Mean absolute error of one denoised frame, and of a noisy one, against many."""
    subject = smooth()
    clean = loop_of(subject, spp=2048)[0].frame()
    errors = [np.abs(loop_of(subject, denoised=d)[0].frame() - clean).mean() for d in (False, True)]
    assert errors[1] < 0.3 * errors[0]


def test_kernels_are_counted(mi, dr):
    with Kernels() as kernels:
        dr.eval(dr.square(dr.arange(mi.Float, 3) + 1.2345678))
        kernels.count()
        assert kernels.launched == 1
        dr.eval(dr.square(dr.arange(mi.Float, 3) + 1.2345678))
        kernels.count()
        assert kernels.launched == 2 and kernels.compiled <= 1
    assert not dr.flag(dr.JitFlag.KernelHistory)


def test_memory_is_that_in_use():
    before = resident_mib()
    block = np.ones(64 << 20, np.uint8)
    assert resident_mib() - before > 48
    del block
    assert resident_mib() - before < 48


def test_a_turntable_keeps_its_distance_and_comes_back(mi):
    scene = build_scene("teapot", as_bsdf({"type": "diffuse"}), SIZE)
    camera = np.array(scene.sensors()[0].world_transform().matrix, np.float64).reshape(4, 4)
    shapes = [shape for shape in scene.shapes()]
    place = turntable(camera, shapes)
    np.testing.assert_allclose(place(0.0), camera, atol=1e-6)
    np.testing.assert_allclose(place(2 * np.pi), camera, atol=1e-6)
    box = shapes[0].bbox()
    middle = (np.ravel(box.min) + np.ravel(box.max)) / 2
    for angle in (0.3, 2.0):
        moved = place(angle)
        assert moved[1, 3] == pytest.approx(camera[1, 3])
        assert np.linalg.norm(moved[:3, 3] - middle) == pytest.approx(np.linalg.norm(camera[:3, 3] - middle))
        assert np.linalg.det(moved[:3, :3]) == pytest.approx(np.linalg.det(camera[:3, :3]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"frames": 0}, "frames: expected 1 to"),
        ({"hold": 0}, "hold: expected 1 to"),
        ({"spp": 0}, "spp: expected 1 to"),
        ({"turn_deg": float("nan")}, "turn_deg: expected a number"),
        ({"size": (0, 4)}, "size"),
        ({"scene": "moon"}, "scene"),
    ],
)
def test_wrong_arguments_are_refused(wrong, message):
    with pytest.raises(RenderError, match=message):
        realtime(material(), **{"size": SIZE, "frames": 1, **wrong})


def test_denoising_keeps_a_clean_picture_and_takes_noise_away(rng):
    clean = np.broadcast_to(np.linspace(0.1, 4.0, 64, dtype=np.float32)[None, :, None], (64, 64, 3))
    noisy = (clean * rng.exponential(size=clean.shape)).astype(np.float32)
    assert np.abs(denoise(clean) - clean).mean() < 0.05
    assert np.square(denoise(noisy) - clean).mean() < 0.1 * np.square(noisy - clean).mean()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"albedo": np.zeros((4, 4, 3))}, "albedo: expected shape"),
        ({"normal": np.zeros((8, 8, 3))}, "normal: expected an albedo"),
        ({"quality": "best"}, "quality: expected one of fast, balanced, high"),
    ],
)
def test_denoising_refuses_what_does_not_fit(arguments, message):
    with pytest.raises(RenderError, match=message):
        denoise(np.zeros((8, 8, 3), np.float32), **arguments)


def test_without_the_library_the_error_names_the_extra(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(denoising, "import_module", absent)
    with pytest.raises(RuntimeMissing, match=r"pip install 'verdigris\[denoise\]'"):
        loop_of(material(), denoised=True)


def test_the_loop_settles_in_time():
    """Frames until nothing is recorded are not more than those that `realtime` leaves out."""
    loop, _ = loop_of(material())
    counts = []
    for k in range(SETTLING + 3):
        loop.frame(turned(loop, 0.1 * k))
        counts.append(loop.recordings)
    assert counts[SETTLING - 1] == counts[-1]


def test_weights_in_buffers_are_found_in_a_frozen_frame():
    """As a GPU has them; of two materials, since one alone is no call."""
    mi = mitsuba()
    bsdfs = [make_bsdf(DrjitMaterial(random_material(finest=(16, 16), seed=k), networks="cooperative")) for k in (0, 1)]
    loop = RealtimeLoop(mi.load_dict(two_balls({"type": "verdigris_path", "max_depth": 3}, bsdfs)))
    moving = [loop.frame(turned(loop, 0.1 * k)) for k in range(SETTLING + 1)]
    again = RealtimeLoop(mi.load_dict(two_balls({"type": "verdigris_path", "max_depth": 3}, bsdfs)), seed=SETTLING)
    np.testing.assert_allclose(moving[-1], again.frame(loop.camera), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("depth", [4, -1])
def test_a_sorted_bounce_is_traced_for_the_first_frames_alone(depth):
    """Of separate networks, side by side: the pictures are those of the walk that does not sort."""
    mi = mitsuba()
    gc.collect()  # scenes of other tests, which would change what a call may meet
    bsdfs = [as_bsdf(random_material(finest=(16, 16), seed=k)) for k in range(2)]
    walks = ({"type": "verdigris_path", "max_depth": depth, "sort": sort} for sort in (False, True))
    loops = [RealtimeLoop(mi.load_dict(two_balls(walk, bsdfs))) for walk in walks]
    counts = []
    for k in range(SETTLING + 2):
        plain, by_material = (loop.frame(turned(loop, 0.1 * k)) for loop in loops)
        np.testing.assert_allclose(by_material, plain, rtol=1e-4, atol=1e-5)
        counts.append(loops[1].recordings)
    assert counts[SETTLING - 1] == counts[-1] <= 8  # of bounces, of which there were 24 and more
