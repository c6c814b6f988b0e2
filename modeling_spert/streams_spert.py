"""Streams of inputs and answers: what is iterated and how, which input an error is of, when a stream is answered."""

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


def failed_document(item: Any, error: Exception) -> Document:
    """The document of an input that could not be read: no words, its text if it has one, and why."""
    text = item.get("text") if isinstance(item, Mapping) else item
    return Document(text if isinstance(text, str) else "", (), error=describe(error))


class Answer(dict[str, Any]):
    """An answer of the pipeline, `{"text", "entities", "relations"}`.

    It is a dict to everyone: `json.dumps`, `==` and `repr` see no difference, and copies and pickles are plain dicts,
    so that whoever unpickles one needs no class of ours. Only notebooks find `_repr_html_`.
    """

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (dict(self),)

    def _repr_html_(self) -> str | None:
        """The answer drawn, or None, upon which a notebook shows it as text.

        None where `modeling_spert.rendering` is not installed, as on the machine of someone who loaded a model with
        `trust_remote_code`; and where the dict has been changed into something that is not an answer.
        """
        try:
            from modeling_spert.rendering import render
        except ImportError:
            return None
        try:
            return render(self, page=False)
        except ValueError:
            return None


class Answers(Iterator[Answer]):
    """The answers to a stream, each computed when it is asked for; `close` ends the stream."""

    def __init__(self, answers: Iterator[Answer]):
        self._answers = answers

    def __next__(self) -> Answer:
        return next(self._answers)

    def close(self) -> None:
        """End the stream; the source is closed if it is a generator."""
        self._answers.close()  # type: ignore[attr-defined]


class SizedAnswers(Answers):
    """The answers to a stream of known length."""

    def __init__(self, answers: Iterator[Answer], length: int):
        super().__init__(answers)
        self._length = length

    def __len__(self) -> int:
        return self._length
