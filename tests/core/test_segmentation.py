"""Raw text to sentences and words: coverage, offsets, scripts, English conventions, inference of rules, linear time."""

from __future__ import annotations

import importlib
import itertools
import json
import random
import time
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling_spert.segmentation_rules_spert import SegmentationRules, rules_of_settings
from modeling_spert.segmentation_spert import Word, _segmenter, segment
from modeling_spert.training.infer_segmentation import infer_rules

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"

DEFAULT = SegmentationRules()
EAGER = SegmentationRules(
    split_hyphens="letters",
    split_slashes="letters",
    split_clitics="apostrophe",
    split_currency=False,
    split_percent=False,
    split_units=True,
    split_inner_brackets=False,
    split_final_abbreviations=True,
    replacements={"(": "-LRB-", ")": "-RRB-"},
)
ALWAYS = SegmentationRules(split_hyphens="always", split_slashes="always", split_clitics="never", split_sentences=False)

PIECES = [
    *"aB9é中แ한ع .,;:!?'\"`-_/\\@#$%&*()[]{}<>+=~|^\t\n\r\x00\x1f\x85\xa0\xad\u2028\u2029\ud800",
    *"\u0301\u200b\u200c\u200d\ufeff\ufe0f\u20e3\u2019\u201c\u2014\u2026\u202e\u3000。？！؟।॥「」ー々ำ្ក္ิ",
    *(
        "e\u0301",
        "👩\u200d💻",
        "👍🏽",
        "🇩🇪",
        "1\ufe0f\u20e3",
        "🏴\U000e0067\U000e0062\U000e007f",
        "U.S.",
        "Dr. ",
        "e.g. ",
    ),
    *("n't", "'s", "3.5mg", "$1,000.50", "http://", "www.", "a@b.co", "...", "``", "''", "می\u200cخواهم", "क्\u200dष"),
    *(
        ". The ",
        "? He",
        ".\n\n",
        "\n- ",
        "\u0e40\u0e01",
        "\U0001d400",
        "\U000e0100",
        "\uff76\uff9e",
        "ß",
        "ﬁ",
        "½",
        "Ⅷ",
    ),
]
texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join))
rule_sets = st.sampled_from([DEFAULT, EAGER, ALWAYS])


def split_sentences(text: str, rules: SegmentationRules = DEFAULT) -> list[tuple[int, int]]:
    """The sentences as ranges of characters, before they are split into words."""
    return _segmenter(rules).sentence_ranges(text)


def is_visible(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char) not in ("Cc", "Cf")


def words_of(text: str, rules: SegmentationRules = DEFAULT) -> list[str]:
    return [word.text for sentence in segment(text, rules) for word in sentence]


def sentences_of(text: str, rules: SegmentationRules = DEFAULT) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, rules)]


# --- Properties ---


@settings(deadline=None, max_examples=400)
@given(texts, rule_sets)
def test_segment_covers_every_visible_character_exactly_once(text: str, rules: SegmentationRules):
    covered = [0] * len(text)
    position = 0
    for sentence in segment(text, rules):
        assert sentence
        for word in sentence:
            assert position <= word.start < word.end <= len(text)
            position = word.end
            assert word.text
            assert not any(char.isspace() for char in word.text)
            word.text.encode()  # no lone surrogate reaches a tokenizer
            assert not any(char.isspace() for char in text[word.start : word.end])
            for index in range(word.start, word.end):
                covered[index] += 1
    for char, count in zip(text, covered, strict=True):
        assert count == 1 if is_visible(char) else count <= 1


@settings(deadline=None)
@given(texts, rule_sets)
def test_split_sentences_covers_the_text_in_order(text: str, rules: SegmentationRules):
    ranges = split_sentences(text, rules)
    bounds = list(itertools.chain.from_iterable(ranges))
    assert bounds == sorted(bounds)
    covered = "".join(text[start:end] for start, end in ranges)
    assert "".join(covered.split()) == "".join(text.split())
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in ranges)


@settings(deadline=None)
@given(texts, rule_sets)
def test_segment_finds_words_inside_the_sentences(text: str, rules: SegmentationRules):
    ranges = split_sentences(text, rules)
    found = [(sentence[0].start, sentence[-1].end) for sentence in segment(text, rules)]
    homes = [next(i for i, (start, end) in enumerate(ranges) if start <= first < last <= end) for first, last in found]
    assert homes == sorted(set(homes))


