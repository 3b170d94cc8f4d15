/* The printer of models and programs: declarations, equations, updates, results.

   A tensor that is only an output, a metric, the loss or the new value of a state is written where it is
   used. A draw "x.draw" and the equation that scales it are one line, `x ~ normal(0, 2)`, which gives the
   draw its name again when it is read back. Before differentiation a gradient is `gradient(loss, x)`. */
#include "equations/listing.h"
#include "equations/printer.h"

#include <string.h>

struct Listing {
  Printer printer;
  Text *text;
  const Model *model;
  const Program *program;
  const char *indent;
  Map read;      /* tensors that equations read */
  Map uses;      /* from tensor to the number of updates and results with its value */
  Map hidden;    /* equations that are not printed by themselves */
  Map drawn;     /* from equation to its Drawn */
  bool in_place; /* equations with a single use are written there */
};

static void start_line(Listing *l) {
  text_add(l->text, "%s", l->indent);
}

static bool has_steps(const Listing *l) {
  return l->program == &l->model->train;
}

static void note_gradients(Listing *l, const GradientList *gradients) {
  for (int i = 0; i < gradients->count; i++) {
    const Gradient *gradient = &gradients->items[i];
    if (gradient->result->definition) continue;
    map_put(&l->read, gradient->of, NULL);
    map_put(&l->read, gradient->with_respect_to, NULL);
  }
}

static void note_reads(Listing *l) {
  ExprList roots = {0};
  for (int i = 0; i < l->program->equations.count; i++) {
    const Equation *equation = l->program->equations.items[i];
    APPEND(l->text->arena, &roots, equation->body);
    if (equation->guard) APPEND(l->text->arena, &roots, equation->guard);
  }
  ExprList nodes = expr_postorder(l->text->arena, roots.items, roots.count);
  for (int i = 0; i < nodes.count; i++) {
    if (nodes.items[i]->op == OP_READ) map_put(&l->read, nodes.items[i]->tensor, NULL);
  }
  note_gradients(l, &l->program->gradients);
  for (int i = 0; has_steps(l) && i < l->model->steps.count; i++) {
    note_gradients(l, &l->model->steps.items[i].gradients);
  }
}

static void note_use(Listing *l, const Tensor *value) {
  int *count = map_get(&l->uses, value);
  if (!count) map_put(&l->uses, value, count = NEW(l->text->arena, int));
  ++*count;
}

/* The loss of the model, or that of its only step. */
static Tensor *printed_loss(const Listing *l) {
  if (l->program->loss || !has_steps(l)) return l->program->loss;
  return l->model->steps.count == 1 ? l->model->steps.items[0].loss : NULL;
}

static void note_updates(Listing *l, const UpdateList *updates) {
  for (int i = 0; i < updates->count; i++) note_use(l, updates->items[i].value);
}

static void note_uses(Listing *l) {
  const Program *p = l->program;
  for (int i = 0; i < p->outputs.count; i++) note_use(l, p->outputs.items[i].value);
  for (int i = 0; i < p->metrics.count; i++) note_use(l, p->metrics.items[i].value);
  note_updates(l, &p->updates);
  for (int s = 0; has_steps(l) && s < l->model->steps.count; s++) {
    note_updates(l, &l->model->steps.items[s].updates);
  }
  if (printed_loss(l)) note_use(l, printed_loss(l));
}

/* The equation to write in place of a read of `value`; null when it stands by itself. */
static const Equation *sole_definition(const Listing *l, const Tensor *value) {
  bool defined = value->role == ROLE_VALUE || value->role == ROLE_GRADIENT;
  if (!l->in_place || !defined) return NULL;
  const int *uses = map_get(&l->uses, value);
  if (map_has(&l->read, value) || !uses || *uses != 1) return NULL;
  const Equation *definition = value->definition;
  if (!definition || map_has(&l->drawn, definition)) return NULL;
  return is_draw(definition->body) || definition->var_count != value->rank ? NULL : definition;
}

static void hide_definition(Listing *l, const Tensor *value) {
  const Equation *definition = sole_definition(l, value);
  if (definition) map_put(&l->hidden, definition, NULL);
}

static void hide_definitions(Listing *l) {
  for (int i = 0; i < l->uses.count; i++) hide_definition(l, l->uses.keys[i]);
}

/* The name without the suffix at its end; null when it does not end so. */
static Name name_without(const Model *model, Name name, const char *suffix) {
  size_t length = strlen(name), end = strlen(suffix);
  if (length <= end || strcmp(name + length - end, suffix) != 0) return NULL;
  return name_of_bytes(model->names, name, length - end);
}

