# One verb for each thing a person does. Each makes the virtual environment it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo sandbox destroy test faults lint docs bench load clean

help: ## Say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(READY) ## Show the whole pipeline on this machine, no AWS account needed
	@$(BIN)/python -m sandbox demo

sandbox: $(READY) ## Keep the same stack up until Ctrl-C, to play with; another program with ARGS=examples/minimal
	@$(BIN)/python -m sandbox up $(ARGS)

destroy: $(READY) ## Take a stack down, after its model is stopped: the sandbox that is up, else Pulumi's current one
	@$(BIN)/clb destroy $(ARGS)

test: $(READY) ## Run every test, and a part of the fault cases
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "not faults"

faults: $(READY) ## Break the pipeline on purpose, in every fault case, and print the table of what it did
	@$(BIN)/python -m pytest -q -n 4 --dist worksteal tests/faults

lint: $(READY) ## Check style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy .

docs: $(READY) ## Write the generated parts of the documents anew, and the components' schema
	@$(BIN)/python -m docs

bench: $(READY) ## Measure: billed minutes and throughput, what queries read, the report's size and speed
	@$(BIN)/python -m benchmarks.batch_run
	@$(BIN)/python -m benchmarks.analytics
	@$(BIN)/python -m benchmarks.report

load: $(READY) ## Put 10,000 images through the sandbox, and report the memory of each part (Linux)
	@$(BIN)/python -m benchmarks.load

clean: ## Remove what the other verbs made
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(VENV): once, 1.5 GB, one to three minutes ..."
	@$(PYTHON) -m venv $(VENV)
	@{ $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --requirement requirements-dev.txt 2>&1; \
		echo "pip ended with $$?"; } | awk 'BEGIN { printf "  packages fetched:" } \
		/^(Collecting|Processing)/ && ++n % 20 == 0 { printf " %d", n } /^Installing/ { print "; installing them ..." } \
		{ fflush() } /^ERROR/ { print "\n" $$0 } /^pip ended/ { exit $$4 }'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
