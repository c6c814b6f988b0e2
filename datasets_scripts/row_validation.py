"""Check one row against the Example contract and give it its common form.

Nothing is repaired: a row is either right or refused with the name of the field, its value and what is expected.
`reading.py` adds file and row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from datasets_scripts.types_json import DatasetTypes

_MAX_SHOWN = 80  # characters of an offending value in a message
_MAX_KEYS = 12  # that a message lists
_MAX_INT = 2**63 - 1  # the columns are int64


class BadRowError(ValueError):
    """A row that cannot be used. The message names file, row, field and value, and what to do.

    Attributes:
        file: The file as the user named it.
        row: The row's number, from 0.
        field: The offending field, such as `entities[2].end`.
    """

    def __init__(self, message: str, file: str, row: int, field: str):
        super().__init__(message)
        self.file = file
        self.row = row
        self.field = field


class RepeatedKey(dict[str, Any]):
    """A JSON object in which a key comes twice, of which `json` would silently keep the last."""

    key = ""

    @classmethod
    def check(cls, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """The object of these pairs; one of this class if a key repeats. For `json.loads(object_pairs_hook=…)`.

        >>> RepeatedKey.check([("a", 1), ("b", 2)]), RepeatedKey.check([("a", 1), ("a", 2)]).key
        ({'a': 1, 'b': 2}, 'a')
        """
        content = dict(pairs)
        if len(content) == len(pairs):
            return content
        repeated = cls(content)
        repeated.key = Counter(key for key, _ in pairs).most_common(1)[0][0]
        return repeated


class RowProblem(Exception):
    """What is wrong with a row, before file and row are known: `field` and a sentence about it."""

    def __init__(self, field: str, message: str):
        super().__init__(f"{field} {message}" if field else message)
        self.field = field
        self.message = message

    def renamed(self, prefix: str, name: str) -> RowProblem:
        """Return the same problem with the field's first part called `name`, as another file format calls it."""
        if re.match(rf"{prefix}\b", self.field) is None:
            return self
        return RowProblem(name + self.field[len(prefix) :], self.message)


def show_keys(value: Mapping[str, Any]) -> str:
    """Return the keys of an object as a message quotes them: whole names, sorted, the first twelve.

    >>> show_keys({"text": "", "doc_key": 1})
    'doc_key, text'
    """
    names = sorted(map(str, value))
    shown = ", ".join(show(name)[1:-1] for name in names[:_MAX_KEYS])
    return shown if len(names) <= _MAX_KEYS else f"{shown} and {len(names) - _MAX_KEYS} more"


def show(value: Any) -> str:
    """Return the value as a message quotes it: its repr, cut when long.

    >>> show("a" * 100)[-6:]
    'aaa...'
    """
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."


def parse_example(value: Any, types: DatasetTypes | None, allow_repeated_relations: bool = False) -> dict[str, Any]:
    """Validate a row and return it as an Example; `orig_id` stays away if the row has none, as do other keys.

    Args:
        value: What the file holds for the row.
        types: The labels a row may use; None accepts any, for the split that the labels are collected from.
        allow_repeated_relations: Accept a relation that is stated twice.

    Returns:
        `tokens`, `entities`, `relations`, and `orig_id`, `doc_id`, `sentence_index` where given.

    Raises:
        RowProblem: The first thing that is wrong.

    >>> parse_example({"tokens": ["Oslo"], "entities": [{"type": "Loc", "start": 0, "end": 1}], "orig_id": 7}, None)
    {'tokens': ['Oslo'], 'entities': [{'type': 'Loc', 'start': 0, 'end': 1}], 'relations': [], 'orig_id': '7'}
    """
    if not isinstance(value, dict):
        raise RowProblem("", f"the row is {show(value)}; it must be an object with tokens and entities")
    _refuse_repeated_key(value, "the row")
    tokens = parse_tokens(_required(value, "tokens"), "tokens")
    entity_types, relation_types = (None, None) if types is None else (types.entity_types, types.relation_types)
    entities = _parse_entities(_required(value, "entities"), len(tokens), entity_types)
    relations = _parse_relations(value.get("relations"), len(entities), relation_types)
    if not allow_repeated_relations:
        _refuse_repeated_relations(relations)
    example: dict[str, Any] = {"tokens": tokens, "entities": entities, "relations": relations}
    if value.get("orig_id") is not None:
        example["orig_id"] = _parse_id(value["orig_id"], "orig_id")
    if value.get("doc_id") is not None:
        example["doc_id"] = _parse_id(value["doc_id"], "doc_id")
        # Windows are built from consecutive sentences: without an index their order would be a guess.
        example["sentence_index"] = parse_int(_required(value, "sentence_index"), "sentence_index")
        if not 0 <= example["sentence_index"] <= _MAX_INT:
            raise RowProblem("sentence_index", f"is {show(value['sentence_index'])}; it must be from 0 to 2^63 - 1")
    elif value.get("sentence_index") is not None:
        raise RowProblem("doc_id", f"is missing, but sentence_index is {show(value['sentence_index'])}; give both")
    return example


def _refuse_repeated_key(value: dict[str, Any], field: str = "") -> None:
    if isinstance(value, RepeatedKey):
        raise RowProblem(field, f"has the key {show(value.key)} twice; keep one of them")


def _required(row: dict[str, Any], field: str, prefix: str = "") -> Any:
    if row.get(field) is None:
        raise RowProblem(prefix + field, f"is missing (the keys are {show_keys(row)})")
    return row[field]


