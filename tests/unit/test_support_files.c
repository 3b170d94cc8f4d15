/* Reading within limits, imports that stay below their directory, and writing all or nothing. */
#define _XOPEN_SOURCE 700 /* mkdtemp, symlink */
#include "support/files.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static Arena *arena;
static char home[] = "/tmp/nnc-files-XXXXXX";

static const char *path_of(const char *name) {
  return arena_format(arena, "%s/%s", home, name);
}

static void set_up(void) {
  arena = arena_new();
  cr_assert(mkdtemp(home));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status, (void)type, (void)walk;
  return remove(path);
}

static void tear_down(void) {
  cr_assert_eq(nftw(home, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
  arena_free(arena);
}

TestSuite(files, .init = set_up, .fini = tear_down);

static void put(const char *name, const char *bytes, size_t size) {
  FILE *file = fopen(path_of(name), "wb");
  cr_assert(file);
  cr_assert_eq(fwrite(bytes, 1, size, file), size);
  fclose(file);
}

static void expect_content(const char *name, const char *expected) {
  size_t size;
  const char *error;
  char *bytes = file_read(arena, path_of(name), 1 << 20, &size, &error);
  cr_assert(bytes, "%s: %s", name, error);
  cr_assert_str_eq(bytes, expected);
}

static int count_entries(void) {
  int count = 0;
  DIR *directory = opendir(home);
  for (struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
  closedir(directory);
  return count;
}

Test(files, are_read_up_to_the_limit) {
  static char bytes[101];
  memset(bytes, 'a', sizeof bytes);
  for (size_t written = 99; written <= 101; written++) {
    size_t size = 0;
    const char *error = NULL;
    put("f", bytes, written);
    char *read = file_read(arena, path_of("f"), 100, &size, &error);
    if (written <= 100) {
      cr_assert(read, "%s", error);
      cr_assert_eq(size, written);
      cr_assert_eq(strlen(read), written);
    } else {
      cr_assert_null(read);
      cr_assert_str_eq(error, "larger than 100 bytes");
    }
  }
}

Test(files, may_be_empty) {
  size_t size = 1;
  const char *error;
  put("f", "", 0);
  cr_assert_str_eq(file_read(arena, path_of("f"), 100, &size, &error), "");
  cr_assert_eq(size, 0);
}

Test(files, with_nul_bytes_are_refused) {
  size_t size;
  const char *error;
  put("f", "a\0b", 3);
  cr_assert_null(file_read(arena, path_of("f"), 100, &size, &error));
  cr_assert_str_eq(error, "contains a NUL byte");
}

Test(files, that_are_not_there_say_so) {
  size_t size;
  const char *error;
  cr_assert_null(file_read(arena, path_of("absent"), 100, &size, &error));
  cr_assert_str_eq(error, "No such file or directory");
  cr_assert_null(file_read(arena, home, 100, &size, &error));
  cr_assert_str_eq(error, "Is a directory");
  cr_assert_null(file_read(arena, "/dev/zero", 1 << 20, &size, &error));
  cr_assert_str_eq(error, "larger than 1 MiB");
}

static const char *import_error(const char *relative) {
  size_t size;
  const char *shown, *error = NULL;
  char *bytes = file_read_below(arena, path_of("model.nn"), relative, 100, &size, &shown, &error);
  return bytes ? NULL : error;
}

Test(files, are_imported_from_below_the_importing_file_only) {
  cr_assert_eq(mkdir(path_of("parts"), 0700), 0);
  put("parts/a.nn", "a", 1);
  put("b.nn", "b", 1);
  cr_assert_null(import_error("b.nn"));
  cr_assert_null(import_error("./b.nn"));
  cr_assert_null(import_error("parts/a.nn"));
  cr_assert_str_eq(import_error(""), "the path is empty");
  cr_assert_str_eq(import_error("/etc/passwd"), "the path is absolute");
  cr_assert_str_eq(import_error("../b.nn"), "the path contains '..'");
  cr_assert_str_eq(import_error("parts/../b.nn"), "the path contains '..'");
  cr_assert_str_eq(import_error("parts/.."), "the path contains '..'");
  cr_assert_str_eq(import_error("absent.nn"), "No such file or directory");
  cr_assert_str_eq(import_error("..b.nn"), "No such file or directory");
}

Test(files, are_not_imported_through_a_link_that_leads_out) {
  put("b.nn", "b", 1);
  cr_assert_eq(symlink("/etc", path_of("out")), 0);
  cr_assert_eq(symlink("b.nn", path_of("within.nn")), 0);
  cr_assert_eq(symlink("/etc/passwd", path_of("passwd.nn")), 0);
  cr_assert_null(import_error("within.nn"));
  const char *refused = "a symbolic link leads out of the importing file's directory";
  cr_assert_str_eq(import_error("passwd.nn"), refused);
  cr_assert_str_eq(import_error("out/passwd"), refused);
}

Test(files, imported_are_shown_below_the_importer) {
  size_t size;
  const char *shown, *error;
  file_read_below(arena, "models/m.nn", "parts/a.nn", 100, &size, &shown, &error);
  cr_assert_str_eq(shown, "models/parts/a.nn");
  file_read_below(arena, "m.nn", "a.nn", 100, &size, &shown, &error);
  cr_assert_str_eq(shown, "a.nn");
}

Test(files, appear_whole_and_leave_nothing_beside) {
  cr_assert_null(file_write(path_of("new"), "text", 4));
  expect_content("new", "text");
  cr_assert_null(file_write(path_of("new"), "other", 5));
  expect_content("new", "other");
  cr_assert_null(file_write(path_of("empty"), "", 0));
  expect_content("empty", "");
  cr_assert_eq(count_entries(), 2);
}

Test(files, get_the_rights_of_new_files_or_keep_their_own) {
  struct stat status;
  umask(027);
  cr_assert_null(file_write(path_of("new"), "text", 4));
  cr_assert_eq(stat(path_of("new"), &status), 0);
  cr_assert_eq(status.st_mode & 0777, 0640);
  cr_assert_eq(chmod(path_of("new"), 0600), 0);
  cr_assert_null(file_write(path_of("new"), "text", 4));
  cr_assert_eq(stat(path_of("new"), &status), 0);
  cr_assert_eq(status.st_mode & 0777, 0600);
}

Test(files, are_replaced_behind_a_link) {
  struct stat status;
  put("real", "old", 3);
  cr_assert_eq(symlink("real", path_of("link")), 0);
  cr_assert_null(file_write(path_of("link"), "new", 3));
  expect_content("real", "new");
  cr_assert_eq(lstat(path_of("link"), &status), 0);
  cr_assert(S_ISLNK(status.st_mode));
}

Test(files, that_are_devices_are_written_in_place) {
  struct stat status;
  cr_assert_null(file_write("/dev/null", "text", 4));
  cr_assert_eq(stat("/dev/null", &status), 0);
  cr_assert(S_ISCHR(status.st_mode));
}

Test(files, are_written_all_or_none) {
  const char *failed = NULL;
  put("a", "old a", 5);
  OutputFile files[] = {{path_of("a"), "new a", 5}, {path_of("no/b"), "new b", 5}};
  cr_assert_str_eq(files_write(files, 2, &failed), "No such file or directory");
  cr_assert_str_eq(failed, path_of("no/b"));
  expect_content("a", "old a");
  files[1].path = home;
  cr_assert_str_eq(files_write(files, 2, &failed), "Is a directory");
  expect_content("a", "old a");
  files[1].path = path_of("b");
  cr_assert_null(files_write(files, 2, &failed));
  expect_content("a", "new a");
  expect_content("b", "new b");
  cr_assert_eq(count_entries(), 2);
}

Test(files, renamed_before_a_late_failure_are_put_back) {
  const char *failed = NULL;
  put("a", "old a", 5);
  OutputFile files[] = {{path_of("a"), "new a", 5},
                        {path_of("fresh"), "fresh", 5},
                        {"/dev/full", "does not fit", 12}};
  cr_assert_str_eq(files_write(files, 3, &failed), "No space left on device");
  cr_assert_str_eq(failed, "/dev/full");
  expect_content("a", "old a");
  cr_assert_eq(count_entries(), 1);
}

/* Writes to a pipe nobody reads, so that the temporary file beside it waits. */
Test(files, half_written_go_away_with_a_signal) {
  cr_assert_eq(mkfifo(path_of("fifo"), 0600), 0);
  OutputFile files[] = {{path_of("fifo"), "b", 1}, {path_of("a"), "new a", 5}};
  pid_t child = fork();
  if (child == 0) {
    const char *failed;
    files_write(files, 2, &failed);
    _exit(0);
  }
  while (count_entries() < 2) sched_yield();
  kill(child, SIGTERM);
  int status;
  cr_assert_eq(waitpid(child, &status, 0), child);
  cr_assert(WIFSIGNALED(status));
  cr_assert_eq(WTERMSIG(status), SIGTERM);
  cr_assert_eq(count_entries(), 1);
}
