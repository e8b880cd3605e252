# make demo   sets everything up and runs a real Airflow DAG that waits on all five APIs of the emulator
# make test   sets everything up and runs the tests, on the newest Airflow and on 2.11
# make lint   format, lint and types

PYTHON ?= python3
NEWEST := .venv
OLDEST := .venv-2.11

.PHONY: demo test test-newest test-oldest lint clean
.DELETE_ON_ERROR:

demo: $(NEWEST)/demo-ready
	$(NEWEST)/bin/python demo.py

# Both at once: much of a test of waiting is waiting.
test:
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line test-newest test-oldest

test-newest: $(NEWEST)/test-ready
	@echo "==> Tests on the newest Airflow"
	$(NEWEST)/bin/python -m pytest

test-oldest: $(OLDEST)/test-ready
	@echo "==> Tests on Airflow 2.11"
	$(OLDEST)/bin/python -m pytest

lint: $(NEWEST)/test-ready
	@echo "==> Format, lint, types"
	$(NEWEST)/bin/ruff format --check .
	$(NEWEST)/bin/ruff check .
	$(NEWEST)/bin/mypy

clean:
	rm -rf $(NEWEST) $(OLDEST) .demo

$(NEWEST)/bin/uv $(OLDEST)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 …")'
	@echo "==> Making the virtual environment $(patsubst %/bin/uv,%,$@)"
	$(PYTHON) -m venv $(patsubst %/bin/uv,%,$@)
	$(@D)/pip install --quiet --disable-pip-version-check uv

$(NEWEST)/demo-ready: $(NEWEST)/bin/uv pyproject.toml
	@echo "==> Installing the newest Airflow and this package (about a minute)"
	$(NEWEST)/bin/uv pip install --quiet --python $(NEWEST)/bin/python --editable '.[emulator]'
	@touch $@

$(NEWEST)/test-ready: $(NEWEST)/demo-ready pyproject.toml
	@echo "==> Installing the test tools and the vendors' own clients (a minute or two)"
	$(NEWEST)/bin/uv pip install --quiet --python $(NEWEST)/bin/python --group test --group vendor-clients --group lint
	@touch $@

$(OLDEST)/test-ready: $(OLDEST)/bin/uv pyproject.toml
	@echo "==> Installing Airflow 2.11, this package, the test tools and the vendors' own clients (a minute or two)"
	$(OLDEST)/bin/uv pip install --quiet --python $(OLDEST)/bin/python 'apache-airflow==2.11.*' --editable '.[emulator]' \
		--group test --group vendor-clients
	@touch $@
