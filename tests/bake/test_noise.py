"""How many estimates a target averages."""

from bake_standin import StandIn
from verdigris.bake.noise import MOST, estimates_for
from verdigris.materials.reference import load_reference


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
