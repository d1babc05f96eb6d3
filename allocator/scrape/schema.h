/* Prometheus' configuration structs as tables: one line says what a member is called, what it may
 * hold and what it is when nobody sets it. From a table come the check (unknown names, wrong types,
 * unknown choices), the joining of relative paths, and the JSON with all defaults filled in,
 * omitting what Prometheus omits when it marshals. Rules about several members at once stand in
 * httpconfig, sdconfig and scrapejob. Source: the yaml tags and default structs of Prometheus 3.14
 * and prometheus/common. Threads: any. */
#ifndef OTEL_TA_SCRAPE_SCHEMA_H
#define OTEL_TA_SCRAPE_SCHEMA_H

#include "allocator/codec/node.h"

enum schema_kind {
    SCHEMA_TEXT,
    SCHEMA_LOWER,  /* text, lower-cased in the JSON */
    SCHEMA_TRIM,   /* text, white space around it removed in the JSON */
    SCHEMA_SECRET, /* text, "<secret>" in the masked JSON */
    SCHEMA_PATH,   /* text, joined to the base directory when relative */
    SCHEMA_URL,    /* text; must be a URL; its password is "xxxxx" in the masked JSON */
    SCHEMA_URLISH, /* the same, not checked */
    SCHEMA_REGEX,  /* text; absent is not the same as empty */
    SCHEMA_CHOICE, /* text, one of 'choices' */
    SCHEMA_BOOL,
    SCHEMA_INT,
    SCHEMA_UINT,
    SCHEMA_DOUBLE,
    SCHEMA_DURATION,
    SCHEMA_SIZE,
    SCHEMA_TEXTS, /* lists */
    SCHEMA_SECRETS,
    SCHEMA_PATHS,
    SCHEMA_TEXT_MAP,    /* name → text */
    SCHEMA_LABELS,      /* label name → text */
    SCHEMA_TEXTS_MAP,   /* name → list of text */
    SCHEMA_SECRETS_MAP, /* name → list of secrets */
    SCHEMA_ANY,         /* whatever, kept as it is */
    SCHEMA_MAP,         /* a map with 'fields' */
    SCHEMA_LIST,        /* a list of maps with 'fields' */
    SCHEMA_NAMED,       /* name → map with 'fields' */
    SCHEMA_INLINE,      /* 'fields' are members of this very map */
};

/* What a value of a kind is made of: all that most walks over a table have to tell apart. */
enum schema_shape {
    SCHEMA_SHAPE_TEXT,   /* durations and sizes too */
    SCHEMA_SHAPE_NUMBER, /* truth too */
    SCHEMA_SHAPE_TEXTS,
    SCHEMA_SHAPE_NAMES, /* name → text or texts */
    SCHEMA_SHAPE_ANY,
    SCHEMA_SHAPE_MAP,
    SCHEMA_SHAPE_LIST,
    SCHEMA_SHAPE_NAMED,
    SCHEMA_SHAPE_INLINE,
};
enum schema_shape schema_shape(enum schema_kind kind);

#define SCHEMA_KEEP 1U     /* in the JSON even when zero */
#define SCHEMA_POINTER 2U  /* MAP, NAMED: in the JSON when given, even when all members are zero */
#define SCHEMA_REQUIRED 4U /* may not be zero, default included */
#define SCHEMA_POSITIVE 8U /* DURATION, INT: may not be zero or less */
#define SCHEMA_BLANK 32U   /* CHOICE: empty text is as good as none */
#define SCHEMA_ELSEWHERE 16U /* what is inside is checked by somebody else */

struct schema_field {
    const char *name; /* NULL ends a table; "" for SCHEMA_INLINE */
    enum schema_kind kind;
    unsigned flags;
    const char *preset;                /* the value when absent; NULL: zero */
    const struct schema_field *fields; /* MAP, LIST, NAMED, INLINE */
    const char *const *choices;        /* CHOICE, NULL-terminated */
};

/* Every fault of 'map' and what lies below it; 'f' stands at the map. 'unknown' is the severity of
 * unknown names. */
void schema_check(const struct schema_field *fields, const struct node *map,
                  enum fault_severity unknown, struct faults *f);
/* Joins relative paths to 'base_dir' (empty: nothing is done), in place. */
void schema_join_paths(const struct schema_field *fields, struct node *map, struct span base_dir,
                       struct arena *arena);
/* A new JSON object of a 'map' that passed the check (NULL: an empty one). */
json_t *schema_render(const struct schema_field *fields, const struct node *map, bool is_masked);
/* Is any member of 'map' other than its default? */
bool schema_is_set(const struct schema_field *fields, const struct node *map);

/* Quiet reads for rules: the check has already said what is wrong. Absent, null or of a wrong type:
 * "" and 0. */
struct span schema_text(const struct node *map, const char *key);
int64_t schema_duration_ms(const struct node *map, const char *key);
/* The list member 'key', or NULL. */
const struct node *schema_list(const struct node *map, const char *key);

#define SECRET_MASK "<secret>"

#endif
