"""Segmentation rules from data: the conventions of a training set's tokens, found by counting.

Only training needs this module: the rules travel with the model, in its configuration.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from modeling_spert.segmentation_rules_spert import (
    ABBREVIATIONS,
    TITLES,
    TYPOGRAPHIC_REPLACEMENTS,
    UNITS,
    SegmentationRules,
    is_abbreviation,
)

_ESCAPED_BRACKETS = {"(": "-LRB-", ")": "-RRB-", "[": "-LSB-", "]": "-RSB-", "{": "-LCB-", "}": "-RCB-"}
_INFERRED = {  # what each pattern is evidence of, counted over single tokens ...
    "hyphen kept": re.compile(r".*[^\W\d_]-[^\W\d_]"),
    "hyphen kept at digit": re.compile(r".*(?:\d-\w|\w-\d)"),
    "slash kept": re.compile(r".*\w/[^\W\d_]"),
    "slash kept at digit": re.compile(r".*\w/\d"),
    "clitic kept": re.compile(r"\w+(?:n['\u2019]t|['\u2019](?:s|re|ve|ll))\Z", re.IGNORECASE),
    "clitic split": re.compile(r"(?:n['\u2019]t|['\u2019](?:s|re|ve|ll))\Z", re.IGNORECASE),
    "n't split": re.compile(r"n['\u2019]t\Z", re.IGNORECASE),
    "currency kept": re.compile(r"[$\u00a3\u20ac]\d"),
    "percent kept": re.compile(r"[\d.,]*\d%\Z"),
    "unit kept": re.compile(rf"[\d.,]*\d(?:{UNITS})\Z"),
    "inner bracket kept": re.compile(r".*\w[(\[]\w"),
}
_INFERRED_PAIRS = {  # ... and over pairs of adjacent tokens, joined by a space
    "hyphen split": re.compile(r".*[^\W\d_] -\Z"),
    "hyphen split at digit": re.compile(r".*\d -\Z"),
    "slash split": re.compile(r"/ [^\W\d_]"),
    "slash split at digit": re.compile(r"/ \d"),
    "apostrophe split": re.compile(r"(?:.*n ['\u2019]t|O ['\u2019]\w+)\Z", re.IGNORECASE),
    "currency split": re.compile(r"[$\u00a3\u20ac] \d"),
    "percent split": re.compile(r".*\d %\Z"),
    "unit split": re.compile(rf"[\d.,]*\d (?:{UNITS})\Z"),
}


def infer_rules(token_rows: Iterable[Sequence[str]]) -> SegmentationRules:
    """The rules that best reproduce the conventions of a training set; where it is silent, the defaults.

    Args:
        token_rows: The words of each row (sentence).

    Returns:
        Rules that depend on the rows' tokens only, not on their order.

    >>> rules = infer_rules([["a", "drug", "-", "induced", '"', "rash", '"', "(", "5%", ")"]])
    >>> rules.split_hyphens, rules.double_quotes, rules.split_percent
    ('letters', ('"', '"'), False)
    """
    tokens: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    last_pairs: Counter[str] = Counter()
    multiple = num_rows = 0
    # Count tokens, pairs of adjacent tokens, the last pair of each row, and rows of several sentences.
    for row in token_rows:
        tokens.update(row)
        pairs.update(map(" ".join, zip(row, row[1:], strict=False)))
        last_pairs.update([" ".join(row[-2:])])
        num_rows += 1
        multiple += any(a in (".", "?", "!") and b[:1].isupper() for a, b in zip(row, row[1:], strict=False))
    found = {name: _count(tokens, pattern) for name, pattern in _INFERRED.items()}
    found |= {name: _count(pairs, pattern) for name, pattern in _INFERRED_PAIRS.items()}
    # Abbreviations, and whether those that end a row keep their period.
    abbreviations = _learned_abbreviations(tokens, last_pairs)
    known = frozenset(abbreviations)
    final = [(pair.split(" "), count) for pair, count in last_pairs.items()]
    final_kept = sum(n for row, n in final if row[-1][-1:] == "." and is_abbreviation(row[-1][:-1], known))
    final_split = sum(n for row, n in final if row[-1] == "." and is_abbreviation(row[0], known))
    # Clitics.
    if found["apostrophe split"] > found["n't split"]:
        clitics = "apostrophe"
    else:
        clitics = "never" if found["clitic kept"] > found["clitic split"] else "ptb"
    return SegmentationRules(
        split_sentences=multiple * 2 <= num_rows,
        split_hyphens=_joint_mode(found, "hyphen"),
        split_slashes=_joint_mode(found, "slash"),
        split_clitics=clitics,
        split_currency=found["currency split"] >= found["currency kept"],
        split_percent=found["percent split"] >= found["percent kept"],
        split_units=found["unit kept"] == 0 and found["unit split"] >= 10,
        split_inner_brackets=found["inner bracket kept"] < 3,
        # Only if the data are clear: otherwise offsets that include the whole abbreviation are the better answer.
        split_final_abbreviations=final_split >= 5 and final_split > 3 * final_kept,
        abbreviations=abbreviations,
        replacements=_inferred_replacements(tokens),
        **_inferred_quotes(tokens, pairs),
    )


def _count(counts: Mapping[str, int], pattern: re.Pattern[str]) -> int:
    return sum(count for text, count in counts.items() if pattern.match(text))


def _joint_mode(found: Mapping[str, int], joint: str) -> str:
    if found[f"{joint} split"] <= found[f"{joint} kept"]:
        return "never"
    return "always" if found[f"{joint} split at digit"] > found[f"{joint} kept at digit"] else "letters"


def _learned_abbreviations(tokens: Mapping[str, int], last_pairs: Mapping[str, int]) -> tuple[str, ...]:
    """Short words that mostly carry a period, other than at the end of a row, where any word may have kept it."""
    last: Counter[str] = Counter()
    for pair, count in last_pairs.items():
        last[pair.split(" ")[-1]] += count
    learned = []
    for token, count in tokens.items():
        word = token[:-1]
        known = word in ABBREVIATIONS or word in TITLES or word == "No"
        if token.endswith(".") and 1 < len(word) <= 6 and word.isalpha() and not known:
            inside = count - last[token]
            if inside >= 2 and inside > tokens.get(word, 0):
                learned.append(word)
    return tuple(learned)


def _inferred_quotes(tokens: Mapping[str, int], pairs: Mapping[str, int]) -> dict[str, tuple[str, str]]:
    """The most frequent form of each pair of quotes; a straight double quote opens and closes, so it counts half."""
    doubles = {
        ("``", "''"): max(tokens.get("``", 0) + pairs.get("` `", 0), tokens.get("''", 0) + pairs.get("' '", 0)),
        ('"', '"'): tokens.get('"', 0) / 2,
        ("\u201c", "\u201d"): tokens.get("\u201c", 0),
        ("\u00ab", "\u00bb"): tokens.get("\u00ab", 0),
    }
    chosen = {}
    best = max(doubles, key=lambda quotes: doubles[quotes])
    if doubles[best] > 0:
        chosen["double_quotes"] = best
    # Apostrophes after a plural look like closing quotes, so only the opening forms are evidence.
    if tokens.get("\u2018", 0) >= 3:
        chosen["single_quotes"] = ("\u2018", "\u2019")
    elif tokens.get("`", 0) - 2 * pairs.get("` `", 0) < 3 and tokens.get("'", 0) - 2 * pairs.get("' '", 0) >= 3:
        chosen["single_quotes"] = ("'", "'")
    return chosen


def _inferred_replacements(tokens: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    characters = {char for token in tokens for char in token}
    chosen = [pair for pair in TYPOGRAPHIC_REPLACEMENTS if pair[0] not in characters]
    for left, right in ("()", "[]", "{}"):
        escaped = (_ESCAPED_BRACKETS[left], _ESCAPED_BRACKETS[right])
        if sum(tokens.get(form, 0) for form in escaped) > tokens.get(left, 0) + tokens.get(right, 0):
            chosen += [(left, escaped[0]), (right, escaped[1])]
    return tuple(chosen)
