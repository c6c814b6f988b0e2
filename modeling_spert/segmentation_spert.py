"""Raw text to sentences and words with character offsets, by rules that need no download and no other package.

`segmentation_rules_spert` holds the rules: conventions of English news unless a model's configuration says otherwise.
Scripts that write no spaces (Han, Kana, Thai, Lao, Khmer, Myanmar, ...) are split by character, marks attached.
Sentences are split conservatively: a missed boundary costs little (two sentences share a window), a wrong one loses
every relation across it. Offsets are half-open and count Python characters of the original text.

Time is linear in the text: expressions fail after a bounded number of characters, and each rule reads a bounded
number of characters around a position.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from .segmentation_rules_spert import (
    APOSTROPHES,
    DEFAULT_RULES,
    LETTERED,
    SENTENCE_STARTERS,
    TITLES,
    SegmentationRules,
    is_abbreviation,
    word_pattern,
)

_OPENERS = "([{\"'`\u201c\u2018\u00ab\u2039\u00bf\u00a1"
_CLOSERS = ")]}\"'\u201d\u2019\u00bb\u203a"
_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_CLITIC = re.compile(rf"(?:n[{APOSTROPHES}]t|[{APOSTROPHES}](?:s|re|ve|ll|d|m))\Z", re.IGNORECASE)
_ENUMERATION = re.compile(r"(?:\d{1,3}|[^\W\d_]|[ivxIVX]{2,4})\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FIRST_WORD = re.compile(r"[A-Z][a-z]*(?=[\s,'\u2019])")
# Every alternative matches as soon as its first character does, so the scan is linear. A lone closing quote or bracket
# after a blank belongs to the sentence before it (text that was tokenised already).
_SENTENCE_END = re.compile(
    rf"(?P<stop>[.!?\u2026\u203c\u2047-\u2049\u061f\u06d4]+)[{re.escape(_CLOSERS)}]*"
    rf"(?:[ \t](?:''|[{re.escape(_CLOSERS)}])(?!\S))*"
    r"|(?P<full>[\u3002\uff01\uff1f\uff61\u0964\u0965\u104b\u17d4\u17d5\u1362\u0589]+)"
    r"(?P<close>[\u300d\u300f\uff09\u3011\u3015\u300b\u3009\u201d\u2019\"')\]]*)"
    r"|(?P<paragraph>\n[^\S\n]*\n\s*|[\f\u2029]\s*|\n[^\S\n]*(?=(?:[-*\u2022\u2023\u25aa\u2013]|\d{1,2}[.)])[ \t]))"
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word: the normalised `text` that the model reads, and its characters `[start, end)` in the original text."""

    text: str
    start: int
    end: int


