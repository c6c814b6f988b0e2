"""Raw text to sentences and words with character offsets, by rules that need no download and no other package.

Segmentation follows the Penn Treebank's conventions for English news unless `SegmentationRules` say otherwise;
`training.infer_segmentation` reads them off a training set's tokens, so that raw text reaches a model in the
form it was trained on. Scripts that write no spaces (Han, Kana, Thai, Lao, Khmer, Myanmar, ...) are split by character,
marks attached. Sentences are split conservatively: a missed boundary costs little (two sentences share a window), a
wrong one loses every relation across it. Offsets are half-open and count Python characters of the original text.

One regular expression, compiled once per set of rules, finds the words; it never fails after consuming more than a
bounded number of characters, so time is linear in the text. This file travels to the Hub with every model.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

JOINT_MODES = ("never", "letters", "always")
CLITIC_MODES = ("never", "ptb", "apostrophe")
CHOICES = {"split_hyphens": JOINT_MODES, "split_slashes": JOINT_MODES, "split_clitics": CLITIC_MODES}
TYPOGRAPHIC_REPLACEMENTS = (
    ("\u2018", "'"), ("\u2019", "'"), ("\u201a", "'"), ("\u2013", "-"), ("\u2014", "--"), ("\u2026", "..."),
    ("\u2010", "-"), ("\u2011", "-"),
)  # fmt: skip
ESCAPED_BRACKETS = {"(": "-LRB-", ")": "-RRB-", "[": "-LSB-", "]": "-RSB-", "{": "-LCB-", "}": "-RCB-"}

# Never the last word of a sentence: what they introduce follows.
TITLES = frozenset(
    "Mr Mrs Ms Messrs Dr Drs Prof Gen Sen Sens Rep Reps Gov Govs Lt Col Sgt Capt Cmdr Comdr Cpl Pvt Maj Adm Brig Rev "
    "Hon Pres Supt Fr St Ste Mt Ft Mme Mlle vs v cf e.g i.e eg viz Fig Figs fig figs Eq Eqs eq eqs Sec Sect Ref Refs "
    "Nos nos vol Vol vols pp approx ca resp incl esp Ch Chap Tab".split()  # noqa: SIM905  (a list of 80 strings)
)
# May end a sentence, but only a word that rarely starts a name then shows it.
ABBREVIATIONS = frozenset(
    "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Inc Ltd Co Cos Corp Bros Jr Sr Esq Ave Blvd Rd Dept Univ Assn "
    "Intl Natl Govt Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Ky La Md Mass Mich Minn Miss Mo Mont Neb Nev "
    "Okla Ore Pa Tenn Tex Va Vt Wash Wis Wyo Ont etc al ed eds est dept univ Tues Thurs".split()  # noqa: SIM905
)
SENTENCE_STARTERS = frozenset(
    "The This That These Those He She It They We You There Here His Her Its Their Our My In On At For From With By To "
    "Of As And But Or If When While Where After Before Since Although Though Because However Moreover Furthermore "
    "Therefore Thus Then Also Some Many Most Such What Who Why How One Another Other During Under Until Not No A "
    "An".split()  # noqa: SIM905
)

_GLUE = "\u00ad\u061c\u200c-\u200f\u2060-\u2064\ufeff"  # invisible, may stand inside a word
_CONTROLS = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
_INVISIBLE = _GLUE + _CONTROLS + "\u180e\u200b\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f"
# Letters of scripts written without spaces (digits of the same blocks are ordinary digits).
_UNSPACED = (
    "\u0e01-\u0e4f\u0e5a-\u0e5b\u0e81-\u0ecf\u0edc-\u0edf\u1000-\u103f\u104a-\u108f\u109a-\u109f\u1780-\u17df"
    "\u1950-\u19df\u1a20-\u1a7f\u1aa0-\u1aad\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaadf\u2e80-\u2fdf\u3005-\u3007"
    "\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003fffd"
)
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297"
    "\u3299\U0001f000-\U0001f0ff\U0001f170-\U0001f1e5\U0001f200-\U0001faff"
)
_APOSTROPHES = "'\u2019"
_OPENERS = "([{\"'`\u201c\u2018\u00ab\u2039\u00bf\u00a1"
_CLOSERS = ")]}\"'\u201d\u2019\u00bb\u203a"
UNITS = "mg|mcg|ug|kg|ng|g|ml|mL|dl|dL|l|L|mm|cm|km|nm|m|mol|mmol|Hz|kHz|MHz|GHz|KB|MB|GB|TB|kb|mb|gb|tb|h|min|ms"

_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_CLITIC = re.compile(rf"(?:n[{_APOSTROPHES}]t|[{_APOSTROPHES}](?:s|re|ve|ll|d|m))\Z", re.IGNORECASE)
_ACRONYM = re.compile(r"[^\W\d_]{1,2}(?:\.[^\W\d_]{1,2})+\Z")
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


def _strings(name: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple):
        raise ValueError(f"{name} must hold lists of strings, got {values!r}")
    for value in values:
        if not isinstance(value, str) or not value or any(char.isspace() for char in value):
            raise ValueError(f"{name} must hold non-empty strings without spaces, got {value!r}")
    return tuple(values)


@dataclass(frozen=True, slots=True)
class Word:
    """One word: the normalised `text` that the model reads, and its characters `[start, end)` in the original text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class SegmentationRules:
    r"""How raw text becomes sentences and words; the defaults are the Penn Treebank's conventions for English news.

    Args:
        split_sentences: Whether to split text into sentences; otherwise a text is one sentence.
        split_hyphens: Hyphens inside words: "never" split, between "letters" only ("IL-2" stays), or "always".
        split_slashes: The same for slashes; "letters" means before a letter ("120/80" stays, "mg/day" is split).
        split_clitics: "ptb" (do|n't, John|'s, O'Brien), at every "apostrophe" (don|'t, O|'Brien), or "never".
        split_currency: Whether "$3.5" becomes two words.
        split_percent: Whether "5%" becomes two words.
        split_units: Whether "3.5mg" becomes two words.
        split_inner_brackets: Whether brackets inside a word separate it ("10(3)/mm3", "drug(s)").
        split_final_abbreviations: Whether the period of an abbreviation that ends a sentence is a word of its own.
        abbreviations: Abbreviations, without their final period, besides the built-in English ones.
        double_quotes: The forms of an opening and a closing double quote.
        single_quotes: The forms of an opening and a closing single quote.
        replacements: Pairs (or a mapping) of a word or character and the form the model reads instead.

    Raises:
        ValueError: If a setting has the wrong type or an unknown value.

    >>> [word.text for word in segment("Dr. Lee didn't (yet) say \"no\".")[0]]
    ['Dr.', 'Lee', 'did', "n't", '(', 'yet', ')', 'say', '``', 'no', "''", '.']
    """

    split_sentences: bool = True
    split_hyphens: str = "never"
    split_slashes: str = "never"
    split_clitics: str = "ptb"
    split_currency: bool = True
    split_percent: bool = True
    split_units: bool = False
    split_inner_brackets: bool = True
    split_final_abbreviations: bool = False
    abbreviations: tuple[str, ...] = ()
    double_quotes: tuple[str, str] = ("``", "''")
    single_quotes: tuple[str, str] = ("`", "'")
    replacements: tuple[tuple[str, str], ...] = TYPOGRAPHIC_REPLACEMENTS

    def __post_init__(self) -> None:
        """Check every setting and bring collections into one hashable, sorted form."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, bool) and not isinstance(value, bool):
                raise ValueError(f"{field.name} must be true or false, got {value!r}")
            if field.name in CHOICES and value not in CHOICES[field.name]:
                raise ValueError(f"{field.name} must be one of {', '.join(CHOICES[field.name])}, got {value!r}")
        object.__setattr__(self, "abbreviations", tuple(sorted(set(_strings("abbreviations", self.abbreviations)))))
        for name in ("double_quotes", "single_quotes"):
            quotes = _strings(name, getattr(self, name))
            if len(quotes) != 2:
                raise ValueError(f"{name} must hold an opening and a closing quote, got {quotes!r}")
            object.__setattr__(self, name, quotes)
        pairs = self.replacements.items() if isinstance(self.replacements, Mapping) else self.replacements
        checked = [_strings("replacements", pair) for pair in pairs]
        if any(len(pair) != 2 for pair in checked) or len({pair[0] for pair in checked}) < len(checked):
            raise ValueError(f"replacements must be pairs with different first members, got {self.replacements!r}")
        object.__setattr__(self, "replacements", tuple(sorted(checked)))

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain JSON types; `from_dict` reads them back."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return plain | {"replacements": dict(self.replacements)}

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> "SegmentationRules":
        """The rules with these settings, defaults for the rest.

        Raises:
            ValueError: If a setting is unknown or has a wrong value.

        >>> SegmentationRules.from_dict({"split_hyphens": "letters"}).split_hyphens
        'letters'
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(settings) - set(known))
        if unknown:
            raise ValueError(f"unknown segmentation setting {unknown[0]!r}; there are: {', '.join(known)}")
        return cls(**settings)


