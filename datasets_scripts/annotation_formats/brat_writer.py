"""Documents → brat's folder: a `.txt` and a `.ann` each, and the `annotation.conf` that makes brat show the types."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from datasets_scripts.annotation_formats.documents import AnnotatedDocument, Entity, Span
from datasets_scripts.annotation_formats.fitting import Writing, fit_entities
from datasets_scripts.annotation_formats.report import RENAMED_LABEL, Note

CONFIGURATION = "annotation.conf"
SYMMETRIC = ", <REL-TYPE>:symmetric"
_NOT_IN_LABEL = re.compile(r"[^\w\-.]+")  # brat takes a blank, a colon or a comma for the end of a type
_LINE_END = re.compile(r"[\r\n]+")
_NOT_IN_NAME = re.compile(r'[\x00-\x1f<>:"|?*\\]')


def write_brat(documents: Sequence[AnnotatedDocument], folder: Path, writing: Writing) -> list[Note]:
    """Write a folder for brat; documents of splits go into one folder a split.

    Relation types without direction are declared symmetric in `annotation.conf`, which `read_brat` understands too.

    Args:
        documents: What to write.
        folder: Where; it exists and is empty.
        writing: What else is known of the corpus.

    Returns:
        What the format could not hold.
    """
    notes: list[Note] = []
    fitted = []
    for document in documents:
        fitted.append(fit_entities(document, contiguous=False))
        notes += fitted[-1][1]
    documents = [document for document, _ in fitted]
    labels = _allowed_labels(documents)
    taken: set[str] = set()
    for document in documents:
        stem = folder / _free_name(document, taken)
        stem.parent.mkdir(parents=True, exist_ok=True)
        _write(stem.with_name(stem.name + ".txt"), document.text)
        _write(stem.with_name(stem.name + ".ann"), "".join(f"{line}\n" for line in _lines(document, labels)))
        notes += [
            Note(RENAMED_LABEL, document.doc_id, label, f"{label!r} is now {labels[label]!r}")
            for label in _labels(document)
            if labels[label] != label
        ]
    _write(folder / CONFIGURATION, _configuration(documents, labels, writing.symmetric))
    return notes


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))  # line ends as they are: brat counts them


def _allowed_labels(documents: Iterable[AnnotatedDocument]) -> dict[str, str]:
    """For each label the one brat can read; no two labels become one."""
    used = {label for document in documents for label in _labels(document)}
    allowed: dict[str, str] = {}
    for label in sorted(used, key=lambda name: (_NOT_IN_LABEL.search(name) is not None, name)):
        name = base = _NOT_IN_LABEL.sub("_", label) or "_"
        count = 1
        while name in allowed.values():
            count += 1
            name = f"{base}_{count}"
        allowed[label] = name
    return allowed


def _labels(document: AnnotatedDocument) -> list[str]:
    return [*(entity.label for entity in document.entities), *(relation.label for relation in document.relations)]


def _free_name(document: AnnotatedDocument, taken: set[str]) -> str:
    """A file name for the document, inside the folder whatever its id says."""
    parts = [_NOT_IN_NAME.sub("_", part)[:100].strip(" .") for part in document.doc_id.split("/")]
    name = base = "/".join(part for part in parts if part) or "document"
    if document.split and base.split("/")[0] != document.split:
        name = base = f"{document.split}/{base}"
    count = 1
    while name.casefold() in taken:
        count += 1
        name = f"{base}-{count}"
    taken.add(name.casefold())
    return name


def _lines(document: AnnotatedDocument, labels: dict[str, str]) -> Iterable[str]:
    ids = {}
    for number, entity in enumerate(document.entities, start=1):
        ids[entity.id] = f"T{number}"
        fragments = list(_within_lines(document.text, entity))
        positions = ";".join(f"{start} {end}" for start, end in fragments)
        quote = " ".join(document.text[start:end] for start, end in fragments)
        yield f"T{number}\t{labels[entity.label]} {positions}\t{quote}"
    for number, relation in enumerate(document.relations, start=1):
        yield f"R{number}\t{labels[relation.label]} Arg1:{ids[relation.head]} Arg2:{ids[relation.tail]}\t"


def _within_lines(text: str, entity: Entity) -> Iterable[Span]:
    """The entity's fragments, cut at line ends: brat draws none across them."""
    for start, end in entity.fragments:
        for match in _LINE_END.finditer(text, start, end):
            if match.start() > start:
                yield start, match.start()
            start = match.end()
        if start < end:
            yield start, end


def _configuration(documents: Iterable[AnnotatedDocument], labels: dict[str, str], symmetric: Collection[str]) -> str:
    entities: set[str] = set()
    relations: set[str] = set()
    for document in documents:
        entities.update(labels[entity.label] for entity in document.entities)
        relations.update(relation.label for relation in document.relations)
    return "\n".join(
        [
            "[entities]",
            *sorted(entities),
            "",
            "[relations]",
            "<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>",
            *(
                f"{labels[label]}\tArg1:<ENTITY>, Arg2:<ENTITY>{SYMMETRIC if label in symmetric else ''}"
                for label in sorted(relations)
            ),
            "",
            "[events]",
            "",
            "[attributes]",
            "",
        ]
    )
