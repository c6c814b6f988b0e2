"""What the pipeline takes: inputs of every form become documents of words, with the entities given by the caller."""

import reprlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, chain, islice
from numbers import Integral
from typing import Any

from .segmentation_spert import Word

_INPUT_FORMS = '{"text": …}, {"tokens": […]} or {"sentences": [[…], …]}, any with "entities": […]'


@dataclass(frozen=True)
class GivenEntity:
    """An entity that the caller gives: words `[start, end)` of the document; `widened` if it cut words apart."""

    start: int
    end: int
    label: str
    widened: bool = False


@dataclass(frozen=True)
class Document:
    """A text with its words, and the entities given with it, if any; or what was wrong with an input."""

    text: str
    sentences: tuple[tuple[Word, ...], ...]
    given: tuple[GivenEntity, ...] | None = None  # sorted by start, end, label
    error: str | None = None

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """All words, in order."""
        return tuple(chain.from_iterable(self.sentences))

    @cached_property
    def first_words(self) -> tuple[int, ...]:
        """Index of each sentence's first word."""
        return tuple(accumulate(map(len, self.sentences), initial=0))[:-1]


def read_form(input_: Any) -> tuple[str, Mapping[str, Any]]:
    """Which of "text", "tokens" and "sentences" an input has, and the input as a dict.

    Raises:
        ValueError: If it has none of the known forms, or has other keys than that one and "entities".
    """
    if isinstance(input_, str):
        return "text", {"text": input_}
    if isinstance(input_, list | tuple):
        return "tokens", {"tokens": input_}
    forms = [key for key in ("text", "tokens", "sentences") if isinstance(input_, Mapping) and key in input_]
    if len(forms) != 1:
        got = f"the keys {shorten(list(input_))}" if isinstance(input_, Mapping) else shorten(input_)
        raise ValueError(f"an input must be a string or one of {_INPUT_FORMS}, got {got}")
    unknown = [key for key in input_ if key not in (forms[0], "entities")]
    if unknown:
        raise ValueError(f"unknown keys {shorten(unknown)} in an input; it may be {_INPUT_FORMS}")
    if forms[0] == "text" and not isinstance(input_["text"], str):
        raise ValueError(f'"text" must be a string, got {type(input_["text"]).__name__}')
    return forms[0], input_


def document_of_tokens(sentences: Any, form: str = "sentences") -> Document:
    """A document of words as given, a list per sentence; its text is the words joined by single spaces.

    Args:
        sentences: Words of each sentence.
        form: What error messages call them: "sentences" or, for a single one, "tokens".

    Raises:
        ValueError: If these are not lists of lists of strings.
    """
    if not _is_list(sentences):
        raise ValueError(f'"{form}" must be a list of lists of words, got {shorten(sentences)}')
    for sentence in sentences:
        if not _is_list(sentence):
            form_of_it = "be a list of words" if form == "tokens" else "hold lists of words"
            raise ValueError(f'"{form}" must {form_of_it}, got {shorten(sentence)}')
    tokens = list(chain.from_iterable(sentences))
    for index, token in enumerate(tokens):
        if not isinstance(token, str):
            raise ValueError(f'"{form}" must hold words as strings, got {shorten(token)} as word {index}')
    starts = accumulate((len(token) + 1 for token in tokens), initial=0)
    words = (Word(token, start, start + len(token)) for token, start in zip(tokens, starts, strict=False))
    return Document(" ".join(tokens), tuple(tuple(islice(words, len(sentence))) for sentence in sentences))


def words_of_ranges(text: str, sentences: Iterable[Iterable[tuple[int, int]]]) -> list[list[Word]]:
    """The words of a user's splitter, from the `[start, end)` characters that it returned.

    Raises:
        ValueError: If they are not in order, or outside the text.
    """
    built: list[list[Word]] = []
    position = 0
    for sentence in sentences:
        built.append([])
        for start, end in sentence:
            if not position <= start < end <= len(text):
                raise ValueError(
                    f"splitter must return words in order, none empty, inside the text of {len(text)} characters: "
                    f"got [{start}, {end}) where the words before end at {position}"
                )
            built[-1].append(Word(text[start:end], start, end))
            position = end
    return built


def add_given_entities(document: Document, entities: Sequence[Mapping[str, Any]], in_characters: bool) -> Document:
    """The document with given entities as words; sentences that an entity bridges are joined.

    Args:
        document: Without given entities.
        entities: Dicts with "start", "end" and "label".
        in_characters: Whether "start" and "end" count characters of the text; otherwise words.

    Raises:
        ValueError: If an entity has another form than expected, or touches no word.
    """
    if not _is_list(entities):
        raise ValueError(f'"entities" must be a list of dicts with "start", "end" and "label", got {shorten(entities)}')
    size = len(document.text) if in_characters else len(document.words)
    given = []
    for index, entity in enumerate(entities):
        name = f'"entities"[{index}]'
        checked = _check_entity(name, entity, size, "characters" if in_characters else "words")
        given.append(_widen_to_words(name, document, *checked) if in_characters else GivenEntity(*checked))
    given.sort(key=lambda entity: (entity.start, entity.end, entity.label))
    return replace(document, sentences=_join_bridged(document, given), given=tuple(given))


def _check_entity(name: str, entity: Any, size: int, unit: str) -> tuple[int, int, str]:
    """Start, end and label of a given entity, of a text of `size` characters or words."""
    if not isinstance(entity, Mapping) or not {"start", "end", "label"} <= set(entity):
        raise ValueError(f'{name} must have "start", "end" and "label", got {shorten(entity)}')
    start, end, label = entity["start"], entity["end"], entity["label"]
    is_whole = all(isinstance(bound, Integral) and not isinstance(bound, bool) for bound in (start, end))
    if not is_whole or not 0 <= start < end:
        got = f"{shorten(start)} and {shorten(end)}"
        raise ValueError(f"{name}: start and end must be integers with 0 <= start < end, got {got}")
    if end > size:
        raise ValueError(f"{name}: end is {end}, but there are {size} {unit} (end is exclusive)")
    if not isinstance(label, str):
        raise ValueError(f"{name}: label must be a string, got {shorten(label)}")
    return int(start), int(end), label


def _widen_to_words(name: str, document: Document, start: int, end: int, label: str) -> GivenEntity:
    """The given entity on the words that the characters `[start, end)` touch."""
    words = document.words
    first = bisect_right(words, start, key=lambda word: word.end)  # the first word that ends after `start`
    last = bisect_left(words, end, key=lambda word: word.start)  # the first that starts at `end` or later
    if first >= last:
        raise ValueError(f"{name}: the characters [{start}, {end}) hold no word of the text")
    widened = (words[first].start, words[last - 1].end) != (start, end)
    return GivenEntity(first, last, label, widened)


def _join_bridged(document: Document, given: Sequence[GivenEntity]) -> tuple[tuple[Word, ...], ...]:
    """The sentences, joined where a given entity (sorted by start) begins in one and ends in a later one."""
    joined: list[list[Word]] = []
    furthest = index = 0  # the latest end of the entities that start before the sentence
    for first, sentence in zip(document.first_words, document.sentences, strict=True):
        while index < len(given) and given[index].start < first:
            furthest = max(furthest, given[index].end)
            index += 1
        if joined and furthest > first:
            joined[-1].extend(sentence)
        else:
            joined.append(list(sentence))
    return tuple(map(tuple, joined))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def shorten(value: Any) -> str:
    """A value as error messages show it, however long or deep it is.

    >>> shorten(["a"] * 9)
    "['a', 'a', 'a', 'a', 'a', 'a', ...]"
    """
    return _SHORT.repr(value)