DEFAULT_RULES = SegmentationRules()


# --- Words -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _mark_class() -> str:
    """Combining marks as the inside of a character class; the interpreter's own tables, read once (about 15 ms)."""
    runs: list[list[int]] = []
    for code in [*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)]:
        if unicodedata.category(chr(code))[0] == "M":
            if runs and runs[-1][1] == code - 1:
                runs[-1][1] = code
            else:
                runs.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in runs)


def _joints(rules: SegmentationRules, x: str) -> str:
    """What may stand between two runs of word characters `x` without ending the word.

    Every alternative begins with the characters it consumes, so that the engine can discard it by one look.
    """
    hyphen = "[-\u2010\u2011]"
    joints = [rf"\.(?!(?<=[a-z][a-z]\.)[A-Z])(?={x})", rf"[&_\u00b7\u05f3\u05f4](?={x})", r"[,:](?<=\d[,:])(?=\d)"]
    joints.append(r'"(?<=[\u05d0-\u05ea]")(?=[\u05d0-\u05ea])')  # Hebrew abbreviations
    if rules.split_clitics != "apostrophe":
        joints.append(rf"([{_APOSTROPHES}])(?={x})")  # a group: `_refine` looks for clitics
    if rules.split_hyphens == "never":
        joints.append(rf"{hyphen}(?={x})|\.{hyphen}(?={x})")
    elif rules.split_hyphens == "letters":
        joints.append(rf"{hyphen}(?=\d)|{hyphen}(?<=\d{hyphen})(?={x})")
    if rules.split_slashes != "always":
        joints.append(r"/(?=\d)" if rules.split_slashes == "letters" else rf"/(?={x})")
    if not rules.split_inner_brackets:
        joints.append(rf"[()\[\]]{{1,2}}[-/]?(?={x})")
    return rf"(?:{'|'.join(joints)})"


