"""The whole journey over HTTP: train and push, load as a stranger with an empty cache, offline, and from a tag."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from local_hub import LocalHub
from tiny_data import write_dataset
from tiny_models import save_backbone

ROOT = Path(__file__).resolve().parents[2]

# The author: train and push, push data set and metric; then push a changed model, so that main is not the tag.
AUTHOR = """
import contextlib, json, sys

output, data, backbone, metric, text = sys.argv[1:]
with contextlib.redirect_stdout(sys.stderr):
    import evaluate
    from transformers import pipeline

    from modeling_spert.hub.__main__ import main as hub_main
    import train_accelerate
    from datasets_scripts import convert, load_joint_dataset

    flags = ["--dataset", data, "--backbone", backbone, "--output_dir", output, "--num_train_epochs", "6"]
    flags += ["--learning_rate", "5e-3", "--eval_every", "3", "--neg_entity_count", "20"]
    train_accelerate.main([*flags, "--push_to_hub", "--hub_model_id", "org/spert-tiny", "--hub_private"])
    assert convert.main([data, "--output", f"{output}-parquet"]) == 0
    assert hub_main([f"{output}-parquet", "org/tiny-joint"]) == 0
    assert hub_main([metric, "org/joint_extraction", "--metric"]) == 0

    extract = pipeline("joint-extraction", model=output)
    answer = extract(text)
    extract.model.config.relation_threshold = 0.0
    extract.push_to_hub("org/spert-tiny")
    dataset = load_joint_dataset(data)
    facts = {
        "answer": answer,
        "rows": dataset.splits["dev"].to_list(),
        "scores": evaluate.load(metric).compute(
            predictions=dataset.splits["dev"].to_list()[::-1],
            references=dataset.splits["dev"].to_list(),
            symmetric_relation_types=["met"],
        ),
    }
print(json.dumps(facts))
"""
STRANGER = """
import json, sys

sys.modules["modeling_spert"] = sys.modules["datasets_scripts"] = None  # also where they are installed
repo, tag, text, online = sys.argv[1:]

from datasets import load_dataset
from transformers import AutoConfig, AutoModel, AutoTokenizer, logging, pipeline

logging.set_verbosity_error()
trust = {"trust_remote_code": True}
at_tag = {**trust, "revision": tag}
model = AutoModel.from_pretrained(repo, **at_tag)
tokenizer = AutoTokenizer.from_pretrained(repo, **at_tag)
named = pipeline("joint-extraction", model=repo, **at_tag)
newest = pipeline(model=repo, **trust)
facts = {
    "config": AutoConfig.from_pretrained(repo, **at_tag).entity_types,
    "answers": {
        "parts": model.extraction_pipeline(tokenizer)(text),
        "named": named(text),
        "inferred": pipeline(model=repo, **at_tag)(text),
    },
    "newest": [newest.model.config.relation_threshold, newest(text)],
    "modules": [type(thing).__module__ for thing in (model, named)],
    "rows": load_dataset("org/tiny-joint", split="dev").to_list(),
}
if online == "yes":
    import evaluate

    facts["scores"] = evaluate.load("org/joint_extraction").compute(
        predictions=facts["rows"][::-1], references=facts["rows"], symmetric_relation_types=["met"]
    )
print(json.dumps(facts))
"""
TEXT = "Maria Lund met Tor Vik, who runs Harbour Institute."


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the author knew, and what a stranger found online and offline."""
    author, stranger = tmp_path_factory.mktemp("author"), tmp_path_factory.mktemp("stranger")
    save_backbone("bert", author / "bert")
    data = write_dataset(author / "data")
    with LocalHub() as hub:
        arguments = (author / "spert-tiny", data, author / "bert", ROOT / "metrics" / "joint_extraction", TEXT)
        known = hub.run(AUTHOR, author, *map(str, arguments), PYTHONPATH=str(ROOT), ACCELERATE_USE_CPU="1")
        (tag,) = hub.store.repositories["models", "org/spert-tiny"].tags
        found = hub.run(STRANGER, stranger, "org/spert-tiny", tag, TEXT, "yes")
        foreign = [request.path for request in hub.foreign if "datasets-server." not in request.path]
        files = {revision: hub.files("org/spert-tiny", revision=revision) for revision in ("main", tag)}
        private = {kind: hub.store.repositories[kind, name].private for kind, name in _REPOSITORIES}
    # The server is gone; its address stays in the environment.
    offline = hub.run(STRANGER, stranger, "org/spert-tiny", tag, TEXT, "no", HF_HUB_OFFLINE="1")
    parts = {"known": known, "found": found, "offline": offline}
    return {name: json.loads(printed.splitlines()[-1]) for name, printed in parts.items()} | {
        "foreign": foreign,
        "pushed": files["main"],
        "tagged": files[tag],
        "private": private,
    }


_REPOSITORIES = [("models", "org/spert-tiny"), ("datasets", "org/tiny-joint"), ("spaces", "org/joint_extraction")]


def test_journey_model_gives_the_same_answer(journey: dict[str, Any]) -> None:
    """Bit for bit: the answers hold every digit of the scores."""
    answer = journey["known"]["answer"]
    assert answer["entities"] and answer["relations"]
    for place in ("found", "offline"):
        assert list(journey[place]["answers"].values()) == [answer] * 3, place
        assert journey[place]["config"] == ["Per", "Org"]
        assert all(module.startswith("transformers_modules.") for module in journey[place]["modules"])


def test_journey_revision_pins_the_model(journey: dict[str, Any]) -> None:
    for place in ("found", "offline"):
        threshold, newest = journey[place]["newest"]
        assert threshold == 0.0 and len(newest["relations"]) > len(journey["known"]["answer"]["relations"])


def test_journey_dataset_and_metric(journey: dict[str, Any]) -> None:
    assert journey["found"]["rows"] == journey["offline"]["rows"] == journey["known"]["rows"]
    assert journey["found"]["scores"] == journey["known"]["scores"]
    assert 0 < journey["known"]["scores"]["ner_f1_micro"] < 100


def test_journey_leaves_whole_and_private_repositories(journey: dict[str, Any]) -> None:
    assert journey["private"] == {"models": True, "datasets": True, "spaces": False}
    assert journey["foreign"] == []
    assert set(journey["pushed"]) == set(journey["tagged"])
    card = journey["pushed"]["README.md"].decode()
    assert 'model="org/spert-tiny"' in card and "Relation micro F1 (strict)" in card  # a later push kept it
    assert not [name for name in journey["pushed"] if name.startswith(("predictions", "training_state"))]
