"""spaCy's DocBin: entities, span groups, relations by first word, what is noted, damaged files."""

from __future__ import annotations

import gc
import zlib
from pathlib import Path

import pytest

from datasets_scripts.annotation_formats import FormatError, annotated_documents, convert, convert_out, spacy_docbin
from datasets_scripts.annotation_formats.documents import Relation
from datasets_scripts.annotation_formats.sources import MissingPackageError

spacy = pytest.importorskip("spacy", reason="spaCy (the extra 'formats') is not installed")
REL = ("._.", "rel", None, None)


def make_doc(**user_data):
    doc = spacy.blank("en")("Velorin-based creams cause rash.\n\nZorab helps.")
    doc.ents = [spacy.tokens.Span(doc, 0, 1, label="Drug"), spacy.tokens.Span(doc, 5, 6, label="Effect")]
    doc.user_data.update(user_data)
    return doc


def save(path: Path, *docs) -> Path:
    spacy.tokens.DocBin(store_user_data=True, docs=docs).to_disk(path)
    return path


def test_spacy_entities_groups_and_relations_of_the_tutorial(tmp_path):
    relations = {(0, 5): {"causes": 1.0, "treats": 0.0}, (5, 0): {"of": 0.5}, (0, 4): {"lost": 1.0}}
    doc = make_doc(**{"doc_id": "seven"})
    doc.user_data[REL] = relations
    doc.spans["wide"] = [spacy.tokens.Span(doc, 0, 4, label="Product"), spacy.tokens.Span(doc, 1, 2)]
    doc.spans["coref_clusters_1"] = [doc[0:1]]
    doc.ents = [spacy.tokens.Span(doc, 0, 1, label="Drug", kb_id="Q7"), doc.ents[1]]
    doc.cats = {"trial": 1.0, "letter": 0.0}
    (read,) = annotated_documents(save(tmp_path / "dev.spacy", doc))
    assert (read.doc_id, read.split, read.text) == ("seven", "dev", doc.text)
    named = {item.id: (item.label, read.text[item.start : item.end]) for item in read.entities}
    assert list(named.values()) == [("Drug", "Velorin"), ("Effect", "rash"), ("Product", "Velorin-based creams")]
    assert read.relations == (Relation("causes", "e0", "e1"), Relation("of", "e1", "e0"))
    assert sorted(note.kind.name for note in read.notes) == [
        "attribute",
        "chain",
        "normalisation",
        "of_relation",
        "other_layer",
        "shared_start",
        "shared_start",
    ]


def test_spacy_words_are_kept_and_sentences_found_where_the_file_has_none(tmp_path):
    convert(save(tmp_path / "all.spacy", make_doc()), "auto", tmp_path / "out", unit="sentence")
    rows = (tmp_path / "out" / "train.json").read_text()
    assert '"tokens": ["Velorin", "-", "based", "creams", "cause", "rash", "."]' in rows
    assert '"tokens": ["Zorab", "helps", "."]' in rows


def test_spacy_sentences_of_the_file_are_kept(tmp_path):
    doc = make_doc()
    for token in doc:
        token.is_sent_start = token.i in (0, 3)
    (read,) = annotated_documents(save(tmp_path / "all.spacy", doc))
    assert [len(sentence) for sentence in read.sentences] == [3, 7]


def test_spacy_written_file_loads_in_spacy_with_nested_entities_and_the_tutorials_relations(tmp_path):
    lines = (
        '{"text": "  Velorin-based\\r\\ncreams, again.", "entities": [{"start": 2, "end": 9, "label": "Drug"},'
        ' {"start": 2, "end": 23, "label": "Product"}], "relations": [{"head": 0, "tail": 1, "label": "in"}]}'
    )
    (tmp_path / "a.jsonl").write_text(lines)
    report = convert_out(tmp_path / "a.jsonl", "spacy", tmp_path / "out")
    assert [kind.name for kind in report.findings] == ["widened"]
    (doc,) = spacy.tokens.DocBin().from_disk(tmp_path / "out" / "documents.spacy").get_docs(spacy.vocab.Vocab())
    assert doc.text == "  Velorin-based\r\ncreams, again."
    assert [span.text for span in doc.spans["sc"]] == ["Velorin-based", "Velorin-based\r\ncreams"]
    assert [(span.label_, span.text) for span in doc.ents] == [("Product", "Velorin-based\r\ncreams")]
    assert doc.user_data[REL] == {(1, 1): {"in": 1.0}}  # both start there: why the indices are kept as well
    (back,) = annotated_documents(tmp_path / "out")
    assert back.relations == (Relation("in", "e1", "e0"),) and not back.notes
    assert [entity.label for entity in back.entities] == ["Product", "Drug"]


@pytest.mark.parametrize("damage", [lambda c: b"no", lambda c: c[:40], lambda c: zlib.compress(b"\x93\x01"),
                                    lambda c: zlib.compress(zlib.decompress(c)[:-9])])  # fmt: skip
def test_spacy_damaged_file_is_one_line_and_leaves_the_collector_on(tmp_path, damage):
    source = save(tmp_path / "all.spacy", make_doc())
    source.write_bytes(damage(source.read_bytes()))
    with pytest.raises(FormatError) as caught:
        annotated_documents(source)
    assert str(caught.value).startswith(f"{source}: is not a ") and "\n" not in str(caught.value)
    assert gc.isenabled()


def test_spacy_file_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(spacy_docbin, "MAX_FILE_BYTES", 1 << 20)
    (tmp_path / "bomb.spacy").write_bytes(zlib.compress(b"\0" * (8 << 20)))
    with pytest.raises(FormatError, match="unpacks to more than 1048576 bytes"):
        annotated_documents(tmp_path / "bomb.spacy")


def test_spacy_missing_package_says_which_extra(tmp_path, monkeypatch):
    source = save(tmp_path / "all.spacy", make_doc())
    monkeypatch.setitem(__import__("sys").modules, "spacy.tokens", None)
    with pytest.raises(MissingPackageError, match=r"needs spaCy: pip install 'modeling-spert\[formats\]'"):
        annotated_documents(source)
