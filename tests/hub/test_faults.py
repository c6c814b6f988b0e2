"""Every fault of a Hub ends in a retry that succeeds or in an error that says what to do: never in half a model.

Pushes run in this process; loading runs in one fresh process without the package, a repository per fault.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from local_hub import Fault, LocalHub
from local_hub.client import client
from tiny_pipeline import TEXT, save_folder, tiny_tokenizer

import modeling_spert.hub.client
from modeling_spert import SpertModel
from modeling_spert.hub.client import PushError
from modeling_spert.hub.push import push_model_folder
from modeling_spert.model_card.build import write_card
from modeling_spert.tokenization_spert import check_vocabulary

# The client's own: it hands an open file to httpx2 as `data`.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_folder(tmp_path_factory.mktemp("saved") / "tiny")
    write_card(folder, curve=False)
    return folder


# ---- pushing


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub() as hub, client(hub):
        yield hub


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that pushes would have waited between tries."""
    waits: list[float] = []
    monkeypatch.setattr(modeling_spert.hub.client, "sleep", waits.append)
    return waits


def push(hub: LocalHub, folder: Path, **settings: Any) -> str:
    return push_model_folder(folder, "org/tiny", token=hub.token, endpoint=hub.url, **settings).oid


PASSING = {
    "create-500": Fault("POST", "/repos/create", "status", status=500),
    "create-answer-lost": Fault("POST", "/repos/create", "drop_response"),
    "listing-502": Fault("GET", "/api/models/org/tiny/", "status", status=502),
    "preupload-dropped": Fault("POST", "/preupload/", "drop_request"),
    "upload-dropped-in-the-middle": Fault("PUT", "/lfs/", "drop_request", after=10_000),
    "upload-dropped-often": Fault("PUT", "/lfs/", "drop_request", after=10_000, times=8),
    "upload-500": Fault("PUT", "/lfs/", "status", status=500, times=3),
    "commit-500": Fault("POST", "/commit/", "status", status=500),
    "commit-429": Fault("POST", "/commit/", "status", status=429, headers={"Retry-After": "7"}),
    "commit-dropped": Fault("POST", "/commit/", "drop_request"),
    "commit-answer-lost": Fault("POST", "/commit/", "drop_response"),
    "tag-500": Fault("POST", "/tag/", "status", status=500),
    "tag-answer-lost": Fault("POST", "/tag/", "drop_response"),
}


@pytest.mark.parametrize("name", PASSING)
def test_push_tries_again(hub: LocalHub, waits: list[float], saved: Path, name: str) -> None:
    hub.faults.add(PASSING[name])
    oid = push(hub, saved, tag="v1")
    assert not hub.faults.pending
    assert hub.snapshot("org/tiny", revision="v1").oid == oid == hub.snapshot("org/tiny").oid
    files = hub.files("org/tiny")
    assert all(files[path.name] == path.read_bytes() for path in saved.iterdir() if path.name != "README.md")
    assert len(hub.store.repositories["models", "org/tiny"].commits) == 2
    if name == "commit-429":
        assert waits == [7.0]


FINAL = {
    "post-401": (Fault("POST", "/api/", "status", status=401, times=None), "hf auth login"),
    "preupload-403": (Fault("POST", "/preupload/", "status", status=403, times=None), "the token may not write there"),
    "preupload-404": (Fault("POST", "/preupload/", "status", status=404, times=None), "404"),
    "upload-403": (Fault("PUT", "/lfs/", "status", status=403, times=None), "the token may not write there"),
    "upload-dropped-always": (Fault("PUT", "/lfs/", "drop_request", times=None), "Error while uploading"),
    "commit-400": (Fault("POST", "/commit/", "status", status=400, times=None), "Bad request"),
    "commit-500-always": (Fault("POST", "/commit/", "status", status=500, times=None), "500"),
}


@pytest.mark.parametrize("name", FINAL)
def test_push_gives_up_and_leaves_the_old_model(
    hub: LocalHub, waits: list[float], saved: Path, tmp_path: Path, name: str
) -> None:
    push(hub, saved)
    before, local = hub.files("org/tiny"), {path.name: path.read_bytes() for path in saved.iterdir()}
    other = save_folder(tmp_path / "other", relation_threshold=0.1)
    model = SpertModel.from_pretrained(other)
    model.entity_classifier.bias.data.add_(1)
    model.save_pretrained(other)
    fault, reason = FINAL[name]
    hub.faults.add(fault)
    with pytest.raises(PushError, match=reason) as raised:
        push(hub, other)
    assert "Traceback" not in str(raised.value)
    assert f"To push it later: spert push {other} org/tiny" in str(raised.value)
    assert len(waits) == (3 if "always" in name else 0)
    assert hub.files("org/tiny") == before
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == local
    hub.faults.clear()
    push(hub, other)
    assert hub.files("org/tiny")["model.safetensors"] == (other / "model.safetensors").read_bytes()


