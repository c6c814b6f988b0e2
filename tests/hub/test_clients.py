"""What the clients make of the local Hub and of each of its faults: a record of facts about the releases in use.

Where one of these tests fails with a new release, what the project does about that fault has to be looked at again.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pyarrow
import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import BadRequestError, GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError
from local_hub import Fault, LocalHub
from local_hub.client import client
from pyarrow import parquet

# The client's own: it hands an open file to httpx2 as `data`.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

WEIGHTS = bytes(range(256)) * 400  # 100 KiB; goes through LFS by its name
FILES: dict[str, bytes | str] = {"config.json": '{"hidden": 8}', "model.safetensors": WEIGHTS}
RESOLVE = r"/resolve/.*model\.safetensors"


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub() as hub:
        yield hub


@pytest.fixture
def connection(hub: LocalHub) -> Iterator[tuple[HfApi, list[float]]]:
    with client(hub) as connection:
        yield connection


@pytest.fixture
def api(connection: tuple[HfApi, list[float]]) -> HfApi:
    return connection[0]


@pytest.fixture
def waits(connection: tuple[HfApi, list[float]]) -> list[float]:
    """Seconds the client would have slept between its tries."""
    return connection[1]


def download(api: HfApi, cache: Path, name: str = "model.safetensors") -> bytes:
    return Path(api.hf_hub_download("org/m", name, cache_dir=cache)).read_bytes()


@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        (Fault("HEAD", RESOLVE, "status", status=500), 2),
        (Fault("HEAD", RESOLVE, "status", status=503, times=3), 4),
        (Fault("GET", RESOLVE, "status", status=429, headers={"Retry-After": "0"}), 2),
        (Fault("GET", RESOLVE, "drop_request"), 2),
        (Fault("GET", RESOLVE, "drop_response"), 2),
        (Fault("GET", RESOLVE, "drop_response", after=0, times=5), 6),
        (Fault("GET", RESOLVE, "stall", seconds=1.5), 2),
    ],
    ids=lambda value: f"{value.method}-{value.action}-{value.status}" if isinstance(value, Fault) else str(value),
)
def test_client_retries_downloads(api: HfApi, hub: LocalHub, tmp_path: Path, fault: Fault, tries: int) -> None:
    hub.add("org/m", FILES)
    hub.faults.add(fault)
    assert download(api, tmp_path) == WEIGHTS
    # A stalled try is still unanswered, and so not logged, when the next one begins; it is by the time it is over.
    hub.closing.wait(1.0 if fault.action == "stall" else 0)
    assert hub.count(fault.method, RESOLVE) == tries
    assert not hub.faults.pending


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (Fault("HEAD", RESOLVE, "status", times=None), LocalEntryNotFoundError, "check your connection"),
        (Fault("HEAD", RESOLVE, "status", status=401), HfHubHTTPError, "401 Unauthorized"),
        (Fault("HEAD", RESOLVE, "status", status=403), LocalEntryNotFoundError, "check your connection"),
        (Fault("HEAD", RESOLVE, "status", status=404), LocalEntryNotFoundError, "check your connection"),
        (
            Fault("HEAD", RESOLVE, "status", status=403, headers={"X-Error-Code": "GatedRepo"}),
            GatedRepoError,
            "Cannot access gated repo",
        ),
        (Fault("HEAD", RESOLVE, "drop_request"), httpx2.RemoteProtocolError, "Server disconnected"),
        (Fault("GET", RESOLVE, "status", status=500), HfHubHTTPError, "500 Internal Server Error"),
        (Fault("GET", RESOLVE, "status", status=502), HfHubHTTPError, "502 Bad Gateway"),
        (Fault("GET", RESOLVE, "status", status=429, times=None), HfHubHTTPError, "429 Too Many Requests"),
        (Fault("GET", RESOLVE, "drop_response", times=None), httpx2.RemoteProtocolError, "without sending complete"),
        (Fault("GET", RESOLVE, "shorten"), OSError, "Consistency check failed"),
    ],
    ids=lambda value: f"{value.method}-{value.action}-{value.status}" if isinstance(value, Fault) else None,
)
def test_client_gives_up_downloads(
    api: HfApi, hub: LocalHub, tmp_path: Path, fault: Fault, error: type[Exception], message: str
) -> None:
    hub.add("org/m", FILES)
    hub.faults.add(fault)
    with pytest.raises(error, match=message):
        download(api, tmp_path)
    # Nothing half-downloaded is left for the next try to find.
    assert not [path for path in tmp_path.rglob("*") if path.name == "model.safetensors" or "incomplete" in path.name]
    hub.faults.clear()
    assert download(api, tmp_path) == WEIGHTS


def test_client_resumes_a_large_download(
    api: HfApi, hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)  # else 10 MB, and a smaller file starts again
    hub.add("org/m", FILES)
    hub.faults.add(Fault("GET", RESOLVE, "drop_response", after=50_000))
    assert download(api, tmp_path) == WEIGHTS
    assert [request.range for request in hub.requests if request.method == "GET"] == [None, "bytes=50000-"]


@pytest.mark.parametrize("action", ["corrupt", "shorten"])
def test_client_does_not_check_digests(api: HfApi, hub: LocalHub, tmp_path: Path, action: Any) -> None:
    """What the project has to do itself: a changed file, or one whose size the Hub states wrongly too, is taken."""
    hub.add("org/m", FILES)
    hub.faults.add(Fault("*", RESOLVE, action, times=2))
    assert download(api, tmp_path) != WEIGHTS
    assert not hub.faults.pending
    assert download(api, tmp_path) != WEIGHTS  # from the cache, for good
    blob = Path(api.hf_hub_download("org/m", "model.safetensors", cache_dir=tmp_path)).resolve()
    assert blob.name != hashlib.sha256(blob.read_bytes()).hexdigest()  # how it can be told without the Hub
    api.hf_hub_download("org/m", "config.json", cache_dir=tmp_path)
    found = api.verify_repo_checksums("org/m", cache_dir=tmp_path)  # how it can be told with it
    assert [mismatch["path"] for mismatch in found.mismatches] == ["model.safetensors"]


def test_client_takes_a_wrong_etag(api: HfApi, hub: LocalHub, tmp_path: Path) -> None:
    hub.add("org/m", FILES)
    hub.faults.add(Fault("HEAD", RESOLVE, "etag", etag="f" * 64))
    path = Path(api.hf_hub_download("org/m", "model.safetensors", cache_dir=tmp_path))
    assert (path.resolve().name, path.read_bytes()) == ("f" * 64, WEIGHTS)


def test_client_falls_back_on_its_cache(api: HfApi, hub: LocalHub, tmp_path: Path) -> None:
    hub.add("org/m", FILES)
    assert download(api, tmp_path) == WEIGHTS
    for status in (401, 403, 404, 500):
        hub.faults.add(Fault("HEAD", RESOLVE, "status", status=status))
        assert download(api, tmp_path) == WEIGHTS
    hub.faults.add(Fault("HEAD", RESOLVE, "drop_request"))
    with pytest.raises(httpx2.RemoteProtocolError):  # but not here
        download(api, tmp_path)


UPLOAD_STEPS = {"preupload": "/preupload/", "batch": "objects/batch", "put": "/lfs/[0-9a-f]", "verify": "/lfs/verify"}


def upload(api: HfApi) -> str:
    return api.upload_file(repo_id="org/m", path_in_repo="model.safetensors", path_or_fileobj=WEIGHTS).oid


@pytest.mark.parametrize("action", ["drop_request", "drop_response", "status"])
@pytest.mark.parametrize("step", UPLOAD_STEPS)
def test_client_retries_uploads(api: HfApi, hub: LocalHub, waits: list[float], step: str, action: Any) -> None:
    hub.add("org/m", {"config.json": "{}"})
    hub.faults.add(Fault("*", UPLOAD_STEPS[step], action, status=503))
    assert upload(api) == hub.snapshot("org/m").oid
    assert hub.files("org/m")["model.safetensors"] == WEIGHTS
    assert not hub.faults.pending and waits == [1]
    assert hub.count("PUT", "/lfs/") == (2 if step == "put" else 1)


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (Fault("PUT", "/lfs/", "drop_request", times=None), RuntimeError, "Error while uploading 'model.safetensors'"),
        (Fault("PUT", "/lfs/", "status", times=None), RuntimeError, "Error while uploading 'model.safetensors'"),
        (Fault("PUT", "/lfs/", "status", status=403), RuntimeError, "Error while uploading 'model.safetensors'"),
        (Fault("POST", "/preupload/", "status", status=401), HfHubHTTPError, "401 Unauthorized"),
        (Fault("POST", "/preupload/", "status", status=404), HfHubHTTPError, "404 Not Found"),
        (Fault("POST", "/commit/", "status", status=500), HfHubHTTPError, "500 Internal Server Error"),
        (Fault("POST", "/commit/", "status", status=400), BadRequestError, "Bad request for commit endpoint"),
        (Fault("POST", "/commit/", "drop_request"), httpx2.RemoteProtocolError, "Server disconnected"),
    ],
    ids=lambda value: f"{value.method}-{value.action}-{value.status}" if isinstance(value, Fault) else None,
)
def test_client_gives_up_uploads(api: HfApi, hub: LocalHub, fault: Fault, error: type[Exception], message: str) -> None:
    """A commit is never retried, and an upload that fails leaves no commit: the next one makes it whole."""
    head = hub.add("org/m", {"config.json": "{}"})
    hub.faults.add(fault)
    with pytest.raises(error, match=message):
        upload(api)
    assert hub.snapshot("org/m").oid == head
    hub.faults.clear()
    assert upload(api) == hub.snapshot("org/m").oid


def test_client_reports_a_commit_whose_answer_was_lost(api: HfApi, hub: LocalHub) -> None:
    """The error does not mean that nothing happened; pushing again does no harm."""
    head = hub.add("org/m", {"config.json": "{}"})
    hub.faults.add(Fault("POST", "/commit/", "drop_response"))
    with pytest.raises(httpx2.RemoteProtocolError):
        upload(api)
    made = hub.snapshot("org/m")
    assert made.parent == head
    assert upload(api) == made.oid


# ---- the other clients: in one fresh process, as importing them takes seconds

METRIC = """
import datasets
import evaluate

