"""The data check: each finding by a data set that has just that, severities, and both renderings."""

import json
import random
import string
from pathlib import Path

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_data import TYPES, build_rows
from tiny_pipeline import WINDOW, tiny_tokenizer

from datasets_scripts import SkippedRow, load_joint_dataset
from datasets_scripts.checking import check_dataset, render_check_page, render_check_text, write_check
from datasets_scripts.checking.duplicates import find_duplicates, normalise
from datasets_scripts.checking.rows import Row
from datasets_scripts.joint_dataset import JointDataset, build_joint_dataset
from datasets_scripts.types_json import DatasetTypes, parse_types

EVIL = "<script>alert(1)</script>\"'&"


def row(text, entities=(), relations=(), **more):
    """A row of "word word" text with entities (type, start, end) and relations (type, head, tail)."""
    return {
        "tokens": text.split(),
        "entities": [{"type": kind, "start": start, "end": end} for kind, start, end in entities],
        "relations": [{"type": kind, "head": head, "tail": tail} for kind, head, tail in relations],
        **more,
    }


def dataset_of(types=("A", "B"), relation_types=("r",), symmetric=(), skipped=(), **splits) -> JointDataset:
    return build_joint_dataset(splits, DatasetTypes(types, relation_types, symmetric), "mine", skipped)


def sound_dataset() -> JointDataset:
    """Nothing worse than a note: different sentences, some without a relation."""
    generator = random.Random(1)

    def rows(count):
        found = []
        for index in range(count):
            words = ["".join(generator.choices(string.ascii_lowercase, k=7)) for _ in range(8)]
            related = [("r", 0, 1)] if index % 4 else []
            found.append(
                row(" ".join(words), [("A", 0, 1), ("B", 2, 4)] if index % 10 else [], related if index % 10 else [])
            )
        return found

    return dataset_of(train=rows(60), dev=rows(12), test=rows(12))


def codes(check, severity=None):
    return [finding.code for finding in check.findings if severity in (None, finding.severity)]


def finding(check, code):
    (found,) = [finding for finding in check.findings if finding.code == code]
    return found


def test_check_of_sound_data_has_notes_only():
    check = check_dataset(sound_dataset())
    assert codes(check) == ["single_signatures"]
    assert check.exit_status == 0


def test_check_counts():
    check = check_dataset(sound_dataset())
    assert [(s.name, s.rows, s.words, s.entities) for s in check.splits] == [
        ("train", 60, 480, 108),
        ("dev", 12, 96, 20),
        ("test", 12, 96, 20),
    ]
    assert check.splits[0].without_entities == 6
    assert [(label.label, label.counts["train"]) for label in check.entity_labels] == [("A", 54), ("B", 54)]
    assert check.widths == {1: 74, 2: 74}
    assert check.lengths == {8: 84}
    assert check.single_signatures == ("r",)


def test_check_label_outside_train_is_untrained_not_an_error():
    base = sound_dataset().splits
    dev = [*base["dev"].to_list(), row("a new one here", [("C", 0, 1)])]
    check = check_dataset(dataset_of(("A", "B", "C", "D"), train=base["train"].to_list(), dev=dev))
    assert finding(check, "untrained_labels").severity == "warning"
    assert "C (dev 1)" in finding(check, "untrained_labels").message
    assert "D" in finding(check, "unused_labels").message
    assert check.exit_status == 1


def test_check_rare_labels():
    base = sound_dataset().splits["train"].to_list()
    check = check_dataset(dataset_of(("A", "B", "C"), train=[*base, row("one of them", [("C", 0, 1)])], dev=base[:0]))
    assert "C (1)" in finding(check, "rare_labels").message


def test_check_wide_entities_say_which():
    wide = row("a b c d e f g h", [("A", 1, 7)], orig_id="x-7")
    check = check_dataset(dataset_of(train=[row("z"), wide]), max_span_width=5)
    (place,) = finding(check, "wide_entities").places
    assert (place.split, place.row, place.orig_id, place.text) == ("train", 1, "x-7", "6 words: b c d e f g")
    assert "--max_span_width 6" in finding(check, "wide_entities").advice
    assert "wide_entities" not in codes(check_dataset(dataset_of(train=[wide]), max_span_width=6))


def test_check_overlaps():
    entities = [("A", 0, 4), ("B", 1, 2), ("A", 3, 5), ("B", 6, 7), ("A", 6, 7)]
    check = check_dataset(dataset_of(train=[row("a b c d e f g", entities)]))
    assert (check.nested, check.crossing, check.same_span) == (1, 1, 1)
    assert finding(check, "same_span").severity == "warning"
    assert finding(check, "nested_entities").places[0].text == "a b c d (A) / b (B)"


