/* Names taken by the tensors of a list, looked up in constant time; private to the builders. */
#ifndef NNC_EQUATIONS_NAME_TABLE_H
#define NNC_EQUATIONS_NAME_TABLE_H

#include "equations/equation.h"

typedef struct NameTable {
  Map taken;   /* from Name to the tensor that had it first */
  Map numbers; /* from Name to the last number tried behind it */
  int seen;    /* tensors of the list already entered */
} NameTable;

NameTable *name_table_new(Arena *arena);

#endif
