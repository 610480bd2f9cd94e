"""Directional albedo of OpenPBR 1.1 by quadrature: the specification's equations in NumPy, independent of the package.

Source: the OpenPBR Surface specification, version 1.1.1 (equations as in 1.1), of an opaque material without thin film:
transmission and emission absent, normals not mapped. Each function names its section. Where the
specification leaves the choice to an implementation, this is its own suggestion:

- layers by non-reciprocal albedo scaling, at the view direction ("Layering", "Reduction to a mixture of lobes");
- light that bounces between microfacets returned by the lobe of Kulla and Conty 2017 ("Microfacet model");
- the base darkened under a coat by the modulated factor, its albedo taken at normal incidence ("Darkening");
- the index of the base inverted where the coat's is the greater ("Total internal reflection");
- the base roughened by a rough coat ("Roughening");
- light scattered inside the base leaving where it arrives ("Reduction to a mixture of lobes");
- the fuzz simulated as the layer of fibres that the recommended model is fitted to ("Fuzz").

`wo` is the specification's: the view, `[3]`, unit, z > 0. Albedos integrate over the light's direction, cosine `mu`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Array = np.ndarray
Colour = tuple[float, float, float]
Passing = Callable[[Array], Array]
"""Share of light from cosine `mu` that reaches a lobe, `[n] -> [n, 3]`."""

NORMAL = np.array([0.0, 0.0, 1.0])
_NODES, _WEIGHTS = (x / 2 for x in np.polynomial.legendre.leggauss(16))
_NODES = _NODES + 0.5
_AZIMUTHS = 6
_COS_82 = 1 / 7
_FACETS = 48
_WALKERS = 1 << 15


@dataclass(frozen=True)
class Inputs:
    """The inputs that act on such a material, named and defaulted as in "Parameter reference"."""

    base_weight: float = 1.0
    base_color: Colour = (0.8, 0.8, 0.8)
    base_diffuse_roughness: float = 0.0
    base_metalness: float = 0.0
    subsurface_weight: float = 0.0
    subsurface_color: Colour = (0.8, 0.8, 0.8)
    specular_weight: float = 1.0
    specular_color: Colour = (1.0, 1.0, 1.0)
    specular_roughness: float = 0.3
    specular_roughness_anisotropy: float = 0.0
    specular_ior: float = 1.5
    coat_weight: float = 0.0
    coat_color: Colour = (1.0, 1.0, 1.0)
    coat_roughness: float = 0.0
    coat_roughness_anisotropy: float = 0.0
    coat_ior: float = 1.6
    coat_darkening: float = 1.0
    fuzz_weight: float = 0.0
    fuzz_color: Colour = (1.0, 1.0, 1.0)
    fuzz_roughness: float = 0.5


def lerp(a: Array, b: Array, t: float) -> Array:
    """(1 - t) a + t b."""
    return (1 - t) * a + t * b


def everything(mu: Array) -> Array:
    """All light reaches the lobe."""
    return np.ones((len(mu), 3))


def hemisphere(values: Array) -> Array:
    """2 times the integral of `values [16, ...]`, given at `_NODES` in the cosine, times the cosine."""
    return 2 * np.tensordot(_WEIGHTS * _NODES, values, 1)


# Fresnel factors


def dielectric_fresnel(mu: Array, eta: float) -> Array:
    """Unpolarised reflectance at cosine `mu` of a dielectric of relative index `eta`, by Snell's and Fresnel's laws."""
    sine2 = (1 - mu * mu) / (eta * eta)
    nu = np.sqrt(np.maximum(1 - sine2, 0))
    s = (mu - eta * nu) / (mu + eta * nu)
    p = (eta * mu - nu) / (eta * mu + nu)
    return np.where(sine2 >= 1, 1.0, (s * s + p * p) / 2)


def metal_fresnel(mu: Array, inputs: Inputs) -> Array:
    """F82-tint, the specular weight included ("Metal"), `[...] -> [..., 3]`.

    At least 0: as written, a dark colour with a dark tint falls to -0.13.
    """
    f0 = inputs.base_weight * np.array(inputs.base_color)

    def schlick(c: Array) -> Array:
        return f0 + (1 - f0) * (1 - c) ** 5

    mu = np.asarray(mu)[..., None]
    edge = schlick(np.array(_COS_82))
    dip = mu * (1 - mu) ** 6 / (_COS_82 * (1 - _COS_82) ** 6) * (1 - np.array(inputs.specular_color)) * edge
    return inputs.specular_weight * np.maximum(schlick(mu) - dip, 0)


def specular_ratio(inputs: Inputs) -> float:
    """Index of the dielectric base over what surrounds it ("Coat", "Total internal reflection")."""
    coated = inputs.specular_ior / inputs.coat_ior
    return float(lerp(inputs.specular_ior, max(coated, 1 / coated), inputs.coat_weight))


def specular_reflectivity(inputs: Inputs) -> float:
    """Reflectance of the dielectric base at normal incidence, xi_s F_s ("Base substrate")."""
    eta = specular_ratio(inputs)
    return min(inputs.specular_weight * ((1 - eta) / (1 + eta)) ** 2, 1.0)


def modulated_ratio(inputs: Inputs) -> float:
    """The index ratio once the specular weight has acted on it ("Base substrate")."""
    epsilon = np.sign(specular_ratio(inputs) - 1) * np.sqrt(min(specular_reflectivity(inputs), 0.99999))
    return float((1 + epsilon) / (1 - epsilon))


# Microfacets


class Widths(NamedTuple):
    """GGX widths along tangent and bitangent."""

    t: float
    b: float


def widths(roughness: float, anisotropy: float) -> Widths:
    """Widths from roughness and anisotropy ("Microfacet model")."""
    t = roughness**2 * np.sqrt(2 / (1 + (1 - anisotropy) ** 2))
    return Widths(t, (1 - anisotropy) * t)


def base_roughness(inputs: Inputs) -> float:
    """Roughness of the base below a rough coat ("Roughening")."""
    r, c = inputs.specular_roughness, inputs.coat_roughness
    return float(lerp(r, min(1, r**4 + 2 * c**4) ** 0.25, inputs.coat_weight))


def _smith(w: Array, alpha: Widths) -> Array:
    """Smith's Lambda of GGX (Heitz 2014)."""
    z2 = np.maximum(w[..., 2] ** 2, 1e-12)
    return (np.sqrt(1 + ((alpha.t * w[..., 0]) ** 2 + (alpha.b * w[..., 1]) ** 2) / z2) - 1) / 2


