/* Weight files: the safetensors layout, written and read through callbacks with one small buffer.

     8 bytes   length of the header, little-endian
     header    JSON padded with spaces to a multiple of 8: "__metadata__" with format, model, hash,
               random generator, step, seed and two checksums, then an entry for each tensor
     data      little-endian and dense in the language's order: hyper-parameters ("@name", as
               doubles), then parameters, states and slots in the order of the model's table

   A program knows its own header. The loader walks the same text as the writer and compares, so it
   parses nothing but four numbers of fixed width (step, seed, checksums), and takes no size from the
   file. "checksum" is of the data; "header_checksum" of the other three numbers, so that a header
   is refused before anything is changed. Names must be printable ASCII without " and \.

   The checksum takes words w of 8 little-endian bytes, the last filled up with zeros:
   h = rotate(h ^ w, 29) * 0x9e3779b97f4a7c15, from h = 0. Each step is a bijection of h and of w, so
   a change within one word is always noticed; others with probability 1 - 2^-64. */
#include <string.h>

#include "nnrt.h"

enum { BUFFER_SIZE = 512, NUMBER_WIDTH = 20 };

/* Bytes on their way out (read is NULL) or in. Without callbacks they are counted and summed. */
typedef struct Stream {
  nnrt_write write;
  nnrt_read read;
  void *context;
  int error, refusal; /* refusal: the error of a text that differs from the file's */
  uint64_t passed, checksum;
  uint64_t left;       /* reading: bytes not yet in the buffer */
  size_t used, filled; /* of the buffer */
  unsigned char buffer[BUFFER_SIZE];
} Stream;

/* The numbers of a header that are not the same in every file of a model. */
typedef struct Header {
  uint64_t step, seed, checksum;
} Header;

static uint64_t add_word(uint64_t sum, uint64_t word) {
  sum ^= word;
  return (sum << 29 | sum >> 35) * 0x9e3779b97f4a7c15;
}

static uint64_t add_to_checksum(uint64_t sum, const unsigned char *bytes, size_t size) {
  for (size_t i = 0; i < size; i += 8) {
    uint64_t word = 0;
    for (size_t k = 0; k < 8 && i + k < size; ++k) word |= (uint64_t)bytes[i + k] << 8 * k;
    sum = add_word(sum, word);
  }
  return sum;
}

static uint64_t sum_of_header(const Header *header) {
  uint64_t numbers[3] = {header->step, header->seed, header->checksum}, sum = 0;
  for (int i = 0; i < 3; ++i) sum = add_word(sum, numbers[i]);
  return sum;
}

/* Empties the buffer: its bytes are summed and, when there is a callback, written. */
static void flush(Stream *stream) {
  stream->checksum = add_to_checksum(stream->checksum, stream->buffer, stream->used);
  if (stream->write && stream->used && !stream->error &&
      stream->write(stream->context, stream->buffer, stream->used))
    stream->error = NNRT_E_IO;
  stream->used = 0;
}

static void refill(Stream *stream) {
  stream->used = 0;
  stream->filled = stream->left < BUFFER_SIZE ? (size_t)stream->left : BUFFER_SIZE;
  stream->left -= stream->filled;
  if (!stream->filled || stream->read(stream->context, stream->buffer, stream->filled))
    stream->error = NNRT_E_IO;
  else
    stream->checksum = add_to_checksum(stream->checksum, stream->buffer, stream->filled);
}

/* Writes one byte, or reads one and returns it; 0 after an error. */
static unsigned char pass_byte(Stream *stream, unsigned char byte) {
  ++stream->passed;
  if (!stream->read) {
    stream->buffer[stream->used++] = byte;
    if (stream->used == BUFFER_SIZE) flush(stream);
    return byte;
  }
  if (!stream->error && stream->used == stream->filled) refill(stream);
  return stream->error ? 0 : stream->buffer[stream->used++];
}

