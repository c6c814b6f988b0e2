"""The labels of a data set and the `types.json` file that fixes them (SpERT's form).

    {"entities":  {"Peop": {"short": "Peop", "verbose": "People"}, ...},
     "relations": {"Kill": {"short": "Kill", "verbose": "Kill", "symmetric": false}, ...}}

The order of the keys is the order of the labels. Three optional keys are ours and ignored by SpERT: `name`, the name of
the data set; `allow_repeated_relations`, which accepts rows that state a relation twice (SciERC has three); and
`segmentation`, how the words were cut (settings of `SegmentationRules`), so that a model cuts raw text the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TypeName:
    """How a label is shown: `short` in tables, `verbose` in prose."""

    short: str
    verbose: str


@dataclass(frozen=True)
class DatasetTypes:
    """What a types file says.

    Attributes:
        entity_types: Entity labels in the order of the classifier's rows; at least one.
        relation_types: Relation labels, likewise; empty for entity-only data.
        symmetric_relation_types: The relation types whose direction means nothing.
        entity_type_names: Short and verbose name per entity type.
        relation_type_names: Short and verbose name per relation type.
        dataset_name: The data set's name, if the file holds it.
        allow_repeated_relations: Whether a row may state the same relation twice.
        segmentation: The settings that the words were cut by, as far as they are known.
    """

    entity_types: tuple[str, ...]
    relation_types: tuple[str, ...] = ()
    symmetric_relation_types: tuple[str, ...] = ()
    entity_type_names: Mapping[str, TypeName] = field(default_factory=dict)
    relation_type_names: Mapping[str, TypeName] = field(default_factory=dict)
    dataset_name: str | None = None
    allow_repeated_relations: bool = False
    segmentation: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Give a label without names its own label as both names, and check the labels."""
        if not self.entity_types:
            raise ValueError("entity_types is empty: a data set needs at least one entity type")
        unknown = [label for label in self.symmetric_relation_types if label not in self.relation_types]
        if unknown:
            raise ValueError(f"symmetric_relation_types names {unknown}, not in relation_types {self.relation_types}")
        object.__setattr__(self, "entity_type_names", _complete_names(self.entity_types, self.entity_type_names))
        object.__setattr__(self, "relation_type_names", _complete_names(self.relation_types, self.relation_type_names))


def _complete_names(labels: tuple[str, ...], names: Mapping[str, TypeName]) -> dict[str, TypeName]:
    return {label: names.get(label, TypeName(label, label)) for label in labels}


def read_types(path: Path) -> DatasetTypes:
    """Read a types file.

    Raises:
        ValueError: The file is not JSON or not of SpERT's form; the message names the file and the field.
    """
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"), object_pairs_hook=_object_without_repeats)
    except (
        ValueError,
        RecursionError,
    ) as error:  # malformed JSON and UTF-8 are ValueErrors; brackets may be nested deep
        raise ValueError(f"{path} is not a readable types file: {error}") from error
    try:
        return parse_types(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object, but refuse a key that comes twice: `json` would silently keep the last."""
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice in one object")
    return content


def parse_types(content: Any) -> DatasetTypes:
    """Read the content of a types file.

    >>> parse_types({"entities": {"Peop": {"short": "P", "verbose": "People"}}}).entity_type_names
    {'Peop': TypeName(short='P', verbose='People')}

    Raises:
        ValueError: The content is not of SpERT's form.
    """
    if not isinstance(content, dict) or "entities" not in content:
        raise ValueError('a types file is an object {"entities": {...}, "relations": {...}}; "entities" is missing')
    entities = _label_section(content, "entities")
    relations = _label_section(content, "relations")
    symmetric = tuple(
        label for label in relations if _option(relations[label], "symmetric", bool, False, f"relations.{label}")
    )
    return DatasetTypes(
        entity_types=tuple(entities),
        relation_types=tuple(relations),
        symmetric_relation_types=symmetric,
        entity_type_names={label: _type_name(label, entities[label], "entities") for label in entities},
        relation_type_names={label: _type_name(label, relations[label], "relations") for label in relations},
        dataset_name=_option(content, "name", str, None, "the file"),
        allow_repeated_relations=_option(content, "allow_repeated_relations", bool, False, "the file"),
        segmentation=_option(content, "segmentation", dict, {}, "the file"),
    )


def _label_section(content: dict[str, Any], section: str) -> dict[str, dict[str, Any]]:
    labels = content.get(section, {})
    if not isinstance(labels, dict) or not all(isinstance(options, dict) for options in labels.values()):
        raise ValueError(f'{section} must map each label to an object such as {{"short": ..., "verbose": ...}}')
    if "" in labels:
        raise ValueError(f"{section} holds an empty label")
    return labels


def _type_name(label: str, options: dict[str, Any], section: str) -> TypeName:
    where = f"{section}.{label}"
    return TypeName(_option(options, "short", str, label, where), _option(options, "verbose", str, label, where))


def _option(options: dict[str, Any], key: str, kind: type, default: Any, where: str) -> Any:
    value = options.get(key, default)
    if value is not default and not isinstance(value, kind):
        raise ValueError(f"{where}: {key} must be a {kind.__name__}, got {value!r}")
    return value


def render_types(types: DatasetTypes) -> str:
    """Write a types file's text; `parse_types` reads the same types back.

    >>> types = DatasetTypes(("Peop",), ("Kill",))
    >>> parse_types(json.loads(render_types(types))) == types
    True
    """
    content: dict[str, Any] = {}
    if types.dataset_name is not None:
        content["name"] = types.dataset_name
    if types.allow_repeated_relations:
        content["allow_repeated_relations"] = True
    if types.segmentation:
        content["segmentation"] = dict(types.segmentation)
    content["entities"] = {
        label: {"short": name.short, "verbose": name.verbose} for label, name in types.entity_type_names.items()
    }
    content["relations"] = {
        label: {"short": name.short, "verbose": name.verbose, "symmetric": label in types.symmetric_relation_types}
        for label, name in types.relation_type_names.items()
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
