/* Limits on input: each is enforced with an error that states it, and tested at limit - 1, limit, limit + 1. */
#ifndef NNC_SUPPORT_LIMITS_H
#define NNC_SUPPORT_LIMITS_H

enum {
  LIMIT_FILE_BYTES = 1 << 20,
  LIMIT_NESTING = 64, /* brackets and blocks; calls of definitions */
  LIMIT_TREE_HEIGHT =
      1100,       /* of a syntax tree: what bounds a chain of operators (1,000 layers pass) */
  LIMIT_RANK = 8, /* dims of a tensor */
  LIMIT_IDENTIFIER = 63, /* bytes of one name between dots */
  LIMIT_IMPORT_DEPTH = 16,
  LIMIT_INSTANCES = 100000, /* layer applications after expansion */
  LIMIT_ERRORS_PRINTED = 20,
  LIMIT_ERRORS_RECORDED = 1000, /* of a compilation; no file or statement is read behind it */
  LIMIT_GENERATED_BYTES = 64 << 20
};
#define LIMIT_EXTENT INT64_C(2147483647)       /* one dimension: 2^31 - 1 */
#define LIMIT_ELEMENTS (INT64_C(1) << 40)      /* elements of one tensor */
#define LIMIT_PLANNED_BYTES (INT64_C(4) << 30) /* default of --max-mem */

#endif