def parse_list(value: Any, field: str) -> list[Any]:
    """Return the value if it is a list, else raise RowProblem."""
    if not isinstance(value, list):
        raise RowProblem(field, f"is {show(value)}; it must be a list")
    return value


def parse_int(value: Any, field: str) -> int:
    """Return the value if it is an integer, else raise RowProblem; True and 3.0 are not integers."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise RowProblem(field, f"is {show(value)}; it must be an integer")
    return value


def parse_str(value: Any, field: str) -> str:
    """Return the value if it is a string that can be stored as UTF-8, else raise RowProblem."""
    if not isinstance(value, str):
        raise RowProblem(field, f"is {show(value)}; it must be a string")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:  # JSON can spell a lone surrogate, which no Arrow column takes
        raise RowProblem(field, f"is {show(value)}; half a surrogate pair is not a character") from error
    return value


def parse_tokens(value: Any, field: str) -> list[str]:
    """Return the words of a sentence; raise RowProblem if there are none or one is empty or only spaces."""
    tokens = [parse_str(token, f"{field}[{index}]") for index, token in enumerate(parse_list(value, field))]
    if not tokens:
        raise RowProblem(field, "is []; a sentence needs at least one word")
    for index, token in enumerate(tokens):
        if not token.strip():
            raise RowProblem(f"{field}[{index}]", f"is {show(token)}; a word cannot be empty")
    return tokens


def _parse_id(value: Any, field: str) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):  # SpERT's orig_id is often a number
        return str(value)
    return parse_str(value, field)


def _parse_object(value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RowProblem(field, f"is {show(value)}; it must be an object")
    _refuse_repeated_key(value, field)
    return value


def _parse_label(item: dict[str, Any], field: str, known: Collection[str] | None) -> str:
    label = parse_str(_required(item, "type", f"{field}."), f"{field}.type")
    if not label:
        raise RowProblem(f"{field}.type", "is ''; a label cannot be empty")
    if known is not None and label not in known:
        names = ", ".join(known) if known else "none"
        raise RowProblem(f"{field}.type", f"is {show(label)}, which is not among the known types: {names}")
    return label


def _parse_entities(value: Any, num_tokens: int, known: Collection[str] | None) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = []
    first_with_span: dict[tuple[int, int], int] = {}
    for index, item in enumerate(parse_list(value, "entities")):
        field = f"entities[{index}]"
        item = _parse_object(item, field)
        label = _parse_label(item, field, known)
        start = parse_int(_required(item, "start", f"{field}."), f"{field}.start")
        end = parse_int(_required(item, "end", f"{field}."), f"{field}.end")
        _check_span(start, end, num_tokens, field)
        first = first_with_span.setdefault((start, end), index)
        if first != index:
            # A span has one class in the span classifier: two labels for it would contradict each other.
            other = entities[first]["type"]
            what = "repeats" if other == label else f"is {show(label)} on the span of"
            raise RowProblem(field, f"{what} entities[{first}] ({show(other)}, {start}, {end}); a span has one type")
        entities.append({"type": label, "start": start, "end": end})
    return entities


def _check_span(start: int, end: int, num_tokens: int, field: str) -> None:
    if start < 0:
        raise RowProblem(f"{field}.start", f"is {show(start)}; it must be 0 or more")
    if end > num_tokens:
        raise RowProblem(f"{field}.end", f"is {show(end)}, but the sentence has {num_tokens} words (end is exclusive)")
    if start >= end:
        raise RowProblem(
            f"{field}.start", f"is {show(start)}, not before end {show(end)}; spans are half-open [start, end)"
        )


def _parse_relations(value: Any, num_entities: int, known: Collection[str] | None) -> list[dict[str, Any]]:
    relations = []
    for index, item in enumerate([] if value is None else parse_list(value, "relations")):
        field = f"relations[{index}]"
        item = _parse_object(item, field)
        relation: dict[str, Any] = {"type": _parse_label(item, field, known)}
        for role in ("head", "tail"):
            entity = parse_int(_required(item, role, f"{field}."), f"{field}.{role}")
            if not 0 <= entity < num_entities:
                raise RowProblem(
                    f"{field}.{role}", f"is {show(entity)}, but the row has {num_entities} entities (numbered from 0)"
                )
            relation[role] = entity
        if relation["head"] == relation["tail"]:
            raise RowProblem(f"{field}.tail", f"is {relation['tail']}, the same entity as head; it must be another")
        relations.append(relation)
    return relations


def repeated_relation(relations: list[dict[str, Any]]) -> tuple[int, int] | None:
    """Return the indices of a relation and its first repetition, or None.

    >>> repeated_relation([{"type": "Kill", "head": 0, "tail": 1}, {"type": "Kill", "head": 0, "tail": 1}])
    (0, 1)
    """
    first: dict[tuple[str, int, int], int] = {}
    for index, relation in enumerate(relations):
        earlier = first.setdefault((relation["type"], relation["head"], relation["tail"]), index)
        if earlier != index:
            return earlier, index
    return None


def _refuse_repeated_relations(relations: list[dict[str, Any]]) -> None:
    repeated = repeated_relation(relations)
    if repeated is not None:
        first, again = repeated
        relation = relations[again]
        raise RowProblem(
            f"relations[{again}]",
            f"repeats relations[{first}] ({show(relation['type'])}, head {relation['head']}, tail {relation['tail']}); "
            'remove it, or put "allow_repeated_relations": true into types.json',
        )