def _facets(wo: Array, alpha: Widths, count: int) -> tuple[Array, Array, Array]:
    """Reflections about `count`^2 stratified visible normals (Heitz 2018): half cosines, cosines of the light, weights.

    The weights are G2 / G1, so that a lobe's albedo is the mean of weight times Fresnel factor.
    """
    grid = (np.arange(count) + 0.5) / count
    r, phi = (x.ravel() for x in np.meshgrid(np.sqrt(grid), 2 * np.pi * grid))
    view = wo * (alpha.t, alpha.b, 1)
    view = view / np.linalg.norm(view)
    side = np.array([-view[1], view[0], 0]) if view[2] < 1 - 1e-12 else np.array([1.0, 0, 0])
    side = side / np.linalg.norm(side)
    x, lean = r * np.cos(phi), (1 + view[2]) / 2
    y = (1 - lean) * np.sqrt(1 - x * x) + lean * r * np.sin(phi)
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0))
    h = x[:, None] * side + y[:, None] * np.cross(view, side) + z[:, None] * view
    h = h * (alpha.t, alpha.b, 1)
    h /= np.linalg.norm(h, axis=1, keepdims=True)
    half = np.clip(h @ wo, 0, 1)
    wi = 2 * half[:, None] * h - wo
    lit = wi[:, 2] > 0
    once = 1 + _smith(wo, alpha)
    return half, np.maximum(wi[:, 2], 0), np.where(lit, once / (once + _smith(wi, alpha)), 0)


@functools.cache
def _kept(alpha: Widths) -> tuple[Array, Array]:
    """What one bounce between perfect mirrors keeps: at `_NODES` over all azimuths `[16, azimuths]`, and the mean."""
    phi = (np.arange(_AZIMUTHS if alpha.t != alpha.b else 1) + 0.5) / _AZIMUTHS * np.pi / 2
    kept = np.array([[_facets(_direction(mu, p), alpha, 32)[2].mean() for p in phi] for mu in _NODES])
    return kept, hemisphere(kept.mean(1))


def _direction(mu: float, phi: float) -> Array:
    sine = np.sqrt(1 - mu * mu)
    return np.array([sine * np.cos(phi), sine * np.sin(phi), mu])


