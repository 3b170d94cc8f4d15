/* Functions of nests: their heads, the parts of those that would be too long, and which are the same. */
#include "emit/parts.h"

#include "emit/expression.h"

#include <string.h>

enum { LONGEST_FUNCTION = 300, LONGEST_PART = 260, SHORTEST_PART = 20 }; /* lines */

/* ---- what a function takes ---- */

void note_parameter(FunctionWriter *writer, const char *type, Name name, const char *shape) {
  APPEND(writer->arena, &writer->parameters, (Parameter){type, name, shape});
}

void write_signature(FunctionWriter *writer, Name function) {
  Arena *arena = writer->arena;
  LineList items = {0};
  for (int i = 0; i < writer->parameters.count; i++) {
    const Parameter *parameter = &writer->parameters.items[i];
    APPEND(arena, &items,
           arena_format(arena, "%s%s%s", parameter->type, parameter->name, parameter->shape));
  }
  if (items.count == 0) APPEND(arena, &items, "void");
  write_wrapped(writer, arena_format(arena, "NNRT_NEST void %s(", function), items.items,
                items.count, ") {");
}

/* ---- what its text says ---- */

/* However lines are broken, without comments. */
static const char *code_of(Arena *arena, const char *text) {
  Text code;
  text_init(&code, arena);
  bool is_apart = false;
  for (const char *c = text; *c; c++) {
    bool is_comment = c[0] == '/' && c[1] == '*';
    if (is_comment) c = strstr(c, "*/") + 1;
    if (is_comment || *c == ' ' || *c == '\n') {
      is_apart = true;
      continue;
    }
    if (is_apart && code.size > 0 && code.bytes[code.size - 1] != '(') text_add(&code, " ");
    is_apart = false;
    text_add_bytes(&code, c, 1);
  }
  return code.bytes;
}

static bool is_of_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* As an identifier of its own, which a member is not. */
static bool code_names(const char *code, Name name) {
  size_t length = strlen(name);
  for (const char *at = strstr(code, name); at; at = strstr(at + 1, name)) {
    bool is_first = at == code;
    bool is_member = !is_first && (at[-1] == '.' || (at[-1] == '>' && at[-2] == '-'));
    if ((is_first || !is_of_word(at[-1])) && !is_member && !is_of_word(at[length])) return true;
  }
  return false;
}

Name share_function(ProgramWriter *program, size_t begin, Name function) {
  Text *text = program->text;
  Name code = name_of(program->names, code_of(program->arena, strchr(text->bytes + begin, '(')));
  Name known = map_get(&program->functions, code);
  if (!known) map_put(&program->functions, code, (void *)function);
  if (!known || strstr(text->bytes + begin, "/* = ")) return function;
  text->size = begin;
  text->bytes[begin] = '\0';
  return known;
}

/* ---- stretches ---- */

int open_stretch(FunctionWriter *writer, const LoopNode *node) {
  int before = writer->stretch;
  APPEND(writer->arena, &writer->stretches,
         (Stretch){node, writer->text->size, 0, writer->depth, before, NULL});
  writer->stretch = writer->stretches.count - 1;
  return before;
}

void name_stretch(FunctionWriter *writer, Name name) {
  writer->stretches.items[writer->stretch].name = name;
}

void close_stretch(FunctionWriter *writer, int before) {
  writer->stretches.items[writer->stretch].end = writer->text->size;
  writer->stretch = before;
}

static int count_lines(const Text *text, size_t begin, size_t end) {
  int lines = 0;
  for (size_t i = begin; i < end; i++) lines += text->bytes[i] == '\n';
  return lines;
}

static bool is_inside(const Stretch *stretch, const Stretch *outer) {
  return stretch->begin >= outer->begin && stretch->end <= outer->end;
}

bool declares_row(const Routine *routine, const LoopNode *node) {
  const Buffer *buffer = routine_buffer(routine, node->target);
  return buffer->lanes == 0 && node->target->definition && buffer_has_elements(buffer);
}

static bool is_declaration(const Stretch *stretch) {
  return stretch->node->kind == LOOP_DECLARE && stretch->end > 0;
}

/* The names of local variables declared in it, or else of those outside which no part can be given. */
static Map locals_of(const FunctionWriter *writer, Arena *scratch, const Stretch *stretch,
                     bool inside) {
  Map names;
  map_init(&names, scratch);
  for (int i = 0; i < writer->stretches.count; i++) {
    const Stretch *local = &writer->stretches.items[i];
    if (!is_declaration(local) || is_inside(local, stretch) != inside) continue;
    if (inside || !declares_row(writer->routine, local->node))
      map_put(&names, local->name, (void *)local->name);
  }
  return names;
}

/* It needs no local variable from outside but rows. */
static bool stands_alone(const FunctionWriter *writer, const Stretch *stretch) {
  Arena *scratch = arena_new();
  Text text;
  text_init(&text, scratch);
  text_add_bytes(&text, writer->text->bytes + stretch->begin, stretch->end - stretch->begin);
  const char *code = code_of(scratch, text.bytes);
  Map own = locals_of(writer, scratch, stretch, true);
  Map others = locals_of(writer, scratch, stretch, false);
  bool is_alone = true;
  for (int i = 0; i < others.count && is_alone; i++)
    is_alone = map_has(&own, others.keys[i]) || !code_names(code, others.keys[i]);
  arena_free(scratch);
  return is_alone;
}

