"""The snippets of docs/rendering.md run as printed."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "rendering.md"


def test_documentation_snippets_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    snippets = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert len(snippets) == 3
    names: dict = {}
    for snippet in snippets:
        exec(compile(snippet, str(DOCUMENT), "exec"), names)
    assert "lives_in 0.97" in Path("answer.html").read_text("utf-8")
    assert Path("answer.svg").read_text("utf-8").startswith("<svg ")
    assert names["graph"].number_of_edges() == 2
    assert names["table"].count("\n") == names["rdf"].count("relation/") + 1 == 3
    assert len(names["spans"]["spans"]) == 3


def test_documentation_pictures_exist():
    pictures = re.findall(r"\((images/[^)]+)\)", DOCUMENT.read_text("utf-8"))
    assert len(pictures) == 3
    assert all((DOCUMENT.parent / picture).is_file() for picture in pictures)
