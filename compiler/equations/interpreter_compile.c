/* Compiles an equation into code: finds for every expression the block it belongs to, then writes the
   instructions block by block, in the order of the expressions (args before users).

   A block is found from the users of an expression: the same as theirs when they agree; the one that
   encloses the others when there is such a one; else a block of its own. Blocks form a tree: whatever
   an enclosing block holds has run already. */
#include "equations/interpreter_code.h"

/* What is known of one expression; number = its slot. */
typedef struct Slot {
  const Expr *e;
  int block;   /* -1: no user seen yet */
  bool shared; /* has a block of its own because its users are in several */
} Slot;

typedef struct Block {
  int outer, depth; /* outer -1: outermost */
} Block;

typedef struct Compilation {
  Interpreter *interpreter;
  Arena *scratch;
  Code *code;
  Map by_expr; /* expression -> its Slot */
  Slot *slots;
  int count;
  LIST_OF(Block) blocks;
} Compilation;

static int slot_of(const Compilation *c, const Expr *e) {
  return (int)((Slot *)map_get(&c->by_expr, e) - c->slots);
}

static bool is_preset(const Expr *e) {
  return e->op == OP_NUMBER || e->op == OP_INTEGER || e->op == OP_INDEX || e->op == OP_EXTENT;
}

/* ---- blocks ------------------------------------------------------------------------------------ */

static int add_block(Compilation *c, int outer) {
  int depth = outer < 0 ? 0 : c->blocks.items[outer].depth + 1;
  APPEND(c->scratch, &c->blocks, (Block){outer, depth});
  return c->blocks.count - 1;
}

static int common_block(const Compilation *c, int a, int b) {
  const Block *blocks = c->blocks.items;
  while (a != b) {
    if (blocks[a].depth >= blocks[b].depth)
      a = blocks[a].outer;
    else
      b = blocks[b].outer;
  }
  return a;
}

static bool encloses(const Compilation *c, int outer, int inner) {
  return common_block(c, outer, inner) == outer;
}

/* One more user of `e`, in `block`. A shared expression's block hangs in the one common to its users. */
static void use_in_block(Compilation *c, const Expr *e, int block) {
  Slot *slot = map_get(&c->by_expr, e);
  if (slot->block < 0) {
    slot->block = block;
    return;
  }
  Block *own = slot->shared ? &c->blocks.items[slot->block] : NULL;
  int before = own ? own->outer : slot->block;
  int common = common_block(c, before, block);
  if (own) {
    own->outer = common;
    own->depth = c->blocks.items[common].depth + 1;
    if (common == block) slot->block = block, slot->shared = false;
  } else if (common == block || common == before) {
    slot->block = common;
  } else {
    slot->block = add_block(c, common);
    slot->shared = true;
  }
}

static bool is_lazy_argument(const Expr *e, int position) {
  if (e->op == OP_SELECT || e->op == OP_AND || e->op == OP_OR) return position > 0;
  return e->op == OP_READ && position >= e->tensor->rank;
}

/* Users come after their args, so going backwards every user of an expression is seen before it. */
static void find_blocks(Compilation *c) {
  for (int i = c->count - 1; i >= 0; i--) {
    const Expr *e = c->slots[i].e;
    for (int k = 0; k < e->count; k++) {
      if (is_preset(e->args[k])) continue;
      int block = c->slots[i].block;
      use_in_block(c, e->args[k], is_lazy_argument(e, k) ? add_block(c, block) : block);
    }
  }
}

/* ---- instructions ------------------------------------------------------------------------------ */

/* The block to call before `e` can be used in `block`; -1 when it has run by then. */
static int block_to_call(const Compilation *c, const Expr *e, int block) {
  if (is_preset(e)) return -1;
  int own = c->slots[slot_of(c, e)].block;
  return encloses(c, own, block) ? -1 : own;
}

static void add_instruction(Compilation *c, Instruction instruction) {
  APPEND(c->interpreter->arena, &c->code->instructions, instruction);
}

