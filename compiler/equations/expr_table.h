/* What the files of expressions share. Private to expr*.c and affine*.c. */
#ifndef NNC_EQUATIONS_EXPR_TABLE_H
#define NNC_EQUATIONS_EXPR_TABLE_H

#include "equations/expr.h"

typedef struct ExprSlot {
  uint32_t hash;
  const Expr *expr; /* null: free */
} ExprSlot;

struct ExprTable {
  Arena *arena;
  ExtentTable *extents;
  ExprSlot *slots; /* open addressing; the capacity is a power of two */
  size_t count, capacity;
};

/* How an operation is written: the FORM column of ops.def. */
typedef enum { FORM_LEAF, FORM_READ, FORM_INFIX, FORM_PREFIX, FORM_CALL, FORM_SELECT } OpForm;
/* The type of its value: the TYPE column. */
typedef enum { RESULT_REAL, RESULT_NUMERIC, RESULT_INT, RESULT_BOOL, RESULT_SAME } OpResult;
OpForm op_form(Op op);
OpResult op_result(Op op);

/* The node itself, with nothing converted or folded; `leaf` gives op, type and payload. */
const Expr *expr_intern(ExprTable *table, const Expr *leaf, const Expr *const *args, int count);
const Expr *expr_node(ExprTable *table, Op op, ValueType type, const Expr *const *args, int count);
const Expr *expr_boolean(ExprTable *table, bool value);

/* The constant that the operation amounts to, or one of its operands; null when it must be kept.
   Operands are converted already. */
const Expr *expr_fold(ExprTable *table, Op op, ValueType type, const Expr *const *args);

/* Canonical form of a whole-number operation: ADD, SUB, MUL, NEGATE, IDIV, MOD. */
const Expr *affine_make(ExprTable *table, Op op, const Expr *const *args);
/* What a comparison of whole numbers comes to when their difference has a known sign; else null. */
const Expr *affine_compare(ExprTable *table, Op op, const Expr *a, const Expr *b);

#endif
