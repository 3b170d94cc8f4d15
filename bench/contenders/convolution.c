/* oneDNN's convolution as a contender: convolution DATA WARMUPS STEPS. 3x3 windows over 64 channels of 32x32 places, to
   64 channels, in the layouts that oneDNN likes best: what is read and written is brought there before. By the
   interface of oneDNN 2. */
#include "measure.h"
#include "records.h"

#include <dnnl.h>

enum { CHANNELS = 64, SIZE = 32, RANK = 4 };

static const dnnl_dims_t image = {1, CHANNELS, SIZE, SIZE}, window = {CHANNELS, CHANNELS, 3, 3},
                         ones = {1, 1};

typedef struct Run {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_primitive_t convolution;
  dnnl_exec_arg_t arguments[3];
  float *x, *w, *y;
} Run;

static void check(dnnl_status_t status) {
  if (status != dnnl_success) stop_with("oneDNN", "a call failed");
}

static void take(void *context, const char *name, const void *data, size_t bytes) {
  Run *run = context;
  float *values = allocate(bytes, 64);
  memcpy(values, data, bytes);
  *(name[0] == 'x' ? &run->x : &run->w) = values;
}

static dnnl_memory_desc_t described(const dnnl_dims_t dims, dnnl_format_tag_t tag) {
  dnnl_memory_desc_t description;
  check(dnnl_memory_desc_init_by_tag(&description, RANK, dims, dnnl_f32, tag));
  return description;
}

static void copy(Run *run, dnnl_memory_t from, dnnl_memory_t to) {
  const dnnl_memory_desc_t *source, *target;
  check(dnnl_memory_get_memory_desc(from, &source));
  check(dnnl_memory_get_memory_desc(to, &target));
  dnnl_primitive_desc_t description;
  check(dnnl_reorder_primitive_desc_create(&description, source, run->engine, target, run->engine,
                                           NULL));
  dnnl_primitive_t reorder;
  check(dnnl_primitive_create(&reorder, description));
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
  check(dnnl_primitive_execute(reorder, run->stream, 2, arguments));
  check(dnnl_stream_wait(run->stream));
}

/* Memory in the layout of a formal of the primitive; filled when there are values in the language's order. */
static dnnl_memory_t memory_of(Run *run, const_dnnl_primitive_desc_t primitive, dnnl_query_t what,
                               const dnnl_dims_t dims, float *values) {
  dnnl_memory_t memory, plain;
  check(dnnl_memory_create(&memory, dnnl_primitive_desc_query_md(primitive, what, 0), run->engine,
                           DNNL_MEMORY_ALLOCATE));
  if (!values) return memory;
  dnnl_memory_desc_t order = described(dims, dnnl_nchw);
  check(dnnl_memory_create(&plain, &order, run->engine, values));
  copy(run, plain, memory);
  return memory;
}

static void prepare(Run *run) {
  check(dnnl_engine_create(&run->engine, dnnl_cpu, 0));
  check(dnnl_stream_create(&run->stream, run->engine, dnnl_stream_default_flags));
  dnnl_memory_desc_t x = described(image, dnnl_format_tag_any),
                     w = described(window, dnnl_format_tag_any);
  dnnl_convolution_desc_t convolution;
  check(dnnl_convolution_forward_desc_init(&convolution, dnnl_forward_inference,
                                           dnnl_convolution_auto, &x, &w, NULL, &x, ones, ones,
                                           ones));
  dnnl_primitive_desc_t primitive;
  check(dnnl_primitive_desc_create(&primitive, &convolution, NULL, run->engine, NULL));
  check(dnnl_primitive_create(&run->convolution, primitive));
  run->arguments[0] =
      (dnnl_exec_arg_t){DNNL_ARG_SRC, memory_of(run, primitive, dnnl_query_src_md, image, run->x)};
  run->arguments[1] = (dnnl_exec_arg_t){
      DNNL_ARG_WEIGHTS, memory_of(run, primitive, dnnl_query_weights_md, window, run->w)};
  run->arguments[2] =
      (dnnl_exec_arg_t){DNNL_ARG_DST, memory_of(run, primitive, dnnl_query_dst_md, image, NULL)};
}

static void step(void *context) {
  Run *run = context;
  check(dnnl_primitive_execute(run->convolution, run->stream, 3, run->arguments));
  check(dnnl_stream_wait(run->stream));
}

static double first_of_result(void *context) {
  Run *run = context;
  dnnl_memory_t plain;
  dnnl_memory_desc_t order = described(image, dnnl_nchw);
  check(dnnl_memory_create(&plain, &order, run->engine, run->y));
  copy(run, run->arguments[2].memory, plain);
  return (double)run->y[0];
}

int main(int count, char **arguments) {
  if (count != 4) return 2;
  static Run run;
  static float result[CHANNELS * SIZE * SIZE];
  run.y = result;
  read_records(arguments[1], take, &run);
  prepare(&run);
  measure(plan_of(arguments + 2), step, &run, first_of_result);
}
