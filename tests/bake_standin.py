"""Stand-ins for a reference: rough plastic (Lambert under a GGX coat), uniform or textured and normal-mapped."""

import numpy as np

from verdigris import runtime
from verdigris.materials.material import EncoderInput

INPUTS = tuple(
    EncoderInput(name, kind, width)
    for name, kind, width in (("alpha", "value", 1), ("albedo", "value", 2), ("normal", "normal", 3))
)


def smooth_noise(size, cell, rng):
    """Periodic noise in 0..1, `[size, size]`: random numbers every `cell` texels, bilinear between."""
    coarse = rng.random((size // cell, size // cell))
    position = np.arange(size) / cell
    index, fraction = position.astype(int), position % 1
    rows = coarse[index] * (1 - fraction)[:, None] + coarse[(index + 1) % len(coarse)] * fraction[:, None]
    return rows[:, index] * (1 - fraction) + rows[:, (index + 1) % len(coarse)] * fraction


class StandIn:
    """Albedo * Lambert + GGX with Schlick's Fresnel and Smith's shadowing in a bumped frame; `size` 0 is uniform.

    alpha: the two ends of the width's range; a uniform material takes the first.
    """

    native_resolution = 0
    stochastic = False
    warnings = ()

    def __init__(self, size=64, alpha=(0.1, 0.4), albedo=(0.5, 0.2, 0.1), f0=0.04, bump=0.2, seed=1, name="stand-in"):
        mi, dr = _modules()
        self.name, self.source = name, {"uri": "memory:stand-in", "material": name, "sha256": "0" * 64}
        self.varying, self.inputs = size > 0, INPUTS if size else ()
        self.parameter_count = sum(part.width for part in self.inputs)
        self.alpha, self.albedo, self.f0, self.texture = alpha, albedo, f0, None
        if size:
            rng = np.random.default_rng(seed)
            rough, colour, height = (smooth_noise(size, cell, rng) for cell in (8, 4, 4))
            slopes = [bump * size / 16 * (np.roll(height, -1, axis) - np.roll(height, 1, axis)) for axis in (1, 0)]
            data = np.stack([rough, colour, *slopes], axis=-1).astype(np.float32)
            self.texture = mi.Texture2f(mi.TensorXf(data), wrap_mode=dr.WrapMode.Repeat)

    def _closure(self, uv):
        mi, dr = _modules()
        rough, colour, sx, sy = (
            self.texture.eval(uv) if self.texture else (mi.Float(0), mi.Float(1), mi.Float(0), mi.Float(0))
        )
        alpha = self.alpha[0] + (self.alpha[1] - self.alpha[0]) * rough
        albedo = mi.Color3f(*self.albedo) * (0.2 + 0.8 * colour)
        return alpha, albedo, dr.normalize(mi.Vector3f(-sx, -sy, 1))

    def averaging(self, estimates):
        return self

    def parameters_dr(self, uv):
        alpha, albedo, n = self._closure(uv)
        return [alpha, albedo.x, albedo.y, n.x, n.y, n.z]

    def eval_dr(self, uv, wi, wo):
        mi, dr = _modules()
        alpha, albedo, n = self._closure(uv)
        cos_i, cos_o, h = dr.dot(wi, n), dr.dot(wo, n), dr.normalize(wi + wo)
        density = _ggx(dr, alpha, h, n)
        smith = cos_o * dr.sqrt(alpha**2 + (1 - alpha**2) * cos_i**2) + cos_i * dr.sqrt(
            alpha**2 + (1 - alpha**2) * cos_o**2
        )
        fresnel = self.f0 + (1 - self.f0) * (1 - dr.clip(dr.dot(wi, h), 0, 1)) ** 5
        specular = fresnel * density * cos_o / (2 * smith)
        value = albedo * (cos_o / dr.pi * (1 - fresnel)) + specular
        return dr.select((wi.z > 0) & (wo.z > 0) & (cos_i > 0) & (cos_o > 0), value, mi.Color3f(0))

    def sample_dr(self, uv, wi, u1, u2):
        mi, dr = _modules()
        alpha, _, n = self._closure(uv)
        frame = mi.Frame3f(n)
        tangent2 = alpha**2 * u2.x / (1 - u2.x)
        cos = dr.rsqrt(1 + tangent2)
        sin_phi, cos_phi = dr.sincos(2 * dr.pi * u2.y)
        h = frame.to_world(mi.Vector3f(dr.sqrt(tangent2) * cos * cos_phi, dr.sqrt(tangent2) * cos * sin_phi, cos))
        mirrored = dr.normalize(2 * dr.dot(wi, h) * h - wi)
        cosine = frame.to_world(mi.warp.square_to_cosine_hemisphere(u2))
        wo = dr.select(u1 < 0.5, mirrored, cosine)
        return wo, self.pdf_dr(uv, wi, wo)

    def pdf_dr(self, uv, wi, wo):
        mi, dr = _modules()
        alpha, _, n = self._closure(uv)
        h = dr.normalize(wi + wo)
        mirrored = _ggx(dr, alpha, h, n) * dr.maximum(dr.dot(h, n), 0) / (4 * dr.abs(dr.dot(wi, h)))
        value = 0.5 * mirrored + 0.5 * dr.maximum(dr.dot(wo, n), 0) / dr.pi
        return dr.select((wi.z > 0) & (wo.z > 0), value, 0)


def _modules():
    """Mitsuba, then Dr.Jit: libLLVM must be found first."""
    mi = runtime.mitsuba()
    import drjit as dr

    return mi, dr


def _ggx(dr, alpha, h, n):
    distance = dr.squared_norm(h - n)
    cos = 1 - distance / 2
    ratio = distance * (1 - distance / 4) + alpha**2 * cos**2
    return dr.select(cos > 0, alpha**2 / (dr.pi * ratio**2), 0)


def uniform_plastic(alpha=0.2):
    return StandIn(size=0, alpha=(alpha, alpha))


def uniform_mirror():
    """A conductor of the narrowest width."""
    return StandIn(size=0, alpha=(0.0025, 0.0025), albedo=(0.0, 0.0, 0.0), f0=0.9, name="mirror")
