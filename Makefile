# Two commands matter: `make run` and `make test`. `make help` lists all.
# Each target first sets up .venv from requirements.lock; a second call installs nothing again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STORE := $(or $(MLFLOW_TRACKING_URI),sqlite:///$(CURDIR)/mlflow.db)
export KEDRO_DISABLE_TELEMETRY := 1
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help install run test test-all lint ui viz site serve draw benchmark audit clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1	\2/' | expand -t 20

install: $(VENV)/installed  ## Create .venv from requirements.lock and install the project into it

$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	@touch $@

run: install  ## Train and evaluate: kedro run; pass options by ARGS="--params training.seed=2"
	$(BIN)/kedro run $(ARGS)

test: install lint  ## Lint, check types, and run the tests that are not marked slow
	$(BIN)/pytest -n auto --dist loadgroup -m "not slow" $(ARGS)

test-all: install lint  ## Lint, check types, and run every test
	$(BIN)/pytest -n auto --dist loadgroup $(ARGS)

lint: install  ## ruff (lint and format) and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

ui: install  ## Serve the MLflow UI with this project's runs: http://127.0.0.1:5000
	$(BIN)/mlflow ui --backend-store-uri $(STORE) --host 127.0.0.1 --port 5000

# A proxy address where nothing listens: otherwise Kedro-Viz waits up to 30 s for PyPI to answer about its newest version
viz: install  ## Serve Kedro-Viz with the pipeline: http://127.0.0.1:4141
	HTTPS_PROXY=http://127.0.0.1:9 $(BIN)/kedro viz run --host 127.0.0.1 --port 4141

site: install  ## Write the graph with its previews as static pages to build/
	$(BIN)/kedro site

serve: install  ## Serve the champion over HTTP: POST http://127.0.0.1:5001/invocations
	MLFLOW_TRACKING_URI=$(STORE) MLFLOW_ALLOW_PICKLE_DESERIALIZATION=false PATH="$(CURDIR)/$(BIN):$$PATH" \
		$(BIN)/mlflow models serve -m models:/mnist-lstm@champion --env-manager local --host 127.0.0.1 --port 5001

draw: install  ## Open the page of the champion, to draw a digit and watch the network read it
	$(BIN)/kedro draw $(ARGS)

benchmark: install  ## Compare the speed of training with other frameworks: ARGS="--folder FOLDER"
	$(BIN)/python benchmarks/frameworks.py $(ARGS)

# --strict: fail where a package could not be looked up; pip-audit alone would report that it found nothing
audit: install  ## Look up known vulnerabilities of the locked packages (needs a network), in its own environment
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip -r requirements.lock

clean:  ## Delete what runs made, but not .venv, the downloaded data or recorded runs
	git clean -fdXq data/02_intermediate data/05_model_input data/06_models data/07_model_output data/08_reporting
