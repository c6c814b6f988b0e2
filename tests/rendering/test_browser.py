"""The drawings in a real browser: Debian's chromium by its driver. Skipped where there is none.

`SPERT_SCREENSHOTS=docs/images .venv/bin/python -m pytest -m slow tests/rendering/test_browser.py` makes the pictures of
docs/rendering.md.
"""

import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from drawn_answers import EMPTY, HOSTILE, NESTED, NEWS, SCRIPTS, TIGHT, make_long_answer

from modeling_spert.rendering import render
from modeling_spert.rendering.documents import make_printable
from spert_pages.palette import DARK_PAGE, LIGHT_PAGE

pytestmark = pytest.mark.slow

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --hide-scrollbars""".split()
SHOWN = [*NEWS, NESTED]
ALL = [*NEWS, NESTED, EMPTY, *SCRIPTS, HOSTILE, TIGHT]
VIEWS = [(theme, width) for theme in ("light", "dark") for width in (1000, 360)]


class Browser:
    """Opens pages at a width and in a theme, and remembers what they ask the network for."""

    def __init__(self, profile: Path):
        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        for flag in [*FLAGS, f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))

    def open(self, path: Path, width: int, theme: str, height: int = 800, scale: int = 1) -> None:
        """Loads a file in a window of that size."""
        self.driver.get_log("performance")
        media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.resize(width, height, scale)
        self.driver.get(path.as_uri())

    def resize(self, width: int, height: int, scale: int = 1) -> None:
        """Sets the size of the window in CSS pixels, and how many device pixels one of them is."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def run(self, script: str):
        """What a script returns."""
        return self.driver.execute_script(script)

    def requests(self) -> list[str]:
        """The addresses asked for since the page was opened."""
        entries = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [entry["params"] for entry in entries if entry["method"] == "Network.requestWillBeSent"]
        return [entry["request"]["url"] for entry in sent]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if BROWSER is None or DRIVER is None:
        pytest.skip("chromium and chromedriver are not installed (Debian: chromium, chromium-driver)")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.driver.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(render(ALL, title="Invented sentences"), encoding="utf-8")
    return path


@pytest.mark.parametrize(("theme", "width"), VIEWS)
def test_browser_shows_the_page_without_overflow(browser: Browser, page: Path, theme: str, width: int):
    browser.open(page, width, theme)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    wider = browser.run(
        "return [...document.querySelectorAll('.sp-text, article, details, .sp-legend')]"
        ".filter(block => block.scrollWidth > block.clientWidth).map(block => block.className)"
    )
    assert wider == []
    expected = (DARK_PAGE if theme == "dark" else LIGHT_PAGE).card
    shown = browser.run("return getComputedStyle(document.querySelector('article')).backgroundColor")
    assert shown == "rgb({}, {}, {})".format(*(int(expected[at : at + 2], 16) for at in (1, 3, 5)))


def test_browser_shows_labels_to_their_ends(browser: Browser, tmp_path: Path):
    """With nothing clipped, no label reaches beyond its block, on a phone or anywhere else."""
    path = tmp_path / "page.html"
    visible = "<style>.sp-text{overflow:visible!important}</style></head>"
    path.write_text(render([*ALL, make_long_answer(600, 60)]).replace("</head>", visible), encoding="utf-8")
    for width in (360, 375, 412, 600, 768, 1000):
        browser.open(path, width, "light")
        script = (
            "return Math.max(...[...document.querySelectorAll('.sp-text')].map(b => b.scrollWidth - b.clientWidth))"
        )
        assert browser.run(script) == 0, width


def test_browser_asks_for_nothing_and_runs_nothing(browser: Browser, page: Path):
    browser.open(page, 1000, "light")
    assert browser.run("return document.scripts.length") == 0
    assert set(browser.requests()) <= {page.as_uri(), "data:,"}
    assert browser.run("return document.querySelectorAll('[id]').length") == 0


def test_browser_keeps_the_text_to_read_and_to_copy(browser: Browser, page: Path):
    browser.open(page, 1000, "light")
    texts = browser.run("return [...document.querySelectorAll('.sp-text')].map(block => block.textContent)")
    assert texts == [make_printable(answer["text"]) for answer in ALL]
    copied = browser.run(
        "return [...document.querySelectorAll('.sp-text')].map(block => {"
        "getSelection().selectAllChildren(block); return getSelection().toString(); })"
    )
    assert [" ".join(text.split()) for text in copied] == [" ".join(text.split()) for text in texts]


PIECES = """
return [...document.querySelectorAll('.sp-text')].map(block => [...block.querySelectorAll('i')].map(piece => {
    const box = piece.getBoundingClientRect(), text = block.getBoundingClientRect(), style = getComputedStyle(piece);
    return {classes: piece.className, slot: style.getPropertyValue("--s"), word: piece.parentElement.className == "w",
            left: box.left, right: box.right, top: box.top, bottom: box.bottom, color: style.borderTopColor,
            inside: box.left >= text.left - 1 && box.right <= text.right + 1 && box.top >= text.top - 1}; }));
"""


