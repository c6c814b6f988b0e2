"""Column files (CoNLL, multi-head) and tables of relations (CSV)."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_scripts.annotation_formats import FormatError, annotated_documents, recognise
from datasets_scripts.annotation_formats.documents import Relation


def save(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def found(path: Path) -> list[tuple[str, str]]:
    (document,) = annotated_documents(path)
    return [(entity.label, document.text[entity.start : entity.end]) for entity in document.entities]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-P I-P O B-L", [("P", "a b"), ("L", "d")]),  # BIO
        ("B-P E-P O S-L", [("P", "a b"), ("L", "d")]),  # BIOES
        ("B-P L-P O U-L", [("P", "a b"), ("L", "d")]),  # BILOU
        ("I-P I-P B-P I-L", [("P", "a b"), ("P", "c"), ("L", "d")]),  # IOB1
        ("B-P B-P S-P S-P", [("P", "a"), ("P", "b"), ("P", "c"), ("P", "d")]),
        ("O I-P E-P O", [("P", "b c")]),
    ],
)
def test_conll_tag_schemes(tmp_path, tags, expected):
    lines = "".join(f"{word} X {tag}\n" for word, tag in zip("abcd", tags.split(), strict=True))
    assert found(save(tmp_path / "a.conll", lines)) == expected


def test_conll_documents_by_mark_and_sentences_by_blank_line(tmp_path):
    text = "-DOCSTART- -X- O\r\n\r\nAda NNP B-P\r\n\r\n. . O\r\n\r\n# doc_id = second\n# NN O\nran VB O\n"
    first, second = annotated_documents(save(tmp_path / "news_train.conll", text))
    assert (first.text, first.doc_id, first.split) == ("Ada\n.", "news_train-1", "train")
    assert (second.text, second.doc_id) == ("# ran", "second")


def test_conll_without_marks_every_sentence_is_a_document(tmp_path):
    documents = annotated_documents(save(tmp_path / "a.bio", "Ada\tB-P\n\nran\tO\n"))
    assert [document.text for document in documents] == ["Ada", "ran"]


def test_conll_multi_head_form_has_relations(tmp_path):
    rows = ["#doc 12", "0\tAda\tB-Peop\t['N']\t[0]", "1\tMoss\tI-Peop\t['Live_In', 'Knows']\t[3, 4]",
            "2\tin\tO\t['N']\t[2]", "3\tVell\tB-Loc\t['N']\t[3]", "4\tBen\tB-Peop\t['N']\t[4]"]  # fmt: skip
    (document,) = annotated_documents(save(tmp_path / "a.conll", "\n".join(rows)))
    assert document.doc_id == "12"
    assert document.relations == (Relation("Live_In", "e0", "e1"), Relation("Knows", "e0", "e2"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ada NNP B-P\nran O\n", "line 2: has 2 columns, the lines before it 3"),
        ("Ada NNP PER\n", "line 1: has the tag 'PER'; tags are O, B-TYPE, I-TYPE"),
        ("Ada\n", "line 1: is 'Ada'; it must be a word"),
        ("0\tAda\tB-P\t['K']\t[7]\n", "line 1: relates word 0 to word 7 (K), which must both end an entity"),
        ("0\tAda\tB-P\t['K', 'L']\t[0]\n", "line 1: has relations ['K', 'L'] and heads [0]; give as many of each"),
        ("0\tAda\tB-P\t[__import__('os')]\t[0]\n", "where a list such as ['N'] must be"),
    ],
)
def test_conll_malformed_line_is_named(tmp_path, text, message):
    source = save(tmp_path / "a.conll", text)
    with pytest.raises(FormatError) as caught:
        annotated_documents(source)
    assert str(caught.value).startswith(str(source)) and message in str(caught.value)


HEADER = "doc_id,text,head,head_type,head_start,head_end,relation,tail,tail_type,tail_start,tail_end"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_rows_of_a_document_share_entities(tmp_path, separator):
    rows = [
        HEADER,
        "d1,Velorin causes rash and fever.,Velorin,Drug,0,7,causes,rash,Effect,15,19",
        "d1,,Velorin,Drug,0,7,causes,fever,Effect,24,29",
        "d2,Nothing here.,,,,,,,,,",
        "d3,Zorab.,Zorab,Drug,,,,,,,",
    ]
    source = save(tmp_path / "a.csv", "\ufeff" + "\r\n".join(rows).replace(",", separator))
    assert recognise(source) == "csv"
    documents = annotated_documents(source)
    assert [document.doc_id for document in documents] == ["d1", "d2", "d3"]
    assert [len(document.entities) for document in documents] == [3, 0, 1]
    assert documents[0].relations == (Relation("causes", "e0", "e1"), Relation("causes", "e0", "e2"))
    assert documents[2].entities[0].fragments == ((0, 5),)


def test_csv_without_names_a_text_is_a_document(tmp_path):
    text = 'text,head,head_type\n"Velorin, again.",Velorin,Drug\n"Velorin, again.",again,Word\nZorab.,Zorab,Drug\n'
    documents = annotated_documents(save(tmp_path / "mine.csv", text))
    assert [(document.doc_id, len(document.entities)) for document in documents] == [("mine-0", 2), ("mine-1", 1)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("d,No no.,no,X,,,,,,,", None),
        ("d,no no.,no,X,,,,,,,", "line 2: head 'no' occurs 2 times in the text; give head_start and head_end"),
        ("d,Yes.,no,X,,,,,,,", "head 'no' occurs 0 times"),
        ("d,Yes.,Yes,X,1,4,,,,,", "head is 'Yes', but the text at 1 is 'es.'"),
        ("d,Yes.,Yes,X,one,4,,,,,", "head_start and head_end are 'one' and '4'; they must be integers"),
        ("d,Yes.,Yes,,,,,,,,", "needs head and head_type"),
        ("d,Yes.,,,,,is,,,,", "has a relation or a tail, but no head"),
        ("d,Yes.,Yes,X,,,,Yes,X,,", "has a tail, but no relation"),
        ("d,Yes.,Yes,X", "has 4 cells, the header 11"),
        ("d,,Yes,X,,,,,,,", "has no text; give it at least in the first row"),
        ('d,"Yes,Yes,X,,,,,,,', "is not a readable table"),
    ],
)
def test_csv_wrong_row_is_named_by_line(tmp_path, row, message):
    source = save(tmp_path / "a.csv", f"{HEADER}\n{row}\n")
    if message is None:
        assert len(annotated_documents(source)) == 1
        return
    with pytest.raises(FormatError) as caught:
        annotated_documents(source)
    assert str(caught.value).startswith(f"{source}, line 2: ") and message in str(caught.value)


@pytest.mark.parametrize(
    ("header", "message"),
    [("a,b", "has no column 'text'"), ("text,mood", "has a column 'mood'; known are"), ("text,text", "names a column")],
)
def test_csv_wrong_header_is_named(tmp_path, header, message):
    with pytest.raises(FormatError, match=message):
        annotated_documents(save(tmp_path / "a.csv", f"{header}\nx,y\n"), "csv")
