# Everything a person types here; the verbs themselves are `claimhouse --help`.
# Needs Python 3.11 or later, make and a package index; nothing else is installed outside this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced

# Bytecode makes imports two to three times faster, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test ui env bench bench-x12 bench-pricing soak clean
.DEFAULT_GOAL := run

run: $(STAMP)
	$(BIN)/claimhouse run

ui: $(STAMP)
	$(BIN)/claimhouse ui

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder $(PYTEST_ARGS)

# Measures the pipeline at full scale and writes docs/performance.md; MEMBERS=2000 makes it small, and its page stays in
# bench-data. BENCH=FOLDER says where instead.
bench: $(STAMP)
	$(BIN)/python -m tests.bench.pipeline

# Measures reading 837 and 835 beside other libraries and writes docs/x12-speed.md; CLAIMS=20000 makes it small, likewise.
bench-x12: $(STAMP)
	$(BIN)/python -m tests.bench.x12

# Finds price lists by the textbook's model and by ours and writes docs/pricing-speed.md, in about 25 minutes; SMALL=1 leaves out
# the large instances, likewise.
bench-pricing: $(STAMP)
	$(BIN)/python -m tests.bench.pricing

# What `make test` has no time for: tests/faults/soak.py and every soak_*.py; the list is in docs/reliability.md. Takes about an hour.
soak: $(STAMP)
	$(BIN)/python -m pytest tests/faults/soak.py tests/*/soak_*.py -n 2 --dist loadgroup $(PYTEST_ARGS)

env: $(STAMP)

# The lock names every package by version and hash, so that today's environment is tomorrow's.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "claimhouse: $(PYTHON) is older than 3.11. Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --quiet --no-deps -e .
	@touch $@

clean:
	rm -rf $(VENV) *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
