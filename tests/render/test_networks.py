"""Networks as Dr.Jit code: both emitters against the NumPy arbiter, and what the code does not repeat."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from neural_samples import queries, random_material
from verdigris.model.config import ACTIVATIONS, DecoderConfig, ModelConfig
from verdigris.model.decoder import network
from verdigris.render.codegen import DrjitMaterial
from verdigris.render.networks import Network, emit
from verdigris.render.plugin import make_bsdf

N = 20_000
SIZES = (22, 32, 32, 3)


def layers(seed=0, sizes=SIZES):
    """Weights of ordinary size, exactly representable in float16."""
    rng = np.random.default_rng(seed)
    pairs = zip(sizes, sizes[1:], strict=False)
    normal = [(rng.normal(size=(b, a)) * a**-0.5, rng.normal(size=b) * 0.1) for a, b in pairs]
    return tuple(tuple(array.astype(np.float16).astype(np.float32) for array in layer) for layer in normal)


def answered(mi, code, x):
    return np.array([np.array(value) for value in code([mi.Float(column) for column in x.T])]).T


def operations(dr, *values):
    """Operations of the kernel that computes these."""
    with dr.scoped_set_flag(dr.JitFlag.KernelHistory, True):
        dr.kernel_history_clear()
        dr.eval(*values)
        (kernel,) = dr.kernel_history([dr.KernelType.JIT])
    return kernel["operation_count"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("kind", "bound"), [("literal", 2e-6), ("cooperative", 1.2e-2)])
def test_both_emitters_agree_with_the_arbiter(mi, rng, activation, kind, bound):
    """float16 keeps 11 digits: a sum of 32 terms, the largest of them near 4, is off by sqrt(32) 4 / 2^11 at most."""
    x = rng.normal(size=(N, SIZES[0])).astype(np.float32)
    got = answered(mi, emit(Network(layers(), activation, early=(3, 20, 21)), kind), x)
    assert np.abs(got - network(layers(), activation, x)).max() < bound


@pytest.mark.parametrize("config", [ModelConfig(), ModelConfig(decoder=DecoderConfig((16, 16)))], ids=str)
def test_cooperative_vectors_answer_for_a_whole_material(mi, config):
    material = random_material(config, levels=3)
    uv, wi, wo = (part.astype(np.float32) for part in queries(N))
    code = DrjitMaterial(material, networks="cooperative")
    at = mi.Point2f(uv.T), mi.Vector3f(wi.T), mi.Vector3f(wo.T)
    for got, expected in (
        (np.array(code.eval_dr(*at)).T, material.eval(uv, wi, wo)),
        (np.array(code.pdf_dr(*at)), material.pdf(uv, wi, wo)),
    ):
        relative = np.abs(got - expected) / np.maximum(expected, 1e-3)
        # A lobe's density multiplies its network's error by how far from its middle it is asked for.
        assert np.median(relative) < 3e-3 and np.quantile(relative, 0.99) < 3e-2


def test_cooperative_vectors_work_in_a_virtual_call(mi, dr):
    """Two materials, so that the call is not made directly."""
    materials = [random_material(seed=seed) for seed in (1, 2)]
    shapes = [
        {"type": "sphere", "center": [4 * k, 0, 0], "bsdf": make_bsdf(DrjitMaterial(m, networks="cooperative"))}
        for k, m in enumerate(materials)
    ]
    scene = mi.load_dict({"type": "scene", "a": shapes[0], "b": shapes[1]})
    origin = mi.Point3f([0.3, 4.3], [0.2, 0.2], [5, 5])
    si = scene.ray_intersect(mi.Ray3f(origin, mi.Vector3f(0, 0, -1)))
    wo = mi.Vector3f(0.3, 0.4, 0.866)
    value = np.array(si.bsdf().eval(mi.BSDFContext(), si, wo)).T
    for k, material in enumerate(materials):
        at = np.array([[si.uv.x[k], 1 - si.uv.y[k]]])
        towards = np.array(si.wi).T[k : k + 1]
        np.testing.assert_allclose(
            value[k : k + 1], material.eval(at, towards, np.array([[0.3, 0.4, 0.866]])), rtol=2e-2
        )


def test_weights_of_zero_cost_nothing(mi, dr, rng):
    """Nor does what only they look at: here 10 of 22 inputs, and whatever leads to them."""
    dense, sparse = layers(), layers()
    sparse[0][0][:, 5:15] = 0
    x = [mi.Float(rng.normal(size=64)) for _ in range(SIZES[0])]
    read = [dr.exp(value) for value in x]
    saved = operations(dr, *emit(Network(dense, "relu"))(read)) - operations(dr, *emit(Network(sparse, "relu"))(read))
    assert saved > 10 * SIZES[1]
    got = np.array([np.array(value) for value in emit(Network(sparse, "relu"))(x)]).T
    assert np.abs(got - network(sparse, "relu", np.array([np.array(v) for v in x]).T)).max() < 2e-6


def test_a_constant_latent_is_folded_into_the_first_bias(mi, dr, rng):
    """What a material without texture takes: 8 of the 22 inputs are literals."""
    x = [mi.Float(rng.normal(size=64)) for _ in range(14)]
    code = emit(Network(layers(), "relu", early=tuple(range(14, 22))))
    varying = operations(dr, *code(x + [mi.Float(rng.normal(size=64)) for _ in range(8)]))
    assert varying - operations(dr, *code(x + [mi.Float(0.1 * k) for k in range(8)])) >= 8 * SIZES[1]


def test_several_directions_share_what_does_not_depend_on_them(mi, dr):
    """Latent, frames, features of wi, and all that the first layer makes of these: 14 of its 22 columns."""
    code = DrjitMaterial(random_material(finest=(8, 8)))
    uv, wi, wo = (mi.Float(part.ravel()) for part in queries(64))
    uv, wi, wo = dr.unravel(mi.Point2f, uv), dr.unravel(mi.Vector3f, wi), dr.unravel(mi.Vector3f, wo)
    dr.eval(uv, wi, wo)
    once = operations(dr, code.eval_dr(uv, wi, wo))
    twice = operations(dr, code.eval_dr(uv, wi, wo), code.eval_dr(uv, wi, mi.Vector3f(-wo.y, wo.x, wo.z)))
    assert 2 * once - twice > 14 * 32 + 100


def test_sample_pdf_and_eval_of_a_hit_take_one_sampler(mi, dr, rng):
    """All three together take less than their parts by what two samplers more would."""
    material = random_material(finest=(8, 8))
    code = DrjitMaterial(material)
    uv, wi, wo = (mi.Float(part.ravel()) for part in queries(64))
    uv, wi, wo = dr.unravel(mi.Point2f, uv), dr.unravel(mi.Vector3f, wi), dr.unravel(mi.Vector3f, wo)
    u = mi.Float(rng.random(64)), mi.Point2f(rng.random((2, 64)))
    dr.eval(uv, wi, wo, u)

    def parts():
        drawn, pdf = code.sample_dr(uv, wi, *u)
        return (drawn, pdf), (code.eval_dr(uv, wi, drawn),), (code.eval_dr(uv, wi, wo),), (code.pdf_dr(uv, wi, wo),)

    alone = sum(operations(dr, *part) for part in parts())
    together = operations(dr, *[value for part in parts() for value in part])
    sampler = sum(weight.size for weight, _ in material.sampler)
    assert alone - together > 2 * sampler


COUNTED = """
    import sys
    sys.path.insert(0, {tests!r})
    import verdigris
    verdigris.register()
    import drjit as dr, mitsuba as mi
    from neural_samples import random_material
    from verdigris.render.pathtrace import render
    dr.set_flag(dr.JitFlag.KernelHistory, True)
    render(random_material(levels=3), "sphere", (16, 16), 1)
    kernels = dr.kernel_history([dr.KernelType.JIT])
    print(sum(not k["cache_hit"] for k in kernels), sum(bool(k["cache_disk"]) for k in kernels))
"""


def test_a_second_process_compiles_nothing(tmp_path, request):
    """Literals and the way that buffers are read are the same in every process, so that Dr.Jit finds each kernel."""
    script = textwrap.dedent(COUNTED.format(tests=str(request.config.rootpath / "tests")))

    def kernels():
        command, environment = [sys.executable, "-c", script], {**os.environ, "HOME": str(tmp_path)}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        return [int(count) for count in done.stdout.split()]

    compiled, loaded = kernels()
    assert compiled > 0 and loaded == 0
    for _ in range(2):
        compiled, loaded = kernels()
        assert compiled == 0 and loaded > 0
