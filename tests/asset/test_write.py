"""A file is written whole or not at all, and never one that we could not read."""

import dataclasses
import os

import numpy as np
import pytest

from asset_samples import GOLDEN, tiny
from neural_samples import random_material
from verdigris import asset
from verdigris.asset import format as vdg_format
from verdigris.asset import write
from verdigris.errors import AssetError
from verdigris.model import Metadata


def refusal(material, path):
    with pytest.raises(AssetError) as caught:
        asset.save(material, path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: cannot be written: ")
    return message


def with_bias(number):
    material = tiny()
    weight, bias = material.layers[1]
    return dataclasses.replace(material, layers=(material.layers[0], (weight, np.full_like(bias, number))))


@pytest.mark.parametrize(("number", "told"), [(1e5, "100000.0"), (np.inf, "inf"), (np.nan, "nan")])
def test_numbers_that_float16_does_not_have(tmp_path, number, told):
    message = refusal(with_bias(number), tmp_path / "x.vdg")
    assert f"decoder.layers.1.bias: expected numbers that float16 has (up to 65504), got {told}" in message
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, np.float32(1), object()], ids=lambda v: type(v).__name__)
def test_metadata_that_is_no_json(tmp_path, value):
    material = dataclasses.replace(tiny(), metadata=Metadata(report={"x": value}))
    assert "metadata: expected plain JSON values" in refusal(material, tmp_path / "x.vdg")
    assert os.listdir(tmp_path) == []


def test_what_the_reader_would_refuse_is_not_written(tmp_path):
    material = random_material(finest=(4, 4), levels=2)
    odd = dataclasses.replace(material, latents=(material.latents[0], material.latents[0]))
    assert "latents.1: expected shape (2, 2, 8), got (4, 4, 8)" in refusal(odd, tmp_path / "x.vdg")
    named = dataclasses.replace(material, metadata=Metadata(name="a\nb"))
    assert "name: expected up to 256 printable characters" in refusal(named, tmp_path / "x.vdg")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("limit", ["MAX_HEADER_BYTES", "MAX_FILE_BYTES"])
def test_sizes_over_a_limit(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(write, limit, 100)
    assert "expected" in refusal(tiny(), tmp_path / "x.vdg")
    assert getattr(vdg_format, limit) >= 16 << 20


def test_the_directory_does_not_exist(tmp_path):
    assert "No such file or directory" in refusal(tiny(), tmp_path / "none" / "x.vdg")
    assert os.listdir(tmp_path) == []


def test_the_parent_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    assert "Not a directory" in refusal(tiny(), tmp_path / "file" / "x.vdg")


def test_the_target_is_a_directory(tmp_path):
    (tmp_path / "x.vdg").mkdir()
    assert "it is a directory" in refusal(tiny(), tmp_path / "x.vdg")
    assert os.listdir(tmp_path) == ["x.vdg"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_directory(tmp_path):
    tmp_path.chmod(0o500)
    try:
        assert "Permission denied" in refusal(tiny(), tmp_path / "x.vdg")
    finally:
        tmp_path.chmod(0o700)


def test_an_impossible_name(tmp_path):
    refusal(tiny(), tmp_path / "x\0.vdg")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "Ctrl-C"])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_on_the_way_leaves_the_old_file(tmp_path, monkeypatch, step, error):
    path = tmp_path / "x.vdg"
    path.write_bytes(b"old")

    def fail(*_):
        raise error

    monkeypatch.setattr(write.os, step, fail)
    with pytest.raises((AssetError, KeyboardInterrupt)) as caught:
        asset.save(tiny(), path)
    if isinstance(error, OSError):
        assert str(caught.value) == f"{path}: cannot be written: No space left on device"
    assert os.listdir(tmp_path) == ["x.vdg"]
    assert path.read_bytes() == b"old"


def test_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "x.vdg"
    path.write_bytes(b"old")
    asset.save(tiny(), path)
    assert path.read_bytes() == GOLDEN.read_bytes()
    assert os.listdir(tmp_path) == ["x.vdg"]


def test_the_file_has_the_rights_of_any_new_file(tmp_path):
    (tmp_path / "other").write_text("")
    asset.save(tiny(), tmp_path / "x.vdg")
    assert (tmp_path / "x.vdg").stat().st_mode == (tmp_path / "other").stat().st_mode
