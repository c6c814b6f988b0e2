"""The benchmarks that SpERT is measured on: their files, digests, labels and sources. None of their text is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from datasets_scripts.types_json import DatasetTypes, TypeName

# Where SpERT's authors publish the files: <address>/<folder>/<file>.
SPERT_DATASETS_URL = "http://lavis.cs.hs-rm.de/storage/spert/public/datasets"
ADE_FOLDS = range(10)


@dataclass(frozen=True)
class Benchmark:
    """A published corpus.

    Attributes:
        name: the name it is loaded by.
        title: what the data card calls it.
        folder: its folder at the published address; None if it is not published there.
        splits: file name per split; `{fold}` stands for the fold.
        types_file: name of the types file.
        types: the labels, where a form of the corpus comes without a types file.
        allow_repeated_relations: whether some rows state a relation twice.
        citation: the paper that describes the corpus.
        note: what a reader of the data card should know.
        licence: identifier for the data card.
    """

    name: str
    title: str
    folder: str | None
    splits: Mapping[str, str]
    types_file: str
    citation: str
    note: str
    types: DatasetTypes | None = None
    allow_repeated_relations: bool = False
    licence: str = "unknown"

    @property
    def has_folds(self) -> bool:
        """Whether a fold must be chosen."""
        return any("{fold}" in file for file in self.splits.values())


_SPERT_FORM = "Read from the files that the authors of SpERT publish. "
_SCIERC_CITATION = (
    "Luan, He, Ostendorf, Hajishirzi (2018): Multi-Task Identification of Entities, Relations, and Coreference for "
    "Scientific Knowledge Graph Construction. EMNLP."
)
_ADE_CITATION = (
    "Gurulingappa, Rajput, Roberts, Fluck, Hofmann-Apitius, Toldo (2012): Development of a benchmark corpus to support "
    "the automatic extraction of drug-related adverse effects from medical case reports. Journal of Biomedical "
    "Informatics 45(5)."
)

# The documents of SciERC come without a types file, and their relation labels in capitals.
_SCIERC_TYPES = DatasetTypes(
    entity_types=("Task", "Method", "Material", "OtherScientificTerm", "Metric", "Generic"),
    relation_types=(
        "Used-for",
        "Feature-of",
        "Hyponym-of",
        "Evaluate-for",
        "Part-of",
        "Compare",
        "Conjunction",
    ),
    symmetric_relation_types=("Compare", "Conjunction"),
    entity_type_names={"OtherScientificTerm": TypeName("OST", "Other Scientific Term")},
)

_ALL = (
    Benchmark(
        name="conll04",
        title="CoNLL04",
        folder="conll04",
        splits={"train": "conll04_train.json", "dev": "conll04_dev.json", "test": "conll04_test.json"},
        types_file="conll04_types.json",
        citation="Roth, Yih (2004): A Linear Programming Formulation for Global Inference in Natural Language Tasks. "
        "CoNLL. The split is that of Gupta, Schütze, Andrassy (2016): Table Filling Multi-Task Recurrent Neural "
        "Network for Joint Entity and Relation Extraction. COLING.",
        note=_SPERT_FORM + "Every sentence holds at least one relation: models trained on it alone find too many.",
    ),
    Benchmark(
        name="scierc",
        title="SciERC (sentences)",
        folder="scierc",
        splits={"train": "scierc_train.json", "dev": "scierc_dev.json", "test": "scierc_test.json"},
        types_file="scierc_types.json",
        citation=_SCIERC_CITATION,
        note=_SPERT_FORM + "The order of the sentences within their documents is lost in this form.",
        allow_repeated_relations=True,
    ),
    Benchmark(
        name="scierc_documents",
        title="SciERC (documents)",
        folder=None,
        splits={"train": "train.json", "dev": "dev.json", "test": "test.json"},
        types_file="scierc_types.json",
        citation=_SCIERC_CITATION,
        note="Read from the documents in the DyGIE form; Penn Treebank brackets are un-escaped.",
        types=_SCIERC_TYPES,
        allow_repeated_relations=True,
    ),
    Benchmark(
        name="ade",
        title="ADE (adverse drug events)",
        folder="ade",
        splits={"train": "ade_split_{fold}_train.json", "test": "ade_split_{fold}_test.json"},
        types_file="ade_types.json",
        citation=_ADE_CITATION,
        note=_SPERT_FORM + "One of ten cross-validation folds. Every sentence holds at least one relation.",
    ),
    Benchmark(
        name="ade_full",
        title="ADE (adverse drug events)",
        folder="ade",
        splits={"full": "ade_full.json"},
        types_file="ade_types.json",
        citation=_ADE_CITATION,
        note=_SPERT_FORM + "All sentences, not divided into folds. Every sentence holds at least one relation.",
    ),
)
BENCHMARKS: Mapping[str, Benchmark] = MappingProxyType({benchmark.name: benchmark for benchmark in _ALL})


def find_benchmark(dataset_name: str) -> Benchmark | None:
    """Return the benchmark that a `JointDataset.name` stands for, or None.

    >>> find_benchmark("ade_fold_3").title
    'ADE (adverse drug events)'
    """
    return BENCHMARKS.get(dataset_name.partition("_fold_")[0])


# SHA-256 of the published files.
SHA256: Mapping[str, str] = MappingProxyType(
    {
        "ade_full.json": "5bc2355bcb3fa326d0749af0368e7b428b44a63fb8a1fb76ffeef14825e51384",
        "ade_split_0_test.json": "6d6a3584d3876a35854ef703f7a7059363599ad7ed3ab9c3e6e449ae8a252e9a",
        "ade_split_0_train.json": "6624ac4d015c75f551aa15a43bd05e268082d98297d18269662737f7df358365",
        "ade_split_1_test.json": "532fa740c11466c54d06dfe4e2989bd800c046cb31c409f074b7b3d49cf99b23",
        "ade_split_1_train.json": "811befd6d23d2aeb7cff3469d4b22d0c58fa61557b03257986ea1559042d42fe",
        "ade_split_2_test.json": "69c4844907809f4e76516d7e9b7f8f2fa5eab2bdf27ee0dc02bdb367e673f994",
        "ade_split_2_train.json": "c13ff04545537879e1d2fa41ed25c4e5831bbd75d2c07a4d7c0e60d2691b5b25",
        "ade_split_3_test.json": "07e188e39118bd9644d4bb74ad841099853a5dfbecb035e5af2dc83a7d927495",
        "ade_split_3_train.json": "1d65b2aab0da37d3125cb0a90f6c66ad05af4ebb6f4685c4ede242cfb587cb1e",
        "ade_split_4_test.json": "937eff5f8982fff83655872fcf150876145e75a381dcedfc45e2411f47146edc",
        "ade_split_4_train.json": "de8cdb999563697d330d97b9ac95a5ae1c83106eb812f25b12d807c6628f28a4",
        "ade_split_5_test.json": "d01d706574d4921304d3b53a0b013fbe41d2f97439245cf768c503df1e70a9f3",
        "ade_split_5_train.json": "474668717b0fbcb4cf6fda984b8897b2e66f2550c9a052187c6ece012960a6cf",
        "ade_split_6_test.json": "3e35e7278060f16103665a47db1480e305346f255872ced202617c6d8025bb01",
        "ade_split_6_train.json": "c3e41dea7c11c34da7f32be45ced3a162fff30abeb0939698937fe7a83446dca",
        "ade_split_7_test.json": "6c4f25fffd1ce4fb1bf67bc54713b44f6e1abb9ca744d06a38ed88731a8d1371",
        "ade_split_7_train.json": "3839c5f7cfd5c9e260a3a60a9c79f6ed54d21d66288413c8a2c2d8e985e9081c",
        "ade_split_8_test.json": "69fb620cc4f9fe4d35533dba74b7234ebb2c2e69a988a8945219563ad12feb3c",
        "ade_split_8_train.json": "9c5c698bb7d5a72e11685a63de4a6b525e073eede445eaae0d44ce42166fffcc",
        "ade_split_9_test.json": "a02776d17963ada8aad5e1d4370e96d2478a8e44fd0944274ac0c44f4499b0ed",
        "ade_split_9_train.json": "e863f0b8a717364fd553e55e041ea89e2a52d116e5b047cbaa1882410ab0813f",
        "ade_types.json": "3d3bced9f971a85ae5e55fce27098923cb41e887f5e6d612e8e1844fc284d1b5",
        "conll04_dev.json": "3965a5110a79671fb74a78c0fd0113c4da6583c3833bd418c1ca414bb491e010",
        "conll04_test.json": "347f45cf181b5641d2373248a1af0592954415234f72536835dde1df1b504556",
        "conll04_train.json": "65c52d5b6134c72c44277c74c5ecb354bf33aa352fc7b856edf6bda0bb436eea",
        "conll04_types.json": "9244d21d2640430f03eda97f59ce3e0a28a766964b1c04683c80656b5e505ad8",
        "scierc_dev.json": "77506c1a9d9e6a3f596fdce937a1d80679c24df75a8b7cb836737c2a43ff0ec0",
        "scierc_test.json": "ecc88eca58a88cf2087aaa996dada9edad433c3c2f3f8f5be93625b098c20703",
        "scierc_train.json": "40879beb794a2d947c60f4e7e936c269b5f35ce516e9e155cbff1feea0c3e8da",
        "scierc_types.json": "c092a29d28cc0186b5846c1c56e844e3cb07c6f5196c2efdf432888119434a85",
    }
)
