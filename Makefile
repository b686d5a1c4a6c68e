# `make demo` and `make test` need Python 3.11 or newer and make; everything else comes into .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed-from-constraints

.PHONY: help demo test slow lint format bench gpu gpu-wheels fuzz clean \
	extras extras-python extras-npm extras-mediapipe extras-vela extras-kotlin extras-arm64 extras-museum extras-pythons
.DEFAULT_GOAL := help

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Both variables: pip before 25.3 takes the first for build requirements too, later ones the second.
$(STAMP): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "resnet-edge needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 \
		$(BIN)/python -m pip install --quiet --editable '.[convert,tfmot,dev]'
	@touch $@

demo: $(STAMP)  ## Convert the bundled ResNet-20 on its bundled data, with proof, into demo/
	$(BIN)/resnet-edge convert --out demo --overwrite

# Where a process of the tests dies, pytest-xdist starts another, loses what was left of the file and waits for it
# for ever; without another it ends, and names the test that ran (https://github.com/pytest-dev/pytest-xdist/issues/1378).
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --max-worker-restart 0 --durations=10

test: $(STAMP)  ## Run the test suite, without the slow tests
	$(PYTEST) -m "not slow"

slow: $(STAMP)  ## Run the slow tests
	$(PYTEST) -m slow

lint: $(STAMP)  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)  ## Format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

# What only the tests of samples/ use: types to check them with, and a decoder of photos.
JAVASCRIPT_CHECKS := typescript@5.9.3 @types/node@20.19.0 sharp@0.34.5

# The backends that are large or rare. npm puts its packages into the environment as well; MediaPipe, Arm's
# compiler Vela, Kotlin's compiler (for tests) and the runtimes for aarch64 get one of their own each inside it. None needs another: with
# `make --keep-going extras` one that cannot be had here does not keep the rest away.
extras: extras-python extras-npm extras-mediapipe extras-vela extras-kotlin extras-arm64 extras-pythons  ## Add every optional runtime to .venv, 3.0 GB (JavaScript needs npm, Node.js and Chromium; ARM apt-get)

extras-python: $(STAMP)
	PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 \
		$(BIN)/python -m pip install --quiet --editable '.[openvino,iree,jax,web,micro,parquet,cluster,search]'

extras-npm: $(STAMP)
	$$($(BIN)/python -m resnet_edge.backends._web.packages) $(JAVASCRIPT_CHECKS) --no-audit --no-fund

extras-mediapipe: $(STAMP)
	PIP_DISABLE_PIP_VERSION_CHECK=1 sh -c \
		"$$($(BIN)/python -m resnet_edge.backends._mediapipe_environment) --quiet"

extras-vela: $(STAMP)
	PIP_DISABLE_PIP_VERSION_CHECK=1 sh -c \
		"$$($(BIN)/python -m resnet_edge.bundle.delegates._vela_environment) --quiet"

extras-kotlin: $(STAMP)
	PIP_DISABLE_PIP_VERSION_CHECK=1 sh -c "$$($(BIN)/python -m tests.bundle.samples.kotlin_compiler)"

extras-arm64: $(STAMP)
	PIP_DISABLE_PIP_VERSION_CHECK=1 sh -c "$$($(BIN)/python -m resnet_edge.backends._arm64_environment)"

# For tests: the versions of Python that are on PATH or in pyenv, each with a runtime of its time.
extras-pythons: $(STAMP)
	PIP_DISABLE_PIP_VERSION_CHECK=1 sh -c "$$($(BIN)/python -m tests.bundle.samples.interpreters)"

# Runtimes that apps have and we do not: each needs the Python of its time, 3.8 to 3.11 (on PATH, of pyenv or uv).
# Not one of `extras`, as it is 1.9 GB of old wheels that only proofs of old apps need.
extras-museum: $(STAMP)  ## Add environments of old runtimes for the backends with an @, 1.9 GB
	$(BIN)/python -m resnet_edge.backends._pinned_environment $(RUNTIMES)

# What needs no argument and no other environment; benchmarks/README.md has the others.
BENCHMARKS := overhead overflow int8_latency convert_cost train_step gpu_quantized

bench: $(STAMP)  ## Measure what benchmarks/ measures; takes minutes and wants a quiet machine
	set -e; for script in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$script; done

# A machine with a GPU that has no registry: `make gpu-wheels WHEELS=DIR PYTHON=python3.12` elsewhere, with the
# Python and the processor of that machine, and `make gpu WHEELS=DIR PYTHON=python3.12` there. Wheels go into a
# folder of their own before what is installed there already, which is used as it is.
WHEELS      ?=
GPU_WORK    ?= $(CURDIR)/build/gpu
GPU_SITE    := $(CURDIR)/build/gpu-site
GPU_OPTIONS ?=

gpu: $(if $(WHEELS),$(GPU_SITE)/.installed,$(STAMP))  ## Run every GPU row of bench, verify and convert in under ten minutes (WHEELS=DIR where there is no registry)
	$(if $(WHEELS),PYTHONPATH="$(GPU_SITE):$(CURDIR)" "$(PYTHON)",$(BIN)/python) -m benchmarks.gpu "$(GPU_WORK)" --keep $(GPU_OPTIONS)

# --no-deps: onnxruntime-gpu is there in place of onnxruntime. What is not compiled here is compiled anew by every
# worker, which may write nothing.
$(GPU_SITE)/.installed:
	"$(PYTHON)" -m pip install --quiet --no-index --no-deps --upgrade --target "$(GPU_SITE)" "$(WHEELS)"/*.whl
	@touch $@

gpu-wheels:  ## Put into WHEELS=DIR what `make gpu` needs on a machine without a registry: 3.4 GB for CUDA 13
	@test -n "$(WHEELS)" || { echo "name a folder: make gpu-wheels WHEELS=DIR PYTHON=python3.12" >&2; exit 1; }
	"$(PYTHON)" -m pip wheel --quiet --wheel-dir "$(WHEELS)" --constraint constraints.txt \
		'.[convert,jax]' 'jax[cuda13]' 'onnxruntime-gpu[cuda,cudnn]'
	rm -f "$(WHEELS)"/onnxruntime-[0-9]*.whl

FUZZ_SECONDS ?= 3600

fuzz: $(STAMP)  ## Give changed files to every reader for FUZZ_SECONDS (make fuzz FUZZ_SECONDS=60); what it finds is in fuzz-found/
	$(BIN)/python -W ignore -m tests.hostile.fuzz $(FUZZ_SECONDS)

clean:  ## Remove what make made
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
