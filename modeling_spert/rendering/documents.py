"""Answers and gold rows → one checked form, `Document`, which everything that draws or exports reads.

Two forms come in. The pipeline's answer: `text`, `entities` with `start` and `end` in characters, `relations`. A row of
SpERT's JSON: `tokens`, `entities` with `start` and `end` in words. Labels are under `label` or `type`; scores are
optional.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Mention:
    """An entity: the characters `[start, end)` of the text."""

    start: int
    end: int
    label: str
    score: float | None = None


@dataclass(frozen=True)
class Link:
    """A relation between two entities, given by their indices."""

    head: int
    tail: int
    label: str
    score: float | None = None


@dataclass(frozen=True)
class Document:
    """A text with its entities and relations."""

    text: str
    entities: tuple[Mention, ...]
    relations: tuple[Link, ...]
    title: str | None = None

    def words_of(self, entity: int) -> str:
        """The characters of an entity."""
        return self.text[self.entities[entity].start : self.entities[entity].end]


def read_documents(answers: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> list[Document]:
    """One answer or row, or several, checked.

    Raises:
        ValueError: Something is not an answer; the message names the answer, the field and the value.
    """
    if isinstance(answers, Mapping):
        return [read_document(answers)]
    if isinstance(answers, str | bytes) or not isinstance(answers, Iterable):
        raise ValueError(f"answers must be an answer or an iterable of answers, got {answers!r:.80}")
    return [read_document(answer, f"answer {index}: ") for index, answer in enumerate(answers)]


def read_document(answer: Mapping[str, Any], place: str = "") -> Document:
    """One answer or row, checked; `place` begins each error message.

    >>> read_document({"tokens": ["In", "Oslo"], "entities": [{"type": "Loc", "start": 1, "end": 2}], "relations": []})
    Document(text='In Oslo', entities=(Mention(start=3, end=7, label='Loc', score=None),), relations=(), title=None)
    """
    if not isinstance(answer, Mapping):
        raise ValueError(f'{place}an answer must be a dict with "text" or "tokens", got {answer!r:.80}')
    text, bounds = _read_text(answer, place)
    entities = _read_list(answer, "entities", place)
    mentions = tuple(_read_mention(entry, bounds, f"{place}entities[{i}]") for i, entry in enumerate(entities))
    relations = _read_list(answer, "relations", place)
    links = tuple(_read_link(entry, len(mentions), f"{place}relations[{i}]") for i, entry in enumerate(relations))
    return Document(text, mentions, links, _read_title(answer))


def _read_text(answer: Mapping[str, Any], place: str) -> tuple[str, Sequence[tuple[int, int]] | int]:
    """The text, and what its spans count in: the number of characters, or the characters of each word."""
    if "text" in answer:
        if not isinstance(answer["text"], str):
            raise ValueError(f"{place}text must be a string, got {answer['text']!r:.80}")
        return answer["text"], len(answer["text"])
    tokens = answer.get("tokens")
    if not isinstance(tokens, list | tuple) or not all(isinstance(token, str) for token in tokens):
        raise ValueError(f'{place}an answer needs "text", a string, or "tokens", a list of strings, got {tokens!r:.80}')
    bounds, end = [], -1
    for token in tokens:
        bounds.append((end + 1, end + 1 + len(token)))
        end = bounds[-1][1]
    return " ".join(tokens), bounds


def _read_list(answer: Mapping[str, Any], field: str, place: str) -> Sequence[Mapping[str, Any]]:
    entries = answer.get(field)
    if entries is None:
        return []
    if not isinstance(entries, list | tuple) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ValueError(f"{place}{field} must be a list of dicts, got {entries!r:.80}")
    return entries


def _read_mention(entry: Mapping[str, Any], bounds: Sequence[tuple[int, int]] | int, place: str) -> Mention:
    length = bounds if isinstance(bounds, int) else len(bounds)
    unit = "characters" if isinstance(bounds, int) else "words"
    start, end = _read_int(entry, "start", place), _read_int(entry, "end", place)
    if not 0 <= start < end <= length:
        limit = f"the text has {length} {unit} (end is exclusive, and a span is not empty)"
        raise ValueError(f"{place}: start and end are {start} and {end}, but {limit}")
    if not isinstance(bounds, int):
        start, end = bounds[start][0], bounds[end - 1][1]
    return Mention(start, end, _read_label(entry, place), _read_score(entry, place))


def _read_link(entry: Mapping[str, Any], num_entities: int, place: str) -> Link:
    head, tail = _read_int(entry, "head", place), _read_int(entry, "tail", place)
    for name, index in (("head", head), ("tail", tail)):
        if not 0 <= index < num_entities:
            raise ValueError(f"{place}.{name} is {index}, but there are {num_entities} entities (counted from 0)")
    return Link(head, tail, _read_label(entry, place), _read_score(entry, place))


def _read_int(entry: Mapping[str, Any], field: str, place: str) -> int:
    value = entry.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{place}.{field} must be an integer, got {value!r:.80}")
    return value


def _read_label(entry: Mapping[str, Any], place: str) -> str:
    label = entry.get("label", entry.get("type"))
    if not isinstance(label, str) or not label:
        raise ValueError(f'{place} needs "label" (or "type"), a string that is not empty, got {label!r:.80}')
    return label


def _read_score(entry: Mapping[str, Any], place: str) -> float | None:
    score = entry.get("score")
    if score is None:
        return None
    if not isinstance(score, int | float) or isinstance(score, bool) or not math.isfinite(score):
        raise ValueError(f"{place}.score must be a finite number or absent, got {score!r:.80}")
    return float(score)


def _read_title(answer: Mapping[str, Any]) -> str | None:
    """What an answer is called, where it says so."""
    for field in ("title", "orig_id", "doc_id", "id"):
        value = answer.get(field)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value)
    return None


# Directional marks change nothing but their neighbours: an invisible character takes their place. Embeddings, overrides
# and isolates can make a text read as another: a visible one does. Then the characters that XML or HTML forbid.
_MARKS = re.compile("[\u061c\u200e\u200f]")
_FORBIDDEN = re.compile("[\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def make_printable(text: str) -> str:
    r"""The text with each character that may not be shown replaced by one that may, so that offsets hold.

    >>> make_printable("a\x00b\u202ec")
    'a␀b�c'
    """
    text = _CONTROLS.sub(lambda match: chr(0x2400 + ord(match[0])), text)
    return _FORBIDDEN.sub("\ufffd", _MARKS.sub("\u2060", text))


def make_document_printable(document: Document) -> Document:
    """The document with each of its strings printable."""
    return Document(
        make_printable(document.text),
        tuple(replace(entity, label=make_printable(entity.label)) for entity in document.entities),
        tuple(replace(relation, label=make_printable(relation.label)) for relation in document.relations),
        None if document.title is None else make_printable(document.title),
    )
