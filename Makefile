# What developers and CI call. Each target installs what it needs into .venv first.
# make lint test before a commit; make schema when the API moves; make lock after a changed pin.

SHELL := /bin/sh
VENV ?= $(or $(BRAINOPS_VENV),.venv)
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
# Tools load the settings without a server: the defaults for debugging will do.
FOR_TOOLS := BRAINOPS_DEBUG=1
CHAOS_RESULTS ?= .brainops/chaos.jsonl
ROOMS := brainops integrations automation webhooks
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock"

.PHONY: help develop lint format types imports generated dangers test bench load operations chaos chaos-short contract examples coverage schema lock

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

develop:  ## install the tools for working on BrainOps
	@bin/brainops develop

lint: develop imports types generated dangers  ## everything that can be checked without running the product
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	sh -n bin/brainops
	bash -n .ci/run

format: develop  ## put the code in its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: develop
	$(FOR_TOOLS) $(BIN)/mypy $(ROOMS)

imports: develop
	$(BIN)/lint-imports --config .importlinter

generated: develop  ## migrations and schema are what the code says
	$(FOR_TOOLS) $(PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(FOR_TOOLS) $(PYTHON) manage.py export_schema --check

dangers: develop  ## calls that bandit knows to be dangerous; its baseline stands in pyproject.toml
	$(BIN)/bandit -q -r -ll -c pyproject.toml manage.py $(ROOMS)

test:  ## the fast suite, on servers of its own
	bin/brainops test

bench: develop  ## the figures of docs/, on this machine
	$(PYTHON) -m benchmarks

load: develop  ## many workflows of every shape at once, for 90 s: what was kept and how fast
	$(PYTHON) -m benchmarks.load $(LOAD)

operations: develop  ## what docs/operations.md says, done: its commands, backup and restore
	$(PYTHON) -m pytest -n0 -m "slow or not slow" tests/operations

chaos: develop  ## kill what can be killed, and count what was lost: the table of docs/reliability.md
	mkdir -p "$(dir $(CHAOS_RESULTS))" && rm -f "$(CHAOS_RESULTS)"
	CHAOS_RESULTS="$(CHAOS_RESULTS)" $(PYTHON) -m pytest -n0 -m slow -k "not a_few_kills" tests/chaos
	$(PYTHON) -m tests.chaos.table "$(CHAOS_RESULTS)"

chaos-short: develop  ## the part of it that CI plays, in about 90 seconds
	CHAOS_SECONDS=15 $(PYTHON) -m pytest -n0 -m chaos_short tests/chaos

examples: develop  ## record the examples of the OpenAPI document anew, and write it
	RECORD_EXAMPLES=1 $(PYTHON) -m pytest -n0 tests/api/test_examples.py -k story
	BRAINOPS_DEBUG=1 $(PYTHON) manage.py export_schema

contract: develop  ## requests made from the OpenAPI document: about a minute
	$(PYTHON) -m pytest -n0 -m slow tests/contract

coverage: develop  ## branches that no test goes through: docs/coverage.md
	$(PYTHON) -m coverage erase
	$(PYTHON) -m coverage run -m pytest -n0 $(or $(ONLY),brainops automation webhooks integrations tests/security tests/api)
	$(PYTHON) -m coverage combine -q
	$(PYTHON) -m coverage report --skip-covered

schema: develop  ## write the API's OpenAPI document from the code
	$(FOR_TOOLS) $(PYTHON) manage.py export_schema

lock:  ## resolve the pins anew; needs uv
	$(COMPILE) requirements.txt -o requirements.lock
	$(COMPILE) requirements-embedded.txt -c requirements.lock -o requirements-embedded.lock
	$(COMPILE) requirements-dev.txt -c requirements.lock -c requirements-embedded.lock -o requirements-dev.lock
