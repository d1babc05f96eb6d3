/* One row more in scrape/mechanisms.h, and a job that was left alone is taken. */
#include "allocator/codec/yamldoc.h"
#include "allocator/scrape/mechanisms.h"
#include "allocator/tenant/takable.h"
#include "tests/check.h"

const char *const mechanisms[] = { MECHANISMS(MECHANISM_SECTION) "dns_sd_configs", NULL };

int main(void)
{
    static const struct {
        const char *job;
        bool is_taken;
    } t[] = {
        { "{job_name: j, dns_sd_configs: [{names: [a]}]}", true },
        { "{job_name: j, dns_sd_configs: [{names: [a]}], static_configs: [{targets: [a]}]}", true },
        { "{job_name: j, dns_sd_configs: [{names: ['${file:/x}']}]}", false },
        { "{job_name: j, dns_sd_configs: [{names: [a]}], consul_sd_configs: [{}]}", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct collector c = { .metadata = NULL };
        struct takable_options options = { .leaves_files = true };
        struct node *job = NULL;
        struct arena arena;
        struct takable takable;
        struct left left;

        arena_init(&arena);
        is_int(yamldoc_parse(span_of(t[i].job), &arena, &job, NULL), 0, "yaml");
        takable_init(&takable, &c, &options, &arena);
        is_int(takable_judge(&takable, SPAN_LIT("prometheus"), job, NULL, &left), t[i].is_taken,
               "is it taken? %s", t[i].job);
        arena_fini(&arena);
    }
    return check_done();
}
