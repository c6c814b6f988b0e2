"""Answers as HTML: what is in it, and that no text can change what it is."""

import ast
import re
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from drawn_answers import (
    BIDI,
    EMPTY,
    HOSTILE,
    NESTED,
    NEWS,
    SCRIPTS,
    TIGHT,
    any_answer,
    make_answer,
    make_long_answer,
)
from hypothesis import given
from hypothesis import strategies as st

import modeling_spert.rendering
from modeling_spert.rendering import render
from modeling_spert.rendering.arcs import MAX_SLOTS
from modeling_spert.rendering.documents import make_printable
from spert_pages import palette

PACKAGE = Path(modeling_spert.rendering.__file__).parent
TAGS = {"article", "bdi", "details", "div", "h1", "h2", "i", "li", "p", "span", "style", "summary", "ul", "wbr"}
ATTRIBUTES = {"class", "data-l", "dir", "open", "style", "tabindex", "title"}


class Reader(HTMLParser):
    """The text of each block of text, and every tag and attribute, as an HTML parser sees them."""

    def __init__(self, source: str):
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self._depth = 0
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if ("class", "sp-text") in attrs:
            self.texts.append("")
            self._depth = 1
        elif self._depth and tag != "wbr":
            self._depth += 1

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        self._depth -= bool(self._depth)

    def handle_data(self, data):
        if self._depth:
            self.texts[-1] += data


def texts_of(fragment: str) -> list[str]:
    """The text of each block of text, as an XML parser sees it."""
    return [
        "".join(block.itertext()) for block in ET.fromstring(fragment).iter("div") if block.get("class") == "sp-text"
    ]


@given(st.lists(any_answer(), min_size=1, max_size=2))
def test_html_shows_the_text_and_nothing_becomes_markup(drawn):
    fragment = render(drawn, page=False)
    expected = [make_printable(answer["text"]) for answer in drawn]
    read = Reader(fragment)
    assert texts_of(fragment) == expected
    assert read.texts == expected
    assert read.tags <= TAGS
    assert read.attributes <= ATTRIBUTES
    assert not BIDI.search(fragment)
    fragment.encode("utf-8")


@given(any_answer())
def test_html_is_deterministic(answer):
    assert render(answer) == render(answer)


@pytest.mark.parametrize("answer", [*NEWS, NESTED, EMPTY, *SCRIPTS, HOSTILE, TIGHT])
def test_html_keeps_the_text_of_examples(answer):
    assert texts_of(render(answer, page=False)) == [make_printable(answer["text"])]


def test_html_page_stands_alone():
    page = render([*NEWS, HOSTILE], title="<b>Found & kept")
    head = page.partition("</head>")[0]
    assert page.startswith("<!DOCTYPE html>")
    assert ET.fromstring(page).find("head/title").text == "<b>Found & kept"
    assert "default-src 'none'" in head
    assert "<script" not in page and "@import" not in page and "url(" not in page
    assert re.findall(r'(?:href|src)="([^"]*)"', page) == ["data:,"]


def test_html_labels_carry_scores_and_direction():
    root = ET.fromstring(render(NEWS[0], page=False))
    labels = [piece.get("data-l") for piece in root.iter("i") if piece.get("data-l")]
    assert sorted(labels) == ["Location", "Organization", "Person", "lives_in 0.97", "works_for 0.94"]
    ends = [piece.get("class").split()[-2:] for piece in root.iter("i") if {"p", "q"} & set(piece.get("class").split())]
    assert sorted(ends) == [["p", "o"], ["p", "o"], ["q", "t"], ["q", "t"]]  # from the left end, a dot, to an arrow


def test_html_arrow_points_at_the_tail_where_it_comes_first():
    answer = make_answer("Oslo is home to Bo.", [("Per", "Bo", 0.9), ("Loc", "Oslo", 0.9)], [("lives_in", 0, 1, 0.9)])
    pieces = [piece.get("class") for piece in ET.fromstring(render(answer, page=False)).iter("i")]
    assert [name for name in pieces if " p " in name][0].endswith(" p t")
    assert [name for name in pieces if " q " in name][0].endswith(" q o")


def test_html_gives_a_type_one_colour_in_every_fragment():
    def color_of_person(fragment: str) -> str:
        return re.search(r'class="sp-type (c\d+)"><bdi>Person<', fragment)[1]

    one = render(make_answer("Bo", [("Person", "Bo", 0.9)], []), page=False)
    two = render([make_answer("Bo", [("Person", "Bo", 0.9)], [("knows", 0, 0, 0.5)]), NEWS[1]], page=False)
    assert color_of_person(one) == color_of_person(two)


