/* Where members of a struct lie: known without a compiler as far as all between two of them have one size.

   Members are counted in runs of one element size that begin at a multiple of some alignment, which none within
   exceeds, so that distances are the same under every ABI. */
#include "emit/program.h"

int64_t member_bytes(const Routine *routine, const Tensor *tensor) {
  bool callers = tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET;
  if (callers) bug("'%s' is no member", tensor->name);
  switch (tensor->type) {
  case TYPE_BOOL: return 1;
  case TYPE_INT: return 4;
  case TYPE_NUMBER:
  case TYPE_F64: return 8;
  case TYPE_REAL: return routine->bytes_of_real;
  }
  return 8;
}

int64_t member_alignment(const Routine *routine, const Tensor *tensor) {
  return array_alignment(routine, member_bytes(routine, tensor), tensor_elements(tensor));
}

void places_open(MemberPlaces *places, Arena *arena) {
  *places = (MemberPlaces){.arena = arena};
  map_init(&places->by_tensor, arena);
}

void places_add(MemberPlaces *places, const Routine *routine, const Tensor *tensor) {
  int64_t bytes = member_bytes(routine, tensor), alignment = member_alignment(routine, tensor);
  if (bytes != places->last_bytes || alignment > places->alignment) {
    places->run++;
    places->offset = 0;
    places->alignment = alignment;
  }
  places->last_bytes = bytes;
  places->offset = (places->offset + alignment - 1) / alignment * alignment;
  MemberPlace *place = NEW(places->arena, MemberPlace);
  *place = (MemberPlace){places->run, places->offset};
  map_put(&places->by_tensor, tensor, place);
  places->offset += bytes * tensor_elements(tensor);
}
