/* R1, R3, R4: how evenly each strategy spreads targets, and what moves when a collector joins or
 * leaves. bench_shard [--quick] [TARGETS]...      default 10000 100000 1000000
 *
 * For C = 1…300 collectors named as a StatefulSet's pods, targets with addresses 10.a.b.c:9090:
 *   max, min   targets of the fullest and of the emptiest collector ÷ mean
 *   join       targets that change owner when the next ordinal joins ÷ targets/(C+1)
 *   leave      targets that change owner when the middle ordinal leaves ÷ targets/C
 *   old        targets that a join moves from one old collector to another
 *   stay       targets that a leave takes from a collector that stays
 * A table for some C, and the worst over all C. least-weighted (whose owners depend on history) and
 * per-node (where the targets' nodes depend on C) are filled anew for every C; with more than
 * 100,000 targets they are looked at for the C of the table only. per-node: collector i is on node
 * i, the targets on nodes 0…C-1, so that nothing is there for the one that joins, and what the
 * leaving one had is nobody's, which counts as no move. Then the time
 * that one more collector at 200 takes (median of joins), beside one pass of hash_mix over as many
 * hashes, which is what a rendezvous cannot do without. The table is on stderr, one JSON object on
 * stdout. CPU is that of this thread. Links base and shard only. */
#include "allocator/base/buf.h"
#include "allocator/base/clock.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/shard/fleet.h"
#include "tests/bench/median.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST 300
#define JOINS 9

static const size_t shown[] = { 3, 10, 50, 200, 300 };

struct world {
    const char *label;
    const char *strategy;
    bool is_v0;
    bool is_sticky; /* owners depend on what was before */
    size_t n_targets;
    uint64_t *hashes;
    char names[MOST + 1][40];
    struct strategy_collector collectors[MOST + 1];
    struct fleet *fleet;
};

struct moves {
    const struct fleet *fleet;
    size_t n, between_old;
    struct span newcomer; /* empty: none */
};

struct figures {
    double max, min, join, leave, old, stay;
};

static void on_moved(void *arg, void *target, uint32_t from, uint32_t to)
{
    struct moves *m = arg;
    (void)target;
    m->n++;
    bool is_from_old = from != FLEET_NONE && fleet_collector_name(m->fleet, from).len > 0;
    m->between_old += is_from_old && !span_eq(fleet_collector_name(m->fleet, to), m->newcomer);
}

/* Collectors 0…n-1 without 'skipped'. */
static struct moves set_collectors(struct world *w, size_t n, size_t skipped, const char *newcomer)
{
    struct strategy_collector v[MOST + 1];
    struct moves m = { .fleet = w->fleet,
                       .newcomer = newcomer == NULL ? SPAN_LIT("") : span_of(newcomer) };
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        if (i != skipped) {
            v[k++] = w->collectors[i];
        }
    }
    fleet_set_collectors(w->fleet, v, k, on_moved, &m);
    return m;
}

