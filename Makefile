# Two commands are enough: `make run` and `make test`. Windows users find the same in README.md.
SHELL := bash
.SHELLFLAGS := -o pipefail -c
PYTHON ?= python3
BIN := .venv/bin
RUN := .venv/.runs
TESTS := .venv/.tests
NODE := .venv/.node
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm

.PHONY: run serve test test-slow check bench models clean

run: $(RUN)  ## install what the app needs and start it on http://localhost:8501
	$(BIN)/streamlit run app/server.py

serve: $(RUN)  ## the same for a class room: reachable from other machines, at HOST (this machine's name)
	$(BIN)/streamlit run app/server.py --server.address 0.0.0.0 --browser.serverAddress $(or $(HOST),$(shell hostname))

test: $(TESTS) $(NODE)  ## install what tests need and run them all, in two processes: a browser mostly waits
	$(NPM) test --silent
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

test-slow: $(TESTS)  ## what takes minutes: a wheel, killed processes, figures measured again
	$(BIN)/python -m pytest -m slow

check: $(TESTS) $(NODE)  ## style, types, import rules, of Python and of the browser's code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPM) run check --silent

bench: $(TESTS)  ## measure what README.md claims, on a quiet machine, into docs/MEASURED.md; takes minutes
	for table in drag latent_map playback load start training; do $(BIN)/python -m benchmarks.$$table || exit 1; done | tee docs/MEASURED.md

models: $(RUN)  ## train and evaluate every model of the collection that pretrained/ lacks; takes hours, stopped it goes on
	$(BIN)/python -m vae_core train-all

clean:  ## forget the environment and caches; trained models stay
	rm -rf .venv node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(RUN): requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	touch $@

$(TESTS): requirements-dev.txt requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(RUN)

# Node and npm come with requirements-dev.txt, as a wheel; the app itself needs neither.
$(NODE): package.json package-lock.json $(TESTS)
	$(NPM) ci --no-progress
	touch $@
