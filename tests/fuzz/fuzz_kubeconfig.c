/* kubeconfig files: whatever stands in them, what comes out has a server of http or https, no
 * credential for http, and each refusal says where. A line "%%" ends one file and begins another.
 */
#include "allocator/kube/config.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static size_t split(struct span text, struct kubeconfig_text *out, size_t max)
{
    size_t n = 0;

    while (n < max) {
        const char *end = text.len == 0 ? NULL : memmem(text.p, text.len, "\n%%\n", 4);
        size_t len = end == NULL || n + 1 == max ? text.len : (size_t)(end - text.p) + 1;
        out[n++] = (struct kubeconfig_text){ "/folder/file", { text.p, len } };
        if (len == text.len) {
            break;
        }
        text = span_from(text, len + 3);
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kubeconfig_text texts[3];
    struct kubeconfig c;
    struct faults f;
    struct arena arena;

    size_t n = split((struct span){ (const char *)data, size }, texts, 3);
    arena_init(&arena);
    faults_init(&f);
    int rc = kubeconfig_read(texts, n, true, &arena, &c, &f);
    require((rc == ERR_INVALID) == (f.n_errors > 0));
    if (rc == 0) {
        bool is_http = span_has_prefix(c.server, "http://");
        require(is_http || span_has_prefix(c.server, "https://"));
        require(c.server.p[c.server.len - 1] != '/' && c.namespace.len > 0);
        require(!is_http ||
                c.token.len + c.token_file.len + c.cert_pem.len + c.exec.command.len == 0);
        require(!c.insecure_skip_verify || c.ca_file.len + c.ca_pem.len == 0);
    }
    faults_fini(&f);
    arena_fini(&arena);
    return 0;
}
