# otel-ta: one binary, built floor by floor. README.md has the map; 'make help' lists the targets.
# Variants lie beside each other in build/<variant>/, so no 'make clean' is needed between them:
#   make · make SANITIZE=address,undefined · make SANITIZE=thread · make CHECK=1 · make COVERAGE=1 · make MUTANTS=1 · make CC=clang · make WERROR=1
# CHECK=1 defines OTEL_TA_CHECK: the program then looks after its own invariants, whatever that costs.

CC := gcc
S := 60
N := 100
# Said on the command line or not at all: the environment does not choose.
$(foreach v,SANITIZE COVERAGE CHECK MUTANTS FUZZ WERROR VALGRIND V BENCH SEED IN,$(eval $v :=))
Q := $(if $(V),,@)
say = $(if $(V),:,printf '  %-5s %s\n')

comma := ,
is_clang := $(findstring clang,$(notdir $(firstword $(CC))))
CXX := $(if $(is_clang),clang++,g++)
sanitizers := $(if $(FUZZ),fuzzer-no-link$(comma)address$(comma)undefined,$(SANITIZE))
kind := $(if $(FUZZ),fuzz,$(if $(SANITIZE),$(subst $(comma),-,$(SANITIZE)),$(if $(COVERAGE),coverage,$(if $(MUTANTS),mutants,release))))
variant := $(kind)$(if $(CHECK),-check)$(if $(is_clang),$(if $(FUZZ),,-clang))$(if $(WERROR),-werror)
B := build/$(variant)

