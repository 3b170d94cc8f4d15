/* Types, numbers, sizes and addresses as C. */
#include "emit/expression.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *real_suffix(const Routine *routine) {
  return routine->bytes_of_real == 8 ? "f64" : "f32";
}

static const char *real_type(const Routine *routine) {
  return routine->bytes_of_real == 8 ? "double" : "float";
}

const char *value_type_name(const Routine *routine, ValueType type) {
  switch (type) {
  case TYPE_BOOL: return "int";
  case TYPE_INT: return "int64_t";
  case TYPE_NUMBER:
  case TYPE_F64: return "double";
  case TYPE_REAL: return real_type(routine);
  }
  return "double";
}

int64_t array_alignment(const Routine *routine, int64_t bytes, int64_t count) {
  int64_t vector = routine->target->vector_bytes;
  return vector > bytes && count >= vector / bytes ? vector : bytes;
}

const char *alignment_text(const Routine *routine, Arena *arena, int64_t bytes, int64_t count) {
  int64_t alignment = array_alignment(routine, bytes, count);
  if (alignment == bytes) return "";
  return arena_format(arena, " __attribute__((aligned(%lld)))", (long long)alignment);
}

const char *element_type_name(const Routine *routine, const Tensor *tensor) {
  bool callers = tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET;
  if (callers) {
    switch (tensor->storage) {
    case STORE_U8: return "uint8_t";
    case STORE_I8: return "int8_t";
    case STORE_I32: return "int32_t";
    case STORE_BOOL: return "uint8_t";
    case STORE_F64: return "double";
    case STORE_REAL: return real_type(routine);
    }
  }
  if (tensor->type == TYPE_INT) return "int32_t";
  return tensor->type == TYPE_BOOL ? "uint8_t" : value_type_name(routine, tensor->type);
}

/* ---- numbers ---- */

static const char *real_number(FunctionWriter *writer, double value, bool is_float) {
  if (is_float) value = (double)(float)value;
  if (isnan(value)) return is_float ? "__builtin_nanf(\"\")" : "__builtin_nan(\"\")";
  if (isinf(value)) {
    const char *text = is_float ? "__builtin_inff()" : "__builtin_inf()";
    return value < 0 ? arena_format(writer->arena, "-%s", text) : text;
  }
  char digits[40];
  if (value == floor(value) && fabs(value) < 1e7) {
    snprintf(digits, sizeof digits, "%.0f.0", value);
    return arena_format(writer->arena, "%s%s", digits, is_float ? "f" : "");
  }
  for (int precision = 1; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, value);
    if ((is_float ? (double)strtof(digits, NULL) : strtod(digits, NULL)) == value) break;
  }
  bool is_whole = strcspn(digits, ".e") == strlen(digits);
  return arena_format(writer->arena, "%s%s%s", digits, is_whole ? ".0" : "", is_float ? "f" : "");
}

const char *number_text(FunctionWriter *writer, double value, ValueType as) {
  if (as == TYPE_BOOL) return value != 0 ? "1" : "0";
  if (as == TYPE_INT) return arena_format(writer->arena, "%lld", (long long)value);
  return real_number(writer, value, as == TYPE_REAL && writer->routine->bytes_of_real == 4);
}

/* ---- sizes ---- */

static void add_atom(FunctionWriter *writer, Text *text, const ExtentAtom *atom) {
  if (atom->dim) {
    text_add(text, "%s", scope_name(&writer->scope, atom->dim, atom->dim->name));
    return;
  }
  if (extent_minimum(atom->numerator) >= 0 && extent_minimum(atom->denominator) > 0) {
    text_add(text, "(%s / %s)", extent_text(writer, atom->numerator, LEVEL_PRODUCT),
             extent_text(writer, atom->denominator, LEVEL_UNARY));
    return;
  }
  text_add(text, "nnrt_floor_divide_i64(%s, %s)",
           extent_text(writer, atom->numerator, LEVEL_TERNARY),
           extent_text(writer, atom->denominator, LEVEL_TERNARY));
}

