"""The service as a process: its address, its key, and its end."""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvicorn

from modeling_spert.service.app import build_app
from modeling_spert.service.limits import Limits

KEY_VARIABLE = "SPERT_API_KEY"
_SHORTEST_KEY = 16

logger = logging.getLogger(__name__)


def read_api_key(file: Path | None = None) -> str | None:
    """The API key: of a file, else of the environment variable SPERT_API_KEY; None where there is neither.

    Raises:
        ValueError: If the key is too short to be one, or not printable ASCII without spaces.
        OSError: If the file cannot be read.
    """
    name = KEY_VARIABLE if file is None else f"the key in {file}"
    key = os.environ.get(KEY_VARIABLE) if file is None else file.read_text(encoding="utf-8").strip()
    if key is None:
        return None
    if len(key) < _SHORTEST_KEY or not all("!" <= character <= "~" for character in key):
        raise ValueError(
            f"{name} must have at least {_SHORTEST_KEY} characters, printable ASCII without spaces: "
            'python -c "import secrets; print(secrets.token_urlsafe())" makes one'
        )
    return key


def serve(
    load: Callable[[], Any],
    host: str = "127.0.0.1",
    port: int = 8000,
    limits: Limits | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    api_key: str | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT: then take no more, answer what has been accepted, and return.

    Args:
        load: Makes the pipeline.
        host: Address to listen at.
        port: Port to listen at; 0 takes a free one, which the log names.
        limits: What the service takes.
        settings: Of the pipeline's call, for requests that do not have them.
        api_key: As in `build_app`.

    Raises:
        ValueError: If the host is not an address of this machine, or the port is taken.
        Exception: What `load` raised.
    """
    limits = limits or Limits()
    listener = _listen(host, port)
    address, port = listener.getsockname()[:2]
    if api_key is None and not ipaddress.ip_address(address).is_loopback:
        logger.warning("anybody who reaches %s can call this service: set %s to a key", address, KEY_VARIABLE)

    def stop() -> None:
        server.should_exit = True

    app = build_app(load, limits, settings=settings, api_key=api_key, on_failure=stop)
    config = uvicorn.Config(
        app,
        access_log=False,  # the metrics count; texts and addresses of callers are nobody's business
        log_config=None,
        ws="none",
        timeout_graceful_shutdown=max(1, round(limits.stop_timeout)),
        limit_concurrency=4 * limits.max_requests + 64,  # connections; the rest get 503 from uvicorn itself
    )
    server = uvicorn.Server(config)
    # uvicorn raises the signal that stopped it once more: with this handler the process lives to return 0.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    shown = f"[{address}]" if ":" in address else address
    logger.info("listening at http://%s:%d, loading the model", shown, port)
    try:
        server.run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, before)
        listener.close()
    failure = app.state.service.worker.failure
    if failure is not None:
        raise failure


def _listen(host: str, port: int) -> socket.socket:
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, OverflowError) as error:
        if listener is not None:
            listener.close()
        raise ValueError(f"cannot listen at --host {host} --port {port}: {error}") from error
    return listener
