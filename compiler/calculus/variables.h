/* Index variables of derived equations: new ones for old ones, with names that do not collide. */
#ifndef NNC_CALCULUS_VARIABLES_H
#define NNC_CALCULUS_VARIABLES_H

#include "equations/equation.h"

/* `wanted`, or `wanted2`, `wanted3`, ...: a name none of `taken` has. */
Name name_apart(Model *model, Name wanted, const IndexList *taken);

/* All variables of the equation, those of the target first. */
IndexList equation_variables(Arena *arena, const Equation *equation);

/* The element of `tensor` (in the shape of the target) that the equation's own variables stand for. */
const Expr *equation_own_read(Model *model, const Equation *equation, const Tensor *tensor);

/* `e` of the equation, which has a variable for each dim of what is read: over what the read has in their place. */
const Expr *equation_at_read(Model *model, Arena *scratch, const Equation *equation,
                             const Expr *read, const Expr *e);

/* The dim of the target that the variable alone addresses; -1: none. */
int equation_dim_of(const Equation *equation, const Index *variable);

/* The number of the point in row-major order over these variables. */
const Expr *indices_linear(Model *model, const Index *const *indices, int count);

/* How many points there are. */
const Expr *indices_count(Model *model, const Index *const *indices, int count);

/* Elements of the largest tensor that the equation reads or defines, at its maximum. */
double equation_largest_tensor(Arena *scratch, const Equation *equation);

/* New variables of the same ranges, with names apart from those of `taken`, which they join. */
typedef struct Renaming {
  const Index **from, **to;
  const Expr **values; /* of `to` */
  int count;
} Renaming;
Renaming renaming_new(Model *model, Arena *arena, const Index *const *indices, int count,
                      IndexList *taken);
/* `e` over the new variables; null stays null. */
const Expr *renaming_apply(Model *model, Arena *scratch, const Renaming *renaming, const Expr *e);

/* A product or sum as an equation of its own, whose dims are `free` in that order; returns the read of it. */
const Expr *equation_hoist_over(Model *model, Program *program, Name name, const IndexList *free,
                                const IndexList *reduced, const Expr *body,
                                const Equation *for_equation);

#endif