@settings(deadline=None)
@given(texts)
def test_segment_keeps_combining_marks_with_their_base(text: str):
    starts = {word.start for sentence in segment(text) for word in sentence}
    for index in range(1, len(text)):
        if unicodedata.category(text[index])[0] == "M" and is_visible(text[index - 1]):
            assert index not in starts


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.lists(st.text(alphabet="ab1.-'`\"/()%$ ", min_size=1, max_size=6), max_size=8), max_size=8),
    st.randoms(),
)
def test_infer_rules_does_not_depend_on_the_order_of_rows(rows: list[list[str]], generator: random.Random):
    shuffled = generator.sample(rows, len(rows))
    rules = infer_rules(rows)
    assert infer_rules(iter(shuffled)) == rules
    assert SegmentationRules.from_dict(json.loads(json.dumps(rules.to_dict()))) == rules


# --- Words ---


@pytest.mark.parametrize("text", ["", " ", "\t \n\r\n ", "\u200b\ufeff\u200d\xad", "\x00\x07"])
def test_segment_of_text_without_words_is_empty(text: str):
    assert segment(text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("They don't; John's, I'd've, O'Brien's.", "They do n't ; John 's , I 'd 've , O'Brien 's ."),
        ("the dogs' 'nice' bowl", "the dogs ' ` nice ' bowl"),
        ('"Go," he said (twice).', "`` Go , '' he said ( twice ) ."),
        ('a "quoted ("nested") part" here', "a `` quoted ( `` nested '' ) part '' here"),
        ("\u201cHi\u201d \u2014 it\u2019s 1990\u20131995\u2026", "`` Hi '' -- it 's 1990 - 1995 ..."),
        ("$3.5 and 1,234.56, 5% of -3 at 10:30.", "$ 3.5 and 1,234.56 , 5 % of -3 at 10:30 ."),
        ("on 2020-01-31 or 1/2/2020, .5 or 3.5mg", "on 2020-01-31 or 1/2/2020 , .5 or 3.5mg"),
        ("AT&T, R&D, state-of-the-art; U.S.-led and/or", "AT&T , R&D , state-of-the-art ; U.S.-led and/or"),
        ("See https://a.b/c?d=e,f#g. Or (www.a.org/x).", "See https://a.b/c?d=e,f#g . Or ( www.a.org/x ) ."),
        ("mail jo.do+x@mail.example.com, ok", "mail jo.do+x@mail.example.com , ok"),
        ("@user #tag snake_case C++ C# F#", "@user #tag snake_case C++ C# F#"),
        ("wait...what -- no---yes ====", "wait ... what -- no --- yes ===="),
        ("Dr. J. R. Smith, e.g. of the U.S., p.m. Jan. 4", "Dr. J. R. Smith , e.g. of the U.S. , p.m. Jan. 4"),
        ("He left.She came. example.com v1.2.3", "He left . She came . example.com v1.2.3"),
        ("He lives in the U.S.", "He lives in the U.S."),
        ("Too little vitamin C.", "Too little vitamin C ."),
        ("the '90s and '95", "the '90s and '95"),
        ("do n't John 's '' ``", "do n't John 's '' ``"),
    ],
)
def test_segment_follows_treebank_conventions_by_default(text: str, words: str):
    assert words_of(text, SegmentationRules(split_sentences=False)) == words.split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("drug-induced IL-2 5-FU 26-year-old", "drug - induced IL-2 5-FU 26-year - old"),
        ("400 mg/day, 120/80", "400 mg / day , 120/80"),
        ("I don't, O'Brien's.", "I don 't , O 'Brien 's ."),
        ("$3.5 or 5% of 3.5mg", "$3.5 or 5% of 3.5 mg"),
        ("10(3)/mm3 drug(s)", "10(3)/mm3 drug(s )"),
        ("in the U.S.", "in the U.S ."),
    ],
)
def test_segment_follows_other_rules(text: str, words: str):
    assert words_of(text, replace(EAGER, replacements=())) == words.split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cafe\u0301 café", ["cafe\u0301", "café"]),
        ("hi👨\u200d👩\u200d👧👍🏽🇩🇪🇫🇷❤️1️⃣!", ["hi", "👨\u200d👩\u200d👧", "👍🏽", "🇩🇪", "🇫🇷", "❤️", "1️⃣", "!"]),
        ("我们2024年去ABC公司", [*"我们", "2024", *"年去", "ABC", *"公司"]),
        ("カﾞﾊﾞ", ["カﾞ", "ﾊﾞ"]),
        ("ที่ไทย", ["ที่", "ไท", "ย"]),
        ("ខ្មែរ", ["ខ្មែ", "រ"]),
        ("မြန်မာ", ["မြ", "န်", "မာ"]),
        ("ລາວດີ", ["ລ", "າ", "ວ", "ດີ"]),
        ("한국어 단어", ["한국어", "단어"]),
        ("हिन्दी क्\u200dष", ["हिन्दी", "क्\u200dष"]),
        ('צה"ל שלום', ['צה"ל', "שלום"]),
        ("نمی\u200cخواهم، كيف؟", ["نمی\u200cخواهم", "،", "كيف", "؟"]),
        ("\ufeffco\u00adop\u200bxx\u200d y\u2060z", ["coop", "xx", "yz"]),
        ("a\x00b\x07", ["a", "b"]),
        ("\ud800a", ["\ufffd", "a"]),
    ],
)
def test_segment_handles_scripts_and_invisible_characters(text: str, words: list[str]):
    assert words_of(text) == words


