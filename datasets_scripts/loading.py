"""load_joint_dataset: benchmarks, the demo corpus and a user's own files by one name or path."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

from datasets_scripts.annotation_formats import load_annotations, read_report, recognise
from datasets_scripts.corpora import ADE_FOLDS, BENCHMARKS, Benchmark, find_benchmark
from datasets_scripts.download import download_benchmark_file
from datasets_scripts.folder_layout import lay_out_file, lay_out_folder
from datasets_scripts.joint_dataset import JointDataset, SkippedRow, build_joint_dataset
from datasets_scripts.reading import OnBadRow, SplitRecords, read_joint_dataset
from datasets_scripts.records import Record, read_records
from datasets_scripts.types_json import DatasetTypes, read_types

logger = logging.getLogger(__name__)

DATASET_NAMES = tuple(BENCHMARKS)


def load_joint_dataset(
    name_or_path: str | os.PathLike[str],
    data_dir: str | os.PathLike[str] | None = None,
    fold: int | None = None,
    on_bad_row: OnBadRow = "raise",
) -> JointDataset:
    """Load and validate a data set.

    Annotations of another form are converted as `annotation_formats.convert` does by default, and the report is logged;
    call it yourself to choose.

    Args:
        name_or_path: `conll04`, `scierc`, `scierc_documents`, `ade` (with `fold`), `ade_full`, `demo`; or a folder or
            file of SpERT JSON, JSON Lines or Parquet, or of annotations in another form that is plain
            (`annotation_formats.recognise`). Names win over folders: write `./conll04` for a folder.
        data_dir: Folder of the benchmark's files; without it they are downloaded and cached. `scierc` reads the
            documents if the folder holds those and not the sentence files.
        fold: The fold of `ade`, 0 to 9.
        on_bad_row: "raise" on the first bad row, or "skip" to leave bad rows out and list them in `skipped`.

    Raises:
        ValueError: An argument is wrong, or a file cannot be read.
        FileNotFoundError: The path, or a file of the benchmark in `data_dir`, does not exist.
        BadRowError: A row is bad and `on_bad_row` is "raise".
        DownloadError: A file is not cached and cannot be downloaded.
    """
    name = os.fspath(name_or_path)
    if on_bad_row not in get_args(OnBadRow):
        raise ValueError(f"on_bad_row must be 'raise' or 'skip', got {on_bad_row!r}")
    _check_fold(name, fold)
    benchmark = BENCHMARKS.get(name)
    if benchmark is not None and benchmark.splits:
        return _load_benchmark(benchmark, None if data_dir is None else Path(data_dir), fold, on_bad_row)
    if data_dir is not None:
        with_files = ", ".join(name for name, known in BENCHMARKS.items() if known.splits)
        raise ValueError(
            f"data_dir goes with the benchmarks {with_files}, not with {name!r}; "
            "name your own folder or file directly, without data_dir"
        )
    return _load_own(Path(name).expanduser(), on_bad_row) if benchmark is None else _load_demo()


def _check_fold(name: str, fold: int | None) -> None:
    has_folds = name in BENCHMARKS and BENCHMARKS[name].has_folds
    if fold is not None and not has_folds:
        raise ValueError(f"fold goes with 'ade' only, got fold={fold!r} for {name!r}")
    if has_folds and (isinstance(fold, bool) or fold not in ADE_FOLDS):
        raise ValueError(f"{name!r} needs a fold from 0 to 9, got fold={fold!r}; 'ade_full' is the data without folds")


def _load_benchmark(
    benchmark: Benchmark, data_dir: Path | None, fold: int | None, on_bad_row: OnBadRow
) -> JointDataset:
    if benchmark.name == "scierc" and data_dir is not None and _holds_only_documents(data_dir):
        benchmark = BENCHMARKS["scierc_documents"]
    names = {split: file.format(fold=fold) for split, file in benchmark.splits.items()}
    types: DatasetTypes | None
    if data_dir is not None:
        files, types = _local_files(benchmark, names, data_dir)
    elif benchmark.folder is not None:
        files = {split: download_benchmark_file(benchmark.folder, file) for split, file in names.items()}
        types = read_types(download_benchmark_file(benchmark.folder, benchmark.types_file))
    else:
        raise ValueError(
            f"{benchmark.name!r} cannot be downloaded: SpERT's authors publish only the sentence form ('scierc'). "
            f"Name the folder of {', '.join(names.values())} with data_dir (--data_dir)"
        )
    name = benchmark.name if fold is None else f"{benchmark.name}_fold_{fold}"
    return read_joint_dataset(_records(files), name, types, on_bad_row, benchmark.allow_repeated_relations)


def _holds_only_documents(folder: Path) -> bool:
    sentences, documents = (BENCHMARKS[name].splits.values() for name in ("scierc", "scierc_documents"))
    return not _holds_any(folder, sentences) and _holds_any(folder, documents)


def _holds_any(folder: Path, files: Iterable[str]) -> bool:
    return any((folder / file).is_file() for file in files)


def _local_files(
    benchmark: Benchmark, names: Mapping[str, str], data_dir: Path
) -> tuple[dict[str, Path], DatasetTypes | None]:
    """Return the path of every split and the labels, or raise if a file is not there."""
    folder = data_dir
    if benchmark.name == "scierc_documents" and (data_dir / "documents").is_dir():
        folder = data_dir / "documents"
    files = {split: folder / file for split, file in names.items()}
    missing = [file.name for file in files.values() if not file.is_file()]
    # SciERC's documents are in a subfolder of the folder with its types file.
    candidates = [place / benchmark.types_file for place in (folder, folder.parent)[: 1 if benchmark.folder else 2]]
    types_file = next((path for path in candidates if path.is_file()), None)
    if types_file is None and benchmark.types is None:
        missing.append(benchmark.types_file)
    if missing:
        below = data_dir / (benchmark.folder or "scierc")
        hint = f"; did you mean {below}?" if below.is_dir() else ""
        raise FileNotFoundError(f"data_dir {data_dir} does not hold {', '.join(missing)} of {benchmark.name}{hint}")
    return files, benchmark.types if types_file is None else read_types(types_file)


def _load_own(path: Path, on_bad_row: OnBadRow) -> JointDataset:
    if not path.exists():
        raise FileNotFoundError(
            f"{str(path)!r} is neither the name of a data set ({', '.join(DATASET_NAMES)}) nor an existing folder or "
            f"file{_nearest(path)}"
        )
    if not _is_ours(path):
        return _load_annotations(path, on_bad_row)
    layout = lay_out_folder(path) if path.is_dir() else lay_out_file(path)
    types = None if layout.types is None else read_types(layout.types)
    # Files named as a benchmark's are that benchmark's, also when given by their path.
    benchmark = find_benchmark(layout.prefix)
    dataset = read_joint_dataset(
        _records(layout.splits),
        (types and types.dataset_name) or layout.prefix or (path if path.is_dir() else path.parent).resolve().name,
        types,
        on_bad_row,
        benchmark is not None and benchmark.allow_repeated_relations,
    )
    return replace(dataset, conversion=read_report(path)) if path.is_dir() else dataset


def _nearest(path: Path) -> str:
    """The name next to a path that does not exist, or of a data set, that is most like it, as a question."""
    folder = path.parent
    names = {entry.name: str(folder / entry.name) for entry in folder.iterdir()} if folder.is_dir() else {}
    if folder == Path():
        names |= {name: name for name in DATASET_NAMES}
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {names[close[0]]}?" if close else ""


def _is_ours(path: Path) -> bool:
    """Whether the path is laid out as this package's own files are, or is of no other form either."""
    if path.is_dir():
        try:
            path = next(iter(lay_out_folder(path).splits.values()))
        except ValueError:
            return recognise(path) is None  # then the reader's own error is the best there is
    return path.suffix == ".parquet" or recognise(path) in (None, "spert", "dygie")


