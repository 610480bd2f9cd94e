"""What every source of truth offers, whatever it is read from: the trio traced and on NumPy, and two more signals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from verdigris.conventions import Array
from verdigris.runtime import mitsuba

FOOTPRINT_SAMPLES = 16
DEFAULT_RESOLUTION = 512
"""Texture side that gives a level of detail its footprint where the material has no images."""

InputKind = Literal["normal", "normal_map", "tangent", "value"]


@dataclass(frozen=True)
class EncoderInput:
    """A part of `parameters_dr`, `width` floats next to each other. name: of what gives them.

    kind: what their mean over a footprint means. `normal`, `tangent`: a vector of the local frame. `normal_map`: a
    normal n as (n + 1) / 2. `value`: anything else.
    """

    name: str
    kind: InputKind
    width: int


class Material(ABC):
    """A material as the ground truth. Conventions: `verdigris.conventions`.

    name: material name. source: uri (file or library name), material, sha256 of the document and its images, and how
    its layers are combined.
    warnings: what the document asks for and the material approximates or leaves out, a line each.

    Emission and cut-out opacity are signals of their own: the trio describes the reflection of an opaque surface.
    """

    name: str
    source: Mapping[str, str]
    warnings: tuple[str, ...]

    @property
    @abstractmethod
    def varying(self) -> bool:
        """Whether the reflection depends on the surface point."""

    @property
    @abstractmethod
    def native_resolution(self) -> int:
        """Longest side of the textures in texels; 0 where there are none."""

    @property
    def stochastic(self) -> bool:
        """Whether `eval_dr` is an estimate."""
        return False

    def averaging(self, estimates: int) -> Material:
        """The material whose `eval_dr` is the mean of several estimates; itself where there is nothing to average."""
        return self

    @property
    @abstractmethod
    def inputs(self) -> tuple[EncoderInput, ...]:
        """What `parameters_dr` consists of, in its order."""

    @property
    def parameter_count(self) -> int:
        """Number of floats in `parameters_dr`."""
        return sum(part.width for part in self.inputs)

    @abstractmethod
    def eval_dr(self, uv: Any, wi: Any, wo: Any, seed: Any = 0) -> Any:
        """Response times cosine in Dr.Jit: `Point2f, Vector3f, Vector3f -> Color3f`; 0 below the horizon.

        Where it is an estimate, it is unbiased, and the same for equal arguments and seed (`UInt32`).
        """

    @abstractmethod
    def sample_dr(self, uv: Any, wi: Any, u1: Any, u2: Any) -> tuple[Any, Any]:
        """(wo, pdf) from uniform numbers `Float, Point2f`; a pdf of 0 marks a failed sample."""

    @abstractmethod
    def pdf_dr(self, uv: Any, wi: Any, wo: Any) -> Any:
        """Density of `sample_dr` per solid angle."""

    @abstractmethod
    def parameters_dr(self, uv: Any) -> list[Any]:
        """What varies over the surface at `uv`, for the encoder: `parameter_count` values of type `Float`."""

    @property
    @abstractmethod
    def emits(self) -> bool:
        """Whether the material emits light."""

    @property
    @abstractmethod
    def cuts_out(self) -> bool:
        """Whether the surface can be anything but opaque."""

    @property
    @abstractmethod
    def signals_vary(self) -> bool:
        """Whether emission or opacity depend on the surface point."""

    @abstractmethod
    def emission_dr(self, uv: Any) -> Any:
        """Radiance emitted along the normal, `Point2f -> Color3f`, linear Rec. 709, in the document's units."""

    @abstractmethod
    def opacity_dr(self, uv: Any) -> Any:
        """Share of the surface that is there, `Point2f -> Float` in 0..1: 0 where it is cut out."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """What `verdigris inspect` prints, as plain JSON values; the keys are listed in docs/inspect.md."""

    def eval(self, uv: Array, wi: Array, wo: Array, level: float = 0, seed: int = 0) -> Array:
        """Response times cosine, `[n, 2], [n, 3], [n, 3] -> [n, 3]`.

        Above level 0 it is averaged over a Gaussian footprint, standard deviation half a texel of that level of the
        largest texture, by FOOTPRINT_SAMPLES random points drawn from `seed`.
        """
        mi = mitsuba()
        if level <= 0:
            at, known, sampled = mi.Point2f(columns(uv)), mi.Vector3f(columns(wi)), mi.Vector3f(columns(wo))
            return np.array(self.eval_dr(at, known, sampled, seed)).T
        rng = np.random.default_rng(seed)
        deviation = 0.5 * 2.0**level / (self.native_resolution or DEFAULT_RESOLUTION)
        total = np.zeros((len(uv), 3))
        for _ in range(FOOTPRINT_SAMPLES):
            total += self.eval(uv + rng.normal(0, deviation, uv.shape), wi, wo, 0, int(rng.integers(2**32)))
        return (total / FOOTPRINT_SAMPLES).astype(np.float32)

    def sample(self, uv: Array, wi: Array, u: Array, level: float = 0) -> tuple[Array, Array, Array]:
        """(wo `[n, 3]`, pdf `[n]`, weight `[n, 3]` = eval / pdf) from uniform numbers `u [n, 3]`."""
        mi = mitsuba()
        at = mi.Point2f(columns(uv))
        wo, pdf = self.sample_dr(at, mi.Vector3f(columns(wi)), mi.Float(columns(u)[0]), mi.Point2f(columns(u)[1:]))
        wo, pdf = np.array(wo).T, np.array(pdf)
        value = self.eval(uv, wi, wo, level)
        return wo, pdf, np.where(pdf[:, None] > 0, value / np.maximum(pdf[:, None], 1e-30), 0)

    def pdf(self, uv: Array, wi: Array, wo: Array, level: float = 0) -> Array:
        """Density of `sample` per solid angle, `[n]`; the sampler is that of level 0."""
        mi = mitsuba()
        return np.array(self.pdf_dr(mi.Point2f(columns(uv)), mi.Vector3f(columns(wi)), mi.Vector3f(columns(wo))))

    def emission(self, uv: Array) -> Array:
        """As `emission_dr`, `[n, 2] -> [n, 3]`."""
        mi = mitsuba()
        return np.array(self.emission_dr(mi.Point2f(columns(uv)))).T + np.zeros((len(uv), 1), np.float32)

    def opacity(self, uv: Array) -> Array:
        """As `opacity_dr`, `[n, 2] -> [n]`."""
        mi = mitsuba()
        return np.array(self.opacity_dr(mi.Point2f(columns(uv)))) + np.zeros(len(uv), np.float32)


def columns(values: Array) -> Array:
    """Row vectors as the columns that Dr.Jit's constructors expect, float32."""
    return np.ascontiguousarray(np.atleast_2d(values).T, dtype=np.float32)