class Equal(evaluate.Metric):
    def _info(self):
        features = datasets.Features({name: datasets.Value("int64") for name in ("predictions", "references")})
        return evaluate.MetricInfo(description="", citation="", features=features)

    def _compute(self, predictions, references):
        return {"equal": sum(p == r for p, r in zip(predictions, references))}
"""
DATA_CARD = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*.parquet
  - split: test
    path: data/test.parquet
---
"""
PUSH_AND_LOAD = """
import hashlib
import json
import sys
from pathlib import Path

import datasets
import evaluate
import torch
from huggingface_hub import HfApi
from transformers import AutoConfig, AutoModel, AutoTokenizer, BertTokenizerFast, logging, pipeline

logging.set_verbosity_error()
sys.path.insert(0, ".")
Path("vocab.txt").write_text("\\n".join("[PAD] [UNK] [CLS] [SEP] [MASK] hello world".split()))
Path("modeling_tiny.py").write_text('''
from transformers import BertConfig, BertModel

class TinyConfig(BertConfig):
    model_type = "tiny-remote"

class TinyModel(BertModel):
    config_class = TinyConfig
''')
from modeling_tiny import TinyConfig, TinyModel

TinyConfig.register_for_auto_class()
TinyModel.register_for_auto_class("AutoModel")
sizes = dict(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, max_position_embeddings=8)
model = TinyModel(TinyConfig(vocab_size=7, **sizes)).eval()
model.push_to_hub("org/tiny", private=True)
BertTokenizerFast("vocab.txt").push_to_hub("org/tiny")
api = HfApi()
api.create_tag("org/tiny", tag="v1")
card = b"---\\npipeline_tag: feature-extraction\\nlibrary_name: transformers\\n---\\n"
api.upload_file(repo_id="org/tiny", path_in_repo="README.md", path_or_fileobj=card)
folder = api.snapshot_download("org/tiny", cache_dir="snapshot")
trust = dict(trust_remote_code=True)


def load(repo, **arguments):
    try:
        loaded = AutoModel.from_pretrained(repo, **trust, **arguments).eval()
        words = AutoTokenizer.from_pretrained(repo, **trust, **arguments)("hello world")["input_ids"]
    except Exception as error:
        return type(error).__name__, str(error).split("\\n")[0]
    same = all(torch.equal(a, b) for a, b in zip(loaded.parameters(), model.parameters()))
    return "same" if same else "changed", words


rows = datasets.load_dataset("org/rows")
found = {
    "rows": [rows["train"]["n"][:], rows["test"]["n"][:]],
    "first rows": datasets.load_dataset("org/rows", revision=sys.argv[1], split="test")["n"][:],
    "metric": evaluate.load("org/equal").compute(predictions=[1, 2], references=[1, 3]),
    "config": AutoConfig.from_pretrained("org/tiny", **trust).model_type,
    "tag": load("org/tiny", revision="v1"),
    "branch": load("org/tiny", revision="v2"),
    "none": load("org/none"),
    "pipeline": len(pipeline(model="org/tiny", **trust)("hello world")[0]),
}
for name in sys.argv[2:]:
    api.create_repo(f"org/{name}")
    api.upload_folder(repo_id=f"org/{name}", folder_path=folder)
    found[name] = load(f"org/{name}")
print(json.dumps(found))
"""
TOKENIZER = r"/resolve/.*/tokenizer\.json"
FAULTS = {
    "dropped": Fault("GET", f"dropped{RESOLVE}", "drop_response"),
    "short": Fault("GET", f"short{RESOLVE}", "shorten"),
    "shorter": Fault("*", f"shorter{RESOLVE}", "shorten", times=2),
    "broken": Fault("GET", f"broken{RESOLVE}", "status"),
    "closed": Fault("HEAD", f"closed{RESOLVE}", "status", status=401),
    "forbidden": Fault("HEAD", f"forbidden{RESOLVE}", "status", status=403),
    "gated": Fault("HEAD", "gated/resolve/.*/config", "status", status=403, headers={"X-Error-Code": "GatedRepo"}),
    "altered": Fault("GET", f"altered{RESOLVE}", "corrupt"),
    "wordless": Fault("HEAD", f"wordless{TOKENIZER}", "status", status=403),
}


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], LocalHub]:
    """What `PUSH_AND_LOAD` found, and its Hub (closed)."""

    def rows(*numbers: int) -> bytes:
        parquet.write_table(pyarrow.Table.from_pylist([{"n": n} for n in numbers]), buffer := io.BytesIO())
        return buffer.getvalue()

    files = {"data/train-0.parquet": rows(1, 2), "data/train-1.parquet": rows(3), "data/test.parquet": rows(4)}
    with LocalHub() as hub:
        first = hub.add("org/rows", {"README.md": DATA_CARD, **files}, kind="datasets", private=True)
        hub.add("org/rows", {"data/test.parquet": rows(5)}, kind="datasets")
        hub.add("org/equal", {"equal.py": METRIC}, kind="spaces")
        hub.faults.add(*FAULTS.values())
        printed = hub.run(PUSH_AND_LOAD, tmp_path_factory.mktemp("journey"), first, *FAULTS)
        assert not hub.faults.pending
    return json.loads(printed), hub


