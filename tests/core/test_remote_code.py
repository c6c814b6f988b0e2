"""Model folders: saved by the package, loaded by a stranger without it, saved again; and what importing registers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_pipeline import TEXT, assert_same_answers, save_folder, tiny_model, tiny_pipeline, tiny_tokenizer
from transformers import AutoConfig, AutoModel, AutoTokenizer, pipeline

from modeling_spert import JointExtractionPipeline, SpertConfig, SpertModel

ROOT = Path(__file__).resolve().parents[2]
TRAVELLING = {path.name for path in (ROOT / "modeling_spert").glob("*_spert.py")}
INPUTS = [
    TEXT,
    {"sentences": [["Ada", "wrote"], ["Vik", "."]]},
    {"tokens": ["Ada", "wrote"], "entities": [{"start": 0, "end": 1, "label": "Person"}]},
    "Zoë 🪐 阿达",
    "",
]

STRANGER = """
import json, os, sys

sys.modules["modeling_spert"] = None  # also where the package is installed, importing it fails here
folder, poisoned, again, parts, inputs = sys.argv[1:5] + [json.loads(sys.argv[5])]

from transformers import AutoConfig, AutoModel, AutoTokenizer, pipeline

trust = {"trust_remote_code": True}
config = AutoConfig.from_pretrained(folder, **trust)
model = AutoModel.from_pretrained(folder, **trust)
tokenizer = AutoTokenizer.from_pretrained(folder, **trust)
named = pipeline("joint-extraction", model=folder, **trust)
inferred = pipeline(model=folder, **trust)
answers = {
    "named": named(inputs),
    "inferred": inferred(inputs),
    "objects": model.extraction_pipeline(tokenizer)(inputs),
}
named.save_pretrained(again)
model.save_pretrained(parts)
tokenizer.save_pretrained(parts)
answers["again"] = pipeline("joint-extraction", model=again, **trust)(inputs)
answers["parts"] = pipeline(model=parts, **trust)(inputs)
os.chdir(folder)
answers["inside"] = pipeline("joint-extraction", model=".", **trust)(inputs)

errors = {}
attempts = {
    "config": lambda: AutoConfig.from_pretrained(folder),
    "model": lambda: AutoModel.from_pretrained(folder),
    "named": lambda: pipeline("joint-extraction", model=folder),
    "inferred": lambda: pipeline(model=folder),
    "refused": lambda: pipeline("joint-extraction", model=folder, trust_remote_code=False),
    "poisoned": lambda: pipeline("joint-extraction", model=poisoned, **trust),
    "new model": lambda: type(model).from_backbone(folder, entity_types=["A"]),
}
for name, attempt in attempts.items():
    try:
        attempt()
        errors[name] = "none"
    except Exception as error:
        errors[name] = f"{type(error).__name__}: {error}"
modules = [type(thing).__module__ for thing in (config, model, named, inferred)]
print()  # behind the question whether to trust
print(json.dumps({"answers": answers, "errors": errors, "modules": modules, "config": repr(named.model.config)}))
"""

IMPORTER = """
import importlib, json, logging, os, random, sys, threading, warnings

import torch
from transformers import AutoConfig, AutoModel, pipeline
from transformers.pipelines import PIPELINE_REGISTRY
import transformers  # last: the imports above replace the module

folder, inputs = sys.argv[1], json.loads(sys.argv[2])


def state():
    return {
        "environment": dict(os.environ),
        "warnings": repr(warnings.filters),
        "logging": [repr(logging.root.handlers), logging.root.level, transformers.logging.get_verbosity()],
        "torch": [torch.get_num_threads(), repr(torch.get_default_dtype()), torch.is_grad_enabled()],
        "random": [hash(random.getstate()), torch.random.get_rng_state().sum().item()],
        "threads": threading.active_count(),
        "path": list(sys.path),
        "hooks": repr([sys.excepthook, sys.meta_path, sys.path_hooks]),
        "files": sorted(os.listdir(".")),
    }


before, tasks = state(), set(PIPELINE_REGISTRY.get_supported_tasks())
version, transformers.__version__ = transformers.__version__, "4.57.1"
try:
    import modeling_spert
except ImportError as error:
    old = str(error)
transformers.__version__ = version

import modeling_spert

importlib.reload(modeling_spert)
changed = [name for name, value in state().items() if value != before[name]]
transformers.logging.disable_progress_bar()
extract = pipeline("joint-extraction", model=folder)
facts = {
    "old": old,
    "changed": changed,
    "tasks": sorted(set(PIPELINE_REGISTRY.get_supported_tasks()) - tasks),
    "answers": extract(inputs),
    "modules": [type(thing).__module__ for thing in (extract.model.config, extract.model, extract)],
    "remote": [name for name in sys.modules if name.startswith("transformers_modules.")],
}
print(json.dumps(facts))
"""


def run_python(code: str, *arguments: object, cwd: Path, home: Path, path: str = "") -> subprocess.CompletedProcess:
    """Run code in a fresh process that sees the package only if `path` holds it, and no network."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "PYTHON"))}
    environment |= {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # model folders stay as they are
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=200,
    )


