"""Variants of training sentences: in other letters (`--recase`), with other names (`--replace_mentions`).

What an epoch shows of a sentence is a function of (seed, epoch, row) alone, as its negatives are. Labels stay.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerBase

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.evaluation.examples import Example
from modeling_spert.training.labelling import LabelledWindow, label_whole_sentences

_STREAM = 1  # of random numbers; not 0, which gives those of the negatives

Mentions = Mapping[str, Sequence[tuple[str, ...]]]


@dataclass(frozen=True)
class Variants:
    """Shows each window as it is, or a variant of it.

    Attributes:
        examples: What the row ids of the windows point to.
        tokenizer: Of the model.
        config: Of the model.
        mentions: From `collect_mentions`.
        recase: Share of the sentences shown in small letters or all capitals, half each.
        replace_mentions: Probability that a mention is replaced by another of its type.
        seed: Of the run.
    """

    examples: Sequence[Example]
    tokenizer: PreTrainedTokenizerBase
    config: SpertConfig
    mentions: Mentions
    recase: float = 0.0
    replace_mentions: float = 0.0
    seed: int = 42

    def show(self, window: LabelledWindow, epoch: int) -> LabelledWindow:
        """The window as an epoch shows it. One that would become too long, or that holds a cut sentence, stays."""
        rows = [sentence.row_id for sentence in window.sentences]
        examples = [self.examples[row] for row in rows]
        if any(len(e["tokens"]) != s.num_words for e, s in zip(examples, window.sentences, strict=True)):
            return window
        shown = [self.show_sentence(row, epoch) for row in rows]
        if all(new is old for new, old in zip(shown, examples, strict=True)):
            return window
        return label_whole_sentences(shown, rows, self.tokenizer, self.config) or window

    def show_sentence(self, row: int, epoch: int) -> Example:
        """The example of a row as an epoch shows it; the very same object if nothing changes."""
        generator = np.random.default_rng((self.seed, epoch, row, _STREAM))
        drawn, example = generator.random(), self.examples[row]
        if self.replace_mentions:
            example = swap_mentions(example, self.mentions, self.replace_mentions, generator)
        if drawn < self.recase:
            change = str.lower if drawn < self.recase / 2 else str.upper
            example = {**example, "tokens": [change(word) for word in example["tokens"]]}
        return example


def collect_mentions(examples: Sequence[Example]) -> dict[str, list[tuple[str, ...]]]:
    """The words of all distinct mentions of each entity type, sorted.

    >>> collect_mentions([{"tokens": ["Ada", "sat"], "entities": [{"type": "Peop", "start": 0, "end": 1}]}])
    {'Peop': [('Ada',)]}
    """
    found: dict[str, set[tuple[str, ...]]] = {}
    for example in examples:
        for entity in example["entities"]:
            words = tuple(example["tokens"][entity["start"] : entity["end"]])
            found.setdefault(entity["type"], set()).add(words)
    return {label: sorted(words) for label, words in found.items()}


def swap_mentions(example: Example, mentions: Mentions, probability: float, generator: np.random.Generator) -> Example:
    """The example with some mentions replaced by others of their type; spans move with the words.

    A mention that shares a word with another one is kept: who is to say what a name inside a name becomes?

    Args:
        example: Returned as it is if nothing is replaced.
        mentions: From `collect_mentions`.
        probability: That a mention is replaced.
        generator: Drawn from once or twice for every mention that may be replaced.
    """
    edits: list[tuple[int, int, tuple[str, ...]]] = []  # start, end and new words, from left to right
    for entity in sorted(example["entities"], key=lambda entity: entity["start"]):
        start, end = entity["start"], entity["end"]
        sharing = sum(other["start"] < end and start < other["end"] for other in example["entities"])
        if sharing == 1 and generator.random() < probability:
            words = tuple(example["tokens"][start:end])
            edits.append((start, end, _another(words, mentions.get(entity["type"], ()), generator)))
    if not edits:
        return example
    tokens: list[str] = []
    done = 0
    for start, end, words in edits:
        tokens += [*example["tokens"][done:start], *words]
        done = end

    def moved(position: int) -> int:
        return position + sum(len(words) - (end - start) for start, end, words in edits if end <= position)

    entities = [{**e, "start": moved(e["start"]), "end": moved(e["end"])} for e in example["entities"]]
    return {**example, "tokens": [*tokens, *example["tokens"][done:]], "entities": entities}


def _another(words: tuple[str, ...], choice: Sequence[tuple[str, ...]], generator: np.random.Generator) -> Any:
    """One of the sorted choice, but not these words; these if there is no other."""
    place = bisect_left(choice, words)
    has_it = place < len(choice) and choice[place] == words
    if len(choice) - has_it < 1:
        return words
    index = int(generator.integers(len(choice) - has_it))
    return choice[index + (has_it and index >= place)]