def test_segment_offsets_count_characters_of_the_original_text():
    text = "  \u201cCo\u00adop\u201d\t\tdon\u2019t "
    assert segment(text) == [
        [Word("``", 2, 3), Word("Coop", 3, 8), Word("''", 8, 9), Word("do", 11, 13), Word("n't", 13, 16)]
    ]


def test_segment_applies_replacements_to_words_and_characters():
    rules = SegmentationRules(replacements={"(": "-LRB-", "ß": "ss", "Corp.": "Corporation"})
    assert words_of("(Großkonzern Corp. Ltd.", rules) == ["-LRB-", "Grosskonzern", "Corporation", "Ltd."]


def test_segment_applies_replacements_in_sentences_without_special_characters():
    rules = SegmentationRules(replacements={"Corp.": "Corporation"})
    assert words_of("a Corp. Ltd", rules) == ["a", "Corporation", "Ltd"]
    assert words_of("a InCorp. Ltd", rules) == ["a", "InCorp", ".", "Ltd"]  # whole words only


@pytest.mark.parametrize("split_sentences", [True, False])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He had hepatitis C. Velorin eased it.", "He had hepatitis C . Velorin eased it ."),
        ("It needs vitamin D.\nZorab has none.", "It needs vitamin D . Zorab has none ."),
        ("He had (hepatitis B.) Rash came.", "He had ( hepatitis B . ) Rash came ."),
        ("They used plasmid Q. The rash went.", "They used plasmid Q . The rash went ."),
        ("The actor J. Smith met George W. Bush.", "The actor J. Smith met George W. Bush ."),
        ("By J. R. Smith and C. difficile.", "By J. R. Smith and C. difficile ."),
    ],
)
def test_segment_gives_the_period_of_a_letter_to_initials_only(text: str, expected: str, split_sentences: bool):
    assert words_of(text, SegmentationRules(split_sentences=split_sentences)) == expected.split()


# --- Sentences ---


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("He came. She left! Did he? Yes.", 4),
        ('"I left." She stayed. (He came.) They ate.', 4),
        ("Dr. Lee met J. R. Smith and Sen. Poe of Dayton, Ohio.", 1),
        ("She joined Acme Inc. Friday in Albany, N.Y. Monday.", 1),
        ("She works at Acme Inc. He lives in the U.S. They met on Jan. 4.", 3),
        ("He had hepatitis C. Velorin eased it. The actor J. Smith met George W. Bush.", 3),
        ("In the U.S. Navy, i.e. Fig. 3 vs. No. 5, p. 7.", 1),
        ("He said no. No one knew. The answer was No. Then it rained.", 4),
        ("DAYTON, Ohio (XY) -- The mayor spoke -- at last -- to 3.5 million.", 1),
        ('"Really?" he asked. "Yes!" said Ann.', 2),
        ("It was... odd. It was so... The end.", 3),
        ("1. First do this. 2. Then do that.", 2),
        ("a title without a period\n\na text", 2),
        ("a line that\ngoes on", 1),
        ("to buy:\n- milk\n- eggs", 3),
        ("他来了。她走了！好吗？", 3),
        ("「好。」と言った。次へ。", 2),
        ("كيف حالك؟ أنا بخير. شكرا", 3),
        ("यह घर है। वह बाग है॥", 2),
        ("v1.2 of example.com costs 3.50", 1),
    ],
)
def test_split_sentences_is_right_about(text: str, count: int):
    found = sentences_of(text)
    assert len(found) == count, found


