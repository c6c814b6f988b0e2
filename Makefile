# Targets: make demo | test | test-slow | lint | format | clean | help
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
.PHONY: help demo test test-slow lint format clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## train on the demo corpus, print test scores, extract from new sentences, draw the answers
	@$(BIN)/spert demo --output_dir runs/demo

test: $(READY)  ## every test except the slow ones and those that need a GPU
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-slow: $(READY)  ## the slow tests only
	@$(BIN)/python -m pytest -m slow

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
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e '.[train,demo,onnx,plot,formats,dev]'
	@touch $@
