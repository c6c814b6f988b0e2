"""The application over real HTTP, with the tiny model: answers, shared batches, limits, key, readiness."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from running_service import running_app, wait_until
from tiny_pipeline import TEXT, assert_same_answers, tiny_pipeline

from modeling_spert.service import Limits, build_app
from modeling_spert.service.openapi import REQUESTS

KEY = "a-key-for-this-test-only"
TEXTS = [TEXT, "Ada.", "", "She wrote The Tide in Oslo.", "Bergen and Vik are near Oslo, Ada wrote."]


@pytest.fixture(scope="module")
def pipe():
    return tiny_pipeline()


@contextmanager
def running(pipe, settings=None, api_key=None, **limits):
    """A client of a ready service."""
    app = build_app(lambda: pipe, Limits(**limits), settings=settings, api_key=api_key)
    with running_app(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        wait_until(lambda: client.get("/ready").status_code == 200)
        yield client


@pytest.fixture(scope="module")
def client(pipe):
    with running(pipe) as client:
        yield client


def metric(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


@pytest.mark.parametrize(
    ("inputs", "settings"),
    [
        (TEXT, {}),
        (TEXT, {"relation_threshold": 0.1, "overlap": "flat", "entity_threshold": 0.3}),
        (TEXTS, {"overlap": "nested"}),
        ({"tokens": ["Ada", "Lund", "wrote", "."]}, {}),
        ({"sentences": [["Ada", "wrote"], ["It", "sold", "."]]}, {"context": "document"}),
        (
            {
                "text": TEXT,
                "entities": [{"start": 0, "end": 7, "label": "Person"}, {"start": 9, "end": 24, "label": "B"}],
            },
            {},
        ),
        ([TEXT, {"tokens": ["Ada", "."]}, {"text": "Vik."}], {"max_entities_per_sentence": 2}),
        ([TEXT, {"tokens": [1]}], {"on_error": "record"}),
        ([], {}),
    ],
)
def test_extract_answers_as_the_pipeline(client, pipe, inputs, settings):
    own = {"texts": inputs} if isinstance(inputs, list) else inputs if isinstance(inputs, dict) else {"text": inputs}
    response = client.post("/extract", json={**own, **settings})
    assert response.status_code == 200, response.text
    expected = pipe(inputs, **settings)
    found = response.json()
    assert isinstance(found, list) == isinstance(expected, list)
    assert_same_answers(*([x] if isinstance(x, dict) else x for x in (found, expected)))


def test_extract_concurrent_callers_share_batches_and_get_their_own_answers(pipe):
    texts = [f"{TEXTS[index % 5]} Then {index} words of Ada." for index in range(60)]
    expected = pipe(texts)
    with running(pipe, max_wait_ms=100) as client, ThreadPoolExecutor(20) as callers:
        replies = list(callers.map(lambda text: client.post("/extract", json={"text": text}), texts))
        assert [reply.status_code for reply in replies] == [200] * len(texts)
        assert_same_answers([reply.json() for reply in replies], expected)
        assert metric(client, "spert_batch_texts_sum") == len(texts)
        assert metric(client, "spert_batch_texts_count") <= len(texts) / 4
        assert metric(client, "spert_texts_total") == len(texts) == metric(client, 'spert_requests_total{status="200"}')
        assert metric(client, "spert_queue_tokens") == metric(client, "spert_requests_in_work") == 0


def test_extract_a_request_that_breaks_the_model_fails_alone(pipe, monkeypatch):
    forward = pipe.model.forward

    def breaking(input_ids, **kwargs):
        if (input_ids == pipe.tokenizer.convert_tokens_to_ids("Z")).any():
            raise RuntimeError("out of memory")
        return forward(input_ids=input_ids, **kwargs)

    monkeypatch.setattr(pipe.model, "forward", breaking)
    with running(pipe, max_wait_ms=300) as client, ThreadPoolExecutor(4) as callers:
        replies = list(callers.map(lambda text: client.post("/extract", json={"text": text}), [TEXT, "Z.", "Ada."]))
        assert [reply.status_code for reply in replies] == [200, 500, 200]
        assert "the extraction failed (RuntimeError)" in replies[1].json()["detail"]
        assert client.post("/extract", json={"text": TEXT}).json() == replies[0].json()
        assert client.get("/health").status_code == 200


def test_extract_settings_of_the_service_hold_where_a_request_has_none(pipe):
    with running(pipe, settings={"relation_threshold": 1.0, "overlap": "flat", "batch_size": 2}) as client:
        assert_same_answers(
            [client.post("/extract", json={"text": TEXT}).json()], [pipe(TEXT, relation_threshold=1.0, overlap="flat")]
        )
        own = client.post("/extract", json={"text": TEXT, "relation_threshold": 0.1, "overlap": "allow"}).json()
        assert_same_answers([own], [pipe(TEXT, relation_threshold=0.1)])


@pytest.mark.parametrize(
    ("send", "status", "detail"),
    [
        ({"content": b"{"}, 422, "the body must be JSON"),
        ({"json": {"texts": ["Ada.", 3]}}, 422, "input 1: an input must be"),
        ({"json": {"text": "a b", "entities": [{"start": 1, "end": 2, "label": "A"}]}}, 422, "hold no word"),
        ({"json": {"text": "a" * 301}}, 422, "at most 300 characters, got 301"),
        ({"json": {"texts": ["a"] * 9}}, 422, "at most 8 texts, got 9"),
        ({"json": {"texts": ["a" * 300] * 5}}, 413, "at most about 300 tokens, got 375"),
        ({"json": {"text": "a" * 9_000_000}}, 413, "at most 4000 bytes, got 9000011 bytes"),
        ({"content": iter([b" " * 3000] * 3)}, 413, "at most 4000 bytes, got more"),
        ({"json": {"text": "a"}, "headers": {"Content-Type": "text/plain"}}, 415, "application/json, got text/plain"),
    ],
)
def test_extract_limits_each_have_their_status(limited, send, status, detail):
    headers = {"Content-Type": "application/json", **send.get("headers", {})}
    response = limited.post("/extract", **{**send, "headers": headers})
    assert response.status_code == status and detail in response.json()["detail"]
    assert limited.post("/extract", json={"text": "Ada."}).status_code == 200  # on the same connection, or a new one


@pytest.fixture(scope="module")
def limited(pipe):
    with running(pipe, max_body_bytes=4000, max_texts=8, max_text_length=300, max_queue_tokens=300) as client:
        yield client


# A batch is not full and waits long: texts stay in the queue, on a machine of any speed.
WAITING = {"max_wait_ms": 3_600_000, "max_batch_tokens": 100_000}


@contextmanager
def raw_request(client, body: str, length: int | None = None):
    """A connection that has sent a request: one that can be closed at will."""
    head = "POST /extract HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=60) as connection:
        connection.sendall(f"{head}Content-Length: {length or len(body)}\r\n\r\n{body}".encode())
        yield connection


def test_extract_refuses_with_429_while_the_queue_is_full_and_recovers(pipe):
    with running(pipe, **WAITING, max_queue_tokens=20) as client:
        with raw_request(client, json.dumps({"text": "a" * 60})):
            wait_until(lambda: metric(client, "spert_queue_tokens") == 15)
            refused = client.post("/extract", json={"text": "a" * 24})
            assert refused.status_code == 429 and int(refused.headers["Retry-After"]) >= 1
            assert "15 tokens are waiting, and at most 20 may" in refused.json()["detail"]
            assert client.post("/extract", json={"text": "a" * 84}).status_code == 413
            assert metric(client, 'spert_refusals_total{reason="queue_full"}') == 1
        # The client has left: its place is free.
        wait_until(lambda: metric(client, "spert_disconnects_total") == 1)
        assert metric(client, "spert_queue_tokens") == metric(client, "spert_queue_texts") == 0
        with raw_request(client, json.dumps({"text": "a" * 24})):
            wait_until(lambda: metric(client, "spert_queue_tokens") == 6)


def test_extract_refuses_more_requests_than_may_be_in_work(pipe):
    with running(pipe, **WAITING, max_requests=2, timeout=3) as client, ThreadPoolExecutor(2) as callers:
        waiting = [callers.submit(client.post, "/extract", json={"text": "Ada."}) for _ in range(2)]
        wait_until(lambda: metric(client, "spert_requests_in_work") == 2)
        refused = client.post("/extract", json={"text": "Ada."})
        assert refused.status_code == 429 and "2 requests are in work" in refused.json()["detail"]
        assert [one.result().status_code for one in waiting] == [504, 504]
        assert "no answer within 3 seconds" in waiting[0].result().json()["detail"]
        assert metric(client, "spert_queue_tokens") == metric(client, "spert_requests_in_work") == 0


def test_extract_a_body_that_does_not_come_is_not_waited_for(pipe):
    with running(pipe, timeout=0.3) as client, raw_request(client, "{", length=9) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")


def test_extract_needs_the_key(pipe):
    with running(pipe, api_key=KEY) as client:
        for headers in ({}, {"X-API-Key": KEY[:-1]}, {"X-API-Key": KEY + "é"}, {"Authorization": f"Basic {KEY}"}):
            encoded = {name: value.encode("latin-1") for name, value in headers.items()}
            refused = client.post("/extract", json={"text": "Ada."}, headers=encoded)
            assert refused.status_code == 401 and "X-API-Key: KEY" in refused.json()["detail"]
            assert client.get("/metrics", headers=encoded).status_code == 401
        for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
            assert client.post("/extract", json={"text": "Ada."}, headers=headers).status_code == 200
            assert client.get("/metrics", headers=headers).status_code == 200
        assert client.get("/health").status_code == client.get("/ready").status_code == 200


def test_ready_only_once_the_model_is_loaded(pipe):
    may_load = threading.Event()

    def load():
        may_load.wait(60)
        return pipe

    with running_app(build_app(load)) as address, httpx.Client(base_url=address, timeout=60) as client:
        assert client.get("/health").json() == {"status": "ok"}
        assert client.get("/ready").status_code == 503
        refused = client.post("/extract", json={"text": "Ada."})
        assert refused.status_code == 503 and refused.headers["Retry-After"] == "1"
        may_load.set()
        wait_until(lambda: client.get("/ready").status_code == 200)
        assert client.post("/extract", json={"text": "Ada."}).status_code == 200


def test_health_reports_a_model_that_cannot_be_loaded(pipe):
    failed = threading.Event()
    app = build_app(lambda: 1 / 0, on_failure=failed.set)
    with running_app(app) as address:
        assert failed.wait(60)
        wait_until(lambda: httpx.get(address + "/health").status_code == 503)
        assert httpx.get(address + "/ready").status_code == 503
        assert isinstance(app.state.service.worker.failure, ZeroDivisionError)


def test_stop_answers_what_waits(pipe):
    app = build_app(lambda: pipe, Limits(max_wait_ms=5000))  # long enough to be stopped meanwhile
    with ThreadPoolExecutor(3) as callers:
        with running_app(app) as address:
            wait_until(lambda: httpx.get(address + "/ready").status_code == 200)
            post = lambda text: httpx.post(address + "/extract", json={"text": text}, timeout=60)  # noqa: E731
            waiting = [callers.submit(post, text) for text in TEXTS[:3]]
            wait_until(lambda: "spert_queue_texts 3.0" in httpx.get(address + "/metrics").text)
        assert_same_answers([one.result().json() for one in waiting], pipe(TEXTS[:3]))


@pytest.mark.parametrize("name", REQUESTS)
def test_openapi_examples_are_answered(client, name):
    assert client.post("/extract", json=REQUESTS[name]).status_code == 200
    described = client.get("/openapi.json").json()["paths"]["/extract"]["post"]
    content = described["requestBody"]["content"]["application/json"]
    assert content["examples"][name]["value"] == REQUESTS[name]
    assert set(REQUESTS[name]) <= set(content["schema"]["properties"])
    assert set(described["responses"]) >= {"200", "401", "408", "413", "415", "422", "429", "500", "503", "504"}
    assert json.dumps(content["schema"]).count("maxLength") >= 1


def test_extract_answers_in_time_when_alone(client):
    started = time.monotonic()
    client.post("/extract", json={"text": "Ada."})
    assert time.monotonic() - started < 5
