/* Draws: the generator of the runtime itself, so that a program and the interpreter see the same numbers. */
#include "equations/interpreter_code.h"

#include "nnrt_philox.h"

double interpreter_draw(Interpreter *interpreter, Op op, const Code *code) {
  uint32_t site = code->equation->target->site;
  uint64_t seed = interpreter->seed, step = interpreter_step(interpreter);
  uint64_t index = (uint64_t)code->address;
  if (op == OP_NORMAL)
    return interpreter->f32_draws ? (double)nnrt_normal_f32(seed, step, site, index)
                                  : nnrt_normal_f64(seed, step, site, index);
  return interpreter->f32_draws ? (double)nnrt_uniform_f32(seed, step, site, index)
                                : nnrt_uniform_f64(seed, step, site, index);
}
