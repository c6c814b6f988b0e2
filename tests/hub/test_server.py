"""The local Hub serves `huggingface_hub` as the real one does; test_hub_clients.py has other clients and the faults."""

from __future__ import annotations

import hashlib
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import huggingface_hub
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_hub import Fault, LocalHub
from local_hub.client import client
from local_hub.messages import byte_range, front_matter
from local_hub.store import HubError

# The client's own: it hands an open file to httpx2 as `data`.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

WEIGHTS = bytes(range(256)) * 400  # 100 KiB; goes through LFS by its name
FILES: dict[str, bytes | str] = {"config.json": '{"hidden": 8}', "model.safetensors": WEIGHTS}


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(page_size=3) as hub:  # so that most listings take several pages
        yield hub


@pytest.fixture
def api(hub: LocalHub) -> Iterator[HfApi]:
    with client(hub) as (api, _):
        yield api


def test_hub_returns_what_was_uploaded(api: HfApi, hub: LocalHub, tmp_path: Path) -> None:
    url = api.create_repo("org/m")
    assert (url, url.repo_id, url.repo_type) == (f"{hub.url}/org/m", "org/m", "model")
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "README.md").write_text("---\npipeline_tag: token-classification\ntags:\n- spert\n---\n# M\n")
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "sub" / "naïve file.txt").write_text("é")
    (folder / "empty").touch()
    commit = api.upload_folder(repo_id="org/m", folder_path=folder)
    assert hub.count("PUT", f"/lfs/{hashlib.sha256(WEIGHTS).hexdigest()}") == 1
    snapshot = Path(api.snapshot_download("org/m", cache_dir=tmp_path / "cache"))
    assert snapshot.name == commit.oid
    for path in ("README.md", "model.safetensors", "sub/naïve file.txt", "empty"):
        assert (snapshot / path).read_bytes() == (folder / path).read_bytes()
    info = api.model_info("org/m", files_metadata=True)
    assert (info.sha, info.pipeline_tag, info.private) == (commit.oid, "token-classification", False)
    assert "spert" in (info.tags or [])
    lfs = {file.rfilename: file.lfs.sha256 for file in info.siblings or [] if file.lfs}
    assert lfs == {"model.safetensors": hashlib.sha256(WEIGHTS).hexdigest()}
    assert not api.verify_repo_checksums("org/m", cache_dir=tmp_path / "cache").mismatches


def test_hub_makes_no_commit_for_what_it_has(api: HfApi, hub: LocalHub) -> None:
    head = hub.add("org/m", FILES)
    again = api.upload_file(repo_id="org/m", path_in_repo="model.safetensors", path_or_fileobj=WEIGHTS)
    assert again.oid == head
    assert hub.count("PUT", "/lfs/") == hub.count("POST", "/commit/") == 0


def test_hub_keeps_every_revision(api: HfApi, hub: LocalHub, tmp_path: Path) -> None:
    first = hub.add("org/m", {"a.txt": "1"})
    api.create_tag("org/m", tag="v1", tag_message="first")
    api.create_branch("org/m", branch="feature/x", revision=first)
    second = api.create_commit(
        "org/m",
        [CommitOperationAdd("b/c.txt", b"2"), CommitOperationDelete("a.txt")],
        commit_message="second",
        parent_commit=first,
    ).oid
    api.upload_file(repo_id="org/m", path_in_repo="a.txt", path_or_fileobj=b"3", revision="feature/x")

    def read(revision: str) -> str:
        return Path(api.hf_hub_download("org/m", "a.txt", revision=revision, cache_dir=tmp_path)).read_text()

    assert [read("v1"), read(first), read("feature/x")] == ["1", "1", "3"]
    with pytest.raises(EntryNotFoundError):
        read("main")
    with pytest.raises(RevisionNotFoundError):
        read("v2")
    with pytest.raises(HfHubHTTPError, match="412"):
        api.create_commit("org/m", [CommitOperationAdd("d", b"")], commit_message="late", parent_commit=first)
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_tag("org/m", tag="v1")
    refs = api.list_repo_refs("org/m")
    assert {tag.name: tag.target_commit for tag in refs.tags} == {"v1": first}
    assert {branch.name for branch in refs.branches} == {"main", "feature/x"}
    assert [commit.title for commit in api.list_repo_commits("org/m")] == ["second", "add", "initial commit"]
    assert set(hub.files("org/m", revision=second)) == {".gitattributes", "b/c.txt"}
    api.delete_tag("org/m", tag="v1")
    api.delete_branch("org/m", branch="feature/x")
    with pytest.raises(KeyError, match="v1"):
        hub.files("org/m", revision="v1")


