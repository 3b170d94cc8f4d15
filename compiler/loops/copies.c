/* Copies of a layer: two applications are compared from where their callers are the same. */
#include "loops/copies.h"

static int depth_of(const Instance *instance) {
  int depth = 0;
  for (; instance; instance = instance->caller) depth++;
  return depth;
}

bool are_in_copies(const Instance *inner, const Instance *other) {
  const Instance *a = inner, *b = other;
  int more = depth_of(a) - depth_of(b);
  for (; more > 0; more--) a = a->caller;
  for (; more < 0; more++) b = b->caller;
  if (a == b) return false;
  while (a->caller != b->caller) {
    a = a->caller;
    b = b->caller;
  }
  bool one_call = a->call.begin == b->call.begin && a->call.end == b->call.end;
  return a->definition == b->definition && (one_call || (a != inner && b != other));
}
