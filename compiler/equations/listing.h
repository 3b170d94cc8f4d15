/* The lines of a model one at a time, each legal source, for texts that are more than the model. */
#ifndef NNC_EQUATIONS_LISTING_H
#define NNC_EQUATIONS_LISTING_H

#include "equations/equation.h"

/* What model_print has, line by line, without ends of lines, in the arena. Every equation is a line of its
   own here, whatever uses it, except that a draw and the equation that scales it are one: then the line
   of the draw is null. Tables stand before the model. */
typedef struct Listing Listing;
Listing *listing_new(Arena *arena, const Model *model, const Program *program);
const char *listing_declaration(Listing *listing, const Tensor *tensor);
const char *listing_equation(Listing *listing, const Equation *equation);
const char *listing_update(Listing *listing, const Update *update);
const char *listing_result(Listing *listing, const char *word, const Result *result);
const char *listing_loss(Listing *listing, const Tensor *loss);

#endif