/* Writes a text, or demands that the file has it here. */
static void pass_text(Stream *stream, const char *text) {
  for (; *text && !stream->error; ++text)
    if (pass_byte(stream, (unsigned char)*text) != (unsigned char)*text && !stream->error)
      stream->error = stream->refusal;
}

static void pass_count(Stream *stream, uint64_t count) {
  char digits[NUMBER_WIDTH + 1], *first = digits + NUMBER_WIDTH;
  *first = 0;
  do *--first = (char)('0' + count % 10);
  while (count /= 10);
  pass_text(stream, first);
}

/* Writes or reads a number of 20 digits. */
static void pass_number(Stream *stream, uint64_t *number) {
  uint64_t unit = 10000000000000000000u, rest = *number, sum = 0;
  for (; unit && !stream->error; unit /= 10) {
    unsigned digit = pass_byte(stream, (unsigned char)('0' + rest / unit)) - (unsigned)'0';
    rest %= unit;
    if (!stream->error && (digit > 9 || digit > (UINT64_MAX - sum) / unit))
      stream->error = NNRT_E_FORMAT;
    sum += digit * unit;
  }
  *number = sum;
}

static const char *name_of_type(int type) {
#define NNRT_ROW(code, bytes, name) name,
  static const char *const names[] = {NNRT_TYPES(NNRT_ROW)};
#undef NNRT_ROW
  return names[type];
}

static size_t size_of_type(int type) {
#define NNRT_ROW(code, bytes, name) bytes,
  static const unsigned char sizes[] = {NNRT_TYPES(NNRT_ROW)};
#undef NNRT_ROW
  return sizes[type];
}

static uint64_t count_elements(const nnrt_tensor *tensor) {
  uint64_t count = 1;
  for (int axis = 0; axis < tensor->rank; ++axis) count *= (uint64_t)tensor->shape[axis];
  return count;
}

/* Where an element is in the model, in bytes. */
static size_t place_of(const nnrt_tensor *tensor, const int64_t *index) {
  int64_t place = 0;
  for (int axis = 0; axis < tensor->rank; ++axis) {
    int64_t i = index[axis], block = tensor->block[axis];
    if (block) place += i / block * tensor->block_stride[axis];
    place += (block ? i % block : i) * tensor->stride[axis];
  }
  return tensor->offset + (size_t)place * size_of_type(tensor->type);
}

/* The next index in the language's order, the last axis fastest; 0 after the last. */
static int advance(const nnrt_tensor *tensor, int64_t *index) {
  for (int axis = tensor->rank; axis-- > 0; index[axis] = 0)
    if (++index[axis] < tensor->shape[axis]) return 1;
  return 0;
}

static void copy_elements(const nnrt_tensor *tensor, unsigned char *model, unsigned char *dense,
                          int into_model) {
  int64_t index[NNRT_MAX_RANK] = {0};
  size_t size = size_of_type(tensor->type);
  do {
    unsigned char *place = model + place_of(tensor, index);
    memcpy(into_model ? place : dense, into_model ? dense : place, size);
    dense += size;
  } while (advance(tensor, index));
}

void nnrt_get(const nnrt_tensor *tensor, const void *model, void *dense) {
  copy_elements(tensor, (unsigned char *)model, dense, 0);
}

void nnrt_set(const nnrt_tensor *tensor, void *model, const void *dense) {
  copy_elements(tensor, model, (unsigned char *)dense, 1);
}

void nnrt_shape(const nnrt_model *description, int tensor, const int64_t *extents, int64_t *shape) {
  const nnrt_tensor *declared = &description->tensors[tensor];
  for (int axis = 0; axis < declared->rank; ++axis) shape[axis] = declared->shape[axis];
  if (description->shape) description->shape(tensor, extents, shape);
}

const nnrt_tensor *nnrt_find(const nnrt_model *description, const char *name) {
  for (int i = 0; i < description->tensor_count; ++i) {
    const nnrt_tensor *tensor = &description->tensors[i];
    if (tensor->kind <= NNRT_SLOT && strcmp(tensor->name, name) == 0) return tensor;
  }
  return NULL;
}