def relation_rows(count, reverse=0):
    base = [row(f"u{i} v{i} w{i} x{i}", [("A", 0, 1), ("B", 2, 3)], [("r", 0, 1)]) for i in range(count)]
    odd = [row(f"p{i} q{i} r{i}", [("A", 0, 1), ("B", 2, 3)], [("r", 1, 0)]) for i in range(reverse)]
    return base + odd


def test_check_signatures_and_odd_ones_out():
    check = check_dataset(dataset_of(train=relation_rows(50, reverse=1)))
    assert [(s.head, s.tail, s.total, s.odd) for s in check.signatures] == [("A", "B", 50, False), ("B", "A", 1, True)]
    assert finding(check, "odd_signatures").places[0].text == "r0 (B) —r→ p0 (A)"
    assert check.single_signatures == ()
    loose = check_dataset(dataset_of(train=relation_rows(20, reverse=10)))
    assert "odd_signatures" not in codes(loose)


def test_check_signatures_of_symmetric_types_have_no_direction():
    check = check_dataset(dataset_of(symmetric=("r",), train=relation_rows(50, reverse=1)))
    assert [(s.head, s.tail, s.total) for s in check.signatures] == [("A", "B", 51)]
    assert check.single_signatures == ("r",)


def test_check_every_row_with_a_relation_is_warned_about():
    check = check_dataset(dataset_of(train=relation_rows(50)))
    assert finding(check, "relations_everywhere").severity == "warning"
    assert "invents" in finding(check, "relations_everywhere").advice
    some = dataset_of(train=relation_rows(50) + [row(f"n{i} o{i}") for i in range(5)])
    assert "relations_everywhere" not in codes(check_dataset(some))


def document_rows(count, unrelated=3):
    """Documents of one sentence with a relation and some without."""
    rows = []
    for index in range(count):
        text = f"N{index} helps o{index} ." + f" P{index} rests ." * unrelated
        rows.append(row(text, [("A", 0, 1), ("B", 2, 3)], [("r", 0, 1)], doc_id=f"d{index}"))
    return rows


def test_check_of_documents_counts_sentences_without_a_relation():
    """Every abstract holds a relation, but not every sentence: a model learns from the others to find nothing."""
    check = check_dataset(dataset_of(train=document_rows(60), dev=document_rows(9)))
    assert check.unit == "document" and check.splits[0].by_sentence == (240, 180, 180)
    assert {"relations_everywhere", "entities_everywhere"}.isdisjoint(codes(check))
    full = [row("N helps o . P helps q .", [("A", i, i + 1) for i in (0, 2, 4, 6)], [("r", 0, 1), ("r", 2, 3)])] * 60
    found = finding(check_dataset(dataset_of(train=full)), "relations_everywhere")
    assert found.severity == "warning"
    assert found.message == "No sentence of the training documents is without a relation."
    few = finding(check_dataset(dataset_of(train=[*full, row("P rests . Q too .")])), "relations_everywhere")
    assert few.message == "Only 2 of 122 sentences of the training documents are without a relation."


@pytest.mark.parametrize(
    ("rare", "frequent", "is_alike"),
    [
        ("Organsation", "Organisation", True),
        ("PERSON", "Person", True),
        ("Lives in", "lives_in", True),
        ("Perosn", "Person", True),
        ("agonist", "antagonist", False),
        ("Regulates-", "Regulates+", False),
        ("Part-of", "part_of", True),
        ("Grade1Tumour", "Grade2Tumour", False),
        ("Loc", "Loe", False),
    ],
)
def test_check_names_labels_that_may_be_slips(rare: str, frequent: str, is_alike: bool):
    types = (rare, frequent)
    rows = [row(f"n{index}", [(frequent, 0, 1)]) for index in range(200)]
    check = check_dataset(dataset_of(types, train=[*rows, *[row(f"m{i}", [(rare, 0, 1)]) for i in range(3)]]))
    assert ("labels_alike" in codes(check, "note")) == is_alike
    if is_alike:
        assert f"{rare} (3) like {frequent} (200)" in finding(check, "labels_alike").message
    often = [row(f"m{i}", [(rare, 0, 1)]) for i in range(100)]
    assert "labels_alike" not in codes(check_dataset(dataset_of(types, train=[*rows, *often])))


