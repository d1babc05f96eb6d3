/* The members of every service-discovery section of Prometheus, as tables, and the rules about
 * several members of one entry. A mechanism that this program does not run is here all the same, so
 * that its misspelt members are found and its JSON is complete. Source: the SDConfig structs and
 * their UnmarshalYAML of Prometheus 3.14. Threads: any. */
#ifndef OTEL_TA_SCRAPE_SDTABLES_H
#define OTEL_TA_SCRAPE_SDTABLES_H

#include "allocator/scrape/schema.h"

struct sdtable {
    const char *section; /* "dns_sd_configs"; NULL ends the list */
    const struct schema_field *fields;
    /* Faults about several members of the entry 'sd'; 'f' stands there. NULL: no such rule. */
    void (*check)(const struct node *sd, struct faults *f);
    bool has_client; /* httpconfig_fields are members */
};

extern const struct sdtable sdtables[];
/* All sections as members of a scrape config: lists of maps. */
extern const struct schema_field sdtables_fields[];

/* sdrules.c */
void sdrules_azure(const struct node *sd, struct faults *f);
void sdrules_consul(const struct node *sd, struct faults *f);
void sdrules_dns(const struct node *sd, struct faults *f);
void sdrules_ec2(const struct node *sd, struct faults *f);
void sdrules_file(const struct node *sd, struct faults *f);
void sdrules_http(const struct node *sd, struct faults *f);
void sdrules_kubernetes(const struct node *sd, struct faults *f);
void sdrules_marathon(const struct node *sd, struct faults *f);
void sdrules_nomad(const struct node *sd, struct faults *f);
void sdrules_oci(const struct node *sd, struct faults *f);
void sdrules_one_secret_key(const struct node *sd, struct faults *f);
void sdrules_server_url(const struct node *sd, struct faults *f);
void sdrules_stackit(const struct node *sd, struct faults *f);
void sdrules_zookeeper(const struct node *sd, struct faults *f);

#endif
