"""Checkpoints of the original implementation: converted whole, loaded by a stranger, refused with a reason."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoTokenizer, BertConfig, BertModel

from modeling_spert import SpertModel
from modeling_spert.convert_original import convert_checkpoint, main

HIDDEN, WIDTH = 16, 5
TYPES = {
    "entities": {"Per": {"short": "P", "verbose": "Person"}, "Org": {"short": "O", "verbose": "Organisation"}},
    "relations": {
        "runs": {"short": "runs", "verbose": "runs", "symmetric": False},
        "met": {"short": "met", "verbose": "has met", "symmetric": True},
        "left": {"short": "left", "verbose": "left", "symmetric": False},
    },
}
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "maria", "Maria", "runs", "##s", "run", "."]
FLAGS = ("--max_span_width", "4", "--relation_threshold", "0.25")

STRANGER = """
import json, sys

sys.modules["modeling_spert"] = None  # also where the package is installed, importing it fails here
folder, sentences = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))

from transformers import AutoModel, pipeline

model = AutoModel.from_pretrained(folder, trust_remote_code=True)
extract = pipeline("joint-extraction", model=folder, trust_remote_code=True)
answers = extract([{"tokens": tokens} for tokens in sentences])
json.dump({"module": type(model).__module__, "answers": answers}, sys.stdout)
"""


def build_weights() -> dict[str, Tensor]:
    """Random weights under the original's names, pooler and positions included."""
    config = BertConfig(**settings())
    generator = torch.Generator().manual_seed(3)
    shapes = {f"bert.{name}": tensor.shape for name, tensor in BertModel(config).state_dict().items()}
    shapes |= {
        "entity_classifier.weight": (3, 2 * HIDDEN + WIDTH),
        "entity_classifier.bias": (3,),
        "rel_classifier.weight": (3, 3 * HIDDEN + 2 * WIDTH),
        "rel_classifier.bias": (3,),
        "size_embeddings.weight": (20, WIDTH),
    }
    weights = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    return weights | {"bert.embeddings.position_ids": torch.arange(24).unsqueeze(0)}


