/* Loops: everything about the machine happens here.

   A Routine is one entry point of the generated program (train_step, infer, ...); it runs Nests in order; a nest
   is a cluster of equations that share loops, and becomes one static C function; nests that are alike become one
   together. Inside a nest stand five kinds of node: a counted loop, a branch, the declaration of a local variable,
   a store, and the wish that a cache had a line. Expressions stay those of the equations: a local variable is a
   tensor placed in a register, so a read is a read wherever the tensor lives, and `Buffer` tells where that is.

   What later passes add (tiles, packing, register blocks, threads, vectors) are marks and steps on loops
   and further local tensors: no new kind of node. */
#ifndef NNC_LOOPS_LOOP_H
#define NNC_LOOPS_LOOP_H

#include "calculus/condition.h"
#include "equations/equation.h"
#include "loops/pressure.h"
#include "loops/target.h"

typedef enum {
  LOOP_FOR, /* index from begin to end - 1 by step, or back: body */
  LOOP_IF,  /* condition: body */
  LOOP_DECLARE, /* a local tensor (a scalar, or a few lanes), each element set to value (null: not set) */
  LOOP_STORE, /* target[subscripts] = value, or combined with what is there */
  LOOP_FETCH  /* the line of a cache where the value lies, a read, will be needed soon */
} LoopKind;

enum {                    /* marks of a LOOP_FOR */
       MARK_VECTOR = 1,   /* iterations are independent and stride 1: may run in vector lanes */
       MARK_PARALLEL = 2, /* iterations are independent and divided among threads */
       MARK_UNROLL = 4,   /* a few iterations, known count */
       MARK_STRIP = 8,    /* the steps of one segment of a recurrence */
       MARK_DOWN = 16,    /* from the last iteration to the first */
       MARK_TILE = 32,    /* over the elements of a tile, for an epilogue: no other shares it */
       MARK_WINDOW = 64,  /* over the few points of a reduction, in one along memory: cases.c */
       MARK_SQUARE =
           1024, /* of a copy: of as many rows and columns as it has lanes, which it turns: squares.c */
       MARK_DRAWS = 512, /* stores random numbers that lie side by side, each as it is: draws.c */
       /* of a LOOP_STORE: what it stores is tested, and the step says when it is not finite */
       MARK_WATCH = 2048,
       /* of a LOOP_DECLARE: elements are stored under a condition, and read under another that holds later only */
       MARK_UNSET = 4096,
       /* of any node, and of a whole nest (see threads.h) */
       MARK_WAIT = 128, /* not before all threads are there */
       MARK_FIRST = 256 /* by the first thread alone; the others go on */
};

typedef struct LoopNode LoopNode;
typedef struct LoopBody {
  LoopNode **items;
  int count, capacity;
} LoopBody;

struct LoopNode {
  LoopKind kind;
  /* FOR */
  const Index *index;
  const Expr *begin, *end; /* whole numbers over outer indices and run-time sizes */
  int64_t step;            /* > 0 */
  unsigned marks;
  int64_t
      grain; /* MARK_PARALLEL: elements dealt out together, see nnrt_part_of; 0: OpenMP deals them out */
  int64_t
      lanes; /* of vectors that take the iterations, which they divide; 0: left to the C compiler */
  /* A loop over segments of a recurrence: so many steps in each (0: no such loop), the first of them. */
  int64_t segment;
  const Expr *start;
  /* IF */
  const Expr *condition;
  /* FOR, IF */
  LoopBody body;
  /* DECLARE, STORE; where the last tile of a loop with a grain begins earlier it does so in what a thread has, and its
     declaration has the loop's grain and end. */
  const Tensor *target;
  const Expr *const *subscripts; /* STORE: one per dim of the target */
  int64_t from_row,
      to_row; /* MARK_SQUARE: elements between rows of what is read, and of the target */
  /* STORE: REDUCE_NONE assigns; SUM, PROD, MAX, MIN, ANY, ALL combine the old element (left operand) with
     the value; others do not occur. */
  Reduction combine;
  const Expr *value;
  /* The equation this node begins, for the comment above it; null inside. */
  const Equation *equation;
};

