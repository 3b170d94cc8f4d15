/* The trainer: one `train` block being turned into a Step.

   An optimizer acts on every element of every trained parameter. Its statements are elaborated in
   order, each for all parameters before the next one begins, so that a total(..) sees what the
   statements before it made of every parameter. What a name stands for at that point is kept in a
   frame for each parameter: `w`, `g`, the states and the local names are rebound by each statement,
   which is how a read after `:=` sees the new value. Hyper-parameters are bound in the same frame,
   so what a group says is nothing but another value there. The work is linear in parameters times
   statements. */
#ifndef NNC_ELABORATE_TRAINER_H
#define NNC_ELABORATE_TRAINER_H

#include "elaborate/scope.h"

/* `state m = 0` of the optimizer at work, for one parameter. */
typedef struct Slot {
  Name name;
  Tensor *tensor;
} Slot;

/* A parameter that the block trains. */
typedef struct Trainee {
  Tensor *parameter;
  Frame *frame; /* of the optimizer at work, or of its branch that is */
  Value w, g; /* TENSOR values after the optimizers of the chain so far; g: at first the gradient */
  LIST_OF(Slot) slots;
} Trainee;
typedef struct TraineeList {
  Trainee **items;
  int count, capacity;
} TraineeList;

/* `wd = 0` of a group. */
typedef struct Option {
  const Node *selectors; /* LIST */
  Name name;
  Value value;
  Span span;
  bool known; /* to one of the optimizers */
} Option;

/* A total(..) computed in the statement at work. */
typedef struct Total {
  const Node *node;
  const Frame *frame; /* of the pointwise definition it stands in; null: in the statement itself */
  int moment;
  Value value;
} Total;

typedef struct Trainer {
  Elaborator *e;
  Frame *model; /* of the training program */
  Step *step;
  TraineeList trainees;
  LIST_OF(Option) options; /* of all groups, in source order */
  LIST_OF(Total) totals;
  int moment;     /* counts the statements of optimizers */
  Map slot_names; /* of all blocks of the model: a path -> the tensor, once taken */
  Map stand_ins;  /* of all blocks: a parameter -> its slot with @eval */
} Trainer;

/* optimizers.c: applies a chain `a(..) |> b(..)`; updates of parameters and slots go to the
   step. */
void optimizer_apply(Trainer *trainer, const Node *chain);
/* The value of a hyper-parameter: known, or a scalar of `step` and other hyper-parameters, computed
   in double in a tensor of its own. NN0209 and poison for anything else. */
Value hyper_value(const Context *c, Value value, Span span);

/* optimizer_run.c: runs a block of an optimizer for these trainees; its names are left in their
   frames. */
void optimizer_run(Trainer *trainer, const Node *block, const TraineeList *trainees);
Slot *slot_find(const Trainee *trainee, Name name); /* null when the optimizer has no such state */

/* stand_ins.c: the program outside training reads these slots in place of their parameters. */
void stand_ins_read(Model *model, const Map *stand_ins);

/* totals.c: a number for every element of `like`: a value with its dims, or a scalar. */
Value value_filled(const Context *c, Value value, const Tensor *like, Span span);

#endif
