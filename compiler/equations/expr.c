/* Expressions: the hash-consing table and the constructors, which see to types. */
#include "equations/expr_table.h"

#include "equations/equation.h"

#include <math.h>
#include <string.h>

#ifdef NNC_HOSTILE
enum { FIRST_SLOTS = 2 };
#else
enum { FIRST_SLOTS = 1024 };
#endif

static const struct OpKind {
  OpForm form;
  OpResult result;
} kinds[OP_COUNT] = {
#define OP(name, arity, spelling, form, type, ...) {FORM_##form, RESULT_##type},
#include "equations/ops.def"
#undef OP
};

OpForm op_form(Op op) {
  return kinds[op].form;
}

OpResult op_result(Op op) {
  return kinds[op].result;
}

ExprTable *expr_table_new(Arena *arena, ExtentTable *extents) {
  ExprTable *table = NEW(arena, ExprTable);
  *table = (ExprTable){.arena = arena, .extents = extents, .capacity = FIRST_SLOTS};
  table->slots = NEW_ARRAY(arena, ExprSlot, table->capacity);
  return table;
}

Arena *expr_arena(ExprTable *table) {
  return table->arena;
}

ExtentTable *expr_extents(ExprTable *table) {
  return table->extents;
}

/* The payload as bits: every member of the union fits into 64, and unused bits are zero. */
static uint64_t payload_of(const Expr *e) {
  uint64_t bits = 0;
  switch (e->op) {
  case OP_NUMBER: memcpy(&bits, &e->number, sizeof e->number); break;
  case OP_INDEX: bits = (uint64_t)(uintptr_t)e->index; break;
  case OP_EXTENT: bits = (uint64_t)(uintptr_t)e->extent; break;
  case OP_READ: bits = (uint64_t)(uintptr_t)e->tensor; break;
  default: bits = (uint64_t)e->integer; break;
  }
  return bits;
}

static uint32_t hash_node(const Expr *leaf, const Expr *const *args, int count) {
  uint64_t hash = (uint64_t)leaf->op * 8 + (uint64_t)leaf->type;
  hash = (hash ^ payload_of(leaf)) * 0x9E3779B97F4A7C15u;
  for (int i = 0; i < count; i++) {
    hash = (hash ^ hash >> 32 ^ args[i]->id) * 0xff51afd7ed558ccdu;
  }
  return (uint32_t)(hash >> 32);
}

static bool is_same_node(const Expr *e, const Expr *leaf, const Expr *const *args, int count) {
  if (e->op != leaf->op || e->type != leaf->type || e->count != count) return false;
  for (int i = 0; i < count; i++) {
    if (e->args[i] != args[i]) return false;
  }
  return payload_of(e) == payload_of(leaf);
}

static ExprSlot *find_slot(const ExprTable *table, uint32_t hash, const Expr *leaf,
                           const Expr *const *args, int count) {
  for (size_t i = hash & (table->capacity - 1);; i = (i + 1) & (table->capacity - 1)) {
    ExprSlot *slot = &table->slots[i];
    if (!slot->expr) return slot;
    if (slot->hash == hash && is_same_node(slot->expr, leaf, args, count)) return slot;
  }
}

static void grow_slots(ExprTable *table) {
  ExprSlot *old = table->slots;
  size_t old_capacity = table->capacity;
  table->capacity *= 2;
  table->slots = NEW_ARRAY(table->arena, ExprSlot, table->capacity);
  for (size_t i = 0; i < old_capacity; i++) {
    const Expr *e = old[i].expr;
    if (e) *find_slot(table, old[i].hash, e, e->args, e->count) = old[i];
  }
}

const Expr *expr_intern(ExprTable *table, const Expr *leaf, const Expr *const *args, int count) {
  uint32_t hash = hash_node(leaf, args, count);
  ExprSlot *slot = find_slot(table, hash, leaf, args, count);
  if (slot->expr) return slot->expr;
  size_t size = (size_t)count * sizeof *args;
  Expr *e = arena_alloc(table->arena, 1, sizeof *e + size);
  *e = *leaf;
  e->id = (uint32_t)table->count++;
  e->count = count;
  if (count > 0) memcpy(e->args, args, size);
  *slot = (ExprSlot){hash, e};
  if (table->count * 4 > table->capacity * 3) grow_slots(table);
  return e;
}

