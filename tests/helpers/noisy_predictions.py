"""Predictions made from gold rows by chance: some right, some wrong in each way, with scores."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

ENTITY_ERRORS = ("word_more", "word_less", "type", "missed", "spurious")


def corrupt(
    rows: Sequence[Mapping[str, Any]], seed: int, rate: float = 0.15, scores: bool = True
) -> list[dict[str, Any]]:
    """A prediction for each row: every entity and relation is spoilt with probability `rate`.

    Args:
        rows: Gold Examples.
        seed: The same seed gives the same predictions.
        rate: Of errors; 0 returns gold.
        scores: Whether there are scores, and entities marked as losers.
    """
    generator = random.Random(seed)
    types = sorted({entity["type"] for row in rows for entity in row["entities"]})
    labels = sorted({relation["type"] for row in rows for relation in row["relations"]})
    return [_corrupt_row(row, generator, rate, scores, types, labels) for row in rows]


def _corrupt_row(row, generator, rate, scores, types, labels):
    words = len(row["tokens"])
    entities, place = [], {}
    for index, entity in enumerate(row["entities"]):
        spoilt = dict(entity)
        if generator.random() < rate:
            kind = generator.choice(ENTITY_ERRORS)
            if kind == "missed":
                continue
            if kind == "word_more":
                spoilt["end"] = min(spoilt["end"] + 1, words)
            elif kind == "word_less":
                spoilt["start"] = min(spoilt["start"] + 1, spoilt["end"] - 1)
            elif kind == "type":
                spoilt["type"] = generator.choice(types)
            else:
                start = generator.randrange(words)
                end = min(start + generator.choice([1, 1, 2, 3]), words)
                entities.append({"type": generator.choice(types), "start": start, "end": end})
        place[index] = len(entities)
        entities.append(spoilt)
    relations = []
    for relation in row["relations"]:
        if relation["head"] not in place or relation["tail"] not in place:
            continue
        spoilt = {**relation, "head": place[relation["head"]], "tail": place[relation["tail"]]}
        if generator.random() < rate:
            kind = generator.choice(["type", "direction", "missed"])
            if kind == "missed":
                continue
            if kind == "direction":
                spoilt["head"], spoilt["tail"] = spoilt["tail"], spoilt["head"]
            else:
                spoilt["type"] = generator.choice(labels)
        relations.append(spoilt)
    if len(entities) > 1 and labels and generator.random() < rate:
        head, tail = generator.sample(range(len(entities)), 2)
        relations.append({"type": generator.choice(labels), "head": head, "tail": tail})
    if scores:
        for item in (*entities, *relations):
            right = item in row["entities"] or item in row["relations"]
            item["score"] = round(generator.betavariate(7, 1.2) if right else generator.betavariate(2.5, 2), 4)
        for entity in entities:
            entity["wins"] = entity["score"] > 0.45
    return {"tokens": list(row["tokens"]), "entities": entities, "relations": relations}
