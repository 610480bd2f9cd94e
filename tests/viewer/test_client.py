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


TOOLS = Path(__file__).resolve().parents[1] / "tools"


def test_types_hold():
    compiler = TOOLS / "node_modules" / ".bin" / "tsc"
    if not compiler.exists() or shutil.which("node") is None:
        pytest.skip("no TypeScript, which checks types here: npm ci --prefix tests/tools")
    done = subprocess.run([compiler, "-p", TOOLS, "--listFiles"], text=True, capture_output=True)
    read = {Path(line) for line in done.stdout.splitlines() if line.endswith(".js")}
    assert done.returncode == 0, "\n".join(line for line in done.stdout.splitlines() if "error" in line)
    assert read >= set(MODULES)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(CLIENT).as_posix())
def test_modules_say_what_they_are_and_stay_short(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert text.startswith("// "), "it says what it is"


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
