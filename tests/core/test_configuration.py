"""What a configuration holds, what it refuses, and what of it is on disk."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, BertConfig, DistilBertConfig

from modeling_spert import SpertConfig
from modeling_spert.configuration_spert import (
    OVERLAP_MODES,
    RELATION_CONTEXTS,
    SPAN_BORDERS,
    SPAN_POOLINGS,
    WINDOW_CONTEXTS,
)

PIPELINE = {"joint-extraction": {"impl": "pipeline_spert.JointExtractionPipeline", "pt": ["AutoModel"], "type": "text"}}


def test_configuration_defaults_are_the_papers():
    config = SpertConfig()
    assert (config.max_span_width, config.width_embedding_size, config.relation_threshold) == (10, 25, 0.4)
    assert (config.span_pooling, config.relation_context, config.head_dropout) == ("max", "localized", 0.1)
    assert (config.context, config.max_window_length, config.width_table_size) == ("none", None, 100)
    assert (config.overlap, config.word_features, config.span_borders) == ("allow", [], "none")
    assert (config.type_pairs, config.pair_product) == (False, 0)
    assert config.backbone_config.model_type == "bert"
    assert (config.num_entity_classes, config.num_relation_types) == (1, 0)


def test_configuration_counts_its_labels():
    config = SpertConfig(entity_types=("A", "B"), relation_types=("r", "s", "t"))
    assert (config.num_entity_classes, config.num_relation_types) == (3, 3)
    assert config.entity_types == ["A", "B"]  # a list, as JSON gives it back


@pytest.mark.parametrize(
    "backbone",
    [DistilBertConfig(dim=12, n_heads=2), {"model_type": "distilbert", "dim": 12, "n_heads": 2}],
    ids=["object", "dict"],
)
def test_configuration_takes_any_encoder(backbone: Any):
    config = SpertConfig(backbone_config=backbone)
    assert type(config.backbone_config) is DistilBertConfig and config.backbone_config.hidden_size == 12


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_span_width": 0}, "max_span_width must be an integer >= 1, got 0"),
        ({"max_span_width": 2.5}, "max_span_width must be an integer >= 1, got 2.5"),
        ({"max_span_width": "8"}, "max_span_width must be an integer >= 1, got '8'"),
        ({"width_embedding_size": -1}, "width_embedding_size must be an integer >= 0, got -1"),
        ({"width_table_size": 10}, "width_table_size must exceed max_span_width 10, got 10"),
        ({"span_pooling": "min"}, "span_pooling must be one of max, mean, sum, got 'min'"),
        ({"relation_context": "local"}, "relation_context must be one of localized, full, cls, got 'local'"),
        ({"context": None}, "context must be one of none, document, got None"),
        ({"head_dropout": 1.1}, "head_dropout must be between 0 and 1, got 1.1"),
        ({"relation_threshold": -0.1}, "relation_threshold must be between 0 and 1, got -0.1"),
        ({"relation_threshold": float("nan")}, "relation_threshold must be between 0 and 1, got nan"),
        ({"entity_temperature": 0}, "entity_temperature must be finite and more than 0, got 0"),
        ({"relation_temperature": float("inf")}, "relation_temperature must be finite and more than 0, got inf"),
        ({"max_window_length": 7}, "max_window_length must be an integer >= 8, got 7"),
        ({"entity_types": ["A", "B", "A"]}, r"entity_types must not repeat a label, got \['A'\] more than once"),
        ({"relation_types": ["r", ""]}, "relation_types must be non-empty strings, got ''"),
        ({"entity_types": [1]}, "entity_types must be non-empty strings, got 1"),
        ({"entity_types": "Peop"}, "entity_types must be a list of labels, got the str 'Peop'"),
        ({"entity_types": {"Peop": {}}}, "entity_types must be a list of labels, got the dict {'Peop'"),
        ({"relation_types": 3}, "relation_types must be a list of labels, got the int 3"),
        ({"max_window_length": "48"}, "max_window_length must be an integer >= 8, got '48'"),
        ({"max_window_length": 8.5}, "max_window_length must be an integer >= 8, got 8.5"),
        ({"segmentation": True}, "segmentation must be a dict or None, got True"),
        ({"overlap": "none"}, "overlap must be one of allow, nested, flat, got 'none'"),
        ({"word_features": ["case", "suffix"]}, "word_features must be one of case, got 'suffix'"),
        ({"word_features": "case"}, "word_features must be a list of labels, got the str 'case'"),
        ({"span_borders": "both"}, "span_borders must be one of none, inside, got 'both'"),
        ({"type_pairs": 1}, "type_pairs must be True or False, got 1"),
        ({"pair_product": -1}, "pair_product must be an integer >= 0, got -1"),
        ({"pair_product": True}, "pair_product must be an integer >= 0, got True"),
        ({"label_names": ["A"]}, r"label_names must be a dict or None, got \['A'\]"),
        (
            {"relation_types": ["r"], "symmetric_relation_types": ["s"]},
            r"symmetric_relation_types must be among relation_types \['r'\], got \['s'\]",
        ),
        *(
            (
                {"entity_types": ["A"], "relation_types": ["r"], "relation_signatures": [triple]},
                f"relation_signatures must be triples of an entity type, a relation type .*, got {shown}",
            )
            for triple, shown in (
                (["A", "r"], r"\['A', 'r'\]"),
                (["A", "s", "A"], r"\['A', 's', 'A'\]"),
                (["A", "r", "B"], r"\['A', 'r', 'B'\]"),
                ("Ar", r"\['A', 'r'\]"),
            )
        ),
        ({"backbone_config": {"hidden_size": 8}}, 'backbone_config must name its "model_type"'),
        ({"relation_treshold": 0.5}, "no setting 'relation_treshold'; did you mean 'relation_threshold'"),
        ({"entity_type": ["A"]}, "no setting 'entity_type'; did you mean 'entity_types'"),
    ],
    ids=str,
)
def test_configuration_refuses_what_cannot_be(settings: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        SpertConfig(**settings)


def test_configuration_limits_themselves_are_allowed():
    SpertConfig(max_span_width=1, width_embedding_size=0, width_table_size=1, head_dropout=0, relation_threshold=1)
    for name, values in (
        ("span_pooling", SPAN_POOLINGS),
        ("relation_context", RELATION_CONTEXTS),
        ("context", WINDOW_CONTEXTS),
        ("overlap", OVERLAP_MODES),
        ("span_borders", SPAN_BORDERS),
    ):
        assert [getattr(SpertConfig(**{name: value}), name) for value in values] == list(values)


def test_configuration_keeps_settings_of_the_base_class():
    assert SpertConfig(name_or_path="somewhere").name_or_path == "somewhere"
    assert SpertConfig(architectures=["SpertModel"]).architectures == ["SpertModel"]


def test_configuration_round_trips_every_setting(tmp_path: Path):
    settings: dict[str, Any] = {
        "entity_types": ["B", "A"],
        "relation_types": ["r", "s"],
        "symmetric_relation_types": ["s"],
        "relation_signatures": [["A", "r", "B"], ["B", "s", "B"]],
        "max_span_width": 7,
        "width_embedding_size": 11,
        "width_table_size": 30,
        "span_pooling": "mean",
        "relation_context": "cls",
        "head_dropout": 0.25,
        "relation_threshold": 0.55,
        "context": "document",
        "max_window_length": 96,
        "entity_threshold": 0.6,
        "entity_temperature": 1.5,
        "relation_temperature": 0.5,
        "segmentation": {"some": ["rules"]},
        "label_names": {"entity/A": "Anything", "relation/r": "related"},
        "initializer_range": 0.5,
        "overlap": "nested",
        "word_features": ["case"],
        "span_borders": "inside",
        "type_pairs": True,
        "pair_product": 64,
    }
    config = SpertConfig(backbone_config=BertConfig(hidden_size=24, num_attention_heads=2), **settings)
    assert {name for name in SpertConfig.__init__.__annotations__} - {"return", "kwargs"} == {
        "backbone_config",
        *settings,
    }
    config.save_pretrained(tmp_path)
    for loaded in (SpertConfig.from_pretrained(tmp_path), AutoConfig.from_pretrained(tmp_path)):
        assert type(loaded) is SpertConfig
        assert {name: getattr(loaded, name) for name in settings} == settings
        assert type(loaded.backbone_config) is BertConfig and loaded.backbone_config.hidden_size == 24
    default = SpertConfig()
    assert all(getattr(default, name) != value for name, value in settings.items())


def test_configuration_on_disk_names_its_code_and_its_pipeline(tmp_path: Path):
    config = SpertConfig(entity_types=["A"])
    for folder in (tmp_path / "new", tmp_path / "again"):  # loaded and saved again, it still does
        config.save_pretrained(folder)
        written = json.loads((folder / "config.json").read_text("utf-8"))
        assert written["model_type"] == "spert" and written["custom_pipelines"] == PIPELINE
        assert written["auto_map"]["AutoConfig"] == "configuration_spert.SpertConfig"
        config = SpertConfig.from_pretrained(folder)
        # In memory the entry would beat the local registry and ask for trust_remote_code.
        assert not hasattr(config, "custom_pipelines")


def test_configuration_labels_are_not_shared_between_objects():
    labels = ["A"]
    first, second = SpertConfig(entity_types=labels), SpertConfig(entity_types=labels)
    first.entity_types.append("B")
    assert second.entity_types == ["A"] and labels == ["A"]


def test_configuration_from_dict_checks_settings_given_beside_it():
    saved = SpertConfig(relation_types=["r", "s"], symmetric_relation_types=["s"]).to_dict()
    assert SpertConfig.from_dict(saved, relation_threshold=0.9).relation_threshold == 0.9
    # A symmetric type that is no longer there goes with its label.
    assert SpertConfig.from_dict(saved, relation_types=["r"]).symmetric_relation_types == []
    assert SpertConfig.from_dict(saved, relation_types=["s", "t"]).symmetric_relation_types == ["s"]
    with pytest.raises(ValueError, match=r"symmetric_relation_types must be among relation_types \['r'\]"):
        SpertConfig.from_dict(saved, relation_types=["r"], symmetric_relation_types=["s"])
    with pytest.raises(ValueError, match="relation_threshold must be between 0 and 1, got 2"):
        SpertConfig.from_dict(saved, relation_threshold=2)
    assert SpertConfig.from_dict(saved, relation_threshold=0.9, other=1, return_unused_kwargs=True)[1] == {"other": 1}


def test_configuration_merges_changes_of_the_encoders_settings(tmp_path: Path):
    SpertConfig(backbone_config=BertConfig(hidden_size=24, num_attention_heads=2)).save_pretrained(tmp_path)
    for changes in ({"hidden_dropout_prob": 0.0}, {"model_type": "bert", "hidden_dropout_prob": 0.0}):
        config = SpertConfig.from_pretrained(tmp_path, backbone_config=changes)
        assert type(config.backbone_config) is BertConfig
        assert (config.backbone_config.hidden_size, config.backbone_config.hidden_dropout_prob) == (24, 0.0)
    other = SpertConfig.from_pretrained(tmp_path, backbone_config={"model_type": "distilbert", "dim": 12})
    assert type(other.backbone_config) is DistilBertConfig and other.backbone_config.dim == 12
    replaced = SpertConfig.from_pretrained(tmp_path, backbone_config=BertConfig(hidden_size=36, num_attention_heads=2))
    assert replaced.backbone_config.hidden_size == 36


def test_configuration_shows_the_encoders_sizes_to_libraries():
    config = SpertConfig(backbone_config=BertConfig(hidden_size=24, vocab_size=99, num_attention_heads=2))
    assert config.get_text_config() is config.backbone_config
    assert config.get_text_config(decoder=True).vocab_size == 99


@pytest.mark.parametrize("name", ["attn_implementation", "_attn_implementation"])
@pytest.mark.parametrize("value", ["org/kernel", "org/kernel@main:flash", {"": "eager", "backbone_config": "org/k"}])
def test_configuration_file_cannot_ask_for_a_kernel(tmp_path: Path, name: str, value: Any):
    """A kernel is compiled code from the Hub."""
    SpertConfig().save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text("utf-8"))
    inner = {**written, "backbone_config": {**written["backbone_config"], name: value}}
    for settings in ({**written, name: value}, inner):
        (tmp_path / "config.json").write_text(json.dumps(settings), "utf-8")
        for load in (SpertConfig.from_pretrained, AutoConfig.from_pretrained):
            config = load(tmp_path)
            assert "/" not in f"{config._attn_implementation} {config.backbone_config._attn_implementation}"
    assert SpertConfig.from_pretrained(tmp_path, attn_implementation="eager")._attn_implementation == "eager"
    # The user's own word counts.
    assert SpertConfig.from_pretrained(tmp_path, attn_implementation="org/kernel")._attn_implementation == "org/kernel"


def test_configuration_with_very_many_labels_is_read_at_once():
    """The time grew with the square of their number: more than a minute."""
    labels = [f"label {index}" for index in range(100_000)]
    start = time.process_time()
    config = SpertConfig(entity_types=labels, relation_types=labels, symmetric_relation_types=labels)
    assert config.num_entity_classes == 100_001
    with pytest.raises(ValueError, match=r"must not repeat a label, got \['label 7'\] more than once"):
        SpertConfig(entity_types=[*labels, "label 7"])
    assert time.process_time() - start < 10


def test_configuration_signatures_go_with_their_labels():
    signatures = [["A", "r", "B"], ["A", "s", "A"]]
    saved = SpertConfig(entity_types=["A", "B"], relation_types=["r", "s"], relation_signatures=signatures).to_dict()
    assert SpertConfig.from_dict(saved).relation_signatures == signatures
    assert SpertConfig.from_dict(saved, relation_types=["r"]).relation_signatures == signatures[:1]
    assert SpertConfig.from_dict(saved, entity_types=["A", "C"]).relation_signatures == signatures[1:]
    assert SpertConfig.from_dict(saved, relation_signatures=None).relation_signatures is None
