/* Runs code: one element of a tensor is a loop over the points of its reduction, in plain row-major
   order, each point a run of the guard's block and then of the body's. */
#include "equations/interpreter_code.h"

#include <math.h>

/* ---- one point --------------------------------------------------------------------------------- */

static const char *subscripts_text(Interpreter *interpreter, const Code *code,
                                   const Access *access) {
  Text text;
  text_init(&text, interpreter->arena);
  for (int k = 0; k < access->rank; k++)
    text_add(&text, "%s%.17g", k ? ", " : "", code->slots[access->subscripts[k]].value);
  return access->rank ? text.bytes : "";
}

static Outcome fail_read(Interpreter *interpreter, const Code *code, const Access *access) {
  Element reader = {code->equation ? cell_of(interpreter, code->equation->target) : access->cell,
                    code->address};
  interpreter_fail(interpreter, "%s reads %s[%s], which is out of range",
                   element_name(interpreter, reader), access->cell->tensor->name,
                   subscripts_text(interpreter, code, access));
  return OUTCOME_FAILED;
}

/* The address read; -1 when a subscript is outside (or is not a number). */
static int64_t address_of(const Code *code, const Access *access) {
  int64_t address = 0;
  for (int k = 0; k < access->rank; k++) {
    double subscript = code->slots[access->subscripts[k]].value;
    if (!(subscript >= 0 && subscript < (double)access->cell->extents[k])) return -1;
    address += (int64_t)subscript * access->cell->strides[k];
  }
  return address;
}

static bool must_call(const Code *code, int block) {
  return block >= 0 && code->stamps[block] != code->now;
}

static bool is_real(const Expr *e) {
  return e && (e->type == TYPE_REAL || e->type == TYPE_F64);
}

static Dual apply(Interpreter *interpreter, const Code *code, const Instruction *instruction) {
  Dual operands[3];
  interpreter->operations += is_real(code->sources[instruction->to]);
  for (int k = 0; k < 3; k++) operands[k] = code->slots[instruction->args[k]];
  return dual_apply(instruction->op, operands);
}

/* Reads into the slot; `*call` gets the block of the default when that must run first. */
static Outcome read_element(Interpreter *interpreter, Code *code, const Instruction *instruction,
                            int *call, Element *missing) {
  const Access *access = instruction->access;
  int64_t address = address_of(code, access);
  if (address < 0) {
    if (instruction->args[0] < 0) return fail_read(interpreter, code, access);
    if (must_call(code, instruction->blocks[0])) *call = instruction->blocks[0];
    code->slots[instruction->to] = code->slots[instruction->args[0]];
    return OUTCOME_DONE;
  }
  if (!access->cell->complete && access->cell->states[address] != ELEMENT_KNOWN) {
    *missing = (Element){access->cell, address};
    return OUTCOME_MISSING;
  }
  code->slots[instruction->to] = access->cell->values[address];
  return OUTCOME_DONE;
}

static int choose(Code *code, const Instruction *instruction) {
  int taken = code->slots[instruction->args[0]].value != 0 ? 1 : 2;
  if (must_call(code, instruction->blocks[taken])) return instruction->blocks[taken];
  code->slots[instruction->to] = code->slots[instruction->args[taken]];
  return -1;
}

/* A choice or a default whose block has not run calls it and is then executed once more. */
static Outcome run_block(Interpreter *interpreter, Code *code, int block, Element *missing) {
  const Instruction *instructions = code->instructions.items;
  int depth = 0, at = code->starts[block];
  if (code->stamps[block] == code->now) return OUTCOME_DONE;
  for (;;) {
    const Instruction *instruction = &instructions[at];
    int call = -1;
    Outcome outcome = OUTCOME_DONE;
    switch (instruction->kind) {
    case DO_APPLY: code->slots[instruction->to] = apply(interpreter, code, instruction); break;
    case DO_READ: outcome = read_element(interpreter, code, instruction, &call, missing); break;
    case DO_DRAW:
      code->slots[instruction->to].value = interpreter_draw(interpreter, instruction->op, code);
      break;
    case DO_CHOOSE: call = choose(code, instruction); break;
    case DO_CALL:
      if (must_call(code, instruction->blocks[0])) call = instruction->blocks[0];
      break;
    case DO_RETURN:
      code->stamps[instruction->blocks[0]] = code->now;
      if (depth == 0) return OUTCOME_DONE;
      at = code->calls[--depth];
      continue;
    }
    if (outcome != OUTCOME_DONE) return outcome;
    if (call >= 0) code->calls[depth++] = at;
    at = call >= 0 ? code->starts[call] : at + 1;
  }
}

/* ---- reductions -------------------------------------------------------------------------------- */

typedef struct Accumulator {
  Reduction reduction;
  Dual total;
  double greatest; /* LSE: `total` is in units of exp(greatest) */
  int64_t chosen;  /* ARGMAX, ARGMIN: number of the point */
  bool any;        /* a point was added */
} Accumulator;

