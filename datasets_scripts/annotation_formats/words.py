"""Characters → words: which splitter cuts a text, and what it must give.

This is the only module here that knows of `modeling_spert`, and only where no splitter is given: training data are then
cut by the rules that the pipeline uses on raw text, so that both see the same words. The import happens at the first
call; whoever passes a splitter never triggers it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from datasets_scripts.annotation_formats.documents import AnnotatedDocument, Span

# From a text to the words of its sentences, each word as its half-open characters.
Splitter = Callable[[str], Sequence[Sequence[Span]]]


def default_splitter(text: str) -> list[list[Span]]:
    """The sentences and words that the project's own segmentation finds.

    >>> default_splitter("It rains. Stay in.")
    [[(0, 2), (3, 8), (8, 9)], [(10, 14), (15, 17), (17, 18)]]
    """
    from modeling_spert.segmentation_spert import segment  # late: it brings torch and transformers along

    return [[(word.start, word.end) for word in sentence] for sentence in segment(text)]


def splitter_by(settings: Mapping[str, Any]) -> Splitter:
    """The project's own segmentation with other settings than the defaults.

    >>> splitter_by({"split_hyphens": "letters"})("MTX-based")
    [[(0, 3), (3, 4), (4, 9)]]
    """
    from modeling_spert.segmentation_rules_spert import SegmentationRules
    from modeling_spert.segmentation_spert import segment  # late, as above

    rules = SegmentationRules.from_dict(settings)
    return lambda text: [[(word.start, word.end) for word in sentence] for sentence in segment(text, rules)]


def split_text(text: str, splitter: Splitter | None) -> tuple[tuple[Span, ...], ...]:
    """The words of each sentence that has any, checked.

    Raises:
        ValueError: The splitter's words are not in order, or not in the text.
    """
    sentences = (splitter or default_splitter)(text)
    position = 0
    for sentence in sentences:
        for start, end in sentence:
            if not position <= start < end <= len(text) or not text[start:end].strip():
                raise ValueError(
                    f"splitter must return words in order, none empty or blank, inside the text of {len(text)} "
                    f"characters: got [{start}, {end}) where the words before end at {position}"
                )
            position = end
    return tuple(tuple((start, end) for start, end in sentence) for sentence in sentences if sentence)


def words_of(document: AnnotatedDocument, splitter: Splitter | None) -> tuple[tuple[Span, ...], ...]:
    """The words of each sentence of a document: its own, or those that the splitter finds."""
    if document.sentences is None:
        return split_text(document.text, splitter)
    if document.knows_sentences:
        return document.sentences
    starts = [sentence[0][0] for sentence in split_text(document.text, splitter)]
    sentences: dict[int, list[Span]] = {}
    for sentence in document.sentences:
        for word in sentence:
            sentences.setdefault(max(1, bisect_right(starts, word[0])), []).append(word)
    return tuple(tuple(sentence) for sentence in sentences.values())
