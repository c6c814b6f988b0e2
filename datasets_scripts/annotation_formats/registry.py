"""The formats by name, how a source of an unnamed format is recognised, and reading one as a corpus."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datasets_scripts.annotation_formats import brat_reader, conll, inception_xmi
from datasets_scripts.annotation_formats.brat_writer import write_brat
from datasets_scripts.annotation_formats.csv_table import read_csv
from datasets_scripts.annotation_formats.doccano import read_doccano, write_doccano
from datasets_scripts.annotation_formats.documents import AnnotatedDocument, settle_directions, with_unique_ids
from datasets_scripts.annotation_formats.fitting import Writing
from datasets_scripts.annotation_formats.label_studio import MIN_KEYS, read_label_studio, write_label_studio
from datasets_scripts.annotation_formats.offsets_json import read_offsets, write_offsets
from datasets_scripts.annotation_formats.report import Note
from datasets_scripts.annotation_formats.sources import FormatError, Reading, list_files, read_bytes
from datasets_scripts.annotation_formats.spacy_docbin import read_spacy, write_spacy
from datasets_scripts.annotation_formats.spert_rows import read_dygie, read_spert
from datasets_scripts.types_json import DatasetTypes, read_types

Reader = Callable[[Path, Reading], Iterator[AnnotatedDocument]]
Writer = Callable[[Sequence[AnnotatedDocument], Path, Writing], list[Note]]
_JSON = (".json", ".jsonl")
_SPLIT_OF_NAME = {"train": "train", "dev": "dev", "valid": "dev", "validation": "dev", "val": "dev", "test": "test"}
_JOINED_SPLITS = ("train_dev", "full")  # they repeat what other files hold
_NOT_DATA = ("types.json", "conversion.json", "package.json")
_BY_SUFFIX = {
    **dict.fromkeys(brat_reader.SUFFIXES, "brat"),
    **dict.fromkeys((".conll", ".bio", ".iob", ".iob2", ".bioes"), "conll"),
    ".xmi": "inception",
    ".zip": "inception",
    ".spacy": "spacy",
    ".csv": "csv",
    ".parquet": "spert",
}
_SNIFFED = 1 << 16  # characters of a JSON file that are looked at


@dataclass(frozen=True)
class Format:
    """A format that can be read.

    Attributes:
        name: What the user calls it.
        read: Its reader, of one file; of a whole folder where `takes_folder`.
        suffixes: The endings of its files.
        takes_folder: Whether the reader finds its own files in a folder.
    """

    name: str
    read: Reader
    suffixes: tuple[str, ...]
    takes_folder: bool = False


FORMATS = {
    entry.name: entry
    for entry in (
        Format("brat", brat_reader.read_brat, (".ann", ".txt", ".a1", ".a2"), takes_folder=True),
        Format("label-studio", read_label_studio, _JSON),
        Format("doccano", read_doccano, _JSON),
        Format("inception", inception_xmi.read_inception, (".xmi", ".json", ".zip"), takes_folder=True),
        Format("conll", conll.read_conll, conll.SUFFIXES),
        Format("spacy", read_spacy, (".spacy",)),
        Format("dygie", read_dygie, _JSON),
        Format("spert", read_spert, (*_JSON, ".parquet")),
        Format("offsets", read_offsets, _JSON),
        Format("csv", read_csv, (".csv", ".tsv")),
    )
}
FORMATS_IN = tuple(FORMATS)
WRITERS: dict[str, Writer] = {
    "brat": write_brat,
    "label-studio": write_label_studio,
    "doccano": write_doccano,
    "spacy": write_spacy,
    "offsets": write_offsets,
}
FORMATS_OUT = tuple(WRITERS)


@dataclass(frozen=True)
class Corpus:
    """A source as read.

    Attributes:
        format: The name of its format.
        documents: Its documents, each with an id of its own.
        symmetric: The relation types without direction.
        notes: What reading left out, in addition to the documents' own notes.
        remarks: Sentences about the source as a whole.
    """

    format: str
    documents: tuple[AnnotatedDocument, ...]
    symmetric: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    remarks: tuple[str, ...] = field(default=())


def read_corpus(source: Path, from_: str = "auto", reading: Reading | None = None) -> Corpus:
    """Read every document of a file or folder.

    Args:
        source: The file or folder.
        from_: The name of the format, or "auto" to recognise it.
        reading: How to read.

    Raises:
        ValueError: The format is unknown or not recognised, or (`FormatError`) a file cannot be read.
        FileNotFoundError: There is no such file or folder.
        MissingPackageError: The format needs a package that is not installed.
    """
    reading = reading or Reading()
    if not source.exists():
        raise FileNotFoundError(f"{source} does not exist; name the file or folder with the annotations")
    if from_ == "auto":
        from_ = recognise(source) or ""
        if not from_:
            raise FormatError(source, f"is of no known format; name it with from_ (--from): {', '.join(FORMATS_IN)}")
    if from_ not in FORMATS:
        raise ValueError(f"from_ must be 'auto' or one of {', '.join(FORMATS_IN)}, got {from_!r}")
    entry = FORMATS[from_]
    documents: list[AnnotatedDocument] = []
    remarks: list[str] = []
    if entry.takes_folder:
        documents += entry.read(source, reading)
    else:
        for path in _files(source, entry, remarks):
            split = split_of_name(path.stem)
            documents += (replace(document, split=document.split or split) for document in entry.read(path, reading))
    if not documents:
        raise FormatError(source, f"holds no document in the format {from_}")
    settled, symmetric = settle_directions(with_unique_ids(documents))
    types = types_next_to(source)
    if types is not None:
        symmetric = tuple(sorted({*symmetric, *types.symmetric_relation_types}))
    return Corpus(from_, tuple(settled), symmetric, tuple(reading.notes), tuple(remarks))


def types_next_to(source: Path) -> DatasetTypes | None:
    """What the `types.json` in or next to the source says, if there is one."""
    path = (source if source.is_dir() else source.parent) / "types.json"
    return read_types(path) if path.is_file() else None


def split_of_name(stem: str) -> str | None:
    """The split that a file's name says: its last word.

    >>> split_of_name("news_train"), split_of_name("dev"), split_of_name("validation"), split_of_name("notes")
    ('train', 'dev', 'dev', None)
    """
    return _SPLIT_OF_NAME.get(stem.lower().replace("-", "_").replace(".", "_").rpartition("_")[2])


def _files(source: Path, entry: Format, remarks: list[str]) -> list[Path]:
    """The files of a source: where some are named as splits, those only."""
    if not source.is_dir():
        return [source]
    files = _top_or_all(source, entry.suffixes)
    if not files:
        raise FormatError(source, f"holds no file of the format {entry.name} ({', '.join(entry.suffixes)})")
    joined = [path for path in files if path.stem.lower().endswith(_JOINED_SPLITS)]
    named = [path for path in files if path not in joined and split_of_name(path.stem)]
    if named and len(named) < len(files):
        others = ", ".join(path.name for path in files if path not in named)
        remarks.append(f"left out, since other files are named as splits: {others}")
        return named
    return files


def _top_or_all(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The files of a folder that may be data; those in folders below it only where it has none itself."""
    files = [path for path in list_files(folder, suffixes) if _may_be_data(path)]
    return [path for path in files if path.parent == folder] or files


