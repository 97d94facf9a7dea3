# Two commands matter: `make run` and `make test`. Both install what they need.

# The first Python of 3.11 or later that works; or say PYTHON=/path/to/python.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/development.txt
AUDIT := .venv-audit
AUDIT_LOCK := requirements/audit.txt
NU := tests/browser/vnu
PORT ?= 8000
CAMPAIGN ?= campaign

.PHONY: run coalition test bench audit screenshots browser check install lock clean

# The settings of a site that somebody tries out on this machine.
run coalition: export COALITION_DATABASE_URL ?= sqlite:///instance/coalition.db
run coalition: export COALITION_SITE_URL ?= http://127.0.0.1:$(PORT)
run coalition: export COALITION_MAIL_URL ?= maildir:instance/mail
run coalition: export COALITION_MAIL_FROM ?= Petition <petition@example.org>
SECRETS = umask 077; mkdir -p instance; \
	test -s instance/secret-keys || $(BIN)/coalition keys new > instance/secret-keys; \
	export COALITION_SECRET_KEYS="$${COALITION_SECRET_KEYS:-$$(cat instance/secret-keys)}"

run: install ## The site on http://127.0.0.1:8000, with the example campaign
	@case "$(PORT)" in ''|*[!0-9]*) echo "PORT must be a number"; exit 1;; esac; $(SECRETS); \
	$(BIN)/coalition db upgrade && $(BIN)/coalition campaign load --if-none $(CAMPAIGN) && \
	case "$$COALITION_MAIL_URL" in maildir:*) \
		echo "Mail is not sent, but can be read: $$COALITION_SITE_URL/dev/mail";; esac && \
	exec $(BIN)/coalition serve --port $(PORT)

coalition: install ## A command for that site: make coalition DO="tally verify"
	@$(SECRETS); $(BIN)/coalition $(DO)

test: check browser ## Every check and test, on real parts that it brings itself
	$(BIN)/pytest --numprocesses 2 --dist loadgroup

bench: install ## What the site carries, as ratios to its limits (needs wrk)
	@$(BIN)/python -m bench $(BENCH)

# Not a part of the tests: the answer changes from one day to the next, and needs the network.
audit: ## Whether a weakness is known of any package that the site or its tests use
	@cmp -s $(AUDIT_LOCK) $(AUDIT)/installed.txt || { $(PYTHON) -m venv --clear $(AUDIT) \
		&& $(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(AUDIT_LOCK) \
		&& cp $(AUDIT_LOCK) $(AUDIT)/installed.txt; }
	$(AUDIT)/bin/pip-audit --strict --disable-pip --no-deps --require-hashes -r $(LOCK)

screenshots: install browser ## Pictures of the main pages, in screenshots/
	@$(BIN)/python -m tests.browser.screenshots

# Chromium: the one that CHROMIUM names, one on the PATH, or as root on Debian a new one. With
# Java and npm, the Nu checker too, which reads HTML more strictly than Python's html5lib.
browser: install
	@$(BIN)/python -m tests.browser.chromium
	@if command -v java >/dev/null && command -v npm >/dev/null; then \
		cmp -s $(NU)/package-lock.json $(NU)/node_modules/installed.json || { \
			echo "Installing the Nu HTML checker (once, and when its lock changes)"; \
			npm ci --prefix $(NU) --ignore-scripts --no-audit --no-fund --silent --fetch-retries 0 \
			&& cp $(NU)/package-lock.json $(NU)/node_modules/installed.json \
			|| echo "It cannot be fetched; html5lib reads the pages in its place"; \
		}; \
	fi

check: install ## The linters alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/shellcheck deploy/*.sh .ci/run

# Nothing is installed again while the lock stays as it is.
install:
	@cmp -s $(LOCK) $(VENV)/installed.txt || $(MAKE) --no-print-directory $(VENV)/fresh

$(VENV)/fresh:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install it, or say make PYTHON=/path/to/python"; exit 1; }
	@echo "Installing into $(VENV) (once, and when the lock changes)"
	@$(PYTHON) -m venv --clear $(VENV) || { echo "The venv module of Python is needed (on Debian: apt install python3-venv)"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@cp $(LOCK) $(VENV)/installed.txt

# New versions of everything, for every platform and Python at once. Needs `uv` on the PATH.
lock:
	uv pip compile pyproject.toml --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o requirements/runtime.txt
	uv pip compile pyproject.toml --group dev --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links -q \
		-c requirements/runtime.txt -o requirements/development.txt
	uv pip compile --group audit --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o $(AUDIT_LOCK)

clean: ## Remove the environment and all caches; instance/ stays
	rm -rf $(VENV) $(AUDIT) $(NU)/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