def test_hub_serves_datasets_and_evaluate(journey: tuple[dict[str, Any], LocalHub]) -> None:
    found, hub = journey
    assert found["rows"] == [[1, 2, 3], [5]] and found["first rows"] == [4]
    assert found["metric"] == {"equal": 1}
    # The data set viewer, asked for the features of the newest revision; its absence is taken as "it has none".
    viewer = hub.url.replace("://", "://datasets-server.") + "/info?dataset=org/rows"
    assert [request.path for request in hub.foreign] == [viewer]


def test_hub_serves_transformers(journey: tuple[dict[str, Any], LocalHub]) -> None:
    found, hub = journey
    assert (found["config"], found["tag"], found["pipeline"]) == ("tiny-remote", ["same", [2, 5, 6, 3]], 4)
    assert hub.count("GET", r"org/tiny/resolve/.*/modeling_tiny\.py") == 2  # for the snapshot and for the library
    assert found["none"][0] == found["branch"][0] == "OSError"
    assert "is not a local folder and is not a valid model identifier" in found["none"][1]
    assert "v2 is not a valid git identifier" in found["branch"][1]


def test_transformers_takes_some_broken_models(journey: tuple[dict[str, Any], LocalHub]) -> None:
    """What the project has to find out itself: the last two load without a word and are wrong."""
    found, _ = journey
    messages = {
        "short": ("OSError", "Consistency check failed"),
        "shorter": ("SafetensorError", "incomplete metadata"),
        "broken": ("OSError", "There was a specific connection error"),
        "closed": ("OSError", "There was a specific connection error"),
        "forbidden": ("OSError", "does not appear to have a file named"),
        "gated": ("OSError", "You are trying to access a gated repo"),
    }
    assert {name: found[name][0] for name in messages} == {name: kind for name, (kind, _) in messages.items()}
    assert [name for name, (_, message) in messages.items() if message not in found[name][1]] == []
    assert found["dropped"] == ["same", [2, 5, 6, 3]]
    assert found["altered"] == ["changed", [2, 5, 6, 3]]  # other weights than those that were pushed
    assert found["wordless"] == ["same", [2, 1, 1, 3]]  # a tokenizer that knows no word


def test_client_verifies_and_repairs_on_demand(hub: LocalHub, tmp_path: Path) -> None:
    """What docs/hub.md offers in place of a check at every load."""
    hub.add("org/m", FILES)
    command = [str(Path(sys.executable).with_name("hf"))]
    environment = hub.environment(tmp_path / "home")

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments, "org/m"], env=environment, capture_output=True, text=True)

    assert call("download").returncode == call("cache", "verify").returncode == 0
    blob = next((tmp_path / "home").rglob("model.safetensors")).resolve()
    blob.write_bytes(WEIGHTS[1:])
    found = call("cache", "verify")
    assert found.returncode == 1 and "model.safetensors" in found.stdout + found.stderr
    assert call("download", "--force-download").returncode == call("cache", "verify").returncode == 0
    assert blob.read_bytes() == WEIGHTS
