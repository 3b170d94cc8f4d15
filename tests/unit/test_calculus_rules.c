/* Every row of rules.def, from the table: pattern and replacement are evaluated with each operation
   rounded to float, and in long double for the truth, on random and on special values; and
   the simplifier must bring both to the same expression. */
#include "calculus/rules.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { POINTS = 5, DRAWS = 3000 };

typedef long double Number;

typedef struct Evaluation {
  Number values[26][POINTS]; /* of each letter, at each point of a reduction */
  int point;
  bool rounds; /* to float after every operation */
} Evaluation;

typedef struct Formulas {
  Model *model;
  const Node *patterns[256], *replacements[256];
} Formulas;

static Model *empty_model(void) {
  Arena *arena = arena_new();
  Sources *sources = NEW(arena, Sources);
  sources_init(sources, arena);
  Names *names = names_new(arena);
  return model_new(arena, names, diagnostics_new(arena, sources), name_of(names, "m"));
}

static Formulas read_rules(void) {
  Formulas formulas = {.model = empty_model()};
  Text text;
  text_init(&text, formulas.model->arena);
  for (int i = 0; i < rule_count; i++)
    text_add(&text, "def p(a) = %s\ndef q(a) = %s\n", rule_texts[i].pattern,
             rule_texts[i].replacement);
  FormulaList list = formulas_parse(formulas.model, formulas.model->arena, "rules.def", &text);
  for (int i = 0; i < rule_count; i++) {
    formulas.patterns[i] = list.items[2 * (size_t)i];
    formulas.replacements[i] = list.items[2 * (size_t)i + 1];
  }
  return formulas;
}

/* ---- evaluation ---- */

static Number evaluate(Evaluation *e, const Node *node);

static Number rounded(const Evaluation *e, Number value) {
  return e->rounds ? (Number)(float)value : value;
}

static bool is_condition_true(Evaluation *e, const Node *node) {
  switch (node->kind) {
  case NODE_AND:
    return is_condition_true(e, node->parts[0]) && is_condition_true(e, node->parts[1]);
  case NODE_OR: return is_condition_true(e, node->parts[0]) || is_condition_true(e, node->parts[1]);
  case NODE_NOT: return !is_condition_true(e, node->parts[0]);
  default: return evaluate(e, node) > 0;
  }
}

static Number log_sum_exp(Evaluation *e, const Node *node) {
  Number greatest = -INFINITY, sum = 0;
  for (e->point = 0; e->point < POINTS; e->point++) greatest = fmaxl(greatest, evaluate(e, node));
  for (e->point = 0; e->point < POINTS; e->point++) {
    Number value = evaluate(e, node);
    if (isnan(value)) return value;
    sum = rounded(e, sum + rounded(e, expl(rounded(e, value - greatest))));
  }
  return isinf(greatest) ? greatest : rounded(e, greatest + rounded(e, logl(sum)));
}

static Number reduce(Evaluation *e, const Node *node) {
  int outer = e->point;
  Number result = 0;
  if (strcmp(node->name, "lse") == 0) {
    result = log_sum_exp(e, node->parts[2]);
  } else {
    for (e->point = 0; e->point < POINTS; e->point++)
      if (!node->parts[1] || is_condition_true(e, node->parts[1]))
        result = rounded(e, result + evaluate(e, node->parts[2]));
  }
  e->point = outer;
  return result;
}

static Number softplus(Number a) {
  return a > 0 ? a + log1pl(expl(-a)) : log1pl(expl(a));
}

static Number sigmoid(Number a) {
  return a > 0 ? 1 / (1 + expl(-a)) : expl(a) / (1 + expl(a));
}

static Number apply(Op op, Number a, Number b) {
  switch (op) {
  case OP_ADD: return a + b;
  case OP_SUB: return a - b;
  case OP_MUL: return a * b;
  case OP_DIV: return a / b;
  case OP_POW: return powl(a, b);
  case OP_NEGATE: return -a;
  case OP_MAX: return isnan(a) || a >= b ? a : b;
  case OP_MIN: return isnan(a) || a <= b ? a : b;
  case OP_ABS: return fabsl(a);
  case OP_EXP: return expl(a);
  case OP_EXPM1: return expm1l(a);
  case OP_LOG: return logl(a);
  case OP_LOG1P: return log1pl(a);
  case OP_SQRT: return sqrtl(a);
  case OP_RSQRT: return 1 / sqrtl(a);
  case OP_SIGMOID: return isinf(a) ? (Number)(a > 0) : sigmoid(a);
  case OP_SOFTPLUS: return softplus(a);
  default: cr_assert_fail("operation %s", op_spelling(op)); return 0;
  }
}

static Number evaluate(Evaluation *e, const Node *node) {
  bool swapped;
  if (node->kind == NODE_NUMBER) return (Number)node->number;
  if (node->kind == NODE_IDENT) return e->values[node->name[0] - 'a'][e->point];
  if (node->kind == NODE_REDUCE) return reduce(e, node);
  if (node->kind == NODE_IF)
    return evaluate(e, node->parts[is_condition_true(e, node->parts[0]) ? 1 : 2]);
  int first = node->kind == NODE_CALL ? 1 : 0;
  Number a = evaluate(e, node->parts[first]);
  Number b = node->count - first > 1 ? evaluate(e, node->parts[first + 1]) : 0;
  return rounded(e, apply(formula_op(node, &swapped), a, b));
}