static const Stretch *find_part(const FunctionWriter *writer) {
  const Stretch *part = NULL;
  int most = SHORTEST_PART;
  for (int i = 0; i < writer->stretches.count; i++) {
    const Stretch *stretch = &writer->stretches.items[i];
    const LoopNode *node = stretch->node;
    if (node->kind != LOOP_FOR && node->kind != LOOP_IF) continue;
    int lines = count_lines(writer->text, stretch->begin, stretch->end);
    if (lines <= most || lines > LONGEST_PART || !stands_alone(writer, stretch)) continue;
    part = stretch;
    most = lines;
  }
  return part;
}

/* ---- a part ---- */

/* The lines of a stretch, as far left as a function has them. */
static void add_lines(Text *text, const Stretch *stretch, const char *bytes) {
  size_t spaces = 2 * (size_t)(stretch->depth - 1);
  for (const char *line = bytes + stretch->begin; line < bytes + stretch->end;) {
    size_t length = strcspn(line, "\n") + 1, indent = strspn(line, " ");
    size_t left = indent < spaces ? indent : spaces;
    text_add_bytes(text, line + left, length - left);
    line += length;
  }
}

static void write_part_body(const FunctionWriter *whole, const Stretch *stretch, Text *text) {
  FunctionWriter writer = *whole;
  LoopNode *node = (LoopNode *)stretch->node;
  LoopBody body = {&node, 1, 1};
  writer.text = text;
  writer.depth = 1;
  open_watch(&writer, &body);
  add_lines(text, stretch, whole->text->bytes);
  close_watch(&writer, &body);
}

/* Rows from outside that the code names, under the names they have there. */
static void add_rows(const FunctionWriter *whole, const Stretch *stretch, const char *code,
                     ParameterList *named) {
  Arena *scratch = arena_new();
  Map taken = locals_of(whole, scratch, stretch, true);
  for (int i = 0; i < whole->stretches.count; i++) {
    const Stretch *local = &whole->stretches.items[i];
    if (!is_declaration(local) || map_has(&taken, local->name)) continue;
    if (!declares_row(whole->routine, local->node) || !code_names(code, local->name)) continue;
    const char *type = value_type_name(whole->routine, local->node->target->type);
    const char *pointer = arena_format(whole->arena, "%s *restrict ", type);
    APPEND(whole->arena, named, (Parameter){pointer, local->name, ""});
    map_put(&taken, local->name, (void *)local->name);
  }
  arena_free(scratch);
}

/* Of what is known in the function at that place, what the code names. */
static ParameterList parameters_of(const FunctionWriter *whole, const Stretch *stretch,
                                   const char *code) {
  ParameterList named = {0};
  for (int i = 0; i < whole->parameters.count; i++)
    if (code_names(code, whole->parameters.items[i].name))
      APPEND(whole->arena, &named, whole->parameters.items[i]);
  for (int i = stretch->outer; i >= 0; i = whole->stretches.items[i].outer) {
    Name variable = whole->stretches.items[i].name;
    if (variable && code_names(code, variable))
      APPEND(whole->arena, &named, (Parameter){"int64_t ", variable, ""});
  }
  add_rows(whole, stretch, code, &named);
  return named;
}

/* A function behind the program's text; the name of the one to call. */
static Name write_part(ProgramWriter *program, const FunctionWriter *whole,
                       const ParameterList *parameters, const Text *body, Name function) {
  FunctionWriter writer = *whole;
  size_t begin = program->text->size;
  Name wanted = name_format(program->names, "%s.part", function);
  Name name = scope_fresh(&program->file, wanted);
  writer.text = program->text;
  writer.parameters = *parameters;
  write_signature(&writer, name);
  text_add_bytes(program->text, body->bytes, body->size);
  text_add(program->text, "}\n\n");
  return share_function(program, begin, name);
}

static void write_call_of(const FunctionWriter *whole, Text *text, int depth, Name function,
                          const ParameterList *parameters) {
  FunctionWriter writer = *whole;
  LineList names = {0};
  writer.text = text;
  for (int i = 0; i < parameters->count; i++)
    APPEND(whole->arena, &names, parameters->items[i].name);
  write_wrapped(&writer, arena_format(whole->arena, "%*s%s(", 2 * depth, "", function), names.items,
                names.count, ");");
}

/* Other text for that of a stretch, which is one no more, nor is what was in it. */
static void replace_stretch(FunctionWriter *writer, Stretch old, const Text *by) {
  Text text;
  text_init(&text, writer->arena);
  text_add_bytes(&text, writer->text->bytes, old.begin);
  text_add_bytes(&text, by->bytes, by->size);
  text_add_bytes(&text, writer->text->bytes + old.end, writer->text->size - old.end);
  *writer->text = text;
  size_t less = old.end - old.begin - by->size;
  for (int i = 0; i < writer->stretches.count; i++) {
    Stretch *stretch = &writer->stretches.items[i];
    bool is_gone = is_inside(stretch, &old);
    if (stretch->begin >= old.end) stretch->begin -= less;
    if (stretch->end >= old.end) stretch->end -= less;
    if (is_gone) stretch->begin = stretch->end = 0;
  }
}

void write_parts_of(ProgramWriter *program, FunctionWriter *writer, Name function) {
  while (count_lines(writer->text, 0, writer->text->size) > LONGEST_FUNCTION) {
    const Stretch *part = find_part(writer);
    if (!part) return;
    Text body, call;
    text_init(&body, program->arena);
    text_init(&call, program->arena);
    write_part_body(writer, part, &body);
    ParameterList parameters = parameters_of(writer, part, code_of(program->arena, body.bytes));
    Name name = write_part(program, writer, &parameters, &body, function);
    write_call_of(writer, &call, part->depth, name, &parameters);
    replace_stretch(writer, *part, &call);
  }
}