/* Where a tensor lives while a routine runs. */
typedef enum {
  PLACE_MODEL, /* a field of the model's struct: parameter, state, slot, hyper-parameter, step; strides
                     by the maxima */
  PLACE_ARGUMENT, /* the caller's array, dense in the actual extents */
  PLACE_TABLE,    /* a constant table in the C file */
  PLACE_DRAW, /* nowhere: a read computes the random number from its coordinates (draw_strides); masks are
                     never stored */
  PLACE_ARENA, /* scratch inside the struct, `offset` bytes from its start; strides by the maxima */
  PLACE_REGISTER, /* a local variable of the nest */
  PLACE_SCALAR /* rank 0, computed in one nest and read in others: a local variable of the routine,
                     handed to nests by value (by address where it is set) */
} PlaceKind;

typedef struct Buffer {
  const Tensor *tensor;
  PlaceKind place;
  int64_t offset, bytes; /* ARENA */
  int64_t lanes;         /* REGISTER: the last dim is held in vectors of so many; 0: it is not */
  /* Element stride of each dim of the tensor; 0 for a dim that shrank away because all uses share its loop. */
  const Extent *strides[LIMIT_RANK];
  /* ARENA: of this dim only so many steps are stored, step t at t % ring_steps; 0: all of each. */
  int ring_dim;
  int64_t ring_steps;
  int first, last;      /* its lifetime, in nests */
  const Tensor *shares; /* not null: lives in that tensor's memory (an update in place) */
} Buffer;

/* How a tensor that is kept from call to call lies where that is not row by row: in panels of so many of its columns, the
   numbers of its last dim. Panels are counted by one dim more, of number `rank`. */
typedef struct Panels {
  int64_t width; /* of a panel; all columns: there is one panel */
  int order
      [LIMIT_RANK]; /* of these rank + 1 dims, as they lie in memory, outermost first; the last are columns */
} Panels;

typedef enum {
  ROUTINE_INIT,
  ROUTINE_TRAIN,
  ROUTINE_ACCUMULATE,
  ROUTINE_APPLY,
  ROUTINE_EVAL,
  ROUTINE_INFER
} RoutineKind;

typedef struct Nest Nest;
typedef struct NestList {
  Nest **items;
  int count, capacity;
} NestList;

/* Nests that differ in nothing but the tensors they touch: one C function, written for the first. */
typedef struct NestFamily {
  NestList members; /* in order of calls */
} NestFamily;

/* Why an equation shares no more loops with others. */
typedef enum {
#define PARTING(name, reason) PARTING_##name,
#include "loops/partings.def"
#undef PARTING
  PARTING_COUNT
} Parting;

/* What fusion decided of an equation, for `--explain fusion`. */
typedef struct Fusion {
  const Equation *equation; /* of the program */
  const Nest *producer;     /* the last that computes what it reads; null: none does */
  const Tensor *read;       /* from there; what stands in the way where something does */
  const Index *
      *shared; /* the loops it shares with equations before it in its nest, outermost first */
  int shared_count;
  Parting parting; /* from the producer, or from the loops inside those shared */
} Fusion;

struct Nest {
  Name name;      /* of the tensor it is about; unique in the routine */
  unsigned marks; /* MARK_WAIT, MARK_FIRST */
  LoopBody body;
  EquationList equations;  /* of the program, that it computes, in order; */
  EquationList inlined;    /* and those computed where they are read, here first */
  LIST_OF(Fusion) fusions; /* of each of `equations` but those of an epilogue */
  /* Tensors outside registers that it touches, each once, in order of id. */
  TensorList reads, writes;
  DimList dims; /* run-time sizes it needs */
  /* What corresponds to what in the nests of a family: every tensor, those in registers and those whose
     memory another shares included, in order of first occurrence; the equations that nodes begin. */
  TensorList tensors;
  EquationList begun;
  NestFamily *family;
};

/* Nests [begin, begin + copies*period), in which each stands for the one a period before it: calls that
   become one loop. Corresponding nests are of one family, and corresponding arrays of one kind of place. */
typedef struct Repetition {
  int begin, period, copies;
} Repetition;
typedef struct RepetitionList {
  Repetition *items;
  int count, capacity;
} RepetitionList;

/* An equation of a cycle: the group steps along one axis together, in one direction. */
typedef struct RecurrentEquation {
  int group;         /* equations of one group stand side by side in routine->equations */
  const Index *time; /* the variable of the equation that counts the steps */
  int time_dim;      /* the dim of the target it addresses */
  int direction;     /* +1: reads earlier steps, -1: later ones */
} RecurrentEquation;

