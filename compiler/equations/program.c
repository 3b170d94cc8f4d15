/* Programs: unique names, and what the roots need. */
#include "equations/equation.h"

#include "equations/name_table.h"

#include <string.h>

NameTable *name_table_new(Arena *arena) {
  NameTable *table = NEW(arena, NameTable);
  map_init(&table->taken, arena);
  map_init(&table->numbers, arena);
  return table;
}

/* Enters the tensors added since the last time; all of them when the list was replaced by a shorter one.
   Names once entered stay taken. */
static bool is_taken(NameTable *table, const TensorList *list, Name name) {
  if (table->seen > list->count) table->seen = 0;
  for (; table->seen < list->count; table->seen++) {
    Tensor *tensor = list->items[table->seen];
    map_put(&table->taken, tensor->name, tensor);
  }
  return map_has(&table->taken, name);
}

static bool is_free(const Model *model, const Program *program, Name name) {
  return !is_taken(model->taken, &model->tensors, name) &&
         !is_taken(program->taken, &program->tensors, name);
}

Name program_unique_name(Model *model, const Program *program, Name wanted) {
  Map *numbers = &program->taken->numbers;
  if (is_free(model, program, wanted)) return wanted;
  char last = wanted[strlen(wanted) - 1];
  const char *between = last >= '0' && last <= '9' ? "_" : "";
  int *number = map_get(numbers, wanted);
  if (!number) {
    map_put(numbers, wanted, number = NEW(model->arena, int));
    *number = 1;
  }
  Name name;
  do {
    name = name_format(model->names, "%s%s%d", wanted, between, ++*number);
  } while (!is_free(model, program, name));
  return name;
}

int draw_sample_dim(const Model *model, const Tensor *tensor) {
  if (!model->batch) return -1;
  const Extent *samples = extent_dim(model->extents, model->batch);
  for (int dim = 0; dim < tensor->rank; dim++)
    if (tensor->axes[dim].extent == samples) return dim;
  return -1;
}

void draw_strides(const Model *model, const Tensor *tensor, int64_t *strides) {
  int outermost = draw_sample_dim(model, tensor);
  int64_t stride = 1;
  for (int dim = tensor->rank - 1; dim >= 0; dim--) {
    if (dim == outermost) continue;
    strides[dim] = stride;
    stride *= extent_maximum(tensor->axes[dim].extent);
  }
  if (outermost >= 0) strides[outermost] = stride;
}

/* A search from roots through definitions. */
typedef struct Search {
  Arena *arena;
  Map defined;   /* the equations of the program */
  Map tensors;   /* seen */
  Map equations; /* needed */
  Map exprs;     /* seen */
  ExprList pending;
} Search;

static void search_expr(Search *search, const Expr *e) {
  if (!e || map_has(&search->exprs, e)) return;
  map_put(&search->exprs, e, NULL);
  APPEND(search->arena, &search->pending, e);
}

static void search_tensor(Search *search, const Tensor *tensor) {
  if (!tensor || map_has(&search->tensors, tensor)) return;
  map_put(&search->tensors, tensor, NULL);
  const Equation *definition = tensor->definition;
  if (!definition || !map_has(&search->defined, definition)) return;
  map_put(&search->equations, definition, NULL);
  search_expr(search, definition->guard);
  search_expr(search, definition->body);
}

static void search_all(Search *search) {
  while (search->pending.count > 0) {
    const Expr *e = search->pending.items[--search->pending.count];
    if (e->op == OP_READ) search_tensor(search, e->tensor);
    for (int i = 0; i < e->count; i++) search_expr(search, e->args[i]);
  }
}

static void start_search(Search *search, Arena *arena, const Program *program) {
  *search = (Search){.arena = arena};
  map_init(&search->defined, arena);
  map_init(&search->tensors, arena);
  map_init(&search->equations, arena);
  map_init(&search->exprs, arena);
  for (int i = 0; i < program->equations.count; i++) {
    map_put(&search->defined, program->equations.items[i], NULL);
  }
}

static EquationList needed_equations(const Search *search, const Program *program, Arena *arena) {
  EquationList needed = {0};
  for (int i = 0; i < program->equations.count; i++) {
    Equation *equation = program->equations.items[i];
    if (map_has(&search->equations, equation)) APPEND(arena, &needed, equation);
  }
  return needed;
}

EquationList program_needed(const Model *model, const Program *program, Arena *arena,
                            Tensor *const *roots, int root_count) {
  (void)model;
  Arena *scratch = arena_new();
  Search search;
  start_search(&search, scratch, program);
  for (int i = 0; i < root_count; i++) search_tensor(&search, roots[i]);
  search_all(&search);
  EquationList needed = needed_equations(&search, program, arena);
  arena_free(scratch);
  return needed;
}

static void search_gradients(Search *search, const GradientList *gradients) {
  for (int i = 0; i < gradients->count; i++) {
    search_tensor(search, gradients->items[i].of);
    search_tensor(search, gradients->items[i].with_respect_to);
    search_tensor(search, gradients->items[i].result);
  }
}

static void search_updates(Search *search, const UpdateList *updates) {
  for (int i = 0; i < updates->count; i++) search_tensor(search, updates->items[i].value);
}

static void search_results(Search *search, const ResultList *results) {
  for (int i = 0; i < results->count; i++) search_tensor(search, results->items[i].value);
}

static void search_roots(Search *search, const Model *model, const Program *program) {
  search_results(search, &program->outputs);
  search_results(search, &program->metrics);
  search_tensor(search, program->loss);
  search_updates(search, &program->updates);
  search_gradients(search, &program->gradients);
  for (int i = 0; program == &model->train && i < model->steps.count; i++) {
    search_tensor(search, model->steps.items[i].loss);
    search_gradients(search, &model->steps.items[i].gradients);
    search_updates(search, &model->steps.items[i].updates);
    search_updates(search, &model->steps.items[i].accumulation);
    search_updates(search, &model->steps.items[i].application);
  }
  for (int i = 0; program == &model->init && i < model->tensors.count; i++) {
    search_tensor(search, model->tensors.items[i]);
  }
}

/* Keeps custom gradients of inputs that are needed; what they read is needed, too. */
static void search_custom_gradients(Search *search, Program *program) {
  CustomGradientList *customs = &program->custom_gradients;
  int seen;
  do {
    search_all(search);
    seen = search->tensors.count;
    for (int i = 0; i < customs->count; i++) {
      if (map_has(&search->tensors, customs->items[i].input)) {
        search_tensor(search, customs->items[i].adjoint);
      }
    }
  } while (search->tensors.count > seen);
  int kept = 0;
  for (int i = 0; i < customs->count; i++) {
    if (map_has(&search->tensors, customs->items[i].input))
      customs->items[kept++] = customs->items[i];
  }
  customs->count = kept;
}

void program_prune(Model *model, Program *program) {
  Arena *scratch = arena_new();
  Search search;
  start_search(&search, scratch, program);
  search_roots(&search, model, program);
  search_custom_gradients(&search, program);
  program->equations = needed_equations(&search, program, model->arena);
  int kept = 0;
  for (int i = 0; i < program->tensors.count; i++) {
    Tensor *tensor = program->tensors.items[i];
    if (map_has(&search.tensors, tensor)) program->tensors.items[kept++] = tensor;
  }
  program->tensors.count = kept;
  program->taken->seen = kept;
  arena_free(scratch);
}
