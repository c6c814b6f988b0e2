"""The report: valid HTML, self-contained, escaped, bounded, with working anchors, at the edges."""

import re
from html import unescape
from html.parser import HTMLParser

import html5lib
import pytest
from noisy_predictions import corrupt
from tiny_data import build_rows

from modeling_spert.analysis import (
    analyse,
    at_thresholds,
    best_thresholds,
    best_thresholds_text,
    render_report,
    write_report,
)
from modeling_spert.evaluation.metrics import score_examples

GOLD = build_rows(40, 3)
EVIL = "<script>alert(1)</script>\"'&"


class Page(HTMLParser):
    """Ids, links, tags and text of a page, parsed strictly by html5lib first."""

    def __init__(self, text: str):
        super().__init__()
        html5lib.HTMLParser(strict=True).parse(text)  # raises at the first fault
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a":
            self.links.append(values["href"])
        self.sources += [values[name] for name in ("src", "srcset", "action", "data") if name in values]
        if tag == "link":
            self.sources.append(values["href"])
        assert not any(name.startswith("on") for name in values), "an inline handler"

    def handle_data(self, data):
        self.text += data


def report(predictions, gold=GOLD, **settings):
    return render_report(analyse(gold, predictions, symmetric_relation_types=["met"], **settings))


def test_report_is_valid_and_its_links_work():
    page = Page(report(corrupt(GOLD, 1, rate=0.5), baseline=at_thresholds(corrupt(GOLD, 2, rate=0.5))))
    assert len(set(page.ids)) == len(page.ids)
    assert page.links and all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_report_fetches_nothing_and_has_one_script():
    text = report(corrupt(GOLD, 1))
    page = Page(text)
    assert page.sources == ["data:,"]
    assert page.tags.count("script") == 1
    assert "@import" not in text and "url(" not in text
    assert re.search(r"default-src 'none'.*script-src 'sha256-[\w+/=]+'\"", unescape(text))


def test_report_shows_every_kind_with_its_count():
    predictions = corrupt(GOLD, 1, rate=0.5)
    analysis = analyse(GOLD, predictions)
    page = Page(render_report(analysis))
    for error in analysis.errors:
        assert f"{error.level}-{error.kind}" in page.ids
    for level, kind in {(error.level, error.kind) for error in analysis.errors}:
        own = [error for error in analysis.errors if (error.level, error.kind) == (level, kind)]
        assert f"({len(own)}" in page.text


def test_report_escapes_everything():
    entities = [{"type": f"E{EVIL}", "start": 0, "end": 1}, {"type": f"F{EVIL}", "start": 1, "end": 2}]
    gold = [
        {
            "tokens": [EVIL, f"b{EVIL}", EVIL],
            "entities": entities,
            "relations": [{"type": f"R{EVIL}", "head": 0, "tail": 1}],
            "orig_id": f"id{EVIL}",
            "doc_id": f"doc{EVIL}",
            "sentence_index": 0,
        }
    ] * 2
    wrong = [{**gold[0], "entities": [{**e, "type": f"X{EVIL}", "score": 0.99} for e in entities]}, gold[1]]
    text = report(
        wrong, gold, baseline=gold, model_name=f"m{EVIL}", baseline_name=f"old{EVIL}", data_name=f"data{EVIL}"
    )
    page = Page(text)
    assert page.tags.count("script") == 1
    assert "<script>alert" not in text
    for name in ("E", "F", "R", "X", "id", "doc", "m", "old", "data", "b"):
        assert f"{name}{EVIL}" in page.text


@pytest.mark.parametrize(
    "gold",
    [
        [],
        [{"tokens": [], "entities": [], "relations": []}],
        [{"tokens": ["a", "b"], "entities": [], "relations": []}],
        [{"tokens": ["a"], "entities": [{"type": "A", "start": 0, "end": 1}], "relations": []}],
    ],
    ids=["no rows", "an empty row", "no entity", "one type, no relation"],
)
@pytest.mark.parametrize("wrong", [False, True])
def test_report_at_the_edges(gold, wrong):
    predictions = gold
    if wrong:
        predictions = [
            {**row, "entities": [{"type": "A", "start": 0, "end": 2, "score": 0.5}] * (len(row["tokens"]) > 1)}
            for row in gold
        ]
    Page(report(predictions, gold, baseline=gold))


def test_report_without_errors_says_so():
    assert "Not a single error." in Page(report(GOLD)).text


def test_report_size_does_not_grow_with_the_data():
    one, five = (
        render_report(analyse(rows, corrupt(rows, 1, 0.9, scores=False)), 3)
        for rows in (build_rows(200, 1), build_rows(1000, 1))
    )
    assert len(five) < 1.15 * len(one)
    page = Page(five)
    assert "3 shown" in page.text and "at most 3 of a kind are shown" in page.text


def test_report_marks_crossing_and_deeply_nested_entities():
    tokens = [f"w{i}" for i in range(12)]
    spans = [(0, 3), (2, 5), *((0, end) for end in range(4, 12))]
    entities = [{"type": "A", "start": start, "end": end} for start, end in spans]
    gold = [{"tokens": tokens, "entities": entities, "relations": []}]
    page = Page(report([{**gold[0], "entities": []}], gold))
    assert page.tags.count("mark") >= len(spans)


def test_report_of_lone_surrogates_is_written(tmp_path):
    row = {"tokens": ["a\ud800", "\x00", "‮abc"], "entities": [{"type": "A", "start": 0, "end": 3}], "relations": []}
    path = write_report(analyse([row], [{**row, "entities": []}]), tmp_path / "new" / "report.html")
    assert "a?" in path.read_text(encoding="utf-8")
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize("entity_threshold", [None, 0.5])
def test_report_and_console_name_the_same_best_thresholds(entity_threshold):
    gold, predictions = build_rows(40, 3), corrupt(GOLD, 1, rate=0.4)
    found = analyse(gold, predictions, entity_threshold=entity_threshold, relation_threshold=0.4, data_name="mine, dev")
    line, best = best_thresholds_text(found), found.best_thresholds
    assert best == best_thresholds(gold, predictions)
    assert (
        line.startswith("Best thresholds on mine, dev (40 sentences): ")
        and f"(now {found.scores['ner_f1_micro']:.1f})" in line
    )
    at_best = score_examples(gold, at_thresholds(predictions, best.entity_threshold, best.relation_threshold))
    assert f"entities {at_best['ner_f1_micro']:.1f}" in line
    assert f"strict relations {at_best['rel_strict_f1_micro']:.1f}" in line
    text = Page(render_report(found)).text
    assert line in text
    assert set(re.findall(r"best (\d\.\d\d)", text)) == set(re.findall(r"_threshold (\d\.\d\d)", line))