/* ---- values ---- */

static unsigned advance(unsigned *state) {
  *state = *state * 1664525u + 1013904223u; /* Numerical Recipes, section 7.1 */
  return *state >> 8;
}

static Number ordinary(unsigned *state) {
  Number magnitude = 0.1L + (Number)(advance(state) % 4096) / 1024;
  return (Number)(float)(advance(state) % 2 ? magnitude : -magnitude);
}

static Number special(unsigned *state) {
  static const float values[] = {0.0f,   -0.0f,  1.0f,    -1.0f,      INFINITY, -INFINITY,
                                 NAN,    1e-40f, -1e-40f, 1e30f,      -1e30f,   88.0f,
                                 -88.0f, 1e-8f,  FLT_MAX, 16777216.0f};
  return (Number)values[advance(state) % (sizeof values / sizeof values[0])];
}

/* j and k are literals, n is the number of points; the rest varies over the points. */
static void draw_values(Evaluation *e, unsigned *state, bool with_specials, bool powers) {
  static const float literals[] = {2, 0.5f, -0.25f, -3, 1.5f, 10}; /* powers of two first */
  for (int letter = 0; letter < 26; letter++) {
    Number literal = literals[advance(state) % (powers ? 3 : 6)];
    bool varies = letter + 'a' <= 'e';
    for (int i = 0; i < POINTS; i++)
      e->values[letter][i] = varies ? ordinary(state) : letter + 'a' == 'n' ? POINTS : literal;
    int chosen = (int)(advance(state) % (POINTS * 2));
    if (with_specials && varies && chosen < POINTS) e->values[letter][chosen] = special(state);
    if (with_specials && varies && chosen % 2) e->values[letter][0] = special(state);
  }
}

static bool has_reduction(const Node *node) {
  if (node->kind == NODE_REDUCE) return true;
  for (int i = 0; i < node->count; i++)
    if (node->parts[i] && has_reduction(node->parts[i])) return true;
  return false;
}

static bool uses_letter(const Node *node, char letter) {
  if (node->kind == NODE_IDENT) return node->name[0] == letter;
  for (int i = 0; i < node->count; i++)
    if (node->parts[i] && uses_letter(node->parts[i], letter)) return true;
  return false;
}

/* Of the letters in the pattern: the largest finite value, and whether all are finite. */
static Number largest_value(const Evaluation *e, const Node *pattern, bool *finite) {
  Number largest = 0;
  *finite = true;
  for (int letter = 0; letter < 5; letter++)
    for (int i = 0; i < POINTS && uses_letter(pattern, (char)('a' + letter)); i++) {
      Number value = fabsl(e->values[letter][i]);
      *finite = *finite && isfinite(value);
      if (isfinite(value)) largest = fmaxl(largest, value);
    }
  return largest;
}

/* What a rounding is relative to: sums are as exact as their largest term and its square allow. */
static Number scale_of(const Evaluation *e, const Node *pattern, Number truth) {
  bool finite;
  Number largest = largest_value(e, pattern, &finite);
  if (!has_reduction(pattern)) return fabsl(truth);
  return fabsl(truth) * (1 + largest) + largest + largest * largest;
}

static bool is_same(Number a, Number b) {
  return a == b || (isnan(a) && isnan(b));
}

/* Values of pattern and replacement in float; the truth in long double. */
static bool agrees(RuleClass class, Number pattern, Number replacement, Number truth,
                   Number scale) {
  if (is_same(pattern, replacement)) return true;
  if (class != CLASS_EXACT && !isfinite(pattern)) return true;
  if (!isfinite((float)truth) || !isfinite(replacement)) return is_same((float)truth, replacement);
  int roundings = class == CLASS_EXACT ? 1 : class == CLASS_FINITE ? 8 : 16;
  bool has_error = class != CLASS_REASSOC && isfinite(pattern);
  Number allowed = has_error ? fabsl(pattern - truth) : 0;
  return fabsl(replacement - truth) <= allowed + roundings * scale * FLT_EPSILON;
}

/* In long double both must be the same, where the pattern neither overflows nor cancels there. */
static bool is_identity(const Evaluation *e, const Node *pattern, Number value, Number truth) {
  bool finite;
  if (largest_value(e, pattern, &finite) > 20) return true;
  return is_same(value, truth) || fabsl(value - truth) <= 1e-9L * (1 + scale_of(e, pattern, truth));
}

