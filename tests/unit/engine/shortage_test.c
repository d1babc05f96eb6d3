/* The targets of all jobs together have a cap: what goes over it is not taken, what was known
 * stays, and when there is room again it is taken. */
#define LOG_MODULE "test"
#include "allocator/engine/shortage.h"

#include "allocator/base/log.h"
#include "allocator/base/memorylimit.h"
#include "allocator/base/metric.h"
#include "tests/unit/engine/side.h"

#define MOST (64 * MIB) /* of memory: targets have 16 MiB of it */
#define MANY 30000      /* twice as many are too many */

static void begin(struct side *s)
{
    memorylimit_set(MOST);
    side_init(s);
    memorylimit_set(0);
    is_int(s->state->tails.most_bytes, 16 * MIB, "16 MiB for targets");
}

static void add_targets(struct buf *out, char name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "%s\"%c%zu:1\"", i == 0 ? "" : ",", name, i);
    }
}

static void configure_lists(struct side *s, size_t n_a, size_t n_b)
{
    AUTO_BUF text;

    buf_init(&text, 4 * MIB);
    buf_add_str(&text, "config:\n  scrape_configs:\n");
    buf_add_str(&text, "  - {job_name: a, static_configs: [{targets: [");
    add_targets(&text, 'a', n_a);
    buf_add_str(&text, "]}]}\n  - {job_name: b, static_configs: [{targets: [");
    add_targets(&text, 'b', n_b);
    buf_add_str(&text, "]}]}\n");
    buf_add_char(&text, '\0');
    configure_text(s, text.p, 1);
    publish(s);
}

static void tell_targets(struct side *s, int file, char name, size_t n)
{
    AUTO_BUF text;

    buf_init(&text, 4 * MIB);
    buf_add_str(&text, "[{\"targets\":[");
    add_targets(&text, name, n);
    buf_add_str(&text, "]}]");
    buf_add_char(&text, '\0');
    tell(s, 1, ARRIVAL_OK, file, text.p);
    publish(s);
}

/* SIZE_MAX: it has no answer. */
static void is_served(const struct side *s, size_t job, size_t n, const char *what)
{
    const struct page_row *row = shown(s)->rows[job];

    ok((row == NULL ? SIZE_MAX : row->n_targets) == n, "%s: %zd", what,
       row == NULL ? (ssize_t)-1 : (ssize_t)row->n_targets);
    ok(s->state->tails.used_bytes <= s->state->tails.most_bytes, "  no more than there may be: %zu",
       s->state->tails.used_bytes);
}

static void are_short(const struct side *s, size_t n)
{
    AUTO_BUF text;
    AUTO_STR line = mem_printf("\notel_ta_sources_without_room %zu\n", n);

    buf_init(&text, 16 * MIB);
    metric_render(&text);
    buf_add_char(&text, '\0');
    ok(strstr(text.p, line) != NULL, "  the metric says %zu", n);
    buf_clear(&text);
    buf_add_span(&text, directory_gaps(s->state->directory));
    buf_add_char(&text, '\0');
    ok((strstr(text.p, "[-]targets: no room: ") != NULL) == (n > 0), "  and so do words: %s",
       text.p);
}

static void test_lists(void)
{
    struct side s;

    begin(&s);
    configure_lists(&s, MANY, MANY);
    is_served(&s, 0, MANY, "the first list");
    is_served(&s, 1, SIZE_MAX, "the second has no room, which is not to be empty");
    are_short(&s, 1);
    configure_lists(&s, MANY, 10);
    is_served(&s, 1, 10, "a shorter one has");
    are_short(&s, 0);
    configure_lists(&s, MANY, MANY);
    is_served(&s, 1, 10, "a longer one has not: what was known stays");
    are_short(&s, 1);
    configure_lists(&s, 10, MANY);
    is_served(&s, 0, 10, "the first is shorter");
    is_served(&s, 1, MANY, "and the second has room, by itself");
    are_short(&s, 0);
    side_fini(&s);
}

