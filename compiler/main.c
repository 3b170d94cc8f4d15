/* nnc: neural networks written as formulas, compiled to C that trains and infers.

   The story: the command line, the source, the passes of passes.def in order, the output. Read on in
   equations/equation.h (the one node), calculus/ (derivatives and algebra), loops/ (the machine) and
   emit/ (the text). */
#include "command/compilation.h"
#include "command/show.h"

static void run_format(Compilation *compilation) {
  if (!compilation_run(compilation, PASS_parse)) return;
  Text text;
  text_init(&text, compilation->arena);
  tree_print(compilation->tree, &compilation->sources, &text);
  const char *output = compilation->options->output ? compilation->options->output : "-";
  compilation_put(compilation, &(OutputFile){output, text.bytes, text.size}, 1);
}

static int run_check(Compilation *compilation) {
  Pass last =
      compilation->options->stop_after < PASS_roll ? compilation->options->stop_after : PASS_roll;
  bool good = compilation_run(compilation, last);
  return good && compilation->options->gradients ? check_gradients(compilation) : 0;
}

static void run_show(Compilation *compilation) {
  if (compilation_run(compilation, PASS_place)) show_models(compilation);
}

static void run_compile(Compilation *compilation) {
  Pass last = compilation->options->stop_after;
  if (compilation_run(compilation, last) && last == PASS_emit) compilation_write(compilation);
}

static int run(Compilation *compilation) {
  switch (compilation->options->command) {
  case COMMAND_COMPILE: run_compile(compilation); break;
  case COMMAND_CHECK: return run_check(compilation);
  case COMMAND_SHOW: run_show(compilation); break;
  case COMMAND_FORMAT: run_format(compilation); break;
  }
  return 0;
}

int main(int count, char **arguments) {
  Arena *arena = arena_new();
  Options options = options_read(arena, count, arguments);
  Compilation compilation;
  int found = compilation_open(&compilation, arena, &options) ? run(&compilation) : 0;
  int status = compilation_report(&compilation);
  arena_free(arena);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "nnc: error: <stdout>: cannot be written [%s]\n", error_name(NN0902));
    return EXIT_USAGE;
  }
  return status != 0 ? status : found;
}
