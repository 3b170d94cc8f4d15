/* nnc: neural networks written as formulas, compiled to C that trains and infers.

   The story: the command line, the source, the passes of passes.def in order, the output. Read on in
   equations/equation.h (the one node), calculus/ (derivatives and algebra), loops/ (the machine) and
   emit/ (the text). */
#include "command/compilation.h"
#include "command/show.h"

static int run_format(Compilation *compilation) {
  if (!compilation_run(compilation, PASS_parse)) return compilation_report(compilation);
  Text text;
  text_init(&text, compilation->arena);
  tree_print(compilation->tree, &compilation->sources, &text);
  const char *output = compilation->options->output ? compilation->options->output : "-";
  const char *error = file_write(output, text.bytes ? text.bytes : "", text.size);
  if (!error) return 0;
  fprintf(stderr, "nnc: %s: %s [%s]\n", output, error, error_name(NN0902));
  return EXIT_USAGE;
}

static int run_check(Compilation *compilation) {
  Pass last = compilation->options->stop_after < PASS_place ? compilation->options->stop_after
                                                            : PASS_place;
  bool good = compilation_run(compilation, last);
  int status = compilation_report(compilation);
  if (!good || !compilation->options->gradients) return status;
  return check_gradients(compilation);
}

static int run_show(Compilation *compilation) {
  bool good = compilation_run(compilation, PASS_place);
  int status = compilation_report(compilation);
  if (good) show_models(compilation);
  return status;
}

static int run_compile(Compilation *compilation) {
  Pass last = compilation->options->stop_after;
  bool good = compilation_run(compilation, last);
  int status = compilation_report(compilation);
  return good && last == PASS_emit ? compilation_write(compilation) : status;
}

int main(int count, char **arguments) {
  Arena *arena = arena_new();
  Options options = options_read(arena, count, arguments);
  Compilation compilation;
  compilation_open(&compilation, arena, &options);
  int status = 0;
  switch (options.command) {
  case COMMAND_COMPILE: status = run_compile(&compilation); break;
  case COMMAND_CHECK: status = run_check(&compilation); break;
  case COMMAND_SHOW: status = run_show(&compilation); break;
  case COMMAND_FORMAT: status = run_format(&compilation); break;
  }
  arena_free(arena);
  return status;
}
