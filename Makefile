# make setup · test · test-slow · lint · bench · docs
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup test test-slow lint format bench docs clean

setup: $(STAMP)
	@VENV=$(VENV) bash tests/setup.sh

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 test"; exit 1; }
	@$(BIN)/pip install -q -e '.[dev]'
	@touch $(STAMP)

test: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -m "not slow" -n $${TEST_JOBS:-2} --dist loadgroup --cov --cov-report=term:skip-covered $(ARGS)

test-slow: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -m slow $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy auditor checks reports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(BIN)/python bench/code.py $(ARGS)
	$(BIN)/python bench/live.py

docs: $(STAMP)
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache tests/node/node_modules
