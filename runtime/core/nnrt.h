/* What every generated program offers to tools: error codes, and a table that describes a model.

   A generated model `digits` is one struct; sizeof(digits) is all the memory it uses. Its header
   declares `extern const nnrt_model digits_model`, from which a program that has never seen the model
   can size it, initialise it, run its entry points, read and write every tensor by name in the
   language's order, and save and load it:

     const nnrt_model *m = &digits_model;
     void *instance = aligned_alloc(m->alignment, m->size);
     m->init(instance, 42);
     int error = m->entries[0].call(instance, extents, inputs, outputs, &loss);
     if (error) puts(nnrt_error_text(error));

   Functions return NNRT_OK or one of the codes below; nothing aborts, prints or allocates. Models are
   plain data: several may live in one program, each used by one thread at a time. */
#ifndef NNRT_H
#define NNRT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(code, text). Appended to, never reordered: the numbers are part of the interface. */
#define NNRT_ERRORS(X)                                                                             \
  X(NNRT_OK, "no error")                                                                           \
  X(NNRT_E_EXTENT, "a run-time size is outside the range that the header states")                  \
  X(NNRT_E_INDEX, "a label or index is outside its range")                                         \
  X(NNRT_E_VALUE, "an argument has a value that is not allowed")                                   \
  X(NNRT_E_NOT_FINITE, "the loss is not finite; nothing was changed")                              \
  X(NNRT_E_INVALID, "the model is invalid until it is initialised or loaded")                      \
  X(NNRT_E_NAME, "no tensor, extent or hyper-parameter has this name")                             \
  X(NNRT_E_IO, "the read or write callback failed, or the file ends too early")                    \
  X(NNRT_E_FORMAT, "not a weight file this program would write; nothing was changed")              \
  X(NNRT_E_MODEL, "the weight file is of another model; nothing was changed")                      \
  X(NNRT_E_CHECKSUM, "the data of the weight file are damaged; the model is now invalid")          \
  X(NNRT_E_SELFTEST, "this compiler or its flags changed the arithmetic")

#define NNRT_ROW(code, text) code,
enum { NNRT_ERRORS(NNRT_ROW) NNRT_ERROR_COUNT };
#undef NNRT_ROW

/* A sentence without a full stop; never NULL. */
static inline const char *nnrt_error_text(int code) {
#define NNRT_ROW(code, text) text,
  static const char *const texts[] = {NNRT_ERRORS(NNRT_ROW)};
#undef NNRT_ROW
  return code >= 0 && code < NNRT_ERROR_COUNT ? texts[code] : "unknown error";
}

/* Types of elements: X(code, bytes, name in weight files). */
#define NNRT_TYPES(X)                                                                              \
  X(NNRT_F32, 4, "F32")                                                                            \
  X(NNRT_F64, 8, "F64")                                                                            \
  X(NNRT_I32, 4, "I32")                                                                            \
  X(NNRT_U8, 1, "U8")                                                                              \
  X(NNRT_I8, 1, "I8")

#define NNRT_ROW(code, bytes, name) code,
enum { NNRT_TYPES(NNRT_ROW) NNRT_TYPE_COUNT };
#undef NNRT_ROW

enum {
  NNRT_PARAM, /* learned; saved */
  NNRT_STATE, /* carried from step to step by the model; saved */
  NNRT_SLOT,  /* the optimizer's state of a parameter; saved */
  NNRT_INPUT, /* passed to a call, as are targets */
  NNRT_TARGET,
  NNRT_OUTPUT,      /* written by a call */
  NNRT_INTERMEDIATE /* readable after a call when the program keeps it */
};

enum { NNRT_MAX_RANK = 8 };

/* One tensor. Element (i, j, ...) of the language lies `place(0, i) + place(1, j) + ...` elements
   after `offset` bytes into the model, where place(axis, i) is i * stride[axis], or, for an axis with
   block[axis] > 0 (cut into panels): (i / block) * block_stride + (i % block) * stride.
   Inputs, targets and outputs are passed to calls densely, in the language's order, with the
   extents of the call, and have no offset. */
