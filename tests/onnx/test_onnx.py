"""The ONNX graphs against the model they were written from, through the class, the pipeline and the command line."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from huggingface_hub import HfApi, snapshot_download
from hypothesis import given, settings
from hypothesis import strategies as st
from local_hub import LocalHub
from local_hub.client import client
from tiny_levers import LEVERS, strengthen
from tiny_models import KINDS, SENTENCES, build_batch, build_spert, build_window, save_backbone
from tiny_pipeline import TEXT, assert_same_answers, save_folder, tiny_model, tiny_pipeline, tiny_tokenizer
from transformers import AutoTokenizer

from modeling_spert import SpertModel
from modeling_spert.evaluation.predict import predict_examples
from modeling_spert.hub.push import push_model_folder
from modeling_spert.onnx.__main__ import main
from modeling_spert.onnx.export import export_onnx
from modeling_spert.onnx.graphs import static_range_max, static_range_sum
from modeling_spert.onnx.model import OnnxSpertModel
from modeling_spert.spans_spert import range_max, range_sum, range_table
from modeling_spert.tokenization_spert import encode_sentences, special_affixes
from modeling_spert.training.checkpoints import save_model
from modeling_spert.training.tokenizer import load_tokenizer
from modeling_spert.windows_spert import collate_windows, make_windows

# Every pooling, every context, no width embeddings, no relation types.
SETTINGS: dict[str, dict[str, Any]] = {
    "localized": {},
    "mean full": {"span_pooling": "mean", "relation_context": "full"},
    "sum cls": {"span_pooling": "sum", "relation_context": "cls", "width_embedding_size": 0},
    "entities only": {"relation_types": []},
}


def export(model: SpertModel, folder: Path, **kwargs: Any) -> OnnxSpertModel:
    """Write a model and its graphs, and load these."""
    model.save_pretrained(folder)
    export_onnx(folder, **kwargs)
    return OnnxSpertModel.from_pretrained(folder)


@pytest.fixture(scope="module", params=SETTINGS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[SpertModel, OnnxSpertModel]:
    model = build_spert(scale=3.0, **SETTINGS[request.param])
    return model, export(model, tmp_path_factory.mktemp("graphs"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that the command line has exported."""
    folder = save_folder(tmp_path_factory.mktemp("model"))
    command = [sys.executable, "-m", "modeling_spert.onnx", str(folder), "--int8"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        str(folder / "onnx" / name) for name in ("spans.onnx", "relations.onnx", "spans_int8.onnx", "export.json")
    ]
    return folder


def assert_same_output(model: SpertModel, graphs: OnnxSpertModel, batch: dict[str, Any], **kwargs: Any) -> int:
    """Same spans and pairs, same logits but for rounding; the number of pairs."""
    with torch.inference_mode():
        wanted, found = model(**batch, **kwargs), graphs(**batch, **kwargs)
    assert torch.equal(wanted.spans, found.spans) and torch.equal(wanted.pairs, found.pairs)
    assert wanted.relation_logits.shape == found.relation_logits.shape
    torch.testing.assert_close(found.relation_logits, wanted.relation_logits, atol=1e-4, rtol=1e-4)
    if found.entity_logits is not None:
        torch.testing.assert_close(found.entity_logits, wanted.entity_logits, atol=1e-4, rtol=1e-4)
    return len(found.pairs)


def test_graphs_answer_as_the_model(both):
    windows = [build_window([1, 2, 1, 3, 1, 1], [2, 1, 1], seed=seed) for seed in range(4)]
    pairs = assert_same_output(*both, build_batch(*windows, build_window([1, 1, 4])))
    assert pairs or not both[0].config.relation_types


@pytest.mark.parametrize("counts", [[1], [7], [1, 1], [12, 1]])
def test_graphs_answer_for_windows_of_a_few_words(both, counts):
    assert_same_output(*both, build_batch(build_window(counts)))


def test_graphs_answer_for_a_window_without_words(both):
    assert assert_same_output(*both, build_batch(build_window())) == 0


def test_graphs_answer_where_nothing_or_everything_survives(both):
    batch = build_batch(build_window([1, 2, 1, 3, 1, 1], seed=1))
    assert assert_same_output(*both, batch, entity_threshold=1.1) == 0
    pairs = assert_same_output(*both, batch, entity_threshold=0.0)
    assert pairs == (18 * 17 if both[0].config.relation_types else 0)


