"""The sentence in a model card's snippet, with the model's own answer: chosen, written to the folder, read again.

It is in `card_example.json`, which no push takes: what the card shows of the data is in the card alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modeling_spert.model_card.label_examples import SENTENCES, data_set_family
from modeling_spert.shared.json_files import read_object
from modeling_spert.shared.links import file_inside

EXAMPLE_FILE = "card_example.json"
AUTO, DATA, NONE = "auto", "data", "none"
_OWN_CORPUS = "demo"  # invented sentences, free to show
_MOST_TRIED = 20  # rows


@dataclass(frozen=True)
class CardExample:
    """A text and what the model finds in it.

    Attributes:
        text: The text.
        origin: Where it is from: "data", "given" or "invented".
        split: The split it is from, if it is from the data.
        lines: What the card's snippet prints for it.
    """

    text: str
    origin: str
    split: str | None
    lines: tuple[str, ...]


def make_example(
    wanted: str,
    extract: Any,
    data_name: str | None = None,
    split: str | None = None,
    gold: Sequence[Mapping[str, Any]] = (),
    predictions: Sequence[Mapping[str, Any]] = (),
) -> CardExample | None:
    """The example for a card.

    Args:
        wanted: "auto", "data", "none", or the text to use. "auto" shows nothing of other people's data: a sentence
            invented for a benchmark, a row of the demo corpus, nothing for other data.
        extract: The joint-extraction pipeline around the model.
        data_name: Of the data set.
        split: What the rows are from.
        gold: Rows to choose from. "data" is the shortest in which the model finds an annotated relation (an annotated
            entity, where no row has a relation) and answers the joined words as it answers the row.
        predictions: One for each.

    Returns:
        None where nothing is to be shown, and where no row will do.
    """
    if wanted == NONE:
        return None
    if wanted not in (AUTO, DATA):
        return CardExample(wanted, "given", None, answer_lines(extract(wanted)))
    if wanted == AUTO and data_name != _OWN_CORPUS:
        invented = SENTENCES.get(data_set_family(data_name))
        return CardExample(invented, "invented", None, answer_lines(extract(invented))) if invented else None
    for index in _shortest_right(gold, predictions)[:_MOST_TRIED]:
        text = join_words(gold[index]["tokens"])
        answer = extract(text)
        if _items(answer["entities"], answer["relations"], "label") == _row_items(predictions[index]):
            return CardExample(text, "data", split, answer_lines(answer))
    return None


def answer_lines(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """What the card's snippet prints of an answer.

    >>> entities = [{"label": "P", "text": "Ada", "score": 0.987}, {"label": "L", "text": "Rome", "score": 0.9}]
    >>> answer_lines({"entities": entities, "relations": [{"label": "in", "head": 0, "tail": 1, "score": 0.5}]})
    ('P Ada 0.99', 'L Rome 0.9', 'in Ada -> Rome 0.5')
    """
    entities = answer["entities"]
    lines = [f"{entity['label']} {entity['text']} {round(entity['score'], 2)}" for entity in entities]
    for relation in answer["relations"]:
        head, tail = (entities[relation[side]]["text"] for side in ("head", "tail"))
        lines.append(f"{relation['label']} {head} -> {tail} {round(relation['score'], 2)}")
    return tuple(lines)


def join_words(tokens: Sequence[str]) -> str:
    """Words as a text, without spaces before closing and after opening marks.

    >>> join_words("Ada ( 36 ) lives in Rome , Italy .".split())
    'Ada (36) lives in Rome, Italy.'
    """
    return re.sub(r"(?<=[(\[]) | (?=[.,;:!?)\]])", "", " ".join(tokens))


def _shortest_right(gold: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> list[int]:
    """Indices of the rows with something right in them, the shortest first."""
    kind = 1 if any(row["relations"] for row in gold) else 0
    right = [
        index
        for index, (row, found) in enumerate(zip(gold, predictions, strict=True))
        if _row_items(row)[kind] & _row_items(found)[kind]
    ]
    return sorted(right, key=lambda index: (len(gold[index]["tokens"]), index))


def _row_items(row: Mapping[str, Any]) -> tuple[set[Any], set[Any]]:
    words = [{**entity, "words": (entity["start"], entity["end"])} for entity in row["entities"]]
    return _items(words, row["relations"], "type")


def _items(
    entities: Sequence[Mapping[str, Any]], relations: Sequence[Mapping[str, Any]], label: str
) -> tuple[set[Any], set[Any]]:
    """Entities and relations as sets that can be compared."""
    spans = [(tuple(entity["words"]), entity[label]) for entity in entities]
    return set(spans), {(spans[r["head"]], spans[r["tail"]], r[label]) for r in relations}


def write_example(folder: Path, example: CardExample | None) -> None:
    """Write the example into a model folder; without one, remove an earlier one."""
    path = folder / EXAMPLE_FILE
    if example is None:
        path.unlink(missing_ok=True)
        return
    path.write_text(json.dumps(asdict(example), indent=1, ensure_ascii=False), encoding="utf-8")


def read_example(folder: Path) -> CardExample | None:
    """The example of a model folder, if it has one.

    Raises:
        ValueError: If its file is malformed.
    """
    path = folder / EXAMPLE_FILE
    content = read_object(path) if file_inside(folder, path) else None
    if content is None:
        return None
    try:
        example = CardExample(content["text"], content["origin"], content["split"], tuple(content["lines"]))
    except (KeyError, TypeError):
        example = None
    strings = (None,) if example is None else (example.text, example.origin, example.split or "", *example.lines)
    if not all(isinstance(value, str) for value in strings) or isinstance(content["lines"], str):
        raise ValueError(f"{path} is malformed: remove it, or make it again with spert card {folder} --example TEXT")
    return example
