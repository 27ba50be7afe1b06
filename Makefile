# Two commands for people: `make quickstart` and `make test`. Everything else is a tool's own command line.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: quickstart test onednn .lint .types .suite
.DEFAULT_GOAL := quickstart

quickstart: $(VENV)/.installed-quickstart
	$(BIN)/hornbeam quickstart

test: .lint .types .suite

# oneDNN's convolutions for the CPU; needs a C++17 compiler.
onednn: $(BIN)/python
	$(PIP) ./native/onednn

# Parts of `make test`, so that `make --keep-going test` shows all that is wrong at once.
.lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.types: $(VENV)/.installed-test
	$(BIN)/basedpyright --pythonpath $(BIN)/python

# On the CPU unless told otherwise: JAX_PLATFORMS=cuda make test
.suite: export JAX_PLATFORMS ?= cpu
.suite: export KERAS_BACKEND ?= jax
.suite: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 --dist loadfile --timeout 300 -m "not slow and not network" $(PYTEST_ARGS)

# The stamps make a second run start at once; a change of pyproject.toml installs again. Byte code is written at once,
# as pip does it for packages that it copies.
$(VENV)/.installed-quickstart: pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV); about a minute, 800 MB."
	$(PIP) -e ".[plot,sklearn]"
	@$(BIN)/python -m compileall -q hornbeam
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) what the tests need; a minute or two, 1.6 GB."
	$(PIP) -e ".[all,test]"
	@$(BIN)/python -m compileall -q hornbeam
	@touch $@ $(VENV)/.installed-quickstart

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
