"""How a model of the demo corpus does on plain sentences that its generator did not make.

    python -m benchmarks.plain_sentences runs/demo

No model is trained on the sentences. They are not a blind test: their author had just read the generator's earlier
patterns, and later said, with examples, which kinds of sentences the wider patterns should cover.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from modeling_spert import SpertModel
from modeling_spert.evaluation import extraction_to_example, format_report, predict_examples, score_examples
from modeling_spert.segmentation_spert import segment
from modeling_spert.training.tokenizer import load_tokenizer

FILE = Path(__file__).with_name("data") / "plain_sentences.txt"
_TYPES = {"P": "Person", "O": "Organization", "L": "Location", "W": "Product", "E": "Event"}
_MARK = re.compile(r"\[([^\]|]+)\|([POLWE])\]")


def parse_sentence(line: str) -> dict[str, Any]:
    """A marked sentence as a row of SpERT's JSON.

    >>> row = parse_sentence("[Ada|P] lived in [Rome|L]. => lives_in 0 1")
    >>> row["tokens"], row["entities"][1], row["relations"]
    (['Ada', 'lived', 'in', 'Rome', '.'], {'type': 'Location', 'start': 3, 'end': 4}, \
[{'type': 'lives_in', 'head': 0, 'tail': 1}])
    """
    marked, _, stated = line.partition("=>")
    text, spans, position = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[position : match.start()]
        spans.append((len(text), len(text) + len(match[1]), _TYPES[match[2]]))
        text += match[1]
        position = match.end()
    text = (text + marked[position:]).strip()
    words = [word for sentence in segment(text) for word in sentence]
    entities = []
    for start, end, label in spans:
        inside = [index for index, word in enumerate(words) if word.start < end and start < word.end]
        entities.append({"type": label, "start": inside[0], "end": inside[-1] + 1})
    relations = [relation.split() for relation in stated.split(";") if relation.strip()]
    return {
        "tokens": [word.text for word in words],
        "entities": entities,
        "relations": [{"type": label, "head": int(head), "tail": int(tail)} for label, head, tail in relations],
    }


def read_sentences(path: Path = FILE) -> list[dict[str, Any]]:
    """The rows of a file of marked sentences; lines that begin with # are comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [parse_sentence(line) for line in lines if line.strip() and not line.startswith("#")]


def main(argv: Sequence[str] | None = None) -> None:
    """Print the scores, and each sentence that is not as the gold has it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model", help="model folder")
    parser.add_argument("--file", type=Path, default=FILE, help="marked sentences")
    args = parser.parse_args(argv)
    model, gold = SpertModel.from_pretrained(args.model), read_sentences(args.file)
    config = model.config
    extractions = predict_examples(model, load_tokenizer(args.model), gold)
    found = [extraction_to_example(row, extraction) for row, extraction in zip(gold, extractions, strict=True)]
    scores = score_examples(
        gold,
        found,
        entity_types=config.entity_types,
        relation_types=config.relation_types,
        symmetric_relation_types=config.symmetric_relation_types,
    )
    print(format_report(scores))
    for row, prediction in zip(gold, found, strict=True):
        if _plain(row) != _plain(prediction):
            print(" ".join(row["tokens"]), _plain(row), _plain(prediction), sep="\n    ")


def _plain(row: dict[str, Any]) -> list[str]:
    """Entities and relations as words, in order."""

    def words(entity: dict[str, Any]) -> str:
        return " ".join(row["tokens"][entity["start"] : entity["end"]])

    entities = row["entities"]
    listed = [f"{entity['type']}: {words(entity)}" for entity in entities]
    listed += [f"{words(entities[r['head']])} {r['type']} {words(entities[r['tail']])}" for r in row["relations"]]
    return sorted(listed)


if __name__ == "__main__":
    main()
