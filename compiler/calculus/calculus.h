/* Calculus: what is done to equations as mathematics.

   The order of the passes is passes.def; each is one file with one exported function. */
#ifndef NNC_CALCULUS_CALCULUS_H
#define NNC_CALCULUS_CALCULUS_H

#include "equations/equation.h"

/* derive.c: defines every requested gradient (program->gradients, then each step's), by reverse mode:
   scalar rule x reduction rule x index inversion. Gradients may be differentiated again. Errors
   NN05xx go to model->diagnostics. Derived tensors are named after the source: "d.h1.W". */
void derive(Model *model);

/* simplify.c: the rules of rules.def, to a fixed point within a node budget. */
typedef enum { SIMPLIFY_STABILISE, SIMPLIFY_ALGEBRA } SimplifyPhase;
void simplify(Model *model, Program *program, SimplifyPhase phase);

/* share.c: equal equations (up to the names of their variables) become one. */
void share(Model *model, Program *program);

/* hoist.c: costly expressions that use fewer variables than their equation get equations of their own. */
void hoist(Model *model, Program *program);

/* reuse.c: costly values that an equation stores are read where they were computed again. */
void reuse(Model *model, Program *program);

/* contract.c: products of more than two tensors under a sum are split pairwise by least work. */
void contract(Model *model, Program *program);

/* accumulate.c: the equations of MODEL_accumulate and MODEL_apply for each step: states `sum.<parameter>`
   that gradients are added to, and the step's updates once more, reading their mean. After derive. */
void accumulate(Model *model);

/* unpad.c: sums leave out the points where a factor is padding, or 0 by its definition. */
void unpad(Model *model, Program *program);

/* demand.c: sums are not taken for elements that no one reads. */
void demand(Model *model, Program *program);

/* interleave.c: one class of dims, as the samples, lies innermost where vectors along it are fuller. */
void interleave(Model *model, Program *program);

/* arrange.c: fixes the order of every reduction (equation->lanes), after which no pass may change a
   rounding. */
void arrange(Model *model, Program *program);

#endif
