/* The arithmetic of an update, with the same bits on every processor and with any number of threads.
 *
 * Every sum has one order that no vector width and no number of threads changes: vectors run along units, never along
 * a sum; each product in a sum of the layer is a fused multiply-add; the batch is split by a rule of its size alone;
 * exponential, logarithm and tanh are functions of this file. It must be compiled with -ffp-contract=off.
 *
 * All arrays are contiguous, row-major and float32 unless said otherwise. Letters: N sequences, T time steps,
 * F features, H units, K classes. Gates are in torch's order i, f, g, o. No function keeps a pointer.
 */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__FAST_MATH__) || FLT_EVAL_METHOD != 0
#error "needs IEEE arithmetic without extra precision and without -ffast-math"
#endif

/* Floats in a vector, and rows of a register tile: 4 vectors for each row, a factor for each row and a weight must fit
 * in the registers. PIN keeps a weight in a register, where GCC would load it again for each row. */
#if defined(__AVX512F__)
#include <immintrin.h>
#define WIDTH 16
#define TILE 6
#define PIN(vector) __asm__("" : "+v"(vector))
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define WIDTH 8
#define TILE 3
#define PIN(vector) __asm__("" : "+x"(vector))
#elif defined(__aarch64__)
#include <arm_neon.h>
#define WIDTH 4
#define TILE 6
#define PIN(vector) __asm__("" : "+w"(vector))
#else
#define WIDTH 4
#define TILE 2
#define PIN(vector)
#endif

#ifndef SOURCE
#define SOURCE ""
#endif

enum {
    UNITS = 16,  /* units are padded to a multiple of this, whatever the width, so that padding changes no bit */
    WIDE = 64,   /* columns are padded to a multiple of this where a tile must not have fewer than 4 vectors */
    CHUNK = 32,  /* sequences that walk through all steps together */
    PARTS = 16,  /* most partial sums of the gradients of the weights, each of neighbouring chunks */
    STEPS = 4,   /* time steps whose gate gradients are multiplied at once, while they are in the cache */
    BLOCK = 128, /* terms of a product that are in the first-level cache together */
    PANEL = 4 * WIDTH
};

typedef float Vector __attribute__((vector_size(WIDTH * 4)));
typedef float Unaligned __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
typedef int32_t Integers __attribute__((vector_size(WIDTH * 4)));

#define INLINE static inline __attribute__((always_inline))

INLINE Vector load(const float *from) { return *(const Unaligned *)from; }
INLINE void store(float *to, Vector value) { *(Unaligned *)to = value; }
INLINE Vector all(float value) { return value - (Vector){0}; }

