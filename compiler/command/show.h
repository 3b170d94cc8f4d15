/* `nnc show` and `nnc check --gradients`: what a model is, and whether its gradients are right. */
#ifndef NNC_COMMAND_SHOW_H
#define NNC_COMMAND_SHOW_H

#include "command/compilation.h"

/* Tables of every model: parameters with shapes and bytes, entry points with their operations and memory; or,
   with --explain memory, what lives in scratch. */
void show_models(const Compilation *compilation);

/* Compares each gradient with dual numbers and central differences on the interpreter, at small run-time
   sizes and random values; prints a table. EXIT_PROGRAM when one disagrees. */
int check_gradients(Compilation *compilation);

#endif
