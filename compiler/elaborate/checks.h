/* Checks: `require`, and the conditions on run-time sizes that are left to the entry of each call. */
#ifndef NNC_ELABORATE_CHECKS_H
#define NNC_ELABORATE_CHECKS_H

#include "elaborate/scope.h"

/* Adds a condition over sizes to the model, once; `text` says what it protects. */
void check_at_entry(const Frame *frame, const Expr *condition, const char *text, Span span);

/* `require condition : "message"` */
void elaborate_require(Frame *frame, const Node *node);

/* NN0403 for each output of a program that reads a target. */
void check_outputs(const Frame *frame);

#endif
