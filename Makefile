# Every target sets up .venv by itself, once, and again when pyproject.toml or the constraints change.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# Data sets kept beside the checkout, if there are any; otherwise the library finds its own.
ifneq ($(wildcard ../shared/data),)
export ISTHMUS_DATA ?= $(abspath ../shared/data)
endif

.PHONY: reproduce test lint bench soak clean

reproduce: $(READY)
	$(BIN)/isthmus reproduce $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m benchmarks.speed $(ARGS)

soak: $(READY)
	$(BIN)/python -m benchmarks.soak $(ARGS)

clean:
	rm -rf $(VENV) reproduction build dist .mypy_cache .pytest_cache .ruff_cache

$(READY): pyproject.toml constraints/torch.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/torch.txt -e '.[dev]'
	touch $@
