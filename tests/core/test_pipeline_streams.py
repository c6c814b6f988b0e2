"""Many inputs: streams and their chunks, data sets, one bad input among good ones, warnings, the progress bar."""

import itertools
from collections.abc import Iterator
from typing import Any

import pandas
import pytest
import torch
from tiny_pipeline import TEXT, WINDOW, assert_same_answers, tiny_pipeline, word_finder
from transformers.pipelines.pt_utils import KeyDataset
from transformers.utils import logging

from modeling_spert import JointExtractionPipeline
from modeling_spert.streams_spert import read_chunks


@pytest.fixture(scope="module")
def pipe() -> JointExtractionPipeline:
    return tiny_pipeline()


@pytest.fixture(scope="module")
def finder() -> JointExtractionPipeline:
    return tiny_pipeline(word_finder())


class Rows(torch.utils.data.Dataset):
    """A data set that can only be indexed, and takes any index."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"text": f"Ada wrote {index}", "other": index}


def source(*items: Any) -> Iterator[Any]:
    """The items; an exception among them is raised."""
    for item in items:
        if isinstance(item, Exception):
            raise item
        yield item


# --- When a stream is answered ---


class Clock:
    """Seconds that pass only where a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def items(self, *waits: float) -> Iterator[float]:
        """An item after each of these waits."""
        for wait in waits:
            self.now += wait
            yield wait


def sizes(*waits: float, first_size: int = 1) -> list[int]:
    clock = Clock()
    return [len(chunk) for chunk, _ in read_chunks(clock.items(*waits), first_size, clock)]


def test_stream_chunks_of_a_fast_source_double_up_to_256():
    assert sizes(*[0.0] * 1000) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 256, 233]
    assert sizes(*[0.0] * 600, first_size=256) == [256, 256, 88]


def test_stream_chunks_of_a_slow_source_hold_what_came_in_time():
    assert sizes(*[60.0] * 4) == [1, 1, 1, 1]
    assert sizes(*[0.04] * 10) == [1, 2, 3, 3, 1]  # 0.1 s are over with the third
    assert sizes(*[0.0] * 7, 60.0, *[0.0] * 3) == [1, 2, 4, 1, 3]


def test_stream_is_answered_input_by_input_where_the_source_is_slow(finder, monkeypatch):
    """The first answer of a source of one message per minute came after 256 messages."""
    clock = Clock()
    monkeypatch.setattr(read_chunks, "__defaults__", (clock,))
    taken = 0

    def messages() -> Iterator[str]:
        nonlocal taken
        for _ in clock.items(*[60.0] * 10):
            taken += 1
            yield "Ada"

    answers = finder(messages())
    for count in range(1, 11):
        assert next(answers)["text"] == "Ada" and taken == count


def test_stream_asks_the_source_only_for_what_is_needed(finder):
    read = []
    answers = finder(read.append(i) or "Ada" for i in range(1000))
    assert read == []
    next(answers)
    assert read == [0]
    answers.close()
    assert read == [0] and list(answers) == []


def test_stream_closes_its_source(finder):
    closed = []

    def texts() -> Iterator[str]:
        try:
            yield from itertools.repeat("Ada")
        finally:
            closed.append(True)

    answers = finder(texts())
    next(answers)
    assert not closed
    answers.close()
    assert closed


# --- What is iterated ---


def test_pipeline_takes_data_sets_that_can_only_be_indexed(finder):
    answers = finder(KeyDataset(Rows(), "text"))
    assert len(answers) == 5
    assert [answer["text"] for answer in answers] == [f"Ada wrote {i}" for i in range(5)]


def test_pipeline_stream_has_a_length_if_the_inputs_have(finder):
    for sized in (dict.fromkeys(["Ada", "Vik"]).keys(), range(0), {"Ada"}):
        assert len(finder(sized)) == len(sized)
    with pytest.raises(TypeError):
        len(finder(iter(["Ada"])))


def test_pipeline_refuses_a_data_frame(finder):
    frame = pandas.DataFrame({"text": ["Ada", "Vik"], "id": [1, 2]})  # iterating it gives the names of its columns
    with pytest.raises(ValueError, match="inputs must not be a DataFrame: pass one of its columns, such as list"):
        finder(frame)
    answers = finder(frame["text"][::-1])
    assert len(answers) == 2 and [answer["text"] for answer in answers] == ["Vik", "Ada"]


def test_pipeline_steps_work_one_by_one_as_in_the_base_class(pipe):
    assert_same_answers([pipe.postprocess(pipe.forward(pipe.preprocess(TEXT)))], [pipe(TEXT)])
    assert_same_answers([pipe.run_single(TEXT, {}, {"entity_threshold": 0.9}, {})], [pipe(TEXT, entity_threshold=0.9)])


# --- Bad inputs ---


