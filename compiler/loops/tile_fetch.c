/* Fetch: what is computed behind a tile reads parameters and their slots, which come from behind the caches where all
   that a step changes is larger than these. They are asked for before the sum is taken, and are there when it is. */
#include "loops/epilogue.h"
#include "loops/panels.h"
#include "loops/tile.h"

/* Every step goes through all of them, so none is found where the step before left it. */
static bool is_cold(const Routine *routine, const Tensor *tensor) {
  bool is_changed = tensor->role == ROLE_PARAM || tensor->role == ROLE_SLOT;
  int64_t cache = routine->target->caches.second;
  double all = routine->changed_numbers * (double)routine->bytes_of_real;
  return is_changed && cache > 0 && all > (double)cache;
}

static bool is_fetched(const Site *site, const Tiling *tiling, const Expr *read) {
  return is_cold(site->routine, read->tensor) &&
         is_contiguous(site->routine->model->exprs, read, tiling->column);
}

/* Of what lies in panels, where tiles go through lines that follow each other, what the next tile reads: its rows are
   as many further on. */
static const Expr *read_next(Site *site, const Tiling *tiling, const Block *block,
                             const Expr *read) {
  ExprTable *exprs = site->routine->model->exprs;
  const Tensor *tensor = read->tensor;
  const Expr *subscripts[LIMIT_RANK];
  Arena *scratch = arena_new();
  for (int dim = 0; dim < tensor->rank; dim++) {
    subscripts[dim] = site_value(site, read->args[dim]);
    if (!tiling->row || !expr_uses_index(scratch, read->args[dim], tiling->row)) continue;
    const Expr *next =
        expr_binary(exprs, OP_ADD, subscripts[dim], expr_integer(exprs, block->rows));
    int64_t last = extent_maximum(tensor->axes[dim].extent) - 1;
    subscripts[dim] = expr_binary(exprs, OP_MIN, next, expr_integer(exprs, last));
  }
  arena_free(scratch);
  return expr_read(exprs, tensor, subscripts, NULL);
}

/* The lines of one row. */
static void fetch_row(Site *site, const Tiling *tiling, const Block *block, const Expr *read,
                      LoopBody *body) {
  Model *model = site->routine->model;
  ExprTable *exprs = model->exprs;
  int bound = site->bound;
  for (int64_t at = 0; at < block->columns; at += CACHE_LINE / site->routine->bytes_of_real) {
    site_bind(site, tiling->column,
              expr_binary(exprs, OP_ADD, block->column, expr_integer(exprs, at)));
    const Expr *line = panel_width(site->routine, read->tensor) > 0
                           ? read_next(site, tiling, block, read)
                           : site_value(site, read);
    APPEND(model->arena, body, fetch_new(model, line));
    site->bound = bound;
  }
}

/* Those that differ from row to row, or those that do not. */
static ExprList reads_to_fetch(Site *site, const Tiling *tiling, Arena *scratch, bool by_row) {
  const Epilogue *epilogue = epilogue_of(site->routine, site->equation);
  ExprList found = {0};
  for (int i = 0; epilogue && i < epilogue->members.count; i++) {
    ExprList reads = equation_reads(scratch, epilogue->members.items[i]);
    for (int k = 0; k < reads.count; k++) {
      const Expr *read = reads.items[k];
      bool has_row = tiling->row && expr_uses_index(scratch, read, tiling->row);
      bool is_new = has_row == by_row && is_fetched(site, tiling, read);
      for (int j = 0; j < found.count; j++) is_new = is_new && found.items[j] != read;
      if (is_new) APPEND(scratch, &found, read);
    }
  }
  return found;
}

static void fetch_rows(Site *site, const Tiling *tiling, const Block *block, const ExprList *reads,
                       LoopBody *body) {
  int bound = site->bound;
  for (int i = 0; i < reads->count; i++) fetch_row(site, tiling, block, reads->items[i], body);
  site->bound = bound;
}

void fetch_for_epilogue(Site *site, const Tiling *tiling, const Block *block, LoopBody *body) {
  Arena *scratch = arena_new();
  ExprList once = reads_to_fetch(site, tiling, scratch, false);
  ExprList by_row = reads_to_fetch(site, tiling, scratch, true);
  int bound = site->bound;
  const Expr *row[1];
  if (once.count + by_row.count > 0) body = open_last_terms(site, tiling, body);
  fetch_rows(site, tiling, block, &once, body);
  if (by_row.count > 0) body = open_rows(site, tiling, block, body, MARK_UNROLL, row);
  fetch_rows(site, tiling, block, &by_row, body);
  site->bound = bound;
  arena_free(scratch);
}