def test_split_sentences_keeps_closing_quotes_with_their_sentence():
    assert sentences_of("He said `` no . '' Then he left .") == ["He said `` no . ''", "Then he left ."]


def test_split_sentences_can_be_switched_off():
    text = "One here. Two there.\n\nThree."
    assert split_sentences(text, SegmentationRules(split_sentences=False)) == [(0, len(text))]


def test_split_sentences_knows_learned_abbreviations():
    text = "Gef. Anna sang."
    assert len(sentences_of(text)) == 2
    assert len(sentences_of(text, SegmentationRules(abbreviations=("Gef",)))) == 1


# --- Rules ---


def test_rules_round_trip_through_json():
    for rules in (DEFAULT, EAGER, ALWAYS, SegmentationRules(abbreviations=("b", "a"), double_quotes=("«", "»"))):
        assert SegmentationRules.from_dict(json.loads(json.dumps(rules.to_dict()))) == rules
    assert SegmentationRules.from_dict({}) == DEFAULT


def test_rules_of_settings_are_made_once_and_follow_the_settings():
    settings = {"split_hyphens": "always", "replacements": [["a", "b"]]}
    assert rules_of_settings(settings) is rules_of_settings(dict(settings))
    assert rules_of_settings(settings) == SegmentationRules.from_dict(settings)
    settings["split_hyphens"] = "never"
    assert rules_of_settings(settings).split_hyphens == "never"
    assert rules_of_settings(None) == rules_of_settings({}) == DEFAULT
    with pytest.raises(ValueError, match="unknown segmentation setting 'split_hyphen'"):
        rules_of_settings({"split_hyphen": True})


def test_rules_are_equal_by_value_whatever_the_order():
    first = SegmentationRules(abbreviations=("a", "b"), replacements={"x": "y", "a": "b"})
    second = SegmentationRules(abbreviations=("b", "a", "a"), replacements=(("a", "b"), ("x", "y")))
    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize(
    ("rule_settings", "message"),
    [
        ({"split_hyphen": True}, "unknown segmentation setting 'split_hyphen'; there are: split_sentences"),
        ({"split_hyphens": "sometimes"}, "split_hyphens must be one of never, letters, always, got 'sometimes'"),
        ({"split_hyphens": ["never"]}, "split_hyphens must be one of never, letters, always"),
        ({"split_sentences": "yes"}, "split_sentences must be true or false, got 'yes'"),
        ({"abbreviations": "etc"}, "abbreviations must hold lists of strings, got 'etc'"),
        ({"abbreviations": ["a b"]}, "abbreviations must hold non-empty strings without spaces, got 'a b'"),
        ({"double_quotes": ['"']}, "double_quotes must hold an opening and a closing quote"),
        ({"replacements": {"a": ""}}, "replacements must hold non-empty strings without spaces, got ''"),
        ({"replacements": None}, "replacements must be pairs or a mapping of strings, got None"),
        (True, "segmentation must be a dict of settings, got True"),
        ({"replacements": [["a", "b"], ["a", "c"]]}, "replacements must be pairs with different first members"),
    ],
)
def test_rules_refuse_wrong_settings(rule_settings: dict, message: str):
    with pytest.raises(ValueError) as error:
        SegmentationRules.from_dict(rule_settings)
    assert message in str(error.value)


# --- Inference ---

