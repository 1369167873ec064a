# SPDX-License-Identifier: Apache-2.0
# The front door. Each target installs what it needs (tools/setup), builds what changed, and says nothing else.
.DEFAULT_GOAL := help
.PHONY: help run test quick asan tsan fuzz bench lint format clean
MAKEFLAGS += --no-print-directory

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: ## build Tidewire and serve the demo at http://127.0.0.1:8080/
	@tools/setup build
	@tools/build release tidewire
	@echo "Events are kept in $(CURDIR)/tidewire-data; remove it to start empty."
	@exec build/release/tidewire serve examples/social/asyncapi.yaml --config examples/social/tidewire.yaml

test: ## build and run every test: plain, address and undefined sanitizers, thread sanitizer, fuzzers
	@tools/setup test
	@tools/test all

quick: ## unit tests and house checks: after an edit
	@tools/setup test
	@tools/test quick

asan: ## unit, simulation and integration tests under the address and undefined sanitizers
	@tools/setup test
	@tools/test asan

tsan: ## what has threads, under the thread sanitizer
	@tools/setup test
	@tools/test tsan

fuzz: ## every fuzzer for FUZZ_SECONDS (20) each; FUZZ="name_fuzz ..." picks some
	@tools/setup test
	@tools/fuzz $(FUZZ)

bench: ## the measured claims, each a ratio to a baseline of the same run
	@tools/setup build
	@tools/build release
	@python3 -B bench/run.py

lint: ## clang-tidy and clang-format; LINT_FILES="src/a.cc ..." picks some
	@tools/setup test
	@tools/lint $(LINT_FILES)

format: ## lay out every source file
	@tools/setup test
	@tools/lint --format

clean: ## remove everything that was built
	@rm -rf build
