"""brat: every kind of line, wrapped and discontinuous spans, line ends, folders; and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datasets_scripts.annotation_formats import FormatError, annotated_documents, convert, convert_out
from datasets_scripts.annotation_formats.documents import Relation

TEXT = "Velorin gave him\nskin and eye rash. Zorab helped."
ANNOTATION = """\
T1\tDrug 0 7\tVelorin
T2\tEffect 17 21;30 34\tskin rash
T3\tEffect 26 34\teye rash
T4\tDrug 36 41\tZorab
T5\tHelping 42 48\thelped
R1\tcauses Arg1:T1 Arg2:T3\t
R2\tcauses Arg2:T2 Arg1:T1
E1\tHelping:T5 Agent:T4 Theme2:T3
*\tEquiv T1 T4
A1\tNegation T3
M1\tSpeculation E1
N1\tReference T1 DB:7\tvelorin
#1\tAnnotatorNotes T1\tasked twice
"""


def write(folder: Path, annotation: str = ANNOTATION, text: str = TEXT, name: str = "a") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(path.name + ".txt").write_bytes(text.encode())
    path.with_name(path.name + ".ann").write_bytes(annotation.encode())
    return folder


def findings(source: Path, **options) -> dict[str, int]:
    report = convert(source, "brat", source.parent / "ours", overwrite=True, **options)
    return {kind.name: found.count for kind, found in report.findings.items()}


def test_brat_every_kind_of_line_is_read_or_noted(tmp_path):
    (document,) = annotated_documents(write(tmp_path / "in"), "brat")
    assert (document.doc_id, document.text) == ("a", TEXT)
    assert [(entity.label, entity.fragments) for entity in document.entities] == [
        ("Drug", ((0, 7),)),
        ("Effect", ((17, 21), (30, 34))),
        ("Effect", ((26, 34),)),
        ("Drug", ((36, 41),)),
        ("Helping", ((42, 48),)),
    ]
    assert document.relations == (
        Relation("causes", "T1", "T3"),
        Relation("causes", "T1", "T2"),
        Relation("Agent", "T5", "T4"),
        Relation("Theme", "T5", "T3"),
        Relation("Equiv", "T1", "T4", both_ways=True),
    )
    noted = [note.kind.name for note in document.notes]
    assert noted == ["event", "attribute", "attribute", "normalisation", "comment", "equivalence"]


def test_brat_wrapped_span_has_no_gap_and_a_discontinuous_one_is_widened_or_dropped(tmp_path):
    text = "He had skin\nrash and eye\r\nrash."
    annotation = (
        "T1\tEffect 7 11;12 16\tskin rash\nT2\tEffect 21 24;26 30\teye rash\nT3\tEffect 7 11;26 30\tskin rash\n"
    )
    source = write(tmp_path / "in", annotation, text)
    assert findings(source) == {"discontinuous_widened": 1}
    assert findings(source, discontinuous="drop") == {"discontinuous_lost": 1}
    rows = (tmp_path / "ours" / "train.json").read_text()
    assert '"entities": [{"type": "Effect", "start": 2, "end": 4}, {"type": "Effect", "start": 5, "end": 7}]' in rows


def test_brat_offsets_over_line_ends_counted_as_one_are_found_by_the_quotes(tmp_path):
    text = "One.\r\nTwo.\r\nVelorin."
    (document,) = annotated_documents(write(tmp_path, "T1\tDrug 10 17\tVelorin\n", text))
    assert document.entities[0].fragments == ((12, 19),)


def test_brat_offsets_count_code_points_and_utf16_only_where_quotes_say_so(tmp_path):
    text = "😀 Velorin"
    for name, offsets in (("points", "2 9"), ("units", "3 10")):
        (document,) = annotated_documents(write(tmp_path / name, f"T1\tDrug {offsets}\tVelorin\n", text))
        assert document.text[document.entities[0].start : document.entities[0].end] == "Velorin"
        assert [note.kind.name for note in document.notes] == (["utf16_offsets"] if name == "units" else [])


def test_brat_carriage_returns_in_the_annotation_are_line_ends(tmp_path):
    (document,) = annotated_documents(write(tmp_path, ANNOTATION.replace("\n", "\r\n")))
    assert len(document.entities) == 5


def test_brat_folders_name_documents_and_splits(tmp_path):
    for name in ("train/x", "dev/x", "test/deep/y"):
        write(tmp_path, name=name)
    documents = annotated_documents(tmp_path)
    assert [(document.doc_id, document.split) for document in documents] == [
        ("dev/x", "dev"),
        ("test/deep/y", "test"),
        ("train/x", "train"),
    ]
    report = convert(tmp_path, "brat", tmp_path.parent / f"{tmp_path.name}-out")
    assert set(report.splits) == {"train", "dev", "test"} and "the source's own" in report.render()


def test_brat_two_annotation_files_of_one_text_are_read_together(tmp_path):
    write(tmp_path, "T1\tDrug 0 7\tVelorin\n")
    (tmp_path / "a.ann").rename(tmp_path / "a.a1")
    (tmp_path / "a.a2").write_text("T2\tHelping 42 48\thelped\nE1\tHelping:T2 Theme:T1\n")
    (document,) = annotated_documents(tmp_path)
    assert document.relations == (Relation("Theme", "T2", "T1"),)


def test_brat_events_of_events_point_to_triggers_and_relations_of_relations_are_noted(tmp_path):
    annotation = ANNOTATION + "T6\tHelping 8 12\tgave\nE2\tHelping:T6 Theme:E1\nR9\tmeta Arg1:R1 Arg2:T4\n"
    (document,) = annotated_documents(write(tmp_path, annotation))
    assert Relation("Theme", "T6", "T5") in document.relations
    assert [note.label for note in document.notes if note.kind.name == "of_relation"] == ["meta"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T9\tDrug 0\tVelorin", "T9 is 'Drug 0\\tVelorin'; it must be 'Type start end', a tab, the text"),
        ("T9\tDrug 7 0\tVelorin", "start must not be after end"),
        ("T9\tDrug 0 7\tZorab", "T9 says 'Zorab', but the text there is 'Velorin'"),
        ("T9\tDrug 0 700\tVelorin", "T9 ends at 700, but the text has 49 characters"),
        ("T9\tDrug 0 7;3 9\tVelorin", "fragments that overlap"),
        ("T1\tDrug 0 7\tVelorin", "T1 is already taken by line 1"),
        ("R9\tcauses Arg1:T1", "a relation is 'type Arg1:T1 Arg2:T2'"),
        ("R9\tcauses Arg1:T1 Arg2:T77", "causes names T77, which no line defines"),
        ("E9\tHelping T5", "an event is 'Type:T1 Role:T2 …'"),
        ("*\tEquiv T1", "needs a type and two or more ids"),
        ("What is this?", "starts with 'What is this?'; brat's lines start with T, R, E"),
    ],
)
def test_brat_malformed_line_is_named_with_file_and_line(tmp_path, line, message):
    with pytest.raises(FormatError) as caught:
        annotated_documents(write(tmp_path, f"{ANNOTATION}{line}\n"), "brat")
    assert str(caught.value).startswith(f"{tmp_path / 'a.ann'}")
    assert message in str(caught.value) and "\n" not in str(caught.value)
    if "no line defines" not in message:
        assert ", line 14: " in str(caught.value)


def test_brat_missing_text_is_named_and_a_bad_document_can_be_skipped(tmp_path):
    write(tmp_path / "in", name="good")
    (tmp_path / "in" / "lost.ann").write_text(ANNOTATION)
    with pytest.raises(FormatError, match=r"lost.txt: is missing; brat keeps a .txt and a .ann of one name"):
        convert(tmp_path / "in", "brat", tmp_path / "out")
    report = convert(tmp_path / "in", "brat", tmp_path / "out", on_bad="skip")
    assert report.read.documents == 2 and report.kept.documents == 1 and report.lost("document") == 1
    assert "lost.txt" in report.render()


def test_brat_links_out_of_the_folder_are_not_followed(tmp_path):
    secret = write(tmp_path / "secret", name="s")
    source = write(tmp_path / "in")
    os.symlink(secret / "s.ann", source / "s.ann")
    os.symlink(secret, source / "folder")
    assert [document.doc_id for document in annotated_documents(source)] == ["a"]


def test_brat_text_that_is_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret.txt").write_text(TEXT)
    source = write(tmp_path / "in")
    (source / "a.txt").unlink()
    os.symlink(tmp_path / "secret.txt", source / "a.txt")
    with pytest.raises(FormatError, match="is a link out of the folder"):
        annotated_documents(source, "brat")


def test_brat_written_files_hold_labels_and_names_that_brat_can_read(tmp_path):
    lines = [
        '{"doc_id": "../up/a:b", "text": "Velorin harms.", "entities": [{"start": 0, "end": 7, "label": "a drug"},'
        ' {"start": 8, "end": 13, "label": "a_drug"}], "relations": [{"head": 0, "tail": 1, "label": "acts, on"}]}',
    ]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    report = convert_out(tmp_path / "x.jsonl", "brat", tmp_path / "out")
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.ann")) == [
        "up/a_b.ann"
    ]
    annotation = (tmp_path / "out" / "up" / "a_b.ann").read_text()
    assert annotation == ("T1\ta_drug_2 0 7\tVelorin\nT2\ta_drug 8 13\tharms\nR1\tacts_on Arg1:T1 Arg2:T2\t\n")
    assert {kind.name: found.count for kind, found in report.findings.items()} == {"renamed_label": 2}


def test_brat_symmetric_types_survive_by_the_configuration(tmp_path):
    convert(write(tmp_path / "in"), "brat", tmp_path / "ours", unit="document")
    convert_out(tmp_path / "ours", "brat", tmp_path / "out")
    convert(tmp_path / "out", "brat", tmp_path / "again", unit="document")
    assert '"symmetric": true' in (tmp_path / "again" / "types.json").read_text()
    assert (tmp_path / "again" / "types.json").read_text() == (tmp_path / "ours" / "types.json").read_text()


def test_brat_text_without_annotation_is_counted_as_lost(tmp_path):
    write(tmp_path / "in", name="good")
    (tmp_path / "in" / "unseen.txt").write_text("Nobody has looked at this.\n")
    report = convert(tmp_path / "in", "brat", tmp_path / "out")
    assert report.lost("document") == 1 and "unseen" in report.render()
