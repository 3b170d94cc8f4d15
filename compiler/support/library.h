/* Files built into the compiler: the library of the language and the runtime.

   The Makefile turns every .nn file of library/ and every source of runtime/core/ into C arrays, in the
   order of their names in the C locale, so that `nnc` is one file and needs nothing beside it. */
#ifndef NNC_SUPPORT_LIBRARY_H
#define NNC_SUPPORT_LIBRARY_H

typedef struct LibraryFile {
  const char *name; /* "library/layers.nn", "runtime/core/nnrt.h": as shown in messages */
  const char *text; /* NUL-terminated */
  unsigned size;    /* bytes of text, without the NUL */
} LibraryFile;

/* Definitions every model sees. */
extern const LibraryFile library_files[];
extern const int library_file_count;

/* What `--standalone` writes into the generated C. */
extern const LibraryFile runtime_files[];
extern const int runtime_file_count;

/* Target descriptions, for `--target`. */
extern const LibraryFile target_files[];
extern const int target_file_count;

/* docs/errors.md, for `--explain`. */
extern const LibraryFile explanation_files[];
extern const int explanation_file_count;

#endif