NEWS = (
    "Ann Bell's long-term plan didn't work, said Mr. O'Brien and/or the well-known Dr. Gray. "
    "It cost $3.5 (5% more) \"at least\", they're sure. I'd say 'no' and won't pay $40 or 12% for a part-time job. "
    "The dose was 5 mg/day or 10 mg/day. We'll see 'red' or 'blue' in a man-made sea (or not). "
)
CONVENTIONS = {
    "treebank": {},
    "escaped brackets": {"replacements": SegmentationRules().replacements + (("(", "-LRB-"), (")", "-RRB-"))},
    "split hyphens": {"split_hyphens": "letters"},
    "split slashes": {"split_slashes": "letters"},
    "apostrophes": {"split_clitics": "apostrophe"},
    "no clitics": {"split_clitics": "never"},
    "amounts": {"split_currency": False, "split_percent": False},
    "straight quotes": {"double_quotes": ('"', '"'), "single_quotes": ("'", "'")},
    "curly quotes": {"double_quotes": ("\u201c", "\u201d"), "single_quotes": ("\u2018", "\u2019"), "replacements": ()},
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_infer_rules_recovers_the_rules_that_made_the_tokens(name: str):
    rules = SegmentationRules(**CONVENTIONS[name])
    rows = [[word.text for word in sentence] for sentence in segment(NEWS, rules)]
    inferred = infer_rules(rows)
    assert [[word.text for word in sentence] for sentence in segment(NEWS, inferred)] == rows
    for setting, value in CONVENTIONS[name].items():
        if setting != "replacements":
            assert getattr(inferred, setting) == value


def test_infer_rules_of_nothing_are_the_defaults():
    assert infer_rules([]) == DEFAULT
    assert infer_rules([[], ["word"]]) == DEFAULT


def test_infer_rules_joins_quotes_written_as_two_tokens():
    rows = [["`", "`", "No", ",", "'", "'", "he", "said"]] * 3 + [['"', "Yes", '"']]
    assert infer_rules(rows).double_quotes == ("``", "''")


def test_infer_rules_learns_abbreviations_but_not_words_with_a_stray_period():
    rows = [["the", "Gef.", "Roe", "said."], ["said", "Gef.", "Poe", "said."], ["said", "it", "."]] * 2
    assert infer_rules(rows).abbreviations == ("Gef",)


def test_infer_rules_keeps_rows_whole_where_rows_hold_several_sentences():
    several = [["One", ".", "Two", "."]] * 3
    assert infer_rules(several).split_sentences is False
    assert infer_rules([*several, *[["One", "."]] * 4]).split_sentences is True


def test_infer_rules_keeps_typographic_characters_that_the_data_hold():
    assert dict(infer_rules([["1990", "\u2013", "1995"]]).replacements).get("\u2013") is None
    assert dict(infer_rules([["1990", "-", "1995"]]).replacements)["\u2013"] == "-"


# --- Time ---


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "a-",
        "a.",
        "a'",
        "1,",
        '"',
        ". ' ",
        "A. ",
        "\n ",
        "(a)",
        "n't",
        "a\u0301",
        "\u200d",
        "http://.,",
        "a@",
        "中",
    ],
)
def test_segment_takes_linear_time(unit: str):
    """50,000 characters; anything quadratic would take minutes, not a fraction of a second."""
    text = (unit * 50_000)[:50_000]
    started = time.process_time()
    segment(text, EAGER)
    assert time.process_time() - started < 5


def test_segment_looks_replacements_up_however_many_and_long():
    """Each was an alternative of an expression, tried at every character: a minute for 20,000 letters."""
    many = {f"word{i}": f"form{i}" for i in range(100_000)} | {"a" * 1_000_000: "b"}
    rules = SegmentationRules(replacements=many)
    assert words_of("word7 and word99999 " * 1_000, rules) == ["form7", "and", "form99999"] * 1_000


# --- Benchmarks ---


@pytest.mark.parametrize(
    ("dataset", "entities", "relations", "rows"),
    [("conll04", 0.99, 0.975, 0.6), ("scierc", 1, 1, 0.97), ("ade", 1, 1, 0.97)],
)
def test_segmentation_agrees_with_benchmark(
    dataset: str, entities: float, relations: float, rows: float, monkeypatch: pytest.MonkeyPatch
):
    if not (DATA / dataset).is_dir():
        pytest.skip("../shared/data is absent")
    sacremoses = pytest.importorskip("sacremoses")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    agreement = importlib.import_module("segmentation_agreement")
    train, test = (
        json.loads((DATA / dataset / pattern.format(fold=0, split="test")).read_text(encoding="utf-8"))
        for pattern in agreement.SPLITS[dataset]
    )
    rules = infer_rules(row["tokens"] for row in train)
    rejoined = ("-" if rules.split_hyphens != "never" else "") + ("/" if rules.split_slashes != "never" else "")
    detokenizer = sacremoses.MosesDetokenizer("en")
    prepared = [agreement.detokenize(row["tokens"], rejoined, detokenizer) for row in test]
    result = agreement.measure(test, prepared, rules)
    assert result.kept_entities >= entities * result.entities
    assert result.kept_relations >= relations * result.relations
    assert result.identical >= rows * result.rows
