/* Certificate, key and client CA as PEM, from files that somebody else writes. No key is ever
 * committed, so the input is a recipe: '@' stands for a leaf's certificate, '#' for its key, '%'
 * for the authority's certificate, '&' for its key, all made when the target starts; lines of "="
 * part the three texts and a list of bytes to spoil in them (which text, two bytes of offset, what
 * to xor). What is accepted fits together and survives being written and read again; what is
 * refused leaves no trace but its reason. */
#include "allocator/base/mem.h"
#include "certs/authority.h"
#include "certs/certificate.h"
#include "certs/identity.h"

#include <openssl/err.h>
#include <openssl/ui.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CERT, KEY, CLIENT_CA, TEXTS, TEXT_MAX = 64 * 1024 };
static const int64_t now_s = 1800000000;

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

/* OpenSSL asks for a password where nobody said that there is none. */
static int on_prompt(UI *ui)
{
    (void)ui;
    abort();
}

static struct buf made[4]; /* what "@#%&" stand for */

static void make(void)
{
    static const char *const names[] = { "localhost", "127.0.0.1" };
    UI_METHOD *terminal = UI_create_method("no terminal");
    struct keypair ca = { NULL, NULL }, leaf = { NULL, NULL };

    UI_method_set_opener(terminal, on_prompt);
    UI_set_default_method(terminal);
    require(authority_create(now_s, &ca, NULL) == 0);
    require(authority_issue(&ca, names, COUNT(names), now_s, &leaf, NULL) == 0);
    for (size_t i = 0; i < COUNT(made); i++) {
        buf_init(&made[i], TEXT_MAX);
    }
    keypair_cert_pem(&leaf, &made[0]);
    keypair_key_pem(&leaf, &made[1]);
    keypair_cert_pem(&ca, &made[2]);
    keypair_key_pem(&ca, &made[3]);
    keypair_fini(&ca);
    keypair_fini(&leaf);
}

/* Takes what stands before the next line "=" off 'rest'. */
static struct span take_part(struct span *rest)
{
    const char *end = memmem(rest->p, rest->len, "\n=\n", 3);
    struct span part = { rest->p, end == NULL ? rest->len : (size_t)(end - rest->p) + 1 };

    *rest = span_from(*rest, end == NULL ? rest->len : part.len + 2);
    return part;
}

static void expand(struct span recipe, struct buf *out)
{
    static const char marks[] = "@#%&";

    for (size_t i = 0; i < recipe.len; i++) {
        const char *mark = memchr(marks, recipe.p[i], sizeof(marks) - 1);
        if (mark != NULL) {
            buf_add(out, made[mark - marks].p, made[mark - marks].len);
        } else {
            buf_add_char(out, recipe.p[i]);
        }
    }
}

static void spoil(struct span edits, struct buf *texts)
{
    for (; edits.len >= 4; edits = span_from(edits, 4)) {
        const unsigned char *e = (const unsigned char *)edits.p;
        struct buf *text = &texts[e[0] % TEXTS];
        size_t at = (size_t)e[1] << 8 | e[2];

        if (text->len > 0) {
            text->p[at % text->len] = (char)(text->p[at % text->len] ^ e[3]);
        }
    }
}

/* Written and read again it is the same pair. */
static void check_pair(const struct buf *texts)
{
    struct keypair pair = { NULL, NULL }, again = { NULL, NULL };
    AUTO_BUF cert = { 0 }, key = { 0 };
    int64_t from_s = 0, until_s = 0;

    require(keypair_from_pem(buf_span(&texts[CERT]), buf_span(&texts[KEY]), &pair, NULL) == 0);
    certificate_validity(pair.cert, &from_s, &until_s);
    (void)certificate_due_s(pair.cert);
    buf_init(&cert, TEXT_MAX);
    buf_init(&key, TEXT_MAX);
    keypair_cert_pem(&pair, &cert);
    keypair_key_pem(&pair, &key);
    require(keypair_from_pem(buf_span(&cert), buf_span(&key), &again, NULL) == 0);
    require(ERR_peek_error() == 0);
    require(X509_cmp(pair.cert, again.cert) == 0 && EVP_PKEY_eq(pair.key, again.key) == 1);
    ERR_clear_error(); /* the comparison reads spoiled extensions, and says so */
    keypair_fini(&pair);
    keypair_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = { (const char *)data, size };
    struct buf texts[TEXTS];
    struct identity *id = NULL;
    struct err err = { .text = "" };

    if (made[0].len == 0) {
        make();
    }
    for (size_t i = 0; i < TEXTS; i++) {
        buf_init(&texts[i], TEXT_MAX);
        expand(take_part(&rest), &texts[i]);
    }
    spoil(rest, texts);
    int rc = identity_from_pem(buf_span(&texts[CERT]), buf_span(&texts[KEY]),
                               buf_span(&texts[CLIENT_CA]), now_s, &id, &err);
    require((rc == 0) == (id != NULL) && (rc == 0) == (err.text[0] == '\0'));
    if (rc == 0) {
        require(identity_not_after_s(id) >= now_s);
        check_pair(texts);
    }
    require(ERR_peek_error() == 0);
    identity_put(&id);
    for (size_t i = 0; i < TEXTS; i++) {
        buf_fini(&texts[i]);
    }
    return 0;
}
