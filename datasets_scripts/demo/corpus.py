"""The demo corpus: news-like sentences about invented people, organizations, places, products and events.

Written by the project's authors as patterns (`patterns`) and name pools (`names`), composed here by a
seeded generator, so that the corpus is free of third-party text and carries the licence of the project. The test split
shares neither names nor sentence patterns with the training split, so that a score on it measures transfer.

`python -m datasets_scripts.demo --output DIR` writes it in SpERT's own form: one JSON file per split and
`types.json`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datasets_scripts.corpora import DEMO
from datasets_scripts.demo.grammar import (
    TEST_PATTERNS,
    TRAIN_PATTERNS,
    Pattern,
    PatternSet,
    Slot,
    append,
    coordinate,
    expand,
    relativize,
)
from datasets_scripts.demo.names import NAME_POOLS, Name, NameSource
from datasets_scripts.demo.patterns import WORDS

NAME, LICENSE = DEMO.name, DEMO.licence
ENTITY_TYPES = ("Person", "Organization", "Location", "Product", "Event")
RELATION_TYPES = (
    "works_for",
    "lives_in",
    "married_to",
    "founded",
    "based_in",
    "acquired",
    "makes",
    "located_in",
    "held_in",
)
SYMMETRIC_RELATION_TYPES = ("married_to",)
_SPLIT_SIZES = {"train": 800, "dev": 100, "test": 240}

# Raw text for trying a trained model; neither the names nor the sentences are in the corpus.
EXAMPLE_TEXTS = (
    "Torvald Ekhaug, a marine biologist employed by the University of Sandrith, lives in Kelmouth with his wife, "
    "Annika Ruhl.",
    "Brixenta Motors, which Oluchi Danforth founded in 1998, bought Lumeo Batteries for $40 million and makes the "
    "Tavira Swift in Port Ellisk.",
    "Marguerite P. Sollivan told reporters that the Ostrania Wine Festival would take place in Dunmere, a market town "
    "in southern Ostrania.",
)

_ENTITY_FREE_SHARE, _RELATION_FREE_SHARE = 0.08, 0.24
_MIN_WORDS, _MAX_WORDS = 6, 40
_WORD = re.compile(r"\{(\w+)\}")


def _deck(patterns: Sequence[Pattern], generator: random.Random) -> Iterator[Pattern]:
    """Deal the patterns in random order, each once before any comes again."""
    while True:
        yield from generator.sample(patterns, len(patterns))


class _Composer:
    """Composes the sentences of one split from its patterns and names."""

    def __init__(self, split: str, patterns: PatternSet, generator: random.Random):
        self.patterns = patterns
        self.generator = generator
        self.names = NameSource(split, generator)
        self.name_words = {word for pool in NAME_POOLS[split].values() for word in pool}

    def relation_free(self, clause: Pattern) -> dict[str, Any]:
        """A sentence that states no relation."""
        modifiers = [modifier for modifier in self.patterns.modifiers if not modifier.relations]
        pattern = expand(self._lengthen(clause, self.patterns.neutral, 0.25), modifiers, self.generator)
        return self._realize(self._frame(pattern))

    def related(self, clause: Pattern) -> dict[str, Any]:
        """A sentence that states at least one relation."""
        others = self.patterns.clauses + self.patterns.neutral
        pattern = expand(self._lengthen(clause, others, 0.55), self.patterns.modifiers, self.generator)
        return self._realize(self._frame(pattern))

    def empty(self, clause: Pattern) -> dict[str, Any]:
        """A sentence without a name."""
        return self._realize(clause)

    def _lengthen(self, clause: Pattern, others: Sequence[Pattern], probability: float) -> Pattern:
        """Add a second clause, sharing the subject or with names of its own."""
        if self.generator.random() >= probability or clause.closed:
            return clause
        subject = clause.slots[0].kind
        others = [other for other in others if not (other.closed or other.relation_types & clause.relation_types)]
        sharing = [other for other in others if other.has_verb_phrase and other.slots[0].kind == subject]
        if clause.has_verb_phrase and sharing and self.generator.random() < 0.75:
            second = self.generator.choice(sharing)
            return self.generator.choice([coordinate, relativize])(clause, second)
        connector = self.generator.choice([", while", ", and", ";"])
        clauses = [clause, self.generator.choice(others)]
        self.generator.shuffle(clauses)
        return append(append(clauses[0], Pattern(tuple(connector.split()))), clauses[1])

    def _frame(self, pattern: Pattern) -> Pattern:
        """Put a lead before the sentence or a tail after it, some of the time."""
        place = self.generator.choices(["nowhere", "before", "after"], [6, 2, 2])[0]
        if pattern.closed or place == "nowhere":
            return pattern
        frames = self.patterns.leads if place == "before" else self.patterns.tails
        frame = self.generator.choice([frame for frame in frames if not (frame.says_when and pattern.says_when)])
        return append(frame, pattern) if place == "before" else append(pattern, frame)

    def _realize(self, pattern: Pattern) -> dict[str, Any]:
        """Choose names and common words: a pattern becomes an example."""
        tokens: list[str] = []
        names: list[tuple[int, Name]] = []
        first_entity: dict[int, int] = {}
        used: set[str] = set()
        for item in pattern.items:
            if isinstance(item, Slot):
                name = self._new_name(item.kind, used)
                if name.article and (not tokens or tokens[-1] not in ("the", "its")):
                    tokens.append("the")
                first_entity[item.index] = len(names)
                names.append((len(tokens), name))
                names.extend((len(tokens) + offset, inner) for offset, inner in name.inner)
                tokens.extend(name.tokens)
                continue
            if item in {",", ".", ";"} and tokens[-1] == ",":
                tokens.pop()  # a modifier's closing comma, before other punctuation
            tokens.extend(_fill(item, self.generator))
        tokens = _finish(tokens)
        return _example(tokens, names, [(kind, first_entity[h], first_entity[t]) for kind, h, t in pattern.relations])

    def _new_name(self, kind: str, used: set[str]) -> Name:
        """Draw a name that shares no name word with those already used, and note its own."""
        while True:
            name = self.names.draw(kind)
            words = {word for token in name.tokens for word in token.split("-")} & self.name_words
            if not words & used:
                used |= words
                return name


def _fill(item: str, generator: random.Random) -> list[str]:
    match = _WORD.fullmatch(item)
    return generator.choice(WORDS[match[1]].split(",")).split() if match else [item]


def _finish(tokens: list[str]) -> list[str]:
    """Capitalise the first word and close the sentence."""
    if tokens[-1] == ",":
        tokens = tokens[:-1]
    if tokens[-1] != "?":
        tokens = [*tokens, "."]
    first = 1 if tokens[0] == '"' else 0
    return [*tokens[:first], tokens[first][0].upper() + tokens[first][1:], *tokens[first + 1 :]]


def _example(
    tokens: list[str], names: Sequence[tuple[int, Name]], relations: Sequence[tuple[str, int, int]]
) -> dict[str, Any]:
    """Sort entities and relations, and store a symmetric relation with the earlier entity as its head."""
    entities = [{"type": name.entity_type, "start": start, "end": start + len(name.tokens)} for start, name in names]
    order = sorted(range(len(entities)), key=lambda i: (entities[i]["start"], entities[i]["end"]))
    rank = {old: new for new, old in enumerate(order)}
    triples = []
    for relation_type, head, tail in relations:
        pair = [rank[head], rank[tail]]
        if relation_type in SYMMETRIC_RELATION_TYPES:
            pair.sort()
        triples.append((*pair, relation_type))
    return {
        "tokens": tokens,
        "entities": [entities[i] for i in order],
        "relations": [{"type": kind, "head": head, "tail": tail} for head, tail, kind in sorted(triples)],
    }


def _generate_split(split: str, seed: int, seen: set[tuple[str, ...]]) -> list[dict[str, Any]]:
    patterns = TEST_PATTERNS if split == "test" else TRAIN_PATTERNS
    generator = random.Random(f"{NAME}-{split}-{seed}")
    composer = _Composer(split, patterns, generator)
    size = _SPLIT_SIZES[split]
    num_empty, num_relation_free = round(size * _ENTITY_FREE_SHARE), round(size * _RELATION_FREE_SHARE)
    plan = (
        (num_empty, composer.empty, patterns.empty),
        (num_relation_free, composer.relation_free, patterns.neutral),
        (size - num_empty - num_relation_free, composer.related, patterns.clauses),
    )
    rows: list[dict[str, Any]] = []
    for count, compose, clauses in plan:
        deck, goal = _deck(clauses, generator), len(rows) + count
        while len(rows) < goal:
            row = compose(next(deck))
            key = tuple(row["tokens"])
            if _MIN_WORDS <= len(key) <= _MAX_WORDS and key not in seen:
                seen.add(key)
                rows.append(row)
    generator.shuffle(rows)
    return [{**row, "orig_id": f"{NAME}-{split}-{number:04d}"} for number, row in enumerate(rows, start=1)]


def generate_demo_corpus(seed: int = 0) -> dict[str, list[dict[str, Any]]]:
    """Generate the corpus.

    Args:
        seed: The same seed gives the same corpus, on every machine.

    Returns:
        The examples of `train` (800), `dev` (100) and `test` (240): `tokens`, `entities` (word spans, half-open; they
        may nest), `relations` (indices into the entities) and `orig_id`. No sentence occurs twice.

    >>> corpus = generate_demo_corpus()
    >>> [len(corpus[split]) for split in ("train", "dev", "test")]
    [800, 100, 240]
    """
    seen: set[tuple[str, ...]] = set()
    return {split: _generate_split(split, seed, seen) for split in _SPLIT_SIZES}


def demo_types() -> dict[str, dict[str, dict[str, Any]]]:
    """The labels in the form of SpERT's `types.json`.

    >>> demo_types()["relations"]["married_to"]["symmetric"]
    True
    """
    return {
        "entities": {label: {"short": label, "verbose": label} for label in ENTITY_TYPES},
        "relations": {
            label: {
                "short": label,
                "verbose": label.replace("_", " "),
                "symmetric": label in SYMMETRIC_RELATION_TYPES,
            }
            for label in RELATION_TYPES
        },
    }


def write_demo_corpus(output_dir: str | Path, seed: int = 0) -> list[Path]:
    """Write the corpus as `train.json`, `dev.json`, `test.json` and `types.json`.

    Args:
        output_dir: The folder; made if it does not exist. Files of these names in it are replaced.
        seed: See `generate_demo_corpus`.

    Returns:
        The paths of the files.
    """
    folder = Path(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    contents: dict[str, Any] = {**generate_demo_corpus(seed), "types": demo_types()}
    paths = []
    for name, content in contents.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
        paths.append(path)
    return paths
