"""Answers as one SVG."""

import re
import xml.etree.ElementTree as ET

import pytest
from drawn_answers import BIDI, EMPTY, HOSTILE, NESTED, NEWS, SCRIPTS, TIGHT, any_answer, make_answer, make_long_answer
from hypothesis import given

from modeling_spert.rendering import render
from modeling_spert.rendering.documents import make_printable

SVG = "{http://www.w3.org/2000/svg}"
EXAMPLES = [*NEWS, NESTED, EMPTY, *SCRIPTS, HOSTILE, TIGHT]


def shown_text(picture: str) -> str:
    """The text of the documents, without labels and white space."""
    texts = [element for element in ET.fromstring(picture).iter(f"{SVG}text") if element.get("font-size") == "16"]
    return "".join("".join("".join(element.itertext()).split()) for element in texts)


@given(any_answer())
def test_svg_shows_the_text_and_nothing_becomes_markup(answer):
    picture = render(answer, "svg")
    assert shown_text(picture) == "".join(make_printable(answer["text"]).split())
    tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(picture).iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "path", "circle", "text"}
    assert not BIDI.search(picture)


@pytest.mark.parametrize("answer", EXAMPLES)
@pytest.mark.parametrize("width", [320, 760])
def test_svg_keeps_everything_inside(answer, width):
    root = ET.fromstring(render(answer, "svg", width=width, title="Title"))
    height = float(root.get("height"))
    assert root.get("viewBox") == f"0 0 {width} {root.get('height')}"
    for element in root.iter(f"{SVG}rect"):
        x, y, wide, high = (float(element.get(name, 0)) for name in ("x", "y", "width", "height"))
        assert -0.5 <= x <= x + wide <= width + 0.5
        assert 0 <= y <= y + high <= height
    for element in root.iter(f"{SVG}text"):
        x, wide = float(element.get("x")), float(element.get("textLength", 0))
        left = x - wide if element.get("direction") == "rtl" else x
        assert -0.5 <= left <= left + wide <= width + 0.5, "".join(element.itertext())


def test_svg_draws_arcs_with_direction_and_score():
    root = ET.fromstring(render(NEWS[0], "svg"))
    arcs = [path for path in root.iter(f"{SVG}path") if path.get("stroke-width") == "1.5"]
    heads = [path for path in root.iter(f"{SVG}path") if path.get("d").endswith("z")]
    labels = {"".join(text.itertext()) for text in root.iter(f"{SVG}text")}
    assert (len(arcs), len(heads), len(list(root.iter(f"{SVG}circle")))) == (2, 2, 2)
    assert {"lives_in 0.97", "works_for 0.94", "Person"} <= labels
    assert root.find(f"{SVG}desc").text.startswith("Bela Quist — lives_in 0.97 → Norvane; ")


def test_svg_arrows_are_above_tails_and_dots_above_heads():
    """Also where the tail comes first."""
    answer = make_answer("Oslo is home to Bo.", [("Per", "Bo", 1), ("Loc", "Oslo", 1)], [("lives_in", 0, 1, 1)])
    for drawn, dot_first in ((NEWS[0], True), (answer, False)):
        root = ET.fromstring(render(drawn, "svg"))
        dots = [float(circle.get("cx")) for circle in root.iter(f"{SVG}circle")]
        heads = [path.get("d") for path in root.iter(f"{SVG}path") if path.get("d").endswith("z")]
        tips = [float(re.match(r"M([\d.]+) ", head)[1]) + 4 for head in heads]
        assert (max(dots) < min(tips)) == dot_first and len(dots) == len(tips) > 0


def test_svg_holds_several_answers():
    assert shown_text(render(NEWS, "svg")) == "".join("".join(answer["text"].split()) for answer in NEWS)


def test_svg_themes():
    auto, light, dark = (render(NEWS, "svg", theme=theme) for theme in ("auto", "light", "dark"))
    assert "prefers-color-scheme" in auto
    assert "<style>" not in light + dark
    assert re.sub(r"<style>.*?</style>", "", auto) == light != dark


def test_svg_needs_nothing_from_elsewhere():
    picture = render([*EXAMPLES, make_long_answer(300, 30)], "svg")
    assert not re.search(r"\s(?:id|href|xlink:href)=|url\(|@import|<script", picture)
    assert re.findall(r"https?://[^\"' ]+", picture) == ["http://www.w3.org/2000/svg"]


def test_svg_notes_what_it_leaves_out():
    answer = {**NEWS[0], "relations": [{"label": f"r{i}", "head": 0, "tail": 1} for i in range(40)]}
    assert re.search(
        r">\d+ entities or relations are not drawn: there are too many in one place<", render(answer, "svg")
    )


def test_svg_grows_with_the_text_not_faster():
    one, two = (render(make_long_answer(words, words // 10), "svg") for words in (1500, 3000))
    assert len(two) < 2.1 * len(one)
