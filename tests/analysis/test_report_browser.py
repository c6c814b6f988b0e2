"""The report and the check in a real browser: Debian's chromium by its driver. Skipped where there is none.

`SPERT_SCREENSHOTS=docs/images .venv/bin/python -m pytest -m slow tests/analysis/test_report_browser.py` makes the
picture of the check in docs/analysis.md; those of the report are of two trainings on the demo corpus.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from noisy_predictions import corrupt
from tiny_data import build_rows

from datasets_scripts import load_joint_dataset
from datasets_scripts.checking import check_dataset, write_check
from datasets_scripts.joint_dataset import JointDataset
from modeling_spert.analysis import analyse, at_thresholds, write_report

pytestmark = pytest.mark.slow

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --hide-scrollbars""".split()
GOLD = build_rows(40, 3)
VIEWS = [(theme, width) for theme in ("light", "dark") for width in (1150, 380)]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    if BROWSER is None or DRIVER is None:
        pytest.skip("chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    baseline = at_thresholds(corrupt(GOLD, 2, rate=0.5))
    analysis = analyse(GOLD, corrupt(GOLD, 1, rate=0.4), relation_threshold=0.4, baseline=baseline)
    return write_report(analysis, tmp_path_factory.mktemp("report") / "report.html")


def open_page(driver, path: Path, width: int = 1150, theme: str = "light", height: int = 900) -> None:
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get(path.as_uri())


def shown(driver) -> int:
    return driver.execute_script("return document.querySelectorAll('#cases .case:not([hidden])').length")


def choose(driver, name: str, value: str) -> None:
    driver.execute_script(
        "const field = document.querySelector(`[name=${arguments[0]}]`); field.value = arguments[1];"
        "field.dispatchEvent(new Event('input', {bubbles: true}));",
        name,
        value,
    )


@pytest.mark.parametrize(("theme", "width"), VIEWS)
def test_report_fits_the_window_without_a_complaint(driver, report, theme, width):
    driver.get_log("browser")
    open_page(driver, report, width, theme)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert driver.get_log("browser") == []  # also nothing that the content security policy refused
    background = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(246, 247, 249)", "dark": "rgb(15, 20, 25)"}[theme]


def test_report_filters_errors(driver, report):
    open_page(driver, report)
    everything = shown(driver)
    choose(driver, "kind", "relation")
    relations = shown(driver)
    assert 0 < relations < everything
    assert f"{relations} of {everything} shown" in driver.find_element("id", "shown").text
    choose(driver, "kind", "entity")
    assert shown(driver) == everything - relations
    choose(driver, "words", "harbour")
    texts = driver.execute_script(
        "return [...document.querySelectorAll('#cases .case:not([hidden])')].map(x => x.textContent.toLowerCase())"
    )
    assert texts and all("harbour" in text for text in texts)
    driver.find_element("css selector", "#filters [type=reset]").click()
    driver.execute_async_script("setTimeout(arguments[0], 50)")
    assert shown(driver) == everything


def test_report_filters_by_type_and_state(driver, report):
    open_page(driver, report)
    types = driver.execute_script("return [...document.querySelectorAll('[name=type] option')].map(x => x.textContent)")
    assert types[1:] == ["Org", "Per", "met", "runs"]
    choose(driver, "type", "1")
    labels = driver.execute_script(
        "return [...document.querySelectorAll('#cases .case:not([hidden])')].map(x => x.dataset.types.split(' '))"
    )
    assert labels and all("1" in label for label in labels)
    choose(driver, "type", "")
    choose(driver, "state", "new")
    states = driver.execute_script(
        "return [...document.querySelectorAll('#cases .case:not([hidden])')].map(x => x.dataset.state)"
    )
    assert states and all("new" in state for state in states)


def test_report_links_lead_to_sentences(driver, report):
    open_page(driver, report)
    link = driver.find_element("css selector", "#cases .case .to")
    target = link.get_attribute("href").rpartition("#")[2]
    link.click()
    top = driver.execute_script("return document.getElementById(arguments[0]).getBoundingClientRect().top", target)
    assert 0 <= top < 900


def test_report_is_complete_without_a_script(driver, report):
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        open_page(driver, report)
        assert not driver.find_element("id", "filters").is_displayed()
        cases = driver.find_elements("css selector", "#cases .case")
        assert cases and all(case.is_displayed() for case in cases)
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_report_asks_the_network_for_nothing(driver, report):
    driver.get_log("performance")
    open_page(driver, report)
    requests = [entry["message"] for entry in driver.get_log("performance") if "requestWillBeSent" in entry["message"]]
    assert not [message for message in requests if '"url":"http' in message]


def troubled_demo() -> JointDataset:
    """The demo corpus with what a check is for: a sentence in two splits, wide entities, a relation turned round, a
    type that is only in dev."""
    data = load_joint_dataset("demo")
    train, dev = data.splits["train"].to_list(), data.splits["dev"].to_list()
    related = [row for row in train if row["relations"]]
    dev[3] = {**related[0], "orig_id": "demo-dev-0004"}
    first = next(r for row in related[1:] for r in row["relations"] if r["type"] == "works_for")
    first["head"], first["tail"] = first["tail"], first["head"]
    for row in related[2:4]:
        row["entities"][0]["start"], row["entities"][0]["end"] = 0, min(len(row["tokens"]), 13)
    dev[5]["entities"].append({"type": "Law", "start": 0, "end": 1})
    splits = {
        name: data.splits[name].from_list(rows, features=data.splits[name].features)
        for name, rows in (("train", train), ("dev", dev), ("test", data.splits["test"].to_list()))
    }
    return JointDataset(
        **{**vars(data), "splits": splits, "entity_types": (*data.entity_types, "Law"), "name": "my_annotations"}
    )


@pytest.mark.parametrize(("theme", "width"), VIEWS)
def test_check_fits_the_window(driver, tmp_path, theme, width):
    check = check_dataset(troubled_demo())
    assert {"wide_entities", "duplicates_across_splits", "odd_signatures", "untrained_labels"} <= {
        finding.code for finding in check.findings
    }
    path = write_check(check, tmp_path / "check.html")
    driver.get_log("browser")
    open_page(driver, path, width, theme)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert driver.get_log("browser") == []
    folder = os.environ.get("SPERT_SCREENSHOTS")
    if folder and (theme, width) == ("light", 1150):
        open_page(driver, path, width, theme, height=1500)
        driver.save_screenshot(str(Path(folder) / "check.png"))
