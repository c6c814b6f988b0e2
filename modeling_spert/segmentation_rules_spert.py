"""What segmentation follows: its settings, its word lists, and the regular expression for words.

The defaults are the Penn Treebank's conventions for English news; `training.infer_segmentation` infers other settings
from the tokens of a training set. `segmentation_spert` applies the rules.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

# --- Word lists ------------------------------------------------------------------------------------------------------

CHOICES = dict.fromkeys(("split_hyphens", "split_slashes"), ("never", "letters", "always"))
CHOICES["split_clitics"] = ("never", "ptb", "apostrophe")
TYPOGRAPHIC_REPLACEMENTS = (
    ("\u2018", "'"), ("\u2019", "'"), ("\u201a", "'"), ("\u2013", "-"), ("\u2014", "--"), ("\u2026", "..."),
    ("\u2010", "-"), ("\u2011", "-"),
)  # fmt: skip

# Never the last word of a sentence: the name or number that they introduce follows.
TITLES = frozenset(
    "Mr Mrs Ms Messrs Dr Drs Prof Gen Sen Sens Rep Reps Gov Govs Lt Col Sgt Capt Cmdr Comdr Cpl Pvt Maj Adm Brig Rev "
    "Hon Pres Supt Fr St Ste Mt Ft Mme Mlle vs v cf e.g i.e eg viz Fig Figs fig figs Eq Eqs eq eqs Sec Sect Ref Refs "
    "Nos nos vol Vol vols pp approx ca resp incl esp Ch Chap Tab".split()  # noqa: SIM905  (a list of 80 strings)
)
# Can end a sentence: text is split after them only if the next word is a typical start of a sentence.
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
# A single letter after one of these is a name, never an initial: hepatitis C, vitamin D.
LETTERED = frozenset(
    "hepatitis influenza vitamin amphotericin mitomycin actinomycin penicillin cyclosporin cyclosporine hemophilia "
    "haemophilia immunoglobulin coenzyme protein factor type subtype group class grade stage phase category".split()  # noqa: SIM905
)

UNITS = "mg|mcg|ug|kg|ng|g|ml|mL|dl|dL|l|L|mm|cm|km|nm|m|mol|mmol|Hz|kHz|MHz|GHz|KB|MB|GB|TB|kb|mb|gb|tb|h|min|ms"
_ACRONYM = re.compile(r"[^\W\d_]{1,2}(?:\.[^\W\d_]{1,2})+\Z")  # U.S, p.m


def is_abbreviation(word: str, extra: frozenset[str]) -> bool:
    """Whether `word`, which a period follows, may own that period (initials apart)."""
    tail = word[max(word.rfind("-"), word.rfind("/")) + 1 :]
    is_known = tail in ABBREVIATIONS or tail in TITLES or tail in extra
    in_capitals = tail.isupper() and len(tail) > 2 and tail.capitalize() in ABBREVIATIONS
    return is_known or in_capitals or _ACRONYM.match(tail) is not None


# --- Settings --------------------------------------------------------------------------------------------------------


def _strings(name: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple):
        raise ValueError(f"{name} must hold lists of strings, got {values!r}")
    for value in values:
        if not isinstance(value, str) or not value or any(char.isspace() for char in value):
            raise ValueError(f"{name} must hold non-empty strings without spaces, got {value!r}")
    return tuple(values)


@dataclass(frozen=True)
class SegmentationRules:
    """How raw text becomes sentences and words; the defaults are the Penn Treebank's conventions for English news.

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
        for name, value in vars(self).items():
            if isinstance(getattr(SegmentationRules, name), bool) and not isinstance(value, bool):
                raise ValueError(f"{name} must be true or false, got {value!r}")
            if name in CHOICES and value not in CHOICES[name]:
                raise ValueError(f"{name} must be one of {', '.join(CHOICES[name])}, got {value!r}")
        object.__setattr__(self, "abbreviations", tuple(sorted(set(_strings("abbreviations", self.abbreviations)))))
        for name in ("double_quotes", "single_quotes"):
            quotes = _strings(name, getattr(self, name))
            if len(quotes) != 2:
                raise ValueError(f"{name} must hold an opening and a closing quote, got {quotes!r}")
            object.__setattr__(self, name, quotes)
        pairs = self.replacements.items() if isinstance(self.replacements, Mapping) else self.replacements
        if not isinstance(self.replacements, Mapping | list | tuple):
            raise ValueError(f"replacements must be pairs or a mapping of strings, got {self.replacements!r}")
        checked = [_strings("replacements", pair) for pair in pairs]
        if any(len(pair) != 2 for pair in checked) or len({pair[0] for pair in checked}) < len(checked):
            raise ValueError(f"replacements must be pairs with different first members, got {self.replacements!r}")
        object.__setattr__(self, "replacements", tuple(sorted(checked)))

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain JSON types; `from_dict` reads them back."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}
        return plain | {"replacements": dict(self.replacements)}

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> "SegmentationRules":
        """The rules with these settings, defaults for the rest.

        Raises:
            ValueError: If a setting is unknown or has a wrong value.

        >>> SegmentationRules.from_dict({"split_hyphens": "letters"}).split_hyphens
        'letters'
        """
        if not isinstance(settings, Mapping):
            raise ValueError(f"segmentation must be a dict of settings, got {settings!r}")
        known = [field.name for field in fields(cls)]
        for name in sorted(set(settings) - set(known)):
            raise ValueError(f"unknown segmentation setting {name!r}; there are: {', '.join(known)}")
        return cls(**settings)


