/* Checks: requirements of definitions, conditions left to the entry, and outputs that need a target. */
#include "elaborate/checks.h"

void check_at_entry(const Frame *frame, const Expr *condition, const char *text, Span span) {
  Model *model = frame->e->model;
  if (is_true(condition)) return;
  if (map_has(&frame->e->checked, condition)) return;
  map_put(&frame->e->checked, condition, model);
  APPEND(model->arena, &model->checks, (EntryCheck){condition, text, span});
}

/* "H = 3, size = 5": the names of the condition, each once. */
static void add_values(Frame *frame, const Node *node, Text *text, Map *seen) {
  if (!node) return;
  if (node->kind == NODE_IDENT && !map_has(seen, node->name)) {
    const Binding *binding = frame_find(frame, node->name);
    map_put(seen, node->name, text);
    if (binding && binding->known) {
      text_add(text, "%s%s = %s", text->size > 0 ? ", " : "", node->name,
               value_text(frame->e->arena, binding->value));
    }
  }
  for (int i = 0; i < node->count; i++) add_values(frame, node->parts[i], text, seen);
}

static void reject_requirement(Frame *frame, const Node *node) {
  Text text;
  Map seen;
  text_init(&text, frame->e->arena);
  map_init(&seen, frame->e->arena);
  add_values(frame, node->parts[0], &text, &seen);
  Diagnostic *d = report(frame, NN0302, node->parts[0]->span, "%s", node->parts[1]->name);
  if (text.size > 0) diagnostic_note(d, node->parts[0]->span, "%s", text.bytes);
}

static bool is_over_sizes(const Expr *condition) {
  Arena *scratch = arena_new();
  ExprList nodes = expr_postorder(scratch, &condition, 1);
  bool good = condition->type == TYPE_BOOL;
  for (int i = 0; i < nodes.count; i++) good = good && !is_read(nodes.items[i]);
  arena_free(scratch);
  return good;
}

void elaborate_require(Frame *frame, const Node *node) {
  Context c = formula_begin(frame, NULL, path_of(frame, "require"), NULL);
  Value value = evaluate(&c, node->parts[0]);
  if (is_poison(value) || (value.kind == VALUE_BOOL && value.truth)) return;
  if (value.kind == VALUE_BOOL) {
    reject_requirement(frame, node);
    frame->failed = frame->definition != NULL;
  } else if (value.kind == VALUE_EXPR && !value.field && is_over_sizes(value.expr)) {
    check_at_entry(frame, value.expr, node->parts[1]->name, node->span);
  } else {
    report(frame, NN0305, node->parts[0]->span,
           "a requirement is a condition on sizes and options");
  }
}

/* ---- outputs */

/* The target that an equation reads, itself or through tensors known to be dependent on it. */
static const Tensor *target_read(const Map *dependent, Arena *scratch, const Equation *equation) {
  const Expr *roots[2] = {equation->body, equation->guard};
  ExprList nodes = expr_postorder(scratch, roots, equation->guard ? 2 : 1);
  for (int i = 0; i < nodes.count; i++) {
    const Expr *node = nodes.items[i];
    if (!is_read(node)) continue;
    if (node->tensor->role == ROLE_TARGET) return node->tensor;
    const Tensor *target = map_get(dependent, node->tensor);
    if (target) return target;
  }
  return NULL;
}

/* Equations mostly come after those they read, so that few rounds are needed. */
static void find_dependent(const Program *program, Arena *scratch, Map *dependent) {
  bool changed = true;
  map_init(dependent, scratch);
  while (changed) {
    changed = false;
    for (int i = 0; i < program->equations.count; i++) {
      const Equation *equation = program->equations.items[i];
      if (map_has(dependent, equation->target)) continue;
      const Tensor *target = target_read(dependent, scratch, equation);
      if (!target) continue;
      map_put(dependent, equation->target, (void *)target);
      changed = true;
    }
  }
}

void check_outputs(const Frame *frame) {
  const ResultList *outputs = &frame->e->program->outputs;
  Arena *scratch = arena_new();
  Map dependent;
  find_dependent(frame->e->program, scratch, &dependent);
  for (int i = 0; i < outputs->count; i++) {
    const Result *output = &outputs->items[i];
    const Tensor *target = map_get(&dependent, output->value);
    if (!target) continue;
    Diagnostic *d = report(frame, NN0403, output->span,
                           "output '%s' needs the target '%s', which inference does not have",
                           output->name, target->name);
    diagnostic_note(d, target->origin, "the target");
  }
  arena_free(scratch);
}
