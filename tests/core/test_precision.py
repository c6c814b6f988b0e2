"""Precision: what "auto" chooses, what the pipeline does with it, and that bf16 answers like fp32."""

import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence

import pytest
import torch
from tiny_models import build_encoder
from tiny_pipeline import TEXT, assert_same_answers, tiny_model, tiny_pipeline, tiny_tokenizer

from modeling_spert import JointExtractionPipeline, precision_spert
from modeling_spert.precision_spert import resolve_precision, set_precision


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[tuple]]]:
    """Sets what a product takes in each dtype, in order of the trials; gives the list of what was measured."""
    calls: list[tuple] = []

    def pretend(fp32: Sequence[float], bf16: Sequence[float]) -> list[tuple]:
        seconds = {torch.float32: itertools.cycle(fp32), torch.bfloat16: itertools.cycle(bf16)}

        def time_product(dtype: torch.dtype, device: str, shape: tuple[int, int]) -> float:
            calls.append((dtype, device, shape))
            return next(seconds[dtype])

        monkeypatch.setattr(precision_spert, "time_product", time_product)
        precision_spert.bf16_share.cache_clear()
        return calls

    yield pretend
    precision_spert.bf16_share.cache_clear()


@pytest.mark.parametrize(
    ("fp32", "bf16", "dtype"),
    [
        ([1.0], [0.25], torch.bfloat16),
        ([1.0], [0.7], torch.bfloat16),
        ([1.0], [0.9], torch.float32),  # the rest of a model gains nothing
        ([1.0], [1.7], torch.float32),  # an instruction that is slower, as on Intel's without AMX
        ([1.0], [9.0, 0.5, 0.6, 0.5, 0.7], torch.bfloat16),  # the first trial warms up, the best of the others counts
        ([9.0, 1.0, 0.4, 2.0, 3.0], [0.5], torch.float32),
    ],
)
def test_auto_takes_the_faster(measured, fp32, bf16, dtype):
    measured(fp32, bf16)
    assert resolve_precision("auto", "cpu") is dtype


def test_auto_measures_once_per_device_threads_and_shape(measured, monkeypatch):
    calls = measured([1.0], [0.5])
    resolve_precision("auto", "cpu", (8, 16))
    count = len(calls)
    assert {(device, shape) for _, device, shape in calls} == {("cpu", (8, 16))} and count <= 10
    resolve_precision("auto", torch.device("cpu"), (8, 16))
    assert len(calls) == count
    resolve_precision("auto", "cuda:0", (8, 16))
    resolve_precision("auto", "cpu", (8, 32))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    resolve_precision("auto", "cpu", (8, 16))
    assert len(calls) == 4 * count


def test_auto_is_fp32_on_other_devices(measured):
    assert resolve_precision("auto", "mps") is torch.float32 and measured([1.0], [0.1]) == []


def test_auto_measures_the_shape_of_the_encoder(measured):
    calls = measured([1.0], [0.5])
    model = tiny_model()
    tiny_pipeline(model, precision="auto")
    assert {shape for *_, shape in calls} == {(32, 48)} and model.dtype is torch.bfloat16
    encoder = build_encoder("distilbert", 64)  # names its sizes otherwise
    set_precision(encoder, "auto", "cpu")
    assert calls[-1][2] == (32, 4 * 32) and encoder.dtype is torch.bfloat16


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_time_product_measures_a_product(dtype):
    assert precision_spert.time_product(dtype, "cpu", (8, 16)) > 0


def test_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="precision must be one of auto, fp32, bf16, fp16, got 'int4'"):
        tiny_pipeline(precision="int4")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_pipeline_runs_in_the_precision_asked_for(precision):
    model = tiny_model()
    JointExtractionPipeline(model=model, tokenizer=tiny_tokenizer(), device="cpu", precision=precision)
    wanted = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    assert {parameter.dtype for parameter in model.parameters()} == {wanted}


def test_pipeline_keeps_the_precision_it_was_given():
    model = tiny_model().to(torch.bfloat16)
    JointExtractionPipeline(model=model, tokenizer=tiny_tokenizer(), device="cpu")
    assert model.dtype is torch.bfloat16


def test_rotary_frequencies_stay_in_fp32():
    """As when such an encoder is loaded in bf16: rounded, they would turn far positions by a radian."""
    model = build_encoder("modernbert", 64)
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    set_precision(model, "bf16", "cpu")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert any("inv_freq" in name for name in before)
    assert all(torch.equal(buffer, before[name]) for name, buffer in model.named_buffers())


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler on a CPU")
@pytest.mark.filterwarnings("default")  # of torch's own compiler
def test_compiled_encoder_answers_alike():
    """Compiled once for all sizes, and in place: weights keep their names."""
    model = tiny_model()
    names = list(model.state_dict())
    pipe = tiny_pipeline(model)
    texts = [TEXT, "Ada wrote.", " ".join([TEXT] * 3)]
    expected = [pipe(texts), *map(pipe, texts)]
    torch._dynamo.reset()
    model.backbone.compile(dynamic=True)
    found = [pipe(texts), *map(pipe, texts)]
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= 1
    for a, b in zip(found, expected, strict=True):
        assert_same_answers(a if isinstance(a, list) else [a], b if isinstance(b, list) else [b])
    assert list(model.state_dict()) == names


def test_bf16_scores_are_near_those_of_fp32():
    """Compared on entities given, so that no span at the edge changes what there is to compare."""
    given = [{"start": 0, "end": 8, "label": "Person"}, {"start": 21, "end": 24, "label": "Place"}]
    document = {"text": TEXT, "entities": given}
    settings = {"relation_threshold": 0.0}
    full, half = tiny_pipeline(**settings)(document), tiny_pipeline(precision="bf16", **settings)(document)
    assert [r["label"] for r in full["relations"]] == [r["label"] for r in half["relations"]] != []
    for a, b in zip(full["relations"], half["relations"], strict=True):
        assert a["score"] == pytest.approx(b["score"], abs=0.05)
