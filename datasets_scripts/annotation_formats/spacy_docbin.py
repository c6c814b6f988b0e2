"""spaCy's DocBin (`.spacy`): entities, span groups, and relations in `doc._.rel` as spaCy's relation tutorial has them.

    doc._.rel == {(0, 6): {"treats": 1.0}}      first words of head and tail → probability of each type; ≥ 0.5 holds

First words cannot tell two entities apart that start at the same word, so what `write_spacy` writes holds the relations
a second time, by index into the span group `sc`, in `doc.user_data["relations"]`, which is read first.

A DocBin is compressed MessagePack, without pickles: reading one runs no code of its author. How far it may unpack is
bounded.
"""

from __future__ import annotations

import gc
import warnings
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets_scripts.annotation_formats.documents import AnnotatedDocument, Entity, Relation, Span
from datasets_scripts.annotation_formats.fitting import Writing, by_split, fit_entities, note_directions
from datasets_scripts.annotation_formats.report import (
    ATTRIBUTE,
    CHAIN,
    NORMALISATION,
    OF_RELATION,
    OTHER_LAYER,
    SHARED_START,
    WIDENED,
    Note,
)
from datasets_scripts.annotation_formats.sources import (
    MAX_FILE_BYTES,
    FormatError,
    MissingPackageError,
    Reading,
    read_bytes,
)
from datasets_scripts.annotation_formats.words import words_of

if TYPE_CHECKING:
    from spacy.tokens import Doc

_RELATIONS = ("._.", "rel", None, None)  # where spaCy keeps the extension `doc._.rel`
_OURS = "relations"
_GROUP = "sc"  # the key that spaCy's span categorizer reads
_HOLDS = 0.5


def _spacy(place: Path) -> Any:
    """The module spacy, or an error about the place that needs it."""
    try:
        import spacy.tokens
        import spacy.util
        import spacy.vocab
    except ImportError as error:
        raise MissingPackageError(place, "spacy", "spaCy") from error
    return spacy


def read_spacy(source: Path, reading: Reading) -> Iterator[AnnotatedDocument]:
    """The documents of a `.spacy` file, with spaCy's words; sentences are the file's, if it has any.

    Raises:
        FormatError: The file is not a DocBin.
        MissingPackageError: SpaCy is not installed.
    """
    spacy = _spacy(source)
    content = read_bytes(source)
    _check_size(source, content)
    collecting = gc.isenabled()
    try:
        docs = iter(spacy.tokens.DocBin().from_bytes(content).get_docs(spacy.vocab.Vocab()))
        for place in range(MAX_FILE_BYTES):
            doc = next(docs, None)
            if doc is None:
                return
            yield _read_doc(doc, f"{source.stem}-{place}")
    except Exception as error:  # a damaged file fails anywhere inside spaCy, with whatever that raises
        if isinstance(error, FormatError):
            raise
        message = " ".join(str(error).split())[:100]
        raise FormatError(
            source, f"is not a readable DocBin ({type(error).__name__}: {message}); save it again"
        ) from error
    finally:
        if collecting:
            gc.enable()  # srsly switches it off while it unpacks, and leaves it off when that fails


def _check_size(source: Path, content: bytes) -> None:
    unpacker = zlib.decompressobj()
    size = 0
    try:
        while content:
            size += len(unpacker.decompress(content, 1 << 20))
            content = unpacker.unconsumed_tail
            if size > MAX_FILE_BYTES:
                raise FormatError(source, f"unpacks to more than {MAX_FILE_BYTES} bytes; split it into smaller files")
    except zlib.error as error:
        raise FormatError(source, f"is not a DocBin ({error}); spaCy saves one with DocBin.to_disk") from error


def _read_doc(doc: Doc, default_id: str) -> AnnotatedDocument:
    doc_id = doc.user_data.get("doc_id")
    doc_id = doc_id if isinstance(doc_id, str) and doc_id else default_id
    notes: list[Note] = []
    entities: dict[tuple[str, int, int], Entity] = {}
    places: dict[str, int] = {}  # the first word of each entity
    group: list[str] = []  # the entities of the group `sc`, in its order
    for key, span in _spans(doc, doc_id, notes):
        name = (span.label_, span.start, span.end)
        entity = entities.setdefault(
            name, Entity(f"e{len(entities)}", span.label_, ((span.start_char, span.end_char),))
        )
        places[entity.id] = span.start
        if key == _GROUP:
            group.append(entity.id)
        if span.kb_id_:
            notes.append(Note(NORMALISATION, doc_id, span.label_, span.kb_id_))
    notes += [Note(ATTRIBUTE, doc_id, label) for label, score in doc.cats.items() if score >= _HOLDS]
    relations = _ours(doc, group) if _OURS in doc.user_data else _tutorial(doc, doc_id, places, notes)
    words = tuple((token.idx, token.idx + len(token)) for token in doc if token.text.strip())
    sentences: tuple[tuple[Span, ...], ...] = (words,) if words else ()
    knows = doc.has_annotation("SENT_START")
    if knows:
        cut = [[(word.idx, word.idx + len(word)) for word in sentence if word.text.strip()] for sentence in doc.sents]
        sentences = tuple(tuple(sentence) for sentence in cut if sentence)
    for key in doc.user_data:
        if isinstance(key, tuple) and len(key) == 4 and key[0] == "._." and key[2] is not None:
            notes.append(Note(ATTRIBUTE, doc_id, str(key[1])))
    return AnnotatedDocument(
        doc_id, doc.text, tuple(entities.values()), tuple(relations), tuple(notes), sentences, knows
    )


