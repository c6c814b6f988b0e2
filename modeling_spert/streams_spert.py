"""Streams of inputs: what is iterated and how, which input an error is of, and when a stream is answered."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .inputs_spert import Document, read_form, shorten

# Inputs that are answered together: enough for full batches of equal length, few enough to keep a stream flowing.
CHUNK_INPUTS = 256
_MAX_WAIT = 0.1  # seconds for which inputs are collected before those that came are answered


def iterate_inputs(inputs: Any) -> Iterable[Any]:
    """The inputs one by one: of an iterable, or of anything indexed from 0 to its length, such as a torch `Dataset`.

    Raises:
        ValueError: If it is neither, or a table of several columns.
    """
    if type(inputs).__name__ == "DataFrame":  # iterating one gives the names of its columns
        raise ValueError('inputs must not be a DataFrame: pass one of its columns, such as list(frame["text"])')
    if isinstance(inputs, Iterable) and not isinstance(inputs, bytes):
        return inputs
    if hasattr(inputs, "__getitem__") and hasattr(inputs, "__len__") and not isinstance(inputs, bytes):
        # Such a class need not raise IndexError after its last item, as iter() expects.
        return map(inputs.__getitem__, range(len(inputs)))
    raise ValueError(f"inputs must be a text, a dict, or a list, iterable or Dataset of these, got {shorten(inputs)}")


def read_chunks(
    inputs: Iterable[Any], first_size: int, clock: Callable[[], float] = time.monotonic
) -> Iterator[tuple[list[Any], Exception | None]]:
    """Inputs in chunks that double in size up to 256, each with the error of the source that ended it, if any.

    A chunk ends early when reading it has taken 0.1 seconds: a slow source is answered input by input. The source is
    read in the caller's own thread, on which it may depend (a database cursor does, for example). So an input of an
    unfilled chunk is answered when the next one comes, or the source ends.

    Args:
        inputs: The source.
        first_size: Inputs of the first chunk.
        clock: Seconds, from any start.
    """
    source, size, failure = iter(inputs), first_size, None
    while failure is None:
        chunk: list[Any] = []
        started = clock()
        try:
            while len(chunk) < size and (not chunk or clock() - started < _MAX_WAIT):
                chunk.append(next(source))
        except Exception as error:  # StopIteration, or what the source raises
            failure = error
        has_ended = isinstance(failure, StopIteration)
        if chunk or not has_ended:
            yield chunk, None if has_ended else failure
        if len(chunk) == size:
            size = min(2 * size, CHUNK_INPUTS)


def read_documents(
    inputs: Iterable[Any], read: Callable[[Any], Document], on_error: str, is_single: bool, is_list: bool
) -> Iterator[tuple[list[Document], Exception | None]]:
    """Documents by chunks; the last chunk comes with the error that ended the source, or that an input raised.

    With `on_error="record"` an input that raised becomes a document without words that says why.
    """
    index = 0
    for chunk, failure in read_chunks(inputs, CHUNK_INPUTS if is_list else 1):
        documents: list[Document] = []
        for item in chunk:
            try:
                documents.append(read(item))
            except Exception as error:
                if on_error == "raise":
                    yield documents, error if is_single else name_input(index, error)
                    return
                text = item.get("text") if isinstance(item, Mapping) else item
                documents.append(Document(text if isinstance(text, str) else "", (), error=describe(error)))
            index += 1
        yield documents, failure


def check_inputs(inputs: Sequence[Any]) -> None:
    """Raise ValueError, with the index of the input, if one in a list has none of the known forms."""
    for index, item in enumerate(inputs):
        try:
            read_form(item)
        except ValueError as error:
            raise name_input(index, error) from None


def name_input(index: int, error: Exception) -> ValueError:
    """The error of an input of many, with its index."""
    named = ValueError(f"input {index}: {describe(error)}")
    named.__cause__ = error
    return named


def describe(error: Exception) -> str:
    """Our own messages as they are; others, such as those of a user's splitter, with their type."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"


class Answers(Iterator[dict[str, Any]]):
    """The answers to a stream, each computed when it is asked for; `close` ends the stream."""

    def __init__(self, answers: Iterator[dict[str, Any]]):
        self._answers = answers

    def __next__(self) -> dict[str, Any]:
        return next(self._answers)

    def close(self) -> None:
        """End the stream; the source is closed if it is a generator."""
        self._answers.close()  # type: ignore[attr-defined]


class SizedAnswers(Answers):
    """The answers to a stream of known length."""

    def __init__(self, answers: Iterator[dict[str, Any]], length: int):
        super().__init__(answers)
        self._length = length

    def __len__(self) -> int:
        return self._length