/* Prints the tensor under its name without the suffix, unless an equation has that name. */
static void rename_tensor(Listing *l, const Map *names, const Tensor *tensor, const char *suffix) {
  Name name = name_without(l->model, tensor->name, suffix);
  if (name && !map_has(names, name)) map_put(&l->printer.tensors, tensor, (void *)name);
}

static void rename_gradients(Listing *l, const Map *names, const GradientList *gradients) {
  for (int i = 0; i < gradients->count; i++) {
    const Tensor *result = gradients->items[i].result;
    if (!result->definition) rename_tensor(l, names, result, ".gradient");
  }
}

/* Joins draws with the equations that scale them; a draw, or a gradient asked for, whose equation is
   gone takes its name. */
static void join_draws(Listing *l) {
  Map names;
  map_init(&names, l->text->arena);
  const EquationList *equations = &l->program->equations;
  for (int i = 0; i < equations->count; i++) {
    const Equation *equation = equations->items[i];
    map_put(&names, equation->target->name, NULL);
    Drawn drawn = drawn_by(l->model, equation);
    if (drawn.distribution == NO_DISTRIBUTION) continue;
    if (name_without(l->model, drawn.draw->name, ".draw") != equation->target->name) continue;
    map_put(&l->drawn, equation, arena_copy(l->text->arena, &drawn, sizeof drawn));
    map_put(&l->hidden, drawn.draw->definition, NULL);
  }
  for (int i = 0; i < equations->count; i++) {
    const Equation *equation = equations->items[i];
    if (is_draw(equation->body)) rename_tensor(l, &names, equation->target, ".draw");
  }
  rename_gradients(l, &names, &l->program->gradients);
}

static void print_dims(Listing *l) {
  for (int i = 0; i < l->model->dims.count; i++) {
    const Dim *dim = l->model->dims.items[i];
    start_line(l);
    text_add(l->text, "dim %s <= %ld\n", dim->name, (long)dim->maximum);
  }
}

static void print_shape(Listing *l, const Tensor *tensor, const Index *const *indices) {
  for (int i = 0; i < tensor->rank; i++) {
    text_add(l->text, i == 0 ? "[" : ", ");
    if (indices)
      text_add(l->text, "%s in ", (const char *)map_get(&l->printer.indices, indices[i]));
    extent_print(tensor->axes[i].extent, l->text);
  }
  if (tensor->rank > 0) text_add(l->text, "]");
}

static void print_storage(Listing *l, const Tensor *tensor) {
  static const char *const names[] = {"", " : f64", " : i32", " : i8", " : u8", " : bool"};
  int64_t low;
  bool is_index = tensor->storage == STORE_I32 && tensor->low && tensor->high;
  if (!is_index) {
    text_add(l->text, "%s", names[tensor->storage]);
    return;
  }
  text_add(l->text, " : index(");
  if (!extent_is_constant(tensor->low, &low) || low != 0) {
    extent_print(tensor->low, l->text);
    text_add(l->text, ", ");
  }
  extent_print(tensor->high, l->text);
  text_add(l->text, ")");
}

static void print_declaration(Listing *l, const Tensor *tensor) {
  const char *words[] = {[ROLE_INPUT] = "input",
                         [ROLE_TARGET] = "target",
                         [ROLE_PARAM] = "param",
                         [ROLE_STATE] = "state",
                         [ROLE_SLOT] = "state"};
  bool initialised = tensor->role != ROLE_INPUT && tensor->role != ROLE_TARGET;
  bool indexed = initialised && has_indexed_initial(&l->printer, l->model, tensor);
  start_line(l);
  text_add(l->text, "%s ", words[tensor->role]);
  if (indexed) {
    print_left_side(&l->printer, tensor->definition);
  } else {
    text_add(l->text, "%s", printer_tensor(&l->printer, tensor));
    print_shape(l, tensor, NULL);
  }
  print_storage(l, tensor);
  if (initialised) print_initial(&l->printer, l->model, tensor);
  for (int i = 0; i < tensor->tag_count; i++) text_add(l->text, " @%s", tensor->tags[i]);
  text_add(l->text, "\n");
}

static void print_hyper(Listing *l, const Tensor *tensor) {
  start_line(l);
  text_add(l->text, "state %s = ", printer_tensor(&l->printer, tensor));
  print_double(l->text, tensor->initial, false);
  text_add(l->text, " @runtime\n");
}

static void print_declarations(Listing *l) {
  for (int i = 0; i < l->model->tensors.count; i++) {
    const Tensor *tensor = l->model->tensors.items[i];
    if (tensor->role <= ROLE_SLOT) print_declaration(l, tensor);
    if (tensor->role == ROLE_HYPER) print_hyper(l, tensor);
  }
}

