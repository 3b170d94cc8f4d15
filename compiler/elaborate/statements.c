/* Statements collected and run: see statements.h. */
#include "elaborate/statements.h"

#include "elaborate/calls.h"
#include "elaborate/checks.h"

static Statement *statement_new(Frame *frame, const Node *node, const Scan *scan) {
  Statement *statement = NEW(frame->e->arena, Statement);
  *statement = (Statement){.frame = frame, .node = node, .scan = scan};
  return statement;
}

/* Without a statement the name is bound to what is wrong already. */
static void bind_name(Frame *frame, Name name, Span span, Statement *statement, int position) {
  const Binding *other = map_get(&frame->bindings, name);
  if (other && !statement) return;
  if (other) {
    Diagnostic *d = report(frame, NN0202, span, "'%s' is defined twice", name);
    diagnostic_note(d, other->span, "the first time");
    return;
  }
  Binding *binding = frame_bind(frame, name, span, value_poison());
  binding->known = !statement;
  binding->statement = statement;
  binding->position = position;
}

static bool is_for_models(NodeKind kind) {
  return kind == NODE_INPUT || kind == NODE_TARGET || kind == NODE_OUTPUT || kind == NODE_METRIC ||
         kind == NODE_LOSS || kind == NODE_TRAIN;
}

static bool is_for_steps(NodeKind kind) {
  return kind == NODE_EQUATION || kind == NODE_DRAW || kind == NODE_REQUIRE || kind == NODE_DIMS ||
         kind == NODE_IF_STATEMENT || kind == NODE_SCAN || kind == NODE_REMAT || kind == NODE_USE;
}

static bool is_in_place(Frame *frame, const Node *node, const Scan *scan) {
  const char *where = NULL;
  NodeKind kind = node->kind;
  if (scan && kind == NODE_UPDATE) {
    report(frame, NN0404, node->span, "':=' inside a scan: states are updated once for each call");
    return false;
  }
  if (frame->definition && is_for_models(kind)) where = "a model";
  if (!frame->definition && kind == NODE_GRAD) where = "a definition";
  if (kind == NODE_OPTIMIZER || kind == NODE_GROUP || kind == NODE_FREEZE) where = "a train block";
  if (scan && !where && !is_for_steps(kind)) where = "a block outside the scan";
  if (!where) return true;
  report(frame, NN0308, node->span, "%s out of place: it belongs in %s", node_title(kind), where);
  return false;
}

static void declare_lefts(Frame *frame, const Node *node, Statement *statement) {
  if (node->kind == NODE_EQUATION) {
    const Node *lefts = node->parts[0];
    for (int i = 0; i < lefts->count; i++) {
      bind_name(frame, lefts->parts[i]->name, lefts->parts[i]->span, statement, i);
    }
  } else if (node->kind == NODE_DRAW) {
    bind_name(frame, node->parts[0]->name, node->parts[0]->span, statement, 0);
  } else if (node->kind == NODE_OUTPUT ? node->parts[1] != NULL : node->name != NULL) {
    if (node->kind != NODE_METRIC && node->kind != NODE_TRAIN) {
      bind_name(frame, node->name, node->span, statement, 0);
    }
  }
}

/* Names of statements that are left out after an error: reading them is no second one. */
static void poison_names(Frame *frame, const Node *node) {
  if (!node) return;
  switch (node->kind) {
  case NODE_IF_STATEMENT:
    poison_names(frame, node->parts[1]);
    poison_names(frame, node->parts[2]);
    break;
  case NODE_SCAN: poison_names(frame, node->parts[2]); break;
  case NODE_BLOCK:
  case NODE_DIMS:
  case NODE_REMAT:
    for (int i = 0; i < node->count; i++) poison_names(frame, node->parts[i]);
    break;
  default: declare_lefts(frame, node, NULL);
  }
}

/* The statement of a node with its names bound; null for blocks and what is out of place. */
static void declare(Frame *frame, const Node *node, const Scan *scan, StatementList *list) {
  bool is_block =
      node->kind == NODE_IF_STATEMENT || node->kind == NODE_SCAN || node->kind == NODE_REMAT;
  int count = node->kind == NODE_DIMS ? node->count : 1;
  for (int i = 0; i < count; i++) {
    const Node *one = node->kind == NODE_DIMS ? node->parts[i] : node;
    Statement *statement = statement_new(frame, one, scan);
    if (!is_block && node->kind != NODE_TRAIN) declare_lefts(frame, one, statement);
    APPEND(frame->e->arena, list, statement);
  }
}

