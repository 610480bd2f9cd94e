"""The page's own files, without a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

CLIENT = Path(str(files("verdigris.viewer") / "client"))
MODULES = sorted(CLIENT.rglob("*.js"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(CLIENT).as_posix())
def test_modules_are_valid_and_short(path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: it checks the syntax here; types are in JSDoc comments, and no type checker is at hand")
    done = subprocess.run(
        [node, "--input-type=module", "--check"], input=path.read_text(), text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert len(path.read_text().splitlines()) <= 300
    assert path.read_text().startswith("// "), "it says what it is"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(CLIENT).as_posix())
def test_exported_functions_have_types(path):
    text = path.read_text()
    for match in re.finditer(r"^export (?:async )?function (\w+)\((.*?)\)", text, re.MULTILINE):
        before = text[: match.start()].rstrip()
        if match[2]:
            assert before.endswith("*/"), f"{match[1]} has no types"
            assert "@param" in before[before.rindex("/**") :], f"{match[1]} has no types"


def test_the_page_fetches_nothing_from_elsewhere():
    for path in CLIENT.rglob("*"):
        if path.is_file():
            addresses = set(re.findall(r"https?://[^\s\"'<>]+", path.read_text()))
            assert addresses <= {"http://www.w3.org/2000/svg"}, f"{path.name}: {addresses}"


def test_imports_name_files_that_are_there():
    for path in MODULES:
        for name in re.findall(r"""(?:from|import\()\s*["']([^"']+)["']""", path.read_text()):
            assert (path.parent / name).resolve().is_file(), f"{path.name}: {name}"
