# Two commands for people: `make quickstart` and `make test`. Everything else is a tool's own command line.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# oneDNN's kernels make training on the CPU up to three times as fast. They need Linux and a C++17 compiler; without,
# everything works with XLA's own. `ONEDNN=:` leaves them out.
ONEDNN ?= if [ "$$(uname -sm)" = "Linux x86_64" ] && { command -v c++ || command -v g++ || command -v clang++; } >/dev/null; \
	then $(PIP) ./native/onednn || echo "oneDNN's kernels could not be built: convolutions will be XLA's own, and slower."; \
	else echo "No C++ compiler: convolutions will be XLA's own, and slower. See native/onednn/README.md."; fi

.PHONY: quickstart test .lint .types .suite
.DEFAULT_GOAL := quickstart

quickstart: $(VENV)/.installed-quickstart
	$(BIN)/hornbeam quickstart

test: .lint .types .suite

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
$(VENV)/.installed-quickstart: pyproject.toml native/onednn/pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV); about a minute, 800 MB."
	$(PIP) -e ".[plot,sklearn]"
	@$(ONEDNN)
	@$(BIN)/python -m compileall -q hornbeam
	@touch $@

$(VENV)/.installed-test: pyproject.toml native/onednn/pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) what the tests need; a minute or two, 1.6 GB."
	$(PIP) -e ".[all,test]"
	@$(ONEDNN)
	@$(BIN)/python -m compileall -q hornbeam
	@touch $@ $(VENV)/.installed-quickstart

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
