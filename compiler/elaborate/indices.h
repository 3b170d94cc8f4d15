/* Index variables: where they are bound, what they range over, and what is read with them.

   A variable is bound on a left side or by a reduction. Its range is what is written (`v in K`), else the
   declared extent of the left side, else the extent of the first dim at which it stands alone as a
   subscript; the others must then have the same. A guarded read counts only when nothing else does. */
#ifndef NNC_ELABORATE_INDICES_H
#define NNC_ELABORATE_INDICES_H

#include "elaborate/scope.h"

enum { LIMIT_BINDERS = 16 }; /* index variables of one left side or reduction */

/* A place where an index variable, or a pack of them, is bound. */
typedef struct Binder {
  Name name; /* null: the pack without a name */
  bool is_pack;
  Span span;
  const Node *extent; /* after `in`; or null */
  bool known;         /* axes are: from the left side's declaration, or found */
  bool inferred;      /* by the third rule: lone subscripts must agree */
  Span source;        /* of the subscript it was inferred from */
  Axis axes[LIMIT_RANK];
  int rank; /* 1 unless a pack */
} Binder;
typedef struct BinderList {
  Binder *items;
  int count, capacity;
} BinderList;

/* ranges.c: appends the binder that a subscript is: an identifier in lower case, `v in K`, `...`. Reports
   NN0213 and returns false for anything else. */
bool binder_add(const Context *c, BinderList *binders, const Node *sub);
/* Finds what is not known yet in the trees that use the variables; NN0206 for what nothing gives a range. */
bool find_ranges(const Context *c, BinderList *binders, const Node *const *trees, int count);
/* An index of an optimizer that nothing gives a range: the dims of a parameter have no names. */
void reject_optimizer_index(const Context *c, Name name, Span span);
/* Puts the variables of known binders in sight; new indices, except where `given` has some. */
const Variable *bind_variables(const Context *c, const BinderList *binders,
                               const Index *const *given);
const Variable *find_variable(const Context *c, Name name, bool is_pack);
/* A name for a generated index variable: the letter of its dim, or the next one free in `formula`. */
Name index_name(const Context *c, const Axis *axis);
/* Whether the tree mentions the name as an identifier or binder. */
bool tree_mentions(const Node *node, Name name);

/* subscripts.c */
Value evaluate_read(const Context *c, const Node *node);
Value evaluate_count(const Context *c, const Node *node);
/* How many elements these dims have together. */
const Extent *axes_product(const Context *c, const Axis *axes, int rank);
/* What is read through subscripts, as a whole tensor; made once for each place in a frame. False when it
   is none: reported only when it has no value at all. */
bool find_base(const Context *c, const Node *base, Value *value);
/* How many of the dims of `rank` the pack at `position` of the subscripts stands for; -1: unknown. */
int pack_length(const Context *c, const BinderList *binders, const Node *subs, int position,
                int rank);

/* bounds.c: proves 0 <= e < axis->extent where `c` stands, leaving what depends on run-time sizes alone to
   a check at entry. Reports NN0208 with a witness otherwise. */
bool prove_subscript(const Context *c, const Expr *e, const Axis *axis, const Node *read,
                     const Node *sub);
/* The same question without a message, and its two halves. */
bool is_in_range(const Context *c, const Expr *e, const Extent *extent);
bool is_not_negative(const Context *c, const Expr *e);
bool is_below(const Context *c, const Expr *e, const Extent *extent);

/* reductions.c */
typedef struct Reducing {
  Reduction reduction;
  bool is_mean;
  const Index *indices[LIMIT_BINDERS];
  int count;
  const Expr *guard, *body;
} Reducing;
/* The parts of a reduction, with its variables bound; false after an error. */
bool take_apart(const Context *c, const Node *node, Reducing *parts);
Value evaluate_reduction(const Context *c, const Node *node);
/* Over no elements: NN0210 and false for argmax and argmin, which have no value then; else a warning. */
bool check_ranges(const Context *c, Name reduction, const Reducing *parts, Span span);
/* The hoisted reduction as a scalar of this formula; a mean divided by its count, not a number for 0. */
Value hoist_reduction(const Context *c, const Reducing *parts, Span span);
ValueType reduction_type(Reduction reduction, const Expr *body);

/* dims.c: `unit` or `dims(first, last)` of an optimizer as all that stands in the brackets of a reduction or
   count. */
bool names_dims(const Context *c, const Node *subs);
/* Such a reduction, of the parameter's field; how many elements those dims have. */
Value reduce_dims(const Context *c, const Node *node);
Value count_dims(const Context *c, const Node *sub);

#endif
