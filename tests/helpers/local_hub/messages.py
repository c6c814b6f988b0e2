"""Requests and answers of the local Hub, and what can be read from and written into them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .store import HubError


@dataclass(frozen=True)
class Call:
    """A request as it arrived: `path` still quoted, `query` parsed, header names in lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The body as JSON.

        Raises:
            HubError: 400 if it is none.
        """
        try:
            return json.loads(self.body or b"{}")
        except ValueError as error:
            raise HubError(400, f"Invalid JSON: {error}") from None

    def flag(self, name: str) -> bool:
        """Whether a query parameter is set to a true value."""
        return self.query.get(name, [""])[-1].lower() in ("1", "true")


@dataclass(frozen=True)
class Answer:
    """What the Hub answers; the length is stated by the server."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


def error_answer(error: HubError) -> Answer:
    """The answer that carries a refusal, as the Hub writes it: in headers and in the body."""
    headers = {"X-Error-Message": error.message, **error.headers}
    if error.code:
        headers["X-Error-Code"] = error.code
    return json_answer({"error": error.message}, error.status, headers)


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the half-open range of bytes that a `Range` header asks for, or None for the whole.

    Args:
        header: The header's value; several ranges or a malformed one count as none, as RFC 9110 allows.
        size: Bytes there are.

    Raises:
        HubError: 416 if no such byte exists.

    >>> byte_range("bytes=2-3", 10), byte_range("bytes=2-", 10), byte_range("bytes=-3", 10), byte_range(None, 10)
    ((2, 4), (2, 10), (7, 10), None)
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", (header or "").replace(" ", ""))
    if not match or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if start >= end:
        raise HubError(416, "Range Not Satisfiable", headers={"Content-Range": f"bytes */{size}"})
    return start, end


def front_matter(text: str) -> dict[str, str | list[str]]:
    """The flat part of a README's YAML: scalars and lists of scalars at the top level. Enough for `model_info`.

    >>> front_matter("---\\nlicense: mit\\ntags:\\n- spert\\n- ner\\n---\\n# Title")
    {'license': 'mit', 'tags': ['spert', 'ner']}
    """
    match = re.match(r"---\r?\n(.*?)\r?\n---\s*(\n|$)", text, re.DOTALL)
    found: dict[str, str | list[str]] = {}
    key = ""
    for line in match.group(1).splitlines() if match else []:
        if scalar := re.fullmatch(r"([\w-]+):\s*(.*)", line):
            key, value = scalar.groups()
            if flow := re.fullmatch(r"\[(.*)\]", value):
                found[key] = [item.strip(" '\"") for item in flow[1].split(",") if item.strip()]
            else:
                found[key] = value.strip("'\"") if value else []
        elif (item := re.fullmatch(r"\s*- ([^:]+)", line)) and isinstance(values := found.get(key), list):
            values.append(item[1].strip("'\""))
    return found


def timestamp(date: datetime) -> str:
    """A date as the Hub writes it."""
    return date.strftime("%Y-%m-%dT%H:%M:%S.000Z")
