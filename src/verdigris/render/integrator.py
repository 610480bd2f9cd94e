"""The Mitsuba integrator `verdigris_path`: a path tracer that tells surfaces how wide a path sees them.

It answers as Mitsuba's `path` does, whose parameters it has, and gives every hit of a path the uv partials of a ray
cone, so that neural materials show the level of detail that fits (docs/level-of-detail.md). Registered by
`verdigris.register()`.

| parameter | type | meaning |
|---|---|---|
| max_depth | integer | longest path, in edges; -1, the default: any |
| rr_depth | integer | depth from which Russian roulette may end a path, 1 or more; default 5 |
| hide_emitters | boolean | whether lights that the camera sees itself are left out; default false |
| sort | boolean | whether each bounce is shaded in the order of the materials (docs/performance.md); default false |
| footprint | float | share of the cone that a level answers for; 0: level 0 everywhere; default: FOOTPRINT |
"""

from __future__ import annotations

import functools
import weakref
from importlib import import_module
from typing import Any

from verdigris.errors import RenderError
from verdigris.render import path_state, sorting
from verdigris.render.path_state import Draws, Path, draw
from verdigris.render.ray_cone import camera_cone, half_a_level, spread_after, uv_footprint
from verdigris.runtime import mitsuba

FOOTPRINT = 0.5
"""A level's own blur and that of the samples' places in a pixel add up: see docs/level-of-detail.md."""

UNBOUNDED = 0xFFFFFFFF
ROULETTE_MAX = 0.95


def construct(variant: str, props: Any) -> Any:
    """The integrator that Mitsuba's properties describe. Raises RenderError for a value out of range."""
    mi = import_module("mitsuba")
    # Mitsuba instantiates plugins in worker threads, and a variant is set for a thread: a new one may have none.
    if mi.variant() != variant:
        mi.set_variant(variant)
    return _integrator_class(variant)(props)


