/* The dump of loops: what runs, in order, and where everything lives. */
#include "loops/panels.h"
#include "loops/loop.h"

static void indent(Text *text, int depth) {
  text_add(text, "%*s", 2 * depth, "");
}

static const char *combine_sign(Reduction combine) {
  switch (combine) {
  case REDUCE_NONE: return "=";
  case REDUCE_SUM: return "+=";
  case REDUCE_PROD: return "*=";
  case REDUCE_MAX: return "max=";
  case REDUCE_MIN: return "min=";
  case REDUCE_ANY: return "or=";
  case REDUCE_ALL: return "and=";
  default: return "?=";
  }
}

static void print_target(const LoopNode *node, Text *text) {
  text_add(text, "%s", node->target->name);
  if (node->kind == LOOP_DECLARE || node->target->rank == 0) return;
  for (int dim = 0; dim < node->target->rank; dim++) {
    text_add(text, dim == 0 ? "[" : ", ");
    expr_print(node->subscripts[dim], text);
  }
  text_add(text, "]");
}

static void print_loop(const LoopNode *node, Text *text) {
  text_add(text, "for %s in ", node->index->name);
  expr_print(node->begin, text);
  text_add(text, "..");
  expr_print(node->end, text);
  if (node->step != 1) text_add(text, " step %lld", (long long)node->step);
  if (node->marks & MARK_VECTOR) text_add(text, " vector");
  if (node->lanes > 0) text_add(text, " of %lld", (long long)node->lanes);
  if (node->marks & MARK_PARALLEL) text_add(text, " divided");
  if (node->grain > 0) text_add(text, " by %lld", (long long)node->grain);
  if (node->marks & MARK_UNROLL) text_add(text, " unroll");
  if (node->marks & MARK_WINDOW) text_add(text, " window");
  if (node->marks & MARK_DRAWS) text_add(text, " drawn together");
  if (node->marks & MARK_DOWN) text_add(text, " down");
  if (node->marks & MARK_STRIP) text_add(text, " of a segment");
  if (node->segment > 0) text_add(text, " segments of %lld", (long long)node->segment);
}

static void print_meeting(unsigned marks, Text *text) {
  if (marks & MARK_WAIT) text_add(text, "when all are there: ");
  if (marks & MARK_FIRST) text_add(text, "by the first: ");
}

static void print_node(const LoopNode *node, Text *text, int depth);

static void print_body(const LoopBody *body, Text *text, int depth) {
  for (int i = 0; i < body->count; i++) print_node(body->items[i], text, depth);
}

static void print_node(const LoopNode *node, Text *text, int depth) {
  if (node->equation) {
    indent(text, depth);
    text_add(text, "# ");
    equation_print(node->equation, text);
    text_add(text, "\n");
  }
  indent(text, depth);
  print_meeting(node->marks, text);
  switch (node->kind) {
  case LOOP_FOR: print_loop(node, text); break;
  case LOOP_IF:
    text_add(text, "if ");
    expr_print(node->condition, text);
    break;
  case LOOP_DECLARE:
    text_add(text, "let ");
    print_target(node, text);
    if (node->marks & MARK_UNSET) text_add(text, " unset");
    if (node->value) text_add(text, " = ");
    if (node->value) expr_print(node->value, text);
    if (node->grain > 0) text_add(text, " divided by %lld", (long long)node->grain);
    break;
  case LOOP_STORE:
    print_target(node, text);
    text_add(text, " %s ", combine_sign(node->combine));
    expr_print(node->value, text);
    if (node->marks & MARK_WATCH) text_add(text, " watched");
    if (node->marks & MARK_SQUARE) text_add(text, " in squares of %lld", (long long)node->lanes);
    break;
  case LOOP_FETCH:
    text_add(text, "fetch ");
    expr_print(node->value, text);
    break;
  }
  text_add(text, "\n");
  print_body(&node->body, text, depth + 1);
}

static const char *kind_name(RoutineKind kind) {
  static const char *const names[] = {"init", "train", "accumulate", "apply", "eval", "infer"};
  return names[kind];
}

static void print_buffer(const Buffer *buffer, Text *text) {
  if (buffer->place != PLACE_ARENA && !buffer->shares) return;
  text_add(text, "  %s", buffer->tensor->name);
  if (buffer->shares) {
    text_add(text, " in place of %s\n", buffer->shares->name);
    return;
  }
  text_add(text, " at %lld, %lld bytes\n", (long long)buffer->offset, (long long)buffer->bytes);
}

/* Before there are nests: the sequence, and what is computed where it is read. */
static void print_equations(const EquationList *equations, const char *mark, Text *text) {
  for (int i = 0; i < equations->count; i++) {
    text_add(text, "  %s", mark);
    equation_print(equations->items[i], text);
    text_add(text, "\n");
  }
}

static void print_panels(const Routine *routine, Text *text) {
  for (int i = 0; i < routine->panels.count; i++) {
    const Tensor *tensor = routine->panels.keys[i];
    text_add(text, "  %s in panels [", tensor->name);
    panels_print(tensor, routine->panels.values[i], ", ", text);
    text_add(text, "]\n");
  }
}

static void print_family(const NestFamily *family, Text *text) {
  if (family->members.count == 1) return;
  text_add(text, "alike:");
  for (int i = 0; i < family->members.count; i++) {
    text_add(text, "%s %s", i > 0 ? "," : "", family->members.items[i]->name);
  }
  text_add(text, "\n");
}

static void print_repetition(const Routine *routine, const Repetition *repetition, Text *text) {
  text_add(text, "%d times:", repetition->copies);
  for (int i = 0; i < repetition->period; i++) {
    text_add(text, "%s %s", i > 0 ? "," : "", routine->nests.items[repetition->begin + i]->name);
  }
  text_add(text, "\n");
}

void routine_print(const Routine *routine, Text *text) {
  text_add(text, "routine %s\n", kind_name(routine->kind));
  if (routine->nests.count == 0) {
    print_panels(routine, text);
    print_equations(&routine->inlined, "inline ", text);
    print_equations(&routine->equations, "", text);
    return;
  }
  for (int i = 0; i < routine->nests.count; i++) {
    const Nest *nest = routine->nests.items[i];
    print_meeting(nest->marks, text);
    text_add(text, "nest %s\n", nest->name ? nest->name : "");
    print_body(&nest->body, text, 1);
  }
  text_add(text, "arena %lld bytes\n", (long long)routine->arena_bytes);
  for (int i = 0; i < routine->buffers.count; i++) print_buffer(routine->buffers.values[i], text);
  for (int i = 0; i < routine->families.count; i++) print_family(routine->families.items[i], text);
  for (int i = 0; i < routine->repetitions.count; i++) {
    print_repetition(routine, &routine->repetitions.items[i], text);
  }
}
