"""Generated documents for tests of extraction in bulk, and loads for its processes that need no model."""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from modeling_spert.bulk.readers import Record
from modeling_spert.bulk.rows import build_table

WORDS = "Ada Lund born wrote novel about word in Vik Oslo Bergen The Tide She sold well .".split()


def make_documents(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Documents of one to forty words, with ids that are not in order."""
    generator = random.Random(seed)
    ids = [f"doc-{number}" for number in range(count)]
    generator.shuffle(ids)
    return [{"id": i, "text": " ".join(generator.choices(WORDS, k=generator.randint(1, 40)))} for i in ids]


def write_json_lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read_rows(output: Path) -> pa.Table:
    """All rows of an output folder, sorted by id, without the metadata of their files."""
    tables = [parquet.read_table(path).replace_schema_metadata() for path in sorted(output.glob("*.parquet"))]
    return pa.concat_tables(tables).sort_by("id")


def load_fragile(index: int) -> Any:
    """What extracts nothing, and dies over some texts: "die" always, "die once: PATH" where there is no such file."""
    return extract_fragile


def load_nothing(index: int) -> Any:
    """A model that cannot be loaded."""
    raise ValueError("no such weights")


def die_while_loading(index: int) -> Any:
    """A model that there is no memory for."""
    os.kill(os.getpid(), signal.SIGKILL)


def extract_fragile(documents: Sequence[Record]) -> tuple[pa.Table, Counter[str]]:
    for document in documents:
        text = document.text or ""
        if text == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        path = Path(text.removeprefix("die once: "))
        if text.startswith("die once: ") and not path.exists():
            path.touch()
            os._exit(3)
    answers = [{"entities": [], "relations": []} for _ in documents]
    return build_table(documents, answers), Counter({"texts read": len(documents)})
