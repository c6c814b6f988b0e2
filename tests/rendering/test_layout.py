"""Where strips and arcs go, for any text and any spans."""

import pytest
from drawn_answers import NESTED, NEWS, SCRIPTS, TIGHT, make_answer
from hypothesis import given
from hypothesis import strategies as st

from modeling_spert.rendering.arcs import MAX_SLOTS
from modeling_spert.rendering.cells import WIDEST_CELL, find_runs, split_cells
from modeling_spert.rendering.documents import read_document
from modeling_spert.rendering.layout import MAX_LEVELS, lay_out
from modeling_spert.rendering.lines import break_lines
from modeling_spert.rendering.text_width import shorten, text_direction, text_width

texts = st.text(st.sampled_from("abc def-.(\n中。אמ1\u0301"), min_size=1, max_size=80)


@st.composite
def documents(draw):
    text = draw(texts)
    edges = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(edges, edges).filter(lambda span: span[0] < span[1]), max_size=15))
    entities = [{"start": a, "end": b, "label": draw(st.sampled_from(["A", "LongerLabel"]))} for a, b in spans]
    ends = st.integers(0, len(entities) - 1)
    pairs = draw(st.lists(st.tuples(ends, ends), max_size=15)) if entities else []
    relations = [{"head": head, "tail": tail, "label": "relation"} for head, tail in pairs]
    return read_document({"text": text, "entities": entities, "relations": relations})


@given(documents())
def test_layout_cells_tile_the_text_and_hold_no_boundary(document):
    boundaries = {edge for entity in document.entities for edge in (entity.start, entity.end)}
    cells = split_cells(document.text, boundaries)
    assert [cell.start for cell in cells] == [0, *(cell.end for cell in cells[:-1])]
    assert cells[-1].end == len(document.text)
    assert not any(cell.start < edge < cell.end for cell in cells for edge in boundaries)
    assert all(document.text[c.start : c.end] == "\n" for c in cells if c.kind == "newline")
    assert all(document.text[c.start : c.end].isspace() == (c.kind != "word") for c in cells)
    runs = find_runs(cells)
    assert [at for first, last in runs for at in range(first, last + 1)] == list(range(len(cells)))


@given(documents())
def test_layout_puts_no_two_things_in_one_place(document):
    layout = lay_out(document)
    taken: set[tuple[int, int]] = set()  # half cells and slots

    def take(first: int, last: int, slot: int) -> None:
        places = {(half, slot) for half in range(first, last + 1)}
        assert not places & taken
        taken.update(places)

    for strip in layout.strips:
        assert 0 <= strip.slot < MAX_LEVELS
        take(2 * strip.first, 2 * strip.last + 1, strip.slot)
    for arc in layout.arcs:
        assert arc.slot < MAX_SLOTS and arc.slot > arc.left.foot
        if arc.right is None:
            take(2 * arc.left.cell + 1, 2 * arc.left.cell + 1, arc.slot)
        elif arc.left.cell == arc.right.cell:
            take(2 * arc.left.cell, 2 * arc.left.cell + 1, arc.slot)
            assert arc.left.x < arc.right.x
        else:
            assert arc.left.cell < arc.right.cell and arc.slot > arc.right.foot
            take(2 * arc.left.cell + 1, 2 * arc.right.cell, arc.slot)


@given(documents())
def test_layout_ends_of_arcs_are_on_their_entities_in_lanes_of_their_own(document):
    layout = lay_out(document)
    strips = {strip.entity: strip for strip in layout.strips}
    lanes = []
    for arc in layout.arcs:
        relation = document.relations[arc.relation]
        for end in (arc.left, arc.right):
            if end is not None:
                strip = strips[relation.tail if end.is_tail else relation.head]
                assert strip.first <= end.cell <= strip.last and end.foot == strip.slot
                lanes.append((end.cell, end.x))
                assert end.x <= layout.cells[end.cell].width + layout.pads[end.cell]
    assert len(set(lanes)) == len(lanes)


@given(documents())
def test_layout_draws_or_lists_everything(document):
    layout = lay_out(document)
    drawn = {strip.entity for strip in layout.strips}
    assert drawn.isdisjoint(layout.undrawn_entities)
    assert drawn | set(layout.undrawn_entities) == set(range(len(document.entities)))
    ends = {index: 0 for index in range(len(document.relations))}
    for arc in layout.arcs:
        ends[arc.relation] += 1 if arc.right is None else 2
    assert all(count in (0, 2) for count in ends.values())
    assert [index for index, count in ends.items() if not count] == layout.undrawn_relations


