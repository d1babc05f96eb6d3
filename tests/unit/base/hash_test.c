#include "allocator/base/hash.h"

#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>

/* Known values: xxHash's own test vectors (XXH64, seed 0), and 'printf abc | md5sum'. */
static void test_vectors(void)
{
    static const struct {
        const char *in;
        uint64_t xxh64, md5_tail;
    } t[] = {
        { "", 0xef46db3751d8e999, 0xe9800998ecf8427e },
        { "a", 0xd24ec4f1a98c6e5b, 0x31c399e269772661 },
        { "abc", 0x44bc2cf5ad770999, 0xd6963f7d28e17f72 },
        { "Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1, 0 },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        is_int(hash64(span_of(t[i].in)), t[i].xxh64, "XXH64 %zu", i);
        ok(t[i].md5_tail == 0 || hash_md5_tail(span_of(t[i].in)) == t[i].md5_tail, "MD5 %zu", i);
    }
    is_int(hash64(span_of(NULL)), t[0].xxh64, "XXH64 of nothing");
    is_int(hash_md5_tail(span_of(NULL)), t[0].md5_tail, "MD5 of nothing");
    is_int(hash_fast(span_of(NULL)), hash_fast(SPAN_LIT("")), "XXH3 of nothing");
    ok(hash_fast(SPAN_LIT("a")) != hash_fast(SPAN_LIT("b")), "XXH3 tells a from b");
}

/* Another process has another hash for its tables: nobody can choose names that meet in one slot.
 */
static void test_seed(const char *self)
{
    enum { PROCESSES = 4 };
    char command[4200], line[PROCESSES][64] = { "" };
    const char *preload = getenv("LD_PRELOAD");
    size_t n_equal = 0;

    if ((personality(0xffffffff) & ADDR_NO_RANDOMIZE) != 0 ||
        (preload != NULL && strstr(preload, "vgpreload") != NULL)) {
        check_note("this kernel, or valgrind, puts every process at the same place");
        return;
    }
    snprintf(command, sizeof(command), "'%s' tell", self);
    for (size_t i = 0; i < PROCESSES; i++) {
        FILE *f = popen(command, "r");
        ok(f != NULL && fgets(line[i], sizeof(line[i]), f) != NULL && pclose(f) == 0, "process %zu",
           i);
        n_equal += i > 0 && strcmp(line[i], line[0]) == 0;
    }
    ok(n_equal < PROCESSES - 1, "they do not have one hash: %s", line[0]);
}

static void test_pieces(void)
{
    char text[300];
    unsigned n_equal = 0, n = 0;

    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)(i * 31);
    }
    for (size_t cut = 0; cut <= sizeof(text); cut += 7) {
        struct hash64_state st;
        hash64_begin(&st);
        hash64_add(&st, span_make(text, cut));
        hash64_add(&st, span_of(NULL));
        hash64_add(&st, span_make(text + cut, sizeof(text) - cut));
        n_equal += hash64_end(&st) == hash64(span_make(text, sizeof(text))) ? 1 : 0;
        n++;
    }
    is_int(n_equal, n, "in pieces as in one");
}

static void test_mix(void)
{
    ok(hash_mix(1) != hash_mix(2) && hash_mix(0) == 0, "hash_mix is splitmix64's finaliser");
    is_int(hash_mix(1), 0x5692161d100b05e5, "with its constants");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        printf("%llx\n", (unsigned long long)hash_fast(SPAN_LIT("name")));
        return 0;
    }
    test_seed(argv[0]);
    test_vectors();
    test_pieces();
    test_mix();
    return check_done();
}
