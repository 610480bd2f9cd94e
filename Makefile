# make demo | test | lint | clean. Everything is set up in .venv; nothing outside this folder and the cache is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test lint clean setup

demo: setup
	@mkdir -p out/demo
	$(BIN)/verdigris bake library:verdigris_brass --preset draft -o out/demo/verdigris_brass.vdg
	$(BIN)/verdigris compare out/demo/verdigris_brass.vdg library:verdigris_brass -o out/demo --spp 128

test: lint
	$(BIN)/python -m pytest -q

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

setup: $(STAMP)

# The stamp is written last, so an interrupted set-up is done again. Byte code is left to the first import:
# compiling all of JAX and SciPy at install time takes longer than the rest of the set-up.
$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "error: $(PYTHON) not found: install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python 3.11 or newer expected, got $$($(PYTHON) -V 2>&1): set PYTHON=python3.x" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "error: $(PYTHON) has no venv or ensurepip: on Debian or Ubuntu run apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --quiet --no-compile --requirement requirements.lock
	$(PIP) install --quiet --no-deps --editable .
	@touch $(STAMP)