static void add_term(FunctionWriter *writer, Text *text, const ExtentTerm *term, bool first) {
  int64_t coefficient = term->coefficient;
  bool negative = coefficient < 0;
  if (first) text_add(text, negative ? "-" : "");
  if (!first) text_add(text, negative ? " - " : " + ");
  if (negative) coefficient = -coefficient;
  bool factor = coefficient != 1 || term->atom_count == 0;
  if (factor) text_add(text, "%lld", (long long)coefficient);
  for (int i = 0; i < term->atom_count; i++) {
    if (factor || i > 0) text_add(text, " * ");
    add_atom(writer, text, term->atoms[i]);
  }
}

const char *extent_text(FunctionWriter *writer, const Extent *extent, int level) {
  Text text;
  text_init(&text, writer->arena);
  int count = extent_term_count(extent);
  for (int i = 0; i < count; i++) add_term(writer, &text, extent_term(extent, i), i == 0);
  if (count == 0) text_add(&text, "0");
  bool is_single = strpbrk(text.bytes, " -") == NULL;
  if (is_single || level <= LEVEL_SUM - (count == 1 ? 0 : 1)) return text.bytes;
  if (count == 1 && text.bytes[0] != '-' && level <= LEVEL_PRODUCT) return text.bytes;
  return arena_format(writer->arena, "(%s)", text.bytes);
}

/* ---- addresses ---- */

static void add_product(FunctionWriter *writer, Text *text, const char *subscript, int level,
                        const Extent *stride) {
  int64_t constant;
  bool is_one = extent_is_constant(stride, &constant) && constant == 1;
  if (text->size > 0) text_add(text, " + ");
  if (is_one) {
    text_add(text, "%s", subscript);
    return;
  }
  text_add(text, level >= LEVEL_PRODUCT ? "%s" : "(%s)", subscript);
  text_add(text, " * %s", extent_text(writer, stride, LEVEL_UNARY));
}

static const char *ring_position(FunctionWriter *writer, const Buffer *buffer,
                                 const char *subscript, int level) {
  return arena_format(writer->arena, level >= LEVEL_PRODUCT ? "%s %% %lld" : "(%s) %% %lld",
                      subscript, (long long)buffer->ring_steps);
}

const char *position_text(FunctionWriter *writer, const Tensor *tensor,
                          const char *const *subscripts, const int *levels) {
  const Buffer *buffer = routine_buffer(writer->routine, tensor);
  Text text;
  text_init(&text, writer->arena);
  for (int dim = 0; dim < tensor->rank; dim++) {
    int64_t constant;
    bool shrunk = extent_is_constant(buffer->strides[dim], &constant) && constant == 0;
    bool is_zero = strcmp(subscripts[dim], "0") == 0;
    if (shrunk || is_zero) continue;
    bool is_ring = buffer->ring_steps > 0 && buffer->ring_dim == dim;
    const char *subscript =
        is_ring ? ring_position(writer, buffer, subscripts[dim], levels[dim]) : subscripts[dim];
    int level = is_ring ? LEVEL_PRODUCT : levels[dim];
    add_product(writer, &text, subscript, level, buffer->strides[dim]);
  }
  return text.size > 0 ? text.bytes : "0";
}

const char *element_text(FunctionWriter *writer, const Tensor *tensor,
                         const char *const *subscripts, const int *levels) {
  const Buffer *buffer = routine_buffer(writer->routine, tensor);
  const Tensor *memory = memory_of(writer->routine, tensor);
  Name name = scope_name(&writer->scope, memory, memory->name);
  bool by_value = memory->role == ROLE_HYPER || memory->role == ROLE_STEP;
  if (map_has(&writer->by_address, memory)) return arena_format(writer->arena, "%s[0]", name);
  if (buffer->place == PLACE_SCALAR) return arena_format(writer->arena, "s->%s", name);
  if (by_value) return name;
  if (buffer->place == PLACE_REGISTER && !buffer_has_elements(buffer)) return name;
  const char *position = position_text(writer, tensor, subscripts, levels);
  return arena_format(writer->arena, "%s[%s]", name, position);
}
