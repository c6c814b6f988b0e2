"""A model folder that version 0.1 saved, before the code was restructured, loads and answers as it did."""

import json
from pathlib import Path

from tiny_pipeline import assert_same_answers
from transformers import AutoModel, AutoTokenizer, pipeline

FOLDER = Path(__file__).parents[1] / "data" / "saved_model_0_1"


def test_saved_model_of_an_earlier_version_answers_as_it_did():
    expected = json.loads((FOLDER / "expected_answers.json").read_text("utf-8"))
    assert_same_answers(pipeline("joint-extraction", model=str(FOLDER))(expected["inputs"]), expected["answers"])


def test_saved_model_of_an_earlier_version_loads_every_weight_by_its_name():
    model, info = AutoModel.from_pretrained(FOLDER, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert AutoTokenizer.from_pretrained(FOLDER).name_or_path == str(FOLDER)
    assert model.config.entity_types == ["Person", "Place", "Work"]
