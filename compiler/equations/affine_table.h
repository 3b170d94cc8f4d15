/* What the files of affine forms share. */
#ifndef NNC_EQUATIONS_AFFINE_TABLE_H
#define NNC_EQUATIONS_AFFINE_TABLE_H

#include "equations/affine.h"
#include "equations/expr_table.h"

Affine affine_constant(const Extent *value);
Affine affine_scale(ExprTable *table, Arena *arena, const Affine *a, const Extent *factor);
/* The value of an INTEGER or EXTENT leaf; null for others. */
const Extent *whole_constant(ExprTable *table, const Expr *e);

/* IDIV or MOD of two forms, which are those of args. */
const Expr *affine_divide(ExprTable *table, Op op, const Expr *const *args, const Affine *a,
                          const Affine *b);
/* Puts d*(R//d) + R%d together to R wherever both occur with fitting coefficients. */
void affine_recompose(ExprTable *table, Arena *arena, Affine *affine);

#endif