/* a b + c with one rounding */
INLINE Vector fused(Vector a, Vector b, Vector c) {
#if WIDTH == 16
    return (Vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif WIDTH == 8
    return (Vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
    return (Vector)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    Vector out;
    for (int lane = 0; lane < WIDTH; lane++) out[lane] = fmaf(a[lane], b[lane], c[lane]);
    return out;
#endif
}

INLINE Vector choose(Integers where, Vector yes, Vector no) {
    return (Vector)(((Integers)yes & where) | ((Integers)no & ~where));
}

INLINE Vector bounded(Vector x, float bound) { /* not a number stays so */
    x = choose(x < -bound, all(-bound), x);
    return choose(x > bound, all(bound), x);
}

/* e^x = power (1 + result), |x| < 87. Coefficients: Cephes, expf (https://www.netlib.org/cephes). */
INLINE Vector exponential(Vector x, Vector *power) {
    const Vector round = all(12582912.0f); /* 1.5 * 2^23: adding it leaves no fraction */
    Vector shifted = fused(x, all(1.44269504f), round), whole = shifted - round;
    Vector rest = fused(whole, all(-0.693359375f), x);
    rest = fused(whole, all(2.12194440e-4f), rest);
    Vector sum = fused(all(1.9875691500e-4f), rest, all(1.3981999507e-3f));
    sum = fused(sum, rest, all(8.3334519073e-3f));
    sum = fused(sum, rest, all(4.1665795894e-2f));
    sum = fused(sum, rest, all(1.6666665459e-1f));
    sum = fused(sum, rest, all(5.0000001201e-1f));
    *power = (Vector)(((Integers)shifted << 23) + 0x3f800000);
    return fused(sum * rest, rest, rest);
}

INLINE Vector sigmoid(Vector x) {
    Vector power, part = exponential(-bounded(x, 80), &power);
    return 1.0f / (1.0f + fused(part, power, power));
}

/* (e^2x - 1) / (e^2x + 1), which loses no digits near zero, as the exponential leaves its 1 out */
INLINE Vector tangent(Vector x) {
    Vector power, part = exponential(2.0f * bounded(x, 10), &power);
    Vector less = fused(part, power, power - 1.0f);
    return less / (less + 2.0f);
}

static int64_t rounded(int64_t count, int64_t to) { return (count + to - 1) / to * to; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Uninitialised floats, NULL without memory. */
static float *allocated(int64_t floats) { return aligned_alloc(64, (size_t)rounded(floats * 4 + 64, 64)); }

/* sums[rows][4] += a b over the terms, in their order.
 * a: rows `a_row` and terms `a_term` floats apart; b: terms `b_term` floats apart. */
INLINE void multiply(int rows, int64_t terms, const float *a, int64_t a_row, int64_t a_term, const float *b,
                     int64_t b_term, Vector sums[TILE][4]) {
    for (int64_t term = 0; term < terms; term++) {
        Vector factor[TILE];
        for (int row = 0; row < rows; row++) factor[row] = all(a[row * a_row + term * a_term]);
        for (int v = 0; v < 4; v++) {
            Vector weights = load(b + term * b_term + v * WIDTH);
            PIN(weights);
            for (int row = 0; row < rows; row++) sums[row][v] = fused(factor[row], weights, sums[row][v]);
        }
    }
}

/* out (rows, PANEL) += a b */
INLINE void add_tile(int rows, int64_t terms, const float *a, int64_t a_row, int64_t a_term, const float *b,
                     float *out, int64_t out_row) {
    Vector sums[TILE][4];
    for (int row = 0; row < rows; row++)
        for (int v = 0; v < 4; v++) sums[row][v] = load(out + row * out_row + v * WIDTH);
    multiply(rows, terms, a, a_row, a_term, b, PANEL, sums);
    for (int row = 0; row < rows; row++)
        for (int v = 0; v < 4; v++) store(out + row * out_row + v * WIDTH, sums[row][v]);
}

/* out (rows, columns) += a b, columns a multiple of PANEL; b (columns / PANEL, terms, PANEL). */
static void add_product(int64_t rows, int64_t columns, int64_t terms, const float *a, int64_t a_row, int64_t a_term,
                        const float *b, float *out, int64_t out_row) {
    for (int64_t column = 0; column < columns; column += PANEL)
        for (int64_t term = 0; term < terms; term += BLOCK) {
            const float *as = a + term * a_term, *bs = b + column * terms + term * PANEL;
            const int64_t block = least(BLOCK, terms - term);
            float *to = out + column;
            int64_t row = 0;
            for (; row + TILE <= rows; row += TILE)
                add_tile(TILE, block, as + row * a_row, a_row, a_term, bs, to + row * out_row, out_row);
            for (; row + 2 <= rows; row += 2)
                add_tile(2, block, as + row * a_row, a_row, a_term, bs, to + row * out_row, out_row);
            if (row < rows) add_tile(1, block, as + row * a_row, a_row, a_term, bs, to + row * out_row, out_row);
        }
}

typedef struct {
    int64_t N, T, F, H, threads;
} Sizes;

/* What the sizes of a layer imply. */
typedef struct {
    int64_t N, T, F, H;
    int64_t units; /* H, padded */
    int64_t terms; /* F + H: a row holds the features, the hidden state before the step, and a one */
    int64_t row;   /* floats from row to row: an odd number of cache lines, so that a column fills all cache sets */
    int64_t gate;  /* floats from sequence to sequence in the gate gradients, odd for the same reason */
    int64_t parts, chunks;
    int threads;
} Plan;

static Plan planned(const Sizes *sizes) {
    Plan plan = {.N = sizes->N, .T = sizes->T, .F = sizes->F, .H = sizes->H, .threads = (int)sizes->threads};
    plan.units = rounded(plan.H, UNITS);
    plan.terms = plan.F + plan.H;
    plan.row = (rounded(plan.terms + 1, 16) / 16 | 1) * 16;
    plan.gate = 4 * plan.units + 16;
    plan.chunks = (plan.N + CHUNK - 1) / CHUNK;
    plan.parts = least(plan.chunks, PARTS);
    return plan;
}

/* The digest of the source from which this library was built. */
const char *source(void) { return SOURCE; }

/* The shapes of what lstm_forward keeps: rows (T + 1, N, row), gates (T, N, 4, units), cells (T + 1, N, units).
 * The hidden states after step t are rows[t + 1, :, F : F + H]. */
void lstm_shapes(const Sizes *sizes, int64_t *row, int64_t *units) {
    const Plan plan = planned(sizes);
    *row = plan.row, *units = plan.units;
}

/* The weights of one step as panels of 4 gates of WIDTH units: (units / WIDTH, F + H, 4, WIDTH). */
static void pack_forward(const Plan *plan, const float *w_ih, const float *w_hh, float *packed) {
    memset(packed, 0, (size_t)(4 * plan->units * plan->terms) * sizeof *packed);
    for (int64_t unit = 0; unit < plan->H; unit++)
        for (int64_t gate = 0; gate < 4; gate++) {
            const int64_t from = gate * plan->H + unit;
            float *to = packed + (unit / WIDTH * plan->terms * 4 + gate) * WIDTH + unit % WIDTH;
            for (int64_t term = 0; term < plan->F; term++, to += PANEL) *to = w_ih[from * plan->F + term];
            for (int64_t term = 0; term < plan->H; term++, to += PANEL) *to = w_hh[from * plan->H + term];
        }
}

/* w (4H, columns) as panels for the way back: (columns / PANEL, 4 units, PANEL), columns padded to WIDE. */
static void pack_back(const Plan *plan, const float *w, int64_t columns, float *packed) {
    const int64_t rows = 4 * plan->units;
    memset(packed, 0, (size_t)(rows * rounded(columns, WIDE)) * sizeof *packed);
    for (int64_t gate = 0; gate < 4; gate++)
        for (int64_t unit = 0; unit < plan->H; unit++)
            for (int64_t column = 0; column < columns; column++)
                packed[(column / PANEL * rows + gate * plan->units + unit) * PANEL + column % PANEL] =
                    w[(gate * plan->H + unit) * columns + column];
}

/* One step of a tile of `rows` sequences and WIDTH units. */
INLINE void step_tile(const Plan *plan, int rows, int64_t unit, const float *weights, const float *bias,
                      const float *row_in, float *row_out, float *gates, float *cells) {
    Vector sums[TILE][4];
    for (int row = 0; row < rows; row++)
        for (int gate = 0; gate < 4; gate++) sums[row][gate] = load(bias + gate * plan->units + unit);
    multiply(rows, plan->terms, row_in, plan->row, 1, weights, PANEL, sums);
    const int64_t valid = least(plan->H - unit, WIDTH); /* beyond it stands the one */
    for (int row = 0; row < rows; row++) {
        Vector i = sigmoid(sums[row][0]), f = sigmoid(sums[row][1]), o = sigmoid(sums[row][3]);
        Vector g = tangent(sums[row][2]);
        float *cell = cells + row * plan->units + unit, *gate = gates + row * 4 * plan->units + unit;
        Vector state = fused(f, load(cell), i * g), hidden = o * tangent(state);
        store(cell + plan->N * plan->units, state);
        store(gate, i), store(gate + plan->units, f), store(gate + 2 * plan->units, g);
        store(gate + 3 * plan->units, o);
        float *out = row_out + row * plan->row + plan->F + unit;
        if (valid == WIDTH) store(out, hidden);
        else if (valid > 0) memcpy(out, &hidden, (size_t)valid * sizeof *out);
    }
}

/* All steps of `count` sequences from the first on. */
static void walk(const Plan *plan, int64_t first, int64_t count, const float *x, const float *weights,
                 const float *bias, float *rows, float *gates, float *cells) {
    memset(cells + first * plan->units, 0, (size_t)(count * plan->units) * sizeof *cells);
    for (int64_t t = 0; t <= plan->T; t++)
        for (int64_t n = first; n < first + count; n++) {
            float *row = rows + (t * plan->N + n) * plan->row;
            if (t == 0) memset(row, 0, (size_t)plan->row * sizeof *row);
            if (t < plan->T) memcpy(row, x + (n * plan->T + t) * plan->F, (size_t)plan->F * sizeof *row);
            row[plan->terms] = 1.0f;
        }
    for (int64_t t = 0; t < plan->T; t++) {
        const int64_t at = t * plan->N + first;
        for (int64_t unit = 0; unit < plan->units; unit += WIDTH) {
            const float *panel = weights + unit * 4 * plan->terms;
            int64_t n = 0;
#define STEP(size)                                                                                            \
    step_tile(plan, size, unit, panel, bias, rows + (at + n) * plan->row, rows + (at + plan->N + n) * plan->row, \
              gates + (at + n) * 4 * plan->units, cells + (at + n) * plan->units)
            for (; n + TILE <= count; n += TILE) STEP(TILE);
            for (; n + 2 <= count; n += 2) STEP(2);
            if (n < count) STEP(1);
#undef STEP
        }
    }
}

/* x (N, T, F), w_ih (4H, F), w_hh (4H, H), biases (4H); the initial state is zero. Writes rows, gates and cells, which
 * lstm_backward needs. Returns 1 without memory, else 0. */
int lstm_forward(const Sizes *sizes, const float *x, const float *w_ih, const float *w_hh, const float *b_ih,
                 const float *b_hh, float *rows, float *gates, float *cells) {
    const Plan plan = planned(sizes);
    float *weights = allocated(4 * plan.units * (plan.terms + 1));
    if (!weights) return 1;
    pack_forward(&plan, w_ih, w_hh, weights);
    float *bias = weights + 4 * plan.units * plan.terms;
    memset(bias, 0, (size_t)(4 * plan.units) * sizeof *bias);
    for (int64_t gate = 0; gate < 4; gate++)
        for (int64_t unit = 0; unit < plan.H; unit++)
            bias[gate * plan.units + unit] = b_ih[gate * plan.H + unit] + b_hh[gate * plan.H + unit];
#pragma omp parallel for schedule(dynamic) num_threads(plan.threads)
    for (int64_t chunk = 0; chunk < plan.chunks; chunk++)
        walk(&plan, chunk * CHUNK, least(CHUNK, plan.N - chunk * CHUNK), x, weights, bias, rows, gates, cells);
    free(weights);
    return 0;
}

/* What a part of the batch needs on the way back. */
typedef struct {
    float *d_gates;   /* (STEPS * CHUNK, gate) */
    float *rows;      /* (STEPS * CHUNK, row), in the order of d_gates */
    float *panel;     /* (STEPS * CHUNK, PANEL) of d_gates */
    float *d_hidden;  /* (CHUNK, H, padded to WIDE) */
    float *d_state;   /* (CHUNK, units) */
    float *d_input;   /* (CHUNK, F, padded to WIDE) */
    float *d_weights; /* (F + H + 1, gate): the sum so far */
} Scratch;

/* Gradients of the gates of one sequence at one step; d_hidden is complete, d_state becomes that of the step before. */
static void gate_gradients(int64_t units, const float *gate, const float *cell, const float *cell_before,
                           const float *d_hidden, float *d_state, float *d_gates) {
    for (int64_t unit = 0; unit < units; unit += WIDTH) {
        Vector i = load(gate + unit), f = load(gate + units + unit), g = load(gate + 2 * units + unit);
        Vector o = load(gate + 3 * units + unit), dh = load(d_hidden + unit), out = tangent(load(cell + unit));
        Vector d_cell = fused(dh * o, 1.0f - out * out, load(d_state + unit));
        store(d_gates + unit, d_cell * g * (i * (1.0f - i)));
        store(d_gates + units + unit, d_cell * load(cell_before + unit) * (f * (1.0f - f)));
        store(d_gates + 2 * units + unit, d_cell * i * (1.0f - g * g));
        store(d_gates + 3 * units + unit, dh * out * (o * (1.0f - o)));
        store(d_state + unit, d_cell * f);
    }
}

/* Adds the products of the gate gradients of some steps with the rows of these steps. */
static void add_weight_gradients(const Plan *plan, int64_t terms, const Scratch *my) {
    for (int64_t column = 0; column < 4 * plan->units; column += PANEL) {
        for (int64_t term = 0; term < terms; term++) /* from far apart to one place in the cache */
            for (int64_t v = 0; v < PANEL; v += WIDTH)
                store(my->panel + term * PANEL + v, load(my->d_gates + term * plan->gate + column + v));
        add_product(plan->terms + 1, PANEL, terms, my->rows, 1, plan->row, my->panel, my->d_weights + column,
                    plan->gate);
    }
}

static void walk_back(const Plan *plan, int64_t first, int64_t count, const Scratch *my, const float *back_hidden,
                      const float *back_input, const float *rows, const float *gates, const float *cells,
                      const float *d_outputs, const float *d_last, float *dx) {
    const int64_t units = plan->units, H = plan->H, T = plan->T, F = plan->F;
    const int64_t wide = rounded(H, WIDE), padded = rounded(F, WIDE);
    memset(my->d_hidden, 0, (size_t)(count * wide) * sizeof(float));
    memset(my->d_state, 0, (size_t)(count * units) * sizeof(float));
    for (int64_t n = 0; d_last && n < count; n++)
        memcpy(my->d_hidden + n * wide, d_last + (first + n) * H, (size_t)H * sizeof(float));
    int64_t held = 0; /* steps whose gate gradients wait for their products */
    for (int64_t t = T - 1; t >= 0; t--) {
        float *d_gates = my->d_gates + held * count * plan->gate;
        const int64_t at = t * plan->N + first;
        for (int64_t n = 0; n < count; n++) {
            float *d_hidden = my->d_hidden + n * wide;
            for (int64_t unit = 0; d_outputs && unit < H; unit++)
                d_hidden[unit] += d_outputs[((first + n) * T + t) * H + unit];
            const float *cell = cells + (at + n) * units;
            gate_gradients(units, gates + (at + n) * 4 * units, cell + plan->N * units, cell, d_hidden,
                           my->d_state + n * units, d_gates + n * plan->gate);
        }
        memcpy(my->rows + held * count * plan->row, rows + at * plan->row, (size_t)(count * plan->row) * sizeof(float));
        memset(my->d_hidden, 0, (size_t)(count * wide) * sizeof(float));
        if (t) add_product(count, wide, 4 * units, d_gates, plan->gate, 1, back_hidden, my->d_hidden, wide);
        if (dx) {
            memset(my->d_input, 0, (size_t)(count * padded) * sizeof(float));
            add_product(count, padded, 4 * units, d_gates, plan->gate, 1, back_input, my->d_input, padded);
            for (int64_t n = 0; n < count; n++)
                memcpy(dx + ((first + n) * T + t) * F, my->d_input + n * padded, (size_t)F * sizeof(float));
        }
        if (++held == STEPS || !t) {
            add_weight_gradients(plan, held * count, my);
            held = 0;
        }
    }
}

/* Sums the partial gradients in order, into the shapes of torch's weights. */
static void sum_parts(const Plan *plan, const Scratch *scratch, float *dw_ih, float *dw_hh, float *db) {
#pragma omp parallel for schedule(static) num_threads(plan->threads)
    for (int64_t term = 0; term <= plan->terms; term++) {
        float *sum = scratch[0].d_weights + term * plan->gate;
        for (int64_t part = 1; part < plan->parts; part++)
            for (int64_t column = 0; column < 4 * plan->units; column++)
                sum[column] += scratch[part].d_weights[term * plan->gate + column];
        for (int64_t row = 0; row < 4 * plan->H; row++) {
            const float value = sum[row / plan->H * plan->units + row % plan->H];
            if (term < plan->F) dw_ih[row * plan->F + term] = value;
            else if (term < plan->terms) dw_hh[row * plan->H + term - plan->F] = value;
            else db[row] = value;
        }
    }
}

/* Places of each part's scratch in one block of memory; its size in floats if there is no memory. */
static int64_t divided(const Plan *plan, float *memory, Scratch *scratch) {
    const int64_t held = STEPS * least(CHUNK, plan->N), count = least(CHUNK, plan->N);
    const int64_t sizes[] = {held * plan->gate, held * plan->row, held * PANEL, count * rounded(plan->H, WIDE),
                             count * plan->units, count * rounded(plan->F, WIDE), (plan->terms + 1) * plan->gate};
    int64_t used = 0;
    for (int64_t part = 0; part < plan->parts; part++)
        for (int place = 0; place < 7; place++) {
            if (memory) ((float **)&scratch[part])[place] = memory + used;
            used += rounded(sizes[place], 16);
        }
    return used;
}

/* rows, gates and cells: of lstm_forward. d_outputs (N, T, H) and d_last (N, H), of the last hidden state, may be NULL:
 * zero; dx (N, T, F) may be NULL: not wanted. Writes dw_ih (4H, F), dw_hh (4H, H), db (4H) and dx.
 * Returns 1 without memory, else 0. */
int lstm_backward(const Sizes *sizes, const float *w_ih, const float *w_hh, const float *rows, const float *gates,
                  const float *cells, const float *d_outputs, const float *d_last, float *dw_ih, float *dw_hh,
                  float *db, float *dx) {
    const Plan plan = planned(sizes);
    const int64_t hidden = 4 * plan.units * rounded(plan.H, WIDE), input = 4 * plan.units * rounded(plan.F, WIDE);
    float *back_hidden = allocated(hidden + (dx ? input : 0) + divided(&plan, NULL, NULL));
    if (!back_hidden) return 1;
    float *back_input = back_hidden + hidden;
    Scratch scratch[PARTS];
    divided(&plan, back_input + (dx ? input : 0), scratch);
    pack_back(&plan, w_hh, plan.H, back_hidden);
    if (dx) pack_back(&plan, w_ih, plan.F, back_input);
#pragma omp parallel for schedule(dynamic) num_threads(plan.threads)
    for (int64_t part = 0; part < plan.parts; part++) {
        const int64_t end = (part + 1) * plan.chunks / plan.parts;
        memset(scratch[part].d_weights, 0, (size_t)((plan.terms + 1) * plan.gate) * sizeof(float));
        for (int64_t chunk = part * plan.chunks / plan.parts; chunk < end; chunk++)
            walk_back(&plan, chunk * CHUNK, least(CHUNK, plan.N - chunk * CHUNK), &scratch[part], back_hidden,
                      back_input, rows, gates, cells, d_outputs, d_last, dx);
    }
    sum_parts(&plan, scratch, dw_ih, dw_hh, db);
    free(back_hidden);
    return 0;
}

/* out (R, C) = a (R, S) b (S, C) + bias (C), each element summed in the order of S, from its bias; NULL: from zero.
 * a: rows `a_row` and columns `a_column` floats apart. */
void product(int64_t R, int64_t S, int64_t C, const float *a, int64_t a_row, int64_t a_column, const float *b,
             const float *bias, float *out) {
    for (int64_t r = 0; r < R; r++, out += C) {
        for (int64_t c = 0; c < C; c++) out[c] = bias ? bias[c] : 0;
        for (int64_t s = 0; s < S; s++) {
            const float factor = a[r * a_row + s * a_column], *from = b + s * C;
            int64_t c = 0;
            for (; c + WIDTH <= C; c += WIDTH) store(out + c, fused(all(factor), load(from + c), load(out + c)));
            for (; c < C; c++) out[c] = fmaf(factor, from[c], out[c]);
        }
    }
}

/* e^x, x <= 0, and log(x), x >= 1, by operations that every processor rounds alike; libraries differ in them. */
static double exponential_of(double x) {
    if (!(x > -700)) return x <= -700 ? 0 : x;
    const double power = floor(x * 1.4426950408889634 + 0.5);
    const double rest = x - power * 0.693147180369123816 - power * 1.90821492927058770e-10;
    double sum = 1, scale = 1.0 / 13;
    static const double inverse[] = {1.0 / 12, 1.0 / 11, 1.0 / 10, 1.0 / 9, 1.0 / 8, 1.0 / 7,
                                     1.0 / 6,  1.0 / 5,  1.0 / 4,  1.0 / 3, 1.0 / 2, 1.0};
    for (int term = 0; term < 12; term++) {
        sum = 1 + sum * (rest * scale);
        scale = inverse[term];
    }
    sum = 1 + sum * rest;
    return ldexp(sum, (int)power);
}

static double logarithm_of(double x) {
    int power;
    double part = frexp(x, &power), ratio = (part - 1) / (part + 1), square = ratio * ratio, sum = 0;
    for (int term = 41; term > 0; term -= 2) sum = 1.0 / term + sum * square;
    return 2 * ratio * sum + power * 0.69314718055994530942;
}

/* The mean over N of the cross-entropy in nats of logits (N, K), targets int64 below K; smoothing: the share of each
 * label's probability that all classes share. Writes its gradient d_logits (N, K). */
double cross_entropy(int64_t N, int64_t K, const float *logits, const int64_t *targets, double smoothing,
                     float *d_logits) {
    double total = 0;
    for (int64_t n = 0; n < N; n++, logits += K, d_logits += K) {
        double highest = logits[0], sum = 0;
        for (int64_t k = 1; k < K; k++) highest = logits[k] > highest ? logits[k] : highest;
        for (int64_t k = 0; k < K; k++) sum += exponential_of(logits[k] - highest);
        const double log_sum = highest + logarithm_of(sum);
        for (int64_t k = 0; k < K; k++) {
            const double wanted = smoothing / (double)K + (k == targets[n] ? 1 - smoothing : 0);
            if (wanted > 0) total += wanted * (log_sum - logits[k]);
            d_logits[k] = (float)((exponential_of(logits[k] - log_sum) - wanted) / (double)N);
        }
    }
    return total / (double)N;
}

/* start + the sum of squares, in order, in double precision. */
double sum_of_squares(int64_t count, const float *values, double start) {
    for (int64_t at = 0; at < count; at++) start += (double)values[at] * values[at];
    return start;
}

static double to_the_power(double base, int64_t exponent) {
    double result = 1;
    for (; exponent; exponent >>= 1, base *= base)
        if (exponent & 1) result *= base;
    return result;
}

/* Update number `step`, from 1, by Adam (decoupled = 0) or AdamW (1), with torch's formula and constants. */
void adam(int64_t count, float *weights, const float *gradients, float *first, float *second, double rate,
          double decay, int64_t decoupled, int64_t step) {
    const float size = (float)(rate / (1 - to_the_power(0.9, step))), penalty = decoupled ? 0 : (float)decay;
    const float root = (float)sqrt(1 - to_the_power(0.999, step)), shrink = decoupled ? (float)(1 - rate * decay) : 1;
    for (int64_t at = 0; at < count; at++) {
        const float gradient = gradients[at] + penalty * weights[at];
        first[at] = first[at] + 0.1f * (gradient - first[at]);
        second[at] = 0.999f * second[at] + 0.001f * (gradient * gradient);
        weights[at] = weights[at] * shrink - size * first[at] / (sqrtf(second[at]) / root + 1e-8f);
    }
}

/* One update by gradient descent with momentum; buffer may be NULL without momentum. */
void sgd(int64_t count, float *weights, const float *gradients, float *buffer, double rate, double decay,
         double momentum) {
    const float size = (float)rate, penalty = (float)decay, keep = (float)momentum;
    for (int64_t at = 0; at < count; at++) {
        float gradient = gradients[at] + penalty * weights[at];
        if (buffer) gradient = buffer[at] = keep * buffer[at] + gradient;
        weights[at] -= size * gradient;
    }
}

/* mean += share (weights - mean) */
void move_average(int64_t count, float *mean, const float *weights, double share) {
    const float part = (float)share;
    for (int64_t at = 0; at < count; at++) mean[at] = mean[at] + part * (weights[at] - mean[at]);
}

static double pixel(const uint8_t *image, int64_t height, int64_t width, double y, double x) {
    return y >= 0 && x >= 0 && y < (double)height && x < (double)width ? image[(int64_t)y * width + (int64_t)x] : 0;
}

/* Bilinear resampling of images uint8 (N, height, width); beyond the edges is zero. A pixel of `out`, of the same
 * shape, comes from the place matrix (x, y) + shift, in pixels from the middle; places float64 (N, 6):
 * the matrix, (2, 2), and the shift, (2,). */
void resample(int64_t N, int64_t height, int64_t width, const uint8_t *images, const double *places, uint8_t *out) {
    const double middle_y = (double)(height - 1) / 2, middle_x = (double)(width - 1) / 2;
    for (int64_t n = 0; n < N; n++, places += 6, images += height * width)
        for (int64_t row = 0; row < height; row++)
            for (int64_t column = 0; column < width; column++) {
                const double right = (double)column - middle_x, down = (double)row - middle_y;
                const double x = places[0] * right + places[1] * down + places[4] + middle_x;
                const double y = places[2] * right + places[3] * down + places[5] + middle_y;
                const double x0 = floor(x), y0 = floor(y), across = x - x0, along = y - y0;
                const double above = pixel(images, height, width, y0, x0) * (1 - across) +
                                     pixel(images, height, width, y0, x0 + 1) * across;
                const double below = pixel(images, height, width, y0 + 1, x0) * (1 - across) +
                                     pixel(images, height, width, y0 + 1, x0 + 1) * across;
                *out++ = (uint8_t)rint(above * (1 - along) + below * along);
            }
}