def read_facts(process: subprocess.CompletedProcess) -> dict:
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model folder with settings that are not the defaults."""
    path = tmp_path_factory.mktemp("folder") / "spert-tiny"
    settings = {"context": "document", "segmentation": {"split_hyphens": "letters"}, "relation_threshold": 0.25}
    return save_folder(path, label_names={"entity/Work": "work of art"}, **settings)


@pytest.fixture(scope="module")
def poisoned(folder, tmp_path_factory) -> Path:
    """The same, but its code raises."""
    path = shutil.copytree(folder, tmp_path_factory.mktemp("poisoned") / "spert-poisoned")
    for file in path.glob("*.py"):
        file.write_text(f'raise RuntimeError("remote code of {file.name} ran")\n' + file.read_text("utf-8"), "utf-8")
    return path


@pytest.fixture(scope="module")
def expected(folder) -> list[dict]:
    """What the package answers."""
    answers = pipeline("joint-extraction", model=str(folder))(INPUTS)
    assert answers[0]["entities"] and answers[0]["relations"]
    return answers


@pytest.fixture(scope="module")
def stranger(folder, poisoned, tmp_path_factory) -> dict:
    """All that a process without the package does with the folder; it takes seconds to start, so it does it all."""
    empty = tmp_path_factory.mktemp("stranger")
    again, parts = (empty / "saved" / name for name in ("again", "parts"))
    arguments = (folder, poisoned, again, parts, json.dumps(INPUTS))
    facts = read_facts(run_python(STRANGER, *arguments, cwd=empty, home=empty / "home"))
    return facts | {"again_folder": again, "parts_folder": parts}


@pytest.fixture(scope="module")
def importer(folder, tmp_path_factory) -> dict:
    """What importing the package does in a fresh process."""
    empty = tmp_path_factory.mktemp("importer")
    home = tmp_path_factory.mktemp("home")
    process = run_python(IMPORTER, folder, json.dumps(INPUTS), cwd=empty, home=home, path=str(ROOT))
    return read_facts(process) | {"stderr": process.stderr, "home": [path.name for path in home.rglob("*")]}


def contents(folder: Path) -> dict[str, object]:
    """A folder's files by name; of JSON the settings that say something, less what transformers adds when loading."""
    return {
        path.name: strip_added(json.loads(path.read_text("utf-8"))) if path.suffix == ".json" else path.read_bytes()
        for path in folder.iterdir()
    }


def strip_added(settings: object) -> object:
    if not isinstance(settings, dict):
        return settings
    added = ("is_local", "local_files_only", "dtype")
    return {key: strip_added(value) for key, value in settings.items() if value is not None and key not in added}


# --- Saving ---


def test_saved_folder_is_complete(folder):
    tokenizer = {"tokenizer.json", "tokenizer_config.json"}
    assert set(contents(folder)) == {"config.json", "model.safetensors", *TRAVELLING, *tokenizer}
    for name in TRAVELLING:
        assert (folder / name).read_text("utf-8") == (ROOT / "modeling_spert" / name).read_text("utf-8")


def test_saved_config_names_code_and_pipeline(folder):
    config = json.loads((folder / "config.json").read_text("utf-8"))
    assert config["auto_map"] == {
        "AutoConfig": "configuration_spert.SpertConfig",
        "AutoModel": "modeling_spert.SpertModel",
    }
    implementation = "pipeline_spert.JointExtractionPipeline"
    assert config["custom_pipelines"] == {
        "joint-extraction": {"impl": implementation, "pt": ["AutoModel"], "type": "text"}
    }


def test_saved_config_is_plain_whatever_the_memory_holds(tmp_path, folder):
    model = tiny_model()
    model.config.custom_pipelines = {"joint-extraction": {"impl": JointExtractionPipeline, "pt": (AutoModel,)}}
    model.save_pretrained(tmp_path)
    saved, whole = (json.loads((path / "config.json").read_text("utf-8")) for path in (tmp_path, folder))
    assert saved["custom_pipelines"] == whole["custom_pipelines"]


def test_saved_model_loses_nothing_when_loaded_and_saved(folder, tmp_path):
    pipeline("joint-extraction", model=str(folder)).save_pretrained(tmp_path / "pipeline")
    SpertModel.from_pretrained(folder).save_pretrained(tmp_path / "parts")
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "parts")
    assert contents(tmp_path / "pipeline") == contents(folder)
    assert contents(tmp_path / "parts") == contents(folder)


