"""What the HTML reports share: sentences with marks, charts, colours, pages."""

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spert_pages import (
    Arrow,
    Line,
    Mark,
    Marker,
    ReliabilityBin,
    draw_bars,
    draw_lines,
    draw_reliability,
    draw_sentence,
    write_text,
)


def parse(fragment):
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parseFragment(str(fragment))


WORDS = ["Ana", "<b>", "Sol", "&", "runs", '"it"']
MARKS = st.lists(
    st.builds(
        lambda start, width, label, status: Mark(start, min(start + width, len(WORDS)), label, 0.5, status),
        st.integers(0, len(WORDS) - 1),
        st.integers(1, 4),
        st.sampled_from(["Per", "<i>Org</i>"]),
        st.sampled_from(["", "wrong", "missed"]),
    ),
    max_size=8,
)


@given(MARKS)
def test_sentence_holds_every_word_once_and_every_mark(marks):
    tree = parse(draw_sentence(WORDS, marks, [], {"Per": 3}))
    (sentence,) = [node for node in tree.iter("div") if node.get("class") == "sentence"]
    for tag in list(sentence.iter("span")):
        tag.text = ""  # the labels
        for child in tag:
            child.text = child.tail = ""
    assert " ".join("".join(sentence.itertext()).split()) == " ".join(WORDS)
    assert len(list(tree.iter("mark"))) == len(set(marks))


def test_sentence_draws_nested_marks_inside_one_another():
    tree = parse(draw_sentence(WORDS, [Mark(0, 3, "A"), Mark(1, 2, "B")], [], {}))
    outer = next(tree.iter("mark"))
    assert [inner.tag for inner in outer.iter("mark")] == ["mark", "mark"]


def test_sentence_lists_relations_with_their_direction_and_status():
    arrow = Arrow((0, 1), (4, 5), "<u>", 0.25, "wrong")
    tree = parse(draw_sentence(WORDS, [], [arrow], {}))
    (line,) = tree.iter("li")
    assert line.get("class") == "wrong"
    assert " ".join("".join(line.itertext()).split()) == "Ana <u> 0.25 runs"


def test_sentence_shows_a_window():
    tree = parse(draw_sentence(WORDS, [Mark(0, 1, "A"), Mark(2, 3, "B")], [], {}, window=(2, 4)))
    assert "".join(tree.itertext()) == "… SolB & …"


def test_sentence_of_thousands_of_words_is_cut():
    text = "".join(parse(draw_sentence(["w"] * 5000, [], [], {})).itertext())
    assert text.endswith(" …") and text.count("w") == 400


def test_charts_are_svg_inside_their_frame():
    charts = [
        draw_lines("A <title>", "x & y", [Line("<f>", ((0.1, 0), (0.9, 100)), "l0")], [Marker(0.4, "<m>", 50, "best")]),
        draw_reliability("R", [ReliabilityBin(0.1, 0.2, 4, 0.15, 0.5), ReliabilityBin(0.2, 0.3, 0, 0, 0)]),
        draw_bars("B", "width", [("1", 4), (">1", 0)], limit=1),
        draw_bars("empty", "width", []),
    ]
    for chart in charts:
        tree = parse(chart)
        for node in tree.iter():
            for name in ("x", "x1", "x2", "cx"):
                assert 0 <= float(node.get(name, 0)) <= 520
            for name in ("y", "y1", "y2", "cy"):
                assert 0 <= float(node.get(name, 0)) <= 300
    assert "<m>" in "".join(parse(charts[0]).itertext())


def test_pages_are_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "page.html"
    write_text("one", path)
    path.chmod(0o600)
    assert write_text("two\ud800", path).read_text() == "two?"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(TypeError):
        write_text(3, path)
    assert path.read_text() == "two?"
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
