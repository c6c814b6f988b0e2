"""Scores of joint entity and relation extraction as an `evaluate` metric; see README.md next to this file.

It stands alone: `evaluate.load` copies this file and joint_extraction_scores.py, and nothing else is needed. The
loader reads the import lines below one by one as text: one module a line, and no comment after it.
"""

import datasets
import evaluate

from .joint_extraction_scores import score_examples

_DESCRIPTION = """
Precision, recall and F1 of joint entity and relation extraction: entities (ner), relations by boundaries (rel) and \
strict relations (rel_strict); micro, macro and per type.
"""

_INPUTS = """
Args:
    predictions: list of dicts with "entities", a list of {"type", "start", "end"} (words, half-open), and
        "relations", a list of {"type", "head", "tail"} (indices into entities). Other keys ("tokens", "score",
        "orig_id", ...) are ignored.
    references: the annotated rows in the same form and order.
    symmetric_relation_types: relation types without direction, such as ["Compare", "Conjunction"] of SciERC.
    no_overlapping: True drops overlapping entities, and relations whose two spans overlap, on both sides.
    entity_types, relation_types: types that get per-type scores even where they do not occur.

Returns:
    A flat dict, in percent: {ner,rel,rel_strict}_{precision,recall,f1}_{micro,macro}, per type
    {ner,rel,rel_strict}_{precision,recall,f1}/TYPE, and the counts of gold and predicted items,
    {ner,rel,rel_strict}_{support,predicted} and the same with /TYPE.
"""

_CITATION = """\
@inproceedings{eberts-ulges-2020-spert,
  title     = {Span-based Joint Entity and Relation Extraction with Transformer Pre-training},
  author    = {Eberts, Markus and Ulges, Adrian},
  booktitle = {24th European Conference on Artificial Intelligence (ECAI)},
  year      = {2020},
  url       = {https://arxiv.org/abs/1909.07755},
}
"""

_ROW = {
    "entities": datasets.List(
        {"type": datasets.Value("string"), "start": datasets.Value("int64"), "end": datasets.Value("int64")}
    ),
    "relations": datasets.List(
        {"type": datasets.Value("string"), "head": datasets.Value("int64"), "tail": datasets.Value("int64")}
    ),
}


class JointExtraction(evaluate.Metric):
    """Entities, relations by boundaries and strict relations, as SpERT's evaluation counts them."""

    def _info(self):
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": _ROW, "references": _ROW}),
            reference_urls=["https://arxiv.org/abs/1909.07755", "https://github.com/lavis-nlp/spert"],
        )

    # evaluate stores rows as Arrow with the declared features, and a key that is not declared is an error there.
    # Both ways in therefore keep only what is scored, so that rows can be passed as they are in files, with or without
    # tokens, scores and ids, even mixed.

    def add(self, *, prediction=None, reference=None, **kwargs):
        """Add one predicted and one annotated row."""
        super().add(
            prediction=_scored_fields(prediction, "prediction"),
            reference=_scored_fields(reference, "reference"),
            **kwargs,
        )

    def add_batch(self, *, predictions=None, references=None, **kwargs):
        """Add a list of predicted and a list of annotated rows, in the same order."""
        if predictions is None or references is None or len(predictions) != len(references):
            raise ValueError(
                "predictions and references must be lists of the same length, got "
                f"{_length(predictions)} and {_length(references)}"
            )
        super().add_batch(
            predictions=[_scored_fields(row, f"predictions[{i}]") for i, row in enumerate(predictions)],
            references=[_scored_fields(row, f"references[{i}]") for i, row in enumerate(references)],
            **kwargs,
        )

    def _compute(
        self,
        predictions,
        references,
        symmetric_relation_types=(),
        no_overlapping=False,
        entity_types=None,
        relation_types=None,
    ):
        return score_examples(
            references,
            predictions,
            entity_types=entity_types,
            relation_types=relation_types,
            symmetric_relation_types=symmetric_relation_types,
            no_overlapping=no_overlapping,
        )


def _scored_fields(row, where):
    """The part of a row that is scored, or an error that says what is missing."""
    try:
        return {field: [{key: item[key] for key in _ROW[field].feature} for item in row[field]] for field in _ROW}
    except (KeyError, TypeError) as error:
        raise ValueError(
            f'{where} must be {{"entities": [{{"type", "start", "end"}}], "relations": [{{"type", "head", "tail"}}]}}, '
            f"got {row!r:.500} ({type(error).__name__}: {error})"
        ) from error


def _length(rows):
    return "none" if rows is None else len(rows)