const Expr *expr_node(ExprTable *table, Op op, ValueType type, const Expr *const *args, int count) {
  return expr_intern(table, &(Expr){.op = op, .type = type, .integer = 0}, args, count);
}

const Expr *expr_number(ExprTable *table, double value) {
  return expr_intern(table, &(Expr){.op = OP_NUMBER, .type = TYPE_NUMBER, .number = value}, NULL,
                     0);
}

const Expr *expr_integer(ExprTable *table, int64_t value) {
  return expr_intern(table, &(Expr){.op = OP_INTEGER, .type = TYPE_INT, .integer = value}, NULL, 0);
}

const Expr *expr_index(ExprTable *table, const Index *index) {
  return expr_intern(table, &(Expr){.op = OP_INDEX, .type = TYPE_INT, .index = index}, NULL, 0);
}

const Expr *expr_extent(ExprTable *table, const Extent *extent) {
  int64_t value;
  if (extent_is_constant(extent, &value)) return expr_integer(table, value);
  return expr_intern(table, &(Expr){.op = OP_EXTENT, .type = TYPE_INT, .extent = extent}, NULL, 0);
}

const Expr *expr_draw(ExprTable *table, Op draw) {
  return expr_node(table, draw, TYPE_REAL, NULL, 0);
}

const Expr *expr_boolean(ExprTable *table, bool value) {
  return expr_intern(table, &(Expr){.op = OP_INTEGER, .type = TYPE_BOOL, .integer = value}, NULL,
                     0);
}

const Expr *expr_true(ExprTable *table) {
  return expr_boolean(table, true);
}

const Expr *expr_false(ExprTable *table) {
  return expr_boolean(table, false);
}

bool is_number(const Expr *e, double *value) {
  bool whole = e->op == OP_INTEGER && e->type == TYPE_INT;
  if (!whole && e->op != OP_NUMBER) return false;
  if (value) *value = whole ? (double)e->integer : e->number;
  return true;
}

bool is_true(const Expr *e) {
  return e->op == OP_INTEGER && e->type == TYPE_BOOL && e->integer != 0;
}

bool is_false(const Expr *e) {
  return e->op == OP_INTEGER && e->type == TYPE_BOOL && e->integer == 0;
}

int read_rank(const Expr *read) {
  return read->tensor->rank;
}

const Expr *read_default(const Expr *read) {
  return read->count > read->tensor->rank ? read->args[read->count - 1] : NULL;
}

/* The operand in the type wanted; what cannot be converted is a mistake of the caller. */
static const Expr *convert(ExprTable *table, const Expr *e, ValueType type) {
  if (e->type == type || (e->type == TYPE_NUMBER && type > TYPE_NUMBER)) return e;
  if (type == TYPE_F64 && e->op == OP_EXTENT) return e;
  if (type == TYPE_INT && e->op == OP_NUMBER && e->number == rint(e->number) &&
      fabs(e->number) < 0x1p62) {
    return expr_integer(table, (int64_t)e->number);
  }
  if (e->op == OP_INTEGER && e->type == TYPE_INT && type >= TYPE_NUMBER) {
    return expr_number(table, (double)e->integer);
  }
  if (type == TYPE_REAL && (e->type == TYPE_INT || e->type == TYPE_F64)) {
    return expr_node(table, OP_REAL, TYPE_REAL, &e, 1);
  }
  bug("operand of type %d where %d is wanted", (int)e->type, (int)type);
}

/* The widest type of some operands; literals beside numbers known only at run time are REAL, and so
   are whole numbers when `real`. An extent beside F64 is one number of the call, exact in double. */
