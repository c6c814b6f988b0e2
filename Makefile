# Targets: make demo | test | test-slow | test-versions | test-processors | lint | format | clean | help
# PYTHON     the interpreter that makes .venv                    make test PYTHON=python3.12
# PIP_FLAGS  added to pip install, e.g. the index of torch's CPU wheels: see CONTRIBUTING.md, "torch"

PYTHON ?= python3
PIP_FLAGS ?=
VENV := .venv
READY := $(VENV)/.ready
BIN := $(VENV)/bin

export HF_HUB_DISABLE_TELEMETRY := 1
export TOKENIZERS_PARALLELISM := false

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-versions test-processors lint format clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-17s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## train on the demo corpus, print test scores, extract from new sentences, draw the answers
	@$(BIN)/spert demo --output_dir runs/demo

test: $(READY)  ## every test except the slow ones and those that need a GPU
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-slow: $(READY)  ## the slow tests only
	@$(BIN)/python -m pytest -m slow

test-versions: $(READY)  ## smoke tests with the lowest releases of setup.py, and with Python 3.10
	@PIP_FLAGS="$(PIP_FLAGS)" $(BIN)/python -m pytest -m slow -rs -s tests/repository/test_versions.py

# Instructions that the libraries may use: none beyond the x86-64 baseline, then AVX2.
BASELINE := ATEN_CPU_CAPABILITY=default MKL_ENABLE_INSTRUCTIONS=SSE4_2 ONEDNN_MAX_CPU_ISA=SSE41
AVX2 := ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 ONEDNN_MAX_CPU_ISA=AVX2
NUMERIC := tests/core tests/training tests/evaluation tests/onnx tests/analysis modeling_spert

test-processors: $(READY)  ## the tests that compute, as other x86 processors run them, with one and two threads
	@failed=; for threads in 1 2; do \
		for settings in "$(BASELINE)" "$(AVX2)"; do \
			echo "== $$settings, threads: $$threads"; \
			env $$settings SPERT_TEST_THREADS=$$threads $(BIN)/python -m pytest -q --numprocesses 2 --dist loadfile \
				$(NUMERIC) || failed=1; \
		done; \
	done; test -z "$$failed"

lint: $(READY)  ## ruff (rules and format) and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY)  ## let ruff fix and format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:  ## remove .venv, caches and build products; runs/ stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The virtual environment; the stamp tells make when what belongs in it has changed.
$(READY): setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "modeling-spert needs Python 3.10 or newer, but '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)." \
			"Name another one: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV): a few minutes the first time, mostly for torch."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e '.[train,demo,onnx,plot,formats,bulk,ray,serve,dev]'
	@touch $@
