"""A Hugging Face Hub on the loopback, for tests with the real clients: sockets, threads, the log and the faults.

    with LocalHub() as hub:
        hub.add("org/tiny", {"config.json": "{}"})
        print(hub.run("from transformers import AutoConfig; ...", tmp_path))
        assert hub.count("GET", "/resolve/") == 1

The clients read `HF_ENDPOINT` and the other variables when they are imported, hence the subprocess. With
`hub.environment` the Hub is also the proxy for every other host: it refuses, so that a request to the outside fails at
once, without DNS, and stands in `hub.foreign`. One is usual: `load_dataset` asks the data set viewer, whose host is
`datasets-server.` + the Hub's.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .faults import Fault, Faults
from .messages import Answer, Call
from .routes import READ_TOKEN, WRITE_TOKEN, Routes
from .store import Commit, HubError, Store

# Settings of the surroundings that would change what a client under test does.
_FOREIGN_SETTINGS = re.compile(
    r"HF_|HUGGING|TRANSFORMERS_|DATASETS_|EVALUATE_|ACCELERATE_|XDG_CACHE_HOME|.*_proxy$", re.IGNORECASE
)


@dataclass(frozen=True)
class Request:
    """One line of the log.

    Args:
        method: HTTP method.
        path: Unquoted path; for other hosts the whole address.
        query: Raw query.
        status: Status of the answer, 0 if there was none.
        range: Value of the `Range` header.
    """

    method: str
    path: str
    query: str = ""
    status: int = 0
    range: str | None = None


class _Server(ThreadingHTTPServer):
    """The socket server; it knows its connections, so that closing it leaves no thread and no socket behind."""

    def __init__(self, hub: LocalHub):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about clients that hang up, keep what is an error of our own."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.hub.errors.append(error)

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            left = dict(self._connections)
        for connection, thread in left.items():
            with contextlib.suppress(OSError):  # closed by the client in the meantime
                connection.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for the next request
            thread.join(timeout=10)


class _Handler(BaseHTTPRequestHandler):
    """One connection: read requests, let faults strike, log, answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body of an answer waits until its head has been acknowledged
    server: _Server

    def _serve(self) -> None:
        hub = self.server.hub
        parts = urlsplit(self.path)
        if self.command == "CONNECT" or parts.netloc:  # a client that takes us for its proxy
            self._read_body(None)
            hub.requests.append(Request(self.command, self.path, status=403))
            self.close_connection = True
            return self._send(Answer(403, b"The local Hub lets nothing out."))
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = unquote(parts.path)
        fault = hub.faults.take(self.command, path)
        if fault and fault.action == "stall":
            hub.closing.wait(fault.seconds)
        body = self._read_body(fault)
        if fault and fault.action == "drop_request":
            hub.requests.append(Request(self.command, path, parts.query, 0, headers.get("range")))
            return self._hang_up()
        if fault and fault.action == "status":
            body = json.dumps({"error": responses.get(fault.status, "planned fault")}).encode()
            answer = Answer(fault.status, body, {"Content-Type": "application/json", **fault.headers})
        else:
            answer = hub.answer(Call(self.command, parts.path, parse_qs(parts.query), headers, body))
        if fault:
            answer = fault.alter(answer)
        hub.requests.append(Request(self.command, path, parts.query, answer.status, headers.get("range")))
        self._send(answer, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_CONNECT = _serve  # noqa: N815 (the names http.server calls)

    def _read_body(self, fault: Fault | None) -> bytes:
        """Read the request's body, or as much of it as the fault lets through.

        Raises:
            ConnectionError: If the client hung up in the middle: what it sent is not to be carried out.
        """
        length = int(self.headers.get("Content-Length") or 0)
        if fault and fault.action == "drop_request":
            length = fault.cut(length)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError(f"the client sent {len(body)} of {length} bytes")
        return body

    def _send(self, answer: Answer, fault: Fault | None = None) -> None:
        cut = fault.cut(len(answer.body)) if fault and fault.action == "drop_response" else None
        if cut is not None and (self.command == "HEAD" or not answer.body):
            return self._hang_up()
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value.replace("\n", " ").encode("ascii", "replace").decode())
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[:cut])
        if cut is not None:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: `LocalHub.requests` is the log."""


class LocalHub:
    """A running Hub. Use as a context manager, which re-raises an error of the Hub's own code at its end.

    Args:
        page_size: Entries of a file listing per page.
    """

    token = WRITE_TOKEN  # may change every repository
    read_token = READ_TOKEN  # may only read, private repositories too

    def __init__(self, page_size: int = 1000):
        self.faults = Faults()
        self.store = Store()
        self.requests: list[Request] = []
        self.errors: list[Exception] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._routes = Routes(self.store, self.url, page_size)
        # The default poll, twice a second, would be what closing takes.
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __enter__(self) -> LocalHub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None and self.errors:
            raise self.errors[0]

    def close(self) -> None:
        """Stop answering, end all connections. Once is enough, twice does no harm."""
        if not self.closing.is_set():
            self.closing.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def answer(self, call: Call) -> Answer:
        """Answer one request at a time; an error of our own becomes a 501, which no client retries, and is kept."""
        with self._lock:
            try:
                return self._routes.answer(call)
            except Exception as error:
                self.errors.append(error)
                return Answer(501, f"The local Hub failed: {error!r}".encode())

    # ---- for tests: set up, look at

    def environment(self, home: Path, *, token: str | None = WRITE_TOKEN) -> dict[str, str]:
        """Environment of a subprocess whose clients talk to this Hub.

        Args:
            home: Folder of the caches; a fresh one is an empty cache.
            token: Token the clients send; None makes them anonymous.
        """
        kept = {name: value for name, value in os.environ.items() if not _FOREIGN_SETTINGS.match(name)}
        proxies = {name: self.url for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}
        return {
            **kept,
            **proxies,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",  # datasets and evaluate would count their loads at another host
            "HF_HUB_ETAG_TIMEOUT": "5",
            "HF_HUB_DOWNLOAD_TIMEOUT": "5",
            **({"HF_TOKEN": token} if token else {}),
        }

    def run(self, code: str, folder: Path, *arguments: str, **settings: str) -> str:
        """Run Python code in a fresh process whose clients talk to this Hub.

        Args:
            code: Program text.
            folder: Where it runs; the caches are in its `home`, so another run in the same folder finds them.
            arguments: What the program finds in `sys.argv[1:]`.
            settings: More variables of the environment, such as `HF_HUB_OFFLINE="1"`.

        Returns:
            What it printed.

        Raises:
            AssertionError: If it failed, with what it wrote to the standard error.
        """
        command = [sys.executable, "-c", code, *arguments]
        environment = {**self.environment(folder / "home"), **settings}
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add(
        self,
        repo_id: str,
        contents: Mapping[str, bytes | str],
        *,
        kind: str = "models",
        private: bool = False,
        branch: str = "main",
    ) -> str:
        """Commit files without a client, creating the repository if need be.

        Args:
            repo_id: `namespace/name`.
            contents: Path -> content; text is encoded as UTF-8.
            kind: `models`, `datasets` or `spaces`.
            private: Of a new repository.
            branch: Must exist.

        Returns:
            The oid of the commit.
        """
        with self._lock:
            repo = self.store.repositories.get((kind, repo_id))
            if repo is None:
                repo = self.store.create(kind, repo_id, private=private, sdk="gradio" if kind == "spaces" else None)
            encoded = {
                path: content.encode() if isinstance(content, str) else content for path, content in contents.items()
            }
            return self.store.add(repo, encoded, branch=branch).oid

    def snapshot(self, repo_id: str, *, kind: str = "models", revision: str = "main") -> Commit:
        """Return the commit that a revision names, with its files.

        Raises:
            KeyError: If there is no such repository, or revision.
        """
        try:
            return self.store.repositories[kind, repo_id].resolve(revision)
        except HubError as error:
            raise KeyError(error.message) from None

    def files(self, repo_id: str, *, kind: str = "models", revision: str = "main") -> dict[str, bytes]:
        """Return path -> content of a revision, as `snapshot` finds it."""
        found = self.snapshot(repo_id, kind=kind, revision=revision).files
        return {path: self.store.content(file) for path, file in found.items()}

    def count(self, method: str, path: str) -> int:
        """How many requests with this method had a path in which the regular expression is found."""
        return sum(
            request.method == method and re.search(path, request.path) is not None for request in list(self.requests)
        )

    @property
    def foreign(self) -> list[Request]:
        """Requests that were meant for other hosts."""
        return [request for request in self.requests if not request.path.startswith("/")]
