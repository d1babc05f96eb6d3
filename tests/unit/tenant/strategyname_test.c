/* The words that configurations may use are the strategies that there are. */
#include "allocator/shard/strategy.h"
#include "allocator/tenant/strategyname.h"
#include "tests/check.h"

int main(void)
{
    size_t i = 0;

    for (; strategies[i] != NULL && strategy_names[i] != NULL; i++) {
        is_str(strategy_names[i], strategies[i]->name, "strategy %zu", i);
    }
    ok(i > 0 && strategies[i] == NULL && strategy_names[i] == NULL, "as many names as strategies");
    return check_done();
}