static void fill(struct world *w, size_t n_collectors)
{
    struct fleet_options o = { .strategy = span_of(w->strategy), .is_v0 = w->is_v0 };
    struct err err = { 0 };
    bool is_per_node = strcmp(w->strategy, "per-node") == 0;

    fleet_free(&w->fleet);
    if (fleet_new(&o, &w->fleet, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    set_collectors(w, n_collectors, SIZE_MAX, NULL);
    for (size_t i = 0; i < w->n_targets; i++) {
        uint32_t owner;
        uint64_t node = is_per_node ? hash64(w->collectors[hash_mix(i) % n_collectors].node) : 0;
        const struct fleet_target t = { w->hashes[i], node, i, (uint32_t)(i / 100), w };
        fleet_add(w->fleet, &t, &owner);
    }
    fleet_settle(w->fleet, NULL, NULL);
}

/* Targets of C collectors, then of one more, then without the middle one of C. Ends as it began. */
static struct figures measure(struct world *w, size_t c)
{
    struct figures f = { .min = (double)w->n_targets };
    double mean = (double)w->n_targets / (double)c;

    assert(fleet_collectors(w->fleet) == c && fleet_unassigned(w->fleet) == 0);
    for (uint32_t i = 0; i < c; i++) {
        double n = (double)fleet_targets_of(w->fleet, fleet_seat(w->fleet, i)) / mean;
        f.max = n > f.max ? n : f.max;
        f.min = n < f.min ? n : f.min;
    }
    if (c > 1) {
        struct moves left = set_collectors(w, c, c / 2, NULL);
        f.leave = (double)left.n / mean;
        f.stay = (double)left.between_old;
        if (w->is_sticky) {
            fill(w, c);
        } else {
            set_collectors(w, c, SIZE_MAX, NULL);
        }
    }
    struct moves m = set_collectors(w, c + 1, SIZE_MAX, w->names[c]);
    f.join = (double)m.n * (double)(c + 1) / (double)w->n_targets;
    f.old = (double)m.between_old;
    return f;
}

static bool is_shown(size_t c)
{
    bool found = false;
    for (size_t i = 0; i < COUNT(shown); i++) {
        found = found || shown[i] == c;
    }
    return found;
}

static void print_row(struct buf *json, const char *c, const struct figures *f)
{
    fprintf(stderr, "  %-7s %7.3f %7.3f %9.3f %9.3f %8.0f %8.0f\n", c, f->max, f->min, f->join,
            f->leave, f->old, f->stay);
    buf_addf(json,
             "%s\"%s\": {\"max\": %.4f, \"min\": %.4f, \"join\": %.4f, \"leave\": %.4f, "
             "\"old\": %.0f, \"stay\": %.0f}",
             json->p[json->len - 1] == '{' ? "" : ", ", c, f->max, f->min, f->join, f->leave,
             f->old, f->stay);
}

static void add_worst(struct figures *worst, const struct figures *f)
{
    worst->max = f->max > worst->max ? f->max : worst->max;
    worst->min = f->min < worst->min ? f->min : worst->min;
    worst->join = f->join > worst->join ? f->join : worst->join;
    worst->leave = f->leave > worst->leave ? f->leave : worst->leave;
    worst->old = f->old > worst->old ? f->old : worst->old;
    worst->stay = f->stay > worst->stay ? f->stay : worst->stay;
}

static void sweep(struct world *w, bool is_quick, struct buf *json)
{
    struct figures worst = { .min = 1 };
    bool has_history = w->is_sticky || strcmp(w->strategy, "per-node") == 0;
    bool is_short = is_quick || (has_history && w->n_targets > 100000);
    bool is_filled = false;
    size_t n = 0;

    fprintf(stderr, "%s, %zu targets\n  %-7s %7s %7s %9s %9s %8s %8s\n", w->label, w->n_targets,
            "C", "max", "min", "join", "leave", "old", "stay");
    for (size_t c = 1; c <= MOST; c++) {
        if (is_short && !is_shown(c)) {
            is_filled = false;
            continue;
        }
        if (has_history || !is_filled) {
            fill(w, c);
        }
        struct figures f = measure(w, c);
        is_filled = true; /* measure() ends with C+1 of them */
        add_worst(&worst, &f);
        n++;
        if (is_shown(c)) {
            AUTO_STR name = mem_printf("%zu", c);
            print_row(json, name, &f);
        }
    }
    print_row(json, "worst", &worst);
    fprintf(stderr, "  (worst of %zu values of C)\n", n);
    buf_addf(json, ", \"values_of_c\": %zu", n);
}

/* ---- the time of a join */

static void time_join(struct world *w, struct buf *json)
{
    double join_ms[JOINS], leave_ms[JOINS], pass_ms[JOINS];
    uint64_t sum = 0;

    fill(w, 200);
    for (size_t k = 0; k < JOINS; k++) {
        int64_t t0 = clock_thread_cpu_us();
        set_collectors(w, 201, SIZE_MAX, NULL);
        int64_t t1 = clock_thread_cpu_us();
        set_collectors(w, 200, SIZE_MAX, NULL);
        int64_t t2 = clock_thread_cpu_us();
        for (size_t i = 0; i < w->n_targets; i++) {
            sum ^= hash_mix(w->hashes[i] ^ k);
        }
        int64_t t3 = clock_thread_cpu_us();
        join_ms[k] = (double)(t1 - t0) / 1e3;
        leave_ms[k] = (double)(t2 - t1) / 1e3;
        pass_ms[k] = (double)(t3 - t2) / 1e3;
    }
    double join = median(join_ms, JOINS), leave = median(leave_ms, JOINS);
    double pass = median(pass_ms, JOINS);
    fprintf(stderr,
            "  201st collector joins in %.2f ms, leaves in %.2f ms; pass of hash_mix %.2f ms%s\n",
            join, leave, pass, sum == 1 ? "." : "");
    buf_addf(json, ", \"join_of_201st_ms\": %.3f, \"leave_of_201st_ms\": %.3f, \"pass_ms\": %.3f",
             join, leave, pass);
}

/* ---- all of them */

static void make_world(struct world *w, size_t n_targets)
{
    w->n_targets = n_targets;
    w->hashes = mem_array(n_targets, sizeof(*w->hashes));
    for (size_t i = 0; i < n_targets; i++) {
        char address[32];
        snprintf(address, sizeof(address), "10.%zu.%zu.%zu:9090", i >> 16 & 255, i >> 8 & 255,
                 i & 255);
        w->hashes[i] = hash64(span_of(address));
    }
    for (size_t i = 0; i <= MOST; i++) {
        snprintf(w->names[i], sizeof(w->names[i]), "otel-collector-%zu", i);
        w->collectors[i] = (struct strategy_collector){ .name = span_of(w->names[i]),
                                                        .node = span_of(w->names[i]) };
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *label, *strategy;
        bool is_v0, is_sticky;
    } t[] = {
        { "consistent-hashing v1", "consistent-hashing", false, false },
        { "consistent-hashing v0", "consistent-hashing", true, false },
        { "rendezvous", "rendezvous", false, false },
        { "bounded-rendezvous", "bounded-rendezvous", false, false },
        { "least-weighted", "least-weighted", false, true },
        { "per-node", "per-node", false, false },
    };
    size_t sizes[16] = { 10000, 100000, 1000000 }, n_sizes = 0;
    bool is_quick = false;
    AUTO_BUF json;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            is_quick = true;
        } else if (strtoul(argv[i], NULL, 10) >= MOST && n_sizes < COUNT(sizes)) {
            sizes[n_sizes++] = strtoul(argv[i], NULL, 10);
        } else {
            fprintf(stderr, "usage: bench_shard [--quick] [TARGETS]...   (%d targets or more)\n",
                    MOST);
            return 2;
        }
    }
    n_sizes = n_sizes > 0 ? n_sizes : is_quick ? 1 : 3;
    buf_init(&json, MIB);
    buf_addf(&json, "{\"bench\": \"shard\", \"quick\": %s, \"rows\": [",
             is_quick ? "true" : "false");
    for (size_t k = 0; k < n_sizes; k++) {
        for (size_t i = 0; i < COUNT(t); i++) {
            struct world w = { .label = t[i].label,
                               .strategy = t[i].strategy,
                               .is_v0 = t[i].is_v0,
                               .is_sticky = t[i].is_sticky };
            make_world(&w, sizes[k]);
            buf_addf(&json, "%s\n {\"strategy\": \"%s\", \"targets\": %zu, \"by_collectors\": {",
                     k + i == 0 ? "" : ",", w.label, w.n_targets);
            sweep(&w, is_quick, &json);
            buf_addf(&json, "}");
            time_join(&w, &json);
            buf_addf(&json, "}");
            fleet_free(&w.fleet);
            mem_free(w.hashes);
        }
    }
    buf_addf(&json, "\n]}\n");
    assert(buf_error(&json) == 0);
    fwrite(json.p, 1, json.len, stdout);
    return 0;
}
