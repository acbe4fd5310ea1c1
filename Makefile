# Every target sets itself up: a virtual environment of its own, with uv where it is present, else with pip.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TOOLS  := $(VENV)/tools
UV     := $(shell command -v uv 2>/dev/null)

ifeq ($(UV),)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock
else
INSTALL = $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python -c requirements.lock
endif

.PHONY: demo test check bench exports exports-tools docs clean help
.DEFAULT_GOAL := help

help:   ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.sandbox  ## declare, prove, deploy, audit and call Bedrock inside the perimeter, on this machine
	@$(BIN)/ringwall demo

# One more than this project's two cores: many tests wait for the processes that they start.
WORKERS ?= 3

test: $(VENV)/.dev  ## all tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev  ## format, lint, types, import contracts, generated documents
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/generate_docs.py --check
	@$(BIN)/python scripts/generate_service_models.py --check

bench: $(VENV)/.bench  ## timed claims, side by side with peers, as ratios
	@$(BIN)/python bench/run.py

exports: $(VENV)/.dev exports-tools  ## check the exports with cfn-lint, parliament, checkov and, where installed, terraform
	@$(BIN)/python scripts/check_exports.py

exports-tools: $(patsubst %,$(TOOLS)/%/.done,cfn-lint parliament checkov)

docs: $(VENV)/.dev  ## write again what is generated: pages under docs/, service models
	@$(BIN)/python scripts/generate_docs.py
	@$(BIN)/python scripts/generate_service_models.py

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Ringwall needs Python 3.11 or newer: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.sandbox: $(BIN)/python pyproject.toml requirements.lock
	@echo "setting up $(VENV) ..."
	@$(INSTALL) -e '.[sandbox]'
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml requirements.lock
	@echo "setting up $(VENV) for development ..."
	@$(INSTALL) -e '.[dev]'
	@$(BIN)/python -m compileall -q src
	@touch $@ $(VENV)/.sandbox

# Each for itself: what checkov requires excludes what we do. What they find depends on their version.
$(TOOLS)/cfn-lint/.done:   VERSION := 1.58.0
$(TOOLS)/parliament/.done: VERSION := 1.6.4
$(TOOLS)/checkov/.done:    VERSION := 3.3.30
$(TOOLS)/%/.done: Makefile
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $*==$(VERSION)
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	@$(INSTALL) -e '.[bench]'
	@touch $@
