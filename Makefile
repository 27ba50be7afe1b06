# Two commands for people: `make quickstart` and `make test`. Everything else is a tool's own command line.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# oneDNN's kernels make training on the CPU up to three times as fast. They need Linux on x86-64 and a C++17 compiler;
# without, everything works with XLA's own. `make quickstart ONEDNN=no` leaves them out.
ONEDNN ?= yes
SLOWER := convolutions, products and recurrent layers are XLA's own, and slower

.PHONY: quickstart test .lint .types .suite
.DEFAULT_GOAL := quickstart

quickstart: $(VENV)/.installed-quickstart $(VENV)/.installed-onednn
	$(BIN)/hornbeam quickstart
	@if [ "$(ONEDNN)" = no ] && [ -e $(VENV)/.installed-onednn ]; then \
		echo "oneDNN's kernels stay installed; HORNBEAM_ONEDNN=0 in the environment switches them off."; fi
	@[ -e $(VENV)/.installed-onednn ] || echo "Without oneDNN's kernels, as said above: $(SLOWER)."

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
.suite: $(VENV)/.installed-test $(VENV)/.installed-onednn
	$(BIN)/python -m pytest -n 2 --dist loadfile --timeout 300 -m "not slow and not network" $(PYTEST_ARGS)

# The stamps make a second run start at once; a change of pyproject.toml installs again. Byte code is written at once,
# as pip does it for packages that it copies.
$(VENV)/.installed-quickstart: pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV); about a minute, 1 GB."
	$(PIP) -e ".[plot,sklearn]"
	@$(BIN)/python -m compileall -q hornbeam
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) what the tests need; a minute or two, 1.7 GB."
	$(PIP) -e ".[all,test]"
	@$(BIN)/python -m compileall -q hornbeam
	@touch $@ $(VENV)/.installed-quickstart

# The wheel of oneDNN holds its library three times, 53 MB each.
ONE_COPY = for name in libdnnl.so libdnnl.so.3.2; do \
	if cmp -s $(VENV)/lib/libdnnl.so.3 $(VENV)/lib/$$name; then ln -f $(VENV)/lib/libdnnl.so.3 $(VENV)/lib/$$name; fi; done

# Tried again by every run until there is a compiler.
$(VENV)/.installed-onednn: $(wildcard native/onednn/*.* native/onednn/*/*) | $(BIN)/python
	@if [ "$(ONEDNN)" = no ]; then echo "oneDNN's kernels are left out: $(SLOWER)."; \
	elif [ "$$(uname -sm)" != "Linux x86_64" ]; then echo "oneDNN's kernels are not offered on $$(uname -sm): $(SLOWER)."; \
	elif [ -n "$$CXX" ] && ! command -v $${CXX%% *} >/dev/null; then \
		echo "No C++ compiler for oneDNN's kernels: $(SLOWER). CXX names $$CXX, which is not there."; \
	elif [ -z "$$CXX" ] && ! { command -v c++ || command -v g++ || command -v clang++; } >/dev/null; then \
		echo "No C++ compiler for oneDNN's kernels: $(SLOWER). Install g++ or clang++ and run make again."; \
	elif $(PIP) ./native/onednn >$(VENV)/onednn.log 2>&1; then $(ONE_COPY); touch $@; \
	else echo "oneDNN's kernels could not be built ($(VENV)/onednn.log says why): $(SLOWER)."; fi

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
