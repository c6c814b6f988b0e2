"""analyse: everything that a report says, as plain data."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from modeling_spert.analysis.calibration import Calibration, calibrate
from modeling_spert.analysis.comparison import Comparison, compare
from modeling_spert.analysis.confusion import Confusion, confuse_entities, confuse_relations
from modeling_spert.analysis.errors import Error, Repeated, find_errors, find_repeated
from modeling_spert.analysis.filtering import Example, at_thresholds, holds_losers, lowest_score
from modeling_spert.analysis.rows import Row, read_rows, read_side
from modeling_spert.analysis.slices import Slice, slice_by_distance, slice_by_length, slice_by_width
from modeling_spert.analysis.sweeps import (
    Sweep,
    SweepPoint,
    Thresholds,
    as_thresholds,
    best_points,
    sweep_entities,
    sweep_relations,
)
from modeling_spert.configuration_spert import check_setting
from modeling_spert.evaluation.metrics import score_examples


@dataclass(frozen=True)
class Analysis:
    """What `analyse` found.

    Attributes:
        names: What the run, the baseline, the data and their rows are called: "model", "baseline", "data", "unit".
        entity_types: Entity labels, in order.
        relation_types: Relation labels, in order.
        entity_threshold: The one chosen; None: the best class wins.
        relation_threshold: The one chosen; None: all relations of the predictions.
        confident: Score from which something spurious is a candidate for a missing annotation.
        rows: Every sentence, gold and predicted.
        scores: Of `score_examples`, in every convention.
        errors: Every error, row by row.
        repeated: Errors on entities that are made more than once, the most frequent first.
        entity_confusion: Gold entity types against predicted ones.
        relation_confusion: The same for relation types.
        entity_sweep: Scores against the entity threshold; None without scores.
        relation_sweep: Scores against the relation threshold, at the chosen entity threshold; None without scores.
        best_entities: At the best entity threshold; None without scores.
        best_relations: At the best relation threshold between these entities; None without scores.
        holds_losers: Whether the predictions hold entities that *none* beat, so that low thresholds mean something.
        entity_calibration: Of the entities that the predictions hold; None without scores.
        relation_calibration: Of the relations between the chosen entities; None without scores.
        by_width: Entities by width.
        by_distance: Relations by the words between head and tail.
        entities_by_length: Entities by length of the sentence.
        relations_by_length: Relations by length of the sentence.
        comparison: With the baseline, if there is one.
    """

    names: Mapping[str, str]
    entity_types: tuple[str, ...]
    relation_types: tuple[str, ...]
    entity_threshold: float | None
    relation_threshold: float | None
    confident: float
    rows: tuple[Row, ...]
    scores: Mapping[str, float]
    errors: tuple[Error, ...]
    repeated: tuple[Repeated, ...]
    entity_confusion: Confusion
    relation_confusion: Confusion
    entity_sweep: Sweep | None
    relation_sweep: Sweep | None
    best_entities: SweepPoint | None
    best_relations: SweepPoint | None
    holds_losers: bool
    entity_calibration: Calibration | None
    relation_calibration: Calibration | None
    by_width: tuple[Slice, ...]
    by_distance: tuple[Slice, ...]
    entities_by_length: tuple[Slice, ...]
    relations_by_length: tuple[Slice, ...]
    comparison: Comparison | None

    @property
    def best_thresholds(self) -> Thresholds:
        """What `best_thresholds` finds on these rows."""
        return as_thresholds(self.best_entities, self.best_relations)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the sentences as plain JSON types; spans as `{"start", "end", "type"}`."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self) if field.name != "rows"}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value


def analyse(
    gold: Sequence[Example],
    predictions: Sequence[Example],
    *,
    entity_types: Sequence[str] = (),
    relation_types: Sequence[str] = (),
    symmetric_relation_types: Collection[str] = (),
    entity_threshold: float | None = None,
    relation_threshold: float | None = None,
    baseline: Sequence[Example] | None = None,
    confident: float = 0.9,
    model_name: str = "model",
    baseline_name: str = "baseline",
    data_name: str = "data",
    unit: str = "sentence",
    seed: int = 0,
) -> Analysis:
    """Score predictions, sort their errors, sweep the thresholds, and compare with another run.

    Args:
        gold: The annotated Examples, with `tokens`.
        predictions: One for each, in the same order, best from `predict_with_scores`, which takes low thresholds: the
            sweeps and the calibration need what is below the chosen ones. Predictions without scores do, too.
        entity_types: Labels, for the order of tables; others that occur follow.
        relation_types: The same for relations.
        symmetric_relation_types: Relation types without direction.
        entity_threshold: What the model is analysed at; None: the best class wins.
        relation_threshold: The same for relations; None: all relations there are. A model's own is
            `model.config.relation_threshold`.
        baseline: The predictions of another run for the same rows, at its thresholds (`at_thresholds`).
        confident: Score from which something spurious may be missing in the annotation.
        model_name: What the report calls the model.
        baseline_name: What it calls the other run.
        data_name: What it calls the data.
        unit: What a row is: "sentence" or "document".
        seed: Of the bootstrap.

    Raises:
        ValueError: The numbers of rows differ, the words of a row differ, or a threshold is not a probability.
    """
    for name, value in (("entity_threshold", entity_threshold), ("relation_threshold", relation_threshold)):
        if value is not None:
            check_setting(name, value)
    _check_rows("predictions", gold, predictions)
    chosen = at_thresholds(predictions, entity_threshold, relation_threshold)
    symmetric = frozenset(symmetric_relation_types)
    rows = read_rows(gold, predictions, chosen, symmetric)
    errors = find_errors(rows, confident)
    comparison = None
    if baseline is not None:
        _check_rows("baseline", gold, baseline)
        others = find_errors(read_rows(gold, baseline, baseline, symmetric), confident)
        comparison = compare(gold, chosen, baseline, errors, others, symmetric, seed, unit)
    scores = score_examples(
        gold,
        chosen,
        entity_types=entity_types,
        relation_types=relation_types,
        symmetric_relation_types=symmetric,
    )
    best_entities, best_relations = best_points(gold, predictions, symmetric)
    calibrations = _calibrations(rows, predictions, entity_threshold, symmetric)
    return Analysis(
        names={"model": model_name, "baseline": baseline_name, "data": data_name, "unit": unit},
        entity_types=tuple(entity_types),
        relation_types=tuple(relation_types),
        entity_threshold=entity_threshold,
        relation_threshold=relation_threshold,
        confident=confident,
        rows=tuple(rows),
        scores=scores,
        errors=tuple(errors),
        repeated=tuple(find_repeated(rows, errors)),
        entity_confusion=confuse_entities(rows, entity_types),
        relation_confusion=confuse_relations(rows, relation_types),
        entity_sweep=sweep_entities(gold, predictions, entity_threshold),
        relation_sweep=sweep_relations(gold, predictions, entity_threshold, relation_threshold, symmetric),
        best_entities=best_entities,
        best_relations=best_relations,
        holds_losers=holds_losers(predictions),
        entity_calibration=calibrations[0],
        relation_calibration=calibrations[1],
        by_width=slice_by_width(gold, chosen),
        by_distance=slice_by_distance(gold, chosen, symmetric),
        entities_by_length=slice_by_length(gold, chosen, symmetric, "ner"),
        relations_by_length=slice_by_length(gold, chosen, symmetric, "rel_strict"),
        comparison=comparison,
    )


def _check_rows(name: str, gold: Sequence[Example], rows: Sequence[Example]) -> None:
    if len(rows) != len(gold):
        raise ValueError(f"{name} must have one row for each of the {len(gold)} gold rows, got {len(rows)}")
    for index, (one, other) in enumerate(zip(gold, rows, strict=True)):
        if "tokens" in other and list(one["tokens"]) != list(other["tokens"]):
            raise ValueError(f"{name}, row {index}: its words are not those of the gold row; are they of other data?")


def _calibrations(
    rows: Sequence[Row], predictions: Sequence[Example], entity_threshold: float | None, symmetric: Collection[str]
) -> tuple[Calibration | None, Calibration | None]:
    """Of all entities that have scores; of all relations between the entities that the threshold lets through."""
    entities = relations = None
    if lowest_score(e for row in predictions for e in row["entities"]) is not None:
        entities = calibrate(
            (score, span in row.gold.entities) for row in rows for span, score in row.low.entities.items()
        )
    if lowest_score(r for row in predictions for r in row["relations"]) is not None:
        sides = [read_side(row, symmetric) for row in at_thresholds(predictions, entity_threshold)]
        relations = calibrate(
            (score, pair in row.gold.relations)
            for row, side in zip(rows, sides, strict=True)
            for pair, score in side.relations.items()
        )
    return entities, relations
