# Everything runs in .venv, which the first target that needs it makes. Needs only Python 3.11+ and make.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
INSTALLED_DEV := .venv/.installed-dev
# One more than there are cores: tests of services wait for each other's processes.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
SOAK_EXAMPLES ?= 50000
RUNS ?= 3
EVENTS ?= 1000000
PEERS ?= duckdb polars bytewax
FUZZ_SECONDS ?= 3600
SEEDS ?= 100
SOAK_SECONDS ?= 600
FUZZ_TARGET ?= rules

# A start takes a third longer where what modules are compiled to is not kept.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-browser chromium test-chaos check format reference bench soak fuzz clean

help:
	@echo "make demo       a shop's events into visits and carts, by the rules of examples/shop"
	@echo "make test       all tests but those of a browser"
	@echo "make test-browser  the service's pages in Chromium"
	@echo "make test-chaos services that are killed at any moment, a hundred random lives, and ten minutes of one (SEEDS=5 SOAK_SECONDS=20)"
	@echo "make check      ruff, mypy --strict, the direction of imports, reference pages up to date, rules formatted"
	@echo "make reference  write the reference pages anew"
	@echo "make bench      Job S and Job P beside hand-written Python and other engines (RUNS=5 PEERS=duckdb EVENTS=100000)"
	@echo "make soak       the engine beside its models for a million random events, an hour or more (SOAK_EXAMPLES=1000)"
	@echo "make fuzz       made-up rules for an hour (FUZZ_SECONDS=60, FUZZ_TARGET=tenant for configurations; Linux)"

$(INSTALLED): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# All at once, which is more than the above: installing in two steps takes the longer.
$(INSTALLED_DEV): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[service]' --group dev
	@touch $(INSTALLED) $@

demo: $(INSTALLED)
	@mkdir -p out
	$(BIN)/sojourn lint examples/shop
	$(BIN)/sojourn replay examples/shop examples/shop/events.ndjson.gz --out out/shop.ndjson
	@echo
	@echo "Written to out/shop.ndjson; one visit that ended:"
	@grep -m 1 '"purchases":[2-9]' out/shop.ndjson || true

test: $(INSTALLED_DEV)
	$(BIN)/python -m pytest -m "not browser" -n $(WORKERS) --dist worksteal

chromium:
	@command -v chromedriver >/dev/null \
		|| { test "$$(id -u)" = 0 && { apt-get update && apt-get install --yes chromium chromium-driver; } >/dev/null 2>&1; } \
		|| { echo "chromedriver is missing: apt-get install chromium chromium-driver"; exit 1; }

test-browser: $(INSTALLED_DEV) chromium
	$(BIN)/python -m pytest -m browser tests/service tests/fleet

test-chaos: $(INSTALLED_DEV)
	SOJOURN_SEEDS=$(SEEDS) SOJOURN_SOAK_S=$(SOAK_SECONDS) $(BIN)/python -m pytest -m chaos -n $(WORKERS) --dist worksteal tests/service tests/fleet

check: $(INSTALLED_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/sojourn reference --check
	$(BIN)/sojourn fmt --check examples profiles tests/bench

format: $(INSTALLED_DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

reference: $(INSTALLED)
	$(BIN)/sojourn reference

bench: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[parquet]' --group bench
	$(BIN)/python tests/bench/jobs.py --runs $(RUNS) --events $(EVENTS) --peers $(PEERS) --docs docs

soak: $(INSTALLED_DEV)
	SOJOURN_EXAMPLES=$(SOAK_EXAMPLES) $(BIN)/python -m pytest tests/engine/test_model.py tests/engine/test_event_time_model.py

fuzz: $(INSTALLED_DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	$(BIN)/python tests/fuzz/fuzz.py $(FUZZ_TARGET) --seconds $(FUZZ_SECONDS) --out out/fuzz

clean:
	rm -rf .venv .venv-bench out dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