static double neutral(Reduction reduction) {
  switch (reduction) {
  case REDUCE_PROD:
  case REDUCE_ALL: return 1;
  case REDUCE_MAX:
  case REDUCE_ARGMAX: return -INFINITY;
  case REDUCE_MIN:
  case REDUCE_ARGMIN: return INFINITY;
  case REDUCE_NONE:
  case REDUCE_SUM:
  case REDUCE_LSE:
  case REDUCE_ANY: break;
  }
  return 0;
}

/* sum of exp(v - greatest), and the same weights on the tangents. */
static void add_exponential(Accumulator *a, Dual v) {
  if (v.value > a->greatest) {
    double scale = exp(a->greatest - v.value);
    a->total.value *= scale;
    a->total.tangent *= scale;
    a->greatest = v.value;
  }
  double weight = v.value == a->greatest ? 1 : exp(v.value - a->greatest);
  if (v.value == -INFINITY) weight = 0;
  a->total.value += weight;
  if (weight != 0) a->total.tangent += weight * v.tangent;
}

/* The first of equals stays; not a number wins and stays. */
static void keep_better(Accumulator *a, Dual v, bool better, int64_t number) {
  if (a->any && !better && !(isnan(v.value) && !isnan(a->total.value))) return;
  a->total = v;
  a->chosen = number;
}

static void add_point(Accumulator *a, Dual v, int64_t number) {
  Dual t = a->total;
  switch (a->reduction) {
  case REDUCE_NONE: a->total = v; break;
  case REDUCE_SUM: a->total = (Dual){t.value + v.value, t.tangent + v.tangent}; break;
  case REDUCE_PROD:
    a->total = (Dual){t.value * v.value, t.tangent * v.value + t.value * v.tangent};
    break;
  case REDUCE_MAX:
  case REDUCE_ARGMAX: keep_better(a, v, v.value > t.value, number); break;
  case REDUCE_MIN:
  case REDUCE_ARGMIN: keep_better(a, v, v.value < t.value, number); break;
  case REDUCE_LSE: add_exponential(a, v); break;
  case REDUCE_ANY: a->total.value = t.value != 0 || v.value != 0; break;
  case REDUCE_ALL: a->total.value = t.value != 0 && v.value != 0; break;
  }
  a->any = true;
}

static Dual reduced_value(const Accumulator *a) {
  Dual t = a->total;
  if (a->reduction == REDUCE_ARGMAX || a->reduction == REDUCE_ARGMIN)
    return (Dual){(double)a->chosen, 0};
  if (a->reduction != REDUCE_LSE) return t;
  if (t.value == 0) return (Dual){-INFINITY, 0};
  return (Dual){a->greatest + log(t.value), t.tangent / t.value};
}

/* ---- one element ------------------------------------------------------------------------------- */

static void set_variable(Code *code, Variable *variable, int64_t value) {
  variable->value = value;
  if (variable->slot >= 0) code->slots[variable->slot].value = (double)value;
}

static void set_target_variables(Code *code, int64_t address) {
  for (int i = code->target_count - 1; i >= 0; i--) {
    Variable *variable = &code->variables[i];
    set_variable(code, variable, address % variable->range);
    address /= variable->range;
  }
}

/* To the first point of the reduction; false when there is none. */
static bool start_points(Code *code) {
  for (int i = code->target_count; i < code->variable_count; i++) {
    if (code->variables[i].range <= 0) return false;
    set_variable(code, &code->variables[i], 0);
  }
  return true;
}

static bool next_point(Code *code) {
  for (int i = code->variable_count - 1; i >= code->target_count; i--) {
    Variable *variable = &code->variables[i];
    if (variable->value + 1 < variable->range) {
      set_variable(code, variable, variable->value + 1);
      return true;
    }
    set_variable(code, variable, 0);
  }
  return false;
}

static Outcome evaluate_point(Interpreter *interpreter, Code *code, Accumulator *accumulator,
                              int64_t number, Element *missing) {
  code->now++;
  if (code->guard >= 0) {
    Outcome outcome = run_block(interpreter, code, code->guard_block, missing);
    if (outcome != OUTCOME_DONE) return outcome;
    if (code->slots[code->guard].value == 0) return OUTCOME_DONE;
  }
  Outcome outcome = run_block(interpreter, code, code->body_block, missing);
  if (outcome != OUTCOME_DONE) return outcome;
  interpreter->operations += accumulator->any && is_real(code->sources[code->body]);
  add_point(accumulator, code->slots[code->body], number);
  return OUTCOME_DONE;
}

Outcome code_evaluate(Interpreter *interpreter, Code *code, int64_t address, Dual *result,
                      Element *missing) {
  Reduction reduction = code->equation ? code->equation->reduction : REDUCE_NONE;
  Accumulator accumulator = {
      .reduction = reduction, .total = {neutral(reduction), 0}, .greatest = -INFINITY};
  code->address = address;
  set_target_variables(code, address);
  int64_t number = 0;
  for (bool more = start_points(code); more; more = next_point(code)) {
    Outcome outcome = evaluate_point(interpreter, code, &accumulator, number++, missing);
    if (outcome != OUTCOME_DONE) return outcome;
  }
  *result = reduced_value(&accumulator);
  return OUTCOME_DONE;
}