def _load_annotations(path: Path, on_bad_row: OnBadRow) -> JointDataset:
    """Annotations of another form, converted with the defaults of `annotation_formats.convert`."""
    converted = load_annotations(path, on_bad=on_bad_row)
    report = converted.report
    logger.warning("%s was read as %s; what was kept and what not:\n%s", path, report.format, report.render())
    skipped = [SkippedRow(str(path), -1, message) for message in converted.unreadable]
    name = path.resolve().name if path.is_dir() else path.stem
    dataset = build_joint_dataset(converted.rows, converted.types, converted.types.dataset_name or name, skipped)
    return replace(dataset, conversion=report.to_dict())


def _records(files: Mapping[str, Path]) -> dict[str, SplitRecords]:
    return {split: SplitRecords(str(file), read_records(file)) for split, file in files.items()}


def _load_demo() -> JointDataset:
    from datasets_scripts.demo import corpus as demo_corpus

    types = DatasetTypes(
        tuple(demo_corpus.ENTITY_TYPES),
        tuple(demo_corpus.RELATION_TYPES),
        tuple(demo_corpus.SYMMETRIC_RELATION_TYPES),
    )
    splits = {
        split: SplitRecords(f"demo corpus, {split}", [Record(row, example) for row, example in enumerate(rows)])
        for split, rows in demo_corpus.generate_demo_corpus().items()
    }
    return read_joint_dataset(splits, demo_corpus.NAME, types)
