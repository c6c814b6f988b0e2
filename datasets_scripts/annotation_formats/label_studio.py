"""Label Studio's JSON export (tasks with regions and relations), and the same as predictions to correct.

    [{"id": 7, "data": {"text": "…"}, "annotations": [{"result": [
        {"id": "a", "type": "labels", "from_name": "label", "to_name": "text",
         "value": {"start": 0, "end": 7, "text": "Aspirin", "labels": ["Drug"]}},
        {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right", "labels": ["treats"]}]}]}]

Label Studio has counted UTF-16 code units and code points in turn; the quoted text tells which. A region of several
labels is several entities, a relation to the left has its ends exchanged, one in both directions has no direction.
`JSON-MIN` puts the regions next to the text, a record per annotator, without relations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from datasets_scripts.annotation_formats.character_offsets import OffsetMap, Quoted, choose_offsets, fits
from datasets_scripts.annotation_formats.documents import AnnotatedDocument, Entity, Relation
from datasets_scripts.annotation_formats.fitting import Writing, by_split, fit_entities
from datasets_scripts.annotation_formats.json_objects import (
    checked_records,
    parse_doc_id,
    parse_label,
    parse_object,
    parse_objects,
    parse_offset,
    parse_score,
    parse_split,
    read_rows,
)
from datasets_scripts.annotation_formats.report import (
    ATTRIBUTE,
    FOREIGN_ENTITY,
    NO_RELATIONS_KEPT,
    NOT_ANNOTATED,
    OF_RELATION,
    OTHER_ANNOTATOR,
    PREDICTION_READ,
    UNLABELLED_RELATION,
    UTF16_OFFSETS,
    Note,
)
from datasets_scripts.annotation_formats.sources import Reading
from datasets_scripts.row_validation import RowProblem, parse_list, parse_str, show, show_keys

UNLABELLED = "related"
_LABELS = {"labels": "labels", "hypertextlabels": "hypertextlabels"}  # type of a region → key of its labels
TASKS_FILE = "tasks.json"
CONFIGURATION = "labeling_config.xml"
MIN_KEYS = frozenset(("annotation_id", "annotator", "lead_time", "created_at", "updated_at"))  # of each JSON-MIN record


def read_label_studio(source: Path, reading: Reading) -> Iterator[AnnotatedDocument]:
    """The tasks of an export, `JSON` or `JSON-MIN`.

    A task's own annotation is the one marked as ground truth, else the last that was not cancelled. Tasks nobody
    annotated are left out; where there are only predictions in the whole file, those are read.

    Raises:
        FormatError: A task is not of this form, or an offset does not fit its quoted text.
    """
    records = checked_records(source)
    tasks = [record.value for record in records]
    predictions = not any(isinstance(task, dict) and task.get("annotations") for task in tasks)
    key = "predictions" if predictions else "annotations"

    seen: set[str] = set()

    def parse(task: dict[str, Any], name: str, reading: Reading) -> AnnotatedDocument | None:
        if task.keys() >= MIN_KEYS:
            return _read_min_record(task, name, seen, reading)
        return _read_task(task, name, key, reading)

    yield from read_rows(source, reading, parse, records)


def _read_task(task: dict[str, Any], name: str, key: str, reading: Reading) -> AnnotatedDocument | None:
    """The document of a task, from its `key` "annotations" or "predictions"; None where it has none."""
    if "data" not in task:
        raise RowProblem("data", f"is missing (the keys are {show_keys(task)}); export as 'JSON'")
    data = parse_object(task["data"], "data")
    doc_id = parse_doc_id({**task, **data}, name)
    notes: list[Note] = []
    answers = parse_objects(task.get(key) or [], key)
    answer = _best_answer(answers)
    if answer is None:
        reading.notes.append(Note(NOT_ANNOTATED, doc_id))
        return None
    notes += [Note(OTHER_ANNOTATOR, doc_id)] * (len(answers) - 1)
    if key == "predictions":
        notes.append(Note(PREDICTION_READ, doc_id))
    results = parse_objects(answer.get("result", []), f"{key}.result")
    regions = [item for item in results if item.get("type") in _LABELS]
    text, offsets = _find_text(data, regions, reading)
    if offsets.shifts:
        notes.append(Note(UTF16_OFFSETS, doc_id))
    ids: dict[str, list[str]] = {}
    entities = _entities(regions, offsets, ids)
    relations = _relations(doc_id, results, ids, notes)
    notes += _others(doc_id, results)
    return AnnotatedDocument(doc_id, text, tuple(entities), tuple(relations), tuple(notes), split=parse_split(data))


def _read_min_record(record: dict[str, Any], name: str, seen: set[str], reading: Reading) -> AnnotatedDocument | None:
    """The document of a JSON-MIN record; None for a task that an earlier record, a later annotation, has given."""
    doc_id = parse_doc_id(record, name)
    if doc_id in seen:
        reading.notes.append(Note(OTHER_ANNOTATOR, doc_id))
        return None
    seen.add(doc_id)
    results: list[dict[str, Any]] = []
    for tag, values in record.items():
        for value in values if isinstance(values, list) else ():
            if isinstance(value, dict):
                kind = next((kind for kind in _LABELS if _LABELS[kind] in value), tag)
                results.append({"id": f"{tag}-{len(results)}", "from_name": tag, "type": kind, "value": value})
    data = {key: value for key, value in record.items() if isinstance(value, str) and key not in MIN_KEYS}
    task = {"id": record.get("id"), "data": data, "annotations": [{"result": results}]}
    document = _read_task(task, name, "annotations", reading)
    assert document is not None  # it has an annotation
    return replace(document, notes=(*document.notes, Note(NO_RELATIONS_KEPT, doc_id)))


def _best_answer(answers: list[dict[str, Any]]) -> dict[str, Any] | None:
    finished = [answer for answer in answers if not answer.get("was_cancelled")]
    marked = [answer for answer in finished if answer.get("ground_truth")]
    return (marked or finished)[-1] if finished else None


def _find_text(data: dict[str, Any], regions: Sequence[dict[str, Any]], reading: Reading) -> tuple[str, OffsetMap]:
    """The text that was annotated and the counting of its offsets: the field in which every quote is right."""
    texts = {key: parse_str(value, f"data.{key}") for key, value in data.items() if isinstance(value, str)}
    texts.pop("doc_id", None)
    texts.pop("split", None)
    spans = [_quoted(region, index) for index, region in enumerate(regions)]
    names = sorted(texts, key=lambda key: key != "text")
    if len(names) > 1 and names[0] != "text" and not any(span.text for span in spans):
        raise RowProblem("data", f"has several texts ({', '.join(names)}) and no region quotes one; keep one of them")
    for name in names:
        offsets = choose_offsets(texts[name], spans, reading.offset_unit)
        if all(fits(texts[name], span, offsets) for span in spans):
            return texts[name], offsets
    if not names:
        raise RowProblem("data", f"holds no text (the keys are {show_keys(data)})")
    offsets = choose_offsets(texts[names[0]], spans, reading.offset_unit)
    wrong = next(span for span in spans if not fits(texts[names[0]], span, offsets))
    raise RowProblem(
        f"data.{names[0]}",
        f"does not hold {show(wrong.text)} at {wrong.start} to {wrong.end}; was the text changed since",
    )


def _quoted(region: dict[str, Any], index: int) -> Quoted:
    value = parse_object(region.get("value"), f"result[{index}].value")
    where = value
    if isinstance(value.get("globalOffsets"), dict):  # of HyperText, where start and end are inside an element
        where = value["globalOffsets"]
    start = parse_offset(where, "start", f"result[{index}].value")
    end = parse_offset(where, "end", f"result[{index}].value")
    if start > end:
        raise RowProblem(f"result[{index}].value.start", f"is {start}, after end {end}")
    quote = value.get("text")
    return Quoted(start, end, quote if isinstance(quote, str) else None)


def _entities(regions: Sequence[dict[str, Any]], offsets: OffsetMap, ids: dict[str, list[str]]) -> list[Entity]:
    """One entity per region and label; `ids` gets the entities of each region."""
    entities = []
    for index, region in enumerate(regions):
        field = f"result[{index}]"
        span = _quoted(region, index)
        start, end = offsets.position(span.start), offsets.position(span.end)
        assert start is not None and end is not None  # `_find_text` has made sure
        name = str(region.get("id", f"region-{index}"))
        if name in ids:
            raise RowProblem(f"{field}.id", f"is {show(name)}, as an earlier region's; ids must differ")
        labels = parse_list(region["value"].get(_LABELS[region["type"]], []), f"{field}.value.labels")
        ids[name] = []
        for place, label in enumerate(labels):
            entity_id = name if place == 0 else f"{name}/{place}"
            entities.append(
                Entity(
                    entity_id,
                    parse_label(label, f"{field}.value.labels[{place}]"),
                    ((start, end),),
                    parse_score(region),
                )
            )
            ids[name].append(entity_id)
    return entities


def _relations(
    doc_id: str, results: Sequence[dict[str, Any]], ids: dict[str, list[str]], notes: list[Note]
) -> Iterator[Relation]:
    for index, item in enumerate(results):
        if item.get("type") != "relation":
            continue
        field = f"result[{index}]"
        ends = [parse_str(item.get(key), f"{field}.{key}") for key in ("from_id", "to_id")]
        labels = [parse_label(label, f"{field}.labels") for label in parse_list(item.get("labels") or [], field)]
        if not labels:
            labels = [UNLABELLED]
            notes.append(Note(UNLABELLED_RELATION, doc_id))
        direction = item.get("direction", "right")
        if direction not in ("right", "left", "bi"):
            raise RowProblem(f"{field}.direction", f"is {show(direction)}; it must be 'right', 'left' or 'bi'")
        if not all(ids.get(end) for end in ends):
            notes += [Note(OF_RELATION, doc_id, label, f"{ends[0]} –{label}→ {ends[1]}") for label in labels]
            continue
        head, tail = (ids[end][0] for end in (ends[::-1] if direction == "left" else ends))
        for label in labels:
            yield Relation(label, head, tail, both_ways=direction == "bi")


def _others(doc_id: str, results: Sequence[dict[str, Any]]) -> Iterator[Note]:
    """Choices, ratings and texts, of a region or the task; regions that are not spans of text or carry no label."""
    for item in results:
        kind = str(item.get("type"))
        if kind == "relation":
            continue
        if kind in _LABELS:
            if not item["value"].get(_LABELS[kind]):
                yield Note(FOREIGN_ENTITY, doc_id, "", "a region without a label")
        else:
            what = FOREIGN_ENTITY if kind.endswith("labels") else ATTRIBUTE
            yield Note(
                what, doc_id, str(item.get("from_name", kind)), json.dumps(item.get("value"), ensure_ascii=False)
            )


def write_label_studio(documents: Sequence[AnnotatedDocument], folder: Path, writing: Writing) -> list[Note]:
    """Write `tasks.json`, to import, with the annotation as predictions, and the labelling configuration for it.

    A file per split where there are splits. Offsets are code points, as Label Studio counts since 1.5.

    Args:
        documents: What to write.
        folder: Where; it exists and is empty.
        writing: What else is known of the corpus.
    """
    notes: list[Note] = []
    for name, group in by_split(documents, Path(TASKS_FILE).stem).items():
        tasks = []
        for document in group:
            fitted, found = fit_entities(document, contiguous=True)
            notes += found
            tasks.append(_task(fitted, writing.symmetric))
        (folder / f"{name}.json").write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / CONFIGURATION).write_text(_configuration(documents), encoding="utf-8")
    return notes


def _task(document: AnnotatedDocument, symmetric: Sequence[str]) -> dict[str, Any]:
    result: list[dict[str, Any]] = []
    ids = {}
    for number, entity in enumerate(document.entities, start=1):
        ids[entity.id] = f"e{number}"
        quote = document.text[entity.start : entity.end]
        region = {"start": entity.start, "end": entity.end, "text": quote, "labels": [entity.label]}
        item = {"id": f"e{number}", "from_name": "label", "to_name": "text", "type": "labels", "value": region}
        result.append(item if entity.score is None else item | {"score": entity.score})
    for relation in document.relations:
        both = relation.both_ways or relation.label in symmetric
        result.append(
            {
                "type": "relation",
                "from_id": ids[relation.head],
                "to_id": ids[relation.tail],
                "direction": "bi" if both else "right",
                "labels": [relation.label],
            }
        )
    scores = [entity.score for entity in document.entities if entity.score is not None]
    prediction: dict[str, Any] = {"model_version": "spert", "result": result}
    if scores:
        prediction["score"] = sum(scores) / len(scores)
    data = {"text": document.text, "doc_id": document.doc_id}
    if document.split:
        data["split"] = document.split
    return {"data": data, "predictions": [prediction]}


def _configuration(documents: Sequence[AnnotatedDocument]) -> str:
    entities = sorted({entity.label for document in documents for entity in document.entities})
    relations = sorted({relation.label for document in documents for relation in document.relations})
    return "\n".join(
        [
            "<View>",
            "  <Relations>",
            *(f"    <Relation value={quoteattr(label)}/>" for label in relations),
            "  </Relations>",
            '  <Labels name="label" toName="text">',
            *(f"    <Label value={quoteattr(label)}/>" for label in entities),
            "  </Labels>",
            '  <Text name="text" value="$text" granularity="word"/>',
            "</View>",
            "",
        ]
    )