def test_pipeline_list_names_a_bad_input_before_any_work(finder, monkeypatch):
    monkeypatch.setattr(finder.model, "forward", lambda **kwargs: pytest.fail("answered"))
    with pytest.raises(ValueError, match=r"^input 20000: an input must be a string or one of .*, got None$"):
        finder(["ok"] * 20_000 + [None])
    with pytest.raises(ValueError, match=r"^input 2: an input must be .*, got nan$"):
        finder(["ok", "ok", float("nan")])


@pytest.mark.parametrize("count", [0, 1, 10, 300])
def test_pipeline_stream_answers_the_inputs_before_a_bad_one(finder, count):
    bad = {"text": "Ada", "entities": [{"start": 0, "end": 9, "label": "Work"}]}
    answers = finder(source(*["Ada"] * count, bad, "Ada"))
    for _ in range(count):
        assert next(answers)["text"] == "Ada"
    with pytest.raises(ValueError, match=rf'^input {count}: "entities"\[0\]: end is 9, but there are 3 characters'):
        next(answers)


@pytest.mark.parametrize("count", [0, 1, 10, 300])
def test_pipeline_stream_answers_the_inputs_before_an_error_of_the_source(finder, count):
    answers = finder(source(*["Ada"] * count, OSError("the connection was closed")))
    for _ in range(count):
        assert next(answers)["text"] == "Ada"
    with pytest.raises(OSError, match="^the connection was closed$"):
        next(answers)


@pytest.mark.parametrize("kind", [list, iter])
def test_pipeline_records_bad_inputs(finder, kind):
    bad = {"text": "Vik", "entities": [{"start": 0, "end": 9, "label": "Work"}]}
    answers = list(finder(kind(["Ada", None, bad, {"tokens": [1]}, "Lund"]), on_error="record"))
    assert [answer["text"] for answer in answers] == ["Ada", "", "Vik", "", "Lund"]
    assert [len(answer["entities"]) for answer in answers] == [1, 0, 0, 0, 1]
    assert [sorted(answer) for answer in answers[1:4]] == [["entities", "error", "relations", "text"]] * 3
    assert answers[1]["error"].startswith("an input must be a string")
    assert answers[2]["error"] == '"entities"[0]: end is 9, but there are 3 characters (end is exclusive)'
    assert "error" not in answers[0] and "error" not in answers[4]
    assert list(tiny_pipeline(finder.model, on_error="record")(kind([None])))[0]["error"]


def test_pipeline_records_or_names_errors_of_a_splitter(finder):
    def split(text: str) -> list[list[tuple[int, int]]]:
        return [[(0, {"Ada": 3, "Vik": 3}[text])]]

    texts = ["Ada", "Oslo", "Vik"]
    with pytest.raises(ValueError, match="^input 1: KeyError: 'Oslo'$") as error:
        finder(texts, splitter=split)
    assert isinstance(error.value.__cause__, KeyError)
    answers = finder(texts, splitter=split, on_error="record")
    assert [answer.get("error") for answer in answers] == [None, "KeyError: 'Oslo'", None]


def test_pipeline_one_input_has_no_index(finder):
    with pytest.raises(ValueError, match="^unknown keys"):
        finder({"text": "Ada", "label": "x"})
    assert finder({"text": "Ada", "label": "x"}, on_error="record")["error"].startswith("unknown keys")


# --- Warnings ---


def test_pipeline_warns_once_per_call_of_long_words(finder, warnings_shown):
    texts = ["Ada " + "x" * 60] * 300
    assert len(finder(texts)) == 300
    message = "300 words have more subwords than a window: only their first ones are read"
    assert warnings_shown == [message]
    list(finder(iter(texts)))
    finder(TEXT)
    assert warnings_shown == [message] * 2


def test_pipeline_warns_once_per_call_of_wide_given_entities(pipe, warnings_shown):
    given = [{"start": 0, "end": WINDOW + 2, "label": "Work"}] * 2
    pipe([{"tokens": ["word"] * 2 * WINDOW, "entities": given}] * 3)
    assert warnings_shown == ["6 given entities do not fit into a window: they get no relations"]


def test_pipeline_warnings_follow_the_verbosity_of_transformers(finder, warnings_shown):
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        finder("x" * 60)
    finally:
        logging.set_verbosity(before)
    assert warnings_shown == []


# --- Progress ---


def test_pipeline_shows_a_progress_bar_only_if_asked(finder, capsys):
    logging.disable_progress_bar()  # of loading weights, as the training script does: the user's word counts here
    finder(["Ada"] * 3)
    assert capsys.readouterr().err == ""
    assert len(finder(["Ada"] * 3, progress_bar=True)) == 3
    assert "3/3" in capsys.readouterr().err
    answers = finder((text for text in ["Ada"] * 3), progress_bar=True)
    assert len(list(answers)) == 3
    assert "3input" in capsys.readouterr().err.replace(" ", "")
    closed = finder((text for text in ["Ada"] * 3), progress_bar=True)
    next(closed)
    closed.close()
    capsys.readouterr()
    assert finder("Ada", progress_bar=True)["text"] == "Ada" and capsys.readouterr().err == ""
