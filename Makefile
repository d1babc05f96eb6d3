# otel-ta: one binary, built floor by floor. README.md has the map; 'make help' lists the targets.
# Variants lie beside each other in build/<variant>/: make SANITIZE=address,undefined · SANITIZE=thread · COVERAGE=1 · CC=clang

SHELL := /bin/sh
.DEFAULT_GOAL := all
CC := gcc
CXX := g++
AR := ar
SANITIZE :=
COVERAGE :=
WERROR :=
V :=
S := 60
Q := $(if $(V),,@)

comma := ,
compiler := $(notdir $(firstword $(CC)))
variant := $(if $(SANITIZE),$(subst $(comma),-,$(SANITIZE)),$(if $(COVERAGE),coverage,release))$(filter-out -gcc,-$(compiler))
B := build/$(variant)

# Lower floors first: a floor may use those before it, and is linked before them.
floors := base codec prom http discovery shard serve allocator certs webhook
dir_of = $(if $(filter allocator,$1),allocator,$(if $(filter certs webhook,$1),$1,allocator/$1))
sources_of = $(filter-out webhook/main.c,$(wildcard $(call dir_of,$1)/*.c))
objects_of = $(patsubst %.c,$B/%.o,$(call sources_of,$1)) $(if $(filter prom,$1),$B/allocator/prom/re2_shim.o)
# What a floor may use, top down: the order in which archives are linked.
below_codec := base
below_prom := codec base
below_http := codec base
below_discovery := prom codec base
below_shard := base
below_serve := shard http prom codec base
below_allocator := serve discovery shard http prom codec base
below_certs := base
below_webhook := allocator serve discovery shard http prom codec certs base
archives_upto = $(patsubst %,$B/%.a,$1 $(below_$1))

packages := libh2o-evloop openssl libcurl yaml-0.1 jansson libxxhash re2 zlib
pkg_cflags := $(shell pkg-config --cflags $(packages) 2>/dev/null)
pkg_libs := $(shell pkg-config --libs $(packages) 2>/dev/null) -lstdc++ -lm

warnings := -Wall -Wextra -Wshadow -Wundef -Wcast-qual -Wconversion -Wsign-conversion -Wpointer-arith -Wwrite-strings -Wvla \
  -Wformat=2 -Wnull-dereference -Wimplicit-fallthrough -Wswitch-enum
c_warnings := $(warnings) -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
  $(if $(findstring clang,$(compiler)),-Wthread-safety)
hardening := -O2 -g -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -D_FORTIFY_SOURCE=$(if \
  $(findstring clang,$(compiler)),2,3) -fno-common -fPIE -ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks \
  -fno-strict-overflow
mode := $(if $(SANITIZE),-O1 -g -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all,$(if \
  $(COVERAGE),-O0 -g --coverage,$(hardening)))
cppflags := -D_GNU_SOURCE -DH2O_USE_LIBUV=0 -I. $(pkg_cflags) -include allocator/base/banned.h -MMD -MP
cflags := -std=gnu17 $(c_warnings) $(if $(WERROR),-Werror) $(mode) -pthread
cxxflags := -std=gnu++17 -Wall -Wextra $(mode) -fno-rtti
ldflags := $(if $(SANITIZE)$(COVERAGE),$(mode),-pie -Wl$(comma)-z$(comma)relro -Wl$(comma)-z$(comma)now \
  -Wl$(comma)-z$(comma)noexecstack -Wl$(comma)-z$(comma)separate-code) -Wl,--as-needed -pthread

.PHONY: all help setup run test unit golden integration replay e2e bench fuzz check clean
all: build/otel-ta ## build build/otel-ta

# The binary of the variant that was asked for last, however old it is.
.PHONY: FORCE
build/otel-ta: $B/otel-ta FORCE
	$Q[ $< -ef $@ ] || ln -f $< $@

$B/otel-ta: $B/webhook/main.o $(call archives_upto,webhook)
	@echo "  LINK $@"
	$Q$(CC) -o $@ $^ $(ldflags) $(pkg_libs)

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC   $<")
	$Q$(CC) $(cppflags) $(cflags) -c -o $@ $<

$B/%.o: %.cc Makefile
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CXX  $<")
	$Q$(CXX) -I. -MMD -MP $(pkg_cflags) $(cxxflags) -c -o $@ $<

define floor_rules
$B/$1.a: $(call objects_of,$1)
	$Qrm -f $$@ && $(AR) rcs $$@ $$^
.PHONY: lib-$1 unit-$1
lib-$1: $B/$1.a
tests_$1 := $$(patsubst %.c,$B/%,$$(wildcard tests/unit/$1/*_test.c))
$$(tests_$1): $B/tests/unit/$1/%_test: $B/tests/unit/$1/%_test.o $B/tests/check.o $(call archives_upto,$1)
	@$(if $(V),,echo "  LINK $$@")
	$Q$(CC) -o $$@ $$^ $(ldflags) $(pkg_libs)
unit-$1: $$(tests_$1)
	$Q$(sanitizer_env) prove -e '' $$^
endef
sanitizer_env := ASAN_OPTIONS=abort_on_error=1:detect_leaks=1 LSAN_OPTIONS=suppressions=tests/lsan.supp:print_suppressions=0 \
  TSAN_OPTIONS=halt_on_error=1:suppressions=tests/tsan.supp
$(foreach f,$(floors),$(eval $(call floor_rules,$f)))

unit_tests = $(foreach f,$(floors),$(tests_$f))
golden_tests := $(patsubst %.c,$B/%,$(wildcard tests/golden/*_test.c))
fuzz_names := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
replay_tests := $(patsubst %,$B/tests/fuzz/%,$(fuzz_names))

$(golden_tests): $B/%: $B/%.o $B/tests/check.o $(call archives_upto,webhook)
	$Q$(CC) -o $@ $^ $(ldflags) $(pkg_libs)

$(replay_tests): $B/%: $B/%.o $B/tests/fuzz/replay_main.o $B/tests/check.o $(call archives_upto,webhook)
	$Q$(CC) -o $@ $^ $(ldflags) $(pkg_libs)

$B/tests/bench/%: $B/tests/bench/%.o $(call archives_upto,webhook)
	$Q$(CC) -o $@ $^ $(ldflags) $(pkg_libs)

setup: ## install what building and running needs
	$Qscripts/setup run

run: ## install, build, show the main job on the documentation's example
	$Qscripts/setup run
	$Q$(MAKE) --no-print-directory all
	$Qscripts/demo build/otel-ta

test: ## install, build, run every test that needs no cluster
	$Qscripts/setup test
	$Q$(MAKE) --no-print-directory all programs
	$Qprove -e '' $(unit_tests) $(golden_tests) $(replay_tests) $(sort $(wildcard tests/integration/*.t))

.PHONY: programs
programs: $(unit_tests) $(golden_tests) $(replay_tests) ## build all test programs of this variant

unit: programs ## unit, golden and replay tests of this variant
	$Q$(sanitizer_env) prove -e '' $(unit_tests) $(golden_tests) $(replay_tests)

integration: all ## tests that drive the binary
	$Qprove -e '' $(sort $(wildcard tests/integration/*.t))

e2e: ## real API server, kubectl and collectors
	$Qscripts/setup e2e
	$Q$(MAKE) --no-print-directory all
	$Qtests/e2e/build-servers >/dev/null
	$Qprove -j 2 -e '' $(sort $(wildcard tests/e2e/*.t))

bench: ## measurements, as JSON and a table
	$Qscripts/setup bench
	$Q$(MAKE) --no-print-directory all $(patsubst tests/bench/%.c,$B/tests/bench/%,$(wildcard tests/bench/*.c))
	$Qtests/bench/run

fuzz: ## every fuzz target for S seconds (make fuzz S=60)
	$Qscripts/setup fuzz
	$Qscripts/fuzz $(S) $(fuzz_names)

check: ## house rules and static analysis
	$Qscripts/setup check
	$Qscripts/check

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1	/p' Makefile | expand -t 14

clean:
	rm -rf build

-include $(shell find build/$(variant) -name '*.d' 2>/dev/null)