DEFAULT_RULES = SegmentationRules()


def rules_of_settings(settings: Mapping[str, Any] | None) -> SegmentationRules:
    """The rules of a configuration's `segmentation`, checked only once; None stands for the defaults.

    Raises:
        ValueError: If a setting is unknown or has a wrong value.
    """
    return _rules_of_json(json.dumps(settings or {}, sort_keys=True))


@lru_cache(maxsize=16)
def _rules_of_json(settings: str) -> SegmentationRules:
    return SegmentationRules.from_dict(json.loads(settings))


# --- Characters, as the inside of a character class ------------------------------------------------------------------

APOSTROPHES = "'\u2019"
_GLUE = "\u00ad\u061c\u200c-\u200f\u2060-\u2064\ufeff"  # invisible, may be inside a word
_CONTROLS = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
_INVISIBLE = _GLUE + _CONTROLS + "\u180e\u200b\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f"
# Letters of scripts that write no spaces (digits of the same blocks are ordinary digits): 我|们|走|吧, ไท|ย
_UNSPACED_SCRIPTS = (
    "\u0e01-\u0e4f\u0e5a-\u0e5b\u0e81-\u0ecf\u0edc-\u0edf\u1000-\u103f\u104a-\u108f\u109a-\u109f\u1780-\u17df"
    "\u1950-\u19df\u1a20-\u1a7f\u1aa0-\u1aad\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaadf\u2e80-\u2fdf\u3005-\u3007"
    "\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003fffd"
)
# 👍🏽, ❤️, and what joins to one picture: 👨‍👩‍👧
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297"
    "\u3299\U0001f000-\U0001f0ff\U0001f170-\U0001f1e5\U0001f200-\U0001faff"
)


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


# --- Words -----------------------------------------------------------------------------------------------------------


def word_pattern(rules: SegmentationRules, is_ascii: bool, has_addresses: bool) -> re.Pattern[str]:
    """The expression that finds words: what matches first at a character is the word.

    Every alternative either matches or fails after a bounded number of characters, so a scan takes linear time. A group
    has matched where a final period or a clitic may have to be split off. In ASCII text there are no marks, emoji or
    scripts without spaces to look for; `has_addresses` is whether URLs or e-mail addresses may occur.
    """
    # A run of word characters, with the marks and invisible characters inside it: naïve, co-op without its hyphen
    x = "[A-Za-z0-9]" if is_ascii else rf"[^\W_{_UNSPACED_SCRIPTS}]"
    mark = "(?!)" if is_ascii else f"[{_mark_class()}]"
    run = f"{x}+" if is_ascii else f"{x}+(?:(?:[{_GLUE}]{{0,8}}{mark}+[\u200c\u200d]?|[{_GLUE}]{{1,8}}(?={x})){x}*)*"
    alternatives = [*_ADDRESSES] if has_addresses else []
    if rules.split_units:
        alternatives += [rf"\d+(?:[.,]\d+)*(?=(?:{UNITS})(?!{x}))"]  # 3.5|mg
    words, other = _latin_words(rules, x, run, mark), rf"[^\s{_INVISIBLE}]"
    if is_ascii:
        return re.compile("|".join([*alternatives, *words, other]))
    keycap, flag = "[0-9#*]\ufe0f?\u20e3", "[\U0001f1e6-\U0001f1ff]{2}"  # 1️⃣, 🇩🇪
    emoji = f"[{_EMOJI}](?:{mark}|[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f])*"  # with what modifies it
    # A character with its marks: ที่, มြ, カﾞ; a virama stacks the next consonant.
    syllable = f"[\u0e40-\u0e44\u0ec0-\u0ec4]?[{_UNSPACED_SCRIPTS}](?:{mark}|[\u0e33\u0eb3\uff9e\uff9f])*"
    unspaced = f"{syllable}(?:(?<=[\u1039\u17d2]){syllable})*"
    alternatives += [keycap, *words, flag, f"{emoji}(?:\u200d{emoji})*", unspaced, other]
    return re.compile(f"(?:{'|'.join(alternatives)}){mark}*")


