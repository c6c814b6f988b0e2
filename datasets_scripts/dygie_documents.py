"""Documents in the DyGIE form (SciERC): one JSON object per document, spans counted from the document's first word.

    {"doc_key": "report-7", "sentences": [[word, ...], ...],
     "ner": [[[start, end, label], ...], ...], "relations": [[[start, end, start, end, label], ...], ...]}

Both ends of a span are inclusive. Each sentence becomes an Example with half-open spans counted from its own first
word, `doc_id` and `sentence_index`. Penn Treebank brackets (`-LRB-`) become plain brackets, as in
SpERT's sentence files and in raw text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from datasets_scripts.records import Record
from datasets_scripts.row_validation import RowProblem, parse_int, parse_list, parse_str, parse_tokens, show, show_keys
from datasets_scripts.types_json import DatasetTypes

_BRACKETS = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}


def is_document(value: Any) -> bool:
    """Tell a document of several sentences from a row of one.

    >>> is_document({"doc_key": "a", "sentences": [["Hello"]], "ner": [[]]})
    True
    """
    return isinstance(value, dict) and "sentences" in value and "tokens" not in value


def expand_document(record: Record, types: DatasetTypes | None = None) -> list[Record]:
    """Split the record of a document into one record per sentence.

    Args:
        record: A record whose value `is_document`.
        types: The known labels; a label that differs from one of them only in case becomes that one, because SciERC's
            documents write `USED-FOR` where its types file has `Used-for`.

    Returns:
        One record per sentence, in order. A sentence that cannot be converted has its problem set; a document that is
        broken as a whole is one record with a problem.
    """
    try:
        doc_id, sentences, entities, relations = _document_parts(record.value)
    except RowProblem as problem:
        return [replace(record, value=None, problem=problem)]
    records = []
    first_word = 0
    for index, words in enumerate(sentences):
        note = f"document {show(doc_id)}, sentence {index}"
        names = {"tokens": f"sentences[{index}]", "entities": f"ner[{index}]", "relations": f"relations[{index}]"}
        try:
            value = _sentence_row(words, entities[index], relations[index], first_word, index, types)
            value |= {"orig_id": f"{doc_id}:{index}", "doc_id": doc_id, "sentence_index": index}
            records.append(replace(record, value=value, note=note, field_names=names))
        except RowProblem as problem:
            records.append(replace(record, value=None, note=note, problem=problem))
        first_word += len(words)
    return records


def _document_parts(document: dict[str, Any]) -> tuple[str, list[Any], list[Any], list[Any]]:
    """Return id, sentences, entities and relations, each list as long as the sentences."""
    for name in ("doc_key", "ner"):
        if document.get(name) is None:
            raise RowProblem(name, f"is missing (the keys are {show_keys(document)})")
    doc_id = parse_str(document["doc_key"], "doc_key")
    sentences = parse_list(document["sentences"], "sentences")
    if not sentences:
        raise RowProblem("sentences", "is []; a document needs at least one sentence")
    for index, words in enumerate(sentences):
        parse_list(words, f"sentences[{index}]")  # without every length, no later span can be placed
    entities = parse_list(document["ner"], "ner")
    relations = parse_list(document.get("relations", [[]] * len(sentences)), "relations")
    for name, values in (("ner", entities), ("relations", relations)):
        if len(values) != len(sentences):
            raise RowProblem(name, f"has {len(values)} items, but there are {len(sentences)} sentences")
    return doc_id, sentences, entities, relations


def _sentence_row(
    words: list[Any], entities: Any, relations: Any, first_word: int, index: int, types: DatasetTypes | None
) -> dict[str, Any]:
    tokens = [_BRACKETS.get(word, word) for word in parse_tokens(words, f"sentences[{index}]")]
    spans: list[tuple[int, int]] = []
    row: dict[str, Any] = {"tokens": tokens, "entities": [], "relations": []}
    for position, item in enumerate(parse_list(entities, f"ner[{index}]")):
        field = f"ner[{index}][{position}]"
        start, end, label = _parse_item(item, 3, field, "[start, end, label]")
        if not first_word <= start <= end < first_word + len(words):
            raise RowProblem(
                field,
                f"is {show(item)}, but the sentence holds the words {first_word} to {first_word + len(words) - 1} "
                "of the document (both ends are inclusive)",
            )
        spans.append((start, end))
        label = _known_label(label, None if types is None else types.entity_types)
        row["entities"].append({"type": label, "start": start - first_word, "end": end + 1 - first_word})
    for position, item in enumerate(parse_list(relations, f"relations[{index}]")):
        field = f"relations[{index}][{position}]"
        *bounds, label = _parse_item(item, 5, field, "[head start, head end, tail start, tail end, label]")
        head, tail = tuple(bounds[:2]), tuple(bounds[2:])
        for role, span in (("head", head), ("tail", tail)):
            if span not in spans:
                raise RowProblem(
                    field, f"is {show(item)}, but its {role} {list(span)} is not an entity of ner[{index}]"
                )
        label = _known_label(label, None if types is None else types.relation_types)
        row["relations"].append({"type": label, "head": spans.index(head), "tail": spans.index(tail)})
    return row


def _parse_item(item: Any, length: int, field: str, form: str) -> list[Any]:
    """Check an annotation: integers, then a label."""
    if not isinstance(item, list) or len(item) != length:
        raise RowProblem(field, f"is {show(item)}; it must be {form}")
    bounds = [parse_int(value, f"{field}[{position}]") for position, value in enumerate(item[:-1])]
    return [*bounds, parse_str(item[-1], f"{field}[{length - 1}]")]


def _known_label(label: str, known: tuple[str, ...] | None) -> str:
    if known is None or label in known:
        return label
    same = [candidate for candidate in known if candidate.casefold() == label.casefold()]
    return same[0] if len(same) == 1 else label  # an unknown one is reported by the row's validation
