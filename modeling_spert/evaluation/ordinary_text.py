"""What a model claims about ordinary text: `python -m modeling_spert.evaluation.ordinary_text MODEL FILE`.

FILE holds sentences that, as far as is known, state no relation: SpERT's JSON, or a sentence per line. Every relation
found there is taken for invented, so the rates are upper bounds where some sentences do state one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Container, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

from transformers import PreTrainedConfig, PreTrainedTokenizerBase
from transformers.utils import logging

from modeling_spert.decoding_spert import Extraction
from modeling_spert.evaluation.examples import Example
from modeling_spert.evaluation.metrics import score_examples
from modeling_spert.evaluation.predict import extraction_to_example, predict_examples
from modeling_spert.evaluation.sentence_files import read_sentences
from modeling_spert.shared.commands import CommandParser, command

LEAST_SCORE = 0.01  # relations are looked at from here on


def measure_ordinary_text(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Example],
    *,
    wanted_rate: float = 5.0,
    **settings: Any,
) -> dict[str, float | None]:
    """How often the model finds a relation where there is none.

    Args:
        model: A `SpertModel` or `OnnxSpertModel`.
        tokenizer: Its tokenizer.
        rows: Sentences, as `read_sentences` gives them.
        wanted_rate: Relations per 100 sentences.
        **settings: Of `Extractor`, such as `batch_size`.

    Returns:
        `sentences`; `relation_threshold`, the model's; `relations_per_100_sentences`, `sentences_with_a_relation` (in
        percent) and `relations_per_1000_pairs` at that threshold, the last of the ordered pairs of found entities
        whose types a relation of the model's signatures joins (of all, if it has none); `threshold_for_wanted_rate`,
        the least one at which the rate is at most `wanted_rate` (a symmetric relation counts with the score of the
        direction that comes first); `entity_f1` (micro, percent), of the rows that have labels. None where there is
        nothing to count.
    """
    config = model.config
    found = predict_examples(model, tokenizer, rows, **settings)
    invented = sum(len(extraction.relations) for extraction in found)
    joined = joined_types(config)
    fitting = sum(count_fitting_pairs(extraction, joined) for extraction in found)
    low = predict_examples(model, tokenizer, rows, **{**settings, "relation_threshold": LEAST_SCORE})
    scores = [relation.score for extraction in low for relation in extraction.relations]
    labelled = [i for i, row in enumerate(rows) if "entities" in row]
    gold = [{"relations": [], **rows[i]} for i in labelled]
    predicted = [extraction_to_example(rows[i], found[i]) for i in labelled]
    return {
        "sentences": len(rows),
        "relation_threshold": config.relation_threshold,
        "relations_per_100_sentences": _rate(100 * invented, len(rows)),
        "sentences_with_a_relation": _rate(100 * sum(bool(e.relations) for e in found), len(rows)),
        "relations_per_1000_pairs": _rate(1000 * invented, fitting),
        "wanted_rate": wanted_rate,
        "threshold_for_wanted_rate": threshold_for_rate(scores, len(rows), wanted_rate),
        "entity_f1": score_examples(gold, predicted)["ner_f1_micro"] if labelled else None,
    }


def joined_types(config: PreTrainedConfig) -> frozenset[tuple[str, str]] | None:
    """The pairs of head and tail type that a relation of the model's signatures joins; None if it has none."""
    if config.relation_signatures is None:
        return None
    joined = {(head, tail) for head, _, tail in config.relation_signatures}
    turned = {(t, h) for h, label, t in config.relation_signatures if label in config.symmetric_relation_types}
    return frozenset(joined | turned)


def count_fitting_pairs(extraction: Extraction, joined: Container[tuple[str, str]] | None) -> int:
    """The ordered pairs of entities of a sentence whose types some relation joins.

    Args:
        extraction: Of the sentence.
        joined: From `joined_types`; None: any pair fits.

    >>> from modeling_spert.decoding_spert import Entity
    >>> extraction = Extraction((Entity(0, 1, "Peop"), Entity(2, 3, "Loc"), Entity(4, 5, "Loc")))
    >>> count_fitting_pairs(extraction, {("Peop", "Loc")}), count_fitting_pairs(extraction, None)
    (2, 6)
    """
    pairs = permutations(extraction.entities, 2)
    return sum(joined is None or (head.label, tail.label) in joined for head, tail in pairs)


def threshold_for_rate(scores: Sequence[float], num_sentences: int, wanted_rate: float) -> float | None:
    """The least threshold, in hundredths, at which at most `wanted_rate` relations per 100 sentences remain.

    Args:
        scores: Of the relations found, from `LEAST_SCORE` on.
        num_sentences: In which they were found.
        wanted_rate: Relations per 100 sentences.

    Returns:
        None if even 1 leaves more.

    >>> threshold_for_rate([0.3, 0.62, 0.9], num_sentences=100, wanted_rate=1)
    0.63
    """
    for hundredth in range(round(100 * LEAST_SCORE), 101):
        if 100 * sum(score >= hundredth / 100 for score in scores) <= wanted_rate * num_sentences:
            return hundredth / 100
    return None


def _rate(count: float, total: int) -> float | None:
    return count / total if total else None


def format_measures(measures: dict[str, float | None]) -> str:
    """The measures as lines to read."""
    at, wanted = f"at the model's relation threshold {measures['relation_threshold']:g}", measures["wanted_rate"]
    lines = [
        f"Sentences: {measures['sentences']}",
        f"Relations per 100 sentences, {at}: {_shown(measures['relations_per_100_sentences'])}",
        f"Sentences with a relation, in percent: {_shown(measures['sentences_with_a_relation'])}",
        f"Relations per 1,000 pairs whose types fit a relation: {_shown(measures['relations_per_1000_pairs'])}",
        f"Relation threshold for at most {wanted:g} per 100 sentences: "
        f"{_shown(measures['threshold_for_wanted_rate'], 'none up to 1')}",
        f"Entity F1, micro, in percent: {_shown(measures['entity_f1'], 'no labels')}",
    ]
    return "\n".join(lines)


def _shown(value: float | None, absent: str = "none to count") -> str:
    return absent if value is None else f"{value:.2f}"


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Print what a model claims about the sentences of a file."""
    from modeling_spert import SpertModel
    from modeling_spert.training.tokenizer import load_tokenizer

    parser = CommandParser(
        prog="python -m modeling_spert.evaluation.ordinary_text",
        description="Count the relations that a model finds in sentences that state none.",
    )
    parser.add_argument("model", metavar="MODEL", help="model folder, or a repository on the Hub (org/name)")
    parser.add_argument("file", metavar="FILE", type=Path, help="SpERT JSON (.json, .jsonl), or a sentence per line")
    parser.add_argument("--wanted_rate", type=float, default=5.0, help="relations per 100 sentences (default: 5)")
    parser.add_argument("--batch_size", type=int, default=32, help="windows per forward pass (default: 32)")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print the measures as JSON")
    args = parser.parse_args(argv)
    if not args.wanted_rate >= 0:
        parser.error(f"--wanted_rate must be at least 0, got {args.wanted_rate}")
    logging.disable_progress_bar()
    model = SpertModel.from_pretrained(args.model)
    rows = read_sentences(args.file, model.config.segmentation)
    measures = measure_ordinary_text(
        model, load_tokenizer(args.model), rows, wanted_rate=args.wanted_rate, batch_size=args.batch_size
    )
    print(json.dumps(measures) if args.as_json else format_measures(measures))


if __name__ == "__main__":
    sys.exit(main())