static void print_table(Listing *l, const Tensor *tensor) {
  int64_t count = 1, extent = 0;
  text_add(l->text, "const %s", printer_tensor(&l->printer, tensor));
  print_shape(l, tensor, NULL);
  for (int k = 0; k < tensor->rank; k++) {
    if (extent_is_constant(tensor->axes[k].extent, &extent)) count *= extent;
  }
  for (int64_t k = 0; k < count; k++) {
    text_add(l->text, k > 0 ? ", " : count > 1 ? " = (" : " = ");
    print_double(l->text, tensor->values[k], tensor->type == TYPE_INT);
  }
  text_add(l->text, count > 1 ? ")\n" : "\n");
}

/* Tables, which the language has before the model. */
static void print_constants(Listing *l) {
  for (int i = 0; i < l->model->tensors.count; i++) {
    const Tensor *tensor = l->model->tensors.items[i];
    if (tensor->role == ROLE_CONST) print_table(l, tensor);
  }
}

/* The order of a reduction, once it is fixed, where it is not simply in sequence. */
static void print_lanes(Listing *l, const Equation *equation) {
  if (equation->lanes > 1) text_add(l->text, " # %d lanes", equation->lanes);
}

static void print_one_equation(Listing *l, const Equation *equation) {
  const Drawn *drawn = map_get(&l->drawn, equation);
  if (map_has(&l->hidden, equation)) return;
  start_line(l);
  print_left_side(&l->printer, equation);
  text_add(l->text, drawn || is_draw(equation->body) ? " ~ " : " = ");
  if (drawn) {
    print_distribution(&l->printer, drawn);
  } else {
    print_right_side(&l->printer, equation);
  }
  print_lanes(l, equation);
  text_add(l->text, "\n");
}

static void print_equations(Listing *l) {
  for (int i = 0; i < l->program->equations.count; i++) {
    print_one_equation(l, l->program->equations.items[i]);
  }
}

static void print_gradients(Listing *l, const GradientList *gradients) {
  for (int i = 0; i < gradients->count; i++) {
    const Gradient *gradient = &gradients->items[i];
    if (gradient->result->definition) continue;
    start_line(l);
    text_add(l->text, "%s = gradient(%s, %s)\n", printer_tensor(&l->printer, gradient->result),
             printer_tensor(&l->printer, gradient->of),
             printer_tensor(&l->printer, gradient->with_respect_to));
  }
}

/* "name[i in N] = value[i]" */
static void print_copy(Listing *l, Name name, const Tensor *value, const char *sign) {
  Index indices[LIMIT_RANK];
  const Index *vars[LIMIT_RANK];
  Tensor target = *value;
  Equation copy = {.target = &target, .vars = vars, .var_count = value->rank};
  target.name = name;
  for (int i = 0; i < value->rank; i++) {
    indices[i] = (Index){.name = "i", .range = value->axes[i].extent, .id = i};
    vars[i] = &indices[i];
    copy.place[i] = i;
  }
  print_left_side(&l->printer, &copy);
  text_add(l->text, "%s%s", sign, printer_tensor(&l->printer, value));
  for (int i = 0; i < value->rank; i++) {
    const char *index = map_get(&l->printer.indices, vars[i]);
    text_add(l->text, "%s%s%s", i == 0 ? "[" : ", ", index, i + 1 == value->rank ? "]" : "");
  }
}

/* "name[i in N]", the sign and the value: its definition where that is hidden, else a read. */
static void print_assignment(Listing *l, Name name, const Tensor *value, const char *sign) {
  const Equation *definition = sole_definition(l, value);
  if (definition) {
    Equation assignment = *definition;
    Tensor target = *value;
    target.name = name;
    assignment.target = &target;
    print_left_side(&l->printer, &assignment);
    text_add(l->text, "%s", sign);
    print_right_side(&l->printer, definition);
    print_lanes(l, definition);
  } else {
    print_copy(l, name, value, sign);
  }
  text_add(l->text, "\n");
}

static void print_update(Listing *l, const Update *update) {
  start_line(l);
  print_assignment(l, printer_tensor(&l->printer, update->target), update->value, " := ");
}

static void print_updates(Listing *l, const UpdateList *updates) {
  for (int i = 0; i < updates->count; i++) print_update(l, &updates->items[i]);
}

static void print_result(Listing *l, const char *word, const Result *result) {
  start_line(l);
  text_add(l->text, "%s ", word);
  if (printer_tensor(&l->printer, result->value) == result->name &&
      !sole_definition(l, result->value)) {
    text_add(l->text, "%s\n", result->name);
  } else {
    print_assignment(l, result->name, result->value, " = ");
  }
}

