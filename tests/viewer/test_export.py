"""The page as files for any web host, and the command line's refusals."""

from __future__ import annotations

import functools
import http.server
import json
import threading

import pytest

from verdigris.cli.main import run
from verdigris.viewer.export import write_site
from verdigris.viewer.site import Site, entry_of
from viewer.materials import small_material

MB = 1_000_000


@pytest.fixture
def exported(asset_file, tmp_path):
    """A folder that the command wrote."""
    folder = tmp_path / "page"
    assert run(["view", str(asset_file), "--export", str(folder)]) == 0
    return folder


def test_an_export_is_small(tmp_path):
    count, size = write_site(Site([], live=False), tmp_path / "empty")
    assert size < 3 * MB
    assert len([path for path in (tmp_path / "empty").rglob("*") if path.is_file()]) == count


def test_an_export_is_the_page_with_its_materials(exported):
    catalogue = json.loads((exported / "catalogue.json").read_text())
    assert catalogue["live"] is False and [entry["name"] for entry in catalogue["materials"]] == ["third"]
    site = Site([entry_of(small_material("third", 2), "third", 1)], live=False)
    for resource in site.all():
        if resource.path != "catalogue.json":
            assert (exported / resource.path).read_bytes() == resource.read(), resource.path


def test_an_export_runs_on_any_host(show, exported):
    handler = functools.partial(Quiet, directory=str(exported))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        shown = show("compare=split", "side=32", f"http://127.0.0.1:{host.server_port}/")
        shown.samples(2)
        assert "needs the viewer's server" in shown.page.locator("#reference-note").text_content()
        host.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A host that says nothing."""

    def log_message(self, *_):
        """Nothing."""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.png"], "x.png: expected a .vdg file"),
        (["missing.vdg"], "missing.vdg: cannot be read: No such file or directory"),
        (["{asset}", "--source", "a", "--source", "b"], "--source: expected one for each of 1 assets, got 2"),
        (["{asset}", "--port", "99999"], "--port: 99999 cannot be used"),
        (["{broken}"], "checksum"),
    ],
)
def test_what_cannot_be_shown_is_refused_at_once(arguments, message, asset_file, tmp_path, capsys):
    broken = tmp_path / "broken.vdg"
    content = bytearray(asset_file.read_bytes())
    content[-1] ^= 1
    broken.write_bytes(content)
    assert run(["view", *(part.format(asset=asset_file, broken=broken) for part in arguments), "--no-open"]) == 1
    error = capsys.readouterr().err
    assert message in error and error.startswith("error: ") and error.count("\n") == 1