static const nnrt_hyper *find_hyper(const nnrt_model *description, const char *name) {
  for (int i = 0; i < description->hyper_count; ++i) {
    if (strcmp(description->hypers[i].name, name) == 0) return &description->hypers[i];
  }
  return NULL;
}

int nnrt_get_named(const nnrt_model *description, const void *model, const char *name,
                   void *dense) {
  const nnrt_tensor *tensor = nnrt_find(description, name);
  const nnrt_hyper *hyper = tensor ? NULL : find_hyper(description, name);
  if (tensor) nnrt_get(tensor, model, dense);
  if (hyper) memcpy(dense, (const unsigned char *)model + hyper->offset, sizeof(double));
  return tensor || hyper ? NNRT_OK : NNRT_E_NAME;
}

int nnrt_set_named(const nnrt_model *description, void *model, const char *name,
                   const void *dense) {
  const nnrt_tensor *tensor = nnrt_find(description, name);
  const nnrt_hyper *hyper = tensor ? NULL : find_hyper(description, name);
  if (tensor) nnrt_set(tensor, model, dense);
  if (hyper) memcpy((unsigned char *)model + hyper->offset, dense, sizeof(double));
  if (description->refresh && tensor) description->refresh(model);
  return tensor || hyper ? NNRT_OK : NNRT_E_NAME;
}

/* The i-th thing to be saved, hyper-parameters first: 1 and its description, or 0 for a tensor that
   is not saved. */
static int saved_item(const nnrt_model *description, int i, nnrt_tensor *item) {
  static const nnrt_tensor hyper = {.type = NNRT_F64};
  if (i >= description->hyper_count) {
    *item = description->tensors[i - description->hyper_count];
    return item->kind <= NNRT_SLOT;
  }
  *item = hyper;
  item->name = description->hypers[i].name;
  item->offset = description->hypers[i].offset;
  return 1;
}

static int count_items(const nnrt_model *description) {
  return description->hyper_count + description->tensor_count;
}

static void pass_entry(Stream *stream, const nnrt_tensor *item, int is_hyper, uint64_t *offset) {
  pass_text(stream, is_hyper ? ",\"@" : ",\"");
  pass_text(stream, item->name);
  pass_text(stream, "\":{\"dtype\":\"");
  pass_text(stream, name_of_type(item->type));
  pass_text(stream, "\",\"shape\":[");
  for (int axis = 0; axis < item->rank; ++axis) {
    if (axis) pass_text(stream, ",");
    pass_count(stream, (uint64_t)item->shape[axis]);
  }
  pass_text(stream, "],\"data_offsets\":[");
  pass_count(stream, *offset);
  *offset += count_elements(item) * size_of_type(item->type);
  pass_text(stream, ",");
  pass_count(stream, *offset);
  pass_text(stream, "]}");
}

static void pass_metadata(Stream *stream, const nnrt_model *description, Header *header) {
  pass_text(stream, "{\"__metadata__\":{\"format\":\"nnc 1\",\"model\":\"");
  stream->refusal = NNRT_E_MODEL;
  pass_text(stream, description->name);
  pass_text(stream, "\",\"hash\":\"");
  pass_text(stream, description->hash);
  stream->refusal = NNRT_E_FORMAT;
  pass_text(stream, "\",\"rng\":\"philox4x32-10 v1\",\"step\":\"");
  pass_number(stream, &header->step);
  pass_text(stream, "\",\"seed\":\"");
  pass_number(stream, &header->seed);
  pass_text(stream, "\",\"checksum\":\"");
  pass_number(stream, &header->checksum);
  pass_text(stream, "\",\"header_checksum\":\"");
}

