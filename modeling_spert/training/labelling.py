"""Gold annotation of windows: what the training collator samples from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase
from transformers.utils import logging

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.evaluation.examples import Example, group_documents
from modeling_spert.windows_spert import Window, window_documents

logger = logging.get_logger(__name__)


@dataclass(frozen=True)
class LabelledSentence:
    """A piece of a window with its gold annotation, words counted from the piece's first.

    Attributes:
        row_id: Index of the sentence in the training set: seeds its negatives.
        num_words: Words of the piece.
        entities: (start, end, class), class 1 being the first entity type.
        relations: (head, tail, relation type), indices into `entities`.
        is_annotated: Whether the entities are the gold ones. If not, the span classifier learns nothing here.
    """

    row_id: int
    num_words: int
    entities: tuple[tuple[int, int, int], ...]
    relations: tuple[tuple[int, int, int], ...]
    is_annotated: bool = True


@dataclass(frozen=True)
class LabelledWindow:
    """A window and the annotation of each of its pieces."""

    window: Window
    sentences: tuple[LabelledSentence, ...]


@dataclass(frozen=True)
class LabelMaps:
    """Classes of labels: entity types from 1 (0 is *none*), relation types from 0; and which have no direction."""

    entities: Mapping[str, int]
    relations: Mapping[str, int]
    symmetric: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, entity_types: Sequence[str], relation_types: Sequence[str], symmetric_relation_types: Sequence[str] = ()
    ) -> "LabelMaps":
        """Maps for labels in the order of the classifiers."""
        entities = {label: i + 1 for i, label in enumerate(entity_types)}
        relations = {label: i for i, label in enumerate(relation_types)}
        return cls(entities, relations, frozenset(symmetric_relation_types))

    @classmethod
    def of_config(cls, config: SpertConfig) -> "LabelMaps":
        """Maps for the labels of a model."""
        return cls.of(config.entity_types, config.relation_types, config.symmetric_relation_types)


def label_piece(
    example: Mapping[str, Any], start: int, end: int, row_id: int, maps: LabelMaps
) -> tuple[LabelledSentence, int, int]:
    """The gold annotation inside words `[start, end)` of an example, and how much of it is outside.

    A symmetric relation's head is the entity that starts earlier, as in predictions.

    Returns:
        The labelled piece, and how many entities and relations cross its border (0, 0 for a whole sentence).
    """
    inside: dict[int, int] = {}
    entities: list[tuple[int, int, int]] = []
    for index, entity in enumerate(example["entities"]):
        if start <= entity["start"] and entity["end"] <= end:
            inside[index] = len(entities)
            entities.append((entity["start"] - start, entity["end"] - start, maps.entities[entity["type"]]))
    relations = []
    for relation in example["relations"]:
        if relation["head"] in inside and relation["tail"] in inside:
            head, tail = inside[relation["head"]], inside[relation["tail"]]
            if relation["type"] in maps.symmetric and entities[tail][0] < entities[head][0]:
                head, tail = tail, head
            relations.append((head, tail, maps.relations[relation["type"]]))
    lost = len(example["entities"]) - len(entities), len(example["relations"]) - len(relations)
    is_annotated = example.get("annotated", True)
    return LabelledSentence(row_id, end - start, tuple(entities), tuple(relations), is_annotated), *lost


def window_examples(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, config: SpertConfig
) -> list[tuple[list[int], Window]]:
    """The windows of the examples' documents, each with the row that every piece comes from."""
    groups = group_documents(examples, config.context)
    windows = window_documents(
        tokenizer,
        [[examples[row]["tokens"] for row in rows] for rows in groups],
        [config.max_span_width] * len(groups),
        max_window_length=config.max_window_length,
        context=config.context,
    )
    return [
        ([rows[piece.sentence] for piece in window.pieces], window)
        for rows, of_document in zip(groups, windows, strict=True)
        for window in of_document
    ]


def label_windows(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, config: SpertConfig
) -> list[LabelledWindow]:
    """Windows with the gold annotation of their pieces; annotations that a cut sentence loses are reported."""
    maps = LabelMaps.of_config(config)
    labelled, lost = [], set()
    for rows, window in window_examples(examples, tokenizer, config):
        sentences = []
        for row, piece in zip(rows, window.pieces, strict=True):
            sentence, lost_entities, lost_relations = label_piece(examples[row], piece.start, piece.end, row, maps)
            sentences.append(sentence)
            if lost_entities or lost_relations:
                lost.add(row)
        labelled.append(LabelledWindow(window, tuple(sentences)))
    num_cut_words = sum(item.window.num_cut_words for item in labelled)
    if num_cut_words:
        logger.warning(f"{num_cut_words} words have more subwords than a window: only their first ones are read")
    if lost:
        logger.warning(
            f"{len(lost)} sentences are longer than a window and were cut into overlapping pieces; annotations that "
            f"cross a cut are not trained on (rows {sorted(lost)[:10]})"
        )
    return labelled


def label_whole_sentences(
    examples: Sequence[Example], rows: Sequence[int], tokenizer: PreTrainedTokenizerBase, config: SpertConfig
) -> LabelledWindow | None:
    """One window of consecutive sentences with their annotation; None if they do not fit into one.

    Args:
        examples: The sentences.
        rows: Index of each in the training set.
        tokenizer: Of the model.
        config: Of the model.
    """
    windows = window_documents(
        tokenizer,
        [[example["tokens"] for example in examples]],
        [config.max_span_width],
        max_window_length=config.max_window_length,
        context=config.context,
    )[0]
    if len(windows) != 1:
        return None
    maps = LabelMaps.of_config(config)
    labelled = (label_piece(e, 0, len(e["tokens"]), row, maps)[0] for e, row in zip(examples, rows, strict=True))
    return LabelledWindow(windows[0], tuple(labelled))