def microfacet_albedo(wo: Array, alpha: Widths, fresnel: Callable[[Array], Array], passing: Passing) -> Array:
    """Albedo of GGX reflection, one bounce and Kulla and Conty's lobe for the others; `fresnel`: `[n] -> [n, 3]`."""
    half, mu, weight = _facets(wo, alpha, _FACETS)
    single = (weight[:, None] * fresnel(half) * passing(mu)).mean(0)
    kept, mean = _kept(alpha)
    average = hemisphere(fresnel(_NODES))
    tint = average**2 * mean / (1 - average * (1 - mean))
    received = hemisphere((1 - kept.mean(1))[:, None] * passing(_NODES)) / max(1 - mean, 1e-9)
    return single + tint * (1 - weight.mean()) * received


# Diffuse base


def _fujii(mu_o: float, sigma: float) -> tuple[Array, Array]:
    """Cosines of the light and Fujii's lobe there, averaged over azimuth, both at quadrature points; with weights.

    The lobe has kinks where the cosines are equal and where s = 0, so each piece has nodes of its own. Returns cosines
    `[32]` and lobe times quadrature weight times 2 cosine `[32]`: the sum is the albedo at unit rho.
    """
    a = 1 / (1 + (0.5 - 2 / (3 * np.pi)) * sigma)
    mu = np.concatenate([_NODES * mu_o, mu_o + _NODES * (1 - mu_o)])
    weight = np.concatenate([_WEIGHTS * mu_o, _WEIGHTS * (1 - mu_o)])
    swing = np.sqrt((1 - mu * mu) * (1 - mu_o * mu_o))
    quarter = (
        np.tensordot(_WEIGHTS, np.cos(_NODES * np.pi / 2), 1) / 2
    )  # mean of cos(phi) over azimuths where it is > 0
    stretch = swing * quarter * (1 / np.maximum(mu, mu_o) - 1)
    return mu, a * (1 + sigma * stretch) * weight * 2 * mu


def diffuse_albedo(wo: Array, inputs: Inputs, passing: Passing) -> Array:
    """Albedo of energy-preserving Oren-Nayar ("Glossy-diffuse")."""
    sigma, rho = inputs.base_diffuse_roughness, np.array(inputs.base_color)
    mu, lobe = _fujii(wo[2], sigma)
    single = rho * (lobe[:, None] * passing(mu)).sum(0)
    kept = np.array([_fujii(c, sigma)[1].sum() for c in _NODES])
    mean = hemisphere(kept)
    if 1 - mean < 1e-9:
        return inputs.base_weight * single
    tint = rho**2 * mean / (1 - mean) / (1 - rho * (1 - mean))
    return inputs.base_weight * (single + tint * (1 - lobe.sum()) * hemisphere((1 - kept)[:, None] * passing(_NODES)))


def subsurface_albedo(inputs: Inputs, passing: Passing) -> Array:
    """Albedo of what scatters inside ("Subsurface"): its colour, which is defined at normal incidence, at every view.

    Light leaves it as evenly as a Lambertian surface reflects, so that is how it arrives.
    """
    return np.array(inputs.subsurface_color) * hemisphere(passing(_NODES))


# Layers


