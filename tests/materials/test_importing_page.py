"""The page that lists what is supported lists it all, and nothing else."""

import re
from pathlib import Path

from verdigris.materials.closure_tree import COMBINERS
from verdigris.materials.closures import CLOSURES
from verdigris.materials.nodes import PATTERNS
from verdigris.materials.nodes.unavailable import UNAVAILABLE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "importing.md"


def test_every_primitive_is_listed() -> None:
    text = PAGE.read_text().split("<!-- primitives")[1].split("<!-- end -->")[0]
    listed = [re.findall(r"[a-z_0-9]+", part.split(":**")[1]) for part in text.split("- **")[1:]]
    assert [sorted(part) for part in listed] == [sorted(x) for x in (PATTERNS, CLOSURES, COMBINERS, UNAVAILABLE)]