static ValueType widest_type(const Expr *const *args, int count, bool real) {
  ValueType widest = args[0]->type;
  for (int i = 1; i < count; i++) {
    if (args[i]->type > widest) widest = args[i]->type;
  }
  bool variable_int = false;
  for (int i = 0; i < count; i++) {
    bool fixed = args[i]->op == OP_INTEGER || (args[i]->op == OP_EXTENT && widest == TYPE_F64);
    variable_int = variable_int || (args[i]->type == TYPE_INT && !fixed);
  }
  if (real && widest == TYPE_INT) widest = TYPE_NUMBER;
  return variable_int && widest >= TYPE_NUMBER ? TYPE_REAL : widest;
}

/* Converts the operands in place and returns the type of the value. */
static ValueType unify(ExprTable *table, Op op, const Expr **args, int count) {
  OpResult result = op_result(op);
  if (op == OP_AND || op == OP_OR || op == OP_NOT) {
    for (int i = 0; i < count; i++) args[i] = convert(table, args[i], TYPE_BOOL);
    return TYPE_BOOL;
  }
  if (op == OP_INT || op == OP_REAL) return op == OP_INT ? TYPE_INT : TYPE_REAL;
  int first = op == OP_SELECT;
  if (first) args[0] = convert(table, args[0], TYPE_BOOL);
  ValueType type = TYPE_INT;
  if (result != RESULT_INT) type = widest_type(args + first, count - first, result == RESULT_REAL);
  if (type == TYPE_BOOL && (result == RESULT_REAL || op_form(op) == FORM_CALL) && op != OP_STOP) {
    bug("operand of '%s' is a truth value", op_spelling(op));
  }
  for (int i = first; i < count; i++) args[i] = convert(table, args[i], type);
  return result == RESULT_BOOL ? TYPE_BOOL : type;
}

/* What takes the place of a value is as wide: a literal does not take the type of another context. */
static const Expr *literal_in_place(ExprTable *table, const Expr *e, ValueType type) {
  if (e->op != OP_NUMBER || type != TYPE_REAL) return e;
  return expr_intern(table, &(Expr){.op = OP_NUMBER, .type = type, .number = e->number}, NULL, 0);
}

static bool is_affine_op(Op op) {
  return (op >= OP_ADD && op <= OP_MUL) || op == OP_NEGATE || op == OP_IDIV || op == OP_MOD;
}

const Expr *expr_make(ExprTable *table, Op op, const Expr *const *args, int count) {
  const Expr *operands[3];
  if (count < 1 || count > 3 || count != op_arity(op)) {
    bug("'%s' with %d operands", op_spelling(op), count);
  }
  memcpy(operands, args, (size_t)count * sizeof *args);
  ValueType type = unify(table, op, operands, count);
  if (type == TYPE_INT && is_affine_op(op)) return affine_make(table, op, operands);
  const Expr *folded = expr_fold(table, op, type, operands);
  if (folded) return literal_in_place(table, folded, type);
  return expr_node(table, op, type, operands, count);
}

const Expr *expr_unary(ExprTable *table, Op op, const Expr *a) {
  return expr_make(table, op, &a, 1);
}

const Expr *expr_binary(ExprTable *table, Op op, const Expr *a, const Expr *b) {
  return expr_make(table, op, (const Expr *[]){a, b}, 2);
}

const Expr *expr_select(ExprTable *table, const Expr *condition, const Expr *a, const Expr *b) {
  return expr_make(table, OP_SELECT, (const Expr *[]){condition, a, b}, 3);
}

const Expr *expr_read(ExprTable *table, const Tensor *tensor, const Expr *const *subscripts,
                      const Expr *otherwise) {
  const Expr *args[LIMIT_RANK + 1];
  for (int i = 0; i < tensor->rank; i++) args[i] = convert(table, subscripts[i], TYPE_INT);
  if (otherwise)
    args[tensor->rank] =
        literal_in_place(table, convert(table, otherwise, tensor->type), tensor->type);
  Expr leaf = {.op = OP_READ, .type = tensor->type, .tensor = tensor};
  return expr_intern(table, &leaf, args, tensor->rank + (otherwise != NULL));
}