static void collect_if(Frame *frame, const Node *node, const Scan *scan) {
  bool truth;
  while (node && node->kind == NODE_IF_STATEMENT) {
    if (!evaluate_condition(frame, node->parts[0], &truth)) {
      poison_names(frame, node);
      return;
    }
    node = truth ? node->parts[1] : node->parts[2];
  }
  if (node) collect_statements(frame, node, scan);
}

/* `checkpoint K`; 0 after an error. */
static int64_t evaluate_segment(Frame *frame, const Node *node) {
  int64_t steps = 0;
  const Extent *extent = evaluate_positive(frame, node);
  if (extent_is_poisoned(extent) || extent_is_constant(extent, &steps)) return steps;
  report(frame, NN0210, node->span, "the steps between checkpoints must be a fixed number");
  return 0;
}

static void collect_scan(Frame *frame, const Node *node, const Scan *outer) {
  Scan *scan = NEW(frame->e->arena, Scan);
  scan->outer = outer ? outer : frame->scan;
  scan->name = node->name;
  scan->depth = scan->outer ? scan->outer->depth + 1 : 1;
  if (scan->depth >= LIMIT_RANK) {
    report(frame, NN0105, node->span, "more than %d scans within each other", LIMIT_RANK - 1);
    poison_names(frame, node);
    return;
  }
  const Extent *extent = evaluate_extent(frame, node->parts[0], &scan->axis);
  scan->steps = NEW(frame->e->arena, Steps);
  if (node->parts[1]) scan->steps->segment = evaluate_segment(frame, node->parts[1]);
  if (extent_is_poisoned(extent))
    poison_names(frame, node);
  else
    collect_statements(frame, node->parts[2], scan);
}

void collect_statements(Frame *frame, const Node *block, const Scan *scan) {
  StatementList list = {0};
  for (int i = 0; i < block->count; i++) {
    if (is_in_place(frame, block->parts[i], scan))
      declare(frame, block->parts[i], scan, &list);
    else
      poison_names(frame, block->parts[i]);
  }
  for (int i = 0; i < list.count; i++) { /* run-time dims are numbered as declared */
    if (list.items[i]->node->kind == NODE_DIM_BOUNDED) run_statement(list.items[i]);
  }
  for (int i = 0; i < list.count; i++) {
    Statement *statement = list.items[i];
    const Node *node = statement->node;
    switch (node->kind) {
    case NODE_IF_STATEMENT: collect_if(frame, node, scan); break;
    case NODE_SCAN: collect_scan(frame, node, scan); break;
    case NODE_REMAT:
      APPEND(frame->e->arena, &frame->e->model->remat, node->span);
      collect_statements(frame, node->parts[0], scan);
      break;
    case NODE_TRAIN: break;
    default: APPEND(frame->e->arena, &frame->statements, statement);
    }
  }
}

/* ---- running */

static void bind_scan(Context *c, const Scan *scan) {
  Arena *arena = c->frame->e->arena;
  Binder *binder = NEW(arena, Binder);
  *binder = (Binder){.name = scan->name, .known = true, .axes = {scan->axis}, .rank = 1};
  Variable *variable = NEW(arena, Variable);
  *variable = (Variable){c->variables, binder, {c->formula->scan_indices[scan->depth - 1]}};
  c->variables = variable;
}

Context statement_context(const Statement *statement, Name path, const Node *root) {
  Context c = formula_begin(statement->frame, statement->scan, path, root);
  int outside = statement->frame->scan ? statement->frame->scan->depth : 0;
  const Scan *scans[LIMIT_RANK];
  int count = 0;
  for (const Scan *s = statement->scan; s && s->depth > outside; s = s->outer) scans[count++] = s;
  while (count > 0) bind_scan(&c, scans[--count]);
  return c;
}

static void run_use(Statement *statement) {
  Frame *frame = statement->frame;
  const Node *node = statement->node;
  Name path = path_of(frame, node->name);
  Context c = statement_context(statement, path, NULL);
  Value value = evaluate(&c, node->parts[0]);
  Binding *binding = frame_find(frame, node->name);
  binding->known = true;
  if (value.kind == VALUE_LAYER) {
    binding->value = layer_named(frame->e, value, path);
  } else if (!is_poison(value)) {
    report(frame, NN0304, node->parts[0]->span, "'use' names a layer, and this is %s",
           value_text(frame->e->arena, value));
  }
}

