/* Reads through subscripts: packs become their variables, composites their mixed-radix sum, and every
   subscript is proved in range, has a default, or is an error. */
#include "elaborate/indices.h"

static int known_length(const Context *c, const BinderList *binders, Name name) {
  for (int i = 0; binders && i < binders->count; i++) {
    const Binder *binder = &binders->items[i];
    if (binder->is_pack && binder->name == name && binder->known) return binder->rank;
  }
  const Variable *variable = find_variable(c, name, true);
  if (variable) return variable->binder->rank;
  const Pack *pack = frame_pack(c->frame, name);
  return pack ? pack->rank : -1;
}

int pack_length(const Context *c, const BinderList *binders, const Node *subs, int position,
                int rank) {
  int packs = 0, others = 0;
  for (int i = 0; i < subs->count; i++) {
    const Node *sub = subs->parts[i];
    if (sub->kind != NODE_PACK) {
      others++;
    } else if (i != position) {
      int length = known_length(c, binders, sub->name);
      if (length < 0) return known_length(c, binders, subs->parts[position]->name);
      packs += length;
    }
  }
  return rank - others - packs;
}

static Value *make_base(const Context *c, const Node *base) {
  Value *value = NEW(c->frame->e->arena, Value);
  Context whole = formula_inside(c);
  Name name = name_format(c->frame->e->names, "%s.value", c->formula->path);
  *value = define_tensor(&whole, name, evaluate(&whole, base), base->span);
  return value;
}

bool find_base(const Context *c, const Node *base, Value *value) {
  if (base->kind == NODE_IDENT) {
    *value = resolve_name(c, base->name, base->span);
  } else {
    Value *known = map_get(&c->frame->memo, base);
    if (!known) {
      known = make_base(c, base);
      map_put(&c->frame->memo, base, known);
    }
    *value = *known;
  }
  if (value->kind == VALUE_RESULTS) *value = value->results[0];
  return value->kind == VALUE_TENSOR;
}

/* The radix of a component of a composite: the range of its lone variable. */
static const Expr *radix_of(const Context *c, const Node *node, const Expr *component) {
  const Index *index = lone_index(component);
  if (index) return expr_extent(c->frame->e->model->exprs, index->range);
  report(c->frame, NN0213, node->span,
         "this part of a composite subscript has no extent of its own");
  return NULL;
}

static const Expr *evaluate_whole(const Context *c, const Node *node) {
  const Field *field;
  const Expr *e = evaluate_expr(c, node, &field);
  if (!e) return NULL;
  if (!field && e->type == TYPE_INT) return e;
  bool is_real = !field && e->type != TYPE_BOOL;
  Diagnostic *d = report(c->frame, NN0213, node->span, "a subscript is a whole number; this is %s",
                         is_real ? "a real number"
                         : field ? "a tensor"
                                 : "a condition");
  if (is_real)
    diagnostic_help(d, "'//' divides and rounds down; int(..) makes one of a real number");
  return NULL;
}

static const Expr *evaluate_composite(const Context *c, const Node *tuple) {
  ExprTable *table = c->frame->e->model->exprs;
  const Expr *sum = NULL;
  for (int i = 0; i < tuple->count; i++) {
    const Expr *part = evaluate_whole(c, tuple->parts[i]);
    if (!part) return NULL;
    const Expr *radix = i > 0 ? radix_of(c, tuple->parts[i], part) : NULL;
    if (i > 0 && !radix) return NULL;
    sum = sum ? expr_binary(table, OP_ADD, expr_binary(table, OP_MUL, sum, radix), part) : part;
  }
  return sum;
}

static const Expr *evaluate_subscript(const Context *c, const Node *sub) {
  if (sub->kind == NODE_TUPLE) return evaluate_composite(c, sub);
  if (sub->kind != NODE_IN) return evaluate_whole(c, sub);
  report(c->frame, NN0213, sub->span, "a range is written on the left side or in a reduction");
  return NULL;
}

/* The subscripts of one read, one for each visible dim. */
typedef struct Subscripts {
  const Expr *exprs[LIMIT_RANK];
  const Node *nodes[LIMIT_RANK];
  const Variable *packs[LIMIT_RANK]; /* of the dims that a pack stands for */
  int count;
} Subscripts;

static bool add_pack(const Context *c, const Node *sub, Subscripts *s) {
  ExprTable *table = c->frame->e->model->exprs;
  const Variable *pack = find_variable(c, sub->name, true);
  if (!pack) {
    report(c->frame, NN0203, sub->span, "unbound pack '...%s'", sub->name ? sub->name : "");
    return false;
  }
  for (int i = 0; i < pack->binder->rank; i++) {
    if (s->count < LIMIT_RANK) {
      s->exprs[s->count] = expr_index(table, pack->indices[i]);
      s->nodes[s->count] = sub;
      s->packs[s->count] = pack;
    }
    s->count++;
  }
  return true;
}

