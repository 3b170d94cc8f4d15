/* Expressions: the value of every node of the tree that has one. */
#include "elaborate/calls.h"
#include "elaborate/indices.h"

enum { LIMIT_DEPTH = 1500, LIMIT_EVALUATIONS = 20000000 };

static Value evaluate_number(const Context *c, const Node *node) {
  bool whole = true;
  for (const char *s = node->name; *s; s++) whole = whole && *s >= '0' && *s <= '9';
  int64_t integer;
  if (whole && value_as_integer(value_number(node->number), &integer)) {
    return value_integer(c->frame->e, integer);
  }
  return value_number(node->number);
}

/* The condition in `facts` while one branch is evaluated. */
static Value evaluate_under(const Context *c, const Node *node, const Expr *condition, bool holds) {
  Facts facts = {c->facts, condition, holds};
  Context inner = *c;
  inner.facts = &facts;
  return evaluate(&inner, node);
}

/* A condition as a truth value or a boolean expression; reports anything else. */
static Value evaluate_truth(const Context *c, const Node *node) {
  Value value = as_operand(c, evaluate(c, node), node->span);
  if (is_poison(value) || value.expr->type == TYPE_BOOL) return value;
  report(c->frame, NN0209, node->span, "a condition is wanted, not a number");
  return value_poison();
}

static Value evaluate_if(const Context *c, const Node *node) {
  Value condition = evaluate_truth(c, node->parts[0]);
  if (is_poison(condition)) return condition;
  if (!condition.field && is_true(condition.expr)) return evaluate(c, node->parts[1]);
  if (!condition.field && is_false(condition.expr)) return evaluate(c, node->parts[2]);
  Value yes = evaluate_under(c, node->parts[1], condition.expr, true);
  Value no = evaluate_under(c, node->parts[2], condition.expr, false);
  return apply_op(c, OP_SELECT, (Value[]){condition, yes, no}, 3, node->span);
}

/* The second operand is evaluated only when the first does not decide. */
static Value evaluate_logic(const Context *c, const Node *node, Op op) {
  Value a = evaluate_truth(c, node->parts[0]);
  if (is_poison(a)) return a;
  bool decides = op == OP_AND ? is_false(a.expr) : is_true(a.expr);
  if (decides && !a.field) return value_of_expr(a.expr, NULL);
  Value b = evaluate_under(c, node->parts[1], a.expr, op == OP_AND);
  return apply_op(c, op, (Value[]){a, b}, 2, node->span);
}

static Value multiply(const Context *c, Value a, Value b, Span span) {
  return apply_op(c, OP_MUL, (Value[]){a, b}, 2, span);
}

/* Powers that are products, quotients or roots are written as such: they round as the formula reads and
   cost less than a general power. */
static Value evaluate_power(const Context *c, const Node *node) {
  Value a = evaluate(c, node->parts[0]), b = evaluate(c, node->parts[1]);
  double exponent;
  if (is_poison(a) || is_poison(b)) return value_poison();
  if (value_as_number(b, &exponent)) {
    if (exponent == 1) return a;
    if (exponent == 2) return multiply(c, a, a, node->span);
    if (exponent == 3) return multiply(c, multiply(c, a, a, node->span), a, node->span);
    if (exponent == 4) {
      Value square = multiply(c, a, a, node->span);
      return multiply(c, square, square, node->span);
    }
    Value one = value_integer(c->frame->e, 1);
    if (exponent == -1) return apply_op(c, OP_DIV, (Value[]){one, a}, 2, node->span);
    if (exponent == 0.5) return apply_op(c, OP_SQRT, &a, 1, node->span);
  }
  return apply_op(c, OP_POW, (Value[]){a, b}, 2, node->span);
}

static const struct Operator {
  Op op;
  bool swapped;
} operators[NODE_KIND_COUNT] = {[NODE_EQ] = {OP_EQ, false},         [NODE_NE] = {OP_NE, false},
                                [NODE_LT] = {OP_LT, false},         [NODE_LE] = {OP_LE, false},
                                [NODE_GT] = {OP_LT, true},          [NODE_GE] = {OP_LE, true},
                                [NODE_ADD] = {OP_ADD, false},       [NODE_SUB] = {OP_SUB, false},
                                [NODE_MUL] = {OP_MUL, false},       [NODE_DIV] = {OP_DIV, false},
                                [NODE_IDIV] = {OP_IDIV, false},     [NODE_MOD] = {OP_MOD, false},
                                [NODE_NEGATE] = {OP_NEGATE, false}, [NODE_NOT] = {OP_NOT, false}};

static Value evaluate_operator(const Context *c, const Node *node) {
  struct Operator operator= operators[node->kind];
  Value operands[2] = {{0}, {0}};
  for (int i = 0; i < node->count; i++) operands[i] = evaluate(c, node->parts[i]);
  if (operator.swapped) {
    Value first = operands[0];
    operands[0] = operands[1];
    operands[1] = first;
  }
  return apply_op(c, operator.op, operands, node->count, node->span);
}

/* Remembers what it saw: parameters declared later would be missing. */
static Value evaluate_total_here(const Context *c, const Node *node) {
  Elaborator *e = c->frame->e;
  if (!e->trainer) {
    e->total_span = node->span;
    e->total_count = e->model->tensors.count;
  }
  return evaluate_total(c, node);
}

static Value reject_node(const Context *c, const Node *node) {
  report(c->frame, NN0213, node->span, "%s has no value here", node_title(node->kind));
  return value_poison();
}

static Value evaluate_node(const Context *c, const Node *node) {
  switch (node->kind) {
  case NODE_IDENT: return resolve_name(c, node->name, node->span);
  case NODE_NUMBER: return evaluate_number(c, node);
  case NODE_STRING: return value_string(node->name);
  case NODE_PIPE: return evaluate_pipe(c, node);
  case NODE_CALL: return evaluate_call(c, node, NULL);
  case NODE_IF: return evaluate_if(c, node);
  case NODE_OR: return evaluate_logic(c, node, OP_OR);
  case NODE_AND: return evaluate_logic(c, node, OP_AND);
  case NODE_POW: return evaluate_power(c, node);
  case NODE_READ: return evaluate_read(c, node);
  case NODE_REDUCE: return evaluate_reduction(c, node);
  case NODE_COUNT: return evaluate_count(c, node);
  case NODE_TOTAL: return evaluate_total_here(c, node);
  default: return operators[node->kind].op ? evaluate_operator(c, node) : reject_node(c, node);
  }
}

Value evaluate(const Context *c, const Node *node) {
  Elaborator *e = c->frame->e;
  if (++e->evaluations > LIMIT_EVALUATIONS) {
    if (e->evaluations == LIMIT_EVALUATIONS + 1) {
      report(c->frame, NN0306, node->span, "the definitions expand to more than %d expressions",
             LIMIT_EVALUATIONS);
    }
    return value_poison();
  }
  if (e->depth >= LIMIT_DEPTH) {
    report(c->frame, NN0105, node->span, "definitions and equations nested too deeply");
    return value_poison();
  }
  e->depth++;
  Value value = evaluate_node(c, node);
  e->depth--;
  return value;
}

const Expr *evaluate_expr(const Context *c, const Node *node, const Field **field) {
  Value value = as_operand(c, evaluate(c, node), node->span);
  if (is_poison(value)) return NULL;
  *field = value.field;
  return value.expr;
}