def _grey(fresnel: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda mu: np.repeat(fresnel(mu)[:, None], 3, axis=1)


def base_albedos(wo: Array, inputs: Inputs, passing: Passing = everything) -> tuple[Array, Array]:
    """Albedos of the dielectric base and of the metal ("Reduction to a mixture of lobes").

    The specular colour tints what the dielectric reflects and not what passes it ("Base substrate").
    """
    alpha = widths(base_roughness(inputs), inputs.specular_roughness_anisotropy)
    fresnel = _grey(lambda mu: dielectric_fresnel(mu, modulated_ratio(inputs)))
    gloss = np.array(inputs.specular_color) * microfacet_albedo(wo, alpha, fresnel, passing)
    below = 1 - microfacet_albedo(wo, alpha, fresnel, everything)
    body = lerp(diffuse_albedo(wo, inputs, passing), subsurface_albedo(inputs, passing), inputs.subsurface_weight)
    metal = microfacet_albedo(wo, alpha, lambda mu: metal_fresnel(mu, inputs), passing)
    return gloss + below * body, metal


def darkening(wo: Array, inputs: Inputs) -> Array:
    """Delta: share left of the base's light by reflections inside the coat ("Darkening"), `[3]`."""
    eta, r = inputs.coat_ior, inputs.specular_roughness
    diffuse = 1 - (1 - hemisphere(dielectric_fresnel(_NODES, eta))) / eta**2
    smooth = dielectric_fresnel(wo[2], eta)
    rough = lerp(lerp(1.0, r, specular_reflectivity(inputs)), r, inputs.base_metalness)
    k = lerp(smooth, diffuse, rough)
    return (1 - k) / (1 - lerp(*base_albedos(NORMAL, inputs), inputs.base_metalness) * k)


def coat_path(mu: Array, inputs: Inputs) -> Array:
    """Share of light that crosses the coat once along cosine `mu` ("View-dependent absorption"), `[n] -> [n, 3]`."""
    refracted = np.sqrt(1 - (1 - np.asarray(mu) ** 2) / inputs.coat_ior**2)
    return np.array(inputs.coat_color) ** (0.5 / refracted[..., None])


def coat_albedo(wo: Array, inputs: Inputs) -> Array:
    """Albedo of the coat's own reflection ("Coat")."""
    alpha = widths(inputs.coat_roughness, inputs.coat_roughness_anisotropy)
    return microfacet_albedo(wo, alpha, _grey(lambda mu: dielectric_fresnel(mu, inputs.coat_ior)), everything)


def coated_albedo(wo: Array, inputs: Inputs) -> Array:
    """Albedo of base and coat ("Coat", "Reduction to a mixture of lobes")."""
    weight, metalness = inputs.coat_weight, inputs.base_metalness
    base = lerp(*base_albedos(wo, inputs), metalness)
    if weight == 0:
        return base
    coat = coat_albedo(wo, inputs)
    crossed = lerp(*base_albedos(wo, inputs, lambda mu: coat_path(mu, inputs)), metalness) * coat_path(wo[2], inputs)
    darkened = lerp(1, darkening(wo, inputs), weight * inputs.coat_darkening)
    return weight * coat + darkened * lerp(base, (1 - coat) * crossed, weight)


@functools.cache
def fuzz_albedo(mu: float, roughness: float) -> float:
    """Share of light that a layer of fibres returns ("Fuzz"; Zeltner, Burley and Chiang 2022), by a random walk.

    Fibres stand along the normal: SGGX flakes (Heitz et al. 2015) with S = diag(1, 1, sigma^2), sigma = roughness^2,
    unit density and thickness, nothing absorbed. In the space where the flakes' ellipsoid is a sphere the visible
    normals are cosine-distributed about the view. `_WALKERS` walkers of a fixed seed: standard deviation below 0.003.
    """
    rng = np.random.default_rng(1)
    root = np.array([1, 1, max(roughness**2, 1e-4)])
    w = np.tile(-_direction(mu, 0), (_WALKERS, 1))
    depth, returned = np.zeros(_WALKERS), 0
    while len(w):
        density = np.linalg.norm(w * root, axis=1)
        depth = depth - w[:, 2] * rng.exponential(size=len(w)) / density
        returned += int((depth < 0).sum())
        inside = (depth >= 0) & (depth <= 1)
        w, depth = w[inside], depth[inside]
        view = -w * root
        view /= np.linalg.norm(view, axis=1, keepdims=True)
        about = rng.normal(size=view.shape)
        about /= np.linalg.norm(about, axis=1, keepdims=True)
        n = (view + about) * root
        n /= np.linalg.norm(n, axis=1, keepdims=True)
        w = w - 2 * (w * n).sum(1, keepdims=True) * n
    return returned / _WALKERS


def under_fuzz(wo: Array, inputs: Inputs, coated: Array) -> Array:
    """Albedo with fuzz over a surface of albedo `coated` ("Fuzz": the base is not tinted), `[3]`."""
    if inputs.fuzz_weight == 0:
        return coated
    fuzz = inputs.fuzz_weight * fuzz_albedo(float(wo[2]), inputs.fuzz_roughness)
    return fuzz * np.array(inputs.fuzz_color) + (1 - fuzz) * coated


def albedo(inputs: Inputs, wo: Array) -> Array:
    """Directional albedo of the whole surface, `[3]`."""
    return under_fuzz(wo, inputs, coated_albedo(wo, inputs))