typedef struct nnrt_tensor {
  const char *name; /* as in the source, with its path: "encoder.W" */
  int kind, type, rank;
  int64_t shape[NNRT_MAX_RANK];  /* declared maxima; each at least 1 */
  int64_t stride[NNRT_MAX_RANK]; /* in elements */
  size_t offset;                 /* in bytes from the start of the model */
  const char *description;       /* the declaration in the source; may be NULL */
  int64_t block[NNRT_MAX_RANK], block_stride[NNRT_MAX_RANK];
} nnrt_tensor;

/* A named extent. A run-time one is given to each call; a fixed one is listed for readers. */
typedef struct nnrt_dim {
  const char *name;
  int64_t maximum;
  int is_runtime;
} nnrt_dim;

/* A hyper-parameter declared @runtime: a double in the model, saved and loaded with it. */
typedef struct nnrt_hyper {
  const char *name;
  size_t offset; /* in bytes from the start of the model */
  double initial;
} nnrt_hyper;

/* extents: one for each dim, in their order; those that are fixed are ignored.
   inputs, outputs: dense arrays in the order of the entry's lists; an output may be NULL.
   result: receives the loss or metric; may be NULL. */
typedef int (*nnrt_call)(void *model, const int64_t *extents, const void *const *inputs,
                         void *const *outputs, double *result);

typedef struct nnrt_entry {
  const char *name; /* "train_step", "infer", ... */
  nnrt_call call;
  const char *result; /* what *result receives, e.g. "loss"; NULL when nothing */
  int input_count, output_count;
  const int *inputs, *outputs; /* indices into the table of tensors */
} nnrt_entry;

/* Callbacks of save and load: all `size` bytes are written or read, and the result is 0; any other
   result stops the operation with NNRT_E_IO. */
typedef int (*nnrt_write)(void *context, const void *bytes, size_t size);
typedef int (*nnrt_read)(void *context, void *bytes, size_t size);

typedef struct nnrt_model {
  const char *name, *hash; /* hash: of all that decides the meaning and layout of a weight file */
  size_t size, alignment;  /* of the model struct, in bytes */
  size_t step, seed;       /* offsets of two uint64_t */
  size_t invalid;          /* offset of an int32_t: not 0 while the model holds no usable state */
  int tensor_count, dim_count, hyper_count, entry_count;
  const nnrt_tensor *tensors;
  const nnrt_dim *dims;
  const nnrt_hyper *hypers;
  const nnrt_entry *entries;
  /* Writes what axes of the tensor with that number have in a call with these extents, where they depend on
     them; NULL: none does. See nnrt_shape. */
  void (*shape)(int tensor, const int64_t *extents, int64_t *shape);
  int (*init)(void *model, uint64_t seed);
  void (*refresh)(
      void *model); /* after nnrt_set or nnrt_load: renews derived copies; may be NULL */
  int (*selftest)(void);
} nnrt_model;

/* The shape that the tensor with that number has in a call with these extents. */
void nnrt_shape(const nnrt_model *description, int tensor, const int64_t *extents, int64_t *shape);

/* Copies a tensor out of or into a model, densely, in the language's order, at its full shape. */
void nnrt_get(const nnrt_tensor *tensor, const void *model, void *dense);
void nnrt_set(const nnrt_tensor *tensor, void *model, const void *dense);

/* The tensor of that name kept in the model (a parameter, state or slot); NULL when there is none. */
const nnrt_tensor *nnrt_find(const nnrt_model *description, const char *name);

/* The same by name, of a parameter, state or slot, or of a @runtime hyper-parameter, which is one double.
   NNRT_OK or NNRT_E_NAME. */
int nnrt_get_named(const nnrt_model *description, const void *model, const char *name, void *dense);
int nnrt_set_named(const nnrt_model *description, void *model, const char *name, const void *dense);

/* Writes parameters, states, slots, @runtime hyper-parameters, step and seed in the layout described
   in tensorfile.c. NNRT_OK, NNRT_E_IO, or NNRT_E_INVALID before anything is written. */
int nnrt_save(const nnrt_model *description, const void *model, nnrt_write write, void *context);

/* Reads what nnrt_save wrote, and nothing behind it. NNRT_E_FORMAT, NNRT_E_MODEL, and NNRT_E_IO within
   the header leave the model as it was. NNRT_E_CHECKSUM, and NNRT_E_IO later on, leave it marked
   invalid: the stream is read once, so the old state is gone by then. */
int nnrt_load(const nnrt_model *description, void *model, nnrt_read read, void *context);

#ifdef __cplusplus
}
#endif

#endif