def test_hub_lists_in_pages(api: HfApi, hub: LocalHub) -> None:
    hub.add("org/m", {path: "x" for path in ("a", "b/c", "b/d/e", "b/d/f", "g")}, kind="datasets")
    last = hub.add("org/m", {"b/d/f": "y"}, kind="datasets")
    assert api.list_repo_files("org/m", repo_type="dataset") == [".gitattributes", "a", "b/c", "b/d/e", "b/d/f", "g"]
    assert hub.count("GET", "/tree/main") == 3  # of six files and two folders
    tree = list(api.list_repo_tree("org/m", "b", repo_type="dataset", expand=True))
    assert [entry.path for entry in tree] == ["b/c", "b/d"]
    assert [entry.last_commit.oid == last for entry in tree if entry.last_commit] == [False, True]
    found = api.get_paths_info("org/m", ["b", "g", "none"], repo_type="dataset")
    assert [type(entry).__name__ for entry in found] == ["RepoFolder", "RepoFile"]
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree("org/m", "none", repo_type="dataset"))


def test_hub_knows_its_callers(api: HfApi, hub: LocalHub) -> None:
    api.create_repo("org/m", private=True)
    reader, anyone, wrong = (HfApi(endpoint=hub.url, token=token) for token in (hub.read_token, False, "nonsense"))
    assert api.whoami()["name"] == "tester" and reader.model_info("org/m").private
    with pytest.raises(RepositoryNotFoundError, match="401"):
        anyone.model_info("org/m")
    with pytest.raises(RepositoryNotFoundError, match="401"):
        anyone.model_info("org/none")
    with pytest.raises(RepositoryNotFoundError, match="404"):
        api.model_info("org/none")
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        wrong.whoami()
    with pytest.raises(HfHubHTTPError, match="Invalid credentials"):
        wrong.model_info("org/m")
    with pytest.raises(HfHubHTTPError, match="403 Forbidden: .*write token"):
        reader.upload_file(repo_id="org/m", path_in_repo="a", path_or_fileobj=b"")
    api.update_repo_settings("org/m", private=False)
    assert anyone.model_info("org/m").private is False
    with pytest.raises(RepositoryNotFoundError):
        anyone.upload_file(repo_id="org/m", path_in_repo="a", path_or_fileobj=b"")


def test_hub_creates_and_deletes(api: HfApi, hub: LocalHub) -> None:
    for kind in ("model", "dataset", "space"):
        sdk = "gradio" if kind == "space" else None
        url = api.create_repo("org/x", repo_type=kind, space_sdk=sdk)
        assert api.create_repo("org/x", repo_type=kind, space_sdk=sdk, exist_ok=True) == url
        with pytest.raises(HfHubHTTPError, match="409"):
            api.create_repo("org/x", repo_type=kind, space_sdk=sdk)
        assert api.repo_info("org/x", repo_type=kind).sha == hub.snapshot("org/x", kind=kind + "s").oid
        api.delete_repo("org/x", repo_type=kind)
        assert not api.repo_exists("org/x", repo_type=kind)
        api.delete_repo("org/x", repo_type=kind, missing_ok=True)


def test_hub_refuses_bad_uploads(api: HfApi, hub: LocalHub) -> None:
    hub.add("org/m", {"a": ""})
    with pytest.raises(ValueError, match='"pipeline_tag" must be one of'):
        readme = b"---\npipeline_tag: joint-extraction\n---\n"
        api.upload_file(repo_id="org/m", path_in_repo="README.md", path_or_fileobj=readme)
    with pytest.raises(HfHubHTTPError, match="doesn't exist"):
        api.delete_file("none", repo_id="org/m")
    digest = hashlib.sha256(b"right").hexdigest()
    headers = {"Authorization": f"Bearer {hub.token}"}
    put = httpx2.put(f"{hub.url}/lfs/{digest}", content=b"wrong", trust_env=False)
    line = b'{"key": "lfsFile", "value": {"path": "w", "algo": "sha256", "oid": "%s"}}' % digest.encode()
    post = httpx2.post(f"{hub.url}/api/models/org/m/commit/main", content=line, headers=headers, trust_env=False)
    assert (put.status_code, post.status_code) == (400, 400)
    assert "w" not in hub.files("org/m")


def test_hub_ignores_a_request_that_breaks_off(hub: LocalHub) -> None:
    head = hub.add("org/m", {"a": ""})
    line = b'{"key": "deletedFile", "value": {"path": "a"}}\n'
    headers = f"Authorization: Bearer {hub.token}\r\nContent-Length: 99\r\n\r\n"
    request = f"POST /api/models/org/m/commit/main HTTP/1.1\r\n{headers}"
    with socket.create_connection(("127.0.0.1", int(hub.url.rsplit(":", 1)[1]))) as connection:
        connection.sendall(request.encode() + line)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    assert hub.snapshot("org/m").oid == head
    assert not hub.requests and not hub.errors


