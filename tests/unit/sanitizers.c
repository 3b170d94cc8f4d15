/* Sanitizer settings of the unit tests: Criterion's own sockets leak, and a test lets memory run out. */
const char *__asan_default_options(void);

const char *__asan_default_options(void) {
  return "detect_leaks=0:allocator_may_return_null=1";
}
