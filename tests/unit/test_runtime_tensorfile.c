/* Weight files of a small model with every kind of tensor, type and layout: round trip, the exact
   bytes, and refusal of everything that was not written by nnrt_save. */
#include <criterion/criterion.h>
#include <string.h>

#include "nnrt.h"

/* W [3, 2] lies transposed in panels of 2 rows: element (i, j) at (i / 2) 4 + j 2 + i % 2. */
typedef struct Small {
  uint64_t step, seed;
  int32_t invalid;
  double rate;
  float W[8];
  double m[3];
  int32_t count;
  int8_t signs[2];
  uint8_t mask[5];
  float kept;
} Small;

static const nnrt_tensor tensors[] = {
    {.name = "W",
     .kind = NNRT_PARAM,
     .type = NNRT_F32,
     .rank = 2,
     .shape = {3, 2},
     .stride = {1, 2},
     .offset = offsetof(Small, W),
     .block = {2},
     .block_stride = {4}},
    {.name = "y", .kind = NNRT_OUTPUT, .type = NNRT_F32, .rank = 1, .shape = {7}, .stride = {1}},
    {.name = "W.m",
     .kind = NNRT_SLOT,
     .type = NNRT_F64,
     .rank = 1,
     .shape = {3},
     .stride = {1},
     .offset = offsetof(Small, m)},
    {.name = "count", .kind = NNRT_STATE, .type = NNRT_I32, .offset = offsetof(Small, count)},
    {.name = "signs",
     .kind = NNRT_STATE,
     .type = NNRT_I8,
     .rank = 1,
     .shape = {2},
     .stride = {1},
     .offset = offsetof(Small, signs)},
    {.name = "mask",
     .kind = NNRT_STATE,
     .type = NNRT_U8,
     .rank = 2,
     .shape = {1, 3},
     .stride = {3, 2},
     .offset = offsetof(Small, mask)},
};
static const nnrt_hyper hypers[] = {{"rate", offsetof(Small, rate), 0.5}};

static nnrt_model small_model(void) {
  return (nnrt_model){.name = "small",
                      .hash = "00c0ffee",
                      .size = sizeof(Small),
                      .step = offsetof(Small, step),
                      .seed = offsetof(Small, seed),
                      .invalid = offsetof(Small, invalid),
                      .tensor_count = 6,
                      .hyper_count = 1,
                      .tensors = tensors,
                      .hypers = hypers};
}

static Small filled(void) {
  Small model;
  memset(&model, 0, sizeof model);
  model.step = UINT64_MAX;
  model.seed = 42;
  model.rate = 0.1;
  for (int i = 0; i < 8; ++i) model.W[i] = (float)i;
  for (int i = 0; i < 3; ++i) model.m[i] = -1.0 / (i + 1);
  model.count = -5;
  model.signs[1] = -1;
  for (int i = 0; i < 5; ++i) model.mask[i] = (uint8_t)(10 * i);
  model.kept = 3;
  return model;
}

typedef struct File {
  unsigned char bytes[4096];
  size_t size, place;
} File;

static int write_bytes(void *context, const void *bytes, size_t size) {
  File *file = context;
  if (file->size + size > sizeof file->bytes) return 1;
  memcpy(file->bytes + file->size, bytes, size);
  file->size += size;
  return 0;
}

static int read_bytes(void *context, void *bytes, size_t size) {
  File *file = context;
  if (file->place + size > file->size) return 1;
  memcpy(bytes, file->bytes + file->place, size);
  file->place += size;
  return 0;
}

static File saved(void) {
  nnrt_model description = small_model();
  Small model = filled();
  File file = {.size = 0};
  cr_assert_eq(nnrt_save(&description, &model, write_bytes, &file), NNRT_OK);
  return file;
}

static int load(File *file, Small *model) {
  nnrt_model description = small_model();
  file->place = 0;
  return nnrt_load(&description, model, read_bytes, file);
}

static size_t header_size(const File *file) {
  return 8 + (size_t)file->bytes[0] + 256 * (size_t)file->bytes[1];
}

Test(runtime_tensorfile, what_is_saved_is_loaded) {
  File file = saved();
  Small model, want = filled();
  memset(&model, 0, sizeof model);
  model.invalid = 1;
  model.kept = want.kept;
  model.W[5] = want.W[5], model.W[7] = want.W[7]; /* padding of the last panel is not saved */
  model.mask[1] = want.mask[1], model.mask[3] = want.mask[3];
  cr_assert_eq(load(&file, &model), NNRT_OK);
  cr_expect_eq(file.place, file.size);
  cr_expect_arr_eq(&model, &want, sizeof model);
}

Test(runtime_tensorfile, the_file_is_safetensors) {
  File file = saved();
  size_t header = header_size(&file);
  static const char want[] =
      "{\"__metadata__\":{\"format\":\"nnc 1\",\"model\":\"small\",\"hash\":\"00c0ffee\","
      "\"rng\":\"philox4x32-10 v1\",\"step\":\"18446744073709551615\","
      "\"seed\":\"00000000000000000042\",\"checksum\":\"";
  static const char entries[] =
      "\"},\"@rate\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
      "\"W\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[8,32]},"
      "\"W.m\":{\"dtype\":\"F64\",\"shape\":[3],\"data_offsets\":[32,56]},"
      "\"count\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[56,60]},"
      "\"signs\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[60,62]},"
      "\"mask\":{\"dtype\":\"U8\",\"shape\":[1,3],\"data_offsets\":[62,65]}}";
  cr_expect_eq(header % 8, 0);
  cr_assert_eq(file.size, header + 65);
  cr_expect_arr_eq(file.bytes + 8, want, sizeof want - 1);
  size_t start = 8 + sizeof want - 1 + 20 + strlen("\",\"header_checksum\":\"") + 20;
  cr_expect_arr_eq(file.bytes + start, entries, sizeof entries - 1);
  for (size_t i = start + sizeof entries - 1; i < header; ++i) cr_expect_eq(file.bytes[i], ' ');
  static const float W[6] = {0, 2, 1, 3, 4, 6}; /* W[i, j] of the panels, rows first */
  cr_expect_arr_eq(file.bytes + header + 8, W, sizeof W);
}