def _may_be_data(path: Path) -> bool:
    return path.name not in _NOT_DATA and not path.name.endswith("_types.json")


def recognise(source: Path) -> str | None:
    """The format of a file or folder, where its form is plain; else None.

    Names decide where they can, and the keys of the first JSON object otherwise. Nothing is imported for it.
    """
    if source.is_dir():
        found = {recognise(path) for path in _top_or_all(source, {*_BY_SUFFIX, *_JSON, ".tsv"})}
        return found.pop() if len(found) == 1 else None
    suffix = source.suffix.lower()
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if suffix == ".txt" and source.with_suffix(".ann").is_file():
        return "brat"
    if suffix == ".tsv":
        header = read_bytes(source)[:1000].decode("utf-8-sig", "replace").partition("\n")[0]
        if header.startswith("#FORMAT=WebAnno TSV"):
            raise FormatError(source, "is WebAnno TSV, which is not read; export as 'UIMA CAS JSON' or 'UIMA CAS XMI'")
        return "csv" if "text" in header.split("\t") else None
    return recognise_object(_first_object(source)) if suffix in _JSON else None


def _first_object(path: Path) -> Any:
    """The first object of a JSON array or of JSON Lines; None where there is none to be had."""
    with path.open("rb") as file:
        start = file.read(_SNIFFED).decode("utf-8-sig", "ignore").lstrip()
    decoder = json.JSONDecoder()
    try:
        return decoder.raw_decode(start.removeprefix("[").lstrip())[0]
    except (ValueError, RecursionError):
        pass
    try:  # longer than what was looked at
        content = json.loads(read_bytes(path))
    except (ValueError, RecursionError):
        return None
    return content[0] if isinstance(content, list) and content else content


def recognise_object(value: Any) -> str | None:
    """The format that an object belongs to by its keys.

    >>> recognise_object({"tokens": [], "entities": []}), recognise_object({"text": "", "label": []})
    ('spert', 'doccano')
    """
    if not isinstance(value, dict):
        return None
    keys = set(value)
    if "tokens" in keys:
        return "spert"
    if {"sentences", "ner"} <= keys:
        return "dygie"
    if "data" in keys and keys & {"annotations", "predictions"}:
        return "label-studio"
    if keys >= MIN_KEYS:
        return "label-studio"
    if "%FEATURE_STRUCTURES" in keys:
        return "inception"
    if "text" not in keys:
        return None
    entities = value.get("entities")
    if isinstance(entities, list):
        first = entities[0] if entities else {}
        if "Comments" in keys or (isinstance(first, dict) and "start_offset" in first):
            return "doccano"
        return "offsets"
    return "doccano" if isinstance(value.get("label", value.get("labels")), list) else None
