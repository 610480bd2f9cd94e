"""The parts of a job: checkpoints, schedules under a deadline, divergence, logs, curves."""

import json
from dataclasses import asdict, replace

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from bake_standin import StandIn, uniform_plastic
from verdigris.bake import Job, bake, checkpoint, pipeline, preset
from verdigris.bake.checkpoint import Checkpoint, Unusable
from verdigris.bake.log import chunk_log, earlier_lines
from verdigris.bake.loop import Loop, Progress, Stage
from verdigris.bake.phases import Phase, fall
from verdigris.bake.record import Record, Watch, curves
from verdigris.bake.schedule import END_SECONDS, Course, Pace
from verdigris.errors import BakeError

CONFIG = preset("draft")


def tree():
    """One of each thing that a state holds."""
    layers = [(np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(2, np.float32))]
    moments = optax.ScaleByAdamState(count=np.int32(7), mu={"layers": layers}, nu={"layers": layers})
    textures = [np.full((2, 1, 1), 0.1, np.float32)]
    return {"network": {"values": {"layers": layers}, "adam": moments}, "textures": textures}


def equal(a, b):
    """Same containers, same arrays to the last bit."""
    if isinstance(a, dict):
        return type(a) is type(b) and a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    a, b = np.asarray(a), np.asarray(b)
    return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def test_a_checkpoint_gives_back_what_it_was_given(tmp_path):
    kept = Checkpoint(tmp_path / "out.vdg.checkpoint", "me")
    assert kept.read() is None
    kept.write(tree(), {"phase": "tune", "losses": [0.1, 1e-9]})
    kept.write(tree(), {"phase": "tune", "losses": [0.1]})
    found, facts = kept.read()
    assert equal(found, tree()) and facts == {"phase": "tune", "losses": [0.1]}
    assert [path.name for path in tmp_path.iterdir()] == ["out.vdg.checkpoint"]
    (tmp_path / ".out.vdg.checkpoint.tmp").write_text("left by a process that was killed")
    checkpoint.remove(kept.path)
    assert not list(tmp_path.iterdir())


def test_damaged_and_foreign_checkpoints_are_refused(tmp_path):
    kept = Checkpoint(tmp_path / "x", "me")
    kept.write(tree(), {})
    with pytest.raises(Unusable, match="another bake"):
        Checkpoint(kept.path, "you").read()
    whole = kept.path.read_bytes()
    flipped = bytearray(whole)
    flipped[-3] ^= 1
    for content in (b"", b"text", whole[:9], whole[:-1], whole + b"\0", bytes(flipped)):
        kept.path.write_bytes(content)
        with pytest.raises(Unusable, match="damaged"):
            kept.read()
    kept.path.unlink()
    kept.path.mkdir()
    with pytest.raises(Unusable, match="damaged"):
        kept.read()


def test_a_checkpoint_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(BakeError, match="missing/x: cannot be written"):
        Checkpoint(tmp_path / "missing" / "x", "me").write(tree(), {})


def test_an_identity_is_that_of_source_and_settings():
    source = {"uri": "a.mtlx", "material": "a", "sha256": "0" * 64, "layering": "scale"}
    mine = checkpoint.identity([source], CONFIG)
    assert mine == checkpoint.identity([dict(reversed(source.items()))], CONFIG)
    others = [checkpoint.identity([{**source, key: "other"}], CONFIG) for key in source]
    others += [checkpoint.identity([source], replace(CONFIG, **change)) for change in ({"seed": 1}, {"rate": 0.5})]
    others += [checkpoint.identity([source, source], CONFIG)]
    assert len({mine, *others}) == len(others) + 1


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def drive(chunks, seconds, budget, compiling=0.0, load=lambda k: 1.0):
    """Courses of all phases of a simulated bake, and the moment it ended, from its start."""
    clock = Clock()
    pace = Pace(chunks, chunk=500_000, deadline=clock.now + budget, clock=clock)
    courses = {}
    for phase, whole in chunks.items():
        course = courses[phase] = Course(last=whole)
        course.leave(pace.fitting(phase, course), whole)
        starts = True
        while not course.done:
            took = seconds * load(clock.now - 100.0) + (compiling if starts else 0.0)
            clock.now += took
            pace.tick(took, starts)
            starts = False
            course.chunk += 1
            course.leave(pace.fitting(phase, course), whole)
    return courses, clock.now - 100.0


