"""Latents of several materials in one buffer: each answers for itself, and equal networks are one piece of code."""

import gc
import weakref
from dataclasses import replace

import numpy as np

from bake_standin import StandIn
from neural_samples import queries, random_material
from verdigris.bake import bake_shared, preset
from verdigris.model.config import ModelConfig
from verdigris.render import pool
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.plugin import make_bsdf
from verdigris.render.pyramid import Pyramid

N = 4000


def siblings(count, finest=(8, 16), levels=4):
    """Materials of one network and other latents."""
    first = random_material(finest=finest, levels=levels)
    others = [random_material(finest=finest, levels=levels, seed=k).latents for k in range(1, count)]
    return [first, *(replace(first, latents=latents) for latents in others)]


def test_materials_packed_together_answer_as_the_arbiter(mi, rng):
    wide = random_material(ModelConfig(channels=5), (6, 13), 3)
    materials = [*siblings(3), *siblings(2, (16, 4), 2), wide]
    traced = [DrjitMaterial(material) for material in materials]
    uv, wi, wo = (part.astype(np.float32) for part in queries(N))
    at = mi.Point2f(uv.T), mi.Vector3f(wi.T), mi.Vector3f(wo.T)
    for material, one in zip(materials, traced, strict=True):
        level = rng.integers(len(material.latents), size=N).astype(np.uint32)
        got = np.array(one.eval_dr(*at, level=mi.UInt32(level))).T
        np.testing.assert_allclose(got, material.eval(uv, wi, wo, level=level), rtol=1e-4, atol=1e-6)


def test_what_waits_is_packed_once_and_is_not_moved(mi):
    first, second = (Pyramid(material.latents) for material in siblings(2))
    assert first.slot.texels.index == second.slot.texels.index
    before = first.slot
    third = Pyramid(siblings(1)[0].latents)
    assert third.slot.texels.index != before.texels.index
    assert first.slot is before


def test_a_pyramid_that_nobody_keeps_is_not_packed(mi):
    pool.pack()
    lost = Pyramid(siblings(1)[0].latents)
    kept, gone = Pyramid(siblings(1, (4, 4), 1)[0].latents), weakref.ref(lost)
    del lost
    gc.collect()
    assert gone() is None
    assert len(kept.slot.texels) == 4 * 4 * 8


def test_bytes_are_those_of_the_texels(mi):
    """8 x 16 and 4 x 8 texels of 5 channels, which fill two packets; halves where these are exact."""
    material = random_material(ModelConfig(channels=5), (8, 16), 2)
    assert DrjitMaterial(material).latent_bytes == (128 + 32) * 8 * 2
    finer = replace(material, latents=tuple(level + np.float32(1e-6) for level in material.latents))
    assert DrjitMaterial(finer).latent_bytes == (128 + 32) * 8 * 4


def grid_scene(mi, bsdfs):
    """Small spheres side by side, each with its own BSDF, under a sky."""
    count = len(bsdfs)
    side = int(np.ceil(np.sqrt(count)))
    spheres = {
        f"ball{k}": {"type": "sphere", "center": [k % side + 0.5, k // side + 0.5, 0], "radius": 0.5, "bsdf": bsdf}
        for k, bsdf in enumerate(bsdfs)
    }
    half = side / 2
    look = mi.ScalarTransform4f().look_at([half, half, 4 * side], [half, half, 0], [0, 1, 0])
    film = {"type": "hdrfilm", "width": 32, "height": 32, "rfilter": {"type": "box"}, "pixel_format": "rgb"}
    return mi.load_dict(
        {
            "type": "scene",
            "integrator": {"type": "verdigris_path", "max_depth": 4},
            "sensor": {"type": "perspective", "fov": 16.0, "to_world": look, "film": film},
            "sky": {"type": "constant"},
            **spheres,
        }
    )


def operations(mi, dr, bsdfs):
    """Operations of the kernel that renders them, virtual functions included."""
    scene = grid_scene(mi, bsdfs)
    with dr.scoped_set_flag(dr.JitFlag.KernelHistory):
        dr.kernel_history_clear()
        dr.eval(mi.render(scene, spp=1))
        return max(kernel["operation_count"] for kernel in dr.kernel_history([dr.KernelType.JIT]))


def test_equal_networks_are_one_function_and_others_are_not(mi, dr):
    two, nine = (operations(mi, dr, [make_bsdf(DrjitMaterial(m)) for m in siblings(count)]) for count in (2, 9))
    apart = operations(mi, dr, [make_bsdf(DrjitMaterial(random_material(levels=4, seed=k))) for k in range(9)])
    assert nine < 1.1 * two
    assert apart > 4 * nine


def test_a_shared_bake_is_one_function(mi, dr):
    """Baked for a moment: the second material adds no code, where one with other weights adds as much again."""
    few = dict(encode_samples=4096, tune_samples=4096, uniform_samples=4096, auxiliary_samples=0, report_samples=3000)
    config = preset("draft", levels=2, resolution=16, batch=1024, chunk_steps=2, **few)
    names = ("red", "blue")
    baked = bake_shared([StandIn(16, seed=seed, name=name) for seed, name in enumerate(names)], config)
    stranger = replace(baked[1], layers=tuple((weight * 1.01, bias) for weight, bias in baked[1].layers))
    one, both, apart = (
        operations(mi, dr, [make_bsdf(DrjitMaterial(m)) for m in some])
        for some in ([baked[0]] * 2, baked, [baked[0], stranger])
    )
    assert both == one
    assert apart > both + 5000


def test_each_shape_shows_its_own_material(mi):
    """A picture of all is, sphere by sphere, the pictures of each; no light goes from one sphere to the next."""
    materials = siblings(4)
    depth = mi.load_dict({"type": "verdigris_path", "max_depth": 2})
    scene = grid_scene(mi, [make_bsdf(DrjitMaterial(m)) for m in materials])
    together = np.array(mi.render(scene, spp=4, seed=3, integrator=depth))
    quarters = [(slice(16 * (k < 2), 16 * (k < 2) + 16), slice(16 * (k % 2), 16 * (k % 2) + 16)) for k in range(4)]
    for material, quarter in zip(materials, quarters, strict=True):
        alone_scene = grid_scene(mi, [make_bsdf(DrjitMaterial(material))] * 4)
        alone = np.array(mi.render(alone_scene, spp=4, seed=3, integrator=depth))
        np.testing.assert_allclose(together[quarter], alone[quarter], rtol=1e-3, atol=1e-5)
        assert np.abs(together - alone).max() > 0.01