/* All of the header but its length. The size of the data comes back in *data_size. */
static void pass_header(Stream *stream, const nnrt_model *description, Header *header,
                        uint64_t *data_size) {
  nnrt_tensor item;
  pass_metadata(stream, description, header);
  uint64_t sum = sum_of_header(header), stored = sum;
  pass_number(stream, &stored);
  if (!stream->error && stored != sum) stream->error = NNRT_E_FORMAT;
  pass_text(stream, "\"}");
  *data_size = 0;
  for (int i = 0; i < count_items(description) && !stream->error; ++i)
    if (saved_item(description, i, &item))
      pass_entry(stream, &item, i < description->hyper_count, data_size);
  pass_text(stream, "}");
  while (stream->passed % 8 && !stream->error) pass_text(stream, " ");
}

/* Writes the elements, or puts those of the file into the model. */
static void pass_data(Stream *stream, const nnrt_model *description, unsigned char *model) {
  nnrt_tensor item;
  const uint16_t one = 1;
  size_t is_big_endian = !*(const unsigned char *)&one;
  for (int i = 0; i < count_items(description); ++i) {
    int64_t index[NNRT_MAX_RANK] = {0};
    if (!saved_item(description, i, &item)) continue;
    size_t size = size_of_type(item.type);
    do {
      unsigned char *place = model + place_of(&item, index);
      for (size_t k = 0; k < size; ++k) {
        unsigned char *byte = place + (is_big_endian ? size - 1 - k : k);
        unsigned char passed = pass_byte(stream, *byte);
        if (stream->error) return;
        if (stream->read) *byte = passed;
      }
    } while (advance(&item, index));
  }
}

static uint64_t header_length(const nnrt_model *description) {
  Stream counting = {0};
  Header header = {0, 0, 0};
  uint64_t data_size;
  pass_header(&counting, description, &header, &data_size);
  return counting.passed;
}

/* Writes the length, or reads one: 1 when it is the expected one. */
static int pass_length(Stream *stream, uint64_t length) {
  int same = 1;
  for (int k = 0; k < 8; ++k) {
    unsigned char byte = (unsigned char)(length >> 8 * k & 0xff);
    same &= pass_byte(stream, byte) == byte;
  }
  return same;
}

int nnrt_save(const nnrt_model *description, const void *model, nnrt_write write, void *context) {
  unsigned char *bytes = (unsigned char *)model; /* only read: the stream has no read callback */
  Stream summing = {0}, stream = {.write = write, .context = context};
  Header header;
  int32_t invalid;
  uint64_t data_size;
  memcpy(&invalid, bytes + description->invalid, sizeof invalid);
  if (invalid) return NNRT_E_INVALID;
  memcpy(&header.step, bytes + description->step, sizeof header.step);
  memcpy(&header.seed, bytes + description->seed, sizeof header.seed);
  pass_data(&summing, description, bytes);
  flush(&summing);
  header.checksum = summing.checksum;
  pass_length(&stream, header_length(description));
  pass_header(&stream, description, &header, &data_size);
  flush(&stream);
  pass_data(&stream, description, bytes);
  flush(&stream);
  return stream.error;
}

int nnrt_load(const nnrt_model *description, void *model, nnrt_read read, void *context) {
  unsigned char *bytes = model;
  uint64_t length = header_length(description), data_size;
  Stream stream = {.read = read, .context = context, .refusal = NNRT_E_FORMAT, .left = 8 + length};
  Header header = {0, 0, 0};
  int32_t invalid = 1;
  int same_length = pass_length(&stream, length);
  pass_header(&stream, description, &header, &data_size);
  if (stream.error) return stream.error;
  if (!same_length) return NNRT_E_FORMAT;
  memcpy(bytes + description->invalid, &invalid, sizeof invalid);
  stream = (Stream){.read = read, .context = context, .left = data_size};
  pass_data(&stream, description, bytes);
  if (stream.error) return stream.error;
  if (stream.checksum != header.checksum) return NNRT_E_CHECKSUM;
  memcpy(bytes + description->step, &header.step, sizeof header.step);
  memcpy(bytes + description->seed, &header.seed, sizeof header.seed);
  invalid = 0;
  memcpy(bytes + description->invalid, &invalid, sizeof invalid);
  return NNRT_OK;
}
