/* What the function of a family of nests takes, and what its parameters are called. */
#include "emit/expression.h"
#include "loops/panels.h"
#include "loops/threads.h"

#include <string.h>

const Nest *first_member(const NestFamily *family) {
  return family->members.items[0];
}

/* ---- what it takes ---- */

static int position_of(const Nest *nest, const Tensor *tensor) {
  for (int i = 0; i < nest->tensors.count; i++) {
    if (nest->tensors.items[i] == tensor) return i;
  }
  bug("nest '%s' does not touch '%s'", nest->name, tensor->name);
}

static void note_once(Arena *arena, Positions *positions, int position) {
  for (int i = 0; i < positions->count; i++) {
    if (positions->items[i] == position) return;
  }
  APPEND(arena, positions, position);
}

static bool differs(const NestFamily *family, int position) {
  for (int i = 1; i < family->members.count; i++) {
    const Tensor *const *tensors = (const Tensor *const *)family->members.items[i]->tensors.items;
    if (tensors[position] != first_member(family)->tensors.items[position]) return true;
  }
  return false;
}

static bool differs_in_site(const NestFamily *family, int position) {
  for (int i = 1; i < family->members.count; i++) {
    const Tensor *tensor = family->members.items[i]->tensors.items[position];
    if (tensor->site != first_member(family)->tensors.items[position]->site) return true;
  }
  return false;
}

static void note_draw(Arena *arena, const Routine *routine, const NestFamily *family,
                      const Tensor *tensor, NestInterface *interface) {
  int position = position_of(first_member(family), tensor);
  interface->draws = true;
  interface->counts_samples |= counts_samples(routine, tensor);
  if (differs_in_site(family, position)) note_once(arena, &interface->sites, position);
}

static void note_tensor(Arena *arena, const Routine *routine, const NestFamily *family,
                        const Tensor *tensor, NestInterface *interface) {
  const Buffer *buffer = routine_buffer(routine, tensor);
  const Tensor *memory = memory_of(routine, tensor);
  int position = position_of(first_member(family), memory);
  bool by_value = memory->role == ROLE_HYPER || memory->role == ROLE_STEP;
  if (buffer->place == PLACE_DRAW) {
    note_draw(arena, routine, family, tensor, interface);
  } else if (buffer->place == PLACE_SCALAR && !differs(family, position)) {
    interface->scalars = true;
  } else if (by_value) {
    note_once(arena, &interface->values, position);
  } else if (buffer->place != PLACE_TABLE) {
    note_once(arena, &interface->arrays, position);
  }
}

static void note_stored_draws(Arena *arena, const Routine *routine, const NestFamily *family,
                              const LoopBody *body, NestInterface *interface) {
  for (int i = 0; i < body->count; i++) {
    const LoopNode *node = body->items[i];
    if (node->value && is_draw(node->value)) {
      note_draw(arena, routine, family, node->target, interface);
    }
    note_stored_draws(arena, routine, family, &node->body, interface);
  }
}

NestInterface nest_interface(Arena *arena, const Routine *routine, const NestFamily *family) {
  const Nest *nest = first_member(family);
  NestInterface interface = {0};
  interface.watches = body_has_marks(&nest->body, MARK_WATCH);
  note_stored_draws(arena, routine, family, &nest->body, &interface);
  for (int i = 0; i < nest->reads.count; i++) {
    note_tensor(arena, routine, family, nest->reads.items[i], &interface);
  }
  for (int i = 0; i < nest->writes.count; i++) {
    note_tensor(arena, routine, family, nest->writes.items[i], &interface);
  }
  return interface;
}

/* ---- what things are called ---- */

enum { MOST_PARTS = 64 };

typedef struct Parts { /* of a name, between its dots */
  const char *begins[MOST_PARTS];
  int lengths[MOST_PARTS];
  int count;
} Parts;

