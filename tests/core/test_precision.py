"""Precision: what "auto" chooses, what the pipeline does with it, and that bf16 answers like fp32."""

import shutil

import pytest
import torch
from tiny_models import build_encoder
from tiny_pipeline import TEXT, assert_same_answers, tiny_model, tiny_pipeline, tiny_tokenizer

from modeling_spert import JointExtractionPipeline
from modeling_spert.precision_spert import multiplies_bf16, resolve_precision, set_precision


def pretend(monkeypatch: pytest.MonkeyPatch, **capabilities: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)


@pytest.mark.parametrize("instructions", ["amx_bf16", "avx512_bf16", "arm_bf16"])
def test_auto_is_bf16_where_the_cpu_multiplies_it(monkeypatch, instructions):
    pretend(monkeypatch, avx2=True, **{instructions: True})
    assert resolve_precision("auto", "cpu") is torch.bfloat16


def test_auto_is_fp32_on_a_cpu_without(monkeypatch):
    pretend(monkeypatch, avx2=True, avx512_f=True, avx512_bf16=False)
    assert resolve_precision("auto", "cpu") is torch.float32


@pytest.mark.parametrize("supported", [True, False])
def test_auto_asks_older_torch_by_its_own_names(monkeypatch, supported):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: supported, raising=False)
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported", raising=False)
    assert multiplies_bf16(torch.device("cpu")) is supported


def test_auto_refuses_emulation_on_a_gpu(monkeypatch):
    asked = []
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **kwargs: asked.append(kwargs) or False)
    assert resolve_precision("auto", "cuda") is torch.float32
    assert asked == [{"including_emulation": False}]


def test_auto_is_fp32_on_other_devices():
    assert resolve_precision("auto", "mps") is torch.float32


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
