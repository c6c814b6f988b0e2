"""What the pipeline takes: inputs of every form, read to documents of words, with the entities given beside them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .segmentation_spert import Word

_INPUT_FORMS = '{"text": …}, {"tokens": […]} or {"sentences": [[…], …]}, any with "entities": […]'


@dataclass(frozen=True)
class GivenEntity:
    """An entity the caller knows: words `[start, end)` of the document, and whether it was widened to words."""

    start: int
    end: int
    label: str
    widened: bool


@dataclass(frozen=True)
class Document:
    """A text with its words, and the entities given with it, if any."""

    text: str
    sentences: tuple[tuple[Word, ...], ...]
    given: tuple[GivenEntity, ...] | None = None  # sorted by start, end, label

    @property
    def words(self) -> list[Word]:
        """All words, in order."""
        return [word for sentence in self.sentences for word in sentence]

    @property
    def first_words(self) -> list[int]:
        """Number of each sentence's first word."""
        firsts, count = [], 0
        for sentence in self.sentences:
            firsts.append(count)
            count += len(sentence)
        return firsts


def form_of(input_: Any) -> str:
    """Which of "text", "tokens" and "sentences" an input dict has.

    Raises:
        ValueError: If it is no such dict, or has other keys besides "entities".
    """
    forms = [key for key in ("text", "tokens", "sentences") if isinstance(input_, Mapping) and key in input_]
    if len(forms) != 1:
        got = f"the keys {list(input_)}" if isinstance(input_, Mapping) else repr(input_)
        raise ValueError(f"an input must be a string or one of {_INPUT_FORMS}, got {got}")
    unknown = [key for key in input_ if key not in (forms[0], "entities")]
    if unknown:
        raise ValueError(f"unknown keys {unknown} in an input; it may be {_INPUT_FORMS}")
    if forms[0] == "text" and not isinstance(input_["text"], str):
        raise ValueError(f'"text" must be a string, got {type(input_["text"]).__name__}')
    return forms[0]


def document_of_tokens(sentences: Any, form: str) -> Document:
    """Words as given; the text is the words joined by single spaces.

    Raises:
        ValueError: If these are not lists of lists of strings; the message calls them by their `form`.
    """
    if isinstance(sentences, str) or not isinstance(sentences, Sequence):
        raise ValueError(f'"{form}" must be a list of lists of words, got {sentences!r}')
    built, position, number = [], 0, 0
    for sentence in sentences:
        if isinstance(sentence, str) or not isinstance(sentence, Sequence):
            raise ValueError(f'"{form}" must hold lists of words, got {sentence!r}')
        words = []
        for token in sentence:
            if not isinstance(token, str):
                raise ValueError(f'"{form}" must hold words as strings, got {token!r} as word {number}')
            words.append(Word(token, position, position + len(token)))
            position += len(token) + 1
            number += 1
        built.append(tuple(words))
    return Document(" ".join(word.text for sentence in built for word in sentence), tuple(built))


def words_at(text: str, sentences: Iterable[Iterable[tuple[int, int]]]) -> list[list[Word]]:
    """The words that a user's splitter has found, from their `[start, end)` characters.

    Raises:
        ValueError: If they are not in order, or lie outside the text.
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


def give_entities(document: Document, entities: Sequence[Mapping[str, Any]], in_characters: bool) -> Document:
    """The document with given entities as words; sentences that an entity bridges are joined.

    Raises:
        ValueError: If an entity has another form than expected, or touches no word.
    """
    if isinstance(entities, str | Mapping) or not isinstance(entities, Sequence):
        raise ValueError(f'"entities" must be a list of dicts with "start", "end" and "label", got {entities!r}')
    words = document.words
    size = len(document.text) if in_characters else None
    given = [_match_words(words, number, entity, size) for number, entity in enumerate(entities)]
    given.sort(key=lambda entity: (entity.start, entity.end, entity.label))
    joined: list[tuple[Word, ...]] = []
    bridges = [(entity.start, entity.end) for entity in given]
    for first, sentence in zip(document.first_words, document.sentences, strict=True):
        if joined and any(start < first < end for start, end in bridges):
            joined[-1] += sentence
        else:
            joined.append(sentence)
    return replace(document, sentences=tuple(joined), given=tuple(given))


def _match_words(words: Sequence[Word], number: int, entity: Mapping[str, Any], size: int | None) -> GivenEntity:
    """A given entity on the words it touches; in characters of a text of this size, or in words where there is none.

    Raises:
        ValueError: If its form is wrong or it touches no word.
    """
    where = f'"entities"[{number}]'
    if not isinstance(entity, Mapping) or not {"start", "end", "label"} <= set(entity):
        raise ValueError(f'{where} must have "start", "end" and "label", got {entity!r}')
    start, end = entity["start"], entity["end"]
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end:
        raise ValueError(f"{where}: start and end must be integers with 0 <= start < end, got {start!r} and {end!r}")
    most, unit = (len(words), "words") if size is None else (size, "characters")
    if end > most:
        raise ValueError(f"{where}: end {end} lies behind the last of {most} {unit}")
    if size is None:
        return GivenEntity(start, end, str(entity["label"]), False)
    touched = [i for i, word in enumerate(words) if word.start < end and start < word.end]
    if not touched:
        raise ValueError(f"{where}: the characters [{start}, {end}) hold no word of the text")
    first, last = touched[0], touched[-1]
    widened = (words[first].start, words[last].end) != (start, end)
    return GivenEntity(first, last + 1, str(entity["label"]), widened)
