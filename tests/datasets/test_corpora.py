"""The real benchmarks, where they are at hand, and what `data_dir` accepts."""

import hashlib
import json

import pytest

from datasets_scripts import load_joint_dataset
from datasets_scripts.corpora import BENCHMARKS, SHA256, find_benchmark
from datasets_scripts.types_json import DatasetTypes

COUNTS = {  # sentences, entities, relations
    "conll04": {"train": (922, 3377, 1283), "dev": (231, 893, 343), "test": (288, 1079, 422)},
    "scierc": {"train": (1861, 5598, 3219), "dev": (275, 811, 455), "test": (551, 1685, 974)},
    "scierc/documents": {"train": (1861, 5598, 3219), "dev": (275, 811, 455), "test": (551, 1685, 974)},
}
SYMMETRIC = {"conll04": ()}


@pytest.fixture(scope="module")
def data(shared_dir):
    path = shared_dir / "data"
    if not path.is_dir():
        pytest.skip("../shared/data is absent")
    return path


@pytest.mark.parametrize("folder", COUNTS)
def test_benchmarks_counts_are_the_published_ones(data, folder):
    dataset = load_joint_dataset(folder.partition("/")[0], data / folder)
    assert dataset.name == folder.replace("/", "_")
    assert dataset.counts() == COUNTS[folder]
    assert dataset.symmetric_relation_types == SYMMETRIC.get(folder, ("Compare", "Conjunction"))
    assert dataset.skipped == ()


def test_benchmarks_conll04_train_and_dev_make_the_published_train_dev(data):
    joined = load_joint_dataset("conll04", data / "conll04").select("train+dev")
    published = load_joint_dataset(data / "conll04" / "conll04_train_dev.json")
    key = json.dumps
    assert sorted(map(key, joined)) == sorted(map(key, published.select("train_dev")))
    assert published.entity_types == ("Loc", "Org", "Peop", "Other")
    assert published.entity_type_names["Org"].verbose == "Organization"


@pytest.mark.parametrize(("fold", "test_counts"), [(0, (427, 1070, 666)), (9, (429, 1069, 648))])
def test_benchmarks_ade_folds_divide_the_corpus(data, fold, test_counts):
    dataset = load_joint_dataset("ade", data / "ade", fold=fold)
    assert dataset.name == f"ade_fold_{fold}"
    counts = dataset.counts()
    assert counts["test"] == test_counts
    assert tuple(map(sum, zip(*counts.values(), strict=True))) == (4272, 10839, 6821)
    assert not set(dataset.splits["train"]["orig_id"]) & set(dataset.splits["test"]["orig_id"])


def test_benchmarks_ade_full_is_one_split(data):
    full = load_joint_dataset("ade_full", data / "ade")
    assert full.counts() == {"full": (4272, 10839, 6821)}
    assert full.entity_types == ("Drug", "Adverse-Effect")


def test_benchmarks_scierc_documents_hold_the_sentences_of_the_sentence_files(data):
    """All but one sentence are the same in both forms; the entities and relations of those are too."""
    sentences = load_joint_dataset("scierc", data / "scierc").select("train+dev+test")
    documents = load_joint_dataset("scierc", data / "scierc" / "documents").select("train+dev+test")
    assert documents.column_names[-2:] == ["doc_id", "sentence_index"]
    assert len(set(documents["doc_id"])) == 500

    def facts(row):
        spans = [(entity["type"], entity["start"], entity["end"]) for entity in row["entities"]]
        relations = sorted((item["type"], spans[item["head"]], spans[item["tail"]]) for item in row["relations"])
        return json.dumps([row["tokens"], sorted(spans), relations])

    assert len(set(map(facts, sentences)) - set(map(facts, documents))) == 1


def test_benchmarks_scierc_by_its_path_is_scierc(data):
    assert load_joint_dataset(data / "scierc").counts() == COUNTS["scierc"]


def test_benchmarks_built_in_labels_are_those_of_the_types_file(data):
    with_file = load_joint_dataset("scierc", data / "scierc" / "documents")
    built_in = BENCHMARKS["scierc_documents"].types
    assert built_in is not None
    assert built_in == DatasetTypes(
        with_file.entity_types,
        with_file.relation_types,
        with_file.symmetric_relation_types,
        with_file.entity_type_names,
        with_file.relation_type_names,
    )


def test_benchmarks_digests_are_those_of_the_files(data):
    files = {path.name: path for path in data.glob("*/*.json")}
    assert {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in SHA256} == SHA256


def test_benchmarks_every_file_to_download_has_a_digest():
    for benchmark in BENCHMARKS.values():
        if benchmark.folder is None:
            continue
        folds = range(10) if benchmark.has_folds else [None]
        files = [file.format(fold=fold) for file in benchmark.splits.values() for fold in folds]
        assert set(files) | {benchmark.types_file} <= set(SHA256)


def test_benchmarks_missing_files_are_named(tmp_path):
    (tmp_path / "conll04_train.json").write_text("[]")
    with pytest.raises(FileNotFoundError) as caught:
        load_joint_dataset("conll04", tmp_path)
    assert str(caught.value) == (
        f"data_dir {tmp_path} does not hold conll04_dev.json, conll04_test.json, conll04_types.json of conll04"
    )


def test_benchmarks_folder_one_level_too_high_is_suggested(tmp_path):
    (tmp_path / "scierc").mkdir()
    with pytest.raises(FileNotFoundError, match="did you mean .*scierc"):
        load_joint_dataset("scierc", tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("conll04", "conll04"), ("ade_fold_7", "ade"), ("ade_full", "ade_full"), ("news", None), ("", None)],
)
def test_benchmarks_are_found_by_the_name_of_a_dataset(name, expected):
    found = find_benchmark(name)
    assert (found and found.name) == expected