/* What runs segment by segment: one loop takes so many steps of a recurrence at a time through all equations. */
typedef struct Segments {
  int64_t steps;       /* in each; the last may have fewer */
  const Extent *time;  /* steps in all */
  int direction;       /* +1: from the first segment to the last */
  const Index *number; /* of a segment: its range is how many there are */
} Segments;

typedef struct SegmentedEquation {
  const Segments *segments; /* equations of the same stand side by side in routine->equations */
  const Index *time; /* the variable of the equation that counts the steps, or is reduced; null: */
  const Index *number; /* it has a variable that counts segments; else that of the segments */
  bool is_mirrored;    /* `time` counts from the last step, as in sum[t](x[T-1-t]) */
} SegmentedEquation;

typedef struct Routine {
  RoutineKind kind;
  Model *model;
  Program *program;
  const Step *step; /* TRAIN, ACCUMULATE, APPLY */
  EquationList
      equations; /* to compute, in order; routine_inline takes out those computed where read */
  EquationList inlined; /* the ones taken out: for the comments */
  Map recurrences; /* target Tensor * -> RecurrentEquation *; those not there are in no cycle */
  Map carried; /* target Tensor * of a sum -> the RecurrentEquation * along whose steps it is added up */
  Map segments; /* target Tensor * -> SegmentedEquation * */
  Map sources;  /* rewritten Equation * -> the one of the program it stands for */
  Map made;     /* Tensor * that no program has: kept for segments, or a factor transposed */
  Map orders; /* Tensor * -> int[rank]: its dims as they lie in memory, outermost first, where that is not as they
                      are named; the last is the last */
  Map epilogues; /* target Tensor * of a product -> Epilogue *, see epilogue.h */
  Map panels;    /* Tensor *, kept from call to call -> Panels *; those not there lie row by row */
  Map watched;   /* Tensor *, a parameter that is tested where it is stored -> itself */
  /* The first so many equations are all that the loss needs; of INIT, that draw matrices to be made orthogonal. */
  int forward_count;
  NestList nests;
  int64_t bytes_of_real; /* 4 or 8 */
  const Target *target;
  const Pressure *pressure;
  int64_t least_batch; /* with as many samples it is worth several threads; 0: never */
  /* After this many nests the loss is known and nothing outside scratch has changed: where a loss that is
     not finite stops the call. 0 when there is no loss. Of INIT: so many draw matrices, which are then made
     orthogonal, before anything reads them. */
  int nests_before_commit;
  /* After this many nests all gradients of the step are stored and nothing has been updated: where one that
     is not finite stops the call. 0 when updates are made as the gradients come. */
  int nests_before_updates;
  /* `target := value` to commit, at the end or in place. */
  UpdateList updates;
  double changed_numbers; /* in their targets: parameters, states and slots */
  Map roots; /* Tensor *, what the routine must leave behind: values of updates, loss, metrics, outputs -> itself */
  Map buffers;                    /* Tensor * -> Buffer * */
  LIST_OF(NestFamily *) families; /* in order of their first calls */
  RepetitionList
      repetitions; /* in order; each within one of the stages that those two numbers make */
  int64_t arena_bytes;
  int64_t live_bytes; /* of the arena that nest `fullest_nest` needs at once: no plan has fewer */
  int fullest_nest;
  TensorList arguments; /* inputs and targets it needs, in order of declaration */
} Routine;

/* routine.c: what an entry point computes. `step` null but for training kinds. */
Routine *routine_new(Model *model, RoutineKind kind, const Step *step);

Tensor *routine_loss(const Routine *routine);                        /* null: it has none */
bool routine_computes(const Routine *routine, const Tensor *tensor); /* by one of its equations */
int routine_updates_begin(const Routine *routine); /* the first nest of its last stage */

/* reads.c: the READ expressions in an equation's body and guard, each once, in order of creation. */
ExprList equation_reads(Arena *arena, const Equation *equation);
/* Its target or something it reads is a key of the map. */
bool equation_touches(Arena *scratch, const Equation *equation, const Map *tensors);

/* Tensor * -> the place in the list of the equation that defines it, for equation_position: -1 where there is none. */
Map equation_places(Arena *arena, const EquationList *equations);
int equation_position(const EquationList *equations, const Map *places, const Tensor *tensor);

/* In a list of equations, rising. */
typedef LIST_OF(int) PositionList;
/* Tensor * -> PositionList *: of the equations that read it, each once; null: none. */
Map equation_readers(Arena *arena, const EquationList *equations);

