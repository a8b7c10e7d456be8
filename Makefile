# Every target is a command of tools/ltv.py, which explains itself: python3 tools/ltv.py --help
# PG=15 chooses Debian's PostgreSQL 15, PG=16 our own 16, PG_CONFIG=/path/to/pg_config any other; without them: our own 18.
export PG PG_CONFIG

LTV := python3 tools/ltv.py

.DEFAULT_GOAL := help
.PHONY: help demo psql test bench build proof coverage install stop clean distclean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## build, start a throw-away server and run the demo on it
	@$(LTV) demo

psql: ## open psql on the demo database
	@$(LTV) psql

test: ## run the whole test suite on PostgreSQL 18 and 15; ARGS="--suite regress -k name" runs a part
	@$(LTV) test $(ARGS)

bench: ## run the benchmark; ARGS go to bench/run.py
	@$(LTV) bench $(ARGS)

proof: ## print every number compared with R beside ours, and the largest difference of each kind
	@$(LTV) proof $(ARGS)

coverage: ## simulate how often the 95 % intervals hold the truth (minutes; not part of the tests)
	@$(LTV) coverage $(ARGS)

build: ## compile and install into our own server only
	@$(LTV) build

install: ## install into an existing server: make install PG_CONFIG=/path/to/pg_config
	@$(LTV) install

stop: ## stop the servers that these targets have started
	@$(LTV) stop

clean: ## stop and remove their clusters; the build cache stays
	@$(LTV) clean

distclean: ## remove the build cache and the downloaded servers too
	@$(LTV) distclean
