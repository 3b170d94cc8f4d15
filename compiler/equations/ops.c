/* The columns of ops.def, by operation; a derivative may be replaced, so that tests can show that a wrong
   one is caught. */
#include "equations/expr.h"

#define ZERO "0"
#define UNDEFINED NULL

typedef struct OpRow {
  const char *spelling;
  int arity, cost;
  const char *derivatives[3];
} OpRow;

static const OpRow rows[OP_COUNT] = {
#define OP(name, arity, spelling, form, type, cost, da, db, dc)                                    \
  {spelling, arity, cost, {da, db, dc}},
#include "equations/ops.def"
#undef OP
};

static struct {
  Op op;
  int argument;
  const char *text; /* null: none in force */
} override;

const char *op_spelling(Op op) {
  return rows[op].spelling;
}

int op_arity(Op op) {
  return rows[op].arity;
}

int op_cost(Op op) {
  return rows[op].cost;
}

const char *op_derivative(Op op, int argument) {
  if (override.text && override.op == op && override.argument == argument) return override.text;
  return rows[op].derivatives[argument];
}

void op_override_derivative(Op op, int argument, const char *text) {
  override.op = op;
  override.argument = argument;
  override.text = text;
}
