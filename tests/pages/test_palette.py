"""Colours: readable on both pages, and spread over labels."""

import pytest

from spert_pages.palette import DARK, DARK_PAGE, LIGHT, LIGHT_PAGE, assign_colors


def luminance(color: str) -> float:
    """The relative luminance of WCAG 2.1."""
    channels = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    """The contrast ratio of WCAG 2.1: 4.5 for text, 3 for lines."""
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("page", "colors"), [(LIGHT_PAGE, LIGHT), (DARK_PAGE, DARK)])
def test_palette_has_contrast(page, colors):
    for ground in (page.card, page.paper):
        assert contrast(page.ink, ground) >= 7
        assert contrast(page.faint, ground) >= 4.5
        for color in colors:
            assert contrast(color.text, color.fill) >= 4.5
            assert contrast(color.text, ground) >= 4.5
            assert contrast(color.line, ground) >= 3


def test_palette_colours_differ():
    assert len(LIGHT) == len(DARK) == len(set(LIGHT)) == len(set(DARK))


def test_assign_colors_gives_each_label_its_own_while_there_are_enough():
    entities, relations = assign_colors("ABCDEFG", "abcde")
    assert len({*entities.values(), *relations.values()}) == len(LIGHT)
    assert len(assign_colors(map(str, range(30)), [])[0]) == 30


def test_assign_colors_depends_on_the_label_not_on_the_others():
    alone = assign_colors(["Person"], [])[0]["Person"]
    assert assign_colors(["Person", "Location"], ["lives_in"])[0]["Person"] == alone
