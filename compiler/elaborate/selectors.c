/* Selectors: tags, paths and names against the parameters of a model. */
#include "elaborate/selectors.h"

#include <string.h>

/* `*` is matched greedily from the left; on a mismatch the last one takes one character more. */
static bool glob_matches(const char *pattern, const char *text) {
  const char *after_star = NULL, *retry = NULL;
  while (*text) {
    if (*pattern == '*') {
      after_star = ++pattern;
      retry = text;
    } else if (*pattern == *text || *pattern == '?') {
      pattern++;
      text++;
    } else if (after_star) {
      pattern = after_star;
      text = ++retry;
    } else {
      return false;
    }
  }
  while (*pattern == '*') pattern++;
  return *pattern == '\0';
}

static bool is_path_or_prefix(const char *prefix, const char *path) {
  size_t length = strlen(prefix);
  return strncmp(prefix, path, length) == 0 && (path[length] == '\0' || path[length] == '.');
}

static bool selects(const Node *selector, const Tensor *tensor) {
  switch (selector->kind) {
  case NODE_TAG: return tensor_has_tag(tensor, selector->name);
  case NODE_STRING: return glob_matches(selector->name, tensor->name);
  case NODE_IDENT: return is_path_or_prefix(selector->name, tensor->name);
  default: return false;
  }
}

bool selectors_match(const Node *list, const Tensor *tensor) {
  if (!list) return true;
  for (int i = 0; i < list->count; i++)
    if (selects(list->parts[i], tensor)) return true;
  return false;
}

static bool selects_any(const Node *selector, const TensorList *tensors) {
  for (int i = 0; i < tensors->count; i++) {
    const Tensor *tensor = tensors->items[i];
    if (tensor->role == ROLE_PARAM && selects(selector, tensor)) return true;
  }
  return false;
}

void selectors_check(const Frame *frame, const Node *list) {
  for (int i = 0; list && i < list->count; i++) {
    const Node *selector = list->parts[i];
    if (selects_any(selector, &frame->e->model->tensors)) continue;
    const char *mark = selector->kind == NODE_TAG ? "@" : "";
    Diagnostic *d =
        report(frame, NN0406, selector->span, "'%s%s' selects no parameter", mark, selector->name);
    diagnostic_help(d, "`nnc show` lists the parameters and their tags");
  }
}
