/* Selectors: which parameters a `group`, a `freeze` or a `total[...]` speaks of.

   @tag selects by tag; "xf.*.Wo" by path, where * stands for any text (dots, too) and ? for one
   character; a name selects the parameter of that path and everything below it, `emb` like
   "emb.*". */
#ifndef NNC_ELABORATE_SELECTORS_H
#define NNC_ELABORATE_SELECTORS_H

#include "elaborate/scope.h"

/* Whether one of the selectors in `list` (NODE_LIST; null: all parameters) selects the tensor. */
bool selectors_match(const Node *list, const Tensor *tensor);

/* Reports each selector in a statement of `frame` that selects no parameter (NN0406). */
void selectors_check(const Frame *frame, const Node *list);

#endif
