#include "webhook/cli/tally.h"

#include "allocator/base/terminal.h"

#include <stdlib.h>

#define MAX_REASONS 10 /* a reason can have a value of the target in it */

#define RANK_INVALID (UINT32_MAX - 3)
#define RANK_KEPT (UINT32_MAX - 2)
#define RANK_TWIN (UINT32_MAX - 1)

void tally_init(struct tally *t)
{
    *t = (struct tally){ 0 };
    arena_init(&t->arena);
    spanmap_init(&t->rows_by_text, &t->arena);
}

/* 'text' is made here. */
static void count(struct tally *t, unsigned rank, char *text)
{
    const struct tally_row *known = spanmap_get_in(&t->rows_by_text, SPAN_LIT(""), span_of(text));
    struct tally_row *row = (struct tally_row *)(uintptr_t)known;

    if (row == NULL) {
        row = arena_zalloc(&t->arena, sizeof(*row));
        *row = (struct tally_row){ rank, arena_strndup(&t->arena, text, strlen(text)), 0 };
        spanmap_put_in(&t->rows_by_text, SPAN_LIT(""), span_of(row->text), row);
        *vec_push(&t->rows) = row;
    }
    row->n++;
    mem_free(text);
}

static char *owner_text(const struct explain_target *target)
{
    return target->owner.len > 0 ? mem_printf("collector %.*s", SPAN_ARG(target->owner))
                                 : mem_printf("no collector (%s, %zu collectors)", target->strategy,
                                              target->n_collectors);
}

void tally_count(struct tally *t, const struct explain_target *target)
{
    const struct verdict *v = &target->verdict;

    t->n++;
    switch (v->kind) {
    case VERDICT_DROPPED:
        t->n_dropped++;
        count(t, (unsigned)v->rule,
              mem_printf("dropped by rule %zu: %s", v->rule,
                         target->steps[target->n_steps - 1].description));
        break;
    case VERDICT_INVALID:
        t->n_invalid++;
        count(t, RANK_INVALID, mem_printf("not usable: %s", v->reason));
        break;
    case VERDICT_KEPT:
        t->n_kept++;
        if (target->is_served) {
            count(t, RANK_KEPT, owner_text(target));
        } else {
            count(t, RANK_TWIN, mem_strdup("the same as one before, which is served"));
        }
        break;
    }
}

/* Reasons by how often they are met, all else by name. */
static int compare_rows(const void *a, const void *b)
{
    const struct tally_row *x = *(struct tally_row *const *)a, *y = *(struct tally_row *const *)b;

    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    if (x->rank == RANK_INVALID && x->n != y->n) {
        return x->n > y->n ? -1 : 1;
    }
    return strcmp(x->text, y->text);
}

bool tally_print(struct tally *t, const char *title, bool losses_only, FILE *out)
{
    size_t n_reasons = 0, n_others = 0;

    if (losses_only && t->n_dropped + t->n_invalid == 0) {
        return false;
    }
    if (t->rows.n > 1) {
        qsort(t->rows.v, t->rows.n, sizeof(struct tally_row *), compare_rows);
    }
    terminal_line(out, "%s: %zu discovered, %zu kept, %zu dropped, %zu not usable", title, t->n,
                  t->n_kept, t->n_dropped, t->n_invalid);
    for (size_t i = 0; i < t->rows.n; i++) {
        const struct tally_row *row = t->rows.v[i];
        n_reasons += row->rank == RANK_INVALID;
        if (row->rank == RANK_INVALID && n_reasons > MAX_REASONS) {
            n_others += row->n;
        } else if (!losses_only || row->rank <= RANK_INVALID) {
            terminal_line(out, "%8zu %s", row->n, row->text);
        }
    }
    if (n_others > 0) {
        terminal_line(out, "%8zu not usable for %zu other reasons", n_others,
                      n_reasons - MAX_REASONS);
    }
    return true;
}

void tally_fini(struct tally *t)
{
    spanmap_fini(&t->rows_by_text);
    vec_fini(&t->rows);
    arena_fini(&t->arena);
}
