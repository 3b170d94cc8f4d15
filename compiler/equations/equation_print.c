/* The printer of single equations: a left side that says every range, and a right side. */
#include "equations/printer.h"

#include <ctype.h>
#include <string.h>

/* Whether a name is a word that may stand for an index variable: lower-case, without dots. */
static bool is_index_name(const char *name) {
  return name && islower((unsigned char)name[0]) && !strchr(name, '.') && !is_reserved(name);
}

static bool is_used(const Map *used, Name name) {
  for (int i = 0; i < used->count; i++) {
    if (strcmp(used->keys[i], name) == 0) return true;
  }
  return false;
}

static void name_index(Printer *printer, Map *used, const Index *index) {
  const char *base = is_index_name(index->name) ? index->name : "i", *name = base;
  for (int number = 2; is_used(used, name); number++) {
    name = arena_format(printer->arena, "%s%d", base, number);
  }
  map_put(used, name, NULL);
  map_put(&printer->indices, index, (void *)name);
}

/* Tensors and index variables share their names. */
static void add_tensors(Printer *printer, Map *used, const Equation *equation) {
  const Expr *roots[2] = {equation->body, equation->guard};
  if (!equation->body) return;
  ExprList nodes = expr_postorder(printer->arena, roots, equation->guard ? 2 : 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *e = nodes.items[i];
    if (e->op == OP_READ) map_put(used, printer_tensor(printer, e->tensor), NULL);
  }
}

void name_indices(Printer *printer, const Equation *equation) {
  Map used;
  map_init(&used, printer->arena);
  add_tensors(printer, &used, equation);
  for (int i = 0; i < equation->var_count; i++) name_index(printer, &used, equation->vars[i]);
  for (int i = 0; i < equation->reduced_count; i++) {
    name_index(printer, &used, equation->reduced[i]);
  }
}

static void print_binder(const Printer *printer, const Index *index) {
  text_add(printer->text, "%s in ", (const char *)map_get(&printer->indices, index));
  extent_print(index->range, printer->text);
}

void print_left_side(Printer *printer, const Equation *equation) {
  Text *text = printer->text;
  name_indices(printer, equation);
  text_add(text, "%s", printer_tensor(printer, equation->target));
  for (int i = 0; i < equation->var_count; i++) {
    bool first = i == 0 || equation->place[i] != equation->place[i - 1];
    bool last = i + 1 == equation->var_count || equation->place[i] != equation->place[i + 1];
    text_add(text, "%s%s", i == 0 ? "[" : ", ", first && !last ? "(" : "");
    print_binder(printer, equation->vars[i]);
    if (last && !first) text_add(text, ")");
  }
  if (equation->var_count > 0) text_add(text, "]");
}

void print_right_side(Printer *printer, const Equation *equation) {
  Text *text = printer->text;
  if (equation->reduction == REDUCE_NONE) {
    print_expr(printer, equation->body, false);
    return;
  }
  text_add(text, "%s[", reduction_name(equation->reduction));
  for (int i = 0; i < equation->reduced_count; i++) {
    if (i > 0) text_add(text, ", ");
    print_binder(printer, equation->reduced[i]);
  }
  if (equation->guard) {
    text_add(text, " if ");
    print_expr(printer, equation->guard, false);
  }
  text_add(text, "](");
  print_expr(printer, equation->body, false);
  text_add(text, ")");
}

void equation_print(const Equation *equation, Text *text) {
  Printer printer;
  printer_start(&printer, text);
  print_left_side(&printer, equation);
  text_add(text, is_draw(equation->body) ? " ~ " : " = ");
  print_right_side(&printer, equation);
}

/* The tensor of draws that an expression reads, element for element; a parameter that is drawn has a value
   of its own. */
static const Tensor *plain_draw(const Equation *equation, const Expr *e) {
  if (e->op != OP_READ || !e->tensor->definition || read_rank(e) != equation->var_count)
    return NULL;
  if (e->tensor->role != ROLE_VALUE) return NULL;
  if (!is_draw(e->tensor->definition->body) && !e->tensor->truncates) return NULL;
  for (int i = 0; i < equation->var_count; i++) {
    if (e->args[i]->op != OP_INDEX || e->args[i]->index != equation->vars[i]) return NULL;
  }
  return e->tensor;
}

static bool is_value(const Expr *e, double value) {
  double found;
  return is_number(e, &found) && found == value;
}

/* 1 where draw < p, else 0; as whole numbers or as reals */
static Drawn bernoulli_of(const Equation *equation) {
  const Expr *e = equation->body->op == OP_REAL ? equation->body->args[0] : equation->body;
  Drawn none = {.distribution = NO_DISTRIBUTION};
  if (e->op != OP_SELECT || !is_value(e->args[1], 1) || !is_value(e->args[2], 0)) return none;
  if (e->args[0]->op != OP_LT) return none;
  const Tensor *draw = plain_draw(equation, e->args[0]->args[0]);
  if (!draw || draw->definition->body->op != OP_UNIFORM) return none;
  return (Drawn){BERNOULLI_DISTRIBUTION, {e->args[0]->args[1]}, draw};
}

static Drawn scaled_draw(const Model *model, const Tensor *draw, const Expr *base,
                         const Expr *scale) {
  if (draw->truncates || draw->definition->body->op == OP_NORMAL) {
    return (Drawn){
        draw->truncates ? TRUNCATED_NORMAL_DISTRIBUTION : NORMAL_DISTRIBUTION, {base, scale}, draw};
  }
  const Expr *end = expr_binary(model->exprs, OP_ADD, base, scale);
  return (Drawn){UNIFORM_DISTRIBUTION, {base, end}, draw};
}

Drawn drawn_by(const Model *model, const Equation *equation) {
  const Expr *e = equation->body, *zero = expr_integer(model->exprs, 0);
  if (equation->reduction != REDUCE_NONE) return (Drawn){.distribution = NO_DISTRIBUTION};
  const Expr *product = e->op == OP_ADD ? e->args[1] : e;
  const Expr *base = product == e ? zero : e->args[0], *one = expr_integer(model->exprs, 1);
  bool scales = product->op == OP_MUL;
  const Tensor *draw = plain_draw(equation, scales ? product->args[1] : product);
  if (draw) return scaled_draw(model, draw, base, scales ? product->args[0] : one);
  return bernoulli_of(equation);
}

void print_distribution(Printer *printer, const Drawn *drawn) {
  static const char *const names[] = {"", "uniform", "normal", "bernoulli", "truncated_normal"};
  text_add(printer->text, "%s(", names[drawn->distribution]);
  print_expr(printer, drawn->parameters[0], true);
  if (drawn->parameters[1]) {
    text_add(printer->text, ", ");
    print_expr(printer, drawn->parameters[1], true);
  }
  text_add(printer->text, ")");
}