SENTENCE = st.lists(st.integers(1, 4), min_size=1, max_size=5)  # subwords of each word


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(SENTENCE, min_size=1, max_size=2), min_size=1, max_size=3))  # of at most 42 subwords
def test_graphs_answer_for_any_batch(both, batch):
    windows = [build_window(*sentences, seed=number) for number, sentences in enumerate(batch)]
    assert_same_output(*both, build_batch(*windows))


def test_graphs_are_calibrated_as_the_model(folder, monkeypatch):
    model, graphs = tiny_model(), OnnxSpertModel.from_pretrained(folder)
    rows = [{"tokens": TEXT.split()[:8]}, {"tokens": TEXT.split()[8:]}]
    plain = predict_examples(model, tiny_tokenizer(), rows, entity_threshold=0.5, relation_threshold=0.3)
    for config in (model.config, graphs.config):
        monkeypatch.setattr(config, "entity_temperature", 2.5)
        monkeypatch.setattr(config, "relation_temperature", 0.5)
    wanted, found = (
        predict_examples(each, tiny_tokenizer(), rows, entity_threshold=0.5, relation_threshold=0.3)
        for each in (model, graphs)
    )
    assert [len(e.entities) for e in wanted] != [
        len(e.entities) for e in plain
    ]  # the threshold reads calibrated scores
    assert [[(e.start, e.end, e.label) for e in each.entities] for each in found] == [
        [(e.start, e.end, e.label) for e in each.entities] for each in wanted
    ]
    for one, other in zip(wanted, found, strict=True):
        assert all(e.score >= 0.5 for e in one.entities) and all(r.score >= 0.3 for r in one.relations)
        scores = [[item.score for item in (*each.entities, *each.relations)] for each in (one, other)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-4) and scores[0]


def test_pairs_are_scored_in_chunks(both, monkeypatch):
    monkeypatch.setattr("modeling_spert.onnx.model._CHUNK_PAIRS", 7)
    assert_same_output(*both, build_batch(build_window([1, 2, 1, 3, 1, 1], seed=1)), entity_threshold=0.0)


TEXTS = [TEXT, "", "Ada wrote.", {"tokens": ["Ada", "Lund", "wrote", "The", "Tide"]}, TEXT.replace(" ", "  ")]


def test_pipeline_answers_as_with_the_model(folder):
    pipe = OnnxSpertModel.from_pretrained(folder).extraction_pipeline(tiny_tokenizer())
    expected = tiny_pipeline()(TEXTS)
    assert any(answer["relations"] for answer in expected)
    assert_same_answers(pipe(TEXTS), expected)


def test_pipeline_relates_given_entities(folder):
    entities = [{"start": 0, "end": 8, "label": "Person"}, {"start": 34, "end": 42, "label": "Work"}]
    document = {"text": TEXT.replace(". She", ", she"), "entities": entities}
    pipe = OnnxSpertModel.from_pretrained(folder).extraction_pipeline(tiny_tokenizer(), relation_threshold=0.0)
    expected = tiny_pipeline(relation_threshold=0.0)(document)
    assert expected["relations"]
    assert_same_answers([pipe(document)], [expected])


def test_graphs_of_a_model_with_levers_answer_as_it_does(tmp_path):
    model = strengthen(tiny_model(**LEVERS, overlap="flat", span_pooling="mean"))
    graphs = export(model, tmp_path)
    with_model, with_graphs = (one.extraction_pipeline(tiny_tokenizer()) for one in (model, graphs))
    expected = with_model(TEXTS)
    assert any(answer["entities"] for answer in expected)
    assert_same_answers(with_graphs(TEXTS), expected)
    # Given entities may be wider than any candidate: their types come from the second graph.
    entities = [{"start": start, "end": end, "label": "Work"} for start, end in ((0, 8), (9, 48), (30, 42), (45, 48))]
    document = {"text": TEXT.replace(". She", ", she"), "entities": entities}
    expected = with_model(document, relation_threshold=0.0)
    assert expected["relations"] and entities[1]["end"] > model.config.max_span_width
    # The levers' large weights multiply rounding: 3e-5 was seen on a processor without AVX.
    assert_same_answers([with_graphs(document, relation_threshold=0.0)], [expected], tolerance=5e-4)
    batch = build_batch(build_window([1, 2]))
    del batch["word_case"]
    with pytest.raises(ValueError, match="reads the letter case of words"):
        graphs(**batch)


