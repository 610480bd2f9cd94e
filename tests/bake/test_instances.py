"""Several trainings at once: who goes on, that none touches another, that a bake with them is as repeatable as any."""

from dataclasses import asdict, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bake_standin import StandIn, uniform_plastic
from verdigris.bake import Job, bake, pipeline, preset
from verdigris.bake.config import BakeConfig
from verdigris.bake.encoder import encode_phase
from verdigris.bake.instances import HOPELESS, parts, stacked, survivors, together, whole
from verdigris.bake.phases import Span, fall
from verdigris.bake.subject import subject

SMALL = dict(levels=1, resolution=32, batch=1024, chunk_steps=16, report_samples=3000, instances=4)
CONFIG = preset(
    "draft", encode_samples=100_000, tune_samples=50_000, uniform_samples=100_000, auxiliary_samples=0, **SMALL
)
SPAN = Span(np.float32(0), np.float32(1), np.float32(1))


@pytest.mark.parametrize("chunks", [1, 2, 7, 100])
@pytest.mark.parametrize("count", [1, 4, 16, 64])
def test_the_parts_of_a_phase_are_all_of_it_in_order(count, chunks):
    config = BakeConfig(instances=count, instance_share=0.6)
    found = parts(config, "encode", chunks)
    assert found[0].first == 0 and all(a.first + a.chunks == b.first for a, b in zip(found, found[1:], strict=False))
    assert found[-1].first + found[-1].chunks == chunks and found[-1].count == 1 and found[-1].name == "encode"
    assert all(a.count > b.count for a, b in zip(found, found[1:], strict=False))
    assert len({part.name for part in found}) == len(found)
    # What one instance learns from times their number is the same in every part.
    assert {part.settings(config).batch * part.count for part in found} == {config.batch}
    for part in found:
        assert part.within(0.0) == part.first / chunks
        assert part.within(1.0) == pytest.approx((part.first + part.chunks) / chunks)


def test_counts_fall_by_quarters_over_equal_parts():
    found = parts(BakeConfig(batch=8192, instances=64, instance_share=0.6), "encode", 100)
    assert [(part.count, part.chunks) for part in found] == [(64, 20), (16, 20), (4, 20), (1, 40)]
    assert [part.name for part in found] == ["encode 64", "encode 16", "encode 4", "encode"]
    assert parts(BakeConfig(instances=1), "tune", 9) == [whole("tune", 9)]
    # 64 queries a step are the fewest.
    assert [part.count for part in parts(BakeConfig(batch=1024, instances=64), "encode", 100)] == [16, 4, 1]
    assert [part.count for part in parts(BakeConfig(batch=64, instances=64), "encode", 100)] == [1]


def half(state, _span, target):
    """A chunk of two steps towards a target, each half of the way."""
    losses = []
    for _ in range(2):
        losses.append(jnp.abs(state["x"] - target))
        state = {"x": 0.5 * (state["x"] + target)}
    return state, jnp.stack(losses)


def test_the_best_go_on_with_what_they_have():
    state = stacked([{"x": jnp.float32(x)} for x in (8.0, 1.0, -4.0, 2.0)])
    for _ in range(2):
        state, losses = together(half)(state, SPAN, jnp.float32(0))
    np.testing.assert_allclose(state["x"], np.array([8.0, 1.0, -4.0, 2.0]) / 16)
    np.testing.assert_allclose(losses, [0.25, 0.125])
    # 0.75 of the first chunk's mean, and the second's.
    np.testing.assert_allclose(state["score"], (0.75 * 0.75 + 0.1875) * np.array([8.0, 1.0, 4.0, 2.0]))
    best = survivors(state, 2)
    np.testing.assert_allclose(best["x"], np.array([1.0, 2.0]) / 16)
    np.testing.assert_array_equal(best["score"], 0)
    alone = survivors(state, 1)
    assert alone.keys() == {"x"} and alone["x"] == 1 / 16


def test_the_losses_shown_are_those_of_the_best():
    _, losses = together(half)(stacked([{"x": jnp.float32(x)} for x in (8.0, 1.0)]), SPAN, jnp.float32(0))
    np.testing.assert_allclose(losses, [1.0, 0.5])


def test_an_instance_that_is_not_finite_any_more_gives_its_place_to_the_best():
    def broken(state, span, target):
        state, losses = half(state, span, target)
        return {"x": jnp.where(state["x"] > 1, jnp.nan, state["x"])}, losses

    start = stacked([{"x": jnp.float32(x)} for x in (8.0, 1.0, jnp.inf, 2.0)])
    state, losses = together(broken)(start, SPAN, jnp.float32(0))
    np.testing.assert_allclose(state["x"], [0.25, 0.25, 0.25, 0.5])
    assert np.isfinite(losses).all() and list(state["score"] >= HOPELESS) == [True, False, True, False]
    np.testing.assert_allclose(survivors(state, 2)["x"], [0.25, 0.5])
    # Where none is finite the loss says so, and the loop goes back.
    _, losses = together(half)(stacked([{"x": jnp.float32(jnp.nan)}] * 2), SPAN, jnp.float32(0))
    assert np.isnan(losses).all()


