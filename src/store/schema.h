/* The schema, its version and its migrations. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

/* "SR01" at byte 68 of the file: PRAGMA application_id. */
#define STORE_APPLICATION_ID 0x53523031
/* PRAGMA user_version; a store with a higher one is refused. */
#define STORE_VERSION 2

/* The statements that make an empty store of STORE_VERSION. */
extern const char schema_sql[];

/* migrations[v] takes a store from version v to v + 1; index 0 is unused. */
extern const char *const schema_migrations[STORE_VERSION];

#endif
