# Darkroom: `make run` develops a picture, `make serve` serves the editor, `make test` runs the tests. Each sets up the
# virtual environment first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run serve test slow check web bench data install clean

run: $(VENV)/installed
	$(BIN)/darkroom run workflows/text_to_image.json

# Prints a link that opens the editor; Ctrl+C ends it.
serve: $(VENV)/installed
	$(BIN)/darkroom serve

# One torch thread: on a busy machine two threads can be slower than one.
test: $(VENV)/developed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

slow: $(VENV)/developed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "slow or not slow"

check: $(VENV)/developed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# The editor: type-checked, linted, tested and built into engine/http/editor, which is committed so that nobody needs
# Node to use it. Takes the machine's Node 20 or newer, else that of the PyPI package among the development tools.
web: $(VENV)/developed
	$(BIN)/python web/scripts/npm.py ci --no-audit --no-fund
	$(BIN)/python web/scripts/npm.py run check
	$(BIN)/python web/scripts/npm.py test
	$(BIN)/python web/scripts/npm.py run build

bench: $(VENV)/developed
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks

# Pictures and captions for training; needs npm.
data: $(VENV)/installed
	$(BIN)/python models/embedded/prepare_data.py

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/developed: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache build *.egg-info