@functools.cache
def _integrator_class(variant: str) -> type:
    """The class of a variant: Mitsuba's base class is another one in each."""
    mi, dr = mitsuba(), import_module("drjit")
    assert mi.variant() == variant

    class VerdigrisPath(mi.SamplingIntegrator):  # type: ignore[name-defined]
        """Path tracing with emitter sampling, multiple importance sampling and ray cones."""

        def __init__(self, props: Any) -> None:
            mi.SamplingIntegrator.__init__(self, props)
            depth, self.rr_depth = props.get("max_depth", -1), props.get("rr_depth", 5)
            self.sort, self.footprint = props.get("sort", False), props.get("footprint", FOOTPRINT)
            if depth < -1:
                raise RenderError(f"verdigris_path: max_depth: expected -1 or more, got {depth}")
            if self.rr_depth < 1:
                raise RenderError(f"verdigris_path: rr_depth: expected 1 or more, got {self.rr_depth}")
            if not 0 <= self.footprint < float("inf"):
                raise RenderError(f"verdigris_path: footprint: expected 0 or more, got {self.footprint}")
            self.max_depth = UNBOUNDED if depth == -1 else depth

        @property
        def sorts(self) -> bool:
            """Whether bounces are kernels of their own. A GPU reorders its threads inside the one kernel instead."""
            return self.sort and dr.backend_v(mi.Float) == dr.JitBackend.LLVM

        @property
        def recordings(self) -> int:
            """How often a sorted bounce was traced."""
            return self._sorted_bounce.n_recordings

        def sample(
            self, scene: Any, sampler: Any, ray: Any, medium: Any = None, active: Any = True
        ) -> tuple[Any, Any, list[Any]]:
            """Radiance along camera rays, whether they met anything, and no further pictures."""
            if self.max_depth == 0:
                return mi.Color3f(0), mi.Bool(False), []
            cone = camera_cone(ray, sampler.sample_count())
            seen = not self.hide_emitters and scene.environment() is not None
            path = path_state.first_paths(ray, cone, seen, active)
            walk = self._sorted_walk if self.sorts else self._walk
            radiance, valid = walk(scene, path, sampler)
            return dr.select(valid, radiance, 0), valid, []

        def _walk(self, scene: Any, path: Path, sampler: Any) -> tuple[Any, Any]:
            """All bounces in one kernel: radiance, valid."""

            def bounce(path: Path, sampler: Any) -> tuple[Path, Any]:
                hit = self._hit(scene, path)
                if self.sort:
                    hit = dr.reorder_threads(sorting.material_of(hit.shape.bsdf()), sorting.BITS, hit)
                return self._step(scene, path, hit, draw(sampler)), sampler

            path, _ = dr.while_loop(
                (path, sampler),
                lambda path, sampler: path.active,
                bounce,
                labels=("path", "sampler"),
                label="verdigris_path",
            )
            return path.radiance, path.valid

        def _sorted_walk(self, scene: Any, path: Path, sampler: Any) -> tuple[Any, Any]:
            """A kernel a bounce, its lanes in the order of their materials; for every depth, or where it has no bound,
            until no path goes on: radiance, valid.

            A path moves from lane to lane, but draws its numbers in the one that it started in, so that it goes where
            it would go unsorted. All bounces are one frozen function: each is traced the first time alone.
            """
            lanes = dr.arange(mi.UInt32, dr.width(path.ray.o))
            met, bounces = self._met(scene, path, lanes), 0
            while bounces != self.max_depth and (self.max_depth != UNBOUNDED or met.any_active()):
                draws = sorting.records(draw(sampler))
                sampler.schedule_state()
                dr.eval(draws)
                met = self._sorted_bounce(scene, met, draws)
                bounces += 1
            home, path, _ = path_state.restored(met.paths, lanes)
            return sorting.put_back(path.radiance, home), sorting.put_back(path.valid, home)

        @functools.cached_property
        def _sorted_bounce(self) -> Any:
            """One bounce of paths that met something, as a frozen function: scene, `Met`, draws -> `Met`."""
            # What it keeps must not wait for a collection of cycles, which may come while a kernel is traced.
            known: Any = weakref.ref(self)

            def bounce(scene: Any, met: sorting.Met, draws: list[Any]) -> sorting.Met:
                walk = known()
                home, path, hit = path_state.restored(met.paths, met.order())
                step = walk._step(scene, path, hit, path_state.draws_of(draws, home))
                return walk._met(scene, dr.select(path.active, step, path), home)

            return dr.freeze(bounce, auto_opaque=False)

        def _met(self, scene: Any, path: Path, home: Any) -> sorting.Met:
            """What the paths meet next, evaluated. home: the lanes that they started in."""
            hit = self._hit(scene, path)
            return sorting.met(hit.shape.bsdf(), path.active, path_state.as_arrays(path, hit, home))

        def _step(self, scene: Any, path: Path, hit: Any, draws: Draws) -> Path:
            """One hit: its own light, light that a sampled emitter sends it, and the direction to go on in."""
            flags = mi.RayFlags.All | mi.RayFlags.dNSdUV
            si = hit.compute_surface_interaction(path.ray, flags, path.active)
            radiance = dr.fma(path.throughput, self._emitted(scene, path, si), path.radiance)
            goes_on = path.active & (path.depth + 1 < self.max_depth) & si.is_valid()

            direction, width = path.ray.d, dr.abs(dr.fma(path.spread, si.t, path.width))
            if self.footprint > 0:
                seen = width * self.footprint * half_a_level(si)
                si.duv_dx, si.duv_dy = uv_footprint(si, direction, seen)

            # Where a path ends anyway, a surface is asked only whether it is there.
            bsdf, context = dr.select(goes_on | ~path.valid, si.bsdf(), None), mi.BSDFContext()
            lit = goes_on & mi.has_flag(bsdf.flags(), mi.BSDFFlags.Smooth)
            light, emitted = scene.sample_emitter_direction(si, draws.light, True, lit)
            lit &= light.pdf != 0
            wo = si.to_local(light.d)
            value, pdf, sample, weight = bsdf.eval_pdf_sample(context, si, wo, draws.lobe, draws.direction)
            share = dr.select(light.delta, 1, power_heuristic(dr, light.pdf, pdf))
            radiance = dr.select(lit, dr.fma(path.throughput, value * emitted * share, radiance), radiance)

            throughput, eta = path.throughput * weight, path.eta * sample.eta
            depth = dr.select(si.is_valid(), path.depth + 1, path.depth)
            brightest = dr.max(throughput)
            survival = dr.minimum(brightest * eta * eta, ROULETTE_MAX)
            roulette, survives = depth >= self.rr_depth, draws.chance < survival
            return Path(
                ray=si.spawn_ray(si.to_world(sample.wo)),
                throughput=dr.select(roulette, throughput / survival, throughput),
                radiance=radiance,
                eta=eta,
                depth=depth,
                valid=path.valid | (si.is_valid() & ~mi.has_flag(sample.sampled_type, mi.BSDFFlags.Null)),
                previous=si.p,
                pdf=sample.pdf,
                delta=mi.has_flag(sample.sampled_type, mi.BSDFFlags.Delta),
                width=width,
                spread=spread_after(si, direction, sample, width, path.spread),
                active=goes_on & (~roulette | survives) & (brightest != 0),
            )

        def _hit(self, scene: Any, path: Path) -> Any:
            """What the ray meets, a `PreliminaryIntersection3f`."""
            first = path.depth == 0
            if not self.hide_emitters:
                return scene.ray_intersect_preliminary(path.ray, first, active=path.active)
            found = scene.ray_intersect_preliminary(path.ray, False, active=path.active & ~first)
            return dr.select(first, self.skip_area_emitters(scene, path.ray, True, path.active & first), found)

        def _emitted(self, scene: Any, path: Path, si: Any) -> Any:
            """Light that the hit itself, or the sky, sends back, weighted against emitter sampling."""
            previous = dr.zeros(mi.Interaction3f)
            previous.p = path.previous
            towards = mi.DirectionSample3f(scene, si, previous)
            pdf = scene.pdf_emitter_direction(previous, towards, path.active & ~path.delta)
            share = power_heuristic(dr, path.pdf, dr.select(path.delta, 0, pdf))
            return towards.emitter.eval(si, path.active & (path.pdf > 0)) * share

        def to_string(self) -> str:
            depth = -1 if self.max_depth == UNBOUNDED else self.max_depth
            return (
                f"VerdigrisPath[max_depth = {depth}, rr_depth = {self.rr_depth}, "
                f"hide_emitters = {self.hide_emitters}, sort = {self.sort}, footprint = {self.footprint:g}]"
            )

    return VerdigrisPath


def power_heuristic(dr: Any, taken: Any, other: Any) -> Any:
    """Weight of a sample of density `taken` that `other` could have drawn too (Veach 1997); 0 where both are 0."""
    ratio = dr.square(taken) / (dr.square(taken) + dr.square(other))
    return dr.select(dr.isfinite(ratio), ratio, 0)
