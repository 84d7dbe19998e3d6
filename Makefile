# Two commands for a newcomer: `make demo` and `make test`. Both install what they need into .venv first.
PYTHON ?= python3
BIN := .venv/bin
# Test processes at once, each with a MongoDB and a Redis of its own: most tests wait more than they compute.
WORKERS ?= 3
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup demo test lint browser clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## .venv with the pinned requirements and compiled translations
	@$(PYTHON) scripts/install.py

demo: setup ## everything on this machine: databases, web, workers, a demo shop; Ctrl-C stops it all
	@python -m mmproject.stack demo

lint: setup ## ruff, format, types, who may import whom
	@$(PYTHON) scripts/install.py --dev
	ruff check .
	ruff format --check .
	mypy ml mmproject crawler annotation evaluation
	lint-imports

browser: setup
	@$(PYTHON) scripts/install.py --dev --browser

test: lint browser ## lint, then every test on both Mongo engines
	python -m pytest -n $(WORKERS) --dist loadfile
	MONGO_ENGINE=django_mongodb_backend python -m pytest -n $(WORKERS) --dist loadfile --ignore tests/ml

clean: ## forget all state: databases, pictures, models, secrets
	rm -rf var