def test_check_duplicates_across_splits():
    text = "The harbour institute of Norvane opened a new house in May"
    check = check_dataset(
        dataset_of(
            train=[row(text + " 1998 ."), row("something else entirely is said here now")],
            dev=[row(text.upper() + " 2004")],
            test=[row(text + " , again .")],
        )
    )
    (group,) = check.duplicates
    assert group.splits == ("train", "dev", "test")
    assert not group.exact  # the third is nearly the same
    assert [place.row for place in group.places] == [0, 0, 0]
    assert finding(check, "near_duplicates_across_splits").severity == "warning"


def test_check_texts_annotated_in_two_ways():
    text = "Lea Moss runs the bank"
    check = check_dataset(dataset_of(train=[row(text, [("A", 0, 2)]), row(text, [("A", 0, 1)]), row("b c")]))
    assert finding(check, "differently_annotated").count == 1
    same = dataset_of(train=[row(text, [("A", 0, 2), ("B", 4, 5)]), row(text, [("B", 4, 5), ("A", 0, 2)])])
    assert "differently_annotated" not in codes(check_dataset(same))


def test_duplicates_normalise():
    assert normalise("In 1998 , the U.S. grew !".split()) == ("in", "0", "the", "us", "grew")


WORDS = st.lists(st.sampled_from("abcdefgh"), min_size=0, max_size=12)


@given(st.lists(WORDS, max_size=12))
def test_duplicates_find_all_equal_texts_and_no_text_twice(texts):
    rows = [Row("train", index, row(" ".join(words))) for index, words in enumerate(texts)]
    groups = find_duplicates(rows)
    members = [place.row for group in groups for place in group.places]
    assert len(set(members)) == len(members)
    of_row = {place.row: index for index, group in enumerate(groups) for place in group.places}
    for i, one in enumerate(texts):
        for j in range(i):
            if one and one == texts[j]:
                assert i in of_row and of_row[i] == of_row.get(j)


def test_duplicates_find_nearly_all_near_ones_and_no_others():
    generator = random.Random(4)
    vocabulary = ["".join(generator.choices(string.ascii_lowercase, k=6)) for _ in range(500)]
    originals = [[generator.choice(vocabulary) for _ in range(30)] for _ in range(200)]
    changed = [[*words[:-1], "other"] for words in originals]  # 27 of 29 trigrams are shared
    rows = [Row("train", index, row(" ".join(words))) for index, words in enumerate([*originals, *changed])]
    groups = find_duplicates(rows)
    pairs = {tuple(sorted(place.row for place in group.places)) for group in groups}
    assert pairs <= {(i, i + 200) for i in range(200)}
    assert len(pairs) >= 198


def test_duplicates_take_time_linear_in_rows_of_one_text(monkeypatch):
    """Thousands of nearly equal rows: each is compared with one row of a bucket, not with all others."""
    from datasets_scripts.checking import duplicates

    calls = []
    original = duplicates._similarity
    monkeypatch.setattr(duplicates, "_similarity", lambda *pair: calls.append(1) or original(*pair))
    text = "the harbour institute of Norvane opened a new house in May and closed it again later"
    rows = [Row("train", index, row(f"{text} w{chr(97 + index % 26)}{chr(97 + index // 26)}")) for index in range(600)]
    (group,) = find_duplicates(rows)
    assert len(group.places) == 600
    assert len(calls) <= 12 * 600


def test_check_documents():
    rows = [row(f"t{i} u{i} v{i}", doc_id=f"d{i // 2}", sentence_index=i % 2) for i in range(4)]
    check = check_dataset(dataset_of(train=rows, dev=[row("w x", doc_id="d1", sentence_index=5)]))
    assert finding(check, "documents_across_splits").count == 1
    assert finding(check, "documents_as_sentences").count == 2
    assert check.splits[0].documents == 2


def test_check_relations_across_sentences_in_one_row():
    both = row("Lea came . She runs it", [("A", 0, 1), ("B", 5, 6)], [("r", 0, 1)])
    check = check_dataset(
        dataset_of(train=[both, row("Lea runs it . Good", [("A", 0, 1), ("B", 2, 3)], [("r", 1, 0)])])
    )
    assert check.crossing_sentences == 1


def test_check_lengths_in_subwords():
    long = row(" ".join(["abcdef"] * 20))  # 120 subwords: the tokenizer reads characters
    check = check_dataset(dataset_of(train=[long, row("word word"), row("")]), tiny_tokenizer())
    assert check.subwords.window_length == WINDOW
    assert (check.subwords.longest, check.subwords.rows_cut) == (122, 1)
    assert finding(check, "long_rows").places[0].row == 0
    assert check_dataset(dataset_of(train=[long]), tiny_tokenizer(), max_window_length=24).subwords.window_length == 24