def test_saved_model_loads_from_shards(folder, tmp_path, expected):
    extract = pipeline("joint-extraction", model=str(folder))
    extract.save_pretrained(tmp_path, max_shard_size="20KB")
    shards = sorted(path.name for path in tmp_path.glob("*.safetensors"))
    assert len(shards) > 1 and "model.safetensors" not in shards
    assert_same_answers(pipeline("joint-extraction", model=str(tmp_path))(INPUTS), expected)


def test_saved_weights_have_permanent_names(folder):
    roots = {name.split(".")[0] for name in load_file(folder / "model.safetensors")}
    assert roots == {"backbone", "entity_classifier", "relation_classifier", "width_embeddings"}


# --- With the package ---


def test_package_pipeline_needs_no_trust(folder, expected):
    extract = pipeline("joint-extraction", model=str(folder))
    assert type(extract) is JointExtractionPipeline and type(extract.model) is SpertModel
    assert type(extract.model.config) is SpertConfig
    assert extract(INPUTS) == expected
    assert pipeline("joint-extraction", model=folder, overlap="flat")(TEXT) == extract(TEXT, overlap="flat")


def test_package_pipeline_takes_objects():
    model, tokenizer = tiny_model(), tiny_tokenizer()
    extract = pipeline("joint-extraction", model=model, tokenizer=tokenizer)
    assert type(extract) is JointExtractionPipeline and extract.model is model
    assert extract(TEXT) == tiny_pipeline(model)(TEXT)


@pytest.mark.parametrize("trust", [{}, {"trust_remote_code": True}, {"trust_remote_code": False}])
def test_package_runs_no_remote_code(poisoned, expected, trust):
    assert type(AutoConfig.from_pretrained(poisoned, **trust)) is SpertConfig
    assert type(AutoModel.from_pretrained(poisoned, **trust)) is SpertModel
    AutoTokenizer.from_pretrained(poisoned, **trust)
    assert pipeline("joint-extraction", model=str(poisoned), **trust)(INPUTS) == expected


def test_package_pipeline_passes_dtype_and_attention_to_the_encoder(folder):
    settings = {"dtype": torch.bfloat16, "model_kwargs": {"attn_implementation": "eager"}}
    extract = pipeline("joint-extraction", model=str(folder), **settings)
    assert {parameter.dtype for parameter in extract.model.parameters()} == {torch.bfloat16}
    assert extract.model.backbone.config._attn_implementation == "eager"
    json.dumps(extract(INPUTS))


def test_package_import_registers_and_does_nothing_else(importer, expected):
    assert importer["changed"] == [] and importer["stderr"] == ""  # a reload registers again, without a word
    assert importer["tasks"] == ["joint-extraction"]
    assert importer["answers"] == expected
    assert all(module.startswith("modeling_spert.") for module in importer["modules"])
    assert importer["remote"] == [] and not any(name.endswith("_spert.py") for name in importer["home"])


def test_package_refuses_old_transformers(importer):
    assert importer["old"] == ("SpERT models need transformers 5 or newer, this is 4.57.1: pip install -U transformers")


def test_package_hidden_by_a_model_folder_says_so(folder, tmp_path):
    """Python puts the current folder first: inside a model folder its flat modeling_spert.py hides the package."""
    process = run_python("import modeling_spert", cwd=folder, home=tmp_path, path=str(ROOT))
    assert process.returncode == 1
    message = process.stderr.splitlines()[-1]
    assert message.startswith("ImportError: ") and str(folder / "modeling_spert.py") in message
    assert message.endswith("is a saved model's code, not the package modeling_spert: run from another folder")


# --- Without the package ---


def test_stranger_gets_the_same_answers(stranger, expected):
    assert set(stranger["answers"]) == {"named", "inferred", "objects", "again", "parts", "inside"}
    for name, answers in stranger["answers"].items():
        assert answers == expected, name
    assert all(module.startswith("transformers_modules.") for module in stranger["modules"])


@pytest.mark.parametrize("name", ["again_folder", "parts_folder"])
def test_stranger_loses_nothing_when_saving(stranger, folder, expected, name):
    assert contents(stranger[name]) == contents(folder)
    assert pipeline("joint-extraction", model=str(stranger[name]))(INPUTS) == expected


def test_stranger_can_print_the_config(stranger):
    assert stranger["config"].startswith("SpertConfig {") and '"pt": [\n        "AutoModel"' in stranger["config"]


@pytest.mark.parametrize("name", ["config", "model", "named", "inferred", "refused"])
def test_stranger_without_trust_is_told_of_it(stranger, name):
    kind, _, message = stranger["errors"][name].partition(": ")
    assert kind == "ValueError" and "trust_remote_code=True" in message


def test_stranger_runs_the_folders_code(stranger):
    """The poison works: that the package loads the same folder therefore proves that it runs none of its code."""
    assert stranger["errors"]["poisoned"].startswith("RuntimeError: remote code of ")


def test_new_model_needs_the_package_and_says_so(stranger):
    assert stranger["errors"]["new model"] == "ImportError: a new model needs the package: pip install modeling-spert"
