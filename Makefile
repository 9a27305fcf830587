# Two commands do all the set-up: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-unit test-e2e test-web test-kafka chaos soak lint format docs lock tools eval bench bench-core bench-oncall screenshots clean

demo: $(READY)  ## The whole topology on real footage.
	@deploy/web/install
	@$(BIN)/python -m deploy.demo

test: lint tools  ## Everything that CI runs.
	$(BIN)/python -m pytest -m "not e2e" --durations=10
	$(BIN)/python -m pytest -m "e2e and not kafka" --durations=5
	$(BIN)/python -m pytest -m "contract or kafka" --broker kafka --durations=5

test-unit: $(READY)  ## What needs no broker of its own machine: a few minutes.
	$(BIN)/python -m pytest -m "not e2e"

test-e2e: tools  ## The topology as a whole, on a real broker.
	$(BIN)/python -m pytest -m e2e

test-web: tools  ## The on-call pages in Chromium, served alone and by the running topology.
	$(BIN)/python -m pytest -m web

test-kafka: tools  ## What is promised of every broker, and the faults, on Apache Kafka.
	$(BIN)/python -m pytest -m "contract or kafka" --broker kafka

chaos: tools  ## Faults in many rounds (ROUNDS=20, CHAOS="kill-worker …"): build/chaos.json.
	@$(BIN)/python -m tests.chaos $(CHAOS) $(if $(ROUNDS),--rounds $(ROUNDS))

soak: tools  ## A long steady load (MINUTES=60): build/soak.json.
	@$(BIN)/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES))

eval: $(READY)  ## How good the default bundle is: build/eval.json, build/eval/report.md.
	@test -e build/footage/footage.toml || deploy/footage/install $(BIN)/python
	@test -e build/footage/footage.toml || $(BIN)/python -m deploy.footage
	@$(BIN)/python -m deploy.eval

bench: tools  ## What the topology costs beside a bare loop and beside its peers: build/bench.json.
	@$(BIN)/python -m tests.bench $(BENCH)

bench-core: $(READY)  ## What the pure cores cost: build/bench-core.json.
	@$(BIN)/python -m tests.bench.core

bench-oncall: $(READY)  ## What 10,000 streams cost the on-call view: build/bench-oncall.json.
	@$(BIN)/python -m tests.bench.oncall

screenshots: tools  ## The on-call pages as the README shows them: docs/oncall.
	@$(BIN)/python -m tests.e2e.screenshots

docs: $(READY)  ## Draw docs/decision.md from the transition table.
	$(BIN)/python -m deploy.docs

lint: $(READY)  ## Style, types, which room may import which, known vulnerabilities.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/python -m deploy.audit

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

tools: $(READY)  ## What tests need besides Python: Chromium, kcat, Apache Kafka, the pages' assets.
	@deploy/install-test-tools
	@deploy/web/install
	@deploy/kafka/install

lock:  ## Resolve all dependencies anew; needs `uv`.
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --upgrade -o requirements.lock

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Firebreak needs Python 3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