static Instruction instruction_new(InstructionKind kind, Op op, int to) {
  return (Instruction){.kind = kind, .op = op, .to = to, .blocks = {-1, -1, -1}};
}

static void note_read(Compilation *c, Cell *cell) {
  for (int i = 0; i < c->code->reads.count; i++)
    if (c->code->reads.items[i] == cell) return;
  APPEND(c->interpreter->arena, &c->code->reads, cell);
}

static Access *access_new(Compilation *c, const Expr *read) {
  Access *access = NEW(c->interpreter->arena, Access);
  access->cell = cell_of(c->interpreter, read->tensor);
  access->rank = read->tensor->rank;
  for (int k = 0; k < access->rank; k++) access->subscripts[k] = slot_of(c, read->args[k]);
  note_read(c, access->cell);
  return access;
}

static void set_lazy_argument(const Compilation *c, Instruction *instruction, int position,
                              const Expr *argument, int block) {
  instruction->args[position] = slot_of(c, argument);
  instruction->blocks[position] = block_to_call(c, argument, block);
}

static void add_read(Compilation *c, const Expr *e, int to, int block) {
  Instruction instruction = instruction_new(DO_READ, e->op, to);
  instruction.access = access_new(c, e);
  instruction.args[0] = -1;
  if (read_default(e)) set_lazy_argument(c, &instruction, 0, read_default(e), block);
  add_instruction(c, instruction);
}

/* a and b = a ? b : a; a or b = a ? a : b. */
static void add_choice(Compilation *c, const Expr *e, int to, int block) {
  const Expr *a = e->args[0];
  const Expr *taken = e->op == OP_OR ? a : e->args[1];
  const Expr *otherwise = e->op == OP_SELECT ? e->args[2] : e->op == OP_OR ? e->args[1] : a;
  Instruction instruction = instruction_new(DO_CHOOSE, e->op, to);
  set_lazy_argument(c, &instruction, 0, a, block);
  set_lazy_argument(c, &instruction, 1, taken, block);
  set_lazy_argument(c, &instruction, 2, otherwise, block);
  add_instruction(c, instruction);
}

static void add_application(Compilation *c, const Expr *e, int to) {
  Instruction instruction = instruction_new(DO_APPLY, e->op, to);
  for (int k = 0; k < e->count; k++) instruction.args[k] = slot_of(c, e->args[k]);
  add_instruction(c, instruction);
}

static void add_calls(Compilation *c, const Expr *e, int block) {
  for (int k = 0; k < e->count; k++) {
    if (is_lazy_argument(e, k)) continue;
    Instruction call = instruction_new(DO_CALL, e->op, -1);
    call.blocks[0] = block_to_call(c, e->args[k], block);
    if (call.blocks[0] >= 0) add_instruction(c, call);
  }
}

static void add_expression(Compilation *c, int slot) {
  const Expr *e = c->slots[slot].e;
  int block = c->slots[slot].block;
  add_calls(c, e, block);
  if (e->op == OP_READ)
    add_read(c, e, slot, block);
  else if (e->op == OP_SELECT || e->op == OP_AND || e->op == OP_OR)
    add_choice(c, e, slot, block);
  else if (is_draw(e))
    add_instruction(c, instruction_new(DO_DRAW, e->op, slot));
  else
    add_application(c, e, slot);
}

/* The expressions of each block as a chain through their slots, so that writing takes one pass. */
static void add_instructions(Compilation *c) {
  int *first = NEW_ARRAY(c->scratch, int, c->blocks.count);
  int *next = NEW_ARRAY(c->scratch, int, c->count + 1);
  for (int b = 0; b < c->blocks.count; b++) first[b] = -1;
  for (int i = c->count - 1; i >= 0; i--) {
    if (is_preset(c->slots[i].e)) continue;
    next[i] = first[c->slots[i].block];
    first[c->slots[i].block] = i;
  }
  for (int b = 0; b < c->blocks.count; b++) {
    c->code->starts[b] = c->code->instructions.count;
    for (int i = first[b]; i >= 0; i = next[i]) add_expression(c, i);
    Instruction end = instruction_new(DO_RETURN, OP_COUNT, -1);
    end.blocks[0] = b;
    add_instruction(c, end);
  }
}

