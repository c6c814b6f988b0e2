"""Characters to words, sentences or documents as rows, and what each change is called in the report."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_scripts.annotation_formats.alignment import align
from datasets_scripts.annotation_formats.documents import (
    AnnotatedDocument,
    Entity,
    Relation,
    settle_directions,
    with_unique_ids,
)
from datasets_scripts.annotation_formats.report import Kind, Note, gather
from datasets_scripts.annotation_formats.units import choose_unit, make_rows
from datasets_scripts.annotation_formats.words import default_splitter, split_text

TEXT = "Velorin-based creams help. Zorab helps."


def by_blanks(text: str) -> list[list[tuple[int, int]]]:
    """Words at blanks, a sentence per period; written for these tests alone."""
    sentences: list[list[tuple[int, int]]] = [[]]
    position = 0
    for word in text.split(" "):
        if word:
            sentences[-1].append((position, position + len(word)))
            if word.endswith("."):
                sentences.append([])
        position += len(word) + 1
    return sentences


def document(*entities: tuple[str, str], relations: tuple = (), text: str = TEXT) -> AnnotatedDocument:
    """Entities by label and words, which must occur once."""
    built = tuple(
        Entity(f"e{i}", label, ((text.index(words), text.index(words) + len(words)),))
        for i, (label, words) in enumerate(entities)
    )
    links = tuple(Relation(label, f"e{head}", f"e{tail}") for label, head, tail in relations)
    return AnnotatedDocument("d", text, built, links)


def names(notes: tuple[Note, ...] | list[Note]) -> list[str]:
    return [note.kind.name for note in notes]


def test_align_uses_the_projects_words_by_default_and_a_given_splitter_otherwise():
    drawn = document(("Drug", "Velorin"), ("Drug", "Zorab"))
    ours = align(drawn)
    assert [TEXT[start:end] for start, end in ours.sentences[0]] == ["Velorin-based", "creams", "help", "."]
    theirs = align(drawn, by_blanks)
    assert [TEXT[start:end] for start, end in theirs.sentences[0]] == ["Velorin-based", "creams", "help."]
    for aligned in (ours, theirs):
        assert names(aligned.notes) == ["widened"]
        assert aligned.notes[0].example == "'Velorin' is now 'Velorin-based'"


def test_align_trims_blanks_and_leaves_out_what_holds_no_word():
    aligned = align(document(("Drug", "Zorab "), ("Gap", " "), ("Null", ""), relations=(("near", 0, 1),)))
    assert [(entity.label, entity.start, entity.end) for entity in aligned.entities] == [("Drug", 4, 5)]
    assert names(aligned.notes) == ["trimmed", "no_word", "no_word", "of_lost_entity"]


def test_align_keeps_the_type_with_most_relations_and_moves_the_others_relations():
    drawn = document(
        ("Chemical", "Zorab"),
        ("Drug", "Zorab"),
        ("Drug", "creams"),
        ("Drug", "Zorab"),
        relations=(("near", 1, 2), ("far", 2, 1), ("near", 0, 2), ("like", 0, 2), ("same", 1, 0), ("own", 1, 3)),
    )
    aligned = align(drawn)
    assert [entity.label for entity in aligned.entities] == ["Drug", "Drug"]
    assert [(item.label, item.head, item.tail) for item in aligned.relations] == [
        ("far", 0, 1),
        ("like", 1, 0),
        ("near", 1, 0),
    ]
    assert names(aligned.notes) == [
        "second_type",
        "repeated_entity",
        "repeated_relation",
        "moved_relation",
        "to_itself",
        "to_itself",
    ]


def test_align_symmetric_relations_the_other_way_round_are_repetitions():
    drawn = document(("A", "creams"), ("B", "Zorab"), relations=(("near", 1, 0), ("near", 0, 1)))
    assert len(align(drawn).relations) == 2
    aligned = align(drawn, symmetric=("near",))
    assert [(item.head, item.tail) for item in aligned.relations] == [(0, 1)]
    assert names(aligned.notes) == ["repeated_relation"]


def test_rows_of_sentences_lose_relations_across_and_join_sentences_that_an_entity_bridges():
    across = align(document(("A", "creams"), ("B", "Zorab"), relations=(("near", 0, 1),)))
    rows, notes = make_rows(across, "sentence")
    assert [row["orig_id"] for row in rows] == ["d:0", "d:1"] and names(notes) == ["across_sentences"]
    assert notes[0].example == "creams –near→ Zorab"
    bridged = align(document(("A", "help. Zorab"), ("B", "creams"), relations=(("near", 0, 1),)))
    rows, notes = make_rows(bridged, "sentence")
    assert len(rows) == 1 and len(rows[0]["relations"]) == 1 and names(notes) == ["sentences_joined"]


def test_rows_of_documents_keep_everything_and_texts_join_to_the_document():
    text = f"  {TEXT}\r\n\r\nIt rains.  "
    aligned = align(document(("A", "creams"), ("B", "Zorab"), relations=(("near", 0, 1),), text=text))
    for unit, count in (("document", 1), ("sentence", 3)):
        rows, _ = make_rows(aligned, unit)
        assert len(rows) == count and "".join(row["text"] for row in rows) == text
        for row in rows:
            assert [row["text"][start:end] for start, end in row["offsets"]] == row["tokens"]


def test_rows_of_a_document_without_words_are_noted():
    rows, notes = make_rows(align(AnnotatedDocument("d", " \n")), "document")
    assert not rows and names(notes) == ["no_words"]


@pytest.mark.parametrize(
    ("across", "inside", "chosen"), [(1, 1, "document"), (0, 3, "sentence"), (1, 150, "sentence"), (2, 150, "document")]
)
def test_unit_auto_weighs_what_each_choice_loses_and_says_so(across, inside, chosen):
    one = align(document(("A", "creams"), ("B", "Zorab"), relations=(("near", 0, 1),)))
    other = align(document(("A", "creams"), ("B", "help"), relations=(("near", 0, 1),)))
    choice = choose_unit([one] * across + [other] * inside, "auto")
    assert choice.unit == chosen
    assert f"of {across + inside} relations, rows of sentences lose {across}, rows of documents 0" in choice.reason


def test_unit_auto_keeps_sentences_where_documents_are_longer_than_a_window():
    long = "Velorin. " + "It rains. " * 200 + "Zorab."
    aligned = align(document(("A", "Velorin"), ("B", "Zorab"), relations=(("near", 0, 1),), text=long))
    assert choose_unit([aligned], "auto").unit == "sentence"
    assert choose_unit([aligned], "document").unit == "document"


def test_directions_are_settled_over_the_whole_corpus():
    both = AnnotatedDocument("a", "", (), (Relation("near", "x", "y", both_ways=True),))
    directed = AnnotatedDocument("b", "", (), (Relation("near", "x", "y"),))
    assert settle_directions([both])[1] == ("near",)
    settled, symmetric = settle_directions([both, directed])
    assert symmetric == () and names(settled[0].notes) == ["both_ways"]
    assert settled[0].relations == (Relation("near", "x", "y"), Relation("near", "y", "x"))


def test_document_ids_are_made_unique_even_against_ones_that_look_made():
    named = with_unique_ids([AnnotatedDocument(name, "") for name in ("a", "a-2", "a", "a")])
    assert [item.doc_id for item in named] == ["a", "a-2", "a-3", "a-4"]


@given(st.text())
def test_default_splitter_passes_the_check_of_splitters(text):
    assert split_text(text, default_splitter) == split_text(text, None)


@pytest.mark.parametrize("words", [[(3, 1)], [(0, 2), (1, 3)], [(0, 99)], [(0, 0)], [(13, 14)]])
def test_splitter_whose_words_are_wrong_is_refused(words):
    with pytest.raises(ValueError, match="splitter must return words in order, none empty or blank, inside the text"):
        split_text("Velorin-based creams help.", lambda _: [words])


def test_report_shows_counts_labels_and_one_example():
    kind = Kind("x", "other", True, "things")
    found = gather([Note(kind, "a", "B", "first"), Note(kind, "b", "B"), Note(kind, "b", "C")])
    assert found[kind].count == 3 and found[kind].labels == {"B": 2, "C": 1} and found[kind].example == "a: first"
