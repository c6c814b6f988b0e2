r"""brat's standoff format: a folder of texts (`.txt`), each with its annotation (`.ann`, or `.a1` and `.a2`).

    T1	Drug 0 7	Aspirin              an entity; `0 4;13 17` where it is discontinuous
    R1	treats Arg1:T1 Arg2:T2	         a relation, from Arg1 to Arg2
    E1	Dosing:T3 Agent:T1 Amount:T4     an event: a trigger and arguments
    *	Equiv T1 T2                      an equivalence
    A1	Negation T2                      an attribute (M1 in old files), `N1` a normalisation, `#1` a note

Offsets count characters; the text that a T line quotes is checked. An event becomes its trigger, an entity, and one
relation per argument, named by the role.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

from datasets_scripts.annotation_formats.character_offsets import Quoted, choose_offsets, without_blanks
from datasets_scripts.annotation_formats.documents import AnnotatedDocument, Entity, Relation, Span
from datasets_scripts.annotation_formats.report import (
    ATTRIBUTE,
    COMMENT,
    EQUIVALENCE,
    EVENT,
    NORMALISATION,
    NOT_ANNOTATED,
    OF_RELATION,
    SHARED_TRIGGER,
    UTF16_OFFSETS,
    Kind,
    Note,
)
from datasets_scripts.annotation_formats.sources import (
    FormatError,
    Reading,
    check_inside,
    list_files,
    read_lines,
    read_text,
)

SUFFIXES = (".ann", ".a1", ".a2")
_SPLIT_FOLDERS = {"train": "train", "dev": "dev", "valid": "dev", "validation": "dev", "val": "dev", "test": "test"}
_FRAGMENT = re.compile(r"(\d+) (\d+)\Z")
_SYMMETRIC = re.compile(r"([^\s<]\S*)\s.*<REL-TYPE>:symmetric")  # a line of [relations] in annotation.conf
_ROLE_NUMBER = re.compile(r"(?<=\D)\d+\Z")  # Theme2 is a second Theme


@dataclass(frozen=True)
class _TextBound:
    """A T line: its fragments as the file counts them, and its number."""

    id: str
    label: str
    fragments: tuple[Span, ...]
    quote: str | None
    line: int


@dataclass
class _Annotation:
    """What the lines of a document say, references not yet resolved: each with its line."""

    bounds: dict[str, _TextBound] = field(default_factory=dict)
    triggers: dict[str, str] = field(default_factory=dict)  # of an event
    arguments: list[tuple[int, str, str, str]] = field(default_factory=list)  # line, role, event, argument
    relations: list[tuple[int, str, str, str]] = field(default_factory=list)  # line, label, head, tail
    equivalences: list[tuple[int, str, list[str]]] = field(default_factory=list)
    relation_ids: set[str] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)


def read_brat(source: Path, reading: Reading) -> Iterator[AnnotatedDocument]:
    """The documents of a folder and the folders in it, or of one `.ann` or `.txt` file, in the order of their names.

    A text without annotation file is not a document: nobody has looked at it; it is counted as lost. The folders
    `train`, `dev` and `test` are splits.

    Raises:
        FormatError: A line is malformed, an offset is wrong, or a text is missing.
    """
    root = source if source.is_dir() else source.parent
    wanted = list_files(source, SUFFIXES) if source.is_dir() else [_annotation_file(source)]
    stems: dict[Path, list[Path]] = {}
    for path in wanted:
        stems.setdefault(path.with_suffix(""), []).append(path)
    if not stems:
        raise FormatError(source, "holds no .ann file; brat keeps one next to each .txt")
    if source.is_dir():
        texts = (path.with_suffix("") for path in list_files(source, (".txt",)))
        lost = (stem.relative_to(root).as_posix() for stem in texts if stem not in stems)
        reading.notes += [Note(NOT_ANNOTATED, doc_id) for doc_id in lost]
    symmetric = _symmetric_types(root / "annotation.conf")
    for stem, files in stems.items():
        try:
            document = _read_document(root, stem, files, reading)
            relations = [
                replace(item, both_ways=item.both_ways or item.label in symmetric) for item in document.relations
            ]
            yield replace(document, relations=tuple(relations))
        except FormatError as error:
            reading.bad(stem.relative_to(root).as_posix(), error)


def _undirect(relations: Iterable[Relation], symmetric: set[str]) -> Iterator[Relation]:
    for relation in relations:
        yield replace(relation, both_ways=relation.both_ways or relation.label in symmetric)


def _symmetric_types(path: Path) -> set[str]:
    """The relation types that a configuration declares symmetric; empty without a configuration."""
    if not path.is_file() or path.is_symlink():
        return set()
    return {match[1] for match in map(_SYMMETRIC.match, read_lines(path)) if match}


def _annotation_file(source: Path) -> Path:
    return source if source.suffix in SUFFIXES else source.with_suffix(".ann")


def _read_document(root: Path, stem: Path, files: list[Path], reading: Reading) -> AnnotatedDocument:
    doc_id = stem.relative_to(root).as_posix()
    text_file = stem.with_name(stem.name + ".txt")
    for path in (text_file, *files):
        if not path.is_file():
            raise FormatError(path, f"is missing; brat keeps a .txt and a .ann of one name ({stem.name})")
        check_inside(path, root)
    text = read_text(text_file, "utf-8")  # a byte order mark is a character to brat
    annotation = _Annotation()
    for path in files:
        for number, line in enumerate(read_lines(path), start=1):
            if line.strip():
                _read_line(annotation, doc_id, path, number, line)
    entities, notes = _place(annotation, doc_id, text, files[0], reading)
    relations = tuple(_resolve(annotation, doc_id, files[0]))
    folder = doc_id.split("/")[0].lower() if "/" in doc_id else ""
    return AnnotatedDocument(
        doc_id, text, entities, relations, (*annotation.notes, *notes), split=_SPLIT_FOLDERS.get(folder)
    )


def _read_line(annotation: _Annotation, doc_id: str, path: Path, number: int, line: str) -> None:
    first, _, rest = line.partition("\t")
    kind = line[0]
    if kind == "T":
        bound = _text_bound(path, number, first, rest)
        if first in annotation.bounds:
            raise FormatError(path, f"{first} is already taken by line {annotation.bounds[first].line}", number)
        annotation.bounds[first] = bound
    elif kind == "R":
        label, ends = _named_parts(path, number, rest, 2)
        annotation.relations.append((number, label, *_ordered_ends(path, number, ends)))
        annotation.relation_ids.add(first)
    elif kind == "E":
        _read_event(annotation, doc_id, path, number, first, rest)
    elif kind == "*":
        label, *members = rest.split()
        if len(members) < 2:
            raise FormatError(path, f"{line!r} needs a type and two or more ids", number)
        annotation.equivalences.append((number, label, members))
    else:
        annotation.notes.append(Note(_other_kind(path, number, kind, first), doc_id, _first_word(rest), line))


def _other_kind(path: Path, number: int, kind: str, first: str) -> Kind:
    kinds = {"A": ATTRIBUTE, "M": ATTRIBUTE, "N": NORMALISATION, "#": COMMENT}
    if kind not in kinds:
        raise FormatError(
            path, f"starts with {first[:20]!r}; brat's lines start with T, R, E, A, M, N, * or # and a tab", number
        )
    return kinds[kind]


def _first_word(rest: str) -> str:
    return rest.split()[0] if rest.split() else ""


def _text_bound(path: Path, number: int, name: str, rest: str) -> _TextBound:
    middle, tab, quote = rest.partition("\t")
    label, _, positions = middle.strip().partition(" ")
    fragments = []
    for part in positions.split(";"):
        match = _FRAGMENT.match(part.strip())
        if match is None or not label:
            raise FormatError(path, f"{name} is {rest[:60]!r}; it must be 'Type start end', a tab, the text", number)
        if len(part) > 40 or int(match[1]) > int(match[2]):
            raise FormatError(path, f"{name} goes from {part[:40]}; start must not be after end", number)
        fragments.append((int(match[1]), int(match[2])))
    ordered = tuple(sorted(fragments))
    if any(before[1] > after[0] for before, after in zip(ordered, ordered[1:], strict=False)):
        raise FormatError(path, f"{name} has fragments that overlap: {positions}", number)
    return _TextBound(name, label, ordered, quote if tab else None, number)


def _named_parts(path: Path, number: int, rest: str, count: int) -> tuple[str, list[tuple[str, str]]]:
    """A label and `name:id` parts."""
    label, *parts = rest.split() or ("",)
    pairs = [(name, value) for name, _, value in (part.partition(":") for part in parts)]
    if len(pairs) != count or not all(name and value for name, value in pairs):
        raise FormatError(path, f"is {rest[:60]!r}; a relation is 'type Arg1:T1 Arg2:T2'", number)
    return label, pairs


def _ordered_ends(path: Path, number: int, ends: list[tuple[str, str]]) -> tuple[str, str]:
    """Head and tail: Arg1 and Arg2 by name, in whatever order; roles of other names as they come."""
    names = [name for name, _ in ends]
    if names == ["Arg2", "Arg1"]:
        ends = ends[::-1]
    return ends[0][1], ends[1][1]


def _read_event(annotation: _Annotation, doc_id: str, path: Path, number: int, name: str, rest: str) -> None:
    parts = [part.partition(":") for part in rest.split()]
    if not parts or not all(role and value for role, _, value in parts):
        raise FormatError(path, f"{name} is {rest[:60]!r}; an event is 'Type:T1 Role:T2 …'", number)
    if name in annotation.triggers:
        raise FormatError(path, f"{name} is already taken by another event", number)
    trigger = parts[0][2]
    kind = SHARED_TRIGGER if trigger in annotation.triggers.values() else EVENT
    annotation.notes.append(Note(kind, doc_id, parts[0][0], rest))
    annotation.triggers[name] = trigger
    for role, _, value in parts[1:]:
        annotation.arguments.append((number, _ROLE_NUMBER.sub("", role), name, value))


def _place(
    annotation: _Annotation, doc_id: str, text: str, path: Path, reading: Reading
) -> tuple[tuple[Entity, ...], list[Note]]:
    """The entities at Python's offsets, each checked against its quote."""
    spans = [
        Quoted(*fragment, bound.quote if len(bound.fragments) == 1 else None)
        for bound in annotation.bounds.values()
        for fragment in bound.fragments
    ]
    offsets = choose_offsets(text, spans, reading.offset_unit)
    entities = []
    for bound in annotation.bounds.values():
        fragments = []
        for start, end in bound.fragments:
            first, after = offsets.position(start), offsets.position(end)
            if first is None or after is None:
                raise FormatError(
                    path, f"{bound.id} ends at {end}, but the text has {len(text)} characters", bound.line
                )
            fragments.append((first, after))
        found = "".join(text[first:after] for first, after in fragments)
        if bound.quote is not None and without_blanks(found) != without_blanks(bound.quote):
            raise FormatError(
                path,
                f"{bound.id} says {bound.quote[:40]!r}, but the text there is {found[:40]!r}; "
                "the text seems to have changed since it was annotated. Restore it, or correct the line",
                bound.line,
            )
        entities.append(Entity(bound.id, bound.label, tuple(fragments)))
    return tuple(entities), [Note(UTF16_OFFSETS, doc_id)] if offsets.shifts else []


