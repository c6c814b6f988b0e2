"""Any input with any settings: the pipeline keeps its contract, or says in a ValueError or TypeError what is wrong.

SPERT_FUZZ_INPUTS is the least number of inputs of the slow test (50,000), SPERT_FUZZ_SEED the seed of hypothesis.
Models compute in double precision where answers are compared: then no rounding moves a score across a threshold.
"""

import functools
import os
import random
import time
from typing import Any

import hypothesis
import pytest
from answer_contract import check_contract
from fuzzed_inputs import ANY_VALUE, BATCHING, CORPUS, DRAWN, SEEDS, SETTINGS, make_inputs
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tiny_levers import LEVERS, strengthen
from tiny_models import build_tokenizer
from tiny_pipeline import WINDOW, assert_same_answers, tiny_model, tiny_tokenizer
from transformers import RobertaConfig

from modeling_spert import JointExtractionPipeline

INPUTS = int(os.environ.get("SPERT_FUZZ_INPUTS", 50_000))
SEED = int(os.environ.get("SPERT_FUZZ_SEED", 0))
PER_EXAMPLE = 50
KINDS = ("roberta", "bert")
SETTING_NAMES = (
    *("entity_threshold", "relation_threshold", "max_entities_per_sentence", "overlap", "batch_size", "max_tokens"),
    *("max_window_length", "context", "splitter", "on_error"),
)
quietly = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),  # to shrink an example of 50 inputs takes minutes; the message names the one that failed
)


@functools.cache
def fuzzed_pipeline(kind: str, is_double: bool = True) -> JointExtractionPipeline:
    """A tiny random model: a BERT with WordPiece, or a RoBERTa with byte-level BPE and every lever."""
    encoder, tokenizer = None, tiny_tokenizer()
    if kind == "roberta":
        tokenizer = build_tokenizer("roberta")
        tokenizer.model_max_length = WINDOW
        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
        encoder = RobertaConfig(
            vocab_size=len(tokenizer), max_position_embeddings=WINDOW + 2, initializer_range=0.3, **sizes
        )
    model = tiny_model(encoder) if encoder is None else strengthen(tiny_model(encoder, **LEVERS))
    return (model.double() if is_double else model).extraction_pipeline(tokenizer)


def check_inputs(pipe: JointExtractionPipeline, inputs: list[Any], chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers to a list of inputs, each of which keeps the contract or has an error that it also raises alone."""
    answers = pipe(inputs, on_error="record", **chosen)
    assert len(answers) == len(inputs)
    reading = {"splitter": chosen["splitter"]} if "splitter" in chosen else {}
    for item, answer in zip(inputs, answers, strict=True):
        try:
            document = pipe.preprocess(item, **reading)
        except (ValueError, ZeroDivisionError) as error:  # the second is the bad splitter's own
            assert answer["error"] and str(error) in answer["error"], (item, answer)
            assert not answer["entities"] and not answer["relations"], item
            continue
        try:
            check_contract(answer, document, chosen, pipe)
        except AssertionError as error:
            raise AssertionError(f"{str(error)[:400]}: input {item!r}, settings {chosen}") from error
    return answers


def check_others_change_nothing(
    pipe: JointExtractionPipeline, inputs: list[Any], answers: list[dict[str, Any]], chosen: dict[str, Any], seed: int
) -> None:
    """The same answers from a stream in another order, in other batches; every error stays with its input."""
    order = list(range(len(inputs)))
    random.Random(seed).shuffle(order)
    streamed = list(pipe((inputs[i] for i in order), on_error="record", **chosen))
    assert_same_answers(streamed, [answers[i] for i in order])


def check_error_is_raised(pipe: JointExtractionPipeline, inputs: list[Any], answers: list[dict], chosen: dict) -> None:
    """Without on_error="record" a list with a bad input is refused, and the message begins with an index of one."""
    bad = [index for index, answer in enumerate(answers) if "error" in answer]
    if bad:
        with pytest.raises(ValueError) as raised:
            pipe(inputs, **chosen)
        assert str(raised.value).startswith(tuple(f"input {index}: " for index in bad))


class Count:
    """How many inputs were answered, and what came out."""

    def __init__(self) -> None:
        self.inputs = self.errors = self.entities = self.relations = self.given = 0

    def add(self, inputs: list[Any], answers: list[dict[str, Any]]) -> None:
        self.inputs += len(inputs)
        self.errors += sum("error" in answer for answer in answers)
        self.given += sum(isinstance(item, dict) and bool(item.get("entities")) for item in inputs)
        self.entities += sum(len(answer["entities"]) for answer in answers)
        self.relations += sum(len(answer["relations"]) for answer in answers)

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:,}" for name, value in vars(self).items())


def run_fuzzing(kind: str, least: int) -> Count:
    """Fuzz until at least so many inputs have been answered and checked."""
    count = Count()
    examples = -(-least // PER_EXAMPLE)

    @hypothesis.seed(SEED + KINDS.index(kind))  # other inputs for each model
    @settings(quietly, max_examples=examples)
    @given(DRAWN, SEEDS, SETTINGS, BATCHING, BATCHING, st.booleans())
    def fuzz(drawn, seed, chosen, batching, other_batching, is_double):
        inputs = make_inputs(drawn, seed, PER_EXAMPLE)
        pipe = fuzzed_pipeline(kind, is_double)
        answers = check_inputs(pipe, inputs, {**chosen, **batching})
        if is_double:
            check_others_change_nothing(pipe, inputs, answers, {**chosen, **other_batching}, seed)
        else:
            check_error_is_raised(pipe, inputs, answers, {**chosen, **batching})
        count.add(inputs, answers)

    fuzz()
    return count


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
def test_fuzzed_inputs_keep_the_contract(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.process_time()
    count = run_fuzzing(kind, INPUTS // len(KINDS))
    with capsys.disabled():
        seconds = time.process_time() - started
        print(f"\nfuzzed, {kind}, seed {SEED + KINDS.index(kind)}: {count}; {seconds:.0f} s of processor time")
    assert count.inputs >= INPUTS // len(KINDS)
    assert count.entities > count.inputs and count.relations > count.inputs / 10  # else little was tested


@pytest.mark.parametrize("kind", KINDS)
def test_fuzzing_in_short_keeps_the_contract(kind: str) -> None:
    count = run_fuzzing(kind, 5 * PER_EXAMPLE)
    assert count.entities and count.relations and count.errors and count.given


@pytest.mark.parametrize("kind", KINDS)
@settings(quietly, max_examples=60)
@given(st.dictionaries(st.sampled_from(SETTING_NAMES), ANY_VALUE, min_size=1, max_size=2))
def test_fuzzed_settings_are_taken_or_named(kind: str, chosen: dict[str, Any]) -> None:
    pipe = fuzzed_pipeline(kind)
    try:
        answers = pipe(["Ada was born.", ""], **chosen)
    except (ValueError, TypeError) as error:
        assert any(name in str(error) for name in chosen), error
    else:
        assert [answer["text"] for answer in answers] == ["Ada was born.", ""]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("context", ["none", "document"])
def test_inputs_that_once_failed_keep_the_contract(kind: str, context: str) -> None:
    pipe = fuzzed_pipeline(kind)
    chosen = {"context": context, "entity_threshold": 0.2, "max_entities_per_sentence": 20}
    answers = check_inputs(pipe, CORPUS, chosen)
    check_others_change_nothing(pipe, CORPUS, answers, {**chosen, "batch_size": 1, "max_tokens": 1}, SEED)