def started(reference, config=CONFIG):
    return pipeline._Bake([subject(reference, config)], config, Job(), None)


def test_an_instance_learns_as_if_it_were_alone():
    """Each of four, beside a single one that takes the same batches."""
    job = started(StandIn(32))
    part = job.parts[0]
    assert part.name == "encode 4"
    phase, states = job._phase(part), [job._encode_state(instance) for instance in range(4)]
    queries = phase.prepare(0)
    found, losses = phase.advance(stacked(states), SPAN, *queries)
    single = replace(CONFIG, batch=256, instances=1)
    lone = encode_phase(single, job._encoded, CONFIG.encode_samples, 0, whole("encode", part.of))
    ends = []
    for index, state in enumerate(states):
        end, alone = lone.advance(state, SPAN, *queries)
        ends.append(float(np.mean(alone)))
        mine = jax.tree.map(lambda leaf, index=index: leaf[index], found["network"])
        # The order of sums differs, and Adam's first steps turn on the sign of a gradient.
        for one, other in zip(jax.tree.leaves(mine), jax.tree.leaves(end["network"]), strict=True):
            np.testing.assert_allclose(one, other, atol=2e-3)
    np.testing.assert_allclose(found["score"], ends, rtol=1e-3)
    assert len(set(np.round(ends, 4))) == 4 and np.mean(losses) == pytest.approx(min(ends), rel=1e-3)


def test_the_first_of_several_is_the_only_one_of_a_single_training():
    for reference in (StandIn(32), uniform_plastic()):
        job = started(reference)
        first = job._first(job.parts[0])
        lone = started(reference, replace(CONFIG, instances=1))
        alone = lone._first(lone.parts[0])
        same = jax.tree.map(lambda one, other: bool((one[0] == other).all()), {key: first[key] for key in alone}, alone)
        assert all(jax.tree.leaves(same))
        others = [leaf for leaf in jax.tree.leaves(first) if leaf.shape[0] == 4 and leaf.any()]
        assert others and all((leaf[1] != leaf[0]).any() for leaf in others)


def test_rates_and_queries_of_a_part_are_those_of_its_place():
    job = started(uniform_plastic())
    assert [(part.name, part.chunks) for part in job.parts] == [("tune 4", 3), ("tune", 4), ("sampler", 1)]
    first, last = (job._phase(part) for part in job.parts[:2])
    assert first.rate(0.0) == CONFIG.rate and last.rate(1.0) == pytest.approx(CONFIG.rate * CONFIG.rate_end)
    assert first.rate(1.0) == last.rate(0.0) == pytest.approx(CONFIG.rate * float(fall(CONFIG, 3 / 7)))
    lone = pipeline.tune_phase(CONFIG, job.sources, job.textures, CONFIG.uniform_samples)
    for one, other in zip(lone.prepare(3)[1], last.prepare(0)[1], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("reference", [StandIn(32), uniform_plastic()], ids=["textured", "uniform"])
def test_a_bake_goes_on_from_any_part_to_the_same_material(tmp_path, reference):
    steps, path = [], tmp_path / "out.vdg.checkpoint"
    material = bake(reference, CONFIG, steps.append)
    report = material.metadata.report
    shown = [curve["phase"] for curve in report["curves"]]
    assert shown == ([*(["encode 4", "encode"] if reference.varying else ["tune 4"]), "tune", "sampler"])
    assert list(dict.fromkeys(step.phase for step in steps)) == [*shown, "report"]
    assert material.metadata.bake["instances"] == 4 and np.isfinite(report["power_l1"])

    def stop(now):
        if now.chunk == 5:
            raise KeyboardInterrupt

    job = Job(path, checkpoint_seconds=1e9)
    with pytest.raises(KeyboardInterrupt):
        bake(reference, CONFIG, stop, job)
    notices = []
    again = bake(reference, CONFIG, None, replace(job, on_notice=notices.append))
    assert f"{path}: going on from " in notices[0]
    assert asdict(again.metadata) == asdict(material.metadata)
    for one, other in zip(again.layers, material.layers, strict=True):
        assert one[0].tobytes() == other[0].tobytes() and one[1].tobytes() == other[1].tobytes()
    assert again.latents[0].tobytes() == material.latents[0].tobytes()


def test_the_lucky_start_wins(monkeypatch):
    """Of four starts three begin with a decoder that is dead: its units answer nothing, whatever they are given."""
    real = pipeline._Bake._network

    def network(self, instance):
        made = real(self, instance)
        if instance != 2:
            made["layers"] = [(jnp.zeros_like(weight), bias - 9.0) for weight, bias in made["layers"]]
        return made

    monkeypatch.setattr(pipeline._Bake, "_network", network)
    config = replace(CONFIG, encode_samples=200_000)
    lucky, plain = (bake(StandIn(32), replace(config, instances=count)).metadata.report for count in (4, 1))
    assert lucky["power_l1"] < 0.5 * plain["power_l1"]