Test(runtime_tensorfile, every_truncation_is_refused) {
  File file = saved();
  size_t full = file.size, header = header_size(&file);
  for (file.size = 0; file.size < full; ++file.size) {
    Small model = filled(), want = filled();
    want.rate = model.rate = 7;
    cr_expect_eq(load(&file, &model), NNRT_E_IO, "%zu bytes", file.size);
    cr_expect_eq(model.invalid, file.size >= header ? 1 : 0);
    if (file.size < header) cr_expect_arr_eq(&model, &want, sizeof model);
  }
}

Test(runtime_tensorfile, every_flipped_bit_is_refused) {
  File file = saved();
  size_t header = header_size(&file);
  for (size_t bit = 0; bit < 8 * file.size; ++bit) {
    Small model = filled(), want = filled();
    file.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    int error = load(&file, &model);
    file.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    if (bit / 8 >= header) {
      cr_expect_eq(error, NNRT_E_CHECKSUM, "bit %zu", bit);
      cr_expect_eq(model.invalid, 1);
    } else {
      cr_expect(error == NNRT_E_FORMAT || error == NNRT_E_MODEL, "bit %zu: %d", bit, error);
      cr_expect_arr_eq(&model, &want, sizeof model, "bit %zu", bit);
    }
  }
}

Test(runtime_tensorfile, another_model_is_named_as_such) {
  File file = saved();
  nnrt_model description = small_model();
  Small model = filled();
  description.hash = "00c0ffef";
  cr_expect_eq(nnrt_load(&description, &model, read_bytes, &file), NNRT_E_MODEL);
  description = small_model();
  description.name = "another";
  file.place = 0;
  cr_expect_eq(nnrt_load(&description, &model, read_bytes, &file), NNRT_E_MODEL);
}

Test(runtime_tensorfile, an_invalid_model_is_not_saved) {
  nnrt_model description = small_model();
  Small model = filled();
  File file = {.size = 0};
  model.invalid = 1;
  cr_expect_eq(nnrt_save(&description, &model, write_bytes, &file), NNRT_E_INVALID);
  cr_expect_eq(file.size, 0);
}

static int fail_to_write(void *context, const void *bytes, size_t size) {
  int *calls_left = context;
  (void)bytes, (void)size;
  return (*calls_left)-- == 0;
}

Test(runtime_tensorfile, a_failing_write_is_reported_at_once) {
  nnrt_model description = small_model();
  Small model = filled();
  for (int good = 0; good < 3; ++good) {
    int calls_left = good;
    cr_expect_eq(nnrt_save(&description, &model, fail_to_write, &calls_left), NNRT_E_IO);
    cr_expect_eq(calls_left, -1);
  }
}

Test(runtime_tensorfile, tensors_are_copied_in_the_order_of_the_language) {
  Small model = filled(), again;
  float W[6];
  memset(&again, 0, sizeof again);
  nnrt_get(&tensors[0], &model, W);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 2; ++j) cr_expect_eq(W[2 * i + j], model.W[i / 2 * 4 + j * 2 + i % 2]);
  nnrt_set(&tensors[0], &again, W);
  model.W[5] = model.W[7] = 0; /* padding */
  cr_expect_arr_eq(again.W, model.W, sizeof model.W);
}

static int refreshed;

static void count_refresh(void *model) {
  (void)model;
  ++refreshed;
}

Test(runtime_tensorfile, what_the_model_keeps_is_found_by_name) {
  nnrt_model description = small_model();
  Small model = filled(), want = filled();
  double rate = 0.25, m[3] = {1, 2, 3}, got[3];
  description.refresh = count_refresh;
  cr_expect_eq(nnrt_find(&description, "W.m"), &tensors[2]);
  cr_expect_null(nnrt_find(&description, "y"), "an output is not kept");
  cr_expect_eq(nnrt_set_named(&description, &model, "rate", &rate), NNRT_OK);
  cr_expect_eq(refreshed, 0, "nothing is derived from a hyper-parameter");
  cr_expect_eq(nnrt_set_named(&description, &model, "W.m", m), NNRT_OK);
  cr_expect_eq(refreshed, 1);
  cr_expect_eq(nnrt_set_named(&description, &model, "y", m), NNRT_E_NAME);
  want.rate = rate;
  memcpy(want.m, m, sizeof m);
  cr_expect_arr_eq(&model, &want, sizeof model);
  cr_expect_eq(nnrt_get_named(&description, &model, "W.m", got), NNRT_OK);
  cr_expect_arr_eq(got, m, sizeof m);
  cr_expect_eq(nnrt_get_named(&description, &model, "rate", got), NNRT_OK);
  cr_expect_eq(got[0], rate);
  cr_expect_eq(nnrt_get_named(&description, &model, "rates", got), NNRT_E_NAME);
}

Test(runtime_tensorfile, every_error_has_a_text) {
  for (int code = 0; code < NNRT_ERROR_COUNT; ++code) cr_expect(*nnrt_error_text(code));
  cr_expect_str_eq(nnrt_error_text(NNRT_OK), "no error");
  cr_expect_str_eq(nnrt_error_text(-1), nnrt_error_text(NNRT_ERROR_COUNT));
}