def test_hub_serves_ranges(hub: LocalHub) -> None:
    hub.add("org/m", FILES)

    def get(header: str, method: str = "GET") -> tuple[int, bytes, Any]:
        url = f"{hub.url}/org/m/resolve/main/model.safetensors"
        request = urllib.request.Request(url, headers={"Range": header}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request) as response:
                return response.status, response.read(), response.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), error.headers

    assert get("bytes=5-9")[:2] == (206, WEIGHTS[5:10])
    assert get("bytes=5-9")[2]["Content-Range"] == f"bytes 5-9/{len(WEIGHTS)}"
    assert get("bytes=-3")[:2] == (206, WEIGHTS[-3:])
    status, _, headers = get(f"bytes={len(WEIGHTS)}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{len(WEIGHTS)}")
    status, body, headers = get("", "HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", str(len(WEIGHTS)))
    assert headers["X-Linked-Etag"].strip('"') == hashlib.sha256(WEIGHTS).hexdigest()
    assert headers["X-Repo-Commit"] == hub.snapshot("org/m").oid
    assert [request.status for request in hub.requests] == [206, 206, 206, 416, 200]


@given(st.integers(0, 30), st.integers(0, 30) | st.just(None), st.integers(0, 30) | st.just(None))
def test_byte_range_agrees_with_slices(size: int, first: int | None, last: int | None) -> None:
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    content = bytes(range(size))
    if first is None:
        expected = content[-last:] if last else b""
    else:
        expected = content[first:] if last is None else content[first : last + 1]
    malformed = (first is None and last is None) or (first is not None and last is not None and last < first)
    try:
        found = byte_range(header, size)
    except HubError as error:
        assert error.status == 416 and not expected and not malformed
    else:
        assert (found is None) == malformed
        assert found is None or content[slice(*found)] == expected


paths = st.lists(
    st.text(st.characters(exclude_categories=["C"], exclude_characters="/\\"), min_size=1, max_size=8)
).map("/".join)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths.filter(lambda path: path and not {"", ".", "..", ".git", "README.md"} & set(path.split("/"))), st.binary())
def test_hub_takes_any_path_and_content(api: HfApi, hub: LocalHub, path: str, content: bytes) -> None:
    repo = f"org/r{len(hub.store.repositories)}"
    api.create_repo(repo)
    api.upload_file(repo_id=repo, path_in_repo=path, path_or_fileobj=content)
    assert hub.files(repo)[path] == content
    assert sorted(api.list_repo_files(repo)) == sorted([".gitattributes", path])
    address = huggingface_hub.hf_hub_url(repo, path, endpoint=hub.url)
    assert httpx2.get(address, trust_env=False).content == content


def test_front_matter_reads_flat_yaml() -> None:
    assert front_matter("---\na: 'x'\ntags: [p, \"q\"]\nm:\n  - k: 1\n---\n") == {"a": "x", "tags": ["p", "q"], "m": []}
    assert front_matter("# no front matter\n---\na: b\n---\n") == {}


def test_hub_refuses_other_hosts_and_logs_them(hub: LocalHub, tmp_path: Path) -> None:
    code = """
import httpx2
print(httpx2.get("http://example.invalid/x").status_code)
try:
    httpx2.get("https://example.invalid/x")
except httpx2.ProxyError as error:
    print("ProxyError", error)
"""
    assert hub.run(code, tmp_path).splitlines() == ["403", "ProxyError 403 Forbidden"]
    assert [(r.method, r.path) for r in hub.foreign] == [
        ("GET", "http://example.invalid/x"),
        ("CONNECT", "example.invalid:443"),
    ]


def test_hub_leaves_nothing_behind() -> None:
    hub = LocalHub()
    port = int(hub.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as idle, socket.create_connection(("127.0.0.1", port)):
        idle.sendall(b"GET /api/agent-harnesses HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 200"
        start = time.monotonic()
        hub.close()  # with two connections open
        assert time.monotonic() - start < 5
    hub.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_hub_raises_its_own_errors(tmp_path: Path) -> None:
    """Else a bug of the Hub would look like a fault it was asked for."""
    with pytest.raises(KeyError, match="name"), LocalHub() as hub:
        headers = {"Authorization": f"Bearer {hub.token}"}
        answer = httpx2.post(f"{hub.url}/api/repos/create", content=b"{}", headers=headers, trust_env=False)
        assert answer.status_code == 501


def test_faults_strike_in_order_and_as_often_as_planned() -> None:
    with pytest.raises(ValueError, match="action must be one of"):
        Fault("GET", "/", "explode")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="times must be positive"):
        Fault("GET", "/", "drop_request", times=0)
    with LocalHub() as hub:
        twice, always = Fault("GET", "^/api", "status", status=502, times=2), Fault("*", "one", "status", times=None)
        hub.faults.add(twice, always)
        statuses = [httpx2.get(f"{hub.url}/api/one", trust_env=False).status_code for _ in range(4)]
        assert statuses == [502, 502, 500, 500]
        assert hub.faults.pending == [always]
        assert httpx2.head(f"{hub.url}/api/agent-harnesses", trust_env=False).status_code == 200
        hub.faults.clear()
        assert httpx2.get(f"{hub.url}/api/one", trust_env=False).status_code == 404
