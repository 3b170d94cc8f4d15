/* Writing files: all of them as temporary files beside their places first, then by rename.

   While temporary files exist SIGINT and SIGTERM remove them before they end the process. An old
   file that a rename replaced is kept under a second name until the last rename has succeeded, so
   that a failure half-way puts everything back. What is not a regular file (/dev/null, a pipe) is
   written in place. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "support/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUTPUT_LIMIT = 8 };

typedef struct Output {
  bool in_place;
  char target[PATH_MAX];    /* where the file shall be, symbolic links followed */
  char temporary[PATH_MAX]; /* empty: none exists */
  char backup[PATH_MAX];    /* empty: none exists */
  bool renamed;
} Output;

/* Reached by the signal handler, so static; only one writing is under way at a time. */
static Output outputs[OUTPUT_LIMIT];

static void remove_leftovers(void) {
  for (int i = 0; i < OUTPUT_LIMIT; i++) {
    if (outputs[i].temporary[0]) unlink(outputs[i].temporary);
    if (outputs[i].backup[0]) unlink(outputs[i].backup);
    outputs[i].temporary[0] = outputs[i].backup[0] = '\0';
  }
}

static void end_by_signal(int number) {
  remove_leftovers();
  signal(number, SIG_DFL);
  raise(number);
}

static const int caught_signals[] = {SIGINT, SIGTERM};
enum { CAUGHT_COUNT = sizeof caught_signals / sizeof caught_signals[0] };

/* Handlers while files are being written; a signal that is ignored stays ignored. */
static void catch_signals(struct sigaction *before) {
  struct sigaction action = {.sa_handler = end_by_signal};
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < CAUGHT_COUNT; i++) {
    sigaction(caught_signals[i], NULL, &before[i]);
    if (before[i].sa_handler != SIG_IGN) sigaction(caught_signals[i], &action, NULL);
  }
}

static void restore_signals(const struct sigaction *before) {
  for (int i = 0; i < CAUGHT_COUNT; i++) sigaction(caught_signals[i], &before[i], NULL);
}

static void hold_signals(sigset_t *before) {
  sigset_t held;
  sigemptyset(&held);
  for (int i = 0; i < CAUGHT_COUNT; i++) sigaddset(&held, caught_signals[i]);
  sigprocmask(SIG_BLOCK, &held, before);
}

static int write_all(int descriptor, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t done = write(descriptor, bytes, size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno;
    bytes += done;
    size -= (size_t)done;
  }
  return 0;
}

static int close_after(int descriptor, int failure) {
  if (close(descriptor) != 0 && failure == 0) failure = errno;
  return failure;
}

/* Follows symbolic links, so that the file they point to is replaced and not the link. */
static int find_target(Output *output, const char *path) {
  struct stat status;
  char *real = realpath(path, NULL);
  int length = snprintf(output->target, sizeof output->target, "%s", real ? real : path);
  bool exists = real && stat(real, &status) == 0;
  free(real);
  if (length < 0 || (size_t)length + 16 > sizeof output->target) return ENAMETOOLONG;
  if (exists && S_ISDIR(status.st_mode)) return EISDIR;
  output->in_place = exists && !S_ISREG(status.st_mode);
  return 0;
}

/* The access rights of the file replaced, or those that open() would have given. */
static mode_t rights_for(const char *target) {
  struct stat status;
  if (stat(target, &status) == 0) return status.st_mode & 0777;
  mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

static int open_temporary(Output *output) {
  sigset_t before;
  char name[PATH_MAX];
  int length = snprintf(name, sizeof name, "%.*s.XXXXXX", PATH_MAX - 8, output->target);
  if (length < 0) return -1;
  hold_signals(&before);
  int descriptor = mkstemp(name);
  int failure = errno;
  if (descriptor >= 0) memcpy(output->temporary, name, sizeof name);
  sigprocmask(SIG_SETMASK, &before, NULL);
  errno = failure;
  return descriptor;
}

static int write_temporary(Output *output, const OutputFile *file) {
  int descriptor = open_temporary(output);
  if (descriptor < 0) return errno;
  int failure = write_all(descriptor, file->bytes, file->size);
  if (failure == 0 && fchmod(descriptor, rights_for(output->target)) != 0) failure = errno;
  return close_after(descriptor, failure);
}

static int write_in_place(const char *path, const OutputFile *file) {
  int descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (descriptor < 0) return errno;
  return close_after(descriptor, write_all(descriptor, file->bytes, file->size));
}

static int prepare_output(Output *output, const OutputFile *file) {
  *output = (Output){.in_place = strcmp(file->path, "-") == 0};
  if (output->in_place) return 0;
  int failure = find_target(output, file->path);
  return failure != 0 || output->in_place ? failure : write_temporary(output, file);
}

/* A second name for the file about to be replaced, where the file system has such. */
static void keep_backup(Output *output) {
  size_t length = strlen(output->temporary);
  if (length + 2 > sizeof output->backup) return;
  memcpy(output->backup, output->temporary, length);
  memcpy(output->backup + length, "~", 2);
  if (link(output->target, output->backup) != 0) output->backup[0] = '\0';
}

static int publish_output(Output *output, const OutputFile *file) {
  if (strcmp(file->path, "-") == 0) return write_all(STDOUT_FILENO, file->bytes, file->size);
  if (output->in_place) return write_in_place(output->target, file);
  sigset_t before;
  hold_signals(&before);
  keep_backup(output);
  int failure = rename(output->temporary, output->target) == 0 ? 0 : errno;
  if (failure == 0) {
    output->temporary[0] = '\0';
    output->renamed = true;
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
  return failure;
}

static void undo_renames(int count) {
  for (int i = 0; i < count; i++) {
    if (!outputs[i].renamed) continue;
    if (!outputs[i].backup[0]) {
      unlink(outputs[i].target);
    } else if (rename(outputs[i].backup, outputs[i].target) == 0) {
      outputs[i].backup[0] = '\0';
    }
  }
}

static int write_outputs(const OutputFile *files, int count, const char **failed_path) {
  int failure = 0;
  for (int i = 0; i < count && failure == 0; i++) {
    *failed_path = files[i].path;
    failure = prepare_output(&outputs[i], &files[i]);
  }
  for (int i = 0; i < count && failure == 0; i++) {
    *failed_path = files[i].path;
    failure = publish_output(&outputs[i], &files[i]);
  }
  if (failure != 0) undo_renames(count);
  return failure;
}

const char *files_write(const OutputFile *files, int count, const char **failed_path) {
  struct sigaction before[CAUGHT_COUNT];
  if (count > OUTPUT_LIMIT) return "too many files at once";
  memset(outputs, 0, sizeof outputs);
  catch_signals(before);
  int failure = write_outputs(files, count, failed_path);
  remove_leftovers();
  restore_signals(before);
  return failure != 0 ? strerror(failure) : NULL;
}

const char *file_write(const char *path, const char *bytes, size_t size) {
  const char *failed_path;
  return files_write(&(OutputFile){path, bytes, size}, 1, &failed_path);
}
