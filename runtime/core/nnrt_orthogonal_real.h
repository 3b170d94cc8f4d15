/* Orthogonal matrices, once for any real type: nnrt_orthogonal.h includes this text with Real defined;
   nnrt(op) is the function's name for that type. */

/* Sum over j of a[j] b[j], elements `stride` apart, in order. */
static inline Real nnrt(dot)(const Real *a, const Real *b, int64_t count, int64_t stride) {
  Real sum = 0;
  for (int64_t j = 0; j < count; ++j) sum = nnrt(fma)(a[j * stride], b[j * stride], sum);
  return sum;
}

/* w is [rows][middle][columns], filled with standard normal numbers. For each middle index its matrix is
   replaced by one whose rows (columns, if they are fewer) are orthonormal, times gain: modified
   Gram-Schmidt, each vector against those before it, twice, since one pass loses orthogonality
   (Giraud, Langou & Rozloznik 2005). Saxe, McClelland & Ganguli (2014) for the use. */
static inline void nnrt(orthogonal)(Real *w, int64_t rows, int64_t middle, int64_t columns,
                                    double gain) {
  int64_t across = middle * columns, few = rows < columns ? rows : columns;
  int64_t apart = few == rows ? across : 1, step = few == rows ? 1 : across;
  int64_t length = few == rows ? columns : rows;
  for (int64_t m = 0; m < middle; ++m) {
    Real *matrix = w + m * columns;
    for (int64_t i = 0; i < few; ++i) {
      Real *vector = matrix + i * apart;
      for (int64_t k = 0; k < 2 * i; ++k) {
        const Real *other = matrix + k % i * apart;
        Real share = nnrt(dot)(vector, other, length, step);
        for (int64_t j = 0; j < length; ++j) {
          vector[j * step] = nnrt(fma)(-share, other[j * step], vector[j * step]);
        }
      }
      Real norm = nnrt(sqrt)(nnrt(dot)(vector, vector, length, step));
      for (int64_t j = 0; j < length; ++j) vector[j * step] = vector[j * step] / norm;
    }
    for (int64_t i = 0; i < rows * columns; ++i) {
      matrix[i / columns * across + i % columns] *= (Real)gain;
    }
  }
}
