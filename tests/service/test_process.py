"""`spert serve` as a process: its key, its signals, its mistakes; in the slow suite, load, overload and kills."""

import json
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import httpx
import pytest
from running_service import answers, served, wait_until
from tiny_pipeline import TEXT, assert_same_answers, save_folder, tiny_model, tiny_pipeline

from benchmarks.service_load import LOST, closed_load, open_load, percentile
from modeling_spert.service import Limits, read_api_key
from spert_cli import main
from spert_cli.serving import serve

KEY = "a-key-for-this-test-only"
TEXTS = [f"{TEXT} In {index} weeks Ada wrote about Vik." for index in range(40)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_folder(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def pipe():
    return tiny_pipeline(tiny_model())


def test_serve_answers_with_the_key_and_ends_with_0_once_all_is_answered(folder, pipe, tmp_path):
    with served(folder, tmp_path / "log", "--max_wait_ms", 3000, "--overlap", "flat", SPERT_API_KEY=KEY) as service:
        post = lambda text: httpx.post(  # noqa: E731
            service.address + "/extract", json={"text": text}, headers={"X-API-Key": KEY}, timeout=60
        )
        wait_until(lambda: answers(service.address + "/ready"))
        assert httpx.post(service.address + "/extract", json={"text": TEXT}).status_code == 401
        with ThreadPoolExecutor(4) as callers:
            waiting = [callers.submit(post, text) for text in TEXTS[:4]]
            headers = {"Authorization": f"Bearer {KEY}"}
            metrics = lambda: httpx.get(service.address + "/metrics", headers=headers).text  # noqa: E731
            wait_until(lambda: "spert_requests_in_work 4.0" in metrics())
            service.process.send_signal(signal.SIGTERM)
            assert_same_answers([one.result().json() for one in waiting], pipe(TEXTS[:4], overlap="flat"))
        assert service.process.wait(60) == 0
        assert not answers(service.address + "/health")
    log = service.log.read_text("utf-8")
    assert KEY not in log and "anybody" not in log and "Traceback" not in log and "Ada" not in log


def test_serve_reports_a_model_that_cannot_be_loaded_in_one_line(tmp_path, capsys):
    (tmp_path / "config.json").write_text('{"model_type": "spert"}', encoding="utf-8")
    assert main(["serve", str(tmp_path), "--port", "0"]) == 2
    error = capsys.readouterr().err.splitlines()
    assert error[-1].startswith("error: Could not load model")


@pytest.mark.parametrize(
    ("arguments", "key", "message"),
    [
        (["tests/nope"], None, "MODEL tests/nope: no such folder"),
        (["FOLDER", "--port", "99999"], None, "less than or equal to 65535"),
        (["FOLDER", "--host", "203.0.113.7"], None, "cannot listen at --host 203.0.113.7"),
        (["FOLDER", "--max_texts", "0"], None, "max_texts must be an integer >= 1, got 0"),
        (["FOLDER", "--timeout", "0"], None, "timeout must be a number above 0, got 0.0"),
        (["FOLDER", "--api_key_file", "nope.txt"], None, "nope.txt"),
        (["FOLDER"], "", "SPERT_API_KEY must have at least 16 characters"),
        (["FOLDER"], "spaces in such a key are", "printable ASCII without spaces"),
    ],
)
def test_serve_reports_a_mistake_in_one_line(folder, capsys, monkeypatch, arguments, key, message):
    if key is not None:
        monkeypatch.setenv("SPERT_API_KEY", key)
    status = main(["serve", *(str(folder) if a == "FOLDER" else a for a in arguments)])
    error = capsys.readouterr().err
    assert status == 2 and error.startswith("error: ") and error.count("\n") == 1 and message in error


def test_serve_flags_have_the_defaults_of_the_limits():
    names = {field.name for field in fields(Limits)} - {"max_given_entities"}
    assert names <= set(serve.__annotations__)
    flags = dict(zip(list(serve.__annotations__)[1:-1], serve.__defaults__, strict=True))  # all but MODEL, and return
    assert {name: flags[name] for name in names} == {name: getattr(Limits(), name) for name in names}


def test_read_api_key_takes_the_file_before_the_environment(tmp_path, monkeypatch):
    assert read_api_key() is None
    monkeypatch.setenv("SPERT_API_KEY", KEY)
    assert read_api_key() == KEY
    (tmp_path / "key").write_text(f"{KEY}-of-the-file\n", encoding="utf-8")
    assert read_api_key(tmp_path / "key") == f"{KEY}-of-the-file"


@pytest.mark.slow
def test_serve_warns_where_anybody_may_call(folder, tmp_path):
    with served(folder, tmp_path / "log", "--host", "0.0.0.0") as service:
        assert "anybody who reaches 0.0.0.0 can call this service" in service.log.read_text("utf-8")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_serve_under_load_answers_right_refuses_what_is_too_much_and_recovers(folder, pipe, tmp_path, capsys):
    expected = pipe(TEXTS)
    with served(folder, tmp_path / "log", "--max_queue_tokens", 1000, "--num_threads", 1) as service:
        wait_until(lambda: answers(service.address + "/ready"))
        replies = closed_load(service.address, TEXTS, callers=8, seconds=10)
        assert Counter(reply.status for reply in replies).keys() == {200}
        assert_same_answers([reply.answer() for reply in replies], [expected[reply.index] for reply in replies])
        capacity = len(replies) / 10
        crowd = open_load(service.address, TEXTS, rate=4 * capacity, seconds=10, callers=96)
        statuses = Counter(reply.status for reply in crowd)
        assert statuses.keys() == {200, 429}, statuses
        answered = [reply for reply in crowd if reply.status == 200]
        assert_same_answers([reply.answer() for reply in answered], [expected[reply.index] for reply in answered])
        assert all(int(reply.retry_after) >= 1 for reply in crowd if reply.status == 429)
        after = closed_load(service.address, TEXTS, callers=8, seconds=5)
        assert {reply.status for reply in after} == {200}
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0
    with capsys.disabled():
        for name, found in (("8 callers", replies), ("4 times that", answered), ("afterwards", after)):
            seconds = [reply.seconds for reply in found]
            times = ", ".join(f"p{p} {percentile(seconds, p) * 1000:.0f} ms" for p in (50, 99))
            print(f"\n{name}: {len(found)} answers, {times}", end="")
        print(f"; {statuses[429]} of {len(crowd)} refused with 429")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_serve_killed_under_load_is_ready_again_and_answers(folder, pipe, tmp_path):
    expected = pipe(TEXTS)
    found: list = []
    with served(folder, tmp_path / "log") as service:
        wait_until(lambda: answers(service.address + "/ready"))
        load = threading.Thread(target=lambda: found.extend(closed_load(service.address, TEXTS, 8, 5)))
        load.start()
        time.sleep(2)
        service.process.kill()
        load.join()
        assert {reply.status for reply in found} == {200, LOST}
        port = service.port
    answered = [reply for reply in found if reply.status == 200]
    assert_same_answers([reply.answer() for reply in answered], [expected[reply.index] for reply in answered])
    started = time.monotonic()
    with served(folder, tmp_path / "again", "--port", port) as service:
        wait_until(lambda: answers(service.address + "/ready"), seconds=60)
        again = httpx.post(service.address + "/extract", json={"texts": TEXTS}, timeout=60)
        assert_same_answers(again.json(), expected)
    print(json.dumps({"seconds from the start to the answer": round(time.monotonic() - started, 1)}))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_serve_stopped_under_load_answers_what_it_accepted(folder, tmp_path):
    found: list = []
    with served(folder, tmp_path / "log") as service:
        wait_until(lambda: answers(service.address + "/ready"))
        load = threading.Thread(target=lambda: found.extend(closed_load(service.address, TEXTS, 8, 5)))
        load.start()
        time.sleep(2)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0
        load.join()
    statuses = [reply.status for reply in found]
    first_lost = statuses.index(LOST)
    assert set(statuses) == {200, LOST} and first_lost > 0
    # Whoever was refused came after the stop: a connection that was not accepted, none that broke with half an answer.
    assert not any(b"IncompleteRead" in reply.body for reply in found)