static Parts parts_of(Name name) {
  Parts parts = {0};
  while (parts.count < MOST_PARTS) {
    int length = parts.count + 1 < MOST_PARTS ? (int)strcspn(name, ".") : (int)strlen(name);
    parts.begins[parts.count] = name;
    parts.lengths[parts.count++] = length;
    if (name[length] == '\0') break;
    name += length + 1;
  }
  return parts;
}

static bool same_part(const Parts *a, int at, const Parts *b, int other) {
  return a->lengths[at] == b->lengths[other] &&
         memcmp(a->begins[at], b->begins[other], (size_t)a->lengths[at]) == 0;
}

/* Parts of `kept` that `name` has at the same place, counted from the begin or, when they are not of one
   length, from the begin for those in front and from the end for the others. */
static void keep_common(const Parts *first, bool *kept, Name name) {
  Parts other = parts_of(name);
  int count = first->count, prefix = 0, suffix = 0;
  int shorter = count < other.count ? count : other.count;
  while (prefix < shorter && same_part(first, prefix, &other, prefix)) prefix++;
  while (suffix < shorter - prefix &&
         same_part(first, count - 1 - suffix, &other, other.count - 1 - suffix)) {
    suffix++;
  }
  for (int i = 0; i < count; i++) {
    kept[i] = kept[i] && (other.count == count ? same_part(first, i, &other, i)
                                               : i < prefix || i >= count - suffix);
  }
}

Name common_name(Names *names, const Name *all, int count, const char *word) {
  Parts first = parts_of(all[0]);
  bool kept[MOST_PARTS];
  for (int i = 0; i < first.count; i++) kept[i] = true;
  for (int i = 1; i < count; i++) keep_common(&first, kept, all[i]);
  Name name = name_of(names, "");
  for (int i = 0; i < first.count; i++) {
    if (!kept[i]) continue;
    name =
        name_format(names, "%s%s%.*s", name, *name ? "." : "", first.lengths[i], first.begins[i]);
  }
  if (kept[first.count - 1]) return name;
  return name_format(names, "%s%s%s", name, *name ? "." : "", word);
}

static Name name_of_tensors(Arena *arena, Names *names, const NestFamily *family, int position) {
  int count = family->members.count;
  Name *all = NEW_ARRAY(arena, Name, count);
  for (int i = 0; i < count; i++) all[i] = family->members.items[i]->tensors.items[position]->name;
  bool trained = first_member(family)->tensors.items[position]->role == ROLE_PARAM;
  const char *word = trained ? "param" : "value";
  Name name = common_name(names, all, count, word);
  bool nothing = strcmp(name, word) == 0; /* the first layer may read what is no layer's */
  return nothing && count > 2 ? common_name(names, all + 1, count - 1, word) : name;
}

/* Tables and scalars that do not differ keep their names outside; draws have none. */
static void name_tensor(FunctionWriter *writer, const NestFamily *family, int position) {
  const Tensor *tensor = first_member(family)->tensors.items[position];
  const Buffer *buffer = map_get(&writer->routine->buffers, tensor);
  PlaceKind place = buffer ? buffer->place : PLACE_MODEL;
  bool by_address = place == PLACE_SCALAR && differs(family, position);
  if (place == PLACE_TABLE || place == PLACE_DRAW || (place == PLACE_SCALAR && !by_address)) return;
  scope_rename(&writer->scope, tensor,
               name_of_tensors(writer->arena, writer->scope.names, family, position));
  if (by_address) map_put(&writer->by_address, tensor, (void *)tensor);
}

void name_common(FunctionWriter *writer, const NestFamily *family, const NestInterface *interface) {
  if (family->members.count == 1) return;
  Names *names = writer->scope.names;
  const TensorList *tensors = &first_member(family)->tensors;
  for (int i = 0; i < tensors->count; i++) name_tensor(writer, family, i);
  for (int i = 0; i < interface->sites.count; i++) {
    int position = interface->sites.items[i];
    Name name = name_of_tensors(writer->arena, names, family, position);
    name = scope_fresh(&writer->scope, name_format(names, "%s.site", name));
    map_put(&writer->sites, tensors->items[position], (void *)name);
  }
}

