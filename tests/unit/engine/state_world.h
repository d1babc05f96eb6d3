/* Configurations of an allocator without threads (side.h), and how they and the files it reads
 * change by chance. */
#ifndef OTEL_TA_TESTS_UNIT_ENGINE_STATE_WORLD_H
#define OTEL_TA_TESTS_UNIT_ENGINE_STATE_WORLD_H

#include "tests/unit/engine/state_files.h"

/* ---- configurations */

#define N_JOBS 7 /* those from the fourth on share each section with others */

struct world {
    unsigned n_collectors;
    const char *strategy;
    unsigned jobs; /* bits: which jobs exist */
    unsigned rules[N_JOBS];
};

static inline void write_config(const struct world *w, struct buf *out)
{
    static const char *const rules[] = {
        "",
        "    relabel_configs:\n    - {source_labels: [drop], regex: vA1, action: drop}\n",
        "    relabel_configs:\n    - {source_labels: [rename], regex: vA(.*), target_label: "
        "__address__, replacement: 'same:$1'}\n",
        "    relabel_configs:\n    - {source_labels: [env], regex: vA1, action: keep}\n"
        "    - {regex: team|zone, action: labeldrop}\n",
        "    relabel_configs:\n    - {regex: '__meta_(pod|z)', action: labelmap}\n"
        "    - {regex: 'z|zone|drop|env', action: drop, source_labels: [team]}\n"
        "    - {source_labels: [z, pod], target_label: both}\n",
        "    relabel_configs:\n    - {regex: '(team|zone)', replacement: env, action: labelmap}\n"
        "    - {regex: '__address__|env|__meta_.*|pod', action: labelkeep}\n"
        "    - {source_labels: [env], regex: 'vA2|vA1', action: keep}\n",
    };
    static const char *const sections[] = {
        "    file_sd_configs:\n    - files: [/f0.json]\n    - files: [/f1.json]\n",
        "    file_sd_configs:\n    - files: ['/*.json']\n",
        ("    static_configs: [{targets: [a:1, b:2, a:1], labels: {x: y}}]\n"
         "    file_sd_configs: [{files: [/f2.json]}]\n"),
        "    file_sd_configs:\n    - files: [/f3.json]\n    - files: ['/*.json']\n",
        "    file_sd_configs:\n    - files: ['/*.json']\n",
        "    file_sd_configs:\n    - files: [/f1.json]\n    - files: [/f3.json]\n",
        "    file_sd_configs:\n    - files: ['/*.json']\n    - files: ['/*.json']\n",
    };

    buf_addf(out, "allocation_strategy: %s\nconfig:\n  scrape_configs:\n", w->strategy);
    for (unsigned i = 0; i < N_JOBS; i++) {
        if ((w->jobs >> i & 1) != 0) {
            buf_addf(out, "  - job_name: job%u\n%s%s", i, rules[w->rules[i]], sections[i]);
        }
    }
}

/* The wants that come of it stay in the mailbox. */
static inline void configure_unanswered(struct side *s, const struct world *w)
{
    AUTO_BUF text;

    buf_init(&text, MIB);
    write_config(w, &text);
    buf_add_char(&text, '\0');
    configure_text(s, text.p, w->n_collectors);
}

static inline void configure(struct side *s, const struct world *w)
{
    configure_unanswered(s, w);
    answer_wants(s);
}

/* ---- changes by chance */

static inline void change_file(struct side *s)
{
    int file = (int)chance(N_FILES);
    unsigned what = chance(8);

    if (what == 0) {
        mem_free(files[file]);
        files[file] = NULL;
    } else if (what <= 6) {
        mem_free(files[file]);
        files[file] = write_body(file);
    }
    vec_each(&s->listeners, l) {
        if (what == 7 && listens(l, file)) { /* half written: what is known stays */
            tell(s, l->id, ARRIVAL_OK, file, "[{\"targets\":[\"x:1\"],\"labels\":{\"a\":");
            l->is_known[file] = true; /* if it is gone at the next look, that is told */
        } else {
            show_file(s, l, file);
        }
    }
}

static inline void change_world(struct world *w)
{
    static const char *const known[] = { "consistent-hashing", "rendezvous", "bounded-rendezvous",
                                         "per-node", "least-weighted" };

    switch (chance(8)) {
    case 0:
    case 1:
    case 2:
        w->n_collectors = chance(6) + 1;
        break;
    case 3:
        w->jobs = chance((1 << N_JOBS) - 1) + 1;
        break;
    case 4:
        w->rules[chance(N_JOBS)] = chance(6);
        break;
    case 5: /* of several at once */
        for (unsigned i = 0; i < N_JOBS; i++) {
            w->rules[i] = chance(6);
        }
        break;
    case 6:
        w->jobs ^= 1U << chance(N_JOBS);
        w->jobs = w->jobs == 0 ? 1 : w->jobs;
        break;
    default:
        w->strategy = known[chance(COUNT(known))];
        break;
    }
}

#endif
