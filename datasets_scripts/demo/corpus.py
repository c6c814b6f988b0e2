"""The demo corpus: plain and news-like sentences about people, organizations, places, products and events.

Written by the project's authors as patterns (`patterns`, `plain_patterns`) and names (`names`), composed here by a
seeded generator, so that the corpus is free of third-party text and carries the licence of the project. The test
splits (`test` is news-like, `test_plain` plain) share neither names nor sentence patterns with the training split, so
that a score on them measures transfer. The sentences say nothing about the world: where a well-known name occurs
in one, chance put it there.

`python -m datasets_scripts.demo --output DIR` writes it in SpERT's own form: one JSON file per split and
`types.json`.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets_scripts.corpora import DEMO
from datasets_scripts.demo.grammar import (
    PLAIN_TEST_PATTERNS,
    PLAIN_TRAIN_PATTERNS,
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
from datasets_scripts.demo.patterns import WORDS as NEWS_WORDS
from datasets_scripts.demo.plain_patterns import PLAIN_WORDS

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
WORDS = {**NEWS_WORDS, **PLAIN_WORDS}

# Raw text for trying a trained model; neither the names nor the sentences are in the corpus.
EXAMPLE_TEXTS = (
    "Torvald Ekhaug, a marine biologist employed by the University of Sandrith, lives in Kelmouth with his wife, "
    "Annika Ruhl.",
    "Brixenta Motors, which Oluchi Danforth founded in 1998, bought Lumeo Batteries for $40 million and makes the "
    "Tavira Swift in Port Ellisk.",
    "Marguerite P. Sollivan told reporters that the Ostrania Wine Festival would take place in Dunmere, a market town "
    "in southern Ostrania.",
)

_MAX_WORDS = 40
_WORD = re.compile(r"\{(\w+)\}")


def _deck(patterns: Sequence[Pattern], generator: random.Random) -> Iterator[Pattern]:
    """Deal the patterns in random order, each once before any comes again."""
    while True:
        yield from generator.sample(patterns, len(patterns))


@dataclass(frozen=True)
class _Style:
    """A way of writing, and how its sentences are composed.

    Attributes:
        name: Its name.
        train: The patterns of train and dev.
        test: The patterns of test.
        well_known: Whether well-known names are used, and people called by their first name.
        entity_free: Share of the sentences without a name.
        relation_free: Share of the sentences with names that state no relation.
        lengthening: Probability of a second clause, where no relation is stated and where one is.
        framing: Probability of a lead, and of a tail.
        min_words: Length of the shortest sentence.
    """

    name: str
    train: PatternSet
    test: PatternSet
    well_known: bool
    entity_free: float
    relation_free: float
    lengthening: tuple[float, float]
    framing: tuple[float, float]
    min_words: int

    def patterns(self, split: str) -> PatternSet:
        """The patterns of a split."""
        return self.test if split.startswith("test") else self.train


_NEWS = _Style("news", TRAIN_PATTERNS, TEST_PATTERNS, False, 0.08, 0.24, (0.25, 0.55), (0.2, 0.2), 6)
_PLAIN = _Style("plain", PLAIN_TRAIN_PATTERNS, PLAIN_TEST_PATTERNS, True, 0.18, 0.27, (0.1, 0.25), (0.08, 0.08), 3)
# The sentences of each split. `test` is the harder, news-like one; `test_plain` is scored apart.
_SPLITS: dict[str, dict[_Style, int]] = {
    "train": {_NEWS: 1000, _PLAIN: 2600},
    "dev": {_NEWS: 50, _PLAIN: 50},
    "test": {_NEWS: 240},
    "test_plain": {_PLAIN: 160},
}


class _Composer:
    """Composes the sentences of one split from its patterns and names."""

    def __init__(self, split: str, style: _Style, generator: random.Random):
        self.style = style
        self.patterns = style.patterns(split)
        self.generator = generator
        pools = split.split("_")[0]
        self.names = NameSource(pools, generator, style.well_known)
        self.name_words = {word for pool in NAME_POOLS[pools].values() for word in pool}

    def relation_free(self, clause: Pattern) -> dict[str, Any]:
        """A sentence that states no relation."""
        modifiers = [modifier for modifier in self.patterns.modifiers if not modifier.relations]
        pattern = expand(
            self._lengthen(clause, self.patterns.neutral, self.style.lengthening[0]), modifiers, self.generator
        )
        return self._realize(self._frame(pattern))

    def related(self, clause: Pattern) -> dict[str, Any]:
        """A sentence that states at least one relation."""
        others = self.patterns.clauses + self.patterns.neutral
        pattern = expand(
            self._lengthen(clause, others, self.style.lengthening[1]), self.patterns.modifiers, self.generator
        )
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
        before, after = self.style.framing
        place = self.generator.choices(["nowhere", "before", "after"], [1 - before - after, before, after])[0]
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
    """The words of a pattern's item: one of several, one of a word class, or itself."""
    if "|" in item:
        item = generator.choice(item.split("|"))
    match = _WORD.fullmatch(item)
    return generator.choice(WORDS[match[1]].split(",")).split() if match else item.split("_")


