"""The example in docs/annotation_formats.md does what it says, and its table names every format."""

from __future__ import annotations

import re
from pathlib import Path

from datasets_scripts.annotation_formats import FORMATS_IN, FORMATS_OUT, convert

GUIDE = (Path(__file__).parents[3] / "docs" / "annotation_formats.md").read_text(encoding="utf-8")


def block(mark: str) -> str:
    match = re.search(rf"<!-- {re.escape(mark)} -->\n```\n(.*?)```\n", GUIDE, flags=re.DOTALL)
    assert match is not None, mark
    return match[1]


def test_guide_example_prints_the_report_it_shows(tmp_path):
    source = tmp_path / "abstracts"
    source.mkdir()
    for name in ("one.txt", "one.ann"):
        (source / name).write_text(block(f"file: {name}"), encoding="utf-8")
    report = convert(source, "brat", tmp_path / "my_data")
    assert report.render() + "\n" == block("report")


def test_guide_table_lists_every_format():
    assert tuple(re.findall(r"^\| `([a-z-]+)` \| .* \| `spert convert ", GUIDE, flags=re.MULTILINE)) == FORMATS_IN
    assert f"`--to {' | '.join(FORMATS_OUT)}`" in GUIDE