# ---- loading

LOAD = """
import json, sys

sys.modules["modeling_spert"] = None
from transformers import AutoModel, AutoTokenizer, logging, pipeline

logging.set_verbosity_error()
trust = {"trust_remote_code": True}
text, names = sys.argv[1], json.loads(sys.argv[2])


def attempt(load):
    try:
        return load()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def extract(repo):
    def load():
        model = AutoModel.from_pretrained(repo, **trust)
        return model.extraction_pipeline(AutoTokenizer.from_pretrained(repo, **trust))(text)

    answer = attempt(load)
    return "same" if answer == expected else answer


expected = pipeline("joint-extraction", model="org/whole", **trust)(text)
assert expected["entities"] and expected["relations"], expected
found = {}
for name in names:
    found[name] = []
    while "same" not in found[name] and len(found[name]) < 4:
        found[name].append(extract(f"org/{name}"))
print(json.dumps(found))
"""
WEIGHTS, TOKENIZER = r"/resolve/.*/model\.safetensors", r"/resolve/.*/tokenizer\.json"
NO_WORD = "ValueError: the tokenizer of .* knows no word"
# Repository -> its fault, and what each try says until one succeeds.
LOADING: dict[str, tuple[Fault, list[str]]] = {
    "dropped": (Fault("GET", WEIGHTS, "drop_response"), []),
    "unavailable": (Fault("HEAD", WEIGHTS, "status", status=503), []),
    "config-500": (Fault("HEAD", r"/resolve/.*/config\.json", "status", status=500), []),
    "broken": (Fault("GET", WEIGHTS, "status", status=500), ["OSError: There was a specific connection error"]),
    "closed": (Fault("HEAD", WEIGHTS, "status", status=401), ["OSError: There was a specific connection error"]),
    "forbidden": (Fault("HEAD", WEIGHTS, "status", status=403), ["OSError: .*does not appear to have a file named"]),
    "absent": (Fault("HEAD", WEIGHTS, "status", status=404), ["OSError: .*does not appear to have a file named"]),
    "short": (Fault("GET", WEIGHTS, "shorten"), ["OSError: Consistency check failed"]),
    "words-forbidden": (Fault("HEAD", TOKENIZER, "status", status=403), [NO_WORD]),
    "words-absent": (Fault("HEAD", TOKENIZER, "status", status=404), [NO_WORD]),
    "code-absent": (Fault("HEAD", r"/resolve/.*/spans_spert\.py", "status", status=404), ["OSError: "]),
    "config-absent": (Fault("HEAD", r"/resolve/.*/config\.json", "status", status=404), ["(OSError|ValueError): "]),
}


@pytest.fixture(scope="module")
def loaded(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What loading a repository per fault has given, again until it succeeded."""
    files = {path.name: path.read_bytes() for path in saved.iterdir()}
    with LocalHub() as hub:
        for name in ("whole", *LOADING):
            hub.add(f"org/{name}", files)
        for name, (fault, _) in LOADING.items():
            hub.faults.add(replace(fault, path=f"^/org/{name}{fault.path}"))
        printed = hub.run(LOAD, tmp_path_factory.mktemp("loading"), TEXT, json.dumps(list(LOADING)))
        assert not hub.faults.pending
    return json.loads(printed)


@pytest.mark.parametrize("name", LOADING)
def test_load_succeeds_or_explains(loaded: dict[str, Any], name: str) -> None:
    *errors, last = loaded[name]
    assert last == "same"
    for error, message in zip(errors, LOADING[name][1], strict=True):
        assert isinstance(error, str) and re.match(message, error, re.DOTALL), error


def test_check_vocabulary() -> None:
    tokenizer = tiny_tokenizer()
    check_vocabulary(tokenizer, len(tokenizer))
    check_vocabulary(tokenizer, len(tokenizer) + 64)  # padded embeddings are usual
    with pytest.raises(ValueError, match="embeddings for 9: it is not this model's tokenizer"):
        check_vocabulary(tokenizer, 9)
    with pytest.raises(ValueError, match="knows no word"):
        check_vocabulary(type(tokenizer)(vocab={"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}), 99)


def test_model_is_never_read_from_a_pickle(saved: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(saved, tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        SpertModel.from_pretrained(folder)


def test_model_cut_short_is_an_error(saved: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(saved, tmp_path / "cut")
    weights = (folder / "model.safetensors").read_bytes()
    for size in (0, 7, 1000, len(weights) - 1):
        (folder / "model.safetensors").write_bytes(weights[:size])
        with pytest.raises(Exception, match="(?i)header|incomplete|metadata|buffer|deseriali"):
            SpertModel.from_pretrained(folder)