def test_graphs_from_before_the_levers_are_read(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "old")
    record = tmp_path / "old" / "onnx" / "export.json"
    content = json.loads(record.read_text("utf-8"))
    for name in LEVERS:
        del content["settings"][name]
    record.write_text(json.dumps(content), "utf-8")
    assert OnnxSpertModel.from_pretrained(tmp_path / "old")
    config = json.loads((tmp_path / "old" / "config.json").read_text("utf-8"))
    (tmp_path / "old" / "config.json").write_text(json.dumps({**config, "span_borders": "inside"}), "utf-8")
    with pytest.raises(ValueError, match="made with another span_borders"):
        OnnxSpertModel.from_pretrained(tmp_path / "old")


def test_pipeline_holds_the_configurations_signatures(tmp_path):
    """The graphs know nothing of them: they are the decoding's."""
    free = tiny_pipeline()(TEXT)
    labels = [entity["label"] for entity in free["entities"]]
    seen = {(labels[r["head"]], r["label"], labels[r["tail"]]) for r in free["relations"]}
    kept = sorted(seen)[: len(seen) // 2]
    # Every relation type has a signature, so that each is checked.
    signatures = [*kept, *(("Work", label, "Work") for label in ("Born_In", "Near", "Wrote"))]
    expected = tiny_pipeline(tiny_model(relation_signatures=signatures))(TEXT)
    assert 0 < len(expected["relations"]) < len(free["relations"]) and expected["entities"] == free["entities"]
    folder = save_folder(tmp_path / "model", relation_signatures=signatures)
    export_onnx(folder)
    pipe = OnnxSpertModel.from_pretrained(folder).extraction_pipeline(tiny_tokenizer())
    assert_same_answers([pipe(TEXT)], [expected])


def test_transformers_pipeline_takes_the_graphs(folder):
    from transformers import pipeline

    pipe = pipeline(
        "joint-extraction", model=OnnxSpertModel.from_pretrained(folder), tokenizer=str(folder), device="cpu"
    )
    assert_same_answers(pipe(TEXTS), tiny_pipeline()(TEXTS))


def test_pipeline_around_the_graphs_bounds_the_entities_of_a_sentence(folder):
    pipes = [OnnxSpertModel.from_pretrained(folder).extraction_pipeline(tiny_tokenizer()), tiny_pipeline()]
    settings = {"entity_threshold": 0, "relation_threshold": 0.1, "max_entities_per_sentence": 7}
    found, wanted = ([pipe(text, **settings) for text in TEXTS] for pipe in pipes)
    assert_same_answers(found, wanted)
    assert any(answer["relations"] for answer in found)


def test_predictions_of_examples_are_the_models(folder):
    examples = [{"tokens": TEXT.split(), "entities": [], "relations": []}]
    wanted = predict_examples(tiny_model(), tiny_tokenizer(), examples)
    found = predict_examples(OnnxSpertModel.from_pretrained(folder), tiny_tokenizer(), examples)
    assert [(e.start, e.end, e.label) for e in wanted[0].entities] == [
        (e.start, e.end, e.label) for e in found[0].entities
    ]


def test_quantised_graph_has_the_encoder_in_integers(folder):
    graphs = [onnx.load(folder / "onnx" / name).graph.node for name in ("spans.onnx", "spans_int8.onnx")]
    full, small = (Counter(node.op_type for node in nodes) for nodes in graphs)
    encoder_products = 2 * 6  # of two layers: query, key, value, output and two of the feed-forward part
    assert small["MatMulInteger"] == encoder_products
    assert small["MatMul"] + small["Gemm"] == full["MatMul"] + full["Gemm"] - encoder_products
    batch = build_batch(build_window([1, 2, 1, 3, 1, 1], seed=1))
    logits = [OnnxSpertModel.from_pretrained(folder, int8=int8)(**batch).entity_logits for int8 in (False, True)]
    assert not torch.equal(*logits)
    assert (logits[0] - logits[1]).abs().mean() < 0.05 * logits[0].abs().mean()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 70), st.data())
def test_static_range_max_is_that_of_the_model(num_words, longest, data):
    """Up to the longest range, whatever number of levels that takes."""
    x = torch.randn(2, num_words, 3)
    bounds = st.integers(0, num_words)
    pair = st.tuples(st.integers(0, 1), bounds, bounds).filter(lambda r: r[2] - r[1] <= longest)
    ranges = torch.tensor(data.draw(st.lists(pair, min_size=1, max_size=8)))
    assert torch.equal(static_range_max(x, ranges, longest), range_max(range_table(x, num_words), ranges))
    sums = torch.cat([static_range_sum(x, ranges), range_sum(x, ranges)]).chunk(2)
    torch.testing.assert_close(*sums)