def test_check_words_unknown_to_the_tokenizer():
    check = check_dataset(dataset_of(train=[row("слово word")]), tiny_tokenizer())
    assert check.subwords.unknown_words == 50
    assert finding(check, "unknown_words").severity == "warning"


def test_check_bad_rows_are_errors(tmp_path: Path):
    rows = [*build_rows(4, 1), {"tokens": ["a"], "entities": [{"type": "Per", "start": 0, "end": 9}], "relations": []}]
    (tmp_path / "train.json").write_text(json.dumps(rows))
    (tmp_path / "types.json").write_text(json.dumps(TYPES))
    check = check_dataset(load_joint_dataset(tmp_path, on_bad_row="skip"))
    assert "end is 9" in finding(check, "bad_rows").places[0].text
    assert check.exit_status == 2
    assert check.findings[0].severity == "error"


@pytest.mark.parametrize(
    ("splits", "code", "severity"),
    [
        ({"train": []}, "no_rows", "error"),
        ({"train": [row("a b")]}, "nothing_to_learn", "error"),
        ({"test": [row("a b", [("A", 0, 1)])]}, "no_train", "note"),
        ({"train": [row("a b", [("A", 0, 1)])]}, "small_train", "note"),
        ({"train": [row("a b", [("A", 0, 1)])]}, "nothing_to_score", "warning"),
        ({"train": [row("a b", [("A", 0, 1)]), row("")]}, "empty_rows", "warning"),
    ],
)
def test_check_rows(splits, code, severity):
    check = check_dataset(dataset_of(**splits))
    assert finding(check, code).severity == severity
    render_check_text(check)
    html5lib.HTMLParser(strict=True).parse(render_check_page(check))


def test_check_refuses_a_width_below_one():
    with pytest.raises(ValueError, match="max_span_width must be an integer >= 1, got 0"):
        check_dataset(sound_dataset(), max_span_width=0)


def test_check_is_plain_data():
    check = check_dataset(sound_dataset(), tiny_tokenizer())
    content = json.loads(json.dumps(check.to_dict()))
    assert content["exit_status"] == check.exit_status == 1  # rows of 56 subwords
    assert content["splits"][0]["rows"] == 60


def troubled_dataset() -> JointDataset:
    rows = relation_rows(50, reverse=1)
    skipped = [SkippedRow("train.json", 7, f"train.json, row 7: {EVIL}")]
    evil = row(f"{EVIL} says", [(f"A{EVIL}", 0, 1), (f"B{EVIL}", 1, 2)], [(f"r{EVIL}", 0, 1)], orig_id=f"id{EVIL}")
    types = (("A", "B", f"A{EVIL}", f"B{EVIL}"), ("r", f"r{EVIL}"))
    data = dataset_of(
        *types, skipped=skipped, train=[*rows, evil, evil, row("a b c d e f g h", [("A", 0, 8)])], dev=[evil]
    )
    return JointDataset(**{**vars(data), "name": f"mine{EVIL}"})


def test_check_page_is_valid_self_contained_and_escaped(tmp_path):
    check = check_dataset(troubled_dataset(), max_span_width=5)
    text = write_check(check, tmp_path / "new" / "check.html").read_text(encoding="utf-8")
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    assert not list(tree.iter("script"))
    assert [link.get("href") for link in tree.iter("link")] == ["data:,"]
    shown = "".join(tree.itertext())
    for name in ("mine", "A", "B", "r", "id", "row 7: "):
        assert f"{name}{EVIL}" in shown
    assert "script-src 'none'" in "".join(meta.get("content") or "" for meta in tree.iter("meta"))


def test_check_text_says_everything_in_plain_characters():
    text = render_check_text(check_dataset(troubled_dataset(), max_span_width=5), width=90)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 90
    for words in ("error: 1 row cannot be used", "warning: 1 entity wider than 5 words", "odd?", "[/"):
        assert (words in text) == (words != "[/")
    assert "\x1b[" in render_check_text(check_dataset(troubled_dataset()), color=True)


def test_check_text_takes_labels_literally():
    types = parse_types({"entities": {"[bold]A[/bold]": {}}})
    data = build_joint_dataset({"train": [row("a", [("[bold]A[/bold]", 0, 1)])]}, types, "[red]mine")
    text = render_check_text(check_dataset(data))
    assert "[bold]A[/bold]" in text and "[red]mine" in text


def test_check_of_the_demo_corpus_is_clean():
    check = check_dataset(load_joint_dataset("demo"))
    assert check.exit_status == 0
    assert len(check.single_signatures) == 9
