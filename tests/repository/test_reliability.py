"""docs/reliability.md names tests; they must exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_reliability_names_tests_that_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "reliability.md").read_text("utf-8")))
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE))
    assert len(named) > 50 and named <= defined, sorted(named - defined)
