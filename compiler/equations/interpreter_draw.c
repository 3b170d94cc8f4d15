/* Draws: the generator of the runtime itself, so that a program and the interpreter see the same numbers. */
#include "equations/interpreter_code.h"

#include "nnrt_philox.h"

/* Kept tensors are drawn whole, at the maxima: in the order of their elements. */
static uint64_t draw_number(const Interpreter *interpreter, const Code *code) {
  const Tensor *tensor = code->equation->target;
  if (tensor->role != ROLE_VALUE && tensor->role != ROLE_GRADIENT) return (uint64_t)code->address;
  int64_t strides[LIMIT_RANK], number = 0;
  draw_strides(interpreter->model, tensor, strides);
  for (int dim = 0; dim < tensor->rank; dim++) number += code->variables[dim].value * strides[dim];
  return (uint64_t)number;
}

double interpreter_draw(Interpreter *interpreter, Op op, const Code *code) {
  uint32_t site = code->equation->target->site;
  uint64_t seed = interpreter->seed, step = interpreter_step(interpreter);
  uint64_t index = draw_number(interpreter, code);
  if (op == OP_NORMAL)
    return interpreter->f32_draws ? (double)nnrt_normal_f32(seed, step, site, index)
                                  : nnrt_normal_f64(seed, step, site, index);
  return interpreter->f32_draws ? (double)nnrt_uniform_f32(seed, step, site, index)
                                : nnrt_uniform_f64(seed, step, site, index);
}