/* ---- how it declares that ---- */

static bool writes_memory(const Routine *routine, const Nest *nest, const Tensor *memory) {
  for (int i = 0; i < nest->writes.count; i++) {
    if (memory_of(routine, nest->writes.items[i]) == memory) return true;
  }
  return false;
}

/* " /_* [64][128] *_/" */
static const char *shape_of(FunctionWriter *writer, const Tensor *memory) {
  const Routine *routine = writer->routine;
  const Buffer *buffer = map_get(&routine->buffers, memory);
  Text text;
  if (memory->rank == 0) return "";
  text_init(&text, writer->arena);
  const Panels *panels = routine_panels(routine, memory);
  text_add(&text, " /* ");
  if (panels) {
    text_add(&text, "[");
    panels_print(memory, panels, "][", &text);
    text_add(&text, "] */");
    return text.bytes;
  }
  for (int level = 0; level < memory->rank; level++) {
    int dim = routine_dim_at(routine, memory, level);
    int64_t stride;
    bool shrunk = buffer && extent_is_constant(buffer->strides[dim], &stride) && stride == 0;
    bool is_ring = buffer && buffer->ring_steps > 0 && buffer->ring_dim == dim;
    if (shrunk) continue;
    text_add(&text, "[%s]",
             is_ring ? arena_format(writer->arena, "%lld", (long long)buffer->ring_steps)
                     : extent_text(writer, memory->axes[dim].extent, LEVEL_ANY));
  }
  text_add(&text, " */");
  return text.bytes;
}

static void note_array(FunctionWriter *writer, const Nest *nest, const Tensor *memory) {
  const Routine *routine = writer->routine;
  const char *type = arena_format(writer->arena, "%s%s *restrict ",
                                  writes_memory(routine, nest, memory) ? "" : "const ",
                                  element_type_name(routine, memory));
  Name name = scope_name(&writer->scope, memory, memory->name);
  note_parameter(writer, type, name, shape_of(writer, memory));
}

static void note_draw_parameters(FunctionWriter *writer, const NestInterface *interface) {
  Names *names = writer->scope.names;
  const TensorList *tensors = &first_member(writer->family)->tensors;
  if (interface->counts_samples)
    note_parameter(writer, "int64_t ", name_of(names, "first_sample"), "");
  if (!interface->draws) return;
  note_parameter(writer, "uint64_t ", name_of(names, "seed"), "");
  note_parameter(writer, "uint64_t ", name_of(names, "step_number"), "");
  for (int i = 0; i < interface->sites.count; i++) {
    const Tensor *drawn = tensors->items[interface->sites.items[i]];
    note_parameter(writer, "uint32_t ", map_get(&writer->sites, drawn), "");
  }
}

void note_parameters(FunctionWriter *writer, const NestInterface *interface) {
  const Nest *nest = first_member(writer->family);
  Names *names = writer->scope.names;
  for (int i = 0; i < nest->dims.count; i++) {
    const Dim *dim = nest->dims.items[i];
    note_parameter(writer, "int64_t ", scope_name(&writer->scope, dim, dim->name), "");
  }
  note_draw_parameters(writer, interface);
  if (interface->scalars)
    note_parameter(writer, arena_format(writer->arena, "%s *restrict ", writer->scalars_type),
                   name_of(names, "s"), "");
  if (interface->watches)
    note_parameter(writer, "int32_t *restrict ", name_of(names, "invalid"), "");
  for (int i = 0; i < interface->values.count; i++) {
    const Tensor *value = nest->tensors.items[interface->values.items[i]];
    note_parameter(writer, "double ", scope_name(&writer->scope, value, value->name), "");
  }
  for (int i = 0; i < interface->arrays.count; i++)
    note_array(writer, nest, nest->tensors.items[interface->arrays.items[i]]);
}
