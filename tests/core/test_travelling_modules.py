"""The modules that travel to the Hub: which they are, and that they import what a stranger's machine has, one way."""

import ast
import json
import sys
from pathlib import Path

import pytest
from tiny_models import build_spert
from transformers.dynamic_module_utils import get_imports, get_relative_import_files, get_relative_imports

PACKAGE = Path(__file__).resolve().parents[2] / "modeling_spert"
TRAVELLING = {path.stem: path for path in PACKAGE.glob("*_spert.py")}
STAYING = {path.stem: path for path in PACKAGE.rglob("*.py") if path.stem not in TRAVELLING}
THIRD_PARTY = {"torch", "transformers", "huggingface_hub"}


def relative_imports(tree: ast.AST) -> set[str]:
    """Siblings imported anywhere below a node."""
    return {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level}


def module_level_imports(name: str) -> set[str]:
    """Siblings imported when the module is, that is outside functions."""
    tree = ast.parse(TRAVELLING[name].read_text("utf-8"))
    lazy = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]
    return relative_imports(tree) - set().union(*(relative_imports(node) for node in lazy))


def imported_modules(tree: ast.AST) -> set[str]:
    """Modules imported by their full name, except in a `try:` that catches ImportError: those may be absent."""
    guarded = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.Try) and any("ImportError" in ast.unparse(h.type or node) for h in node.handlers)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    found: set[str] = set()
    for node in set(ast.walk(tree)) - guarded:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module or "")
    return found


def reachable(name: str) -> set[str]:
    """Siblings that importing a module loads."""
    found: set[str] = set()
    todo = [name]
    while todo:
        new = module_level_imports(todo.pop()) - found
        found |= new
        todo += new
    return found


def test_travelling_modules_are_what_the_model_imports():
    """By the syntax, and by the regular expression with which transformers looks for files to copy."""
    found, todo = set(), ["modeling_spert"]
    while todo:
        name = todo.pop()
        found.add(name)
        todo += relative_imports(ast.parse(TRAVELLING[name].read_text("utf-8"))) - found
    assert found == set(TRAVELLING)
    copied = {Path(path).stem for path in get_relative_import_files(TRAVELLING["modeling_spert"])}
    assert copied | {"modeling_spert"} == set(TRAVELLING)


def test_model_file_names_every_module_that_travels():
    """A download that broke off is completed only for files that the model's own file names."""
    assert set(get_relative_imports(TRAVELLING["modeling_spert"])) == set(TRAVELLING) - {"modeling_spert"}


def test_files_named_in_the_configuration_name_every_module_that_they_reach(tmp_path: Path):
    """transformers 5.0 to 5.10 copies only these to where it loads a class of a local folder from."""
    build_spert().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    classes = [*config["auto_map"].values(), *(entry["impl"] for entry in config["custom_pipelines"].values())]
    files = {name.split(".")[0] for name in classes}
    assert files == {"configuration_spert", "modeling_spert", "pipeline_spert"}
    for name in files:
        assert set(get_relative_imports(TRAVELLING[name])) >= reachable(name), name


@pytest.mark.parametrize("name", TRAVELLING)
def test_travelling_module_imports_siblings_in_one_form(name):
    source = TRAVELLING[name].read_text("utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1 and node.module in TRAVELLING, f"line {node.lineno}: from .name_spert import …"
            assert all(alias.name != "*" for alias in node.names), f"line {node.lineno}: name what is imported"
    written = {Path(path).stem for path in get_relative_import_files(TRAVELLING[name])}
    assert written <= set(TRAVELLING), "a docstring line that reads like a relative import counts as one"


@pytest.mark.parametrize("name", TRAVELLING)
def test_travelling_module_needs_three_libraries_only(name):
    tree = ast.parse(TRAVELLING[name].read_text("utf-8"))
    roots = {module.split(".")[0] for module in imported_modules(tree)}
    assert roots - sys.stdlib_module_names <= THIRD_PARTY
    # What transformers asks of a stranger's machine: it also reads strings, and skips `try:` blocks.
    assert set(get_imports(TRAVELLING[name])) - sys.stdlib_module_names <= THIRD_PARTY


@pytest.mark.parametrize("name", TRAVELLING)
def test_travelling_module_imports_nothing_by_name(name):
    """`import_module("…")` and `__import__` would get around the rules above."""
    source = TRAVELLING[name].read_text("utf-8")
    assert "importlib" not in source and "__import__" not in source


def test_travelling_modules_import_one_way():
    assert reachable("configuration_spert") == reachable("spans_spert") == set()
    text_side = {"inputs_spert", "segmentation_spert", "tokenization_spert", "windows_spert", "decoding_spert"}
    text_side |= {"extraction_spert", "pipeline_spert"}
    assert {"configuration_spert", "spans_spert"} <= reachable("modeling_spert")
    assert not reachable("modeling_spert") & text_side
    for name in TRAVELLING:
        assert name not in reachable(name), f"{name} is part of a cycle"
        above = {"modeling_spert", "pipeline_spert"} if name in text_side - {"pipeline_spert"} else {"pipeline_spert"}
        assert not reachable(name) & above, name


def test_travelling_model_names_its_pipeline_in_a_method_only():
    """The lazy import makes saving copy the pipeline's file; without it a model saved again would lose it."""
    only_there = {"pipeline_spert", *module_level_imports("pipeline_spert")} - module_level_imports("modeling_spert")
    for name, path in TRAVELLING.items():
        lazy = relative_imports(ast.parse(path.read_text("utf-8"))) - module_level_imports(name)
        assert lazy == (only_there if name == "modeling_spert" else set())


def test_travelling_names_mark_all_modules_that_travel():
    """A module that stays has no relative import, so that it cannot be mistaken for one that travels."""
    for path in STAYING.values():
        assert relative_imports(ast.parse(path.read_text("utf-8"))) == set(), path.name


def test_package_imports_no_script():
    for folder in (PACKAGE, PACKAGE.parent / "datasets_scripts"):
        for path in folder.rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
            modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
            scripts = {"train_accelerate", "extract_accelerate", "tests", "benchmarks"}
            assert not {module.split(".")[0] for module in modules} & scripts, path.name
