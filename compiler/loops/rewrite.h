/* Copies of loop nodes in which every expression is rewritten. */
#ifndef NNC_LOOPS_REWRITE_H
#define NNC_LOOPS_REWRITE_H

#include "loops/loop.h"

typedef const Expr *(*ExprRewrite)(void *context, const Expr *e);

/* `states`: the copy begins the equations that the node begins. */
LoopNode *loop_copy(Model *model, const LoopNode *node, bool states, ExprRewrite rewrite,
                    void *context);

/* All expressions of the node itself, not of what is below it, operands before users. */
ExprList loop_node_expressions(Arena *scratch, const LoopNode *node);

/* Whether some tensor is read below the loop but nowhere in what would stand for it: it would have been computed for
   nothing. */
bool loop_loses_reads(Arena *scratch, const LoopNode *loop, const LoopBody *instead);

#endif
