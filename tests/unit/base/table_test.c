#include "allocator/base/table.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "tests/check.h"

enum { N = 5000 };

struct item {
    int value;
    bool is_seen;
    struct table_node node;
};

static struct item items[N];

static bool has_value(const struct table_node *node, const void *key)
{
    return CONTAINER_OF(node, struct item, node)->value == *(const int *)key;
}

static struct item *find(const struct table *t, int value, uint64_t hash)
{
    struct table_node *node = table_find(t, hash, has_value, &value);
    return node == NULL ? NULL : CONTAINER_OF(node, struct item, node);
}

static size_t count(const struct table *t)
{
    size_t n = 0;

    for (struct table_node *node = table_next(t, NULL); node != NULL; node = table_next(t, node)) {
        n++;
    }
    return n;
}

/* 'spread' decides how many hashes there are: 1 puts everything into one slot. */
static void test_with(uint64_t spread, const char *name)
{
    struct table t;
    int n_found = 0, n_ghosts = 0;

    table_init(&t);
    ok(find(&t, 1, 1) == NULL && table_next(&t, NULL) == NULL, "%s: an empty table", name);
    for (int i = 0; i < N; i++) {
        items[i].value = i;
        table_put(&t, &items[i].node, hash_mix((uint64_t)i % spread));
    }
    is_int(t.n, N, "%s: all are in", name);
    for (int i = 0; i < N; i++) {
        n_found += find(&t, i, hash_mix((uint64_t)i % spread)) == &items[i] ? 1 : 0;
        n_ghosts += find(&t, i + N, hash_mix((uint64_t)i % spread)) != NULL ? 1 : 0;
    }
    is_int(n_found, N, "%s: each is found", name);
    is_int(n_ghosts, 0, "%s: nothing else is", name);
    for (int i = 0; i < N; i += 2) {
        table_del(&t, &items[i].node);
    }
    is_int(count(&t), N / 2, "%s: half of them deleted", name);
    n_found = 0;
    for (int i = 0; i < N; i++) {
        n_found += (find(&t, i, hash_mix((uint64_t)i % spread)) != NULL) == (i % 2 == 1) ? 1 : 0;
    }
    is_int(n_found, N, "%s: the right half", name);
    struct table_node *node = table_next(&t, NULL);
    while (node != NULL) {
        struct table_node *next = table_next(&t, node);
        table_del(&t, node);
        node = next;
    }
    is_int(t.n, 0, "%s: emptied while iterating", name);
    table_fini(&t);
    ok(t.slots == NULL, "%s: table_fini", name);
}

int main(void)
{
    test_with(UINT64_MAX, "good hashes");
    test_with(17, "few hashes");
    test_with(1, "one hash");
    return check_done();
}
