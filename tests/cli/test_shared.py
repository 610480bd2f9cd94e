"""`verdigris bake --shared`: several sources, a folder of files, one network."""

import pytest

from mtlx_documents import RED
from verdigris import asset
from verdigris.asset import write
from verdigris.cli import files
from verdigris.cli.main import run
from verdigris.errors import AssetError

FEW = ("batch=1024", "chunk_steps=16", "report_samples=3000", "uniform_samples=50000", "auxiliary_samples=0")


@pytest.fixture
def documents(tmp_path, monkeypatch):
    """`red.mtlx` and a copy of it, whose material has the same name."""
    monkeypatch.chdir(tmp_path)
    for name in ("red", "copy"):
        (tmp_path / f"{name}.mtlx").write_text(RED)
    return tmp_path


def bake(*arguments):
    return run(["bake", *arguments, *(part for setting in FEW for part in ("--set", setting))])


def test_several_sources_become_files_of_one_network(documents, capsys, monkeypatch):
    assert bake("red.mtlx", "copy.mtlx::red", "--shared", "--log", "both.jsonl") == 0
    names = sorted(path.name for path in documents.rglob("*.vdg"))
    assert names == ["red-2.vdg", "red.vdg"]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["shared/red.vdg", "shared/red-2.vdg"]
    one, other = (asset.inspect(documents / "shared" / name) for name in names)
    assert one["report"]["shared"] == other["report"]["shared"]
    assert not (documents / "shared.checkpoint").exists() and (documents / "both.jsonl").exists()


def test_a_shared_bake_that_stops_leaves_a_checkpoint_alone(documents, capsys, monkeypatch):
    def interrupted(*arguments):
        arguments[3].checkpoint.write_text("state")
        raise KeyboardInterrupt

    import verdigris.bake

    monkeypatch.setattr(verdigris.bake, "bake_shared", interrupted)
    assert bake("red.mtlx", "copy.mtlx", "--shared", "-o", "all") == 130
    assert "all.checkpoint keeps what is done" in capsys.readouterr().err
    assert sorted(path.name for path in documents.iterdir()) == ["all.checkpoint", "copy.mtlx", "red.mtlx"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["red.mtlx", "--shared"], "--shared: expected two sources or more, got 1"),
        (["red.mtlx", "copy.mtlx"], "expected one source, got 2: with --shared they get one network"),
        (["red.mtlx", "copy.mtlx", "--shared", "-m", "red"], "-m: expected one source"),
        (["red.mtlx", "copy.mtlx::blue", "--shared"], "blue"),
        (["red.mtlx", "copy.mtlx", "--shared", "-o", "out.vdg"], "out.vdg: expected a folder"),
        (["red.mtlx", "copy.mtlx", "--shared", "-o", "red.mtlx"], "red.mtlx: expected a folder"),
        (["red.mtlx", "copy.mtlx", "--shared", "-o", "missing/out"], "there is no folder missing"),
        (["red.mtlx", "copy.mtlx", "--shared", "--set", "instances=4"], "instances: a shared bake expects 1, got 4"),
    ],
)
def test_bad_shared_bakes(documents, capsys, arguments, message):
    assert run(["bake", *arguments]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1 and message in err
    assert sorted(path.name for path in documents.iterdir()) == ["copy.mtlx", "red.mtlx"]


def test_a_source_may_name_its_material(documents):
    assert files.split_source("a/b.mtlx::Brushed Metal") == ("a/b.mtlx", "Brushed Metal")
    assert files.split_source("library:verdigris_brass@512") == ("library:verdigris_brass@512", None)
    (documents / "odd::name.mtlx").write_text(RED)
    assert files.split_source("odd::name.mtlx") == ("odd::name.mtlx", None)


def test_equal_names_get_different_files(tmp_path):
    found = files.distinct_paths(tmp_path, ["Red", "red", "blue", "red", "red-2"])
    assert [path.name for path in found] == ["Red.vdg", "red-2.vdg", "blue.vdg", "red-3.vdg", "red-2-2.vdg"]


def test_all_files_are_whole_before_one_is_seen(documents, monkeypatch):
    from neural_samples import random_material

    materials = {documents / name: random_material() for name in ("a.vdg", "b.vdg", "missing/c.vdg")}
    with pytest.raises(AssetError, match="missing/c.vdg: cannot be written"):
        write.save_all(materials)
    assert sorted(path.name for path in documents.iterdir()) == ["copy.mtlx", "red.mtlx"]