# Lower floors first, and what each may use, in the order in which archives are linked. scripts/check-layers reads this table;
# the tests of a floor link what is named here and nothing else (client's test plays its peer with http's server).
floors := base codec shard http prom kube scrape discovery client tenant watch serve engine certs text rewrite admission cli webhook
below_codec := base
below_shard := base
below_http := codec base
below_prom := codec base
below_kube := codec base
below_scrape := kube prom codec base
below_discovery := scrape kube prom codec base
below_client := http scrape kube prom codec base
below_tenant := shard scrape kube prom codec base
below_watch := discovery client scrape kube prom codec base
below_serve := tenant shard scrape kube prom http codec base
below_engine := serve tenant discovery shard scrape kube prom http codec base
below_certs := base
below_text := codec base
below_rewrite := text tenant shard scrape kube prom codec base
below_admission := rewrite text tenant shard scrape kube prom http codec base
below_cli := rewrite text engine serve watch tenant discovery client shard scrape kube prom http codec certs base
below_webhook := cli admission rewrite text engine serve watch tenant discovery client shard scrape kube prom http codec certs base
archives_upto = $(patsubst %,$B/%.a,$1 $(below_$1))
folder_of = $(if $(filter certs webhook,$1),$1,$(if $(filter text rewrite admission cli,$1),webhook/$1,allocator/$1))
folders = $(foreach f,$(floors),$f:$(call folder_of,$f))
objects_of = $(patsubst %,$B/%.o,$(basename $(filter-out %_main.c webhook/main.c webhook/buildinfo.c,$(wildcard $(call folder_of,$1)/*.c $(call folder_of,$1)/*.cc))))
objects = $(foreach f,$(floors),$(call objects_of,$f)) $B/webhook/main.o

packages := libh2o-evloop openssl
archived := yaml-0.1 jansson libxxhash re2 libdeflate
archived_libs := $(shell pkg-config --libs $(archived) 2>/dev/null) -lstdc++
package_libs := $(shell pkg-config --libs $(packages) 2>/dev/null) -lm

warnings := -Wall -Wextra -Wshadow -Wundef -Wcast-qual -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
  -Wold-style-definition -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wimplicit-fallthrough \
  $(if $(sanitizers)$(COVERAGE),,-Wnull-dereference) \
  $(if $(is_clang),-Wthread-safety) $(if $(WERROR),-Werror)
cpu := $(if $(filter x86_64,$(shell uname -m)),-fcf-protection=full)
hardening := -O2 -g -fstack-protector-strong -fstack-clash-protection $(cpu) -D_FORTIFY_SOURCE=$(if $(is_clang),2,3) -fno-common \
  -fPIE $(if $(is_clang),,-ftrivial-auto-var-init=zero) -fno-delete-null-pointer-checks -fno-strict-overflow
mode := $(if $(sanitizers),-O1 -g -fno-omit-frame-pointer -fsanitize=$(sanitizers) -fno-sanitize-recover=all,$(if \
  $(COVERAGE),-O0 -g --coverage,$(hardening) $(if $(MUTANTS),-g0 -fPIC -w)))
cppflags := -D_GNU_SOURCE -DH2O_USE_LIBUV=0 -I. $(shell pkg-config --cflags $(packages) $(archived) 2>/dev/null)
cflags := -std=gnu17 -include allocator/base/banned.h $(warnings) $(mode) $(if $(CHECK),-DOTEL_TA_CHECK=1) -pthread
cxxflags := -std=gnu++17 -O2 -Wall -Wextra $(if $(WERROR),-Werror) $(filter-out -O0 -O1,$(mode)) -fno-rtti
ldflags := $(if $(sanitizers)$(COVERAGE),$(mode),-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code) \
  -Wl,--as-needed -pthread
link = $Q$(say) LINK $@ && mkdir -p $(@D) && $(CC) -o $@ $^ $(ldflags) $(archived_libs) $(package_libs)

all: build/otel-ta pages ## build build/otel-ta, its man page and completions

# The link is looked at each time: its age does not say of which variant it is.
build/otel-ta: $B/otel-ta always
	$Q[ $< -ef $@ ] || ln -f $< $@

# Man page and completions come from the tables of the command line, by a program that is linked with them.
pages := build/otel-ta.1 build/completions/otel-ta.bash build/completions/_otel-ta build/completions/otel-ta.fish
pages: $(pages)
build/otel-ta.1: page = man "$$(scripts/version --date)"
build/completions/otel-ta.bash: page := bash
build/completions/_otel-ta: page := zsh
build/completions/otel-ta.fish: page := fish
$(pages): $B/pages
	$Qmkdir -p $(@D) && $(say) PAGE $@ && $< $(page) >$@.new && mv $@.new $@

$B/pages: $B/webhook/pages_main.o $(call archives_upto,cli)
	$(link)

program-only: $B/otel-ta # of this variant, without the link in build/

# Version and commit are arguments of one compilation, which is done again only when they have changed.
build/version: always
	$Qmkdir -p $(@D) && scripts/version --defines $(packages) $(archived) >$@.$$$$ && \
	  if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi
$B/webhook/buildinfo.o: cppflags += @build/version
$B/webhook/buildinfo.o: build/version

# A release holds the archives of what nobody else in the process uses: it starts faster. OpenSSL is shared with h2o and libcurl,
# and of h2o Debian has no archive.
$B/otel-ta: archived_libs := $(if $(sanitizers)$(COVERAGE),,-static-libgcc -Wl,--gc-sections -Wl,-Bstatic) $(archived_libs) -Wl,-Bdynamic
$B/otel-ta: $B/webhook/main.o $B/webhook/buildinfo.o $(call archives_upto,webhook)
	$(link)

# A test plays all threads' roles at once.
$B/%.o: %.c Makefile
	$Qmkdir -p $(@D) && $(say) CC $< && $(CC) $(cppflags) -MMD -MP $(cflags) $(if $(filter tests/%,$<),-Wno-thread-safety) -c -o $@ $<

$B/%.o: %.cc Makefile
	$Qmkdir -p $(@D) && $(say) CXX $< && $(CXX) $(cppflags) -MMD -MP $(cxxflags) -c -o $@ $<

# For each floor: its archive, 'make lib-<floor>', and 'make unit-<floor>' with the tests of its folder. For scripts/mutants the archive is a
# shared library, found from the root of the tree by its relative name: one change costs one link, whatever number of tests see it.
define floor_rules
$B/$1.a: $(call objects_of,$1)
	$Qmkdir -p $$(@D) && rm -f $$@ && $(if $(MUTANTS),$(CC) -shared -o,$(AR) rcs) $$@ $$^
tests_$1 := $(patsubst %.c,$B/%,$(wildcard tests/unit/$1/*_test.c))
$$(tests_$1): %: %.o $B/tests/check.o $(call archives_upto,$1)
	$$(link)
.PHONY: lib-$1 unit-$1
lib-$1: $B/$1.a
unit-$1: $$(tests_$1)
	$$(if $$^,$$(prove) $$^,@echo 'no tests in tests/unit/$1')
endef
suppressions = $(if $(wildcard tests/$1.supp),:suppressions=$(CURDIR)/tests/$1.supp)
valgrind := $(if $(VALGRIND),valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --suppressions=tests/valgrind.supp)
# Most of their time tests wait for a condition.
at_once := $(if $(sanitizers)$(VALGRIND),1,3)
prove := $Q$(if $(sanitizers),UBSAN_OPTIONS=print_stacktrace=1 \
  LSAN_OPTIONS=print_suppressions=0$(call suppressions,lsan) TSAN_OPTIONS=halt_on_error=1$(call suppressions,tsan)) prove -j $(at_once) -e '$(valgrind)'
$(foreach f,$(floors),$(eval $(call floor_rules,$f)))

unit_tests := $(foreach f,$(floors),$(tests_$f))
golden_tests := $(patsubst %.c,$B/%,$(wildcard tests/golden/*_test.c))
fuzz_targets := $(patsubst %.c,$B/%,$(wildcard tests/fuzz/fuzz_*.c))
bench_programs := $(patsubst %.c,$B/%,$(wildcard tests/bench/*.c))
# How fast targets change decides who cuts its slow readers: nothing runs beside it.
test_alone := tests/integration/hostile-memory.t
scripted_tests = $(filter-out $(test_alone),$(sort $(wildcard tests/integration/*.t)))
programs := $(unit_tests) $(golden_tests) $(fuzz_targets)
$(unit_tests): package_libs += -lz # to compare with libdeflate

$(golden_tests): %: %.o $B/tests/check.o $(call archives_upto,webhook)
	$(link)

# A measurement is linked with the floors it measures, and no other.
bench_floors := relabel:prom rules:engine jsonscan:codec shard:shard engine:engine shared:engine admission:webhook
floor_of_bench = $(patsubst $1:%,%,$(filter $1:%,$(bench_floors:%=bench_%)))
$B/tests/bench/bench_admission: ldflags += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
.SECONDEXPANSION:
$(bench_programs): %: %.o $$(call archives_upto,$$(call floor_of_bench,$$(notdir $$*)))
	$(link)

# A fuzz target is linked with libFuzzer in build/fuzz/, and everywhere else with a main() that replays its corpus as a test.
$(fuzz_targets): ldflags += $(if $(FUZZ),-fsanitize=fuzzer)
$(fuzz_targets): %: %.o $(if $(FUZZ),,$B/tests/fuzz/replay_main.o) $B/tests/check.o $(call archives_upto,webhook)
	$(link)

.PHONY: all always pages setup run test programs unit golden replay valgrind coverage mutants integration e2e bench fuzz check dist help clean
.SECONDARY:
setup: ## install what building and running needs
	$Qscripts/setup run

run: setup ## install, build, show the main job on the documentation's example
	$Q$(MAKE) --no-print-directory all
	$Qscripts/demo build/otel-ta

test: ## install, build, run every test that needs no cluster
	$Qscripts/setup test
	$Q$(MAKE) --no-print-directory all programs
	$(prove) $(scripted_tests) $(programs)
	$(prove) $(test_alone)

programs: $(programs) ## build the test programs

unit: $(programs) ## unit, golden and replay tests of this variant
golden: $(golden_tests) ## the data-driven behaviour tests
replay-here: $(fuzz_targets)
# Valgrind keeps descriptors of its own beyond the limit that server_test sets, and makes system calls that sandbox_test and
# keeper_test forbid.
valgrind-here: $(filter-out %/server_test %/sandbox_test %/keeper_test,$(programs))
unit golden replay-here valgrind-here:
	$(prove) $^

replay: ## corpora of all fuzz targets, under ASan and UBSan
	$Q$(MAKE) --no-print-directory SANITIZE=address,undefined replay-here

valgrind: ## unit, golden and replay tests under valgrind (slow)
	$Qscripts/setup check
	$Q$(MAKE) --no-print-directory VALGRIND=1 valgrind-here

coverage: ## lines that unit, golden and replay tests run, by floor; fails below tests/coverage.txt
	$Qscripts/setup test
	$Qscripts/coverage

mutants: ## small changes to the program that tests miss: make mutants N=100 SEED=7 IN=webhook/cli
	$Qscripts/setup test
	$Qscripts/mutants -n '$(N)' -s '$(SEED)' $(IN)

integration: all ## tests that drive the binary
	$(prove) $(scripted_tests)
	$(prove) $(test_alone)

e2e: ## tests against a real API server, kubectl and Collectors
	$Qscripts/setup e2e
	$Q$(MAKE) --no-print-directory all
	$Qtests/e2e/build-servers
	$(prove) -j 2 $(sort $(wildcard tests/e2e/*.t))

bench: ## measurements, as tables and as JSON; some of them: make bench BENCH='--quick serve shard'
	$Qscripts/setup bench
	$Q$(MAKE) --no-print-directory all bench-programs
	$Qtests/bench/run $(BENCH)

bench-programs: $(bench_programs)

fuzz: ## every fuzz target for S seconds: make fuzz S=60
	$Qscripts/setup fuzz
	$Q$(MAKE) --no-print-directory CC=clang FUZZ=1 S=$(S) fuzz-here

fuzz-here: $(fuzz_targets)
	$Qscripts/fuzz $(S) $^

checks := layers circles names sizes format headers symbols werror cppcheck analyzer tidy
.PHONY: program-only replay-here valgrind-here fuzz-here bench-programs $(addprefix check-,$(checks))
check: ## house rules and static analysis
	$Qscripts/setup check
	$Q$(MAKE) --no-print-directory -k $(addprefix check-,$(checks))

$(addprefix check-,$(checks)):
	$Qscripts/$@

print-%: # for scripts: what a variable is
	@echo '$($*)'

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1	/p' Makefile | expand -t 14

dist: ## the last commit as build/otel-ta-<version>.tar.gz
	$Qscripts/dist

clean: ## remove build/
	rm -rf build

-include $(shell find $B -name '*.d' 2>/dev/null)
