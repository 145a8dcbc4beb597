/* The C border between a check library and rackproof-check: what a check says about itself, and how it is started. */
#ifndef RACKPROOF_ABI_H
#define RACKPROOF_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a struct below changes. It is the first field of the declaration, read before anything else. */
#define RACKPROOF_ABI 1u

/* A parameter that a recipe may set with `with: { name: value }`. */
struct rackproof_parameter {
  const char* name;
  const char* type;          /* "quantity", "integer", "text", "path", "boolean" or "choice a|b|c" */
  const char* default_value; /* as it would stand in a recipe; NULL: the recipe must give one */
  const char* unit;          /* for a quantity: any unit of its dimension, else NULL */
  const char* help;
};

/* A number that the check may measure. */
struct rackproof_metric {
  const char* name;
  const char* unit;   /* from checks/api/units.h; what a limit states must convert to it */
  const char* better; /* "higher", "lower", "exact", or "bound" for what the hardware cannot exceed */
  const char* help;
};

struct rackproof_check {
  uint32_t abi; /* RACKPROOF_ABI of the header it was built with */
  const char* name;
  const char* layer;
  const char* summary;                          /* one line */
  const char* method;                           /* how it measures: a paragraph for `rackproof explain` */
  const struct rackproof_parameter* parameters; /* ended by an entry without a name */
  const struct rackproof_metric* metrics;       /* likewise */
  const char* const* by_hand;                   /* commands that measure the same; ended by NULL */

  /* Measures, and writes one report a line to the file descriptor `events`. `args` holds "name=value" texts and ends
     with NULL. Returning without a last word is an error that the runner reports. */
  void (*run)(int events, const char* const* args);
};

/* The one symbol that a check library exports. */
#ifdef __GNUC__
__attribute__((visibility("default")))
#endif
const struct rackproof_check* rackproof_check_entry(void);

#ifdef __cplusplus
}
#endif
#endif
