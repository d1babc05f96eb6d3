/* Every cap of the program on one screen. Sizes are bytes unless the name says otherwise. */
#ifndef OTEL_TA_BASE_LIMITS_H
#define OTEL_TA_BASE_LIMITS_H

#include <stddef.h>

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)

/* documents */
#define LIMIT_DOCUMENT_BYTES (64 * MIB)   /* a manifest or configuration file */
#define LIMIT_CONFIG_TEXT_BYTES (3 * MIB) /* spec.config as text: API server takes no more */
#define LIMIT_FILLED_BYTES (3 * MIB)      /* expressions of one Collector, filled in */
#define LIMIT_DEPTH 256                   /* levels that are understood */
#define LIMIT_SKIP_DEPTH 16384   /* levels that are skipped over (API server lets 10,002 through) */
#define LIMIT_YAML_NODES 1000000 /* nodes after alias expansion, at most: memorylimit.h */
#define LIMIT_FAULTS 1000        /* faults reported per document */

/* webhook */
#define LIMIT_REVIEW_BYTES (16 * MIB)      /* AdmissionReview body: its objects may be escaped */
#define LIMIT_INSPECTED_BYTES (1 * MIB)    /* a Collector whose jobs are read to warn of them */
#define LIMIT_REVIEWS_IN_FLIGHT (64 * MIB) /* sum of bodies being read or answered */
#define LIMIT_SCRATCH_KEPT (8 * MIB)       /* working memory a serving thread keeps for the next */
#define LIMIT_ANNOTATION_PLAIN (8 * KIB)   /* annotation kept as plain JSON up to here, then gz1: */
#define LIMIT_ANNOTATION_ENCODED (128 * KIB) /* annotation value */
#define LIMIT_ANNOTATION_DECODED (2 * MIB)   /* inflated annotation */
#define LIMIT_ANNOTATIONS (256 * KIB)        /* all annotations together, as Kubernetes counts */
#define LIMIT_FILES 65536                    /* that a command reads of the folders it is given */
#define LIMIT_WARNING 120                    /* one admission warning */

/* certificates */
#define LIMIT_CERTIFICATE (1 * MIB) /* one PEM file or text */

/* discovery */
#define LIMIT_KUBE_NAME 4096       /* namespace and name of an object, and what it is */
#define LIMIT_SD_BODY (1024 * MIB) /* one file_sd file or http_sd body, at most: memorylimit.h */
#define LIMIT_LABELS_PER_TARGET 4096
#define LIMIT_LABEL_VALUE (1 * MIB)
#define LIMIT_RELABEL_BYTES (16 * MIB)   /* made by the rules of one job for one target */
#define LIMIT_POOL_BYTES (64 * MIB)      /* interned names before a sweep */
#define LIMIT_REGEX_BYTES (16 * KIB)     /* one pattern */
#define LIMIT_REGEX_MEMORY (1 * MIB)     /* one compiled program and what it remembers of matches */
#define LIMIT_REGEX_JOB (4 * MIB)        /* all compiled programs of one job */
#define LIMIT_REGEX_AUTHOR (16 * MIB)    /* … of one Collector, or one file */
#define LIMIT_REGEX_PROCESS (1024 * MIB) /* … of all, at most: memorylimit.h */
#define LIMIT_SHAPE_FACTS ((size_t)4096) /* what is remembered of label shapes */
#define LIMIT_SHAPE_BYTES (4 * MIB)
#define LIMIT_PROGRAMS_IDLE ((size_t)1024) /* compiled rules that no job has, kept for the next */
#define LIMIT_PROGRAMS_IDLE_BYTES (4 * MIB)
#define LIMIT_REGEX_WORK (32 * MIB) /* … that are compiled for it, those that go again included */
#define LIMIT_GLOB_FILES 200000     /* files one file_sd entry may match */
#define LIMIT_KUBE_OBJECT (8 * MIB) /* one object of an API server; it stores 1.5 MiB */

#define LIMIT_SECRET (1 * MIB)       /* a file with a password or a token */
#define LIMIT_OAUTH2_TOKEN (1 * MIB) /* answer of a token endpoint, as Go's library */
#define LIMIT_ARRIVALS 2             /* that wait for the engine: the watcher then waits too */

/* serving */
#define LIMIT_CONNECTIONS 16384            /* per listener */
#define LIMIT_TLS_CONNECTIONS 4096         /* … of a TLS listener for collectors */
#define LIMIT_WEBHOOK_CONNECTIONS 1024     /* … of the webhook, whose clients are API servers */
#define LIMIT_HANDSHAKES 512               /* of TLS that are not done, per listener */
#define LIMIT_HEAD_BYTES (64 * KIB)        /* a request without its body */
#define LIMIT_SEND_BUFFER (256 * KIB)      /* asked of the kernel; it doubles it for its own use */
#define LIMIT_ANSWER_BYTES_A_S (512 * KIB) /* at least, from who takes an answer */
#define LIMIT_PINNED_BYTES (32 * MIB)      /* of old snapshots, that slow readers hold … */
#define LIMIT_PINNED_SNAPSHOTS 256         /* … and how many */
#define LIMIT_REQUESTS_WAITING (64 * MIB)  /* of requests that are being received, per listener */
#define LIMIT_PAGE_BYTES (4096 * MIB)
#define LIMIT_COLLECTORS 65534
#define LIMIT_METRIC_SERIES 200000 /* of one family: what names series comes from outside */
#define LIMIT_METRICS_BYTES (64 * MIB)

#endif
