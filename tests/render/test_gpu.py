"""The CUDA variant, where a GPU is there: both emitters against the arbiter, and a frame against that of the CPU."""

import subprocess
import sys
import textwrap

import pytest

from verdigris.runtime import mitsuba

AGREE = """
    import sys
    sys.path.insert(0, {tests!r})
    import numpy as np
    import verdigris
    from verdigris.runtime import mitsuba
    mi = mitsuba("cuda_ad_rgb")
    from neural_samples import queries, random_material
    from verdigris.render.codegen import DrjitMaterial

    material = random_material(levels=3)
    uv, wi, wo = (part.astype(np.float32) for part in queries(20_000))
    at = mi.Point2f(uv.T), mi.Vector3f(wi.T), mi.Vector3f(wo.T)
    expected = material.eval(uv, wi, wo)
    for networks, bound in (("literal", 1e-4), ("cooperative", 3e-2), (None, 3e-2)):
        got = np.array(DrjitMaterial(material, networks=networks).eval_dr(*at)).T
        worst = np.quantile(np.abs(got - expected) / np.maximum(expected, 1e-3), 0.99)
        assert worst < bound, (networks, worst)
"""

FRAME = """
    import sys
    sys.path.insert(0, {tests!r})
    import numpy as np
    import verdigris
    from verdigris.runtime import mitsuba
    mitsuba({variant!r})
    from neural_samples import random_material
    from verdigris.render.pathtrace import render

    image = render(random_material(levels=3), "sphere", (64, 64), 256)
    assert np.isfinite(image).all()
    print(*image.mean(axis=(0, 1)))
"""


@pytest.fixture
def cuda():
    """Skips where Dr.Jit finds no GPU."""
    mitsuba()
    import drjit as dr

    if not dr.has_backend(dr.JitBackend.CUDA):
        pytest.skip("no NVIDIA GPU, or no driver: Dr.Jit's CUDA backend is missing")


def run(request, script, **values):
    """A process of its own: variants are process-wide."""
    code = textwrap.dedent(script.format(tests=str(request.config.rootpath / "tests"), **values))
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


@pytest.mark.gpu
def test_both_emitters_agree_on_cuda(cuda, request):
    run(request, AGREE)


@pytest.mark.gpu
def test_a_frame_on_cuda_is_as_bright_as_one_on_the_cpu(cuda, request):
    """float16 networks and other random numbers: means over a million samples agree to 2 %."""
    means = [[float(n) for n in run(request, FRAME, variant=v).split()] for v in ("cuda_ad_rgb", "llvm_ad_rgb")]
    assert means[0] == pytest.approx(means[1], rel=2e-2)