/* ---- slots and variables ----------------------------------------------------------------------- */

static void add_slots(Compilation *c, ExprList list) {
  Arena *arena = c->interpreter->arena;
  c->count = c->code->slot_count = list.count;
  c->slots = NEW_ARRAY(c->scratch, Slot, list.count);
  c->code->slots = NEW_ARRAY(arena, Dual, list.count);
  c->code->sources = NEW_ARRAY(arena, const Expr *, list.count);
  for (int i = 0; i < list.count; i++) {
    const Expr *e = list.items[i];
    c->slots[i] = (Slot){.e = e, .block = -1};
    c->code->sources[i] = e;
    map_put(&c->by_expr, e, &c->slots[i]);
    if (e->op == OP_NUMBER) c->code->slots[i].value = e->number;
    if (e->op == OP_INTEGER) c->code->slots[i].value = (double)e->integer;
  }
}

static int slot_of_index(const Code *code, const Index *index) {
  for (int i = 0; i < code->slot_count; i++)
    if (code->sources[i]->op == OP_INDEX && code->sources[i]->index == index) return i;
  return -1;
}

static void add_variables(Compilation *c, const Equation *equation) {
  Code *code = c->code;
  code->target_count = equation->var_count;
  code->variable_count = equation->var_count + equation->reduced_count;
  code->variables = NEW_ARRAY(c->interpreter->arena, Variable, code->variable_count + 1);
  for (int i = 0; i < code->variable_count; i++) {
    bool is_target = i < equation->var_count;
    const Index *index = is_target ? equation->vars[i] : equation->reduced[i - equation->var_count];
    code->variables[i] = (Variable){.index = index, .slot = slot_of_index(code, index)};
  }
}

static void allocate_blocks(Compilation *c) {
  Arena *arena = c->interpreter->arena;
  c->code->block_count = c->blocks.count;
  c->code->starts = NEW_ARRAY(arena, int, c->blocks.count);
  c->code->stamps = NEW_ARRAY(arena, uint64_t, c->blocks.count);
  c->code->calls = NEW_ARRAY(arena, int, c->blocks.count + 1);
}

/* ---- whole ------------------------------------------------------------------------------------- */

/* The guard is a root in the outermost block, the body one in a block below that. */
static Code *compile(Interpreter *interpreter, const Equation *equation, const Expr *guard,
                     const Expr *body) {
  Compilation c = {.interpreter = interpreter, .scratch = arena_new()};
  c.code = NEW(interpreter->arena, Code);
  c.code->equation = equation;
  map_init(&c.by_expr, c.scratch);
  const Expr *roots[] = {body, guard};
  add_slots(&c, expr_postorder(c.scratch, roots, guard ? 2 : 1));
  if (equation) add_variables(&c, equation);
  int outermost = add_block(&c, -1);
  if (guard) use_in_block(&c, guard, outermost);
  use_in_block(&c, body, guard ? add_block(&c, outermost) : outermost);
  find_blocks(&c);
  allocate_blocks(&c);
  add_instructions(&c);
  c.code->guard = guard ? slot_of(&c, guard) : -1;
  c.code->guard_block = outermost;
  c.code->body = slot_of(&c, body);
  c.code->body_block = c.slots[c.code->body].block;
  arena_free(c.scratch);
  return c.code;
}

Code *code_of_equation(Interpreter *interpreter, const Equation *equation) {
  return compile(interpreter, equation, equation->guard, equation->body);
}

Code *code_of_condition(Interpreter *interpreter, const Expr *condition) {
  return compile(interpreter, NULL, NULL, condition);
}

void code_bind(Code *code, const int64_t *sizes) {
  for (int i = 0; i < code->variable_count; i++)
    code->variables[i].range = extent_evaluate(code->variables[i].index->range, sizes);
  for (int i = 0; i < code->slot_count; i++)
    if (code->sources[i]->op == OP_EXTENT)
      code->slots[i].value = (double)extent_evaluate(code->sources[i]->extent, sizes);
}