static void check_values(const Formulas *formulas, int rule, unsigned seed) {
  const RuleText *text = &rule_texts[rule];
  const Node *pattern = formulas->patterns[rule], *replacement = formulas->replacements[rule];
  unsigned state = seed;
  Evaluation e = {.point = 0};
  draw_values(&e, &state, text->class != CLASS_REASSOC && seed % 2,
              strstr(text->condition, "power"));
  bool finite;
  largest_value(&e, pattern, &finite);
  if (text->class != CLASS_EXACT && !finite) return;
  Number truth = evaluate(&e, replacement), exact = evaluate(&e, pattern);
  e.rounds = true;
  Number value = evaluate(&e, pattern), replaced = evaluate(&e, replacement);
  if (text->class != CLASS_EXACT && !isfinite(value)) return;
  if (!is_identity(&e, pattern, exact, truth) ||
      !agrees(text->class, value, replaced, truth, scale_of(&e, pattern, truth)))
    cr_expect_fail("%s: %s is %.9Lg, %s is %.9Lg, truth %.9Lg (a = %.9Lg, b = %.9Lg, c = %.9Lg)",
                   text->name, text->pattern, value, text->replacement, replaced, truth,
                   e.values[0][0], e.values[1][0], e.values[2][0]);
}

Test(rules, each_keeps_the_value_its_class_promises) {
  Formulas formulas = read_rules();
  for (int rule = 0; rule < rule_count; rule++)
    for (unsigned draw = 0; draw < DRAWS; draw++)
      check_values(&formulas, rule, draw * 7919u + (unsigned)rule);
  arena_free(formulas.model->arena);
}

/* ---- application ---- */

/* Letters under a condition are conditions. */
static bool is_used_as_condition(const Node *node, char letter, bool condition) {
  if (node->kind == NODE_IDENT) return condition && node->name[0] == letter;
  bool logic = node->kind == NODE_AND || node->kind == NODE_OR || node->kind == NODE_NOT;
  for (int i = 0; i < node->count; i++) {
    bool below = logic || (node->kind == NODE_IF && i == 0);
    if (node->parts[i] && is_used_as_condition(node->parts[i], letter, below)) return true;
  }
  return false;
}

static const Expr *read_letter(Model *model, const Index *const *vars, char letter) {
  const Axis axis = {.extent = vars[0]->range};
  const char name[] = {letter, 0};
  Tensor *tensor = tensor_new(model, &model->tensors, name_of(model->names, name), ROLE_PARAM,
                              TYPE_REAL, &axis, 1);
  return tensor_read(model, tensor, vars);
}

static int bind_letters(Model *model, const Node *pattern, const Index *const *vars,
                        Binding *bindings) {
  int count = 0;
  for (int i = 0; i < 5; i++) {
    const char letter = (char)('a' + i), name[] = {letter, 0};
    const Expr *value = read_letter(model, vars, letter);
    if (is_used_as_condition(pattern, letter, false))
      value = expr_binary(model->exprs, OP_LT, expr_number(model->exprs, 0), value);
    bindings[count++] = (Binding){name_of(model->names, name), value};
  }
  bindings[count++] = (Binding){name_of(model->names, "j"), expr_number(model->exprs, 3)};
  bindings[count++] = (Binding){name_of(model->names, "k"), expr_number(model->exprs, 8)};
  return count;
}

static Equation *define(Model *model, const char *name, const Index *const *vars,
                        const Expr *body) {
  const Axis axis = {.extent = vars[0]->range};
  Tensor *tensor = tensor_new(model, &model->train.tensors, name_of(model->names, name), ROLE_VALUE,
                              TYPE_REAL, &axis, 1);
  APPEND(model->arena, &model->train.outputs, (Result){.name = tensor->name, .value = tensor});
  return equation_new(model, &model->train, tensor, vars, body);
}

static void check_application(const Formulas *formulas, int rule) {
  Model *model = empty_model();
  const Index *index =
      index_new(model, name_of(model->names, "i"), extent_constant(model->extents, 4));
  Binding bindings[8];
  const Node *pattern = formulas->patterns[rule];
  Text text; /* names are interned in each model: the row is read again in this one */
  text_init(&text, model->arena);
  text_add(&text, "def p(a) = %s\ndef q(a) = %s\n", rule_texts[rule].pattern,
           rule_texts[rule].replacement);
  FormulaList list = formulas_parse(model, model->arena, "rules.def", &text);
  int count = bind_letters(model, pattern, &index, bindings);
  const Expr *before = formula_instantiate(model, list.items[0], bindings, count);
  const Expr *after = formula_instantiate(model, list.items[1], bindings, count);
  Equation *from = define(model, "from", &index, before), *to = define(model, "to", &index, after);
  simplify(model, &model->train, SIMPLIFY_ALGEBRA);
  bool shared = is_read(to->body) && to->body->tensor == from->target;
  if (from->body != to->body && !shared) {
    Text printed;
    text_init(&printed, model->arena);
    equation_print(from, &printed);
    cr_expect_fail("%s: %s", rule_texts[rule].name, printed.bytes);
  }
  arena_free(model->arena);
}

Test(rules, each_is_applied) {
  Formulas formulas = read_rules();
  for (int rule = 0; rule < rule_count; rule++)
    if (!has_reduction(formulas.patterns[rule])) check_application(&formulas, rule);
  arena_free(formulas.model->arena);
}
