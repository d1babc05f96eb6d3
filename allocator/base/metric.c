#include "allocator/base/metric.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/thread.h"
#include "allocator/base/vec.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_SLOTS 64 /* threads that count; further ones share the last slot */
#define MAX_BUCKETS 16
#define MAX_LABELS 4

enum metric_type { COUNTER, GAUGE, HISTOGRAM, HISTOGRAM_LONG };

struct declaration {
    const char *name;
    enum metric_type type;
    const char *help;
    const char *labels;
};

static const struct declaration declarations[METRIC_COUNT] = {
#define METRIC(id, name, type, help, labels) [METRIC_##id] = { name, type, help, labels },
#include "allocator/base/metrics.def"
#undef METRIC
};

/* Seconds; the first row is the default of OpenTelemetry's Prometheus exporter, the second
 * upstream's choice. */
static const double buckets_default[] = { 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                          0.5,   0.75, 1,     2.5,  5,     7.5, 10 };
static const double buckets_long[] = { 1, 5, 10, 30, 60, 120 };

struct cell { /* one series, or one thread's part of it; written by one thread, read by the scraper
               */
    atomic_uint_fast64_t count;
    _Atomic double sum; /* histogram: of the observations; gauge: the value */
    atomic_uint_fast64_t buckets[MAX_BUCKETS];
};

struct slot {
    struct cell cells[METRIC_COUNT];
};

struct metric_part {
    struct cell cell;
    enum metric_id id;
    struct metric_part *next; /* of the same series */
};

struct series {
    char *labels; /* rendered: a="b",c="d" */
    struct cell cell;
    struct metric_part *parts; /* what threads observe on their own; added up with 'cell' */
};

static struct {
    struct mutex mutex;
    _Atomic(struct slot *) slots[MAX_SLOTS];
    atomic_uint n_slots;
    VEC(struct series *) series[METRIC_COUNT] GUARDED; /* sorted by labels */
} state = { .mutex = MUTEX_INIT };

static _Thread_local struct slot *my_slot;

static const double *bounds(enum metric_id id, size_t *out_n)
{
    bool is_long = declarations[id].type == HISTOGRAM_LONG;
    *out_n = is_long ? COUNT(buckets_long) : COUNT(buckets_default);
    return is_long ? buckets_long : buckets_default;
}

/* ---- without labels: a slot per thread */

static struct slot *slot(void)
{
    if (my_slot == NULL) {
        unsigned i = atomic_fetch_add(&state.n_slots, 1);
        i = i >= MAX_SLOTS ? MAX_SLOTS - 1 : i;
        mutex_lock(&state.mutex);
        struct slot *s = atomic_load(&state.slots[i]);
        if (s == NULL) {
            s = mem_zalloc(sizeof(*s));
            atomic_store(&state.slots[i], s);
        }
        mutex_unlock(&state.mutex);
        my_slot = s;
    }
    return my_slot;
}

