/**
 * The part of the C encoder that is the same for every schema: the writer. It is emitted as it stands. The golden
 * test compares its bytes with those of packages/wire, whose rules these are.
 */
export const RUNTIME_DECLARATIONS = String.raw`/*
 * How to use it:
 *
 *   vesper_writer w;
 *   vesper_writer_init(&w, grow, full, context);
 *   w.revision = ...; // the host's, from its hello
 *   vesper_buffer_descriptor descriptor = {.size = 256, .usage = VESPER_BUFFER_USAGE_STORAGE};
 *   vesper_encode_device_create_buffer(&w, device, new_buffer, &descriptor);
 *   const uint8_t *frame = vesper_take_frame(&w, &size); // to be sent; see w.status where it is NULL
 *
 * Members that are not given keep their defaults: a struct starts as {0}, and each optional member has a flag, which
 * has to be set with it. Pointers need to be valid during the call only. Ids are allocated by the guest.
 * The stream starts with "VSPR", VESPER_WIRE_VERSION as a word, and a frame with a record of opcode 0: a count, and
 * that many pairs of strings; the functions below write it.
 */

/** Text in UTF-8, which the host checks; not ended by a zero. */
typedef struct vesper_string {
  const char *data;
  size_t length;
} vesper_string;

/** The bytes of a literal as a vesper_string. */
#define VESPER_STRING(literal) ((vesper_string){(literal), sizeof(literal) - 1})

/** Data of a buffer or texture. More than 1 MiB goes ahead of the record, in chunks. */
typedef struct vesper_bytes {
  const void *data;
  size_t size;
} vesper_bytes;

/** What became of a writer. All but VESPER_OK are final: nothing more is written, and nothing of the frame is sent. */
typedef enum vesper_status {
  VESPER_OK = 0,
  /** The grow callback returned NULL. */
  VESPER_OUT_OF_MEMORY = 1,
  /** A string, a sequence or a frame has more bytes or items than 32 bits can count. */
  VESPER_TOO_LARGE = 2,
  /** A command is newer than the host: compare vesper_writer.revision with the revision in its description. */
  VESPER_HOST_TOO_OLD = 3
} vesper_status;

typedef struct vesper_writer vesper_writer;

/** As realloc: memory of size bytes that starts with what was at bytes (NULL at first), or NULL if there is none. */
typedef void *(*vesper_grow)(void *context, void *bytes, size_t size);

/** The frame has reached its usual size: take it with vesper_take_frame and send it. Called between records only. */
typedef void (*vesper_full)(void *context, vesper_writer *w);

/**
 * Writes records into memory that its owner supplies. The owner may set revision and frame_size at any time, and frees
 * bytes in the end; the other members are the writer's.
 */
struct vesper_writer {
  uint8_t *bytes;
  size_t capacity;
  size_t position;
  /** The host's schema revision: what is newer is left out. UINT32_MAX before the handshake. */
  uint32_t revision;
  /** A frame that has grown to this many bytes takes no further record; the first of several takes 16 KiB at most. */
  size_t frame_size;
  /** Whether the frame comes behind one that was full. */
  bool follows_full;
  vesper_status status;
  vesper_grow grow;
  /** NULL where nobody cuts frames. */
  vesper_full full;
  void *context;
};

void vesper_writer_init(vesper_writer *w, vesper_grow grow, vesper_full full, void *context);

/**
 * Ends the frame and starts the next. Returns its bytes, header first, which are valid until the next record is
 * begun; NULL where nothing was written, and where the writer has failed.
 */
const uint8_t *vesper_take_frame(vesper_writer *w, size_t *size);

/** Starts a record; vesper_end_record must follow with what this returns. */
size_t vesper_begin_record(vesper_writer *w, uint32_t opcode);
void vesper_end_record(vesper_writer *w, size_t record);

/** Values of a record. vesper_write_u32 returns the place of its word, for vesper_set_u32. */
size_t vesper_write_u32(vesper_writer *w, uint32_t value);
void vesper_set_u32(vesper_writer *w, size_t place, uint32_t value);
void vesper_write_i32(vesper_writer *w, int32_t value);
void vesper_write_u64(vesper_writer *w, uint64_t value);
void vesper_write_f32(vesper_writer *w, float value);
void vesper_write_f64(vesper_writer *w, double value);
void vesper_write_bool(vesper_writer *w, bool value);
void vesper_write_count(vesper_writer *w, size_t count);
void vesper_write_string(vesper_writer *w, vesper_string value);

/** A string that only serves messages: cut to 1,024 UTF-16 units. */
void vesper_write_label(vesper_writer *w, vesper_string value);

/** The bytes where they are few; else their length, with vesper_write_bulk having been called before the record. */
void vesper_write_bytes(vesper_writer *w, vesper_bytes value);

/** Sends ahead what vesper_write_bytes will refer to; nothing where the bytes are few. */
void vesper_write_bulk(vesper_writer *w, vesper_bytes value);

/** Whether the host knows a revision; where it does not, the writer fails with VESPER_HOST_TOO_OLD. */
bool vesper_needs_revision(vesper_writer *w, uint32_t revision);

/** Whether a value is its default, which is not sent. Zero and minus zero differ. */
bool vesper_is_number(double value, double expected);
bool vesper_is_string(vesper_string value, const char *expected);

`;

