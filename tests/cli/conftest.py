"""Fixtures of the command line's tests."""

import pytest

from mtlx_documents import RED


@pytest.fixture
def document(tmp_path, monkeypatch):
    """`red.mtlx`, one uniform material, in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "red.mtlx"
    path.write_text(RED)
    return path
