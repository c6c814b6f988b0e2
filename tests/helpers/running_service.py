"""The service, running: in this process on a thread, or as the command in a process of its own; real HTTP to both."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

START = 120  # seconds: a busy machine imports slowly


@contextmanager
def running_app(app: Any) -> Iterator[str]:
    """The address of an application that runs on a thread of this process."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=10)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


@dataclass
class Served:
    """The command `spert serve` in a process of its own."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


@contextmanager
def served(folder: Path, log: Path, *flags: object, **environment: str) -> Iterator[Served]:
    """The command, which listens, but need not be ready; killed at the end if it still runs."""
    port = () if "--port" in flags else ("--port", 0)
    command = [sys.executable, "-m", "spert_cli", "serve", folder, *port, *flags]
    with open(log, "w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [str(part) for part in command], stderr=stream, stdout=stream, env={**os.environ, **environment}, text=True
        )
    try:
        wait_until(lambda: process.poll() is not None or "listening at" in log.read_text("utf-8"))
        found = re.search(r"listening at (http://\S+),", log.read_text("utf-8"))
        assert found, log.read_text("utf-8")
        wait_until(lambda: process.poll() is not None or answers(found[1] + "/health"))
        yield Served(process, found[1], log)
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        return httpx.get(url, timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def wait_until(condition: Any, seconds: float = START) -> None:
    """Wait for a condition; fail if it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