static bool is_unbound_index(const Context *c, const Node *sub) {
  return sub->kind == NODE_IDENT && is_lower_case(sub->name) &&
         !find_variable(c, sub->name, false) && !frame_find(c->frame, sub->name) &&
         !definition_seen(c->frame, sub->name);
}

static bool reject_unbound(const Context *c, const Node *sub) {
  Diagnostic *d = report(c->frame, NN0203, sub->span, "unbound index '%s'", sub->name);
  diagnostic_help(d, "bind it on the left side or by a reduction such as sum[%s](..)", sub->name);
  return false;
}

static bool expand_subscripts(const Context *c, const Node *subs, Subscripts *s) {
  bool good = true;
  for (int i = 0; i < subs->count; i++) {
    const Node *sub = subs->parts[i];
    if (sub->kind == NODE_PACK) {
      good = add_pack(c, sub, s) && good;
      continue;
    }
    const Expr *e = NULL;
    if (is_unbound_index(c, sub))
      reject_unbound(c, sub);
    else
      e = evaluate_subscript(c, sub);
    good = good && e;
    if (s->count < LIMIT_RANK) {
      s->exprs[s->count] = e;
      s->nodes[s->count] = sub;
    }
    s->count++;
  }
  return good;
}

static bool check_rank(const Context *c, const Node *node, Value base, int count) {
  if (count == base.rank) return true;
  Text text;
  text_init(&text, c->frame->e->arena);
  node_print(node->parts[0], &text);
  Diagnostic *d = report(c->frame, NN0204, node->parts[1]->span,
                         "'%s' has %d dims and %d subscripts here", text.bytes, base.rank, count);
  for (int i = 0; i < base.rank && i < 1; i++) {
    diagnostic_note(d, base.axes[i].origin, "its dims: %s",
                    shape_text(c->frame->e->arena, base.axes, base.rank));
  }
  return false;
}

/* Lone subscripts that gave their variable its range must agree. */
static bool check_agreement(const Context *c, const Variable *variable, int position,
                            const Axis *axis, const Node *sub) {
  const Binder *binder = variable->binder;
  const Axis *first = &binder->axes[position];
  if (!binder->inferred || first->extent == axis->extent) return true;
  Diagnostic *d =
      report(c->frame, NN0207, sub->span, "%s'%s' has two different extents",
             binder->is_pack ? "a dim of " : "index ", binder->name ? binder->name : "...");
  diagnostic_note(d, binder->source, "%s", axis_text(c->frame->e, first, sub->span));
  diagnostic_note(d, sub->span, "%s", axis_text(c->frame->e, axis, sub->span));
  return false;
}

static bool check_lone(const Context *c, const Subscripts *s, int i, const Axis *axis) {
  const Node *sub = s->nodes[i];
  const Variable *variable = s->packs[i];
  int position = 0;
  if (variable) {
    while (i - position > 0 && s->packs[i - position - 1] == variable) position++;
    position %= variable->binder->rank;
  } else if (sub->kind == NODE_IDENT) {
    variable = find_variable(c, sub->name, false);
  }
  return !variable || check_agreement(c, variable, position, axis, sub);
}

static bool prove_all(const Context *c, const Node *node, Value base, const Subscripts *s) {
  bool good = true;
  for (int i = 0; i < s->count; i++) {
    const Axis *axis = &base.axes[i];
    good = check_lone(c, s, i, axis) && prove_subscript(c, s->exprs[i], axis, node, s->nodes[i]) &&
           good;
  }
  return good;
}

/* The condition that the read is in range, without what is proved: true when all is. */
static const Expr *range_condition(const Context *c, Value base, const Subscripts *s) {
  ExprTable *table = c->frame->e->model->exprs;
  const Expr *all = expr_true(table), *zero = expr_integer(table, 0);
  for (int i = 0; i < s->count; i++) {
    const Expr *e = s->exprs[i];
    const Extent *extent = base.axes[i].extent;
    if (is_in_range(c, e, extent)) continue;
    if (!is_not_negative(c, e)) {
      all = expr_binary(table, OP_AND, all, expr_binary(table, OP_LE, zero, e));
    }
    if (!is_below(c, e, extent)) {
      const Expr *below = expr_binary(table, OP_LT, e, expr_extent(table, extent));
      all = expr_binary(table, OP_AND, all, below);
    }
  }
  return all;
}

