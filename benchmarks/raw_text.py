"""What raw text costs: a test set as strings through the pipeline, against the same set as the corpus's own words.

Method: every row is turned into natural text by the Moses detokenizer (`segmentation_agreement.detokenize`), and the
pipeline splits it again by the rules in the model's configuration. Gold and predicted spans are compared as characters
of that text, by the same scorer. Two counts: as they are, and with one sentence-final period trimmed from gold and
predicted spans alike, since CoNLL04 leaves that period on the last word in about a quarter of its rows ("Texas." is
one word there), which the text does not show. The token input is scored on the same rows.

Usage: python -m benchmarks.raw_text MODEL --dataset conll04 --data_dir data/conll04
Needs: pip install sacremoses
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sacremoses import MosesDetokenizer
from transformers import pipeline

import modeling_spert  # noqa: F401  (registers the pipeline)
from benchmarks.segmentation_agreement import detokenize
from datasets_scripts import load_joint_dataset
from modeling_spert.evaluation.metrics import score_examples
from modeling_spert.shared.commands import command

HEADLINES = ("ner_f1_micro", "rel_f1_micro", "rel_strict_f1_micro")


def to_characters(row: dict[str, Any], ranges: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """A gold row with its entities in characters of the natural text."""
    entities = []
    for entity in row["entities"]:
        inside = [(start, end) for start, end in ranges[entity["start"] : entity["end"]] if start < end]
        entities.append({"type": entity["type"], "start": inside[0][0], "end": inside[-1][1]})
    return {"entities": entities, "relations": row["relations"]}


def answer_to_row(answer: dict[str, Any], starts: str = "start", ends: str = "end") -> dict[str, Any]:
    """A pipeline's answer as a row in characters."""
    entities = [{"type": e["label"], "start": e[starts], "end": e[ends]} for e in answer["entities"]]
    relations = [{"type": r["label"], "head": r["head"], "tail": r["tail"]} for r in answer["relations"]]
    return {"entities": entities, "relations": relations}


def trim_period(row: dict[str, Any], text: str) -> dict[str, Any]:
    """The row with a final period taken off every span that ends the text."""
    entities = [
        {**e, "end": e["end"] - 1} if text[e["end"] - 1] == "." and e["end"] - e["start"] > 1 else e
        for e in row["entities"]
    ]
    return {**row, "entities": entities}


def list_differences(
    texts: Sequence[str], raw: Sequence[dict[str, Any]], tokens: Sequence[dict[str, Any]]
) -> Counter[str]:
    """How the raw-text answers differ from those for the corpus's words, by kind."""
    kinds: Counter[str] = Counter()
    for text, one, two in zip(texts, raw, tokens, strict=True):
        found = {(e["start"], e["end"]): e["type"] for e in one["entities"]}
        wanted = {(e["start"], e["end"]): e["type"] for e in two["entities"]}
        for span in wanted.keys() - found.keys():
            start, end = span
            if (text[end - 1] == "." and (start, end - 1) in found) or (
                text[end:] == "." and (start, end + 1) in found
            ):
                kinds["entity with or without the sentence's period"] += 1
            elif any(start < e and s < end for s, e in found):
                kinds["entity with other borders"] += 1
            else:
                kinds["entity only found in the corpus's words"] += 1
        kinds["entity only found in raw text"] += sum(
            not any(s < end and start < e for s, e in wanted) for start, end in found.keys() - wanted.keys()
        )
        kinds["entity of another type"] += sum(found[span] != wanted[span] for span in found.keys() & wanted.keys())
    return kinds


@command()
def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--dataset", default="conll04")
    parser.add_argument("--data_dir")
    parser.add_argument("--fold", type=int)
    parser.add_argument("--split", default="test")
    parser.add_argument("--json", help="also write the figures to this file")
    args = parser.parse_args()
    data = load_joint_dataset(args.dataset, data_dir=args.data_dir, fold=args.fold)
    rows = list(data.select(args.split))
    extract = pipeline("joint-extraction", model=args.model)
    # Benchmarks whose words were split at hyphens and slashes read naturally only when these are joined again.
    rules = extract.model.config.segmentation or {}
    rejoined = "".join(c for c, name in (("-", "hyphens"), ("/", "slashes")) if rules.get(f"split_{name}") != "never")
    detokenizer = MosesDetokenizer("en")
    prepared = [detokenize(row["tokens"], rejoined, detokenizer) for row in rows]
    texts = [text for text, _ in prepared]
    gold = [to_characters(row, ranges) for row, (_, ranges) in zip(rows, prepared, strict=True)]
    raw = [answer_to_row(answer) for answer in extract(texts)]
    by_tokens = []
    for answer, (_, ranges) in zip(extract([{"tokens": row["tokens"]} for row in rows]), prepared, strict=True):
        words = [{"type": e["label"], "start": e["words"][0], "end": e["words"][1]} for e in answer["entities"]]
        by_tokens.append(to_characters({**answer_to_row(answer), "entities": words}, ranges))
    symmetric = data.symmetric_relation_types
    trimmed = [[trim_period(r, t) for r, t in zip(part, texts, strict=True)] for part in (gold, raw, by_tokens)]
    figures = {
        "corpus words": score_examples(gold, by_tokens, symmetric_relation_types=symmetric),
        "raw text": score_examples(gold, raw, symmetric_relation_types=symmetric),
        "corpus words, period trimmed": score_examples(trimmed[0], trimmed[2], symmetric_relation_types=symmetric),
        "raw text, period trimmed": score_examples(trimmed[0], trimmed[1], symmetric_relation_types=symmetric),
    }
    print(f"{'':30}" + "".join(f"{name:>22}" for name in HEADLINES))
    for name, scores in figures.items():
        print(f"{name:30}" + "".join(f"{scores[key]:22.2f}" for key in HEADLINES))
    print("\nRaw text against the corpus's words:")
    differences = list_differences(texts, raw, by_tokens)
    for kind, count in differences.most_common():
        print(f"{count:6} {kind}")
    if args.json:
        record = {name: {key: scores[key] for key in HEADLINES} for name, scores in figures.items()}
        Path(args.json).write_text(json.dumps({"scores": record, "differences": differences}, indent=1))


if __name__ == "__main__":
    sys.exit(main())