def _resolve(annotation: _Annotation, doc_id: str, path: Path) -> Iterator[Relation]:
    """The relations between entities; an event's place is its trigger's."""
    for number, label, head, tail in annotation.relations:
        yield from _relation(annotation, doc_id, path, number, label, head, tail)
    for number, role, event, argument in annotation.arguments:
        yield from _relation(annotation, doc_id, path, number, role, event, argument)
    for number, label, members in annotation.equivalences:
        for head, tail in combinations(members, 2):
            annotation.notes.append(Note(EQUIVALENCE, doc_id, label))
            for relation in _relation(annotation, doc_id, path, number, label, head, tail):
                yield Relation(label, relation.head, relation.tail, both_ways=True)


def _relation(
    annotation: _Annotation, doc_id: str, path: Path, number: int, label: str, head: str, tail: str
) -> Iterator[Relation]:
    ends = []
    for end in (head, tail):
        place = annotation.triggers.get(end, end)
        if place in annotation.bounds:
            ends.append(place)
        elif end in annotation.relation_ids:
            annotation.notes.append(Note(OF_RELATION, doc_id, label, f"{head} –{label}→ {tail}"))
            return
        else:
            raise FormatError(path, f"{label} names {end}, which no line defines", number)
    yield Relation(label, ends[0], ends[1])
