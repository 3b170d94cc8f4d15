/* Copies of loop nodes in which every expression is rewritten. */
#ifndef NNC_LOOPS_REWRITE_H
#define NNC_LOOPS_REWRITE_H

#include "loops/loop.h"

typedef const Expr *(*ExprRewrite)(void *context, const Expr *e);

/* `states`: the copy begins the equations that the node begins. */
LoopNode *loop_copy(Model *model, const LoopNode *node, bool states, ExprRewrite rewrite,
                    void *context);

#endif
