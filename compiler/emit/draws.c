/* Random numbers: functions of the seed, the step, the site and the position of the element. */
#include "emit/expression.h"

#include <string.h>

bool counts_samples(const Routine *routine, const Tensor *draw) {
  return routine->kind == ROUTINE_ACCUMULATE && draw_sample_dim(routine->model, draw) >= 0;
}

static const char *position_in_step(FunctionWriter *writer, const Tensor *tensor,
                                    const char *position) {
  if (!counts_samples(writer->routine, tensor)) return position;
  const Buffer *buffer = routine_buffer(writer->routine, tensor);
  int samples = draw_sample_dim(writer->routine->model, tensor);
  return arena_format(writer->arena, "first_sample * %s + %s",
                      extent_text(writer, buffer->strides[samples], LEVEL_UNARY), position);
}

const char *site_text(Arena *arena, const Tensor *tensor) {
  return arena_format(arena, "UINT32_C(0x%08x)", (unsigned)tensor->site);
}

static const char *site_argument(FunctionWriter *writer, const Tensor *tensor) {
  const char *site = map_get(&writer->sites, tensor);
  return site ? site : site_text(writer->arena, tensor);
}

const char *draw_text(FunctionWriter *writer, Op draw, const Tensor *tensor, const char *position) {
  return arena_format(writer->arena, "nnrt_%s_%s(seed, step_number, %s, (uint64_t)(%s))",
                      op_spelling(draw), real_suffix(writer->routine),
                      site_argument(writer, tensor), position_in_step(writer, tensor, position));
}

/* Where the number that the first iteration reads stands in its tensor. */
static const char *first_position(FunctionWriter *writer, const LoopNode *loop, const Expr *read) {
  ExprTable *exprs = writer->routine->model->exprs;
  const char *subscripts[LIMIT_RANK];
  int levels[LIMIT_RANK];
  for (int dim = 0; dim < read->tensor->rank; dim++) {
    const Expr *first =
        expr_substitute(exprs, writer->arena, read->args[dim], &loop->index, &loop->begin, 1);
    bool simple = first->op == OP_INDEX || first->op == OP_INTEGER;
    levels[dim] = simple ? LEVEL_PRIMARY : LEVEL_SUM;
    subscripts[dim] = write_expression(writer, first, TYPE_INT, levels[dim]);
  }
  const char *position = position_text(writer, read->tensor, subscripts, levels);
  return position_in_step(writer, read->tensor, position);
}

void write_draws_together(FunctionWriter *writer, const LoopNode *loop) {
  ExprTable *exprs = writer->routine->model->exprs;
  const LoopNode *store = loop->body.items[0];
  const Tensor *drawn = store->value->tensor;
  const Expr *count = expr_binary(exprs, OP_SUB, loop->end, loop->begin);
  const char *begin = write_expression(writer, loop->begin, TYPE_INT, LEVEL_SUM);
  const char *row = scope_find(&writer->scope, store->target);
  const char *to =
      strcmp(begin, "0") == 0 ? row : arena_format(writer->arena, "%s + %s", row, begin);
  write_line(writer, "nnrt_%ss_%s(%s, %s, seed, step_number, %s, (uint64_t)(%s));",
             op_spelling(drawn->definition->body->op), real_suffix(writer->routine), to,
             write_expression(writer, count, TYPE_INT, LEVEL_ANY), site_argument(writer, drawn),
             first_position(writer, loop, store->value));
}