def test_long_windows_are_read_whole(tmp_path):
    """Trained on windows of any length: the graphs have the levels that 48 subwords take."""
    model = build_spert(scale=3.0, max_window_length=48)
    graphs = export(model, tmp_path)
    windows = [build_window([1] * words, seed=words) for words in (46, 33, 31)]
    assert assert_same_output(model, graphs, build_batch(*windows)) > 0
    with pytest.raises(ValueError, match="windows of up to 48 subwords, got 49"):
        graphs(**build_batch(build_window([1] * 47)))


def test_export_of_half_precision_is_in_fp32(tmp_path):
    """What the model says in fp32, to which its rounded weights are widened."""
    build_spert(relation_types=[]).to(torch.bfloat16).save_pretrained(tmp_path)
    export_onnx(tmp_path)
    model = SpertModel.from_pretrained(tmp_path, dtype=torch.float32)
    assert_same_output(model, OnnxSpertModel.from_pretrained(tmp_path), build_batch(build_window([1, 2, 1])))


def test_large_weights_stand_beside_their_graph(tmp_path, monkeypatch):
    """ONNX files hold 2 GB at most; torch then writes the numbers to a second file."""
    monkeypatch.setattr("torch.onnx._internal.exporter._onnx_program._LARGE_MODEL_THRESHOLD", 1000)
    model = build_spert(scale=3.0)
    graphs = export(model, tmp_path, int8=True)
    assert (tmp_path / "onnx" / "spans.onnx.data").is_file()
    assert_same_output(model, graphs, build_batch(build_window([1, 2, 1, 3], seed=1)))
    OnnxSpertModel.from_pretrained(tmp_path, int8=True)(**build_batch(build_window([1, 2, 1, 3], seed=1)))


def test_failed_export_leaves_what_was_there(folder, tmp_path, monkeypatch):
    standing = shutil.copytree(folder, tmp_path / "standing")
    before = {path.name: path.read_bytes() for path in (standing / "onnx").iterdir()}
    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("no such operator")))
    with pytest.raises(RuntimeError, match="no such operator"):
        export_onnx(standing)
    assert {path.name: path.read_bytes() for path in (standing / "onnx").iterdir()} == before


def test_export_elsewhere_can_be_loaded(folder, tmp_path):
    export_onnx(folder, tmp_path / "graphs")
    model = OnnxSpertModel.from_pretrained(tmp_path / "graphs")
    pipe = model.extraction_pipeline(AutoTokenizer.from_pretrained(tmp_path / "graphs"))
    assert_same_answers(pipe(TEXTS), tiny_pipeline()(TEXTS))
    assert not list((tmp_path / "graphs").glob("*.safetensors"))


def test_absent_graphs_are_named_with_the_command(folder, tmp_path):
    save_folder(tmp_path / "bare")
    with pytest.raises(FileNotFoundError, match=r"has no onnx/spans.onnx: python -m modeling_spert.onnx .*bare$"):
        OnnxSpertModel.from_pretrained(tmp_path / "bare")


def test_graphs_of_other_weights_are_refused(folder, tmp_path):
    retrained = shutil.copytree(folder, tmp_path / "retrained")
    model = SpertModel.from_pretrained(retrained)
    with torch.no_grad():
        model.backbone.encoder.layer[0].output.dense.bias[0] += 1e-3
    model.save_pretrained(retrained)
    with pytest.raises(ValueError, match="from other weights than those next to them: export them again with"):
        OnnxSpertModel.from_pretrained(retrained)
    shutil.copy(folder / "model.safetensors", retrained)
    OnnxSpertModel.from_pretrained(retrained)
    model.config.max_span_width = 3
    model.config.save_pretrained(retrained)
    with pytest.raises(ValueError, match="were made with another max_span_width: export them again with"):
        OnnxSpertModel.from_pretrained(retrained)
    (retrained / "onnx" / "export.json").unlink()
    with pytest.raises(ValueError, match="are not complete"):
        OnnxSpertModel.from_pretrained(retrained)


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the client's own
def test_graphs_go_to_the_hub_and_come_back(folder, tmp_path, monkeypatch):
    with LocalHub() as hub, client(hub):
        endpoint = {"endpoint": hub.url, "token": hub.token}
        push_model_folder(folder, "org/tiny", **endpoint)
        assert {"onnx/spans.onnx", "onnx/relations.onnx", "onnx/export.json"} <= set(hub.files("org/tiny"))
        # What OnnxSpertModel fetches, from this Hub.
        monkeypatch.setattr(
            "modeling_spert.onnx.model.snapshot_download", functools.partial(snapshot_download, **endpoint)
        )
        model = OnnxSpertModel.from_pretrained("org/tiny", cache_dir=tmp_path / "cache")
        with monkeypatch.context() as patch:
            patch.setattr("modeling_spert.onnx.model.HfApi", lambda token: HfApi(**endpoint))
            OnnxSpertModel.from_pretrained("org/tiny", cache_dir=tmp_path / "cache")
            hub.add("org/tiny", {"model.safetensors": b"of another training" * 9})
            with pytest.raises(ValueError, match="the graphs in org/tiny were made from other weights than those next"):
                OnnxSpertModel.from_pretrained("org/tiny", cache_dir=tmp_path / "cache")
        plain = shutil.copytree(folder, tmp_path / "plain")
        shutil.rmtree(plain / "onnx")
        push_model_folder(plain, "org/tiny", **endpoint)
        assert not any("onnx" in name for name in hub.files("org/tiny"))
    assert not any(path.suffix == ".safetensors" for path in (tmp_path / "cache").rglob("*"))
    assert_same_answers(model.extraction_pipeline(tiny_tokenizer())(TEXTS), tiny_pipeline()(TEXTS))


