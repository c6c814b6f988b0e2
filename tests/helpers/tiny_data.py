"""A data set of a few invented sentences, in SpERT's JSON, for tests that train."""

import json
import random
from pathlib import Path
from typing import Any

NAMES = ["Maria Lund", "Tor Vik", "Ana Sol", "Piet Brand", "Lea Moss"]
HOUSES = ["Harbour Institute", "Norvane Works", "Hill Bank", "Oslo Art House"]
TYPES = {
    "entities": {"Per": {"short": "Per", "verbose": "Person"}, "Org": {"short": "Org", "verbose": "Organisation"}},
    "relations": {
        "runs": {"short": "runs", "verbose": "runs", "symmetric": False},
        "met": {"short": "met", "verbose": "met", "symmetric": True},
    },
}


def build_rows(count: int, seed: int) -> list[dict[str, Any]]:
    """Sentences with two or three entities and one or two relations each."""
    generator = random.Random(seed)
    rows = []
    for number in range(count):
        one, two = generator.sample(NAMES, 2)
        house = generator.choice(HOUSES)
        middle = generator.choice(["met", "and", "spoke with"])
        parts = [(one, "Per"), (middle, None), (two, "Per"), (", who runs", None), (house, "Org"), (".", None)]
        tokens: list[str] = []
        entities = []
        for text, label in parts:
            words = text.replace(",", " ,").split()
            if label:
                entities.append({"type": label, "start": len(tokens), "end": len(tokens) + len(words)})
            tokens += words
        relations = [{"type": "runs", "head": 1, "tail": 2}]
        if middle == "met":
            relations.append({"type": "met", "head": 0, "tail": 1})
        rows.append({"tokens": tokens, "entities": entities, "relations": relations, "orig_id": str(number)})
    return rows


def write_dataset(folder: Path, train: int = 24, dev: int = 6) -> Path:
    """The folder with train.json, dev.json and types.json."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", build_rows(train, 1)), ("dev", build_rows(dev, 2))):
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    (folder / "types.json").write_text(json.dumps(TYPES), encoding="utf-8")
    return folder