static void run_node(Statement *statement) {
  switch (statement->node->kind) {
  case NODE_EQUATION: run_equation(statement); break;
  case NODE_DRAW: run_draw(statement); break;
  case NODE_UPDATE: run_update(statement); break;
  case NODE_DIM_FIXED:
  case NODE_DIM_BOUNDED: run_dim(statement); break;
  case NODE_PARAM:
  case NODE_STATE: run_param(statement); break;
  case NODE_INPUT:
  case NODE_TARGET: run_input(statement); break;
  case NODE_USE: run_use(statement); break;
  case NODE_REQUIRE: elaborate_require(statement->frame, statement->node); break;
  case NODE_GRAD: run_grad(statement); break;
  case NODE_OUTPUT: run_output(statement); break;
  case NODE_METRIC: run_metric(statement); break;
  case NODE_LOSS: run_loss(statement); break;
  default: bug("statement '%s'", node_title(statement->node->kind));
  }
}

void run_statement(Statement *statement) {
  Elaborator *e = statement->frame->e;
  if (statement->state == STATEMENT_RUNNING || statement->state == STATEMENT_DONE) return;
  if (diagnostics_error_count(e->diagnostics) >= LIMIT_ERRORS_RECORDED) return;
  const Program *hoisted_in = e->hoisted_in;
  Program *program = e->program;
  e->program = e->training ? &e->model->train : &e->model->eval;
  statement->state = STATEMENT_RUNNING;
  run_node(statement);
  statement->state = STATEMENT_DONE;
  e->program = program;
  if (program != hoisted_in) e->hoisted_in = NULL;
}

/* An indexed equation that is being worked on can be read as soon as its shape is known. */
static bool make_early(Binding *binding) {
  Statement *statement = binding->statement;
  if (!statement->shape) return false;
  if (!binding->known) {
    make_target(statement->shape, TYPE_REAL, binding->span);
    binding->value = shape_value(statement->shape);
    binding->known = true;
  }
  return true;
}

/* The first index of a left side whose range is being sought; null when none is. */
static const Node *sought_index(const Statement *statement) {
  const Node *node = statement->node;
  if (node->kind != NODE_EQUATION || node->parts[0]->count != 1 || statement->shape) return NULL;
  const Node *left = node->parts[0]->parts[0];
  const Node *subs = left->count > 0 ? left->parts[0] : NULL;
  for (int i = 0; subs && i < subs->count; i++) {
    const Node *sub = subs->parts[i];
    if (sub->kind == NODE_IDENT && !scan_called(statement, sub->name)) return sub;
  }
  return NULL;
}

static void report_cycle(const Context *c, const Binding *binding, Span span) {
  const Node *index = sought_index(binding->statement);
  Diagnostic *d;
  if (index) {
    d = report(c->frame, NN0601, span, "the range of '%s' in '%s' depends on '%s' itself",
               index->name, binding->name, binding->name);
    diagnostic_help(d, "write '%s in EXTENT' on the left side", index->name);
  } else {
    d = report(c->frame, NN0601, span, "'%s' depends on itself", binding->name);
    diagnostic_help(d, "if it is a recurrence, write its indices and their ranges");
  }
  diagnostic_note(d, binding->span, "defined here");
}

bool run_for(const Context *c, Binding *binding, Span span) {
  Statement *statement = binding->statement;
  Elaborator *e = c->frame->e;
  bool same_scan = statement->scan && c->formula->scan == statement->scan;
  if (statement->state == STATEMENT_WAITING && same_scan) shape_early(statement);
  if (statement->shape && make_early(binding)) return true;
  if (statement->state == STATEMENT_WAITING && e->depth < LIMIT_WAITING) {
    e->depth += COST_OF_WAITING;
    run_statement(statement);
    e->depth -= COST_OF_WAITING;
    return binding->known;
  }
  if (statement->state == STATEMENT_RUNNING) {
    report_cycle(c, binding, span);
  } else if (statement->state != STATEMENT_DONE) {
    report(c->frame, NN0105, span, "too many statements wait for each other");
  }
  return false;
}

static int phase_of(const Statement *statement) {
  if (statement->node->kind == NODE_LOSS) return 2;
  return statement->node->kind == NODE_GRAD;
}

void run_statements(Frame *frame) {
  StatementList ordered = order_statements(frame);
  for (int phase = 0; phase < 3; phase++) {
    for (int i = 0; i < ordered.count && !frame->failed; i++) {
      if (phase_of(ordered.items[i]) == phase) run_statement(ordered.items[i]);
    }
  }
}
