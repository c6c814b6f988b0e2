"""Documents in, a table of rows out: what a process of either engine does, whatever the documents are."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from modeling_spert.bulk.model_source import find_model
from modeling_spert.bulk.readers import Record
from modeling_spert.bulk.rows import build_table


@dataclass(frozen=True)
class ExtractorSettings:
    """What a process needs to load the model and to extract.

    Attributes:
        folder: Of the model.
        repository: Where a process of another machine, which has no such folder, finds the model on the Hub.
        revision: Its commit.
        settings: Of the pipeline's call.
        precision: "fp32", "bf16", "fp16" or None: as the model was saved.
        device: As torch names it; None takes this process's GPU, if there is one, else the CPU.
        num_threads: Of torch.
    """

    folder: str
    repository: str | None = None
    revision: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    precision: str | None = None
    device: str | None = None
    num_threads: int = 1


class TableExtractor:
    """The pipeline around a model, for a share of documents at a time.

    Args:
        settings: The model and how to extract.
        index: Of this process, which picks its GPU.
    """

    def __init__(self, settings: ExtractorSettings, index: int = 0):
        import torch
        from transformers import pipeline
        from transformers.utils import logging as transformers_logging

        import modeling_spert  # noqa: F401  (registers the model and the pipeline)

        torch.set_num_threads(settings.num_threads)
        transformers_logging.disable_progress_bar()
        device = settings.device
        if device is None and torch.cuda.is_available():
            device = f"cuda:{index % torch.cuda.device_count()}"
        self._pipe = pipeline(
            "joint-extraction", model=_find_folder(settings), device=device or "cpu", precision=settings.precision
        )
        self._settings = dict(settings.settings)
        self._warnings = WarningCounter()
        logging.getLogger("transformers").handlers = [self._warnings]

    def __call__(self, documents: Sequence[Record]) -> tuple[pa.Table, Counter[str]]:
        """A row per document, in order, and what the pipeline warned of.

        A document that fails, for whatever reason, gets a row with the reason as its `error`.
        """
        readable = [document.text for document in documents if document.text is not None]
        answers = iter(self._answer(readable))
        table = build_table(
            documents,
            [{"error": d.problem or "no text"} if d.text is None else next(answers) for d in documents],
        )
        return table, self._warnings.take()

    def _answer(self, texts: list[str]) -> list[Mapping[str, Any]]:
        """Answers to texts; if they fail together, each is tried by itself."""
        try:
            return self._pipe(texts, on_error="record", **self._settings)
        except Exception:
            return [self._answer_one(text) for text in texts]

    def _answer_one(self, text: str) -> Mapping[str, Any]:
        try:
            return self._pipe(text, on_error="record", **self._settings)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}


def _find_folder(settings: ExtractorSettings) -> str:
    """The model's folder on this machine, downloaded if need be."""
    if Path(settings.folder).is_dir() or settings.repository is None:
        return settings.folder
    return find_model(settings.repository, settings.revision).folder


class WarningCounter(logging.Handler):
    """Warnings of the pipeline, with the counts at their beginning added up."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._counts: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        match = re.match(r"(\d+) (.*)", record.getMessage(), flags=re.DOTALL)
        self._counts[match[2] if match else record.getMessage()] += int(match[1]) if match else 1

    def take(self) -> Counter[str]:
        """What was counted since the last call, by message."""
        counts, self._counts = self._counts, Counter()
        return counts