def _spans(doc: Doc, doc_id: str, notes: list[Note]) -> Iterator[tuple[str, Any]]:
    """Every entity: those of `doc.ents`, then those of the span groups, each with its group."""
    for span in doc.ents:
        yield "", span
    for key, group in doc.spans.items():
        if key.startswith("coref"):
            notes.append(Note(CHAIN, doc_id, key))
            continue
        for span in group:
            if span.label_:
                yield key, span
            else:
                notes.append(Note(OTHER_LAYER, doc_id, key, f"a span without a label: {span.text!r}"))


def _ours(doc: Doc, group: Sequence[str]) -> Iterator[Relation]:
    for head, tail, label in doc.user_data[_OURS]:
        yield Relation(str(label), group[head], group[tail])


def _tutorial(doc: Doc, doc_id: str, places: dict[str, int], notes: list[Note]) -> Iterator[Relation]:
    data: dict[Any, Any] = doc.user_data
    at: dict[int, list[str]] = {}
    for name, place in places.items():
        at.setdefault(place, []).append(name)
    for (head, tail), labels in data.get(_RELATIONS, {}).items():
        for label in [labels] if isinstance(labels, str) else [key for key, score in labels.items() if score >= _HOLDS]:
            if head not in at or tail not in at:
                notes.append(Note(OF_RELATION, doc_id, label, f"{doc[head]} –{label}→ {doc[tail]}"))
                continue
            if len(at[head]) > 1 or len(at[tail]) > 1:
                notes.append(Note(SHARED_START, doc_id, label, f"{doc[head]} –{label}→ {doc[tail]}"))
            yield Relation(label, at[head][0], at[tail][0])


def write_spacy(documents: Sequence[AnnotatedDocument], folder: Path, writing: Writing) -> list[Note]:
    """Write `documents.spacy`, or a file per split.

    `doc.ents` gets the entities that do not overlap, the longest first; `doc.spans["sc"]` gets all.

    Args:
        documents: What to write.
        folder: Where; it exists and is empty.
        writing: What else is known of the corpus.

    Raises:
        MissingPackageError: SpaCy is not installed.
    """
    spacy = _spacy(folder)
    notes: list[Note] = []
    for name, group in by_split(documents, "documents").items():
        vocab = spacy.vocab.Vocab()
        doc_bin = spacy.tokens.DocBin(store_user_data=True)
        for document in group:
            fitted, found = fit_entities(document, contiguous=True)
            notes += [*found, *note_directions(fitted, writing.symmetric)]
            doc_bin.add(_doc(spacy, vocab, fitted, writing, notes))
        doc_bin.to_disk(folder / f"{name}.spacy")
    return notes


def _doc(spacy: Any, vocab: Any, document: AnnotatedDocument, writing: Writing, notes: list[Note]) -> Doc:
    sentences = words_of(document, writing.splitter)
    texts, spaces, starts = _tokens(document.text, sentences)
    doc = spacy.tokens.Doc(vocab, words=texts, spaces=spaces, sent_starts=starts or None)
    assert doc.text == document.text
    words = [(token.idx, token.idx + len(token)) for token in doc]
    spans: list[Any] = []
    ids: dict[str, int] = {}
    for entity in document.entities:
        first = bisect_right(words, entity.start, key=lambda word: word[1])
        after = bisect_left(words, entity.end, key=lambda word: word[0])
        span = spacy.tokens.Span(doc, first, after, label=entity.label)
        if (span.start_char, span.end_char) != (entity.start, entity.end):
            quote = document.text[entity.start : entity.end]
            notes.append(Note(WIDENED, document.doc_id, entity.label, f"{quote!r} is now {span.text!r}"))
        ids[entity.id] = len(spans)
        spans.append(span)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of entities at blanks, which only its own training minds
        doc.set_ents(spacy.util.filter_spans(spans))
    doc.spans[_GROUP] = spans
    relations: dict[tuple[int, int], dict[str, float]] = {}
    for relation in document.relations:
        head, tail = spans[ids[relation.head]], spans[ids[relation.tail]]
        relations.setdefault((head.start, tail.start), {})[relation.label] = 1.0
    doc.user_data["doc_id"] = document.doc_id
    doc.user_data[_RELATIONS] = relations
    doc.user_data[_OURS] = [[ids[item.head], ids[item.tail], item.label] for item in document.relations]
    return doc


def _tokens(text: str, sentences: Sequence[Sequence[Span]]) -> tuple[list[str], list[bool], list[bool]]:
    """Words, whether a blank follows each, and whether it starts a sentence; other gaps are words of their own."""
    texts: list[str] = []
    spaces: list[bool] = []
    starts: list[bool] = []
    position = 0

    def add(word: str, is_start: bool) -> None:
        texts.append(word)
        spaces.append(False)
        starts.append(is_start)

    def add_gap(gap: str) -> None:
        if gap.startswith(" ") and texts:
            spaces[-1] = True
            gap = gap[1:]
        if gap:
            add(gap, not texts)

    for sentence in sentences:
        for place, (start, end) in enumerate(sentence):
            add_gap(text[position:start])
            add(text[start:end], place == 0)
            position = end
    add_gap(text[position:])
    return texts, spaces, starts
