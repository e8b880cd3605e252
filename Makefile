# make demo   sets everything up and runs real Airflow DAGs that wait on and start tasks of five products, emulated
# make unit   sets everything up and runs the tests that need no Airflow, in less than a minute
# make test   sets everything up and runs all tests: without Airflow, and those that need it on the newest and on 2.11
# make test-on AIRFLOW=3.1   runs the tests on the newest patch release of that Airflow
# make lint   format, lint, types, and which layer may import which
# make docs-tables generates the tables of README and docs from the catalog
# make format mends what ruff can mend
# make build  builds the sdist and the wheel, and checks each in a fresh environment, with the newest Airflow and 2.11
# make docs   builds the documentation site into docs/_build/html; make docs-screenshots takes its screenshots anew,
#             docs-dashboard the picture of the dashboard

PYTHON ?= python3
NEWEST := .venv
UNIT := .venv-unit

# Keep compiled modules. The tests start dozens of processes of Airflow, and each would compile Airflow anew otherwise.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo unit test test-on lint format docs docs-dashboard docs-screenshots docs-tables build clean
.DELETE_ON_ERROR:

demo: $(NEWEST)/demo-ready
	$(NEWEST)/bin/python demo.py

# The tests that need no Airflow, in an environment that has none.
unit: $(UNIT)/ready
	@echo "==> Tests without Airflow"
	COVERAGE_FILE=.coverage.unit $(UNIT)/bin/python -m pytest --numprocesses=2 --no-loadscope-reorder \
		--dist=loadfile $(MEASURED) -m "not airflow"

# Both Airflows at once: much of a test of waiting is waiting. The tests that need no Airflow run once, without any.
test:
	@$(POSTGRESQL_READY)
	@$(MAKE) --no-print-directory MEASURED='--cov --cov-report=' unit
	@$(AT_ONCE) --jobs=4 MEASURED='--cov --cov-report=' \
		scheduled-newest scheduled-2.11 in-airflow-newest in-airflow-2.11
	@echo "==> Coverage of all runs"
	@$(NEWEST)/bin/coverage combine --quiet --keep .coverage.unit .coverage.newest .coverage.2.11
	@$(NEWEST)/bin/python tools/coverage_gate.py

# Any other Airflow, and any choice of tests: make test-on AIRFLOW=3.1 TESTS=tests/unit
AIRFLOW ?= newest
TESTS ?= tests

test-on:
	@$(AT_ONCE) --jobs=2 scheduled-$(AIRFLOW) others-$(AIRFLOW)

AT_ONCE = $(MAKE) --no-print-directory --output-sync=line
environment = $(if $(filter newest,$*),$(NEWEST),.venv-$*)
PYTEST = $(environment)/bin/python -m pytest $(TESTS)
# A choice of tests may have none of one of the two kinds. pytest ends with 5 then.
MAY_BE_NONE = $(if $(filter tests,$(TESTS)),,|| [ $$? = 5 ])

# The tests of Airflow's pages need Chromium, or CHROMIUM that names one. Root on Debian gets it installed; on other
# machines without one, these tests alone are left out, and a line says so. .ci/run never leaves them out.
CHROMIUM_READY = [ -n "$$CHROMIUM" ] || command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] \
	&& command -v apt-get >/dev/null && echo "==> Installing Chromium" && apt-get update -qq \
	&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; }
