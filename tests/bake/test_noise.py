"""How many estimates a target averages."""

from bake_standin import StandIn
from verdigris.bake import bake, preset
from verdigris.bake.config import DirectionMix
from verdigris.bake.noise import MOST, estimates_for, positions_for
from verdigris.bake.queries import QuerySource
from verdigris.materials.random_numbers import Stream, hashed
from verdigris.materials.reference import load_reference
from verdigris.runtime import mitsuba


def test_a_closed_form_is_asked_once() -> None:
    assert estimates_for(StandIn(), 0) == 1
    assert estimates_for(load_reference("library:ceramic_teapot@256", layering="scale"), 0) == 1


def test_a_noisier_walk_is_asked_more_often() -> None:
    quiet, noisy = (
        estimates_for(load_reference(f"library:{name}@256"), 0) for name in ("verdigris_brass", "ceramic_teapot")
    )
    assert 1 <= quiet < noisy <= MOST
    averaged = load_reference("library:ceramic_teapot@256").averaging(8)
    assert estimates_for(averaged, 0) < noisy


def test_a_texel_that_holds_many_normals_is_asked_at_several_positions() -> None:
    def positions(bump: float, side: int) -> int:
        bumpy = StandIn(256, alpha=(0.2, 0.3), f0=0.9, bump=bump)
        return positions_for(QuerySource(bumpy, DirectionMix()), side, 0)

    # The bumps keep 0.92 of the energy of a median over a texel of 1/32, and all of it over one of 1/512.
    assert positions(0.04, 32) == MOST
    assert positions(0.04, 512) == positions(0.0, 32) == 1
    walked = load_reference("library:ceramic_teapot@256")
    assert positions_for(QuerySource(walked, DirectionMix()), 16, 0) == 1


class Noisy(StandIn):
    """The stand-in times a random number: 0 twice in three times, or 3. Four of them are averaged."""

    def eval_dr(self, uv, wi, wo, seed=0):
        import drjit as dr

        mi = mitsuba()
        rng = Stream(mi, dr, hashed(mi, dr, seed, (uv.x, uv.y, wi.x, wi.y, wo.x, wo.y)))
        factor = sum(dr.select(rng.next() < 1 / 3, mi.Float(3), mi.Float(0)) for _ in range(4)) / 4
        return super().eval_dr(uv, wi, wo) * factor


def test_noise_shifts_the_end_of_a_bake_less_than_the_median_would() -> None:
    sizes = dict(uniform_samples=3_000_000, batch=2048, auxiliary_samples=0, report_samples=60_000)
    reference = Noisy(size=0, alpha=(0.4, 0.4))
    ratios = [
        bake(reference, preset("draft", settle_share=share, **sizes)).metadata.report["energy_ratio"]
        for share in (0.0, 0.3)
    ]
    # Zero to four threes of four: a mean of 1, a median of 0.75.
    assert ratios[0] < 0.9
    assert abs(ratios[1] - 1) < 0.03
