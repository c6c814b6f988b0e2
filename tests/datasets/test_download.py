"""Downloads over a loopback server: whole files only, each failure with its cause, the cache."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from datasets_scripts import DownloadError, load_joint_dataset
from datasets_scripts import download as download_module
from datasets_scripts.download import download, download_benchmark_file

CONTENT = b'[{"tokens": ["Ada", "slept"], "entities": [{"type": "Peop", "start": 0, "end": 1}]}]'
TYPES = json.dumps({"entities": {"Peop": {}}, "relations": {}}).encode()
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class FileServer(ThreadingHTTPServer):
    """Serves `files` and counts requests; `fault` says what goes wrong."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.fault = ""
        self.requests: list[str] = []
        self.released = threading.Event()  # lets a stalled answer end

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        if self.server.fault != "no length":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.server.fault == "stalls":
            self.server.released.wait(10)
        self.wfile.write(content[:20] if self.server.fault in ("truncates", "no length") else content)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(tmp_path, monkeypatch) -> Iterator[FileServer]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MODELING_SPERT_CACHE", str(tmp_path / "cache"))
    with FileServer() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("MODELING_SPERT_DATASETS_URL", running.url)
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def conll04(server, monkeypatch) -> FileServer:
    """The server with four invented files under the names of CoNLL04's, whose digests are the expected ones."""
    digests = {}
    for name in ("train", "dev", "test", "types"):
        content = TYPES if name == "types" else CONTENT
        server.files[f"/conll04/conll04_{name}.json"] = content
        digests[f"conll04_{name}.json"] = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(download_module, "SHA256", digests)
    return server


def test_download_keeps_a_file_with_the_right_digest(server, tmp_path):
    server.files["/a.json"] = CONTENT
    download(f"{server.url}/a.json", tmp_path / "new" / "a.json", DIGEST)
    assert (tmp_path / "new" / "a.json").read_bytes() == CONTENT
    assert os.listdir(tmp_path / "new") == ["a.json"]


@pytest.mark.parametrize(
    ("path", "fault", "digest", "cause"),
    [
        ("/a.json", "", "0" * 64, f"its SHA-256 is {DIGEST} instead of {'0' * 64}"),
        ("/a.json", "truncates", DIGEST, f"the transfer ended after 20 of {len(CONTENT)} bytes"),
        ("/a.json", "no length", DIGEST, "damaged or changed"),
        ("/a.json", "stalls", DIGEST, "timed out"),
        ("/b.json", "", DIGEST, "404"),
    ],
)
def test_download_failure_names_address_cause_and_flag_and_leaves_nothing(
    server, tmp_path, monkeypatch, path, fault, digest, cause
):
    monkeypatch.setattr(download_module, "TIMEOUT", 0.3 if fault == "stalls" else 20.0)
    server.files["/a.json"] = CONTENT
    server.fault = fault
    with pytest.raises(DownloadError) as caught:
        download(server.url + path, tmp_path / "new" / "a.json", digest)
    for part in (f"could not download {server.url + path}", cause, "--data_dir"):
        assert part in str(caught.value)
    assert os.listdir(tmp_path / "new") == []


def test_download_failure_leaves_the_earlier_file(server, tmp_path):
    (tmp_path / "a.json").write_bytes(b"earlier")
    with pytest.raises(DownloadError):
        download(f"{server.url}/a.json", tmp_path / "a.json", DIGEST)
    assert (tmp_path / "a.json").read_bytes() == b"earlier"


@pytest.mark.parametrize(
    ("url", "cause"),
    [("http://127.0.0.1:9", "refused"), ("not an address", "unknown url type")],
    ids=["refused", "no url"],
)
def test_download_without_a_server_names_address_and_flag(server, monkeypatch, url, cause):
    monkeypatch.setenv("MODELING_SPERT_DATASETS_URL", url)
    with pytest.raises(DownloadError) as caught:
        load_joint_dataset("conll04")
    for part in (f"could not download {url}/conll04/conll04_", cause, "data_dir (--data_dir)"):
        assert part in str(caught.value)


def test_download_dataset_is_cached_and_then_needs_no_server(conll04, monkeypatch):
    first = load_joint_dataset("conll04")
    assert first.counts() == {"train": (1, 1, 0), "dev": (1, 1, 0), "test": (1, 1, 0)}
    assert sorted(conll04.requests) == sorted(conll04.files)
    monkeypatch.setenv("MODELING_SPERT_DATASETS_URL", "http://127.0.0.1:9")
    assert load_joint_dataset("conll04").counts() == first.counts()


def test_download_damaged_cached_file_is_fetched_again(conll04):
    path = download_benchmark_file("conll04", "conll04_dev.json")
    path.write_bytes(CONTENT[:30])
    assert download_benchmark_file("conll04", "conll04_dev.json").read_bytes() == CONTENT
    assert conll04.requests == ["/conll04/conll04_dev.json"] * 2


def test_download_address_can_be_given_as_argument(conll04, monkeypatch):
    monkeypatch.delenv("MODELING_SPERT_DATASETS_URL")
    assert download_benchmark_file("conll04", "conll04_dev.json", base_url=f"{conll04.url}/").read_bytes() == CONTENT
