"""A neural material as Dr.Jit code: the same formulas as `model/`, its networks as `networks.py` emits them.

Repeated work costs nothing: within one kernel, or one virtual call of it, Dr.Jit merges equal expressions, so
`eval_dr` after `sample_dr` at the same place shares its latent, its frames, the features of wi and all that the first
layer makes of these.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

from verdigris.model.auxiliary import ACTIVATION, DIRECTIONAL
from verdigris.model.config import FEATURE_WIDTHS, ModelConfig
from verdigris.model.decoder import OUTPUT_SHIFT, SIGMOID_SCALE
from verdigris.model.features import ARC_DIVISOR_MIN, LOG_HALF_FLOOR
from verdigris.model.frames import NORM_MIN
from verdigris.model.neural import NeuralMaterial
from verdigris.model.sampler import ACTIVATION as SAMPLER_ACTIVATION
from verdigris.render.networks import Kind, Network, emit
from verdigris.render.pyramid import Pyramid
from verdigris.render.sampler_code import Mixture, SamplerCode
from verdigris.runtime import mitsuba

Float = Any
"""Dr.Jit and Mitsuba types depend on the variant, so annotations can only name them: Float, Vector3f, ..."""
Point2f = Any
Vector2f = Any
Vector3f = Any
Color3f = Any
Level = Any
"""A number, or an array of numbers or of UInt32."""
Frame = tuple[Vector3f, Vector3f, Vector3f]
"""t, b, n of a learned shading frame."""


class DrjitMaterial:
    """Traced `eval_dr`, `pdf_dr`, `sample_dr` of a neural material, and its heads.

    Conventions: `verdigris.conventions`. Arguments and results are arrays of the Mitsuba variant in force when the
    object was made. Agrees with `NeuralMaterial` to 1e-5 relative where weights are literals, and to 1e-2 in float16.

    level: of the pyramid, 0 the finest, a number or one a lane; the nearest one that exists answers. A fractional level
    is thus chosen at random between its neighbours, as `NeuralMaterial` does it, by adding u - 1/2 to it, u uniform in
    [0, 1): the caller's, so that calls at one place agree.
    """

    DRJIT_STRUCT: ClassVar[dict[str, Any]] = {"_pyramid": Pyramid, "_weights": list}
    """What Dr.Jit finds arrays in, where it follows the inputs of a frozen function."""

    def __init__(
        self, material: NeuralMaterial, forced_level: float | None = None, networks: Kind | None = None
    ) -> None:
        """forced_level: answers whatever level is asked for; clamped to those that exist.

        networks: `literal` weights in float32 or `cooperative` vectors in float16; None: what suits the backend.
        """
        self.material = material
        self._forced_level = forced_level
        # Dr.Jit looks for libLLVM when it is imported, so it must not be imported before `mitsuba()` has found one.
        self._mi, self._dr = mitsuba(), import_module("drjit")
        self._pyramid = Pyramid(material.latents)
        self._frame_weight = None if material.frame_weight is None else material.frame_weight.tolist()
        decoder = material.config.decoder
        early = known_early(material.config)
        self._decoder = emit(Network(material.layers, decoder.activation, early), networks)
        far = None if material.far is None else material.far.network(material.layers)
        self._far = None if far is None else emit(Network(far, decoder.activation, early), networks)
        self._sampler = SamplerCode(material.config.sampler)
        self._lobes = emit(Network(material.sampler, SAMPLER_ACTIVATION), networks)
        heads = {} if material.auxiliary is None else material.auxiliary.heads
        self._heads = {name: emit(Network(layers, ACTIVATION), networks) for name, layers in heads.items()}
        codes = (self._decoder, *([self._far] if self._far else []), self._lobes, *self._heads.values())
        self._weights = [array for code in codes for array in code.weights]

    def eval_dr(self, uv: Point2f, wi: Vector3f, wo: Vector3f, level: Level = 0) -> Color3f:
        """Response times the cosine of wo, linear RGB; 0 where wi or wo is not above the horizon."""
        latent = self._fetch(uv, level)
        return self._response(latent, self._frames(latent), wi, wo, self._whole(level))

    def decode_dr(self, x: list[Float], level: Level = 0) -> Color3f:
        """The decoder's answer to its inputs, in the order of `verdigris.model.features.decoder_input`.

        level: a whole one. Where lanes differ in it, both of a material's networks are evaluated; what their first
        layer makes of the inputs is the same, and merged.
        """
        first = len(self.material.latents) if self.material.far is None else self.material.far.level
        if self._far is None or (isinstance(level, int) and level < first):
            raw = self._decoder(x)
        elif isinstance(level, int):
            raw = self._far(x)
        else:
            raw = [self._dr.select(level >= first, b, a) for a, b in zip(self._decoder(x), self._far(x), strict=True)]
        return self._mi.Color3f(*map(self._output, raw))

    def pdf_dr(self, uv: Point2f, wi: Vector3f, wo: Vector3f, level: Level = 0) -> Float:
        """Density of `sample_dr` per solid angle; 0 where wi or wo is not above the horizon."""
        return self._sampler.pdf(self._mixture(self._fetch(uv, level), wi), wi, wo)

    def sample_dr(self, uv: Point2f, wi: Vector3f, u1: Float, u2: Point2f, level: Level = 0) -> tuple[Vector3f, Float]:
        """A direction and its density; density 0 marks a null sample. u1 picks the lobe, u2 the direction."""
        return self._sampler.sample(self._mixture(self._fetch(uv, level), wi), wi, u1, u2)

    def level_dr(self, duv_dx: Vector2f, duv_dy: Vector2f) -> Level:
        """The level for a footprint, see `verdigris.model.latents.footprint_level`; 0 where both partials are 0."""
        return self._pyramid.level_of(duv_dx, duv_dy)

    @property
    def latent_bytes(self) -> int:
        """What the latents take on the device."""
        return self._pyramid.bytes

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the auxiliary heads that there are."""
        return self.material.heads

    @property
    def emits(self) -> bool:
        """Whether the material emits light."""
        return "emission" in self._heads

    @property
    def cuts_out(self) -> bool:
        """Whether the surface can be anything but opaque."""
        return "opacity" in self._heads

    def albedo_dr(self, uv: Point2f, wi: Vector3f, level: Level = 0) -> Color3f:
        """Directional albedo; 0 where wi is not above the horizon. Raises ValueError without a head of that name."""
        raw = self._head("albedo", uv, level, wi)
        return self._dr.select(wi.z > 0, self._mi.Color3f(*map(self._sigmoid, raw)), 0)

    def guides_dr(self, uv: Point2f, level: Level = 0) -> tuple[Color3f, Vector3f, Float]:
        """Albedo, unit normal in the local frame, roughness. Raises ValueError without a head of that name."""
        raw = self._head("guides", uv, level)
        normal = self._normalize(self._mi.Vector3f(raw[3], raw[4], raw[5] + 1))
        return self._mi.Color3f(*map(self._sigmoid, raw[:3])), normal, self._sigmoid(raw[6])

    def emission_dr(self, uv: Point2f, level: Level = 0) -> Color3f:
        """Radiance emitted along the normal; 0 without a head of that name."""
        if not self.emits:
            return self._mi.Color3f(0)
        root = self._dr.maximum(self._mi.Color3f(*self._head("emission", uv, level)), 0)
        return root * root

    def opacity_dr(self, uv: Point2f, level: Level = 0) -> Float:
        """Share of the surface that is there, 0 to 1; 1 without a head of that name."""
        return self._sigmoid(self._head("opacity", uv, level)[0]) if self.cuts_out else self._mi.Float(1)

    def _head(self, name: str, uv: Point2f, level: Level, wi: Vector3f = None) -> list[Float]:
        """The last numbers of a head: see `model/auxiliary.py`."""
        if name not in self._heads:
            raise ValueError(
                f"auxiliary: expected a head {name!r}, got a material with {', '.join(self.heads) or 'none'}"
            )
        x = list(self._fetch(uv, level))
        if name in DIRECTIONAL:
            x = self._seen(self._frames(x), wi, x)
        return self._heads[name](x)

    def _seen(self, frames: list[Frame], wi: Vector3f, latent: list[Float]) -> list[Float]:
        """What a network that knows one direction sees."""
        return [self._dr.dot(axis, wi) for frame in frames for axis in frame] + latent

    def _mixture(self, fetched: list[Float], wi: Vector3f) -> Mixture:
        """The sampler's lobes: see `model/sampler.py`."""
        latent = list(fetched)
        frames = self._frames(latent)
        raw = self._lobes(self._seen(frames, wi, latent))
        return self._sampler.mixture(raw, [normal for _, _, normal in frames])

    def _sigmoid(self, raw: Float) -> Float:
        dr = self._dr
        decay = dr.exp(-dr.abs(raw))
        return dr.select(raw >= 0, 1, decay) / (1 + decay)

    def _fetch(self, uv: Point2f, level: Level) -> list[Float]:
        """The latent's channels at uv."""
        return self._pyramid.fetch(uv, self._whole(level))

    def _whole(self, level: Level) -> Level:
        """The level that answers: an int where it is known to be the same for all lanes."""
        return self._pyramid.whole(level if self._forced_level is None else self._forced_level)

    def _frames(self, latent: list[Float]) -> list[Frame]:
        """See `model/frames.py`."""
        mi, dr = self._mi, self._dr
        if self._frame_weight is None:
            return [(mi.Vector3f(1, 0, 0), mi.Vector3f(0, 1, 0), mi.Vector3f(0, 0, 1))]
        raw = [self._row(row, latent) for row in self._frame_weight]
        frames = []
        for k in range(0, len(raw), 6):
            n = self._normalize(mi.Vector3f(raw[k], raw[k + 1], raw[k + 2] + 1))
            t = self._normalize(mi.Vector3f(raw[k + 3] + 1, raw[k + 4], raw[k + 5]))
            frames.append((t, dr.cross(n, t), n))
        return frames

    def _features(self, frames: list[Frame], wi: Vector3f, wo: Vector3f) -> list[Float]:
        """See `model/features.py`."""
        columns: list[Float] = []
        for frame in frames:
            for name in self.material.config.decoder.features:
                columns += self._feature(name, frame, wi, wo)
        return columns

    def _feature(self, name: str, frame: Frame, wi: Vector3f, wo: Vector3f) -> list[Float]:
        """One feature's numbers in one frame; what two features share is merged by Dr.Jit."""
        mi, dr = self._mi, self._dr
        if name == "log_half":
            return [(dr.log(self._half_distance(frame[2], wi, wo) + LOG_HALF_FLOOR) + 6) * (1 / 6)]
        if name.startswith("turned_"):
            half = self._normalize(wi + wo)
            return [dr.dot(axis, half if name == "turned_half" else self._difference(half, wi)) for axis in frame]
        local_wi, local_wo = (mi.Vector3f(*[dr.dot(axis, direction) for axis in frame]) for direction in (wi, wo))
        if name == "cosines":
            return [local_wi.z, local_wo.z]
        if name in ("wi", "wo"):
            return list(local_wi if name == "wi" else local_wo)
        half = self._normalize(local_wi + local_wo)
        return list(half if name == "half" else self._difference(half, local_wi))

    def _difference(self, half: Vector3f, wi: Vector3f) -> Vector3f:
        """wi turned by the shortest arc from the half vector to (0, 0, 1)."""
        dr, arc = self._dr, self._mi.Vector3f(half.y, -half.x, 0)
        along = dr.dot(arc, wi) / dr.maximum(1 + half.z, ARC_DIVISOR_MIN)
        return wi * half.z + dr.cross(arc, wi) + along * arc

    def _response(self, latent: list[Float], frames: list[Frame], wi: Vector3f, wo: Vector3f, level: Level) -> Color3f:
        """See `model/decoder.py`."""
        answer = self.decode_dr(self._features(frames, wi, wo) + list(latent), level)
        response = answer if self.material.config.decoder.cosine else answer * wo.z
        return self._dr.select(self._above(wi, wo), response, 0)

    def _output(self, raw: Float) -> Float:
        dr = self._dr
        if self.material.config.decoder.output == "exp":
            return dr.exp(raw - OUTPUT_SHIFT)
        decay = dr.exp(-dr.abs(raw))
        return SIGMOID_SCALE * dr.select(raw >= 0, 1, decay) / (1 + decay)

    def _row(self, row: list[float], x: list[Float]) -> Float:
        """row . x, the weights as literals."""
        total = self._mi.Float(0)
        for weight, value in zip(row, x, strict=True):
            total = self._dr.fma(value, weight, total)
        return total

    def _normalize(self, v: Vector3f) -> Vector3f:
        dr = self._dr
        return v / dr.maximum(dr.norm(v), NORM_MIN)

    def _above(self, wi: Vector3f, wo: Vector3f) -> Any:
        return (wi.z > 0) & (wo.z > 0)

    def _half_distance(self, n: Vector3f, wi: Vector3f, wo: Vector3f) -> Float:
        """|h - n|^2 of the unit half vector."""
        dr = self._dr
        return dr.squared_norm(self._normalize(wi + wo) - n)


def known_early(config: ModelConfig) -> tuple[int, ...]:
    """The decoder's inputs that do not depend on wo: the latent, and wi in the frames."""
    late = sum(FEATURE_WIDTHS[name] for name in config.decoder.features) * max(config.frames, 1)
    columns = list(range(late, config.decoder_inputs))
    at = 0
    for _ in range(max(config.frames, 1)):
        for name in config.decoder.features:
            columns += range(at, at + FEATURE_WIDTHS[name]) if name == "wi" else ()
            at += FEATURE_WIDTHS[name]
    return tuple(columns)
