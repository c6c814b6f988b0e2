"""Column files: a word a line, its tag last (BIO, BIOES or BILOU), sentences apart by blank lines.

    -DOCSTART- -X- -X- O          a new document; "# doc_id = x" or "#doc x" names one
    EU   NNP  B-NP  B-ORG
    .    .    O     O

Also the multi-head form that joint extraction papers use for CoNLL04: the index of the word, the word, its tag, and on
the last word of an entity the relations that it is the head of, with the index of the last word of each tail:

    0   Ada    B-Peop   ['N']            [0]
    1   Moss   I-Peop   ['Live_In']      [4]
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets_scripts.annotation_formats.documents import AnnotatedDocument
from datasets_scripts.annotation_formats.sources import FormatError, Reading, read_lines
from datasets_scripts.annotation_formats.word_documents import document_of_rows

SUFFIXES = (".conll", ".bio", ".iob", ".iob2", ".bioes", ".txt", ".tsv")
_NAME = re.compile(r"#\s*(?:newdoc\s+)?(?:doc_id|doc|id)\s*[=:]?\s*(\S.*)\Z")
_TAG = re.compile(r"([BIESLU])-(.+)\Z")
_MAX_LIST = 10_000  # characters of a list in a cell


@dataclass
class _Word:
    """A line: the word, its tag, and the relations that start there (label, index of the tail's last word)."""

    text: str
    tag: str
    line: int
    relations: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class _Document:
    """Sentences of lines."""

    name: str
    sentences: list[list[_Word]] = field(default_factory=lambda: [[]])


def read_conll(source: Path, reading: Reading) -> Iterator[AnnotatedDocument]:
    """The documents of a column file; without document marks, every sentence is one.

    Raises:
        FormatError: A line has another number of columns than those before it, or a malformed tag.
    """
    documents, has_marks = _documents(source)
    for document in documents:
        sentences = [sentence for sentence in document.sentences if sentence]
        groups = [sentences] if has_marks else [[sentence] for sentence in sentences]
        for place, group in enumerate(groups):
            name = document.name if has_marks else f"{source.stem}-{place}"
            if not group:
                continue
            try:
                yield document_of_rows(name, [_row(source, sentence) for sentence in group])
            except FormatError as error:
                reading.bad(name, error)


def _documents(source: Path) -> tuple[list[_Document], bool]:
    documents = [_Document(f"{source.stem}-0")]
    has_marks = False
    columns: int | None = None
    for number, line in enumerate(read_lines(source), start=1):
        cells = line.split("\t") if "\t" in line else line.split()
        # Comments come before a sentence only; "#" may be a word, then with a tag in the last column.
        is_word = bool(documents[-1].sentences[-1]) or (len(cells) == columns and _is_tag(cells[-1]))
        is_comment = line.startswith("#") and not is_word
        match = _NAME.match(line) if is_comment else None
        if line.startswith("-DOCSTART-") or match:
            has_marks = True
            documents.append(_Document(match[1].strip() if match else f"{source.stem}-{len(documents)}"))
        elif not line.strip():
            documents[-1].sentences.append([])
        elif not (is_comment and line.startswith("# ")):
            if columns is not None and len(cells) != columns:
                raise FormatError(source, f"has {len(cells)} columns, the lines before it {columns}", number)
            columns = len(cells)
            documents[-1].sentences[-1].append(_word(source, number, cells))
    return documents, has_marks


def _is_tag(cell: str) -> bool:
    return cell.strip() == "O" or _TAG.match(cell.strip()) is not None


def _word(source: Path, number: int, cells: list[str]) -> _Word:
    if len(cells) == 5 and cells[3].lstrip().startswith("[") and cells[4].lstrip().startswith("["):
        labels, heads = (_list(source, number, cell) for cell in cells[3:])
        if len(labels) != len(heads) or not all(type(head) is int for head in heads):
            raise FormatError(source, f"has relations {cells[3]} and heads {cells[4]}; give as many of each", number)
        relations = [(str(label), head) for label, head in zip(labels, heads, strict=True) if label != "N"]
        return _Word(cells[1], cells[2].strip(), number, relations)
    if len(cells) < 2 or not cells[0].strip():
        raise FormatError(
            source, f"is {' '.join(cells)[:40]!r}; it must be a word, maybe more columns, and a tag", number
        )
    return _Word(cells[0], cells[-1].strip(), number)


def _list(source: Path, number: int, cell: str) -> list[Any]:
    try:
        value = ast.literal_eval(cell.strip()) if len(cell) <= _MAX_LIST else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = None
    if not isinstance(value, list):
        raise FormatError(source, f"has {cell[:40]!r} where a list such as ['N'] must be", number)
    return value


def _row(source: Path, sentence: list[_Word]) -> dict[str, Any]:
    entities: list[dict[str, Any]] = []
    for place, word in enumerate(sentence):
        if word.tag in ("O", "_", "-", ""):
            continue
        match = _TAG.match(word.tag)
        if match is None:
            raise FormatError(source, f"has the tag {word.tag[:40]!r}; tags are O, B-TYPE, I-TYPE and so on", word.line)
        prefix, label = match[1], match[2]
        before = sentence[place - 1].tag if place else "O"
        # IOB1 starts an entity with I after O or another type; B is only for a second of the same type.
        continues = prefix in "IEL" and before[1:] == f"-{label}" and before[0] in "BI"
        if continues and entities and entities[-1]["end"] == place:
            entities[-1]["end"] = place + 1
        else:
            entities.append({"type": label, "start": place, "end": place + 1})
    ends = {entity["end"] - 1: index for index, entity in enumerate(entities)}
    relations = []
    for place, word in enumerate(sentence):
        for label, head in word.relations:
            if place not in ends or head not in ends:
                raise FormatError(
                    source, f"relates word {place} to word {head} ({label}), which must both end an entity", word.line
                )
            relations.append({"type": label, "head": ends[place], "tail": ends[head]})
    return {"tokens": [word.text for word in sentence], "entities": entities, "relations": relations}