class _Segmenter:
    """The compiled form of one set of rules."""

    def __init__(self, rules: SegmentationRules) -> None:
        self.rules = rules
        self.abbreviations = frozenset(rules.abbreviations)
        self.patterns: dict[tuple[bool, bool], re.Pattern[str]] = {}
        characters = {source: target for source, target in rules.replacements if len(source) == 1}
        invisible = "\u00ad\u061c\u200e\u200f\ufeff" + "".join(map(chr, range(0x2060, 0x2065)))
        self.characters = str.maketrans(characters | dict.fromkeys(invisible, ""))
        self.words = dict(rules.replacements)
        self.has_long_replacements = len(self.words) > len(characters)
        sources = "".join(re.escape(source) for source in characters)
        quotes = "\"'`\u201c-\u201f\u2018-\u201b\u00ab\u00bb"
        self.special = re.compile(f"[{quotes}{sources}{invisible}\ud800-\udfff]")

    # --- Words ---

    def word_ranges(self, text: str, start: int, end: int) -> list[tuple[int, int]]:
        """The words of the sentence `text[start:end]` as ranges of characters, in order."""
        ranges: list[tuple[int, int]] = []
        last = end
        while last > start and (text[last - 1].isspace() or text[last - 1] in _CLOSERS):
            last -= 1
        for match in self._pattern(text, start, end).finditer(text, start, end):
            if match.lastindex is None:
                ranges.append(match.span())
            else:
                self._refine(text, *match.span(), last, ranges)
        return ranges

    def _pattern(self, text: str, start: int, end: int) -> re.Pattern[str]:
        key = (
            text.isascii() or _NON_ASCII.search(text, start, end) is None,
            any(text.find(sign, start, end) >= 0 for sign in ("@", "://", "www.")),
        )
        if key not in self.patterns:
            self.patterns[key] = word_pattern(self.rules, *key)
        return self.patterns[key]

    def _refine(self, text: str, start: int, end: int, last: int, ranges: list[tuple[int, int]]) -> None:
        """Split a final period and English clitics from the word `[start, end)`."""
        stop = end - (text[end - 1] == "." and not self._owns_period(text, start, end, last))
        cuts = [stop]
        if self.rules.split_clitics == "ptb":
            while (clitic := _CLITIC.search(text, max(start, cuts[-1] - 3), cuts[-1])) and clitic.start() > start:
                cuts.append(clitic.start())
        for cut in reversed(cuts):
            ranges.append((start, cut))
            start = cut
        if stop < end:
            ranges.append((stop, end))

    def _owns_period(self, text: str, start: int, end: int, last: int) -> bool:
        word = text[start : end - 1]
        if end >= last and self.rules.split_final_abbreviations:
            return False
        if len(word) == 1:
            return word.isalpha() and word.isupper() and end < last and not _is_letter_name(text, start, end)
        if word == "No":
            return text[end : end + 2].strip().isdigit()
        return is_abbreviation(word, self.abbreviations)

    # --- Sentences ---

    def sentence_ranges(self, text: str) -> list[tuple[int, int]]:
        cuts = self._sentence_cuts(text) if self.rules.split_sentences else ()
        ranges = []
        for start, end in pairwise((0, *cuts, len(text))):
            piece = text[start:end].rstrip()
            stripped = piece.lstrip()
            if stripped:
                ranges.append((start + len(piece) - len(stripped), start + len(piece)))
        return ranges

    def _sentence_cuts(self, text: str) -> Iterator[int]:
        start = 0
        for match in _SENTENCE_END.finditer(text):
            end = match.end()
            is_cut = match["stop"] is None or (end < len(text) and self._ends_sentence(text, start, match))
            if match["close"] and text[end : end + 1] in ("と", "っ", "て", "の", "は", "，", "、"):
                is_cut = False  # 「…。」と言った is one sentence
            if is_cut:
                while end < len(text) and unicodedata.category(text[end])[0] == "M":  # e.g. a variation selector
                    end += 1
                yield end
                start = end

    def _ends_sentence(self, text: str, start: int, match: re.Match[str]) -> bool:
        """Whether the sentence that began at `start` ends with this run of periods, question or exclamation marks."""
        # What follows: after a blank, quotes and brackets aside.
        position, stop = match.end(), match["stop"]
        while position < len(text) and (text[position].isspace() or text[position] == "\u200b"):
            position += 1
        if position == match.end() or position == len(text):
            return False
        while position < len(text) - 1 and (text[position] in _OPENERS or text[position].isspace()):
            position += 1
        following = text[position]
        if following.islower():
            return False
        first_word = _FIRST_WORD.match(text, position, position + 20)
        is_starter = first_word is not None and first_word[0] in SENTENCE_STARTERS
        # "?", "!" and "..." need no more; a period may belong to the word before it.
        if stop != ".":
            return is_starter or not stop.startswith(("..", "\u2026"))
        before = text[max(start, match.start() - 40) : match.start()]
        if not before or before[-1].isspace():
            return True
        word = before.split()[-1].lstrip(_OPENERS)
        ahead = match.start() - len(word) - start
        if ahead < 8 and _ENUMERATION.match(word) and not text[start : start + ahead].strip(_OPENERS + " \n\t"):
            return False  # "1. First"
        if word in TITLES or (word == "No" and following.isdigit()):
            return False
        if (len(word) == 1 and word.isalpha()) or is_abbreviation(word, self.abbreviations):
            return is_starter or (len(word) == 1 and _is_letter_name(text, match.start() - 1, match.end()))
        return True

    # --- The form that the model reads ---

    def words_of(self, text: str, start: int, end: int) -> list[Word]:
        """The normalised words of the sentence `text[start:end]`.

        Straight quotes open or close by their neighbours or, where those do not tell, by turns.
        """
        ranges = self.word_ranges(text, start, end)
        if self.special.search(text, start, end) is None and not self.has_long_replacements:
            return [Word(text[first:last], first, last) for first, last in ranges]
        words = []
        is_open = {'"': False, "'": False}
        for first, last in ranges:
            word, opening = text[first:last], False
            if word in is_open:
                before, after = text[first - 1 : first] or " ", text[last : last + 1] or " "
                can_open = (before.isspace() or before in "([{-/\u2014'\"") and not after.isspace()
                can_close = not before.isspace() and (after.isspace() or not after.isalnum())
                opening = can_open if can_open != can_close else not is_open[word] and word == '"'
                is_open[word] = opening
            words.append(Word(self._normalize(word, opening), first, last))
        return words

    def _normalize(self, word: str, opening: bool) -> str:
        """The form of a word; `opening` says which side a straight quote is on.

        Lone surrogates, which no tokenizer can encode, become U+FFFD; soft hyphens and the like are removed.
        """
        if word in self.words:
            return self.words[word]
        if self.special.search(word) is None:
            return word
        for quotes, straight, left, right in (
            (self.rules.double_quotes, '"', ("``", "\u201c", "\u201e", "\u201f", "\u00ab"), ("''", "\u201d", "\u00bb")),
            (self.rules.single_quotes, "'", ("`", "\u2018", "\u201a", "\u201b"), ("\u2019",)),
        ):
            if word == straight:
                return quotes[not opening]
            if word in left or word in right:
                return quotes[word in right]
        return _SURROGATE.sub("\ufffd", word.translate(self.characters)) or word


def _is_letter_name(text: str, start: int, end: int) -> bool:
    """Whether the letter at `start`, whose period ends at `end`, is no initial: hepatitis C, vitamin D."""
    before = text[max(0, start - 20) : start].replace("(", " ").split()
    if not before or not before[-1].islower():
        return False
    first_word = _FIRST_WORD.match(text[end : end + 20].lstrip())
    return before[-1] in LETTERED or (first_word is not None and first_word[0] in SENTENCE_STARTERS)


_segmenter = lru_cache(maxsize=64)(_Segmenter)


def segment(text: str, rules: SegmentationRules = DEFAULT_RULES) -> list[list[Word]]:
    """The sentences of any `text`, each a non-empty list of words in order, whose offsets count characters of `text`.

    Every character that is neither blank nor invisible belongs to exactly one word.

    >>> [[word.text for word in sentence] for sentence in segment("It isn't (yet) raining. 我们走吧。")]
    [['It', 'is', "n't", '(', 'yet', ')', 'raining', '.'], ['我', '们', '走', '吧', '。']]
    """
    segmenter = _segmenter(rules)
    sentences = (segmenter.words_of(text, start, end) for start, end in segmenter.sentence_ranges(text))
    return [words for words in sentences if words]