@pytest.mark.parametrize(("theme", "width"), VIEWS)
def test_browser_draws_every_piece_where_it_can_be_seen(browser: Browser, page: Path, theme: str, width: int):
    """Every strip and arc has a size and is inside its block, and no two words lie over one another's strips."""
    browser.open(page, width, theme)
    for pieces in browser.run(PIECES):
        for piece in pieces:
            assert piece["inside"], piece
            if piece["word"]:  # a space at the end of a line has no width
                assert piece["right"] > piece["left"] and piece["bottom"] > piece["top"], piece
    overlaps = browser.run(
        "return [...document.querySelectorAll('.sp-text')].flatMap(block => {"
        "const words = [...block.querySelectorAll('.w')].map(word => word.getBoundingClientRect());"
        "return [...block.querySelectorAll('.e')].map(strip => strip.getBoundingClientRect()).filter(strip =>"
        "words.some(word => word.left < strip.right - 1 && strip.left < word.right - 1"
        "&& word.top + 4 < strip.bottom && strip.top < word.bottom - 4)); }).length"
    )
    assert overlaps == 0


def test_browser_joins_the_pieces_of_an_arc(browser: Browser, tmp_path: Path):
    """On one line, an arc's pieces are at one height and touch."""
    path = tmp_path / "page.html"
    path.write_text(render(NEWS[0]), encoding="utf-8")
    browser.open(path, 1000, "light")
    (pieces,) = browser.run(PIECES)
    for slot in ("1", "2"):
        arc = sorted((p for p in pieces if p["slot"] == slot), key=lambda piece: piece["left"])
        assert len({round(piece["top"], 2) for piece in arc}) == 1
        assert " p o" in arc[0]["classes"] and " q t" in arc[-1]["classes"]
        for left, right in zip(arc, arc[1:], strict=False):
            assert left["right"] == pytest.approx(right["left"], abs=0.5)


@pytest.mark.parametrize(("theme", "width"), VIEWS)
def test_browser_paints_arcs(browser: Browser, tmp_path: Path, theme: str, width: int):
    """In the middle of each piece of an arc's line, the screen has the colour of that line."""
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    path = tmp_path / "page.html"
    path.write_text(render(NEWS[0]), encoding="utf-8")
    browser.open(path, width, theme)
    screen = image.open(io.BytesIO(browser.driver.get_screenshot_as_png())).convert("RGB")
    (pieces,) = browser.run(PIECES)
    lines = [piece for piece in pieces if piece["classes"].split()[0] == "a" and len(piece["classes"].split()) == 2]
    painted = 0
    for line in lines:
        middle = (line["left"] + line["right"]) / 2
        pixels = [screen.getpixel((int(middle), int(line["top"]) + shift)) for shift in (-1, 0, 1)]
        painted += line["color"] in ["rgb({}, {}, {})".format(*pixel) for pixel in pixels]
    assert painted >= 0.6 * len(lines) > 0  # the rest is below the labels


def test_browser_bounds_a_long_answer_in_a_notebook(browser: Browser, tmp_path: Path):
    """Fragments in one page: a long text scrolls in its box, and the next answer is near."""
    path = tmp_path / "notebook.html"
    fragments = [render(make_long_answer(3000, 300), page=False), render(NEWS[0], page=False)]
    path.write_text('<!DOCTYPE html><meta charset="utf-8">' + "".join(fragments), encoding="utf-8")
    browser.open(path, 360, "light")
    assert browser.run("return document.documentElement.scrollHeight") < 2000
    assert browser.run("return document.documentElement.scrollWidth") <= 360
    assert browser.run("return document.querySelector('.sp-bounded .sp-text').scrollHeight") > 5000


@pytest.mark.parametrize("width", [320, 760])
def test_browser_shows_the_svg(browser: Browser, tmp_path: Path, width: int):
    path = tmp_path / "picture.svg"
    path.write_text(render(ALL, "svg", title="Invented sentences", width=width), encoding="utf-8")
    browser.open(path, width + 20, "dark")
    assert browser.run("return document.documentElement.tagName") == "svg"
    boxes = browser.run(
        "return [...document.querySelectorAll('text')].map(text => text.getBBox())"
        ".map(box => [box.x, box.x + box.width])"
    )
    assert all(-1 <= left <= right <= width + 1 for left, right in boxes)
    assert browser.run("return getComputedStyle(document.querySelector('rect')).fill") == "rgb(23, 29, 36)"


def test_browser_makes_screenshots(browser: Browser, tmp_path: Path):
    """The pictures of docs/rendering.md, into the folder that SPERT_SCREENSHOTS names."""
    folder = os.environ.get("SPERT_SCREENSHOTS")
    if not folder:
        pytest.skip("SPERT_SCREENSHOTS names no folder")
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    path = tmp_path / "page.html"
    path.write_text(render(SHOWN, title="What the model found"), encoding="utf-8")
    for name, width, theme in (("light", 900, "light"), ("dark", 900, "dark"), ("phone", 360, "light")):
        browser.open(path, width, theme, scale=2)
        browser.resize(
            width, browser.run("return document.body.lastElementChild.getBoundingClientRect().bottom + 24 | 0"), 2
        )
        screen = image.open(io.BytesIO(browser.driver.get_screenshot_as_png())).convert("RGB")
        screen.quantize(96, dither=image.Dither.NONE).save(Path(folder) / f"render_{name}.png", optimize=True)