def test_without_hurry_chunks_are_equal_parts():
    course = Course(last=7)
    pace = Pace({"tune": 7}, chunk=1)
    for done in range(7):
        assert course.progress(done) == done / 7
        course.chunk = done + 1
        course.leave(pace.fitting("tune", course), 7)
    assert course.done and course.progress(7) == 1.0 and not course.shortened
    courses, end = drive({"encode": 20, "tune": 80}, 1.0, budget=1000.0)
    assert end == 100.0 and not any(course.shortened for course in courses.values())


@pytest.mark.parametrize("budget", [25.0, 60.0, 119.0])
def test_a_deadline_is_met_and_used_with_the_rates_fallen(budget):
    courses, end = drive({"encode": 100, "tune": 400}, 0.5, budget, compiling=4.0)
    assert budget - END_SECONDS - 4.0 < end < budget
    assert courses["tune"].progress(courses["tune"].chunk) > 0.97 and courses["tune"].shortened
    # Each phase gets its share of what is left beside compiling, within a few chunks.
    share = courses["encode"].chunk / (courses["encode"].chunk + courses["tune"].chunk)
    assert share == pytest.approx(0.2, abs=0.12)


def test_a_deadline_is_met_on_a_machine_that_becomes_busy():
    courses, end = drive({"tune": 400}, 0.5, 60.0, load=lambda t: 1.0 if t < 20.0 else 3.0)
    assert 52.0 < end < 60.0 and courses["tune"].progress(courses["tune"].chunk) > 0.97
    courses, end = drive({"tune": 60}, 0.5, 60.0, load=lambda t: 3.0 if t < 20.0 else 1.0)
    # Once it is free again there is time for all that is left.
    assert end == pytest.approx(20.0 + 0.5 * (60 - 13), abs=3.0)
    assert courses["tune"].chunk == 60


def test_more_is_kept_back_where_materials_share_a_bake():
    def chunks(materials, seconds):
        clock = Clock()
        pace = Pace({"tune": 400}, 500_000, deadline=clock.now + seconds, clock=clock, materials=materials)
        pace.check()
        pace.tick(0.5, starts=False)
        return pace.fitting("tune", Course(last=400))

    assert chunks(1, 60.0) - chunks(4, 60.0) == pytest.approx(3 * (END_SECONDS + 0.1) / 0.5, abs=1)
    assert chunks(1, 8.0) > 0
    with pytest.raises(BakeError, match="expected a longer one"):
        chunks(4, 8.0)


def test_no_time_at_all_is_an_error():
    with pytest.raises(BakeError, match="expected a longer one"):
        Pace({"tune": 3}, 1, deadline=0.0).check()
    courses, _ = drive({"encode": 5, "tune": 5}, 10.0, budget=3.0)
    assert [course.chunk for course in courses.values()] == [1, 1]


def diverging(*losses, first=1.0):
    """What a watch says to some chunks, whose first step's loss is `first`, or that of the chunk."""
    watch = Watch()
    return [watch.diverges(loss, loss if k else first) for k, loss in enumerate(losses)]


def test_a_loss_diverges_when_it_is_not_finite_or_stays_far_above_its_best():
    assert diverging(float("nan")) == diverging(float("inf")) == [True]
    falling = [1.0 / k for k in range(1, 20)]
    assert diverging(*falling, 0.4, 0.4, 0.4, 0.4) == [False] * 22 + [True]
    assert not any(diverging(0.1, *[0.5, 0.5, 0.5, 0.1] * 5))
    # It explodes within its first chunk.
    assert diverging(400.0, 400.0, 400.0, 400.0, first=0.6) == [False, False, False, True]


