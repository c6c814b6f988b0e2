"""A tool's files → ours → the tool's files: what the model's form can hold comes back, the rest is reported."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from annotated_texts import (
    Text,
    holdable,
    texts,
    write_brat_files,
    write_doccano_file,
    write_label_studio_file,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets_scripts.annotation_formats import AnnotatedDocument, annotated_documents, convert, convert_out
from datasets_scripts.annotation_formats.units import Unit
from datasets_scripts.annotation_formats.words import default_splitter

WRITE = {"brat": write_brat_files, "label-studio": write_label_studio_file, "doccano": write_doccano_file}
CHANGED_SPANS = ("widened", "trimmed", "discontinuous_widened")
QUICK = settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])


def spans(document: AnnotatedDocument) -> set[tuple[str, int, int]]:
    return {(entity.label, entity.start, entity.end) for entity in document.entities}


def triples(document: AnnotatedDocument) -> set[tuple]:
    named = {entity.id: (entity.label, entity.start, entity.end) for entity in document.entities}
    return {(relation.label, named[relation.head], named[relation.tail]) for relation in document.relations}


def check_round_trip(
    tool: str, root: Path, drawn: Sequence[Text], words: Sequence[Sequence[tuple[int, int]]], unit: Unit
) -> None:
    try:
        report = convert(root / "in", tool, root / "ours", unit=unit, split=(0.5, 0.25, 0.25))
    except ValueError as error:
        assert "holds no entity" in str(error) and not any(holdable(i, w)[0] for i, w in zip(drawn, words, strict=True))
        return
    for subject in ("entities", "relations"):
        singular = {"entities": "entity", "relations": "relation"}[subject]
        assert getattr(report.read, subject) == sum(len(getattr(item, subject)) for item in drawn)
        assert getattr(report.read, subject) - getattr(report.kept, subject) == report.lost(singular)
    out = convert_out(root / "ours", tool, root / "out")
    assert (out.kept, out.findings) == (report.kept, {})
    back = {document.doc_id.rpartition("/")[2]: document for document in annotated_documents(root / "out", tool)}
    source = {document.doc_id: document for document in annotated_documents(root / "in", tool)}
    assert sum(len(document.entities) for document in back.values()) == report.kept.entities
    assert sum(len(document.relations) for document in back.values()) == report.kept.relations
    changed = across = 0
    for (name, before), item, here in zip(source.items(), drawn, words, strict=True):
        entities, relations = holdable(item, here)
        after = back.get(name)
        if after is None:
            assert not here
            continue
        assert after.text == item.text
        assert entities <= spans(after)
        across += len(relations - triples(after))
        changed += len(spans(after) - spans(before))
    noted = {kind.name: found.count for kind, found in report.findings.items()}
    assert across <= noted.get("across_sentences", 0) and (unit == "sentence" or not across)
    assert changed <= sum(noted.get(name, 0) for name in CHANGED_SPANS)


@pytest.mark.parametrize("tool", WRITE)
@QUICK
@given(data=st.data())
def test_round_trip_keeps_what_fits_and_reports_the_rest(tool: str, data: st.DataObject):
    drawn = data.draw(st.lists(texts(contiguous=tool != "brat"), min_size=1, max_size=4))
    words = [[word for sentence in default_splitter(item.text) for word in sentence] for item in drawn]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in").mkdir()
        WRITE[tool](Path(folder) / "in", drawn)
        check_round_trip(tool, Path(folder), drawn, words, data.draw(st.sampled_from(["document", "sentence"])))


@QUICK
@given(
    drawn=st.lists(texts(contiguous=True), min_size=1, max_size=4),
    with_sentences=st.booleans(),
    unit=st.sampled_from(["document", "sentence"]),
)
def test_round_trip_spacy_keeps_what_fits_and_reports_the_rest(drawn: list[Text], with_sentences: bool, unit: Unit):
    spacy = pytest.importorskip("spacy", reason="spaCy (the extra 'formats') is not installed")
    nlp = spacy.blank("en")
    if with_sentences:
        nlp.add_pipe("sentencizer")
    docs, on_tokens, words = spacy.tokens.DocBin(store_user_data=True), [], []
    for item in drawn:
        doc = nlp(item.text)
        marked = [(label, doc.char_span(*f[0], label, alignment_mode="expand")) for label, f in item.entities]
        marked = [(label, span) for label, span in marked if span is not None and len(span)]
        doc.spans["sc"] = [span for _, span in marked]
        fits = [(t, h, e) for t, h, e in item.relations if max(h, e) < len(marked)]
        # As spaCy's tutorial has it: by first word, so only between entities that no other starts with.
        starts = [span.start for _, span in marked]
        unique = [i for i, start in enumerate(starts) if starts.count(start) == 1]
        fits = [(t, h, e) for t, h, e in dict.fromkeys(fits) if h in unique and e in unique]
        relations: dict = {}
        for label, head, tail in fits:
            relations.setdefault((starts[head], starts[tail]), {})[label] = 1.0
        doc.user_data[("._.", "rel", None, None)] = relations
        docs.add(doc)
        entities = tuple((label, ((span.start_char, span.end_char),)) for label, span in marked)
        # A span group that holds an entity twice is read as holding it once.
        once = {key: place for place, key in reversed(list(enumerate(entities)))}
        order = sorted(once.values())
        at = {place: order.index(once[key]) for place, key in enumerate(entities)}
        on_tokens.append(
            Text(item.text, tuple(entities[p] for p in order), tuple((t, at[h], at[e]) for t, h, e in fits))
        )
        words.append([(token.idx, token.idx + len(token)) for token in doc if token.text.strip()])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in").mkdir()
        docs.to_disk(Path(folder) / "in" / "all.spacy")
        check_round_trip("spacy", Path(folder), on_tokens, words, unit)