def _word_pattern(rules: SegmentationRules, is_ascii: bool, has_addresses: bool) -> re.Pattern[str]:
    """The master expression; a group has matched where `_Segmenter._refine` must look again."""
    x = "[A-Za-z0-9]" if is_ascii else rf"[^\W_{_UNSPACED}]"
    mark = "(?!)" if is_ascii else f"[{_mark_class()}]"
    run = f"{x}+" if is_ascii else f"{x}+(?:(?:[{_GLUE}]{{0,8}}{mark}+[\u200c\u200d]?|[{_GLUE}]{{1,8}}(?={x})){x}*)*"
    percent = "" if rules.split_percent else r"(?:(?<=\d)%)?"
    period = r"(\.(?!\.))?"
    suffix = rf"(?:\+(?<=[A-Za-z]\+)\+?(?!{x})|\#(?<=[A-Z]\#)(?!{x}))?"  # C++, Na+, C#
    word = rf"{run}(?:{_joints(rules, x)}{run})*{suffix}{percent}{period}"
    currency = "" if rules.split_currency else r"[$\u00a2-\u00a5\u20a0-\u20cf]?"
    alternatives = [
        word,
        rf"(?:(?<![^\s(\[=<>~])-)?{currency}(?:(?<!{x})\.)?(?=\d){word}",  # -96.7, $5, .38-caliber
        rf"[{_APOSTROPHES}](?:(?:s|S|re|ve|ll|d|m|t|T)(?!-|{x})|\d\ds?(?!{x}))",  # the rest of John 's; '90s
        rf"[#@](?=(?!\d){x}){run}(?:[-_.]{run})*",
        r"-{2,}|\.{2,}|''|``|={2,}|\*{2,}|_{2,}|~{2,}|\#{2,}",
    ]
    if rules.split_clitics == "apostrophe":
        inside = f"(?:(?<={x}[{_APOSTROPHES}])|(?<={mark}[{_APOSTROPHES}]))"
        alternatives.insert(1, f"[{_APOSTROPHES}]{inside}{run}{period}")
    if not is_ascii:
        emoji = f"[{_EMOJI}](?:{mark}|[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f])*"
        syllable = f"[\u0e40-\u0e44\u0ec0-\u0ec4]?[{_UNSPACED}](?:{mark}|[\u0e33\u0eb3\uff9e\uff9f])*"
        alternatives += [
            f"[\U0001f1e6-\U0001f1ff]{{2}}|{emoji}(?:\u200d{emoji})*",
            f"{syllable}(?:(?<=[\u1039\u17d2]){syllable})*",  # a virama stacks the next consonant
        ]
        alternatives.insert(0, "[0-9#*]\ufe0f?\u20e3")
    if rules.split_units:
        alternatives.insert(0, rf"\d+(?:[.,]\d+)*(?=(?:{UNITS})(?!{x}))")
    if has_addresses:
        body = r"\s<>\"\u3000-\u9fff"
        alternatives.insert(0, r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
        url = rf"(?:[A-Za-z][A-Za-z0-9+.-]{{1,15}}://|www\.)[^{body}]*[^{body}.,;:!?'()\[\]{{}}\u2000-\u206f]"
        alternatives.insert(0, url)
    alternatives.append(rf"[^\s{_INVISIBLE}]")
    return re.compile("|".join(alternatives) if is_ascii else f"(?:{'|'.join(alternatives)}){mark}*")


def is_abbreviation(word: str, extra: frozenset[str]) -> bool:
    """Whether `word`, which a period follows, may own that period (initials apart)."""
    tail = word[max(word.rfind("-"), word.rfind("/")) + 1 :]
    if tail in ABBREVIATIONS or tail in TITLES or tail in extra:
        return True
    if tail.isupper() and len(tail) > 2 and tail.capitalize() in ABBREVIATIONS:
        return True
    return _ACRONYM.match(tail) is not None


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
        special = "".join(re.escape(source) for source in characters)
        phrases = "".join(f"|{re.escape(source)}" for source in self.words if len(source) > 1)
        quotes = "\"'`\u201c-\u201f\u2018-\u201b\u00ab\u00bb"
        self.special = re.compile(f"[{quotes}{special}{invisible}\ud800-\udfff]{phrases}")

    def pattern(self, text: str, start: int, end: int) -> re.Pattern[str]:
        key = (
            text.isascii() or _NON_ASCII.search(text, start, end) is None,
            any(text.find(sign, start, end) >= 0 for sign in ("@", "://", "www.")),
        )
        if key not in self.patterns:
            self.patterns[key] = _word_pattern(self.rules, *key)
        return self.patterns[key]

    def word_ranges(self, text: str, start: int, end: int) -> list[tuple[int, int]]:
        ranges: list[tuple[int, int]] = []
        last = end
        while last > start and (text[last - 1].isspace() or text[last - 1] in _CLOSERS):
            last -= 1
        for match in self.pattern(text, start, end).finditer(text, start, end):
            if match.lastindex is None:
                ranges.append(match.span())
            else:
                self._refine(text, *match.span(), last, ranges)
        return ranges

    def _refine(self, text: str, start: int, end: int, last: int, ranges: list[tuple[int, int]]) -> None:
        """Split a final period and English clitics from the word `[start, end)`."""
        stop = end
        if text[end - 1] == "." and not self._owns_period(text, start, end, last):
            stop = end - 1
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
            return word.isalpha() and word.isupper() and end < last
        if word == "No":
            return text[end : end + 2].strip().isdigit()
        return is_abbreviation(word, self.abbreviations)

    # --- Sentences ---

    def sentence_ranges(self, text: str) -> list[tuple[int, int]]:
        cuts = list(self._sentence_cuts(text)) if self.rules.split_sentences else []
        ranges = []
        start = 0
        for end in [*cuts, len(text)]:
            piece = text[start:end]
            stripped = piece.strip()
            if stripped:
                first = start + len(piece) - len(piece.lstrip())
                ranges.append((first, first + len(stripped)))
            start = end
        return ranges

    def _sentence_cuts(self, text: str) -> Iterator[int]:
        start = 0
        for match in _SENTENCE_END.finditer(text):
            end = match.end()
            if match["stop"] is not None:
                is_cut = end < len(text) and self._ends_sentence(text, start, match)
            elif match["full"] is not None:  # 「…。」と言った goes on
                is_cut = not (match["close"] and text[end : end + 1] in ("と", "っ", "て", "の", "は", "，", "、"))
            else:
                is_cut = True
            if is_cut:
                while end < len(text) and unicodedata.category(text[end])[0] == "M":  # e.g. a variation selector
                    end += 1
                yield end
                start = end

    def _ends_sentence(self, text: str, start: int, match: re.Match[str]) -> bool:
        """Whether the sentence that began at `start` ends with this run of periods, question or exclamation marks."""
        position, marks = match.end(), match["stop"]
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
        if marks != ".":
            return is_starter or not marks.startswith(("..", "\u2026"))
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
            return is_starter
        return True


@lru_cache(maxsize=64)
def _segmenter(rules: SegmentationRules) -> _Segmenter:
    return _Segmenter(rules)


def split_sentences(text: str, rules: SegmentationRules = DEFAULT_RULES) -> list[tuple[int, int]]:
    """The sentences of `text` as half-open character ranges, in order, without surrounding blanks.

    >>> split_sentences("Mr. Lee left. He was in the U.S. Navy.")
    [(0, 13), (14, 38)]
    """
    return _segmenter(rules).sentence_ranges(text)


def split_words(text: str, start: int, end: int, rules: SegmentationRules = DEFAULT_RULES) -> list[tuple[int, int]]:
    """The words of the sentence `text[start:end]` as half-open ranges of `text`'s characters, in order.

    >>> split_words("Ann's here.", 0, 11)
    [(0, 3), (3, 5), (6, 10), (10, 11)]
    """
    return _segmenter(rules).word_ranges(text, start, end)


def normalize_word(word: str, rules: SegmentationRules = DEFAULT_RULES, opening: bool = False) -> str:
    """The form of `word` that the model reads; `opening` says which side a straight quote is on.

    Lone surrogates, which no tokenizer can encode, become U+FFFD; soft hyphens and the like are removed.

    >>> normalize_word("(", SegmentationRules(replacements={"(": "-LRB-"})), normalize_word('"', opening=True)
    ('-LRB-', '``')
    """
    segmenter = _segmenter(rules)
    if segmenter.special.search(word) is None:
        return word
    if word in segmenter.words:
        return segmenter.words[word]
    for quotes, straight, left, right in (
        (rules.double_quotes, ('"',), ("``", "\u201c", "\u201e", "\u201f", "\u00ab"), ("''", "\u201d", "\u00bb")),
        (rules.single_quotes, ("'",), ("`", "\u2018", "\u201a", "\u201b"), ("\u2019",)),
    ):
        if word in straight:
            return quotes[not opening]
        if word in left or word in right:
            return quotes[word in right]
    normalized = word.translate(segmenter.characters)
    return _SURROGATE.sub("\ufffd", normalized) or word


def segment(text: str, rules: SegmentationRules = DEFAULT_RULES) -> list[list[Word]]:
    """The sentences of `text`, each a non-empty list of words in order.

    Every character that is neither blank nor invisible belongs to exactly one word.

    Args:
        text: Any string.
        rules: The conventions to follow.

    Returns:
        Words by sentence; offsets count characters of `text`.

    >>> [[word.text for word in sentence] for sentence in segment("It rains. 我们走吧。")]
    [['It', 'rains', '.'], ['我', '们', '走', '吧', '。']]
    """
    segmenter = _segmenter(rules)
    sentences = []
    for start, end in segmenter.sentence_ranges(text):
        ranges = segmenter.word_ranges(text, start, end)
        if not ranges:
            continue
        if segmenter.special.search(text, start, end) is None:
            sentences.append([Word(text[first:last], first, last) for first, last in ranges])
        else:
            sentences.append(list(_normalized_words(text, ranges, rules)))
    return sentences


def _normalized_words(text: str, ranges: Sequence[tuple[int, int]], rules: SegmentationRules) -> Iterator[Word]:
    """The words at `ranges`; straight quotes open or close by their neighbours or, where those fail, by turns."""
    is_open = {'"': False, "'": False}
    for start, end in ranges:
        word = text[start:end]
        opening = False
        if word in is_open:
            before, behind = text[start - 1 : start] or " ", text[end : end + 1] or " "
            can_open = (before.isspace() or before in "([{-/\u2014'\"") and not behind.isspace()
            can_close = not before.isspace() and (behind.isspace() or not behind.isalnum())
            opening = can_open if can_open != can_close else not is_open[word] and word == '"'
            is_open[word] = opening
        yield Word(normalize_word(word, rules, opening), start, end)