def test_a_record_survives_json():
    record = Record()
    record.begin("encode", 9)
    record.take(0.5)
    record.watch.diverges(0.5, 0.5)
    copy = Record.of(json.loads(json.dumps(record.plain())))
    assert copy == record and copy.course is not record.course
    with pytest.raises(TypeError):
        Record.of({**record.plain(), "unknown": 1})


def test_curves_are_short_and_cover_every_chunk():
    losses = {"encode": [1.0] * 115, "tune": [0.123456] * 1717}
    found = curves(losses, steps=64)
    assert sum(len(curve["loss"]) for curve in found) <= 200
    assert [curve["steps"] for curve in found] == [115 * 64, 1717 * 64]
    for curve in found:
        assert 0 <= len(curve["loss"]) * curve["steps_a_point"] - curve["steps"] < curve["steps_a_point"]
    assert found[1]["loss"][0] == 0.1235
    assert curves({"tune": [3.0, 1.0]}, 64)[0]["loss"] == [3.0, 1.0]


class Source:
    """As much of a QuerySource as the loop needs."""

    def __init__(self):
        self.count = self.bad = 0

    def check(self):
        pass


class Descent:
    """A phase whose state is one number that falls by the rate; from `wild` on it explodes above a rate."""

    def __init__(self, chunks, wild, rate_max, value=float("nan")):
        self.seen, self.chunks, self.wild, self.rate_max, self.value = [], chunks, wild, rate_max, value

    def phase(self):
        return Phase("tune", self.chunks, lambda chunk: (chunk,), self.advance, lambda at: 1.0)

    def advance(self, state, span, chunk):
        self.seen.append((chunk, float(span.scale)))
        explodes = chunk >= self.wild and span.scale > self.rate_max
        x = state["x"] - 0.001 * span.scale
        return {"x": jnp.float32(self.value) if explodes else x}, jnp.full(
            2, self.value
        ) if explodes else x + jnp.zeros(2)


def loop_of(descent, **job):
    notices = []
    pace = Pace({"tune": descent.chunks}, chunk=2)
    loop = Loop([Source()], 2, pace, Job(on_notice=notices.append, **job))
    stage = Stage("tune", descent.phase, lambda state: {"x": jnp.float32(1.0)})
    return loop, [stage], notices


@pytest.mark.parametrize("value", [float("nan"), 50.0])
def test_a_diverging_loss_is_tried_again_at_half_the_rate(value):
    descent = Descent(chunks=30, wild=20, rate_max=0.3, value=value)
    loop, stages, notices = loop_of(descent)
    state = loop.run(stages, {})
    assert loop.record.retries == 2 and len(notices) == 2
    assert "again from step 32, at half the rate" in notices[0]
    # 16 chunks at the full rate, then all others at a quarter.
    assert float(state["x"]) == pytest.approx(1.0 - 0.001 * (16 + 14 / 4), abs=1e-5)
    assert len(loop.record.losses["tune"]) == 30 and max(loop.record.losses["tune"]) <= 1.0
    assert descent.seen[-14:] == [(chunk, 0.25) for chunk in range(16, 30)]


def test_divergence_to_the_end_is_an_error():
    loop, stages, notices = loop_of(Descent(chunks=30, wild=20, rate_max=0.0))
    with pytest.raises(BakeError, match="tune: the loss diverges at step 42, even at rates halved 3 times"):
        loop.run(stages, {})
    assert len(notices) == 3


def test_a_bake_that_diverged_says_so_and_is_whole(monkeypatch):
    """The losses of one chunk are made NaN."""
    config = preset(
        "draft", encode_samples=1, tune_samples=700_000, auxiliary_samples=0, resolution=32, batch=1024, chunk_steps=32
    )
    config, notices = replace(config, report_samples=3000, levels=1), []
    made, real = [], pipeline.tune_phase

    def tune_phase(*arguments):
        phase = real(*arguments)

        def advance(state, span, *queries):
            state, losses = phase.advance(state, span, *queries)
            made.append(span)
            return (state, losses * jnp.nan) if len(made) == 12 else (state, losses)

        return replace(phase, advance=advance)

    monkeypatch.setattr(pipeline, "tune_phase", tune_phase)
    material = bake(StandIn(32), config, job=Job(on_notice=notices.append))
    report = material.metadata.report
    assert report["retries"] == 1 and len(notices) == 1 and not report["shortened"]
    assert report["training_samples"] == 23 * 32 * 1024
    assert np.isfinite(material.latents[0]).all()
    assert float(made[-1].scale) == 0.5