# The real Airflow of the tests runs on PostgreSQL; on a machine without one, on SQLite.
POSTGRESQL_READY = ls -d /usr/lib/postgresql/*/bin >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] \
	&& command -v apt-get >/dev/null && echo "==> Installing PostgreSQL" && apt-get update -qq \
	&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null; } || true
BROWSER_TESTS := tests/ui/test_connection_form.py tests/ui/test_task_page.py

.SECONDEXPANSION:
# All the tests in one real `airflow standalone`, one after the other: no other tests take as long.
scheduled-%: $$(environment)/test-ready
	@echo "==> Tests in a real Airflow: $*"
	@if [ $* != newest ] || $(CHROMIUM_READY); then without=; else without="$(BROWSER_TESTS:%=--ignore=%)"; \
		echo "==> WITHOUT $(BROWSER_TESTS): install Chromium (apt-get install chromium), or set CHROMIUM=/its/path"; fi; \
	$(PYTEST) -m scheduler $$without $(MAY_BE_NONE)

# The other tests, in three processes, which mostly wait and leave the processors to those.
others-%: $$(environment)/test-ready
	@echo "==> The other tests on Airflow $*"
	$(OTHERS) -m "not scheduler" $(MAY_BE_NONE)

# Those of them that need Airflow. The recipe of CONTRIBUTING.md is one for the newest; reading by feeds and by queues is
# simulated, and no version of Airflow has a part in it.
in-airflow-%: $$(environment)/test-ready
	@echo "==> The other tests that need Airflow, on Airflow $*"
	$(OTHERS) -m "airflow and not scheduler" $(if $(filter newest,$*),,$(ONLY_ON_NEWEST:%=--ignore=%)) $(MAY_BE_NONE)

ONLY_ON_NEWEST := tests/recipe tests/unit/test_reading_doorbells.py tests/unit/test_reading_feeds.py
OTHERS = COVERAGE_FILE=.coverage.$* nice -n 5 $(PYTEST) --numprocesses=3 --no-loadscope-reorder --dist=loadfile $(MEASURED)

lint: $(NEWEST)/test-ready
	@echo "==> Format, lint, types"
	$(NEWEST)/bin/ruff format --check .
	$(NEWEST)/bin/ruff check .
	$(NEWEST)/bin/mypy
	$(NEWEST)/bin/lint-imports --no-logo
	$(NEWEST)/bin/python tools/docs_tables.py --check

format: $(NEWEST)/test-ready
	$(NEWEST)/bin/ruff format .
	$(NEWEST)/bin/ruff check --fix .

docs-tables: $(NEWEST)/test-ready
	$(NEWEST)/bin/python tools/docs_tables.py

build: $(NEWEST)/bin/uv
	$(NEWEST)/bin/python tools/check_build.py

docs: $(NEWEST)/docs-ready
	@echo "==> Documentation"
	@rm -rf docs/_build
	$(NEWEST)/bin/python -m sphinx --builder html --fail-on-warning --nitpicky --keep-going --quiet docs docs/_build/html
	@echo "==> docs/_build/html/index.html"

# Debian's Prometheus answers the dashboard's queries.
docs-dashboard: $(NEWEST)/docs-ready $(NEWEST)/test-ready
	@echo "==> Picture of the dashboard (a minute)"
	$(NEWEST)/bin/python docs/dashboard_picture.py

docs-screenshots: $(NEWEST)/docs-ready $(NEWEST)/test-ready
	@echo "==> Screenshots of the terminal and of the tutorial (a few minutes)"
	$(NEWEST)/bin/python docs/terminal.py
	$(NEWEST)/bin/python docs/screenshots.py

clean:
	rm -rf .venv .venv-* .demo dist docs/_build

# An environment for any Airflow: .venv has the newest, .venv-3.1 the newest 3.1.
%/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 …")'
	@echo "==> Making the virtual environment $*"
	$(PYTHON) -m venv $*
	$(@D)/pip install --quiet --disable-pip-version-check uv
.PRECIOUS: %/bin/uv .venv-%/test-ready

# pyproject.toml has the dependencies, __init__.py the version.
$(NEWEST)/demo-ready: $(NEWEST)/bin/uv pyproject.toml airflow_cloudtasks/__init__.py
	@echo "==> Installing the newest Airflow and this package (about a minute)"
	$(NEWEST)/bin/uv pip install --quiet --python $(NEWEST)/bin/python --editable '.[emulator]'
	@touch $@

$(NEWEST)/test-ready: $(NEWEST)/demo-ready
	@echo "==> Installing the test tools and the vendors' own clients (a minute or two)"
	$(NEWEST)/bin/uv pip install --quiet --python $(NEWEST)/bin/python --editable '.[openlineage,messaging]' --group test --group browser --group vendor-clients --group lint
	@touch $@

$(NEWEST)/docs-ready: $(NEWEST)/demo-ready
	@echo "==> Installing Sphinx and its theme"
	$(NEWEST)/bin/uv pip install --quiet --python $(NEWEST)/bin/python --group docs
	@touch $@

# These versions of Airflow allow newer ones, with which their API server refuses every start of a task.
WORKS_WITH_3.0 := 'fastapi<0.130'
WORKS_WITH_3.2 := 'fastapi<0.137' 'svcs<26'

.venv-%/test-ready: .venv-%/bin/uv pyproject.toml airflow_cloudtasks/__init__.py
	@echo "==> Installing Airflow $*, this package, the test tools and the vendors' own clients (a minute or two)"
	$(<D)/uv pip install --quiet --python $(<D)/python 'apache-airflow==$*.*' $(WORKS_WITH_$*) --editable '.[emulator,openlineage]' \
		--group test --group vendor-clients
	@touch $@

$(UNIT)/ready: $(UNIT)/bin/uv pyproject.toml airflow_cloudtasks/__init__.py
	@echo "==> Installing this package without Airflow, the test tools and the vendors' own clients (a minute)"
	$(UNIT)/bin/uv pip install --quiet --python $(UNIT)/bin/python --no-deps --editable .
	$(UNIT)/bin/uv pip install --quiet --python $(UNIT)/bin/python --group unit
	@touch $@