export const RUNTIME_DEFINITIONS = String.raw`#define WORD_BYTES 4u
#define INITIAL_CAPACITY 4096u
#define FRAME_SIZE 65536u
/** Of the first of several frames: the host has something to do so much earlier. */
#define FIRST_FRAME_SIZE 16384u
#define MAX_SHORT_RECORD_WORDS 0xffffu
/** Data longer than this goes through bulk records, each carrying at most as much. */
#define BULK_CHUNK_BYTES 1048576u
#define BYTES_INLINE 0u
#define BYTES_BULK 1u
#define MAX_LABEL_LENGTH 1024u

static void fail(vesper_writer *w, vesper_status status) {
  if (w->status == VESPER_OK) w->status = status;
}

/** Makes room for size bytes and returns their place; 0, where the frame header is, once the writer has failed. */
static size_t reserve(vesper_writer *w, size_t size) {
  if (w->status != VESPER_OK) return 0;
  const size_t start = w->position;
  if (size > UINT32_MAX - start) {
    fail(w, VESPER_TOO_LARGE);
    return 0;
  }
  const size_t end = start + size;
  if (end > w->capacity) {
    size_t capacity = w->capacity < INITIAL_CAPACITY / 2 ? INITIAL_CAPACITY : w->capacity * 2;
    if (capacity < end) capacity = end;
    uint8_t *bytes = w->grow(w->context, w->bytes, capacity);
    if (bytes == NULL) {
      fail(w, VESPER_OUT_OF_MEMORY);
      return 0;
    }
    w->bytes = bytes;
    w->capacity = capacity;
  }
  w->position = end;
  return start;
}

static void store(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value & 0xffu);
  at[1] = (uint8_t)((value >> 8) & 0xffu);
  at[2] = (uint8_t)((value >> 16) & 0xffu);
  at[3] = (uint8_t)(value >> 24);
}

void vesper_writer_init(vesper_writer *w, vesper_grow grow, vesper_full full, void *context) {
  memset(w, 0, sizeof *w);
  w->position = WORD_BYTES;
  w->revision = UINT32_MAX;
  w->frame_size = FRAME_SIZE;
  w->grow = grow;
  w->full = full;
  w->context = context;
}

const uint8_t *vesper_take_frame(vesper_writer *w, size_t *size) {
  *size = 0;
  if (w->status != VESPER_OK || w->position == WORD_BYTES) return NULL;
  *size = w->position;
  store(w->bytes, (uint32_t)w->position);
  w->position = WORD_BYTES;
  w->follows_full = false;
  return w->bytes;
}

size_t vesper_begin_record(vesper_writer *w, uint32_t opcode) {
  const size_t most = w->follows_full || w->frame_size < FIRST_FRAME_SIZE ? w->frame_size : FIRST_FRAME_SIZE;
  if (w->full != NULL && w->position > WORD_BYTES && w->position + WORD_BYTES > most) {
    w->full(w->context, w);
    w->follows_full = true;
  }
  return vesper_write_u32(w, opcode);
}

void vesper_end_record(vesper_writer *w, size_t record) {
  if (w->status != VESPER_OK) return;
  const size_t words = (w->position - record) / WORD_BYTES;
  if (words <= MAX_SHORT_RECORD_WORDS) {
    w->bytes[record + 2] = (uint8_t)(words & 0xffu);
    w->bytes[record + 3] = (uint8_t)(words >> 8);
    return;
  }
  /* Length 0 is the escape: the next word holds the length. */
  const size_t body = w->position - record - WORD_BYTES;
  if (reserve(w, WORD_BYTES) == 0) return;
  uint8_t *at = w->bytes + record + WORD_BYTES;
  memmove(at + WORD_BYTES, at, body);
  store(at, (uint32_t)(words + 1));
}

size_t vesper_write_u32(vesper_writer *w, uint32_t value) {
  const size_t at = reserve(w, WORD_BYTES);
  if (at != 0) store(w->bytes + at, value);
  return at;
}

void vesper_set_u32(vesper_writer *w, size_t place, uint32_t value) {
  if (w->status == VESPER_OK) store(w->bytes + place, value);
}

void vesper_write_i32(vesper_writer *w, int32_t value) { vesper_write_u32(w, (uint32_t)value); }

void vesper_write_u64(vesper_writer *w, uint64_t value) {
  vesper_write_u32(w, (uint32_t)(value & UINT32_MAX));
  vesper_write_u32(w, (uint32_t)(value >> 32));
}

void vesper_write_f32(vesper_writer *w, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  /* Every NaN is the same one, as in the other languages. */
  vesper_write_u32(w, (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits);
}

void vesper_write_f64(vesper_writer *w, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  vesper_write_u64(w, (bits & UINT64_C(0x7fffffffffffffff)) > UINT64_C(0x7ff0000000000000)
                          ? UINT64_C(0x7ff8000000000000)
                          : bits);
}

void vesper_write_bool(vesper_writer *w, bool value) { vesper_write_u32(w, value ? 1u : 0u); }

void vesper_write_count(vesper_writer *w, size_t count) {
  if (count > UINT32_MAX) fail(w, VESPER_TOO_LARGE);
  vesper_write_u32(w, (uint32_t)count);
}

/** Length in bytes, the bytes of head and tail, and zeros up to a whole word. */
static void write_padded(vesper_writer *w, const void *head, size_t head_size, const char *tail, size_t tail_size) {
  if (head_size > UINT32_MAX - 64) {
    fail(w, VESPER_TOO_LARGE);
    return;
  }
  const size_t size = head_size + tail_size;
  vesper_write_u32(w, (uint32_t)size);
  const size_t padded = (size + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES;
  if (padded == 0) return;
  const size_t place = reserve(w, padded);
  if (place == 0) return;
  uint8_t *at = w->bytes + place;
  memset(at + padded - WORD_BYTES, 0, WORD_BYTES);
  if (head_size > 0) memcpy(at, head, head_size);
  if (tail_size > 0) memcpy(at + head_size, tail, tail_size);
}

void vesper_write_string(vesper_writer *w, vesper_string value) {
  write_padded(w, value.data, value.length, NULL, 0);
}

void vesper_write_label(vesper_writer *w, vesper_string value) {
  size_t units = 0;
  size_t at = 0;
  while (at < value.length) {
    const uint8_t lead = (uint8_t)value.data[at];
    const size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const size_t taken = bytes == 4 ? 2 : 1;
    if (units + taken > MAX_LABEL_LENGTH) {
      /* Half of a surrogate pair is left, which no UTF-8 can say: it is U+FFFD, as in the other languages. */
      const size_t half = MAX_LABEL_LENGTH - units;
      write_padded(w, value.data, at, "\xef\xbf\xbd", half == 0 ? 0 : 3);
      return;
    }
    units += taken;
    at += bytes;
  }
  vesper_write_string(w, value);
}

void vesper_write_bytes(vesper_writer *w, vesper_bytes value) {
  if (value.size > BULK_CHUNK_BYTES) {
    vesper_write_u32(w, BYTES_BULK);
    vesper_write_count(w, value.size);
    return;
  }
  vesper_write_u32(w, BYTES_INLINE);
  write_padded(w, value.data, value.size, NULL, 0);
}

void vesper_write_bulk(vesper_writer *w, vesper_bytes value) {
  if (value.size <= BULK_CHUNK_BYTES) return;
  const size_t begin = vesper_begin_record(w, VESPER_OPCODE_STREAM_BEGIN_BULK);
  vesper_write_count(w, value.size);
  vesper_end_record(w, begin);
  const uint8_t *data = value.data;
  for (size_t sent = 0; sent < value.size && w->status == VESPER_OK; sent += BULK_CHUNK_BYTES) {
    const size_t left = value.size - sent;
    const size_t chunk = vesper_begin_record(w, VESPER_OPCODE_STREAM_BULK_CHUNK);
    write_padded(w, data + sent, left < BULK_CHUNK_BYTES ? left : BULK_CHUNK_BYTES, NULL, 0);
    vesper_end_record(w, chunk);
  }
}

bool vesper_needs_revision(vesper_writer *w, uint32_t revision) {
  if (w->revision < revision) fail(w, VESPER_HOST_TOO_OLD);
  return w->revision >= revision;
}

bool vesper_is_number(double value, double expected) { return memcmp(&value, &expected, sizeof value) == 0; }

bool vesper_is_string(vesper_string value, const char *expected) {
  const size_t length = strlen(expected);
  return value.length == length && memcmp(value.data, expected, length) == 0;
}

`;