def settings() -> dict[str, Any]:
    sizes = {"hidden_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24}
    return {**sizes, "vocab_size": len(VOCABULARY), "max_position_embeddings": 24}


def write_checkpoint(folder: Path, weights: dict[str, Tensor] | None = None, safetensors: bool = False) -> Path:
    folder.mkdir()
    config = {**settings(), "model_type": "bert", "architectures": ["SpERT"], "torch_dtype": "float32"}
    (folder / "config.json").write_text(json.dumps({**config, "spert_version": "1.1"}), "utf-8")
    (folder / "types.json").write_text(json.dumps(TYPES), "utf-8")
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", "utf-8")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false, "model_max_length": 512}', "utf-8")
    weights = build_weights() if weights is None else weights
    if safetensors:
        save_file(weights, folder / "model.safetensors")
    else:
        torch.save(weights, folder / "pytorch_model.bin")
    return folder


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    config = {**json.loads(path.read_text("utf-8")), **changes}
    path.write_text(json.dumps({name: value for name, value in config.items() if value is not None}), "utf-8")


def convert(source: Path, output: Path, **kwargs: Any) -> SpertModel:
    return convert_checkpoint(source, output, **{"max_span_width": 4, "relation_threshold": 0.25, **kwargs})


def ask_stranger(folder: Path, sentences: list[list[str]], tmp_path: Path) -> dict[str, Any]:
    """What a process without the package gets from the folder."""
    (tmp_path / "sentences.json").write_text(json.dumps(sentences), "utf-8")
    command = [sys.executable, "-c", STRANGER, str(folder), str(tmp_path / "sentences.json")]
    done = subprocess.run(command, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("safetensors", [False, True])
def test_convert_gives_a_whole_folder_with_the_same_numbers(tmp_path: Path, safetensors: bool) -> None:
    source = write_checkpoint(tmp_path / "source", safetensors=safetensors)
    main([str(source), "--output", str(tmp_path / "made" / "model"), *FLAGS])
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["model"]
    assert "# model" in (tmp_path / "made" / "model" / "README.md").read_text("utf-8")
    model, info = SpertModel.from_pretrained(tmp_path / "made" / "model", output_loading_info=True)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    ours, theirs = model.state_dict(), build_weights()
    for name, original in (("entity_classifier", "entity_classifier"), ("relation_classifier", "rel_classifier")):
        assert torch.equal(ours[f"{name}.weight"], theirs[f"{original}.weight"])
        assert torch.equal(ours[f"{name}.bias"], theirs[f"{original}.bias"])
    assert torch.equal(ours["width_embeddings.weight"], theirs["size_embeddings.weight"])
    encoder = {name for name in theirs if name.startswith("bert.") and "pooler" not in name and "_ids" not in name}
    assert all(torch.equal(ours["backbone." + name.removeprefix("bert.")], theirs[name]) for name in encoder)
    assert len(ours) == len(encoder) + 5


def test_convert_config_holds_what_the_checkpoint_and_the_flags_say(tmp_path: Path) -> None:
    config = convert(write_checkpoint(tmp_path / "source"), tmp_path / "model").config
    assert config.entity_types == ["Per", "Org"] and config.relation_types == ["runs", "met", "left"]
    assert config.symmetric_relation_types == ["met"] and config.label_names["relation/met"] == "has met"
    assert (config.max_span_width, config.relation_threshold) == (4, 0.25)
    assert (config.width_embedding_size, config.width_table_size, config.max_window_length) == (WIDTH, 20, 24)
    encoder = config.backbone_config
    assert (encoder.model_type, encoder.hidden_size, encoder.num_attention_heads) == ("bert", HIDDEN, 4)


def test_convert_folder_loads_without_the_package(tmp_path: Path) -> None:
    convert(write_checkpoint(tmp_path / "source"), tmp_path / "model")
    found = ask_stranger(tmp_path / "model", [["Maria", "runs", "."]], tmp_path)
    assert found["module"].startswith("transformers_modules.")
    assert found["answers"][0]["text"] == "Maria runs ."


def test_convert_reference_predicts_what_the_original_did(shared_dir: Path, tmp_path: Path) -> None:
    reference = shared_dir / "reference" / "scierc_tiny"
    convert(reference / "original_checkpoint", tmp_path / "model", max_span_width=8, relation_threshold=0.3)
    rows = json.loads((shared_dir / "data" / "scierc" / "scierc_test.json").read_text("utf-8"))
    expected = json.loads((reference / "predictions.json").read_text("utf-8"))
    answers = ask_stranger(tmp_path / "model", [row["tokens"] for row in rows], tmp_path)["answers"]
    assert len(answers) == len(expected) == 551
    ours, theirs = [dict(map(read_items, part)) for part in (enumerate(answers), ((r["row"], r) for r in expected))]
    assert [set(ours[row]) for row in ours] == [set(theirs[row]) for row in ours]
    gaps = [abs(score - theirs[row][item]) for row in ours for item, score in ours[row].items()]
    assert len(gaps) > 2000 and max(gaps) < 1e-5


def read_items(numbered: tuple[int, dict[str, Any]]) -> tuple[int, dict[tuple[Any, ...], float]]:
    """Scores by entity (label, words) and relation (label, head, tail), from an answer or a file of the original."""
    row, found = numbered
    entities = found["entities"]
    spans = [(e.get("label", e.get("type")), *e.get("words", (e.get("start"), e.get("end")))) for e in entities]
    items = {span: entity["score"] for span, entity in zip(spans, entities, strict=True)}
    for relation in found["relations"]:
        label = relation.get("label", relation.get("type"))
        items[label, spans[relation["head"]], spans[relation["tail"]]] = relation["score"]
    assert len(items) == len(entities) + len(found["relations"])
    return row, items


def old_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    renames = (("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta"))
    for new, old in renames:
        weights = {name.replace(new, old): tensor for name, tensor in weights.items()}
    assert sum(name.endswith("gamma") for name in weights) == 5
    return weights


def without_unused(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in weights.items() if "pooler" not in name and "position_ids" not in name}


@pytest.mark.parametrize("change", [old_names, without_unused])
def test_convert_reads_other_versions_of_bert(
    tmp_path: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]
) -> None:
    source = write_checkpoint(tmp_path / "source", change(build_weights()))
    ours = convert(source, tmp_path / "model").state_dict()
    theirs = build_weights()
    assert torch.equal(ours["backbone.embeddings.LayerNorm.bias"], theirs["bert.embeddings.LayerNorm.bias"])
    name = "encoder.layer.1.output.LayerNorm.weight"
    assert torch.equal(ours[f"backbone.{name}"], theirs[f"bert.{name}"])


def test_convert_reads_sizes_from_shapes(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "source")
    unsaid = ("model_type", "hidden_size", "num_hidden_layers", "intermediate_size", "max_position_embeddings")
    change_config(source, vocab_size=None, **dict.fromkeys(unsaid))
    encoder = convert(source, tmp_path / "model").config.backbone_config
    assert (encoder.hidden_size, encoder.num_hidden_layers, encoder.intermediate_size) == (HIDDEN, 2, 24)
    assert (encoder.vocab_size, encoder.max_position_embeddings) == (len(VOCABULARY), 24)


def test_convert_without_width_embedding_or_relations(tmp_path: Path) -> None:
    weights = build_weights()
    weights["entity_classifier.weight"] = weights["entity_classifier.weight"][:, : 2 * HIDDEN].clone()
    weights["rel_classifier.weight"] = weights["rel_classifier.weight"][:0].clone()
    weights["rel_classifier.bias"] = weights["rel_classifier.bias"][:0].clone()
    weights["size_embeddings.weight"] = weights["size_embeddings.weight"][:, :0].clone()
    source = write_checkpoint(tmp_path / "source", weights)
    (source / "types.json").write_text(json.dumps({"entities": TYPES["entities"], "relations": {}}), "utf-8")
    model = convert(source, tmp_path / "model")
    assert model.width_embeddings is None and model.relation_classifier is None


@pytest.mark.parametrize(("lowercase", "first"), [(None, "Maria"), (False, "Maria"), (True, "maria")])
def test_convert_case_is_as_the_files_say_unless_told(tmp_path: Path, lowercase: bool | None, first: str) -> None:
    convert(write_checkpoint(tmp_path / "source"), tmp_path / "model", lowercase=lowercase)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert tokenizer.tokenize("Maria runs") == [first, "runs"] and tokenizer.model_max_length == 24


def test_convert_case_from_a_fast_tokenizer_file(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "source")
    AutoTokenizer.from_pretrained(source).save_pretrained(source)
    for name in ("vocab.txt", "tokenizer_config.json"):
        (source / name).unlink(missing_ok=True)
    convert(source, tmp_path / "model")
    assert AutoTokenizer.from_pretrained(tmp_path / "model").tokenize("Maria") == ["Maria"]


def test_convert_train_data_teaches_the_word_rules(tmp_path: Path) -> None:
    rows = [{"tokens": ["a", "drug", "-", "induced", "rash"]}] * 5
    (tmp_path / "train.json").write_text(json.dumps(rows), "utf-8")
    source = write_checkpoint(tmp_path / "source")
    main([str(source), "--output", str(tmp_path / "model"), *FLAGS, "--train_data", str(tmp_path / "train.json")])
    assert SpertModel.from_pretrained(tmp_path / "model").config.segmentation["split_hyphens"] == "letters"
    (tmp_path / "train.json").write_text('[{"words": []}]', "utf-8")
    with pytest.raises(ValueError, match="--train_data .*train.json is not a file in SpERT's JSON"):
        convert(source, tmp_path / "other", train_data=tmp_path / "train.json")


def drop_file(name: str) -> Callable[[Path], None]:
    return lambda source: (source / name).unlink()


def write_file(name: str, text: str) -> Callable[[Path], None]:
    return lambda source: (source / name).write_text(text, "utf-8") and None


def pickle_an_object(source: Path) -> None:
    torch.save({"bert": BertConfig()}, source / "pytorch_model.bin")


def save_other(content: Any) -> Callable[[Path], None]:
    return lambda source: torch.save(content, source / "pytorch_model.bin")


def shrink_vocabulary(source: Path) -> None:
    change_config(source, vocab_size=4)
    weights = build_weights()
    weights["bert.embeddings.word_embeddings.weight"] = weights["bert.embeddings.word_embeddings.weight"][:4].clone()
    torch.save(weights, source / "pytorch_model.bin")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (drop_file("config.json"), "config.json cannot be read: No such file"),
        (drop_file("types.json"), "types.json is not there: name the types file .* with --types"),
        (drop_file("pytorch_model.bin"), "it holds neither model.safetensors nor pytorch_model.bin"),
        (drop_file("vocab.txt"), "has no tokenizer: copy the vocab.txt"),
        (drop_file("tokenizer_config.json"), "do not say whether it lower-cases words: add --cased or --uncased"),
        (write_file("config.json", "{"), "config.json is not JSON"),
        (write_file("config.json", "[]"), "config.json must hold a JSON object, got list"),
        (write_file("types.json", "[" * 100_000), "types.json is not JSON that can be read"),
        (write_file("pytorch_model.bin", ""), "pytorch_model.bin cannot be read as a file of tensors: EOFError"),
        (save_other({3: torch.zeros(1)}), "must hold tensors by name"),
        (lambda source: change_config(source, hidden_size="24"), "config.json is not the configuration of a BERT"),
        (
            lambda source: change_config(source, vocab_size=10**14),
            "word_embeddings.weight is .* expected .100000000000000",
        ),
        (write_file("types.json", '{"entities": ["Per"]}'), r"types.json: expected .* got \['Per'\] for its entity"),
        (write_file("types.json", '{"entities": {"Per": {}}}'), "1 entity types .* 0 relation types"),
        (write_file("pytorch_model.bin", "no tensors"), "pytorch_model.bin cannot be read as a file of tensors"),
        (pickle_an_object, "pytorch_model.bin cannot be read as a file of tensors: Weights only load failed"),
        (save_other([torch.zeros(1)]), "must hold tensors by name"),
        (save_other({"epoch": 3}), "must hold tensors by name"),
        (lambda source: change_config(source, model_type="roberta"), "encoder family 'roberta', but"),
        (lambda source: change_config(source, num_attention_heads=None), "lacks num_attention_heads"),
        (shrink_vocabulary, "the tokenizer in .* has 11 entries, more than the 4 rows"),
    ],
)
def test_convert_bad_source_says_what_is_wrong(tmp_path: Path, spoil: Callable[[Path], None], words: str) -> None:
    source = write_checkpoint(tmp_path / "source")
    spoil(source)
    with pytest.raises(ValueError, match=words):
        convert(source, tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_convert_lists_every_tensor_that_does_not_fit(tmp_path: Path) -> None:
    weights = build_weights()
    del weights["rel_classifier.bias"], weights["bert.encoder.layer.1.output.dense.weight"]
    weights["cls.predictions.bias"] = torch.zeros(2)
    weights["entity_classifier.weight"] = torch.zeros(4, 2 * HIDDEN + WIDTH)
    source = write_checkpoint(tmp_path / "source", weights)
    with pytest.raises(ValueError) as raised:
        convert(source, tmp_path / "model")
    told = str(raised.value)
    assert "2 entity types (with none, 3 classes) and 3 relation types. missing (2): " in told
    assert "bert.encoder.layer.1.output.dense.weight (16, 24)" in told and "rel_classifier.bias (3,)" in told
    assert "unknown (1): cls.predictions.bias (2,). " in told
    assert told.endswith("of another shape (1): entity_classifier.weight is (4, 37), expected (3, 37)")


def test_convert_missing_width_table_is_listed(tmp_path: Path) -> None:
    weights = build_weights()
    del weights["size_embeddings.weight"]
    with pytest.raises(ValueError, match="missing .*size_embeddings.weight"):
        convert(write_checkpoint(tmp_path / "source", weights), tmp_path / "model")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"max_span_width": 0}, "max_span_width must be an integer >= 1, got 0"),
        ({"max_span_width": 20}, "width_table_size must exceed max_span_width 20, got 20"),
        ({"relation_threshold": 1.5}, "relation_threshold must be between 0 and 1, got 1.5"),
    ],
)
def test_convert_refuses_settings_out_of_range(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        convert(write_checkpoint(tmp_path / "source"), tmp_path / "model", **changes)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("--max_span_width", "--max_span_width is needed: the checkpoint does not hold it"),
        ("--relation_threshold", "--relation_threshold is needed: the checkpoint does not hold it"),
    ],
)
def test_main_asks_for_what_the_checkpoint_does_not_hold(
    tmp_path: Path, missing: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = FLAGS.index(missing)
    flags = FLAGS[:place] + FLAGS[place + 2 :]
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path), "--output", str(tmp_path / "model"), *flags])
    assert stopped.value.code == 2 and words in capsys.readouterr().err


def test_main_refuses_to_overwrite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_checkpoint(tmp_path / "source")
    argv = [str(source), "--output", str(tmp_path / "model"), *FLAGS]
    (tmp_path / "model").mkdir()  # an empty folder is fine
    assert main(argv) == 0
    assert main(argv) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ") and "is not an empty folder" in told and told.count("\n") == 1
    with pytest.raises(ValueError, match="is not a folder: SOURCE is"):
        convert(tmp_path / "absent", tmp_path / "other")


def test_convert_failure_while_saving_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    source = write_checkpoint(tmp_path / "source")
    monkeypatch.setattr("transformers.BertTokenizer.save_pretrained", fail)
    with pytest.raises(KeyboardInterrupt):
        convert(source, tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
