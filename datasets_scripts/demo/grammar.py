"""The grammar of the demo corpus: patterns with name slots, and the ways to combine them into longer ones.

Pure functions from patterns to patterns; the notation is described in `patterns`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

from datasets_scripts.demo import patterns, plain_patterns

# The kinds of name a modifier may be attached to, by the kind it is written for.
_ACCEPTS = {"P": "PMF", "O": "OCIU", "C": "C", "T": "TL", "E": "E"}
_SLOT = re.compile(r"\[([A-Z])(\d)(\*?)\]")
_MODIFIER_PROBABILITY = 0.28


@dataclass(frozen=True)
class Slot:
    """A place for a name: its kind (see `NameSource.draw`), its index, and whether it may carry a modifier."""

    kind: str
    index: int
    expandable: bool = False


@dataclass(frozen=True)
class Pattern:
    """A piece of a sentence.

    Attributes:
        items: Words, `{word classes}` and slots, in order.
        relations: Relation type, slot index of the head, slot index of the tail.
        closed: Whether it refuses a lead or a tail.
    """

    items: tuple[str | Slot, ...]
    relations: tuple[tuple[str, int, int], ...] = ()
    closed: bool = False

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its slots, in order."""
        return tuple(item for item in self.items if isinstance(item, Slot))

    @property
    def relation_types(self) -> set[str]:
        """The types of its relations."""
        return {relation_type for relation_type, _, _ in self.relations}

    @property
    def says_when(self) -> bool:
        """Whether it names a day, month or year."""
        return any(item in ("{day}", "{month}", "{year}", "{past}", "{when}") for item in self.items)

    @property
    def has_verb_phrase(self) -> bool:
        """Whether it is a subject slot followed by a plain verb phrase, which another clause can take over."""
        first, second = self.items[0], self.items[1]
        return (
            not self.closed
            and isinstance(first, Slot)
            and isinstance(second, str)
            and second.replace("|", "").replace("_", "").isalpha()
            and second not in ("and", "of", "from")
        )

    def renumber(self, new_index: Callable[[int], int]) -> Pattern:
        """The same pattern with other slot indices."""
        items = tuple(
            replace(item, index=new_index(item.index)) if isinstance(item, Slot) else item for item in self.items
        )
        relations = tuple((kind, new_index(head), new_index(tail)) for kind, head, tail in self.relations)
        return Pattern(items, relations, self.closed)

    def bare(self) -> Pattern:
        """The same pattern without places for modifiers."""
        items = tuple(replace(item, expandable=False) if isinstance(item, Slot) else item for item in self.items)
        return replace(self, items=items)


def parse_pattern(line: str) -> Pattern:
    """Read a pattern in the notation of `patterns`.

    >>> parse_pattern("[P0*] joined [O1] => works_for 0 1").relations
    (('works_for', 0, 1),)
    """
    text, _, stated = line.partition("=>")
    items: list[str | Slot] = []
    for word in text.removeprefix("~").split():
        match = _SLOT.fullmatch(word)
        items.append(Slot(match[1], int(match[2]), bool(match[3])) if match else word)
    relations = []
    for relation in filter(None, (part.strip() for part in stated.split(";"))):
        relation_type, head, tail = relation.split()
        relations.append((relation_type, int(head), int(tail)))
    return Pattern(tuple(items), tuple(relations), line.startswith("~"))


def _parse(block: str) -> tuple[Pattern, ...]:
    return tuple(parse_pattern(line) for line in block.strip().splitlines())


@dataclass(frozen=True)
class PatternSet:
    """The patterns of one side of the corpus: train and dev, or test.

    Attributes:
        clauses: Clauses that state relations.
        neutral: Clauses with names that state none.
        empty: Sentences without a name.
        modifiers: What may replace an expandable slot; slot 0 is the name itself.
        leads: What may come before a clause.
        tails: What may follow a clause.
    """

    clauses: tuple[Pattern, ...]
    neutral: tuple[Pattern, ...]
    empty: tuple[Pattern, ...]
    modifiers: tuple[Pattern, ...]
    leads: tuple[Pattern, ...]
    tails: tuple[Pattern, ...]


def _pattern_set(module: ModuleType, prefix: str) -> PatternSet:
    """The patterns of one side, from the module's blocks."""
    blocks = ("CLAUSES", "NEUTRAL", "EMPTY", "MODIFIERS", "LEADS", "TAILS")
    return PatternSet(*(_parse(getattr(module, f"{prefix}_{block}")) for block in blocks))


TRAIN_PATTERNS = _pattern_set(patterns, "TRAIN")
TEST_PATTERNS = _pattern_set(patterns, "TEST")
PLAIN_TRAIN_PATTERNS = _pattern_set(plain_patterns, "PLAIN_TRAIN")
PLAIN_TEST_PATTERNS = _pattern_set(plain_patterns, "PLAIN_TEST")


def _next_index(pattern: Pattern) -> int:
    return 1 + max((slot.index for slot in pattern.slots), default=-1)


def append(first: Pattern, second: Pattern) -> Pattern:
    """Put two pieces one after the other, all their slots distinct."""
    offset = _next_index(first)
    second = second.renumber(lambda index: index + offset)
    return Pattern(first.items + second.items, first.relations + second.relations, first.closed or second.closed)


def _share_subject(first: Pattern, second: Pattern) -> Pattern:
    """Renumber the second clause so that its subject is that of the first and its other slots are new."""
    subject, offset = first.slots[0].index, _next_index(first)
    own_subject = second.slots[0].index
    return second.renumber(lambda index: subject if index == own_subject else index + offset)


def coordinate(first: Pattern, second: Pattern) -> Pattern:
    """Build "X does this and does that"."""
    second = _share_subject(first, second)
    return Pattern((*first.items, "and", *second.items[1:]), first.relations + second.relations)


def relativize(first: Pattern, second: Pattern) -> Pattern:
    """Build "X , who does this , does that"."""
    second = _share_subject(first, second)
    first = first.bare()
    pronoun = "who" if first.slots[0].kind in "PFM" else "which"
    items = (first.items[0], ",", pronoun, *first.items[1:], ",", *second.items[1:])
    return Pattern(items, first.relations + second.relations)


def expand(pattern: Pattern, modifiers: Sequence[Pattern], generator: random.Random) -> Pattern:
    """Give some of the expandable slots a modifier whose relation types are new to them."""
    items: list[str | Slot] = []
    relations, offset = pattern.relations, _next_index(pattern)
    for item in pattern.items:
        if not (isinstance(item, Slot) and item.expandable and generator.random() < _MODIFIER_PROBABILITY):
            items.append(item)
            continue
        known = {kind for kind, head, tail in relations if item.index in (head, tail)}
        fitting = [m for m in modifiers if _fits(m, item) and not m.relation_types & known]
        if not fitting:
            items.append(item)
            continue
        index, shift = item.index, offset
        modifier = generator.choice(fitting).renumber(lambda own: own + shift if own else index)  # noqa: B023
        items.extend(item if isinstance(part, Slot) and part.index == index else part for part in modifier.items)
        relations += modifier.relations
        offset = max(offset, _next_index(modifier))
    return Pattern(tuple(items), relations, pattern.closed)


def _fits(modifier: Pattern, slot: Slot) -> bool:
    head = next(part for part in modifier.slots if part.index == 0)
    return slot.kind in _ACCEPTS[head.kind]
