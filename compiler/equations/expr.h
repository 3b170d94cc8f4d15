/* Expressions: hash-consed scalar DAGs, the right sides of equations.

   An expression is an operation (a row of ops.def) over expressions. Building the same expression twice
   gives the same pointer, so equality is identity. Whole-number expressions are kept in one canonical
   affine form as they are built (constants and extents collected, terms sorted, `i//1`, `0*i`,
   `(a*E + e)//E` with 0 <= e < E removed), so subscripts compare by pointer too; real expressions
   are built exactly as asked: only rules.def may change them. There is no recursion over a DAG anywhere:
   walks go through `expr_postorder` (args before users). */
#ifndef NNC_EQUATIONS_EXPR_H
#define NNC_EQUATIONS_EXPR_H

#include "equations/extent.h"

typedef enum {
#define OP(name, ...) OP_##name,
#include "equations/ops.def"
#undef OP
  OP_COUNT
} Op;

/* TYPE_REAL is f32 or f64 as --real says; TYPE_F64 is double always: scalars of `step` and
   hyper-parameters. TYPE_NUMBER is a literal, which takes the type of its context; in place
   of a REAL, as a default or in a case, it is REAL. */
typedef enum { TYPE_BOOL, TYPE_INT, TYPE_NUMBER, TYPE_F64, TYPE_REAL } ValueType;

typedef struct Tensor Tensor;
typedef struct Expr Expr;

/* The steps of a scan, which all index variables that count them share. */
typedef struct Steps {
  int64_t segment; /* `checkpoint K`: so many at a time are computed again; 0: all are kept */
} Steps;

/* An index variable. Each belongs to one equation (or one reduction in it) and ranges 0..range-1. */
typedef struct Index {
  Name name;
  const Extent *range;
  int id;       /* order of creation */
  Steps *steps; /* that it counts; null: of no scan */
} Index;

struct Expr {
  Op op;
  ValueType type;
  uint32_t id; /* order of creation: args have smaller ids than their users */
  union {
    double number;
    int64_t integer;
    const Index *index;
    const Extent *extent;
    const Tensor *tensor;
  };
  int count;
  const Expr *args[];
};

typedef struct ExprTable ExprTable; /* the hash-consing table of one compilation */

ExprTable *expr_table_new(Arena *arena, ExtentTable *extents);
Arena *expr_arena(ExprTable *table);
ExtentTable *expr_extents(ExprTable *table);

/* Constructors. Arguments of the wrong type are a bug of the caller: `expr_make` checks arity and types
   in debug builds; conversions (int to real, F64 to real) are inserted by expr_make itself, as OP_REAL. */
const Expr *expr_number(ExprTable *table, double value);
const Expr *expr_integer(ExprTable *table, int64_t value);
const Expr *expr_index(ExprTable *table, const Index *index);
const Expr *expr_extent(ExprTable *table, const Extent *extent); /* an INTEGER when constant */
const Expr *expr_draw(ExprTable *table, Op draw);                /* OP_UNIFORM or OP_NORMAL */
const Expr *expr_make(ExprTable *table, Op op, const Expr *const *args, int count);
const Expr *expr_unary(ExprTable *table, Op op, const Expr *a);
const Expr *expr_binary(ExprTable *table, Op op, const Expr *a, const Expr *b);
const Expr *expr_select(ExprTable *table, const Expr *condition, const Expr *a, const Expr *b);
/* `subscripts` has the tensor's rank; `otherwise` null: proved in range, else the default outside it. */
const Expr *expr_read(ExprTable *table, const Tensor *tensor, const Expr *const *subscripts,
                      const Expr *otherwise);
/* Booleans are 0 == 0 and 0 != 0 folded: INTEGER 1 and 0 of TYPE_BOOL. */
const Expr *expr_true(ExprTable *table);
const Expr *expr_false(ExprTable *table);

/* A random number; only as the whole right side of an equation. */
static inline bool is_draw(const Expr *e) {
  return e->op == OP_UNIFORM || e->op == OP_NORMAL;
}
static inline bool is_read(const Expr *e) {
  return e->op == OP_READ;
}
bool is_number(const Expr *e, double *value); /* NUMBER or INTEGER leaf */
bool is_true(const Expr *e);
bool is_false(const Expr *e);
int read_rank(const Expr *read);
const Expr *read_default(const Expr *read); /* null when there is none */

/* All expressions below `roots`, each once, args before users; in the arena given. */
typedef struct ExprList {
  const Expr **items;
  int count, capacity;
} ExprList;
ExprList expr_postorder(Arena *scratch, const Expr *const *roots, int count);

/* The node over these operands; itself when they are its own. */
const Expr *expr_over(ExprTable *table, const Expr *e, const Expr *const *args);

/* The expression with its leaves replaced: `replace` is called for every INDEX and READ node (a READ
   after its args were rewritten) and returns the node that stands for it, or the node itself. */
typedef const Expr *(*ExprReplace)(void *context, const Expr *leaf);
const Expr *expr_rewrite(ExprTable *table, Arena *scratch, const Expr *e, ExprReplace replace,
                         void *context);
/* Every expression that is a key of the map replaced by what it has there, once. */
const Expr *expr_replace(ExprTable *table, Arena *scratch, const Expr *e, const Map *replacements);
/* Index variables replaced by expressions, all at once. */
const Expr *expr_substitute(ExprTable *table, Arena *scratch, const Expr *e,
                            const Index *const *indices, const Expr *const *values, int count);

/* Index variables that occur in `e`, in order of id. */
typedef struct IndexList {
  const Index **items;
  int count, capacity;
} IndexList;
void expr_indices(Arena *arena, const Expr *e, IndexList *indices);
bool expr_uses_index(Arena *scratch, const Expr *e, const Index *index);

/* Its value depends on more than index variables. */
bool expr_reads_tensors(Arena *scratch, const Expr *e);

/* What ops.def says. */
const char *op_spelling(Op op);
int op_arity(Op op); /* -1: any */
int op_cost(Op op);
/* The text of the column; "0"; null for UNDEFINED. */
const char *op_derivative(Op op, int argument);
/* For tests only: `text` stands for that column until the next call (null: none does). */
void op_override_derivative(Op op, int argument, const char *text);

#endif
