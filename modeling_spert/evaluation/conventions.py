"""The conventions in which joint extraction is scored: one table for reports, cards, curves and benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Convention(NamedTuple):
    """When an item counts as correct.

    Attributes:
        title: As a heading.
        metric: What is scored, in the name of a score.
        remark: The convention, in the name of a score.
        definition: What must be correct.
    """

    title: str
    metric: str
    remark: str
    definition: str

    def score_name(self, average: str) -> str:
        """The name of the F1 of an average, which says the convention.

        >>> CONVENTIONS["rel_strict"].score_name("micro")
        'Relation micro F1 (strict)'
        """
        return f"{self.metric} {average} F1{self.remark}"


# Keys are the prefixes of the scores of `score_examples`.
CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        "ner": Convention("Entities", "NER", "", "the entity type and the span are correct"),
        "rel": Convention(
            "Relations, boundaries",
            "Relation",
            " (boundaries)",
            "the relation type and the spans of both entities are correct (entity types are not considered)",
        ),
        "rel_strict": Convention(
            "Relations, strict",
            "Relation",
            " (strict)",
            "the relation type and both entities, span and entity type, are correct",
        ),
    }
)
