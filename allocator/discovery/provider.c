#include "allocator/discovery/provider.h"

const struct provider_ops *provider_find(enum sd_mechanism mechanism)
{
    static const struct provider_ops *const all[] = { &provider_static, &provider_file,
                                                      &provider_http };

    for (size_t i = 0; i < COUNT(all); i++) {
        if (all[i]->mechanism == mechanism) {
            return all[i];
        }
    }
    return NULL;
}