def progress(chunk, phase="tune", loss=0.5, retries=0):
    return Progress(phase, chunk * 64, 640, loss, 1e6, 3.0, 1.0, 0.008, retries, chunk)


def written(path, *steps):
    with chunk_log(path) as log:
        for step in steps:
            log(step)
    return [json.loads(line)["chunk"] for line in path.read_text().splitlines()]


def test_a_log_goes_on_where_the_bake_does(tmp_path):
    path = tmp_path / "a.jsonl"
    assert written(path, *map(progress, (1, 2, 3, 4))) == [1, 2, 3, 4]
    facts = json.loads(path.read_text().splitlines()[0])
    assert facts["phase"] == "tune" and (facts["step"], facts["loss"], facts["rate"]) == (64, 0.5, 0.008)
    assert written(path, *map(progress, (3, 4, 5))) == [1, 2, 3, 4, 5]
    with path.open("a") as stream:
        stream.write('{"chunk": 6, "ph')
    assert written(path, progress(6)) == [1, 2, 3, 4, 5, 6]
    assert written(path, progress(9)) == [9], "of another bake, or of one that began without a log"
    assert written(path, progress(1)) == [1]
    path.write_text("my notes\n")
    assert earlier_lines(path, progress(2)) == []


def test_a_log_keeps_what_was_tried_in_vain(tmp_path):
    path = tmp_path / "a.jsonl"
    steps = [progress(1), progress(2), progress(3), progress(2, retries=1), progress(3, retries=1)]
    assert written(path, *steps) == [1, 2, 3, 2, 3]
    assert written(path, progress(3, retries=1)) == [1, 2, 3, 2, 3]
    with pytest.raises(BakeError, match="cannot be written"):
        written(tmp_path / "missing" / "a.jsonl", progress(1))


def test_the_rates_fall_with_progress_alone():
    assert float(fall(CONFIG, 0.0)) == 1.0
    assert float(fall(CONFIG, 1.0)) == pytest.approx(CONFIG.rate_end)
    assert float(fall(CONFIG, 0.5)) == pytest.approx((1 + CONFIG.rate_end) / 2)


def test_an_interrupted_bake_goes_on_to_the_same_material(tmp_path):
    sizes = dict(batch=1024, chunk_steps=32, report_samples=3000, instances=1)
    config = preset("draft", uniform_samples=1_000_000, auxiliary_samples=0, **sizes)
    path, notices = tmp_path / "out.vdg.checkpoint", []
    whole = bake(uniform_plastic(), config)

    def stop_at(chunk):
        def stop(now):
            if now.chunk == chunk:
                raise KeyboardInterrupt

        return stop

    job = Job(path, checkpoint_seconds=1e9, on_notice=notices.append)
    with pytest.raises(KeyboardInterrupt):
        bake(uniform_plastic(), config, stop_at(14), job)
    again = bake(uniform_plastic(), config, None, job)
    assert notices == [f"{path}: going on from tune, step 256 of 992"]
    assert asdict(again.metadata) == asdict(whole.metadata)
    for one, other in zip((*again.layers, *again.sampler), (*whole.layers, *whole.sampler), strict=True):
        assert one[0].tobytes() == other[0].tobytes() and one[1].tobytes() == other[1].tobytes()
    assert again.latents[0].tobytes() == whole.latents[0].tobytes()
    # The file stays until the asset is saved; another bake ignores it, and says so.
    with pytest.raises(KeyboardInterrupt):
        bake(uniform_plastic(), replace(config, seed=1), stop_at(1), job)
    assert "ignored: it is of another bake" in notices[-1] and path.is_file()
