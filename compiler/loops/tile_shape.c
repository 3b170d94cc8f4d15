/* The shape of tiles: how many rows and vectors of columns.

   The target says what its registers hold where rows and columns divide. Elsewhere some tiles have a row less, as of 32
   rows two of 6 and four of 5, or overlap at the edges where that wastes little, and another shape with as many sums
   may waste less. A guard leaves out more tiles when they are small, so there the target's shape stays. Costs are
   counted in half cycles of a processor that multiplies, or loads, twice in one. */
#include "loops/tile.h"

#include "equations/contraction.h"

enum {
  MOST_VECTORS_OF_A_ROW = 8, /* of a tile with one row */
  TURN = 9,                  /* half cycles from one term of a sum to the next */
  LEAST_PERCENT = 4,         /* that another shape saves, */
  LEAST_ROWS = 3             /* and percent of rows, tiles of two heights */
};

/* One vector takes all columns, which are more than half of it has room for. */
static bool fills_part(const Routine *routine, const Tiling *tiling, int64_t columns) {
  int64_t constant;
  return routine->target->masks && 2 * columns > tiling->lanes &&
         extent_is_constant(tiling->column->range, &constant);
}

/* One tile takes all columns, the last of them by part of a vector: in a tile of their own each sum would wait for the
   term before. */
static bool takes_whole_row(const Target *target, const Tiling *tiling, int64_t columns) {
  int64_t constant, vectors = (columns + tiling->lanes - 1) / tiling->lanes;
  int64_t most = tiling->rows == 1 ? MOST_VECTORS_OF_A_ROW
                                   : target->tile.rows * target->tile.vectors / tiling->rows;
  return target->masks && columns % tiling->lanes != 0 && vectors <= most &&
         extent_is_constant(tiling->column->range, &constant);
}

/* Rows as equal as may be, and columns; false: there are too few columns for a vector. */
static bool choose_by_target(const Routine *routine, Tiling *tiling) {
  const Target *target = routine->target;
  int64_t columns = extent_maximum(tiling->column->range);
  int64_t rows = tiling->row ? extent_maximum(tiling->row->range) : 1, ignored;
  tiling->lanes = target->vector_bytes / routine->bytes_of_real;
  while (tiling->lanes > columns && !fills_part(routine, tiling, columns)) tiling->lanes /= 2;
  if (tiling->lanes * routine->bytes_of_real < LEAST_VECTOR_BYTES) return false;
  tiling->rows = rows < target->tile.rows ? rows : target->tile.rows;
  if (tiling->row && extent_is_constant(tiling->row->range, &ignored)) {
    int64_t blocks = (rows + tiling->rows - 1) / tiling->rows;
    tiling->rows = (rows + blocks - 1) / blocks;
  }
  int64_t most = tiling->rows == 1 ? MOST_VECTORS_OF_A_ROW : target->tile.vectors;
  int64_t vectors = columns / tiling->lanes;
  if (vectors == 0) {
    tiling->columns = columns;
    return true;
  }
  if (takes_whole_row(target, tiling, columns)) {
    tiling->columns = columns;
    return true;
  }
  while (2 * most <= vectors && 2 * most * tiling->rows <= target->registers * 3 / 4) most *= 2;
  tiling->columns = (vectors < most ? vectors : most) * tiling->lanes;
  return true;
}

/* ---- where they do not divide ---- */

typedef struct Shape {
  int64_t rows, vectors;
} Shape;

/* Half cycles that a tile takes for one term. */
static int64_t turn_of(const Target *target, Shape shape) {
  int64_t work = shape.rows * shape.vectors * (target->fused ? 1 : 2);
  int64_t loads = shape.rows + shape.vectors;
  int64_t most = work > loads ? work : loads;
  return most > TURN ? most : TURN;
}

static int64_t tiles_of(int64_t rows, int64_t tile) {
  return (rows + tile - 1) / tile;
}

bool rows_are_split(int64_t rows, int64_t tile) {
  int64_t twice = tiles_of(rows, tile) * tile - rows;
  return twice * 100 > rows * LEAST_ROWS && high_tiles(rows, tile) >= 0;
}

int64_t high_tiles(int64_t rows, int64_t tile) {
  return rows - tiles_of(rows, tile) * (tile - 1);
}

/* A row of tiles, for one term. */
static int64_t cost_of_row(const Target *target, Shape shape, int64_t vectors) {
  Shape rest = {shape.rows, vectors % shape.vectors};
  int64_t cost = vectors / shape.vectors * turn_of(target, shape);
  return rest.vectors > 0 ? cost + turn_of(target, rest) : cost;
}

/* All tiles. */
static int64_t cost_of(const Target *target, Shape shape, int64_t rows, int64_t vectors) {
  int64_t tiles = tiles_of(rows, shape.rows), high = tiles;
  Shape low = {shape.rows - 1, shape.vectors};
  if (rows_are_split(rows, shape.rows)) high = high_tiles(rows, shape.rows);
  int64_t cost = high * cost_of_row(target, shape, vectors);
  return high == tiles ? cost : cost + (tiles - high) * cost_of_row(target, low, vectors);
}

/* No more sums than in the shape of the target, and what is loaded of rows or of columns, whichever is less. */
static bool holds(const Target *target, Shape shape) {
  int64_t sums = shape.rows * shape.vectors;
  int64_t loaded = shape.rows < shape.vectors ? shape.rows : shape.vectors;
  return sums <= target->tile.rows * target->tile.vectors &&
         sums + loaded + (target->fused ? 1 : 2) <= target->registers;
}

/* With no more than so many vectors. */
static Shape best_shape(const Target *target, Shape given, int64_t rows, int64_t vectors,
                        int64_t most) {
  Shape best = given;
  int64_t least = cost_of(target, given, rows, vectors) * (100 - LEAST_PERCENT) / 100;
  for (int64_t r = rows < target->tile.rows ? rows : target->tile.rows; r > 1; r--)
    for (int64_t v = 1; v <= most; v++) {
      Shape shape = {r, v};
      int64_t cost = cost_of(target, shape, rows, vectors);
      if (cost >= least || !holds(target, shape)) continue;
      least = cost;
      best = shape;
    }
  return best;
}

/* Of columns, all of whose terms stay in the first cache for the next rows. */
static int64_t vectors_kept(const Routine *routine, const Equation *equation, int64_t lanes) {
  double bytes = contraction_terms(equation) * (double)(lanes * routine->bytes_of_real);
  return (int64_t)((double)routine->target->caches.first / bytes);
}

bool tile_shape(const Routine *routine, const Equation *equation, Tiling *tiling) {
  int64_t rows, columns, lanes;
  if (!choose_by_target(routine, tiling)) return false;
  lanes = tiling->lanes;
  if (tiling->rows == 1 || guard_cuts_tiles(equation, tiling)) return true;
  if (!extent_is_constant(tiling->row->range, &rows)) return true;
  if (!extent_is_constant(tiling->column->range, &columns) || columns % lanes != 0) return true;
  int64_t vectors = columns / lanes, kept = vectors_kept(routine, equation, lanes);
  Shape given = {tiling->rows, tiling->columns / lanes};
  Shape best = best_shape(routine->target, given, rows, vectors, kept < vectors ? kept : vectors);
  tiling->rows = best.rows;
  tiling->columns = best.vectors * lanes;
  return true;
}

bool tile_goes_by_vectors(const Target *target, const Block *block) {
  int64_t vectors = block->columns / block->lanes;
  return block->rows > 1 && vectors > block->rows && block->columns % block->lanes == 0 &&
         block->rows * vectors + vectors + 1 > target->registers;
}
