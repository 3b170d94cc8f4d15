/* A library's product as a contender: product DATA M K N TRANSPOSED WARMUPS STEPS, TRANSPOSED one of "", a, b.
   Of OpenBLAS, or with ONEDNN defined of that. Factors and result are row-major. */
#include "measure.h"
#include "records.h"

#ifdef ONEDNN
#include <dnnl.h>
#else
#include <cblas.h>
#endif

typedef struct Product {
  int m, k, n;
  int a_transposed, b_transposed;
  float *a, *b, *c;
} Product;

static void take(void *context, const char *name, const void *data, size_t bytes) {
  Product *p = context;
  float *factor = allocate(bytes, 64);
  memcpy(factor, data, bytes);
  *(name[0] == 'a' ? &p->a : &p->b) = factor;
}

static void step(void *context) {
  Product *p = context;
  int a_row = p->a_transposed ? p->m : p->k, b_row = p->b_transposed ? p->k : p->n;
#ifdef ONEDNN
  dnnl_sgemm(p->a_transposed ? 'T' : 'N', p->b_transposed ? 'T' : 'N', p->m, p->n, p->k, 1.0f, p->a,
             a_row, p->b, b_row, 0.0f, p->c, p->n);
#else
  cblas_sgemm(CblasRowMajor, p->a_transposed ? CblasTrans : CblasNoTrans,
              p->b_transposed ? CblasTrans : CblasNoTrans, p->m, p->n, p->k, 1.0f, p->a, a_row,
              p->b, b_row, 0.0f, p->c, p->n);
#endif
}

static double first_of_result(void *context) {
  const Product *p = context;
  return (double)p->c[0];
}

static int whole(const char *text) {
  return (int)strtol(text, NULL, 10);
}

int main(int count, char **arguments) {
  if (count != 8) return 2;
  static Product product;
  product.m = whole(arguments[2]);
  product.k = whole(arguments[3]);
  product.n = whole(arguments[4]);
  product.a_transposed = arguments[5][0] == 'a';
  product.b_transposed = arguments[5][0] == 'b';
  product.c = allocate(sizeof(float) * (size_t)product.m * (size_t)product.n, 64);
  read_records(arguments[1], take, &product);
  measure(plan_of(arguments + 6), step, &product, first_of_result);
}
