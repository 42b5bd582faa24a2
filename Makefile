# The two commands a newcomer needs: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help demo test lint types unit train bench clean

help: ## What can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

demo: $(VENV)/.run ## Show the main job on real tickets, no Slack account needed
	@$(BIN)/autoticket demo

test: lint types unit ## Everything CI runs: linters, types, tests

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

# Each worker waits for timers and other processes nearly half its time, so that three keep two
# processors busy; threads inside of them would only wait for each other.
unit: export OMP_NUM_THREADS = 1
unit: export OPENBLAS_NUM_THREADS = 1
unit: $(VENV)/.dev
	$(BIN)/python -m pytest -n 3 --dist worksteal

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "AutoTicket needs Python 3.11 or newer; try: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing AutoTicket into $(VENV) (once, about a minute) ..."
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing AutoTicket with its development tools into $(VENV) (once, a few minutes) ..."
	@$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.run

bench: $(VENV)/.dev ## Speed of the whole way and of the model, as tables
	$(BIN)/python -m benchmarks.pipeline
	$(BIN)/python -m benchmarks.inference

clean: ## Remove what these commands made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
