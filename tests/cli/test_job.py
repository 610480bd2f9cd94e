"""`verdigris bake` as a job of a process of its own: killed, interrupted, pressed for time."""

import json
import random
import signal
import subprocess
import sys
import time

import pytest

from verdigris import asset
from verdigris.cli import files, settings
from verdigris.cli.main import run
from verdigris.errors import BakeError

SPOTS = """<?xml version="1.0"?>
<materialx version="1.39" colorspace="lin_rec709">
  <noise2d name="noise" type="color3"><input name="amplitude" type="vector3" value="0.3, 0.2, 0.1" /></noise2d>
  <oren_nayar_diffuse_bsdf name="body" type="BSDF">
    <input name="color" type="color3" nodename="noise" />
  </oren_nayar_diffuse_bsdf>
  <surface name="shader" type="surfaceshader"><input name="bsdf" type="BSDF" nodename="body" /></surface>
  <surfacematerial name="spots" type="material">
    <input name="surfaceshader" type="surfaceshader" nodename="shader" />
  </surfacematerial>
</materialx>
"""
FEW = ("batch=1024", "chunk_steps=32", "report_samples=3000", "encode_samples=1000000", "tune_samples=1600000")
FEW += ("auxiliary_samples=0", "levels=2")
ENCODE_CHUNKS, ALL_CHUNKS = 31, 87

pytestmark = pytest.mark.usefixtures("heeding_interrupts")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder but for `spots.mtlx`, which varies over the surface."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spots.mtlx").write_text(SPOTS)
    return tmp_path


def bake(name, *options, few=FEW):
    """A process that bakes `spots.mtlx` into NAME.vdg, with a log NAME.jsonl."""
    command = [sys.executable, "-m", "verdigris.cli.main", "bake", "spots.mtlx", "-o", f"{name}.vdg"]
    command += ["--resolution", "32", "--log", f"{name}.jsonl", *options]
    command += [part for setting in few for part in ("--set", setting)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_for_chunk(process, log, chunk):
    """Until the log tells of that chunk, or the process has ended."""
    while process.poll() is None and (not log.exists() or log.read_bytes().count(b"\n") < chunk):
        time.sleep(0.002)


def curve(path):
    """What does not depend on time in a log."""
    return [[row[key] for key in ("chunk", "phase", "step", "loss", "rate", "retries")] for row in lines(path)]


@pytest.mark.slow
def test_stopped_at_any_moment_a_bake_ends_with_the_same_bytes(folder):
    whole = bake("whole")
    assert whole.wait(timeout=120) == 0, whole.stderr.read()
    moments = random.Random(7)
    stops = (
        (moments.randrange(10, ENCODE_CHUNKS), signal.SIGINT, 130),
        (moments.randrange(45, 75), signal.SIGKILL, -signal.SIGKILL),
        (ALL_CHUNKS, signal.SIGKILL, -signal.SIGKILL),  # in the report, or while the file is written
    )
    for chunk, kill, code in stops:
        process = bake("stopped", "--checkpoint-seconds", "0")
        wait_for_chunk(process, folder / "stopped.jsonl", chunk)
        time.sleep(moments.random() * 0.03)
        process.send_signal(kill)
        _, notes = process.communicate(timeout=120)
        assert process.returncode == code, notes
        assert (folder / "stopped.vdg.checkpoint").exists() and not (folder / "stopped.vdg").exists()
        if kill == signal.SIGINT:
            kept = "stopped.vdg.checkpoint keeps what is done: the same command goes on from there"
            assert notes.splitlines()[-2:] == [kept, "interrupted"]
    process = bake("stopped", "--checkpoint-seconds", "0")
    _, notes = process.communicate(timeout=120)
    assert process.returncode == 0, notes
    assert "stopped.vdg.checkpoint: going on from sampler, step 160 of 160" in notes
    assert (folder / "stopped.vdg").read_bytes() == (folder / "whole.vdg").read_bytes()
    assert curve(folder / "stopped.jsonl") == curve(folder / "whole.jsonl")
    assert len(curve(folder / "whole.jsonl")) == ALL_CHUNKS
    names = {path.name for path in folder.iterdir()}
    assert names == {"spots.mtlx", "whole.vdg", "whole.jsonl", "stopped.vdg", "stopped.jsonl"}


@pytest.mark.slow
def test_a_time_budget_is_kept_with_rates_that_have_fallen(folder):
    budget, long = 12.0, (*FEW[:3], "encode_samples=100000000", "tune_samples=200000000")
    start = time.monotonic()
    least = bake("least", few=(*FEW[:3], "encode_samples=32768", "tune_samples=32768", *FEW[5:]))
    assert least.wait(timeout=300) == 0, least.stderr.read()
    fixed, start = time.monotonic() - start, time.monotonic()
    process = bake("out", "--time-budget", f"{budget:g}s", few=long)
    out, notes = process.communicate(timeout=300)
    assert process.returncode == 0, notes
    # A chunk of each phase is always run: a machine so busy that this alone takes the budget may go over by as much.
    assert time.monotonic() - start < budget + fixed
    assert "as far as the time budget went" in out
    rows = lines(folder / "out.jsonl")
    phases = {row["phase"]: row for row in rows}
    assert list(phases) == ["encode", "tune", "far", "sampler", "auxiliary"]
    assert phases["tune"]["rate"] < 0.1 * rows[0]["rate"]
    report = asset.inspect("out.vdg")["report"]
    asked = [row for row in rows if row["phase"] != "sampler"]
    assert report["shortened"] and report["training_samples"] == len(asked) * 32 * 1024
    assert not (folder / "out.vdg.checkpoint").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--time-budget", "soon"], "--time-budget: expected a time such as 90, 120s, 2m or 1h, got 'soon'"),
        (["--time-budget", "0.01"], "starting up took it all"),
        (["--log", "missing/out.jsonl"], "missing/out.jsonl: cannot be written"),
        (["--log", "out.txt"], ".jsonl"),
        (["--latent-bits", "5"], "latent_bits: expected 16, 8 or 4, got 5"),
        (["--set", "batch"], "NAME=VALUE"),
        (["--set", "speed=3"], "tune_samples"),
        (["--set", "batch=many"], "--set batch: expected a whole number, got 'many'"),
        (["--set", "batch=100"], "batch: expected a power of two"),
    ],
)
def test_bad_job_options(capsys, folder, options, message):
    assert run(["bake", "spots.mtlx", *options]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1 and message in err
    assert [path.name for path in folder.iterdir()] == ["spots.mtlx"]


def test_times_and_settings_as_text():
    texts = {"90": 90, "120s": 120, "2m": 120, "1.5 h": 5400, " 7s ": 7}
    assert {text: settings.duration(text) for text in texts} == texts
    for text in ("", "-3", "2d", "m", "0", "1:30", "9" * 400):
        with pytest.raises(BakeError, match="--time-budget"):
            settings.duration(text)
    assert settings.changes(["batch=64", "rate=1e-3", "loss=log_l1"]) == {"batch": 64, "rate": 1e-3, "loss": "log_l1"}


def test_a_log_has_a_name_of_its_own(tmp_path):
    assert files.log_path(tmp_path / "a.jsonl") == tmp_path / "a.jsonl"
    with pytest.raises(BakeError, match="jsonl"):
        files.log_path(tmp_path / "a.vdg")