static void test_files(void)
{
    struct side s;

    begin(&s);
    configure_text(&s,
                   "config:\n  scrape_configs:\n  - job_name: j\n"
                   "    file_sd_configs: [{files: [/f*.json]}]\n",
                   1);
    tell_targets(&s, 1, 'a', 2 * MANY);
    tell(&s, 1, ARRIVAL_SETTLED, 0, NULL);
    publish(&s);
    is_served(&s, 0, SIZE_MAX, "a file has too many, and nothing is known");
    are_short(&s, 1);
    tell_targets(&s, 1, 'a', MANY);
    is_served(&s, 0, MANY, "fewer have room");
    are_short(&s, 0);
    tell_targets(&s, 1, 'c', 2 * MANY);
    is_served(&s, 0, MANY, "it has too many again: what was known stays");
    ok(page_has(&s, 0, "\"a7:1\""), "  to the name");
    tell_targets(&s, 2, 'b', MANY);
    is_served(&s, 0, MANY, "so does what another brings");
    are_short(&s, 2);
    tell_targets(&s, 1, 'a', MANY);
    are_short(&s, 1);
    tell_targets(&s, 1, 'a', 10);
    tell_targets(&s, 2, 'b', MANY);
    is_served(&s, 0, MANY + 10, "when the first has few, the other has room");
    are_short(&s, 0);
    tell(&s, 1, ARRIVAL_VANISHED, 2, NULL);
    publish(&s);
    is_served(&s, 0, 10, "and when it goes");
    side_fini(&s);
}

/* All that is dropped costs little, and is known before anything is refused. */
static void test_dropped(void)
{
    struct side s;

    begin(&s);
    configure_text(&s,
                   "config:\n  scrape_configs:\n  - job_name: j\n"
                   "    file_sd_configs: [{files: [/f*.json]}]\n"
                   "    relabel_configs: [{source_labels: [__address__], regex: 'a\\d+:1', action: "
                   "drop}]\nfilter_strategy: relabel-config\n",
                   1);
    tell_targets(&s, 1, 'a', 2 * MANY);
    tell(&s, 1, ARRIVAL_SETTLED, 0, NULL);
    publish(&s);
    is_served(&s, 0, 0, "all are dropped");
    are_short(&s, 0);
    side_fini(&s);
}

/* A job takes over when both have room; till then it goes on as it was. */
static void test_takeover(void)
{
    static const char rule[] = "    relabel_configs: [{target_label: x, replacement: y}]\n";
    AUTO_STR plain = mem_strdup("config:\n  scrape_configs:\n  - job_name: j\n"
                                "    file_sd_configs: [{files: [/f*.json]}]\n");
    AUTO_STR ruled = mem_printf("%s%s", plain, rule);
    struct side s;

    begin(&s);
    configure_text(&s, plain, 1);
    tell_targets(&s, 1, 'a', MANY);
    tell(&s, 1, ARRIVAL_SETTLED, 0, NULL);
    publish(&s);
    is_served(&s, 0, MANY, "as it was");
    configure_text(&s, ruled, 1);
    publish(&s);
    is_served(&s, 0, MANY, "as it was, there is no room for both");
    tell_targets(&s, 1, 'a', MANY);
    tell(&s, 1, ARRIVAL_SETTLED, 0, NULL);
    publish(&s);
    are_short(&s, 1);
    state_tick(s.state, 2 * WANTS_TIMEOUT_MS);
    publish(&s);
    is_served(&s, 0, MANY, "for as long as that lasts");
    tell_targets(&s, 1, 'a', 10);
    tell(&s, 1, ARRIVAL_SETTLED, 0, NULL);
    publish(&s);
    is_served(&s, 0, 10, "as it is to be");
    are_short(&s, 0);
    side_fini(&s);
}

int main(void)
{
    test_lists();
    test_files();
    test_dropped();
    test_takeover();
    return check_done();
}
