# Two commands do everything: `make demo` and `make test`. Both create the environment.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/lock.txt
READY := $(VENV)/.ready

.PHONY: demo test test-all bench lint types walls unit browser clean

demo: $(READY)
	$(BIN)/fanin demo --output fanin-demo.html

test: lint types walls unit

test-all: lint types walls browser
	HYPOTHESIS_PROFILE=searching $(BIN)/pytest -m "slow or not slow"

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

walls: $(READY)
	$(BIN)/lint-imports

unit: $(READY) browser
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not slow" --numprocesses=auto --dist=worksteal

browser: $(READY)
	@tools/install_browser

bench: $(READY)
	$(BIN)/python -m benchmarks

# PyTorch first, by its exact version: an open range would bring a CUDA build of gigabytes.
$(READY): pyproject.toml $(LOCK)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check "pip==26.3"
	$(BIN)/pip install --quiet --constraint $(LOCK) torch==2.13.0
	$(BIN)/pip install --quiet --constraint $(LOCK) --group dev --editable ".[torch,keras,jax,data,web]"
	touch $(READY)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