/* The equation of the program that a rewritten one stands for (itself when it was not rewritten). */
Equation *equation_source(const Routine *routine, Equation *equation);
/* Points an equation visits, at the maxima of run-time dims. */
double equation_volume(const Equation *equation);
/* Numbers in a tensor, at the same. */
double tensor_volume(const Tensor *tensor);

/* The passes, in order; each is one file. */
void routine_order(
    Routine *routine); /* order.c: equations sorted; cycles without a time axis: NN0601 */
void routine_segment(
    Routine
        *routine); /* segment.c: scans with checkpoints run in segments, twice for the gradient */
void routine_recompute(Routine *routine); /* recompute.c: values of the forward part not kept */
void routine_inline(
    Routine *routine); /* inline.c: cheap or single-use pointwise equations into readers */
void routine_fill(Routine *routine);  /* fill.c: rows are whole rounds of lanes */
void routine_carry(Routine *routine); /* carry.c: what takes a recurrence's steps goes with it */
void routine_pad(Routine *routine);   /* pad.c: windows slide over copies with zeros around */
void routine_widen(Routine *routine); /* widen.c: products that fill vectors badly */
void routine_turn(Routine *routine);  /* turn.c: targets with a narrow last variable */
void routine_flip(Routine *routine);  /* flip.c: rows that are reduced lie side by side */
void routine_transpose(Routine *routine); /* transpose.c: factors lie along their inner loop */
void routine_panel(Routine *routine);     /* panel.c: factors lie in panels as wide as a tile */
void routine_strip(Routine *routine);     /* strips.c: other factors lie in strips of rows */
void routine_rearrange(Routine *routine); /* rearrange.c: values lie as the copies of them would */
/* store.c: of all entry points of a model: parameters and what is kept for them lie in panels. */
void routines_store(Routine *const *routines, int count);
void routine_join(Routine *routine); /* epilogue.c: pointwise readers behind products */
/* fuse.c: clusters that share loops -> nests of loop nodes; without `shares` every equation has a nest of
   its own, but for those of one recurrence, which share their time loop. */
void routine_fuse(Routine *routine, bool shares);
void routine_split(Routine *routine);        /* cases.c: short loops that ask for their index */
void routine_reside(Routine *routine);       /* reside.c: parts are stored where they belong */
void routine_compute_once(Routine *routine); /* once.c: what statements of an iteration share */
void routine_divide(Routine *routine);       /* threads.c: loops whose iterations run in threads */
void routine_draw(Routine *routine);         /* draws.c: random numbers of a row before its loop */
void routine_place(Routine *routine); /* place.c: registers, rows, arena offsets by liveness */
/* unswitch.c: conditions that loops do not change; false: there are none. */
bool routine_unswitch(Routine *routine);
void routine_square(Routine *routine); /* squares.c: copies that turn rows into columns */
void routine_stride(Routine *routine); /* stride.c: every other element is read by vectors */
void routine_watch(Routine *routine); /* watch.c: new parameters are tested where they are stored */
void routine_meet(Routine *routine);  /* meet.c: where threads wait for each other */

/* describe.c: names of nests and what each touches, for the emitter. */
void routine_describe(Routine *routine);
/* What of `0 <= subscript < extent` is to be asked before the read; neither: it is in range. */
RangeCondition read_range(const Routine *routine, Arena *scratch, const Expr *read, int dim);
/* alike.c: families of nests that are alike; of one nest each when they do not share. */
void routine_group(Routine *routine, bool shares);
void routine_roll(Routine *routine); /* roll.c: repetitions in the sequence of nests */

/* null: it lies row by row, or in scratch */
const Panels *routine_panels(const Routine *routine, const Tensor *tensor);
/* The dim that lies in memory at that level, 0: outermost. */
int routine_dim_at(const Routine *routine, const Tensor *tensor, int level);
bool buffer_has_elements(const Buffer *buffer); /* some dim has room for more than one */
const Buffer *routine_buffer(const Routine *routine,
                             const Tensor *tensor); /* never null for a used tensor */
/* The tensor whose memory a tensor lives in: itself, or the one it is written in place of. */
const Tensor *memory_of(const Routine *routine, const Tensor *tensor);

void routine_print(const Routine *routine, Text *text); /* the dump of loops */
const char *routine_verify(const Routine *routine, Arena *arena);

#endif