static Value check_default(const Context *c, const Node *node, Value value, Value base) {
  if (is_poison(value)) return value;
  ValueType type = value.expr->type, wanted = base.tensor->type;
  bool fits = wanted == TYPE_REAL ? type != TYPE_BOOL : type == wanted;
  if (value.field || !fits) {
    Diagnostic *d =
        report(c->frame, NN0209, node->span, "the default is not a scalar of the tensor's type");
    if (wanted == TYPE_REAL && type == TYPE_BOOL)
      diagnostic_help(d, "write a number, and compare what is read: h[t-1 | 1] > 0");
    return value_poison();
  }
  return value;
}

static const Expr *finish_read(const Context *c, Value base, const Subscripts *s,
                               const Expr *otherwise) {
  ExprTable *table = c->frame->e->model->exprs;
  const Expr *all[LIMIT_RANK];
  for (int i = 0; i < base.hidden; i++) all[i] = expr_index(table, c->formula->scan_indices[i]);
  for (int i = 0; i < s->count; i++) all[base.hidden + i] = s->exprs[i];
  return expr_read(table, base.tensor, all, otherwise);
}

static Value read_guarded(const Context *c, const Node *node, Value base, const Subscripts *s) {
  const Expr *in_range = range_condition(c, base, s);
  if (is_true(in_range)) return value_expr(finish_read(c, base, s, NULL), NULL);
  Facts facts = {c->facts, in_range, false};
  Context outside = *c;
  outside.facts = &facts;
  const Node *otherwise = node->parts[2];
  Value value = as_operand(&outside, evaluate(&outside, otherwise), otherwise->span);
  value = check_default(c, otherwise, value, base);
  if (is_poison(value)) return value;
  return value_expr(finish_read(c, base, s, value.expr), NULL);
}

static Value reject_base(const Context *c, const Node *node, Value base) {
  if (is_poison(base)) return base;
  report(c->frame, NN0209, node->parts[0]->span, "%s has no elements to read",
         value_text(c->frame->e->arena, base));
  return value_poison();
}

Value evaluate_read(const Context *c, const Node *node) {
  Value base;
  if (!find_base(c, node->parts[0], &base)) return reject_base(c, node, base);
  Subscripts s = {.count = 0};
  if (!expand_subscripts(c, node->parts[1], &s)) return value_poison();
  if (!check_rank(c, node, base, s.count)) return value_poison();
  if (node->parts[2]) return read_guarded(c, node, base, &s);
  if (!prove_all(c, node, base, &s)) return value_poison();
  return value_expr(finish_read(c, base, &s, NULL), NULL);
}

const Extent *axes_product(const Context *c, const Axis *axes, int rank) {
  ExtentTable *table = c->frame->e->model->extents;
  const Extent *product = extent_constant(table, 1);
  for (int i = 0; i < rank; i++) product = extent_multiply(table, product, axes[i].extent);
  return product;
}

static Value count_sub(const Context *c, const Node *sub) {
  Axis axis;
  if (sub->kind == NODE_PACK) {
    const Variable *pack = find_variable(c, sub->name, true);
    if (pack) return value_extent(axes_product(c, pack->binder->axes, pack->binder->rank));
    const Pack *formal = frame_pack(c->frame, sub->name);
    if (formal) return value_extent(axes_product(c, formal->axes, formal->rank));
    report(c->frame, NN0203, sub->span, "unbound pack '...%s'", sub->name ? sub->name : "");
    return value_poison();
  }
  const Variable *variable = sub->kind == NODE_IDENT ? find_variable(c, sub->name, false) : NULL;
  if (variable) return value_extent(variable->indices[0]->range);
  bool names_dim = sub->kind == NODE_IDENT && is_lower_case(sub->name);
  if (c->frame->is_optimizer && names_dim && !frame_find(c->frame, sub->name)) {
    reject_optimizer_index(c, sub->name, sub->span);
    return value_poison();
  }
  const Node *extent = sub->kind == NODE_IN ? sub->parts[0] : sub;
  return value_extent(evaluate_extent(c->frame, extent, &axis));
}

Value evaluate_count(const Context *c, const Node *node) {
  const Node *subs = node->parts[0];
  if (names_dims(c, subs)) return count_dims(c, subs->parts[0]);
  Value product = value_integer(c->frame->e, 1);
  for (int i = 0; i < subs->count; i++) {
    product = apply_op(c, OP_MUL, (Value[]){product, count_sub(c, subs->parts[i])}, 2, node->span);
  }
  return product;
}