@given(documents(), st.floats(20, 60))
def test_layout_lines_hold_every_cell_once_and_side_by_side(document, width):
    layout = lay_out(document)
    assert all(pad >= 0 for pad in layout.pads)
    assert all(a[1] < b[0] for a, b in zip(layout.groups, layout.groups[1:], strict=False))
    lines = break_lines(document.text, layout, width)
    shown = sorted(box.cell for boxes in lines for box in boxes)
    words = [index for index, cell in enumerate(layout.cells) if cell.kind == "word"]
    assert len(set(shown)) == len(shown) and set(words) <= set(shown)
    for boxes in lines:
        for left, right in zip(boxes, boxes[1:], strict=False):
            assert left.x + left.width == pytest.approx(right.x)


@pytest.mark.parametrize("answer", [*NEWS, NESTED, *SCRIPTS, TIGHT])
def test_layout_draws_all_of_the_examples(answer):
    layout = lay_out(read_document(answer))
    assert layout.undrawn_entities == layout.undrawn_relations == []
    lines = break_lines(answer["text"], layout, 20)
    assert all(box.x >= -1e-6 and box.x + box.width <= 20 + 1e-6 for boxes in lines for box in boxes)


def test_layout_stacks_nested_entities_with_the_longest_at_the_text():
    layout = lay_out(read_document(NESTED))
    assert [strip.slot for strip in sorted(layout.strips, key=lambda strip: strip.entity)] == [0, 1, 2, 0, 1, 0]


def test_layout_lets_a_chain_of_relations_share_a_slot():
    chain = make_answer(
        "Alpha Company owns Beta Company which owns Gamma Company.",
        [("O", "Alpha Company", 1), ("O", "Beta Company", 1), ("O", "Gamma Company", 1)],
        [("owns", 0, 1, 1), ("owns", 1, 2, 1)],
    )
    assert [arc.slot for arc in lay_out(read_document(chain)).arcs] == [1, 1]


def test_layout_joins_words_that_run_against_the_text():
    """In an Arabic sentence, New York is one cell: the browser puts New to the left of York."""
    text = SCRIPTS[0]["text"]
    words = [text[cell.start : cell.end] for cell in split_cells(text, {text.index("New"), text.index("York") + 4})]
    assert "New York" in words and "Nile Labs" in words


def test_layout_cuts_long_words_but_no_character_from_its_accent():
    text = "e\u0301" * 100
    cells = split_cells(text, set())
    assert len(cells) > 3 and all(cell.width <= WIDEST_CELL for cell in cells)
    assert all(text[cell.start] == "e" for cell in cells)
    assert [cell.breakable for cell in cells] == [False] + [True] * (len(cells) - 1)


def test_layout_breaks_no_line_before_closing_punctuation():
    cells = split_cells("他说「好。」了", set())
    assert ["他说「好。」了"[cell.start : cell.end] for cell in cells] == ["他", "说", "「好。」", "了"]


def test_layout_keeps_punctuation_with_its_word():
    text = "Lumeo (Kelmouth, led by Dara Finch)."
    edges = {0, 5, 7, 15, text.index("Dara"), len(text) - 2}
    cells = split_cells(text, edges)
    runs = [text[cells[first].start : cells[last].end] for first, last in find_runs(cells)]
    assert [run for run in runs if run != " "] == ["Lumeo", "(Kelmouth,", "led", "by", "Dara", "Finch)."]
    assert find_runs(split_cells("中文", set())) == [(0, 0), (1, 1)]


def test_text_width_of_helvetica():
    """Helvetica's AFM file: H 722, e 556, l 222, o 556; bold and wide characters are estimates."""
    assert text_width("Hello", 1000) == pytest.approx(722 + 556 + 222 + 222 + 556)
    assert text_width("é") == text_width("e") == text_width("e\u0301")
    assert text_width("中") == 1.0


def test_text_direction_is_that_of_the_first_letter():
    assert [text_direction(text) for text in ("12 אa", "(a א", "12 ()", "")] == ["rtl", "ltr", None, None]


def test_shorten_makes_one_line():
    assert shorten("a\n b", 5) == "a b"
    assert shorten("abcdef", 3) == "ab…"
