"""Sentences from a file that need not be a data set: SpERT's JSON, with or without entities, or plain lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modeling_spert.segmentation_rules_spert import rules_of_settings
from modeling_spert.segmentation_spert import segment
from modeling_spert.shared.json_files import parse_json

_KEPT = ("entities", "relations", "orig_id", "doc_id", "sentence_index")


def read_sentences(path: str | Path, segmentation: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The sentences of a file, in its order.

    A name that ends in `.json` holds a list of rows of SpERT's JSON, `.jsonl` a row per line; any other holds text,
    whose lines are split into sentences and words.

    Args:
        path: The file.
        segmentation: The `segmentation` of a model's configuration: how text is split; default: the usual rules.

    Returns:
        Rows with `tokens`. A row has `entities` only where the file has them: an empty list says that there are none,
        an absent key that nobody has looked.

    Raises:
        ValueError: If the file cannot be read, holds no sentence, or a row is not valid; the message names file, row
            (from 0) and field.
    """
    path = Path(path)
    text = _read_text(path)
    if path.suffix in (".json", ".jsonl"):
        rows = [_check_row(f"{path}, row {index}", row) for index, row in enumerate(_json_rows(path, text))]
    else:
        rules = rules_of_settings(segmentation)
        sentences = (sentence for line in text.splitlines() for sentence in segment(line, rules))
        rows = [{"tokens": [word.text for word in sentence]} for sentence in sentences if sentence]
    if not rows:
        raise ValueError(f"{path} holds no sentence")
    return rows


def _read_text(path: Path) -> str:
    if not path.is_file():
        raise ValueError(f"{path}: {'this is a folder' if path.is_dir() else 'no such file'}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8 ({error.reason} at byte {error.start})") from error
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error


def _json_rows(path: Path, text: str) -> Iterator[Any]:
    if path.suffix == ".jsonl":
        lines = enumerate(text.splitlines(), start=1)
        yield from (parse_json(f"{path}, line {number}", line) for number, line in lines if line.strip())
        return
    rows = parse_json(path, text)
    if not isinstance(rows, list):
        raise ValueError(f"{path} must hold a list of rows, got {type(rows).__name__}")
    yield from rows


def _check_row(place: str, row: Any) -> dict[str, Any]:
    """The row with the keys that are read.

    Raises:
        ValueError: If it is not an object with words, or an entity is not a typed span of them.
    """
    tokens = row.get("tokens") if isinstance(row, dict) else None
    if not isinstance(tokens, list) or not tokens or not all(isinstance(word, str) for word in tokens):
        raise ValueError(f"{place}: tokens must be a list of words, got {tokens!r:.80}")
    for field in ("entities", "relations"):
        if not isinstance(row.get(field, []), list):
            raise ValueError(f"{place}: {field} must be a list, got {row[field]!r:.80}")
    for index, entity in enumerate(row.get("entities", [])):
        if not _is_entity(entity, len(tokens)):
            raise ValueError(
                f"{place}: entities[{index}] must have a type, and start and end with 0 <= start < end <= "
                f"{len(tokens)}, got {entity!r:.80}"
            )
    return {"tokens": tokens, **{key: row[key] for key in _KEPT if row.get(key) is not None}}


def _is_entity(entity: Any, num_words: int) -> bool:
    if not isinstance(entity, dict) or not isinstance(entity.get("type"), str):
        return False
    start, end = entity.get("start"), entity.get("end")
    return type(start) is int and type(end) is int and 0 <= start < end <= num_words