static void observe(struct cell *cell, enum metric_id id, double value)
{
    size_t n = 0, i = 0;
    const double *bound = bounds(id, &n);

    while (i < n && value > bound[i]) {
        i++;
    }
    atomic_fetch_add_explicit(&cell->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&cell->count, 1, memory_order_relaxed);
    double sum = atomic_load_explicit(&cell->sum, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&cell->sum, &sum, sum + value,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

void metric_add(enum metric_id id, uint64_t n)
{
    atomic_fetch_add_explicit(&slot()->cells[id].count, n, memory_order_relaxed);
}

void metric_observe(enum metric_id id, double value)
{
    observe(&slot()->cells[id], id, value);
}

/* ---- with labels: one list per family */

/* Escaped as the format wants it. A value that is not UTF-8 would make the scraper reject the whole
 * page. */
static void add_label_value(struct buf *out, const char *value)
{
    while (*value != '\0') {
        size_t len = strcspn(value, "\n\"\\");
        buf_add_utf8(out, span_make(value, len));
        value += len;
        if (*value != '\0') {
            buf_add_char(out, '\\');
            buf_add_char(out, *value == '\n' ? 'n' : *value);
            value++;
        }
    }
}

static void render_labels(enum metric_id id, const char *const *values, struct buf *out)
{
    const char *name = declarations[id].labels;

    for (size_t i = 0; name[0] != '\0'; i++) {
        size_t len = strcspn(name, ",");
        buf_addf(out, "%s%.*s=\"", i == 0 ? "" : ",", (int)len, name);
        assert(values != NULL);
        add_label_value(out, values[i]);
        buf_add_char(out, '"');
        name += len + (name[len] == ',' ? 1 : 0);
    }
}

/* Where 'labels' is or would be. */
REQUIRES(state.mutex)
static size_t search_locked(enum metric_id id, const char *labels, bool *out_found)
{
    size_t low = 0, high = state.series[id].n;

    *out_found = false;
    while (low < high && !*out_found) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(state.series[id].v[mid]->labels, labels);
        if (c == 0) {
            *out_found = true;
            return mid;
        }
        if (c < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* Finds or makes the series; NULL when the family is full. */
REQUIRES(state.mutex)
static struct series *series_locked(enum metric_id id, const char *const *values)
{
    AUTO_BUF labels;
    bool found = false;

    buf_init(&labels, 16384);
    render_labels(id, values, &labels);
    if (buf_error(&labels) != 0) {
        return NULL;
    }
    size_t at = search_locked(id, labels.p == NULL ? "" : labels.p, &found);
    if (!found && state.series[id].n >= LIMIT_METRIC_SERIES) {
        return NULL;
    }
    if (!found) {
        struct series *s = mem_zalloc(sizeof(*s));
        s->labels = buf_take(&labels, NULL);
        (void)vec_push(&state.series[id]);
        memmove(state.series[id].v + at + 1, state.series[id].v + at,
                (state.series[id].n - 1 - at) * sizeof(s));
        state.series[id].v[at] = s;
    }
    return state.series[id].v[at];
}

REQUIRES(state.mutex) static struct cell *cell_locked(enum metric_id id, const char *const *values)
{
    struct series *s = series_locked(id, values);

    return s == NULL ? NULL : &s->cell;
}

void metric_add_for(enum metric_id id, const char *const *labels, uint64_t n)
{
    mutex_lock(&state.mutex);
    struct cell *cell = cell_locked(id, labels);
    if (cell != NULL) {
        atomic_fetch_add_explicit(&cell->count, n, memory_order_relaxed);
    }
    mutex_unlock(&state.mutex);
}

void metric_set_for(enum metric_id id, const char *const *labels, double value)
{
    mutex_lock(&state.mutex);
    struct cell *cell = cell_locked(id, labels);
    if (cell != NULL) {
        atomic_store_explicit(&cell->sum, value, memory_order_relaxed);
    }
    mutex_unlock(&state.mutex);
}

void metric_set(enum metric_id id, double value)
{
    metric_set_for(id, NULL, value);
}

void metric_observe_for(enum metric_id id, const char *const *labels, double value)
{
    mutex_lock(&state.mutex);
    struct cell *cell = cell_locked(id, labels);
    if (cell != NULL) {
        observe(cell, id, value);
    }
    mutex_unlock(&state.mutex);
}

struct metric_part *metric_part_new(enum metric_id id, const char *const *labels)
{
    struct metric_part *part = mem_zalloc(sizeof(*part));

    part->id = id;
    mutex_lock(&state.mutex);
    struct series *s = series_locked(id, labels);
    if (s != NULL) {
        part->next = s->parts;
        s->parts = part;
    }
    mutex_unlock(&state.mutex);
    return part;
}

void metric_part_observe(struct metric_part *part, double value)
{
    observe(&part->cell, part->id, value);
}

void metric_forget(enum metric_id id, const char *const *labels)
{
    AUTO_BUF text;
    bool found = false;

    buf_init(&text, 16384);
    render_labels(id, labels, &text);
    mutex_lock(&state.mutex);
    size_t at = search_locked(id, text.p == NULL ? "" : text.p, &found);
    if (found) {
        struct series *s = state.series[id].v[at];
        memmove(state.series[id].v + at, state.series[id].v + at + 1,
                (state.series[id].n - 1 - at) * sizeof(s));
        state.series[id].n--;
        mem_free(s->labels);
        mem_free(s);
    }
    mutex_unlock(&state.mutex);
}

/* ---- exposition */

struct sums { /* plain numbers of one series */
    uint64_t count;
    double sum;
    uint64_t buckets[MAX_BUCKETS];
};

static void add_cell(struct sums *sums, struct cell *cell)
{
    sums->count += atomic_load_explicit(&cell->count, memory_order_relaxed);
    sums->sum += atomic_load_explicit(&cell->sum, memory_order_relaxed);
    for (size_t i = 0; i < MAX_BUCKETS; i++) {
        sums->buckets[i] += atomic_load_explicit(&cell->buckets[i], memory_order_relaxed);
    }
}

/* The shortest text that gives the same number when read. */
static void add_double(struct buf *out, double v)
{
    char text[40];

    if (isnan(v)) {
        buf_add_str(out, "NaN");
    } else if (isinf(v)) {
        buf_add_str(out, v > 0 ? "+Inf" : "-Inf");
    } else if (v == floor(v) && fabs(v) < 1e15) {
        buf_addf(out, "%.0f", v);
    } else {
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(text, sizeof(text), "%.*g", digits, v);
            if (strtod(text, NULL) == v) {
                break;
            }
        }
        buf_add_str(out, text);
    }
}

static void render_histogram(struct buf *out, enum metric_id id, const char *labels,
                             const struct sums *s)
{
    const char *name = declarations[id].name, *comma = labels[0] == '\0' ? "" : ",";
    size_t n = 0;
    const double *bound = bounds(id, &n);
    uint64_t running = 0;

    for (size_t i = 0; i < n; i++) {
        running += s->buckets[i];
        buf_addf(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, labels, comma, bound[i],
                 running);
    }
    running += s->buckets[n]; /* not 'count', which may have grown since the buckets were read */
    buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, comma, running);
    const char *open = labels[0] == '\0' ? "" : "{", *close = labels[0] == '\0' ? "" : "}";
    buf_addf(out, "%s_sum%s%s%s ", name, open, labels, close);
    add_double(out, s->sum);
    buf_addf(out, "\n%s_count%s%s%s %" PRIu64 "\n", name, open, labels, close, running);
}

static void render_series(struct buf *out, enum metric_id id, const char *labels,
                          const struct sums *s)
{
    enum metric_type type = declarations[id].type;

    if (type == HISTOGRAM || type == HISTOGRAM_LONG) {
        render_histogram(out, id, labels, s);
        return;
    }
    buf_add_str(out, declarations[id].name);
    if (labels[0] != '\0') {
        buf_addf(out, "{%s}", labels);
    }
    buf_add_char(out, ' ');
    if (type == COUNTER) {
        add_double(out, (double)s->count + s->sum);
    } else {
        add_double(out, s->sum);
    }
    buf_add_char(out, '\n');
}

REQUIRES(state.mutex) static void render_family(struct buf *out, enum metric_id id)
{
    static const char *const type_names[] = { "counter", "gauge", "histogram", "histogram" };
    const struct declaration *d = &declarations[id];

    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", d->name, d->help, d->name, type_names[d->type]);
    if (d->labels[0] == '\0' && d->type != GAUGE && state.series[id].n == 0) {
        struct sums sums = { 0 };
        for (size_t i = 0; i < MAX_SLOTS; i++) {
            struct slot *s = atomic_load(&state.slots[i]);
            if (s != NULL) {
                add_cell(&sums, &s->cells[id]);
            }
        }
        render_series(out, id, "", &sums);
    }
    for (size_t i = 0; i < state.series[id].n; i++) {
        struct sums sums = { 0 };
        add_cell(&sums, &state.series[id].v[i]->cell);
        for (struct metric_part *part = state.series[id].v[i]->parts; part != NULL;
             part = part->next) {
            add_cell(&sums, &part->cell);
        }
        render_series(out, id, state.series[id].v[i]->labels, &sums);
    }
}

static void update_process(void)
{
    struct rusage usage;
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f != NULL) {
        char line[128];
        if (fgets(line, sizeof(line), f) != NULL) {
            char *resident = strchr(line, ' ');
            pages = resident == NULL ? 0 : strtol(resident, NULL, 10);
        }
        fclose(f);
    }
    metric_set(METRIC_PROCESS_RSS, (double)pages * (double)sysconf(_SC_PAGESIZE));
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        metric_set(METRIC_PROCESS_CPU,
                   (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
                       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(declarations[*(const size_t *)a].name, declarations[*(const size_t *)b].name);
}

void metric_render(struct buf *out)
{
    enum { N_FAMILIES = METRIC_COUNT - 1 }; /* METRIC_NONE is none */
    size_t order[N_FAMILIES];

    for (size_t i = 0; i < N_FAMILIES; i++) {
        order[i] = i + 1;
    }
    qsort(order, N_FAMILIES, sizeof(order[0]), compare_names);
    update_process();
    mutex_lock(&state.mutex);
    for (size_t i = 0; i < N_FAMILIES; i++) {
        render_family(out, (enum metric_id)order[i]);
    }
    mutex_unlock(&state.mutex);
}

uint64_t metric_value(enum metric_id id)
{
    uint64_t n = 0;

    for (size_t i = 0; i < MAX_SLOTS; i++) {
        struct slot *s = atomic_load(&state.slots[i]);
        n += s == NULL ? 0 : atomic_load(&s->cells[id].count);
    }
    return n;
}