def test_push_refuses_graphs_of_other_weights(folder, tmp_path):
    changed = shutil.copytree(folder, tmp_path / "changed")
    shutil.copy(folder / "tokenizer.json", changed / "model.safetensors")
    with pytest.raises(ValueError, match="from other weights"):
        push_model_folder(changed, "org/tiny")


def test_training_removes_the_graphs_of_the_weights_it_replaces(folder, tmp_path):
    trained = shutil.copytree(folder, tmp_path / "trained")
    save_model(tiny_model(), tiny_tokenizer(), trained)
    assert not list((trained / "onnx").iterdir())


def test_auto_precision_leaves_the_graphs_alone(folder, monkeypatch):
    monkeypatch.setattr("modeling_spert.precision_spert.time_product", lambda *args: pytest.fail("measured"))
    pipe = OnnxSpertModel.from_pretrained(folder).extraction_pipeline(tiny_tokenizer(), precision="auto")
    assert pipe("Ada wrote.")["text"] == "Ada wrote."


def test_other_places_and_precisions_are_refused(folder):
    model = OnnxSpertModel.from_pretrained(folder)
    with pytest.raises(ValueError, match='not on cuda: device="cpu", and providers='):
        model.extraction_pipeline(tiny_tokenizer(), device="cuda")
    with pytest.raises(ValueError, match="OnnxSpertModel computes in torch.float32, which cannot be changed to bf16"):
        model.extraction_pipeline(tiny_tokenizer(), precision="bf16")
    with pytest.raises(ValueError, match="spans and pairs come together"):
        model(**build_batch(build_window([1, 2])), spans=torch.tensor([[0, 0, 1]]))
    with pytest.raises(ValueError, match="num_threads must be at least 1, got 0"):
        OnnxSpertModel.from_pretrained(folder, num_threads=0)
    with pytest.raises(TypeError, match="unknown keywords revison"):
        OnnxSpertModel.from_pretrained(folder, revison="main")


def test_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ImportError, match=r"ONNX needs onnx, onnxscript, onnxruntime: pip install 'modeling-spert\[onnx\]'"
    ):
        export_onnx(tmp_path)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["org/name"], "org/name is not a folder on this machine: name one to write to with --output"),
        (["{folder}"], "holds a 'bert' model, not a SpERT model"),
    ],
)
def test_command_line_refuses(tmp_path, capsys, argv, message):
    save_backbone("bert", tmp_path / "bert")
    assert main([word.format(folder=tmp_path / "bert") for word in argv]) == 2
    told = capsys.readouterr().err
    assert told.splitlines()[-1].startswith("error: ") and message in told


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_encoder_can_be_exported(tmp_path, kind):
    save_backbone(kind, tmp_path / "encoder")
    torch.manual_seed(0)
    model = SpertModel.from_backbone(
        str(tmp_path / "encoder"), entity_types=["A", "B"], relation_types=["r", "s"], max_span_width=4
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    graphs = export(model, tmp_path / "model")
    tokenizer = load_tokenizer(tmp_path / "encoder", **({"do_lower_case": False} if kind == "scibert" else {}))
    affixes = special_affixes(tokenizer)
    sentences = encode_sentences(tokenizer, [sentence.split() for sentence in SENTENCES])
    windows = [make_windows([sentence], affixes, 48, "none")[0] for sentence in sentences]
    for some in (windows, windows[:1]):
        batch = collate_windows(some, tokenizer.pad_token_id)
        assert assert_same_output(model, graphs, batch, entity_threshold=0.0) > 0  # every span kept
