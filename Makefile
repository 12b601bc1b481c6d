# Two commands matter: `make run` and `make test`. `make help` lists all.
# Each target first sets up .venv from requirements.lock; a second call installs nothing again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHOSEN := $(or $(wildcard $(BIN)/python),$(PYTHON))
AT := $(if $(PORT),--port $(PORT))
export KEDRO_DISABLE_TELEMETRY := 1
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help install run test test-all test-starter lint format ui viz site serve draw starter benchmark audit clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1	\2/' | expand -t 20

install: $(VENV)/installed  ## Create .venv from requirements.lock and install the project into it

$(VENV)/installed: requirements.lock pyproject.toml setup.py src/mnist_lstm/core/kernel/kernel.c
	@$(CHOSEN) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else \
		f"Python 3.11, 3.12 or 3.13 is needed, found {sys.version.split()[0]}: make PYTHON=python3.11")'
	@echo "Installing into $(VENV) from requirements.lock: 1 to 3 minutes, once (2.1 to 5.9 GB on disk: README, Quick start)"
	$(if $(filter $(PYTHON),$(CHOSEN)),$(PYTHON) -m venv $(VENV))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	@touch $@

run: install  ## Train and evaluate: kedro run; pass options by ARGS="--params training.seed=2"
	$(BIN)/kedro run $(ARGS)

test: install lint  ## Lint, check types, and run the tests that are not marked slow
	$(BIN)/pytest -n auto --dist loadgroup -m "not slow" $(ARGS)

test-all: install lint  ## Lint, check types, and run every test
	$(BIN)/pytest -n auto --dist loadgroup $(ARGS)

test-starter: install  ## Make a project from this one, and run all its tests that are not marked slow
	STARTER_TESTS=tests $(BIN)/pytest tests/test_starter.py $(ARGS)

lint: install  ## ruff (lint and format) and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install  ## Mend what ruff can mend, and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

ui: install  ## Serve MLflow's pages with this project's runs: PORT=5000
	$(BIN)/kedro ui $(AT) $(ARGS)

viz: install  ## Serve the pipeline's graph in Kedro-Viz: PORT=4141
	$(BIN)/kedro site --serve $(AT) $(ARGS)

site: install  ## Write the graph with its previews as static pages to build/
	$(BIN)/kedro site

serve: install  ## Serve the best model, or that of RUN=..., over HTTP: PORT=5001
	$(BIN)/kedro serve $(AT) $(if $(RUN),--model '$(RUN)') $(ARGS)

draw: install  ## Open the page of the champion, to draw a digit and watch the network read it
	$(BIN)/kedro draw $(ARGS)

starter: install  ## Make a project of your own from this one, in build/: ARGS="--name 'My Letters'"
	@mkdir -p build
	cd build && ../$(BIN)/kedro new --starter=.. --directory=starter $(ARGS)

benchmark: install  ## Compare the speed of training with other frameworks: ARGS="--folder FOLDER"
	$(BIN)/python benchmarks/frameworks.py $(ARGS)

# --strict: fail where a package could not be looked up; pip-audit alone would report that it found nothing
audit: install  ## Look up known vulnerabilities of the locked packages (needs a network), in its own environment
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip -r requirements.lock

clean:  ## Delete what runs made, but not .venv, the downloaded data or recorded runs
	git clean -fdXq data/02_intermediate data/05_model_input data/06_models data/07_model_output data/08_reporting
