"""Any annotation in, any out: `convert` to SpERT's form with splits, `convert_out` to the tools that correct it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from datasets_scripts.annotation_formats.alignment import DISCONTINUOUS, AlignedDocument, Discontinuous, align
from datasets_scripts.annotation_formats.character_offsets import OFFSET_UNITS, OffsetUnit
from datasets_scripts.annotation_formats.documents import AnnotatedDocument
from datasets_scripts.annotation_formats.fitting import Writing
from datasets_scripts.annotation_formats.registry import FORMATS_OUT, WRITERS, Corpus, read_corpus, types_next_to
from datasets_scripts.annotation_formats.report import UNREADABLE, ConversionReport, Counts, Note, SplitSize, gather
from datasets_scripts.annotation_formats.sources import OnBad, Reading
from datasets_scripts.annotation_formats.splitting import DEFAULT_FRACTIONS, SPLITS, check_fractions, split_documents
from datasets_scripts.annotation_formats.units import UNITS, Row, Unit, choose_unit, make_rows
from datasets_scripts.annotation_formats.word_cuts import (
    NO_CUTS,
    SPLIT_WORDS,
    Cuts,
    SplitWords,
    choose_cuts,
    describe_cuts,
)
from datasets_scripts.annotation_formats.words import Splitter, splitter_by
from datasets_scripts.staged_folder import staged_folder
from datasets_scripts.types_json import DatasetTypes, render_types

REPORT_FILE = "conversion.json"
TYPES_FILE = "types.json"


@dataclass(frozen=True)
class Converted:
    """A corpus in SpERT's form.

    Attributes:
        rows: The rows of each split that has any.
        types: The labels of all splits.
        report: What became of the source.
        unreadable: A message per document that `on_bad="skip"` left out.
    """

    rows: Mapping[str, Sequence[Row]]
    types: DatasetTypes
    report: ConversionReport
    unreadable: tuple[str, ...] = ()


def convert(
    source: str | os.PathLike[str],
    from_: str,
    output: str | os.PathLike[str],
    *,
    unit: Unit = "auto",
    split: Sequence[float] | None = None,
    seed: int = 0,
    split_words: SplitWords = "never",
    splitter: Splitter | None = None,
    discontinuous: Discontinuous = "widen",
    offset_unit: OffsetUnit = "auto",
    on_bad: OnBad = "raise",
    overwrite: bool = False,
) -> ConversionReport:
    """Convert annotations to a folder to train on: `train.json`, `dev.json`, `test.json` and `types.json`.

    All files are written or none. `conversion.json` next to them is the report.

    Args:
        source: A file or folder.
        from_: One of `FORMATS_IN`, or "auto" to recognise the format.
        output: The folder to write; it must not exist or be empty.
        unit: What a row is: "sentence"; "document", which keeps relations across sentences; or "auto", which counts
            what each would lose and chooses.
        split: The fractions of documents in train, dev and test. Default: the source's own splits where it has any,
            (a dev or test), else 0.8, 0.1, 0.1.
        seed: Of the split.
        split_words: "annotated": words are also cut at hyphens, slashes or before units, everywhere in the data, where
            that makes annotated entities exact; `types.json` keeps the choice for the model. "never": such entities
            are widened to whole words.
        splitter: From a text to the `(start, end)` characters of the words of each sentence. Default: the project's
            segmentation, as the pipeline cuts raw text.
        discontinuous: Whether an entity with gaps is widened over them ("widen") or left out ("drop").
        offset_unit: What offsets count, where "auto" would guess wrong: "code-points" or "utf-16".
        on_bad: "raise" at the first document that cannot be read, or "skip" it and report it.
        overwrite: Replace a folder that an earlier conversion has written.

    Returns:
        The report; `print(report.render())` shows it.

    Raises:
        ValueError: An argument is wrong, or a file cannot be read (`FormatError`; it names file, place and remedy).
        FileNotFoundError: There is no such source.
        FileExistsError: The output holds something.
        MissingPackageError: The format needs the extra `formats`.
    """
    converted = load_annotations(
        source, from_, unit=unit, split=split, seed=seed, split_words=split_words, splitter=splitter,
        discontinuous=discontinuous, offset_unit=offset_unit, on_bad=on_bad,
    )  # fmt: skip
    with staged_folder(Path(output), overwrite, _is_conversion) as folder:
        for name, rows in converted.rows.items():
            _write(folder / f"{name}.json", _render_rows(rows))
        _write(folder / TYPES_FILE, render_types(converted.types))
        _write(folder / REPORT_FILE, json.dumps(converted.report.to_dict(), indent=2, ensure_ascii=False) + "\n")
    return converted.report


def _is_conversion(names: set[str]) -> bool:
    return {TYPES_FILE, REPORT_FILE} <= names <= {TYPES_FILE, REPORT_FILE, *(f"{name}.json" for name in SPLITS)}


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))


def _render_rows(rows: Iterable[Row]) -> str:
    """A JSON array with a row per line."""
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"


def load_annotations(
    source: str | os.PathLike[str],
    from_: str = "auto",
    *,
    unit: Unit = "auto",
    split: Sequence[float] | None = None,
    seed: int = 0,
    split_words: SplitWords = "never",
    splitter: Splitter | None = None,
    discontinuous: Discontinuous = "widen",
    offset_unit: OffsetUnit = "auto",
    on_bad: OnBad = "raise",
) -> Converted:
    """What `convert` would write, in memory; the arguments and errors are its."""
    _check_choice("unit", unit, UNITS)
    _check_choice("split_words", split_words, SPLIT_WORDS)
    _check_choice("discontinuous", discontinuous, DISCONTINUOUS)
    _check_choice("offset_unit", offset_unit, OFFSET_UNITS)
    _check_choice("on_bad", on_bad, get_args(OnBad))
    if split is not None:
        split = check_fractions(split)
    path = Path(source).expanduser()
    corpus = read_corpus(path, from_, Reading(offset_unit, on_bad))
    aligned = [align(document, splitter, discontinuous, corpus.symmetric) for document in corpus.documents]
    cuts, remarks = _cut_words(aligned, split_words, splitter)
    if remarks and split_words == "annotated":
        splitter = splitter_by(cuts)
        aligned = [align(document, splitter, discontinuous, corpus.symmetric) for document in corpus.documents]
    choice = choose_unit(aligned, unit)
    splits, split_reason = _choose_splits(aligned, split, seed)
    rows: dict[str, list[Row]] = {name: [] for name in SPLITS}
    documents: Counter[str] = Counter()
    notes = list(corpus.notes)
    for document, name in zip(aligned, splits, strict=True):
        made, lost = make_rows(document, choice.unit)
        rows[name] += made
        documents[name] += bool(made)
        notes += [*document.document.notes, *document.notes, *lost]
    kept = {name: made for name, made in rows.items() if made}
    if not kept:
        raise ValueError(f"{path} holds no word in any document; there is nothing to convert")
    sizes = {name: _size(made, documents[name]) for name, made in kept.items()}
    report = ConversionReport(
        read=_count_read(corpus, notes),
        kept=Counts(*(sum(size[place] for size in sizes.values()) for place in (0, 2, 3))),
        findings=gather(notes),
        format=corpus.format,
        splits=sizes,
        unit=choice.unit,
        reason=(choice.reason, split_reason, *remarks, *corpus.remarks),
    )
    unreadable = tuple(note.example for note in corpus.notes if note.kind is UNREADABLE)
    return Converted(kept, _types(path, kept, corpus.symmetric, cuts), report, unreadable)


def _cut_words(
    documents: Sequence[AlignedDocument], split_words: SplitWords, splitter: Splitter | None
) -> tuple[Cuts, list[str]]:
    """The cuts inside words that are made, none where the words are not ours; and what the report says of them."""
    if splitter is not None or all(document.document.sentences is not None for document in documents):
        if split_words == "annotated":
            owner = "splitter given" if splitter is not None else "source"
            raise ValueError(f"split_words is 'annotated', but the {owner} has words of its own; leave split_words out")
        return {}, []
    cuts, exact = choose_cuts(documents)
    are_made = split_words == "annotated"
    return cuts if are_made else NO_CUTS, [describe_cuts(cuts, exact, are_made)] if exact else []


def _check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def _choose_splits(
    documents: Sequence[AlignedDocument], fractions: Sequence[float] | None, seed: int
) -> tuple[list[str], str]:
    """The split of each document, and how it was found."""
    own = [document.document.split for document in documents]
    if fractions is None and {"dev", "test"} & set(own):
        return [name or "train" for name in own], "splits: the source's own"
    labels: list[Counter[str]] = []
    for document in documents:
        counts = Counter(f"relation {relation.label}" for relation in document.relations)
        counts.update(f"entity {entity.label}" for entity in document.entities)
        labels.append(counts)
    fractions = fractions or DEFAULT_FRACTIONS
    shares = ", ".join(f"{fraction:g}" for fraction in fractions)
    return split_documents(
        labels, fractions, seed
    ), f"splits: by document, {shares} with seed {seed}, types spread as evenly as they can be"


def _size(rows: Sequence[Row], documents: int) -> SplitSize:
    return SplitSize(
        documents, len(rows), sum(len(row["entities"]) for row in rows), sum(len(row["relations"]) for row in rows)
    )


def _count_read(corpus: Corpus, notes: Iterable[Note]) -> Counts:
    """What the source holds: what its documents hold, and what its reader noted as lost."""
    before = [note for document in corpus.documents for note in document.notes] + list(corpus.notes)
    lost = Counter(note.kind.subject for note in before if note.kind.is_lost)
    return Counts(
        len(corpus.documents) + lost["document"],
        sum(len(document.entities) for document in corpus.documents) + lost["entity"],
        sum(len(document.relations) for document in corpus.documents) + lost["relation"],
    )


def _types(source: Path, rows: Mapping[str, Sequence[Row]], symmetric: Sequence[str], cuts: Cuts) -> DatasetTypes:
    """The labels of all splits: first those of a types file in the source, in its order, then others, sorted."""
    given = types_next_to(source)
    found: dict[str, set[str]] = {
        key: {item["type"] for made in rows.values() for row in made for item in row[key]}
        for key in ("entities", "relations")
    }
    entity_types = _ordered(given.entity_types if given else (), found["entities"])
    relation_types = _ordered(given.relation_types if given else (), found["relations"])
    if not entity_types:
        raise ValueError(f"{source} holds no entity to learn from; annotate some, or name another source")
    return DatasetTypes(
        entity_types,
        relation_types,
        tuple(label for label in relation_types if label in symmetric),
        given.entity_type_names if given else {},
        given.relation_type_names if given else {},
        dataset_name=given.dataset_name if given else None,
        segmentation=cuts or (given.segmentation if given else {}),
    )


def _ordered(given: Sequence[str], found: set[str]) -> tuple[str, ...]:
    return (*given, *sorted(found - set(given)))


def convert_out(
    data: str | os.PathLike[str],
    to: str,
    output: str | os.PathLike[str],
    *,
    from_: str = "auto",
    splitter: Splitter | None = None,
    offset_unit: OffsetUnit = "auto",
    on_bad: OnBad = "raise",
    overwrite: bool = False,
) -> ConversionReport:
    """Convert data to the files of an annotation tool, in a new folder; all are written or none.

    Args:
        data: A folder or file of rows, of predictions, of the pipeline's answers, or of any format that can be read.
        to: One of `FORMATS_OUT`; "label-studio" writes predictions, to correct.
        output: The folder to write; it must not exist or be empty.
        from_: The format of `data`, or "auto" to recognise it.
        splitter: For texts without words of their own, where the format has words (spaCy). Default: the project's.
        offset_unit: What offsets of `data` count, where "auto" would guess wrong.
        on_bad: "raise" at the first document that cannot be read, or "skip" it and report it.
        overwrite: Replace a folder that an earlier call has written, of the same format.

    Returns:
        The report: what the format could not hold is in it.

    Raises:
        ValueError: An argument is wrong, or a file cannot be read.
        FileNotFoundError: There is no such data.
        FileExistsError: The output holds something.
        MissingPackageError: A format needs the extra `formats`.
    """
    _check_choice("to", to, FORMATS_OUT)
    _check_choice("offset_unit", offset_unit, OFFSET_UNITS)
    _check_choice("on_bad", on_bad, get_args(OnBad))
    corpus = read_corpus(Path(data).expanduser(), from_, Reading(offset_unit, on_bad))
    notes = [*corpus.notes, *(note for document in corpus.documents for note in document.notes)]
    target = Path(output)
    with staged_folder(target, overwrite, lambda names: REPORT_FILE in names and _wrote(target, to)) as folder:
        notes += WRITERS[to](corpus.documents, folder, Writing(corpus.symmetric, splitter))
        report = _out_report(corpus, notes)
        content: dict[str, Any] = {"to": to, **report.to_dict()}
        _write(folder / REPORT_FILE, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return report


def _wrote(target: Path, to: str) -> bool:
    """Whether the report in a folder says that it was written for this format."""
    return read_report(target).get("to") == to


def read_report(folder: Path) -> dict[str, Any]:
    """The report of the conversion that wrote a folder, as `to_dict` made it; empty if there is none to be read."""
    try:
        content = json.loads((folder / REPORT_FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _out_report(corpus: Corpus, notes: Sequence[Note]) -> ConversionReport:
    read = _count_read(corpus, notes)
    lost = Counter(note.kind.subject for note in notes if note.kind.is_lost)
    kept = Counts(read.documents - lost["document"], read.entities - lost["entity"], read.relations - lost["relation"])
    return ConversionReport(read, kept, gather(notes), format=corpus.format, reason=corpus.remarks)


def annotated_documents(
    source: str | os.PathLike[str], from_: str = "auto", **options: Any
) -> tuple[AnnotatedDocument, ...]:
    """The documents of a source by character, before anything is fitted to the model's form."""
    return read_corpus(Path(source).expanduser(), from_, Reading(**options)).documents
