/* Orthogonal matrices, once for any real type: nnrt_orthogonal.h includes this text with Real defined;
   nnrt(op) is the function's name for that type. */

/* Vectors of one length: pieces of so many elements, which are a step apart. */
typedef struct nnrt(vectors) {
  int64_t pieces, apart; /* from one piece to the next */
  int64_t length, step;
}
nnrt(vectors);

/* Sum over j of a[j] b[j], in order. */
static inline Real nnrt(dot)(const Real *a, const Real *b, nnrt(vectors) v) {
  Real sum = 0;
  for (int64_t p = 0; p < v.pieces; ++p, a += v.apart, b += v.apart) {
    for (int64_t j = 0; j < v.length; ++j) sum = nnrt(fma)(a[j * v.step], b[j * v.step], sum);
  }
  return sum;
}

/* a[j] -= share b[j] */
static inline void nnrt(take)(Real *a, Real share, const Real *b, nnrt(vectors) v) {
  for (int64_t p = 0; p < v.pieces; ++p, a += v.apart, b += v.apart) {
    for (int64_t j = 0; j < v.length; ++j) {
      a[j * v.step] = nnrt(fma)(-share, b[j * v.step], a[j * v.step]);
    }
  }
}

static inline void nnrt(divide)(Real *a, Real by, nnrt(vectors) v) {
  for (int64_t p = 0; p < v.pieces; ++p, a += v.apart) {
    for (int64_t j = 0; j < v.length; ++j) a[j * v.step] = a[j * v.step] / by;
  }
}

/* w holds matrices of standard normal numbers. Each is replaced by one whose rows (columns, if they are fewer) are
   orthonormal, times gain: modified Gram-Schmidt, each vector against those before it, twice, since one pass loses
   orthogonality (Giraud, Langou & Rozloznik 2005). Saxe, McClelland & Ganguli (2014) for the use. */
static inline void nnrt(orthogonal)(Real *w, const nnrt_matrices *at, double gain) {
  int is_wide = at->rows <= at->columns;
  int64_t few = is_wide ? at->rows : at->columns, group = is_wide ? at->rows : at->width;
  int64_t apart = is_wide ? at->row : 1; /* vectors of a group; groups are a panel apart */
  nnrt(vectors) by_row = {at->columns / at->width, at->panel, at->width, 1};
  nnrt(vectors) by_column = {1, 0, at->rows, at->row};
  nnrt(vectors) v = is_wide ? by_row : by_column;
  for (int64_t m = 0; m < at->matrices; ++m) {
    Real *matrix = w + m * at->matrix;
    for (int64_t i = 0; i < few; ++i) {
      Real *vector = matrix + i / group * at->panel + i % group * apart;
      for (int64_t k = 0; k < 2 * i; ++k) {
        const Real *other = matrix + k % i / group * at->panel + k % i % group * apart;
        nnrt(take)(vector, nnrt(dot)(vector, other, v), other, v);
      }
      nnrt(divide)(vector, nnrt(sqrt)(nnrt(dot)(vector, vector, v)), v);
    }
  }
  for (int64_t i = 0; i < at->rows * at->matrices * at->columns; ++i) w[i] *= (Real)gain;
}
