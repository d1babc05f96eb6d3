/* Too few descriptors are an error with both figures, not an abort. */
#include "webhook/descriptors.h"

#include <sys/resource.h>

#include "tests/check.h"

int main(void)
{
    struct err err = { 0 };
    struct rlimit limit;

    is_int(descriptors_needed(3, 1, 1), 33, "one thread, one listener");
    is_int(descriptors_needed(3, 2, 2) - descriptors_needed(3, 1, 2), 10, "another thread");
    is_int(descriptors_needed(4, 2, 3) - descriptors_needed(3, 2, 2), 7, "another listener");

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &limit);
    is_int(descriptors_claim(2, 2, &err), 0, "enough after the soft limit is raised %s", err.text);
    rlim_t most = limit.rlim_max;
    getrlimit(RLIMIT_NOFILE, &limit);
    is_int(limit.rlim_cur, most, "which it is, to the hard one");
    limit.rlim_cur = limit.rlim_max = 40;
    setrlimit(RLIMIT_NOFILE, &limit);
    is_int(descriptors_claim(2, 2, &err), ERR_IO, "too few");
    ok(strstr(err.text,
              "the limit of open files is 40, and 2 serving threads with 2 listeners need "
              "4") != NULL,
       "the error has both figures: %s", err.text);
    return check_done();
}