def test_html_fragments_have_no_ids_and_share_a_style_sheet():
    fragments = [render(answer, page=False) for answer in NEWS]
    assert not re.search(r"\sid=", "".join(fragments))
    roots = {re.match(r'<div class="(spert-[0-9a-f]{8}) ', fragment)[1] for fragment in fragments}
    assert len(roots) == 1
    sheet = re.search(r"<style>(.*?)</style>", fragments[0], re.DOTALL)[1]
    selectors = re.findall(r"([^{}]+)\{", re.sub(r"@media[^{]*\{", "", sheet))
    assert all(f".{roots.copy().pop()}" in part for selector in selectors for part in selector.split(","))


def test_html_of_a_gold_row():
    row = {
        "tokens": ["In", "Oslo", "(", "Norway", ")"],
        "entities": [{"type": "Loc", "start": 1, "end": 2}, {"type": "Loc", "start": 3, "end": 4}],
        "relations": [{"type": "in", "head": 0, "tail": 1}],
        "orig_id": 7,
    }
    fragment = render(row, page=False)
    assert texts_of(fragment) == ["In Oslo ( Norway )"]
    assert 'data-l="in"' in fragment and "<bdi>7</bdi>" in fragment


def test_html_of_no_answers_says_so():
    assert "No answers." in render([])


def test_html_takes_any_iterable_of_answers():
    assert render(iter(NEWS)) == render(NEWS)


def test_html_lists_what_finds_no_place():
    """Forty relations between two words: more than there are slots."""
    many = [(f"r{index}", 0, 1, 0.5) for index in range(40)]
    fragment = render(make_answer("Bo in Oslo", [("Per", "Bo", 0.9), ("Loc", "Oslo", 0.9)], many), page=False)
    drawn = len(re.findall(r'data-l="r\d+ 0.50"', fragment))
    assert 5 <= drawn < MAX_SLOTS
    assert f"{40 - drawn} of them only in this list" in fragment
    assert all(f"<bdi>r{index}</bdi>" in fragment for index in range(40))
    assert max(map(int, re.findall(r"--n:(\d+)", fragment))) <= MAX_SLOTS


def test_html_names_the_other_end_of_a_relation_that_reaches_far():
    text = "Bo " + "and so on " * 60 + "in Oslo."
    answer = make_answer(text, [("Per", "Bo", 0.9), ("Loc", "Oslo", 0.9)], [("lives_in", 0, 1, 0.5)])
    fragment = render(answer, page=False)
    assert 'data-l="lives_in 0.50 to Oslo"' in fragment and 'data-l="lives_in 0.50 from Bo"' in fragment


def test_html_grows_with_the_text_not_faster():
    """Twice the words and relations, twice the page; its height is bounded by slots and by a box that scrolls."""
    one, two = (render(make_long_answer(words, words // 10), page=False) for words in (3000, 6000))
    assert len(two) < 2.1 * len(one)
    assert 'class="sp-bounded"' in one
    assert max(map(int, re.findall(r"--n:(\d+)", one))) <= MAX_SLOTS
    assert "sp-bounded" not in render(make_long_answer(3000, 300)).partition("</style>")[2]


def test_html_bounds_relations_that_all_reach_far():
    answer = make_long_answer(3000, 300)
    for index, relation in enumerate(answer["relations"]):
        relation["head"], relation["tail"] = index, 599 - index
    assert render(answer).count("<i ") < 4 * 3000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "pdf"}, "format must be one of html, svg, got 'pdf'"),
        ({"theme": "pink"}, "theme must be one of auto, light, dark, got 'pink'"),
        ({"width": 10}, "width must be an integer, at least 320, got 10"),
    ],
)
def test_render_refuses_other_settings(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        render(EMPTY, **arguments)


def test_render_fixes_a_theme():
    assert "prefers-color-scheme" in render(EMPTY)
    for theme in ("light", "dark"):
        assert "prefers-color-scheme" not in render(EMPTY, theme=theme)


def test_rendering_needs_the_standard_library_and_the_palette_only():
    allowed = sys.stdlib_module_names | {"modeling_spert", "networkx", "spert_pages"}
    for path in (*PACKAGE.glob("*.py"), Path(palette.__file__)):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in allowed, f"{path.name}: {name}"
                assert not name.startswith("modeling_spert") or name.startswith("modeling_spert.rendering")
                assert not name.startswith("spert_pages") or name == "spert_pages.palette"