def _finish(tokens: list[str]) -> list[str]:
    """Choose between "a" and "an", capitalise the first word and close the sentence."""
    tokens = ["an" if a == "a" and b[0] in "aeioAEIO" else a for a, b in zip(tokens, [*tokens[1:], "."], strict=True)]
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


def _compose(split: str, style: _Style, size: int, seed: int, seen: set[tuple[str, ...]]) -> list[dict[str, Any]]:
    """The sentences of one style in a split."""
    # The news generator keeps the name it had when it was the only one, and so its test sentences.
    suffix = "" if style is _NEWS else f"-{style.name}"
    generator = random.Random(f"{NAME}-{split}-{seed}{suffix}")
    composer = _Composer(split, style, generator)
    num_empty, num_relation_free = round(size * style.entity_free), round(size * style.relation_free)
    plan = (
        (num_empty, composer.empty, composer.patterns.empty),
        (num_relation_free, composer.relation_free, composer.patterns.neutral),
        (size - num_empty - num_relation_free, composer.related, composer.patterns.clauses),
    )
    rows: list[dict[str, Any]] = []
    for count, compose, clauses in plan:
        deck, goal = _deck(clauses, generator), len(rows) + count
        while len(rows) < goal:
            row = compose(next(deck))
            key = tuple(row["tokens"])
            if style.min_words <= len(key) <= _MAX_WORDS and key not in seen:
                seen.add(key)
                rows.append(row)
    generator.shuffle(rows)
    return rows


def _generate_split(split: str, seed: int, seen: set[tuple[str, ...]]) -> list[dict[str, Any]]:
    rows = [row for style, size in _SPLITS[split].items() for row in _compose(split, style, size, seed, seen)]
    if len(_SPLITS[split]) > 1:
        random.Random(f"{NAME}-{split}-{seed}-order").shuffle(rows)
    return [{**row, "orig_id": f"{NAME}-{split}-{number:04d}"} for number, row in enumerate(rows, start=1)]


def generate_demo_corpus(seed: int = 0) -> dict[str, list[dict[str, Any]]]:
    """Generate the corpus.

    Args:
        seed: The same seed gives the same corpus, on every machine.

    Returns:
        The examples of `train` (3600), `dev` (100), `test` (240, news-like) and `test_plain` (160): `tokens`,
        `entities` (word spans, half-open; they may nest), `relations` (indices into the entities) and `orig_id`. No
        sentence occurs twice.

    >>> corpus = generate_demo_corpus()
    >>> {split: len(rows) for split, rows in corpus.items()}
    {'train': 3600, 'dev': 100, 'test': 240, 'test_plain': 160}
    """
    seen: set[tuple[str, ...]] = set()
    return {split: _generate_split(split, seed, seen) for split in _SPLITS}


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
