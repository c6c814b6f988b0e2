"""Exports as the current versions of INCEpTION and Label Studio write them, with all their fields; invented sentences.

The files are in `tests/data/exports`: a document of INCEpTION as UIMA CAS JSON and XMI (XML 1.1, offsets in UTF-16,
layers of its own, tag sets, several values), a project of Label Studio 1.20 as JSON and JSON-MIN.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from datasets_scripts.annotation_formats import FormatError, annotated_documents, convert, recognise

EXPORTS = Path(__file__).parents[2] / "data" / "exports"
TEXT = "Zoë took Velorin 😀 for an EGFR-positive rash.\nIt went in May."
INCEPTION, LABEL_STUDIO = EXPORTS / "inception", EXPORTS / "label_studio"


def found(document):
    names = {entity.id: TEXT[entity.start : entity.end] for entity in document.entities}
    entities = {(entity.label, names[entity.id]) for entity in document.entities}
    return entities, {(names[item.head], item.label, names[item.tail]) for item in document.relations}


def counts(report) -> dict[str, int]:
    return {kind.name: finding.count for kind, finding in report.findings.items()}


@pytest.mark.parametrize("name", ["case one.txt.json", "case one.txt.xmi"])
def test_inception_export_keeps_layers_relations_and_offsets(name: str, tmp_path: Path) -> None:
    pytest.importorskip("cassis", reason="dkpro-cassis (the extra 'formats') is not installed")
    assert recognise(INCEPTION / name) == "inception"
    (document,) = annotated_documents(INCEPTION / name)
    assert document.text == TEXT and document.doc_id == "case one.txt"
    entities, relations = found(document)
    spans = {("PER", "Zoë"), ("DRUG", "Velorin"), ("gene", "EGFR"), ("skin", "EGFR-positive rash"), ("time", "May")}
    assert entities == spans
    assert relations == {("Velorin", "eases", "EGFR-positive rash"), ("EGFR-positive rash", "Reason", "May")}
    report = convert(INCEPTION / name, "auto", tmp_path / "out", split_words="annotated")
    # A severity, a certainty and a second tag; the link to a knowledge base; the layer of the whole document.
    assert counts(report) == {"normalisation": 1, "attribute": 3, "other_layer": 1}


def test_inception_project_of_json_documents(tmp_path: Path) -> None:
    pytest.importorskip("cassis", reason="dkpro-cassis (the extra 'formats') is not installed")
    content = (INCEPTION / "case one.txt.json").read_bytes()
    with zipfile.ZipFile(tmp_path / "project.zip", "w") as archive:
        archive.writestr("exportedproject.json", b'{"name": "Rashes"}')
        for member in (
            "annotation/one.txt/ada.json",
            "annotation/one.txt/bob.json",
            "curation/two.txt/CURATION_USER.json",
        ):
            archive.writestr(member, content)
    report = convert(tmp_path / "project.zip", "auto", tmp_path / "out")
    assert report.read.documents == 2 and counts(report)["other_annotator"] == 1
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(INCEPTION / "case one.txt.json", folder)
    (folder / "exportedproject.json").write_text('{"name": "Rashes"}')
    assert [found(document) for document in annotated_documents(folder, "inception")] == [
        found(annotated_documents(INCEPTION / "case one.txt.json")[0])
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"begin": 9,', '"begin": 999,', "offset outside its text"),
        ('"%TYPE": "custom.Span"', '"%TYPE": "custom.Spam"', "does not fit its type system"),
        ('"%VIEWS"', '"%VIEW', "does not fit its type system"),
        ('"sofaString"', '"sofaURI"', "holds no text"),
    ],
)
def test_inception_damaged_json_is_one_line_with_its_name(tmp_path: Path, old: str, new: str, message: str) -> None:
    pytest.importorskip("cassis", reason="dkpro-cassis (the extra 'formats') is not installed")
    text = (INCEPTION / "case one.txt.json").read_text("utf-8")
    assert old in text
    (tmp_path / "bad.json").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        annotated_documents(tmp_path / "bad.json", "inception")
    assert message in str(caught.value) and "bad.json" in str(caught.value) and "\n" not in str(caught.value)


def test_webanno_tsv_names_the_export_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "one.tsv").write_text("#FORMAT=WebAnno TSV 3.3\n#T_SP=custom.Span|label\n\n\n", encoding="utf-8")
    with pytest.raises(FormatError, match="is WebAnno TSV, which is not read; export as 'UIMA CAS JSON'"):
        annotated_documents(tmp_path)


def test_label_studio_export_keeps_the_last_annotation(tmp_path: Path) -> None:
    path = LABEL_STUDIO / "project-3-at-2025-11-12.json"
    assert recognise(path) == "label-studio"
    first, empty = annotated_documents(path)
    assert found(first) == (
        {("Drug", "Velorin"), ("Gene", "EGFR"), ("Effect", "rash")},
        {("Velorin", "eases", "rash")},
    )
    assert empty.text == "Nothing to see." and not empty.entities
    report = convert(path, "auto", tmp_path / "out")
    # A choice and a rating are attributes; EGFR is inside a word, and the task without annotation is left out.
    assert counts(report) == {"not_annotated": 1, "other_annotator": 1, "attribute": 2, "widened": 1}


def test_label_studio_min_export_has_entities_and_says_that_relations_are_missing(tmp_path: Path) -> None:
    path = LABEL_STUDIO / "project-3-min.json"
    assert recognise(path) == "label-studio"
    first, empty = annotated_documents(path)
    assert found(first) == (found(annotated_documents(LABEL_STUDIO / "project-3-at-2025-11-12.json")[0])[0], set())
    assert empty.text == "Nothing to see." and not empty.entities
    report = convert(path, "auto", tmp_path / "out", split_words="annotated")
    assert counts(report) == {"other_annotator": 1, "attribute": 1, "no_relations_kept": 2}
    assert "JSON-MIN, which has no relations: export as JSON to keep them" in report.render()
    records = json.loads(path.read_text("utf-8"))
    records[0]["label"][0]["start"] = 3
    (tmp_path / "bad.json").write_text(json.dumps(records), encoding="utf-8")
    with pytest.raises(FormatError, match="does not hold 'Velorin' at 3 to 16"):
        annotated_documents(tmp_path / "bad.json")
