"""The viewer's server: what it hands out, and to whom."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlencode

import numpy as np
import pytest

from verdigris.errors import RenderError
from verdigris.export import latents
from verdigris.viewer.guard import new_token
from verdigris.viewer.run import listen
from viewer.materials import SCRIPT_NAME

VIEW = {
    "material": "0", "shape": "sphere", "environment": "even", "origin": "0,0,5", "target": "0,0,0", "fov": "26",
    "rotation": "0", "width": "16", "height": "12", "spp": "3",
}  # fmt: skip


def ask(running, path, method="GET", body=None, **headers):
    """The answer to a request that is sent as it is written: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body=body, headers=names)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def test_every_file_of_the_site_is_served_with_the_policy(running):
    for resource in running.site.all():
        status, headers, body = ask(running, f"/{running.token}/{resource.path}")
        assert status == 200 and body == resource.read(), resource.path
        assert headers["content-type"] == resource.content_type
        assert int(headers["content-length"]) == len(body)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http:" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_the_page_itself_is_at_the_address_that_is_printed(running):
    status, headers, body = ask(running, f"/{running.token}/")
    assert status == 200 and headers["content-type"].startswith("text/html") and b"<canvas" in body


def test_latents_are_the_material_s(running):
    _, _, body = ask(running, f"/{running.token}/materials/0/latents.bin")
    assert body == latents.packed_halves(running.site.entries[0].material)


@pytest.mark.parametrize(
    "path",
    ["/", "/index.html", "/wrong/index.html", "/token-of-the-testss/", "/token-of-the-test/", "/token-of-the-tests"],
)
def test_a_wrong_token_gets_nothing(running, path):
    status, _, body = ask(running, path)
    assert (status, body) == (404, b"not found")


@pytest.mark.parametrize(
    "path",
    [
        "../pyproject.toml", "..%2f..%2fserver.py", "%2e%2e/%2e%2e/etc/passwd", "/etc/passwd", "//etc/passwd",
        "js/../../server.py", "js/%2e%2e/%2e%2e/server.py", "materials/9/latents.bin", "materials/0/../0/latents.bin",
        "shapes/../../shapes.py", "..\\..\\server.py", "index.html%00.js", "file:///etc/passwd", "js", "js/",
    ],
)  # fmt: skip
def test_no_other_file_is_reachable(running, path):
    status, _, body = ask(running, f"/{running.token}/{path}")
    assert status == 404 and body == b"not found"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"}, {"Host": "127.0.0.1"}, {"Host": ""}, {"Origin": "http://evil.example"},
        {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
    ],
)  # fmt: skip
def test_foreign_hosts_and_origins_are_refused(running, headers):
    for method, path in (("GET", "index.html"), ("GET", f"reference?{urlencode(VIEW)}"), ("POST", "materials")):
        status, _, body = ask(running, f"/{running.token}/{path}", method, **headers)
        assert (status, body) == (404, b"not found")


def test_its_own_origin_is_welcome(running):
    for host in (f"127.0.0.1:{running.port}", f"localhost:{running.port}"):
        headers = {"Host": host, "Origin": f"http://{host}", "Sec_Fetch_Site": "same-origin"}
        assert ask(running, f"/{running.token}/catalogue.json", **headers)[0] == 200


def test_a_name_that_is_a_script_stays_text(running):
    _, headers, body = ask(running, f"/{running.token}/catalogue.json")
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["materials"][1]["name"] == SCRIPT_NAME
    assert SCRIPT_NAME.encode() not in ask(running, f"/{running.token}/")[2]


def test_a_reference_comes_in_better_and_better_pictures(running):
    status, _, body = ask(running, f"/{running.token}/reference?{urlencode(VIEW)}")
    assert status == 200
    size = 16 + 16 * 12 * 6
    pictures = [body[start : start + size] for start in range(0, len(body), size)]
    assert [int(np.frombuffer(p, "<u4", 1)[0]) for p in pictures] == [1, 2, 3]
    last = np.frombuffer(pictures[-1], "<f2", offset=16).reshape(12, 16, 3)
    assert np.allclose(last[0, 0], 0.5, atol=1e-3), "a corner shows the even grey"
    assert last[6, 8, 0] > 2 * last[6, 8, 1], "the middle shows the red sphere"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"material": "1"}, "material: expected one whose source is given, got number 1"),
        ({"material": "-1"}, "material: expected one whose source is given, got number -1"),
        ({"shape": "../x"}, "shape: expected one of sphere, plane, teapot, ball, got '../x'"),
        ({"origin": "0,0"}, "origin: expected 3 finite numbers, got '0,0'"),
        ({"origin": "0,0,nan"}, "origin: expected 3 finite numbers, got '0,0,nan'"),
        ({"origin": "0,0,0"}, "origin: expected another place than the target's, got the same"),
        ({"width": "100000"}, "size: expected two sides from 1 to 2048, got 100000 x 12"),
        ({"spp": "0"}, "spp: expected 1 to 4096, got 0"),
        ({"fov": "180"}, "fov: expected 1 to 170 degrees, got 180"),
    ],
)
def test_a_bad_view_is_refused_in_one_line(running, changes, message):
    status, _, body = ask(running, f"/{running.token}/reference?{urlencode(VIEW | changes)}")
    assert (status, body.decode()) == (400, message)


def test_a_dropped_material_is_checked_and_added(running, asset_file):
    path = f"/{running.token}/materials?name=third.vdg"
    status, _, body = ask(running, path, "POST", asset_file.read_bytes())
    described = json.loads(body)
    assert status == 200 and described["name"] == "third" and described["levels"] == 3
    assert ask(running, f"/{running.token}/{described['folder']}/material.wgsl")[0] == 200
    status, _, body = ask(running, path, "POST", asset_file.read_bytes()[:-5])
    assert status == 422 and body.startswith(b"third.vdg: ") and b"\n" not in body and b"/tmp" not in body


def test_the_token_cannot_be_guessed():
    assert len({new_token() for _ in range(64)}) == 64 and len(new_token()) >= 32


def test_a_port_that_is_taken_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RenderError, match=rf"--port: {port} cannot be used"):
            listen(port)


def test_it_listens_on_this_machine_alone():
    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_the_command_prints_its_address_and_stops_on_interrupt(asset_file, heeding_interrupts):
    command = [sys.executable, "-m", "verdigris.cli.main", "view", str(asset_file), "--no-open"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        line = process.stdout.readline()
        assert re.fullmatch(r"viewing at http://127\.0\.0\.1:\d+/[\w-]{32}/\n", line)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, errors) == (0, "") and time.monotonic() - start < 10
