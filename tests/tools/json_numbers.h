/* Numbers in JSON, where "nan", "inf" and "-inf" stand for what it lacks. */
#ifndef NNC_TESTS_JSON_NUMBERS_H
#define NNC_TESTS_JSON_NUMBERS_H

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

static double number_of(const json_t *json) {
  if (json_is_string(json)) return strtod(json_string_value(json), NULL);
  if (json_is_boolean(json)) return json_is_true(json);
  return json_number_value(json);
}

static json_t *json_of(double number) {
  if (isnan(number)) return json_string("nan");
  if (isinf(number)) return json_string(number > 0 ? "inf" : "-inf");
  return json_real(number);
}

#endif