_URL_END = r"\s<>\"\u3000-\u9fff"
_ADDRESSES = [
    # https://a.b/c?d=e, www.a.org/x
    rf"(?:[A-Za-z][A-Za-z0-9+.-]{{1,15}}://|www\.)[^{_URL_END}]*[^{_URL_END}.,;:!?'()\[\]{{}}\u2000-\u206f]",
    # jo.do+x@mail.example.com
    r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+",
]


def _latin_words(rules: SegmentationRules, x: str, run: str, mark: str) -> list[str]:
    """Words of scripts with spaces, numbers, tags and repeated signs, from word characters `x` and their `run`."""
    percent = "" if rules.split_percent else r"(?:(?<=\d)%)?"
    period = r"(\.(?!\.))?"
    suffix = rf"(?:\+(?<=[A-Za-z]\+)\+?(?!{x})|\#(?<=[A-Z]\#)(?!{x}))?"  # C++, Na+, C#
    word = rf"{run}(?:{_joints(rules, x)}{run})*{suffix}{percent}{period}"  # state-of-the-art, U.S., 1,234.56
    currency = "" if rules.split_currency else r"[$\u00a2-\u00a5\u20a0-\u20cf]?"
    alternatives = [word]
    if rules.split_clitics == "apostrophe":  # O|'Brien
        inside = f"(?:(?<={x}[{APOSTROPHES}])|(?<={mark}[{APOSTROPHES}]))"
        alternatives.append(f"[{APOSTROPHES}]{inside}{run}{period}")
    return [
        *alternatives,
        rf"(?:(?<![^\s(\[=<>~])-)?{currency}(?:(?<!{x})\.)?(?=\d){word}",  # -96.7, $5, .38-caliber
        rf"[{APOSTROPHES}](?:(?:s|S|re|ve|ll|d|m|t|T)(?!-|{x})|\d\ds?(?!{x}))",  # the rest of John|'s; '90s
        rf"[#@](?=(?!\d){x}){run}(?:[-_.]{run})*",  # @user, #tag
        r"-{2,}|\.{2,}|''|``|={2,}|\*{2,}|_{2,}|~{2,}|\#{2,}",
    ]


def _joints(rules: SegmentationRules, x: str) -> str:
    """What may be between two runs of word characters `x` without ending the word.

    Every alternative begins with the characters it consumes, so that the engine can discard it at once.
    """
    hyphen = "[-\u2010\u2011]"
    joints = [rf"\.(?!(?<=[a-z][a-z]\.)[A-Z])(?={x})", rf"[&_\u00b7\u05f3\u05f4](?={x})", r"[,:](?<=\d[,:])(?=\d)"]
    joints.append(r'"(?<=[\u05d0-\u05ea]")(?=[\u05d0-\u05ea])')  # Hebrew abbreviations
    if rules.split_clitics != "apostrophe":
        joints.append(rf"([{APOSTROPHES}])(?={x})")  # a group: clitics may be split off
    if rules.split_hyphens == "never":
        joints.append(rf"{hyphen}(?={x})|\.{hyphen}(?={x})")
    elif rules.split_hyphens == "letters":
        joints.append(rf"{hyphen}(?=\d)|{hyphen}(?<=\d{hyphen})(?={x})")
    if rules.split_slashes != "always":
        joints.append(r"/(?=\d)" if rules.split_slashes == "letters" else rf"/(?={x})")
    if not rules.split_inner_brackets:
        joints.append(rf"[()\[\]]{{1,2}}[-/]?(?={x})")
    return rf"(?:{'|'.join(joints)})"
