"""Sentences or whole documents as rows, and what either choice loses.

The model relates entities of one row. As sentences, relations across sentences are lost; as documents, none are, except
where a document is longer than the encoder's window and is cut.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal

from datasets_scripts.annotation_formats.alignment import AlignedDocument, WordRelation
from datasets_scripts.annotation_formats.documents import Span
from datasets_scripts.annotation_formats.report import ACROSS_SENTENCES, NO_WORDS, SENTENCES_JOINED, Note

Unit = Literal["sentence", "document", "auto"]
UNITS = ("sentence", "document", "auto")
WINDOW_WORDS = 350  # about what fits an encoder of 512 subwords
_WORTH_IT = 0.01  # of all relations: what documents as rows must save to be chosen

Row = dict[str, Any]


@dataclass(frozen=True)
class UnitChoice:
    """A unit and the sentence that says why."""

    unit: str
    reason: str


def choose_unit(documents: Sequence[AlignedDocument], unit: Unit) -> UnitChoice:
    """The unit asked for, or the one that loses fewer relations; sentences where the difference is under 1 %.

    Args:
        documents: The corpus.
        unit: "sentence", "document", or "auto" to choose.
    """
    total = sum(len(document.relations) for document in documents)
    across = sum(len(_across(document, _sentence_starts(document))) for document in documents)
    cut = sum(_cut_by_windows(document) for document in documents)
    losses = f"of {total} relations, rows of sentences lose {across}, rows of documents {'about ' if cut else ''}{cut}"
    if unit != "auto":
        return UnitChoice(unit, f"unit: {unit}, as asked for; {losses}")
    chosen = "document" if across > cut and across - cut >= _WORTH_IT * total else "sentence"
    return UnitChoice(chosen, f"unit: {chosen}, chosen since {losses}")


def make_rows(document: AlignedDocument, unit: str) -> tuple[list[Row], list[Note]]:
    """The rows of a document in SpERT's form, and what the unit loses.

    In addition to its words, a row has its `text` and the `offsets` of the words in it; the texts of a document's rows,
    joined, are the document's text. Other readers of SpERT's form ignore both.

    Args:
        document: The document in words.
        unit: "sentence" or "document".
    """
    name = document.document.doc_id
    if not any(document.sentences):
        return [], [Note(NO_WORDS, name)]
    notes: list[Note] = []
    starts = [0]
    if unit == "sentence":
        starts = _sentence_starts(document)
        removed = len(document.sentences) - len(starts)
        notes += [Note(SENTENCES_JOINED, name)] * removed
    words = [word for sentence in document.sentences for word in sentence]
    lost = _across(document, starts)
    notes += [Note(ACROSS_SENTENCES, name, relation.label, _quote(document, words, relation)) for relation in lost]
    return _cut(document, words, starts, set(lost)), notes


def _sentence_starts(document: AlignedDocument) -> list[int]:
    """The first word of each sentence, except those that start inside an entity."""
    starts = [0, *accumulate(len(sentence) for sentence in document.sentences)][:-1]
    inside: set[int] = set()
    for entity in document.entities:
        inside.update(starts[bisect_right(starts, entity.start) : bisect_right(starts, entity.end - 1)])
    return [start for start in starts if start not in inside]


def _across(document: AlignedDocument, starts: Sequence[int]) -> list[WordRelation]:
    rows = [bisect_right(starts, entity.start) for entity in document.entities]
    return [relation for relation in document.relations if rows[relation.head] != rows[relation.tail]]


def _cut_by_windows(document: AlignedDocument) -> int:
    """About how many relations a document of several windows would lose: those with a window's end between them."""
    if sum(map(len, document.sentences)) <= WINDOW_WORDS:
        return 0
    windows = [entity.start // WINDOW_WORDS for entity in document.entities]
    return sum(windows[relation.head] != windows[relation.tail] for relation in document.relations)


def _cut(document: AlignedDocument, words: Sequence[Span], starts: Sequence[int], lost: set[WordRelation]) -> list[Row]:
    text = document.document.text
    row_of = [bisect_right(starts, entity.start) - 1 for entity in document.entities]
    local: list[int] = []  # each entity's index in its row
    entities: list[list[dict[str, Any]]] = [[] for _ in starts]
    for entity, row in zip(document.entities, row_of, strict=True):
        local.append(len(entities[row]))
        first = starts[row]
        entities[row].append({"type": entity.label, "start": entity.start - first, "end": entity.end - first})
    relations: list[list[dict[str, Any]]] = [[] for _ in starts]
    for relation in document.relations:
        if relation not in lost:
            head, tail = local[relation.head], local[relation.tail]
            relations[row_of[relation.head]].append({"type": relation.label, "head": head, "tail": tail})
    rows = []
    for index, first in enumerate(starts):
        last = starts[index + 1] if index + 1 < len(starts) else len(words)
        begin = words[first][0] if index else 0  # blanks go to the row before them, so that no character is lost
        end = words[last][0] if last < len(words) else len(text)
        name = document.document.doc_id
        rows.append(
            {
                "tokens": [text[start:stop] for start, stop in words[first:last]],
                "entities": entities[index],
                "relations": relations[index],
                "orig_id": f"{name}:{index}" if len(starts) > 1 else name,
                "doc_id": name,
                "sentence_index": index,
                "text": text[begin:end],
                "offsets": [[start - begin, stop - begin] for start, stop in words[first:last]],
            }
        )
    return rows


def _quote(document: AlignedDocument, words: Sequence[Span], relation: WordRelation) -> str:
    ends = []
    for place in (relation.head, relation.tail):
        entity = document.entities[place]
        ends.append(document.document.text[words[entity.start][0] : words[entity.end - 1][1]])
    return f"{ends[0]} –{relation.label}→ {ends[1]}"
