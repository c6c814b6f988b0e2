"""How a model does besides its score: in other letters, with gold entities, at other thresholds, without relations.

    python -m benchmarks.check_model runs/plus conll04_dev.json --relation_free held_out.json --json

FILE and the relation-free file are SpERT's JSON with labels. Micro F1 in percent, relations strict.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase
from transformers.utils import logging

from modeling_spert import SpertModel
from modeling_spert.analysis import at_thresholds
from modeling_spert.evaluation import extraction_to_example, predict_examples, score_examples
from modeling_spert.evaluation.sentence_files import read_sentences
from modeling_spert.extraction_spert import Extractor
from modeling_spert.inputs_spert import add_given_entities, document_of_tokens
from modeling_spert.shared.commands import CommandParser, command
from modeling_spert.shared.markdown import table
from modeling_spert.training.tokenizer import load_tokenizer

LEAST_SCORE = 0.05
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
Rows = Sequence[dict[str, Any]]


def check_model(
    model: SpertModel, tokenizer: PreTrainedTokenizerBase, rows: Rows, relation_free: Rows | None = None
) -> dict[str, Any]:
    """The checks as plain data.

    Args:
        model: Any SpERT model.
        tokenizer: Its tokenizer.
        rows: With gold entities and relations.
        relation_free: Sentences without relations.

    Returns:
        `as_is`, `small_letters` and `capitals`, each entity and relation F1; `gold_entities`, relation F1 where the
        gold entities are given; `by_threshold`, relation F1 at each threshold; and of the relation-free sentences
        `invented_by_threshold`, relations per 100.
    """
    scored = predict(model, tokenizer, rows, LEAST_SCORE)
    checks: dict[str, Any] = {
        "as_is": f1(rows, predict(model, tokenizer, rows)),
        "small_letters": f1(rows, predict(model, tokenizer, recase(rows, str.lower))),
        "capitals": f1(rows, predict(model, tokenizer, recase(rows, str.upper))),
        "gold_entities": f1(rows, relate_gold_entities(model, tokenizer, rows))["relations"],
        "by_threshold": {str(t): f1(rows, at_thresholds(scored, None, t))["relations"] for t in THRESHOLDS},
    }
    if relation_free:
        found = predict(model, tokenizer, relation_free, LEAST_SCORE)
        counts = {t: sum(len(row["relations"]) for row in at_thresholds(found, None, t)) for t in THRESHOLDS}
        checks["invented_by_threshold"] = {str(t): 100 * count / len(relation_free) for t, count in counts.items()}
    return checks


def predict(
    model: SpertModel, tokenizer: PreTrainedTokenizerBase, rows: Rows, threshold: float | None = None
) -> list[dict[str, Any]]:
    """Predicted Examples, at the model's relation threshold unless another is given."""
    found = predict_examples(model, tokenizer, rows, relation_threshold=threshold)
    return [extraction_to_example(row, extraction) for row, extraction in zip(rows, found, strict=True)]


def relate_gold_entities(model: SpertModel, tokenizer: PreTrainedTokenizerBase, rows: Rows) -> list[dict[str, Any]]:
    """Predicted Examples with the gold entities and the relations that the model finds between them."""
    documents = [
        add_given_entities(
            document_of_tokens([row["tokens"]]),
            [{"start": e["start"], "end": e["end"], "label": e["type"]} for e in row["entities"]],
            in_characters=False,
        )
        for row in rows
    ]
    found = Extractor(model, tokenizer)(documents)
    return [extraction_to_example(row, extraction) for row, (extraction,) in zip(rows, found, strict=True)]


def recase(rows: Rows, change: Callable[[str], str]) -> list[dict[str, Any]]:
    """The rows in other letters.

    >>> recase([{"tokens": ["Ada", "sat"]}], str.upper)
    [{'tokens': ['ADA', 'SAT']}]
    """
    return [{**row, "tokens": [change(word) for word in row["tokens"]]} for row in rows]


def f1(gold: Rows, predicted: Rows) -> dict[str, float]:
    """Entity F1 and strict relation F1."""
    scores = score_examples(gold, predicted)
    return {"entities": scores["ner_f1_micro"], "relations": scores["rel_strict_f1_micro"]}


def format_checks(checks: dict[str, Any]) -> str:
    """Two tables, in Markdown."""
    names = {"as_is": "as it is", "small_letters": "in small letters", "capitals": "in capitals"}
    rows = [[title, *(f"{value:.2f}" for value in checks[name].values())] for name, title in names.items()]
    rows.append(["gold entities given", "", f"{checks['gold_entities']:.2f}"])
    lines = [["relations", *(f"{value:.1f}" for value in checks["by_threshold"].values())]]
    if "invented_by_threshold" in checks:
        values = checks["invented_by_threshold"].values()
        lines.append(["invented per 100 sentences", *(f"{value:.1f}" for value in values)])
    return f"{table(['text', 'entities', 'relations'], rows)}\n\n{table(['threshold', *THRESHOLDS], lines)}"


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Print the checks of a model."""
    parser = CommandParser(
        prog="python -m benchmarks.check_model",
        description=(__doc__ or "").splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="model folder")
    parser.add_argument("file", metavar="FILE", type=Path, help="labelled sentences")
    parser.add_argument("--relation_free", type=Path, help="sentences without relations")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")
    args = parser.parse_args(argv)
    logging.disable_progress_bar()
    model = SpertModel.from_pretrained(args.model)
    free = read_sentences(args.relation_free) if args.relation_free else None
    rows = [{"entities": [], "relations": [], **row} for row in read_sentences(args.file)]
    checks = check_model(model, load_tokenizer(args.model), rows, free)
    print(json.dumps(checks) if args.as_json else format_checks(checks))


if __name__ == "__main__":
    sys.exit(main())