static void print_results(Listing *l, const char *word, const ResultList *results) {
  for (int i = 0; i < results->count; i++) print_result(l, word, &results->items[i]);
}

static void print_loss(Listing *l, const Tensor *loss) {
  const Equation *definition = sole_definition(l, loss);
  start_line(l);
  text_add(l->text, "loss ");
  if (definition) {
    name_indices(&l->printer, definition);
    print_right_side(&l->printer, definition);
    print_lanes(l, definition);
  } else {
    text_add(l->text, "%s", printer_tensor(&l->printer, loss));
  }
  text_add(l->text, "\n");
}

/* The updates of several steps cannot all be made at once: those of each stand under its name. */
static void print_steps(Listing *l) {
  for (int i = 0; i < l->model->steps.count; i++) {
    const Step *step = &l->model->steps.items[i];
    if (l->model->steps.count > 1) {
      start_line(l);
      text_add(l->text, "# step %s\n", step->name ? step->name : "train");
    }
    print_updates(l, &step->updates);
  }
}

static void print_body(Listing *l) {
  print_dims(l);
  print_declarations(l);
  print_equations(l);
  print_gradients(l, &l->program->gradients);
  for (int i = 0; has_steps(l) && i < l->model->steps.count; i++) {
    print_gradients(l, &l->model->steps.items[i].gradients);
  }
  print_updates(l, &l->program->updates);
  if (has_steps(l)) print_steps(l);
  print_results(l, "output", &l->program->outputs);
  print_results(l, "metric", &l->program->metrics);
  if (printed_loss(l)) print_loss(l, printed_loss(l));
}

/* A metric has no name of its own in equations: `metric acc = acc.value`. */
static void rename_metrics(Listing *l) {
  for (int i = 0; i < l->program->metrics.count; i++) {
    const Result *metric = &l->program->metrics.items[i];
    if (metric->value->name != metric->name || sole_definition(l, metric->value)) continue;
    Name name = name_format(l->model->names, "%s.value", metric->name);
    map_put(&l->printer.tensors, metric->value, (void *)name);
  }
}

static Listing listing_of(const Model *model, const Program *program, Text *text,
                          const char *indent, bool in_place) {
  Listing l = {.text = text, .model = model, .program = program, .indent = indent};
  l.in_place = in_place;
  printer_start(&l.printer, text);
  map_init(&l.read, text->arena);
  map_init(&l.uses, text->arena);
  map_init(&l.hidden, text->arena);
  map_init(&l.drawn, text->arena);
  note_reads(&l);
  note_uses(&l);
  join_draws(&l);
  hide_definitions(&l);
  rename_metrics(&l);
  return l;
}

void program_print(const Model *model, const Program *program, Text *text) {
  Listing l = listing_of(model, program, text, "", true);
  print_constants(&l);
  print_body(&l);
}

void model_print(const Model *model, Text *text) {
  Listing l = listing_of(model, &model->train, text, "  ", true);
  print_constants(&l);
  text_add(text, "model %s {\n", model->name);
  print_body(&l);
  text_add(text, "}\n");
}

/* ---- single lines ------------------------------------------------------------------------------ */

Listing *listing_new(Arena *arena, const Model *model, const Program *program) {
  Text *text = NEW(arena, Text);
  Listing *listing = NEW(arena, Listing);
  text_init(text, arena);
  *listing = listing_of(model, program, text, "", false);
  return listing;
}

/* What was printed since the line before, without its end; null when that is nothing. */
static const char *take_line(Listing *listing) {
  Text *text = listing->text;
  if (text->size == 0) return NULL;
  size_t size = text->size - (text->bytes[text->size - 1] == '\n');
  const char *line = arena_format(text->arena, "%.*s", (int)size, text->bytes);
  text_init(text, text->arena);
  return line;
}

const char *listing_declaration(Listing *listing, const Tensor *tensor) {
  if (tensor->role == ROLE_HYPER) {
    print_hyper(listing, tensor);
  } else if (tensor->role == ROLE_CONST) {
    print_table(listing, tensor);
  } else {
    print_declaration(listing, tensor);
  }
  return take_line(listing);
}

const char *listing_equation(Listing *listing, const Equation *equation) {
  print_one_equation(listing, equation);
  return take_line(listing);
}

const char *listing_update(Listing *listing, const Update *update) {
  print_update(listing, update);
  return take_line(listing);
}

const char *listing_result(Listing *listing, const char *word, const Result *result) {
  print_result(listing, word, result);
  return take_line(listing);
}

const char *listing_loss(Listing *listing, const Tensor *loss) {
  print_loss(listing, loss);
  return take_line(listing);
}
