/* Expressions of a Collector's configuration: "${env:X}", "${X}", "${env:X:-default}",
 * "${file:…}", "${yaml:…}", which each collector fills in when it reads the text. Here only those
 * are filled in whose value is certainly the same for all collectors of a Collector resource and
 * that read the same in every release: plain values of spec.env, "${yaml:…}", and the default of a
 * variable that nobody sets. A bare "$X" is text for a collector, and so it is here.
 * Source: confmap/expand.go, confmap/provider/envprovider of the collector. Deviations: a value
 * that YAML would read as something else than it is written as (010, 1.50, null, "quoted"), and one
 * with a "$", is taken for unknown; so is a text with an escaped and an unescaped expression.
 * Threads: any. */
#ifndef OTEL_TA_TENANT_EXPRESSION_H
#define OTEL_TA_TENANT_EXPRESSION_H

#include "allocator/codec/node.h"

struct variable {
    struct span name;
    const struct node *entry;
};

/* What is known of the environment of the collectors. */
struct environment {
    const struct variable *variables; /* of spec.env, sorted by name */
    size_t n;
    bool is_broken; /* spec.env is not what it should be: more variables than are listed, perhaps */
    bool is_open;   /* spec.envFrom sets more, under whatever names */
    size_t *left; /* bytes that may still be filled in, LIMIT_FILLED_BYTES in all: a short text may
                     name a long value often. What is past that is not known */
};

/* 'spec' of a Collector, or NULL. Borrows it; the rest is in 'arena'. */
void environment_read(const struct node *spec, struct arena *arena, struct environment *out);

/* The first expression of a text that a collector would fill in: "${…}", a part of 'text'. */
bool expression_find(struct span text, struct span *out);
/* A text below 'n' that holds one, or NULL. */
const struct node *expression_holder(const struct node *n);
/* 'n' as the collectors read it, but for "$$", which stays: shared where nothing changes. What is
 * not known stays as it is written, and expression_holder() finds it. */
const struct node *expression_fill(const struct environment *e, const struct node *n,
                                   struct arena *arena);
/* A whole number or a truth that is written in the one way in which everybody writes it. */
bool expression_is_canonical(struct span s);
/* Why no collector since 0.104 starts with this expression ("${1}"); NULL: it does. */
const char *expression_flaw(struct span expression);
/* Why the value is not known, as the end of a sentence about it. */
const char *expression_gap(const struct environment *e, struct span expression);

#endif
