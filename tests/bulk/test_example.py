"""The script for `hf jobs uv run`: its dependencies, and the whole of it against a Hub on the loopback."""

import json
import re
from pathlib import Path

import bulk_data
import pytest
from local_hub import LocalHub
from packaging.requirements import Requirement
from tiny_pipeline import save_folder

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "bulk_on_hf_jobs.py"
RUN = "import runpy, sys; path = sys.argv.pop(1); sys.argv[0] = path; runpy.run_path(path, run_name='__main__')"


def test_example_names_its_dependencies_as_uv_reads_them():
    block = re.search(r"^# /// script\n(?P<content>(?:#(?: .*)?\n)+?)# ///$", SCRIPT.read_text("utf-8"), re.MULTILINE)
    assert block is not None
    (line,) = [line for line in block["content"].splitlines() if "dependencies" in line]
    (dependency,) = json.loads(line.partition(" = ")[2])
    requirement = Requirement(dependency)
    assert requirement.name == "modeling-spert" and requirement.extras == {"bulk"}


@pytest.mark.slow
def test_example_pushes_rows_and_resumes_from_what_was_pushed(tmp_path):
    documents = bulk_data.make_documents(40)
    lines = "".join(json.dumps(document) + "\n" for document in documents)
    model = save_folder(tmp_path / "tiny")
    with LocalHub() as hub:
        hub.add("org/tiny", {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()})
        hub.add("org/texts", {"data/train.jsonl": lines}, kind="datasets")
        command = [str(SCRIPT), "org/tiny", "hf://datasets/org/texts/data", "org/rows"]
        command += ["--id_column", "id", "--shard_size", "15"]
        for machine, said in (
            ("a", "40 documents, 0 of them from before"),
            ("b", "40 documents, 40 of them from before"),
        ):
            (tmp_path / machine).mkdir()
            assert said in hub.run(RUN, tmp_path / machine, *command, HF_HUB_DISABLE_XET="1")
        assert (
            sorted(document["id"] for document in documents)
            == bulk_data.read_rows(tmp_path / "b" / "rows")["id"].to_pylist()
        )
