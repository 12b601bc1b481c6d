/* The arithmetic of an update, with the same bits on every processor and with any number of threads.
 *
 * Every sum has one order that no vector width and no number of threads changes: vectors run along units, never along
 * a sum; each product in a sum of the layer is a fused multiply-add; the batch is split by a rule of its size alone;
 * exponential, logarithm and tanh are functions of this file. It must be compiled with -ffp-contract=off.
 *
 * All arrays are contiguous, row-major and float32 unless said otherwise. Letters: N sequences, T time steps,
 * F features, H units, K classes. No function keeps a pointer.
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

/* out (rows, PANEL) += a b, in the vectors of a panel from `first` on; it computes nothing else, so that GCC keeps all
 * sums in registers. */
INLINE void add_tile(int rows, int first, int vectors, int64_t terms, const float *a, int64_t a_row, int64_t a_term,
                     const float *b, float *out, int64_t out_row) {
    Vector sums[TILE][4];
    for (int row = 0; row < rows; row++)
        for (int v = 0; v < vectors; v++) sums[row][v] = load(out + row * out_row + (first + v) * WIDTH);
    for (int64_t term = 0; term < terms; term++) {
        Vector factor[TILE];
        for (int row = 0; row < rows; row++) factor[row] = all(a[row * a_row + term * a_term]);
        for (int v = 0; v < vectors; v++) {
            Vector weights = load(b + (term * vectors + v) * WIDTH);
            PIN(weights);
            for (int row = 0; row < rows; row++) sums[row][v] = fused(factor[row], weights, sums[row][v]);
        }
    }
    for (int row = 0; row < rows; row++)
        for (int v = 0; v < vectors; v++) store(out + row * out_row + (first + v) * WIDTH, sums[row][v]);
}

/* out (rows, PANEL) += a b, in the vectors of a panel from `first` on, over the terms in their order.
 * a: rows `a_row` and terms `a_term` floats apart; b (terms, vectors, WIDTH). */
INLINE void add_panel(int64_t rows, int first, int vectors, int64_t terms, const float *a, int64_t a_row,
                      int64_t a_term, const float *b, float *out, int64_t out_row) {
    for (int64_t term = 0; term < terms; term += BLOCK) {
        const float *as = a + term * a_term, *bs = b + term * vectors * WIDTH;
        const int64_t block = least(BLOCK, terms - term);
        int64_t row = 0;
#define ADD(size) \
    add_tile(size, first, vectors, block, as + row * a_row, a_row, a_term, bs, out + row * out_row, out_row)
        for (; row + TILE <= rows; row += TILE) ADD(TILE);
        for (; row + 2 <= rows; row += 2) ADD(2);
        if (row < rows) ADD(1);
#undef ADD
    }
}

/* out (rows, columns) += a b, columns a multiple of PANEL; b (columns / PANEL, terms, PANEL). */
static void add_product(int64_t rows, int64_t columns, int64_t terms, const float *a, int64_t a_row, int64_t a_term,
                        const float *b, float *out, int64_t out_row) {
    for (int64_t column = 0; column < columns; column += PANEL)
        add_panel(rows, 0, 4, terms, a, a_row, a_term, b + column * terms, out + column, out_row);
}

/* A unit has sums: an LSTM those of its gates i, f, g, o, a plain cell one, and a GRU four: the input's part of n, r, z,
 * and the hidden state's part of n, which r multiplies. So a GRU's first three take from the input, and its last three
 * from the hidden state. */
enum { LSTM, GRU, PLAIN };

typedef struct {
    int64_t N, T, F, H, cell, threads;
} Sizes;

/* What the sizes of a layer imply. */
typedef struct {
    int64_t N, T, F, H, cell;
    int64_t blocks;  /* of H rows in torch's weights, each of a sum: 4, a GRU's 3, or 1 */
    int64_t hidden;  /* the first sum that takes from the hidden state */
    int64_t sums;    /* of a unit */
    int64_t span;    /* units in a panel */
    int64_t units;   /* H, padded */
    int64_t columns; /* sums of all units: sums x units */
    int64_t state;   /* units, or 0 for a cell that has no state but its output */
    int64_t terms;   /* F + H: a row holds the features, the hidden state before the step, and a one */
    int64_t row;     /* floats from row to row: an odd number of cache lines, so that a column fills all cache sets */
    int64_t gate;    /* floats from sequence to sequence in the gradients of sums, odd for the same reason */
    int64_t parts, chunks;
    int threads;
} Plan;

static Plan planned(const Sizes *sizes) {
    Plan plan = {.N = sizes->N, .T = sizes->T, .F = sizes->F, .H = sizes->H, .cell = sizes->cell};
    plan.threads = (int)sizes->threads;
    plan.blocks = plan.cell == LSTM ? 4 : plan.cell == GRU ? 3 : 1;
    plan.hidden = plan.cell == GRU;
    plan.sums = plan.cell == PLAIN ? 1 : 4;
    plan.span = PANEL / plan.sums;
    plan.units = rounded(plan.H, plan.cell == PLAIN ? WIDE : UNITS);
    plan.columns = plan.sums * plan.units;
    plan.state = plan.cell == PLAIN ? 0 : plan.units;
    plan.terms = plan.F + plan.H;
    plan.row = (rounded(plan.terms + 1, 16) / 16 | 1) * 16;
    plan.gate = plan.columns + 16;
    plan.chunks = (plan.N + CHUNK - 1) / CHUNK;
    plan.parts = least(plan.chunks, PARTS);
    return plan;
}

/* The digest of the source from which this library was built. */
const char *source(void) { return SOURCE; }

/* The shapes of what layer_forward keeps: rows (T + 1, N, row), gates (T, N, columns), states (T + 1, N, state).
 * The hidden states after step t are rows[t + 1, :, F : F + H]. */
void layer_shapes(const Sizes *sizes, int64_t *row, int64_t *columns, int64_t *state) {
    const Plan plan = planned(sizes);
    *row = plan.row, *columns = plan.columns, *state = plan.state;
}

/* The sum of a block of torch's weights of the input, or of the hidden state; a GRU's blocks are r, z, n. */
static int64_t sum_of(const Plan *plan, int64_t block, int hidden) {
    return plan->cell != GRU ? block : block < 2 ? block + 1 : hidden ? 3 : 0;
}

/* The weights of one step: (units / span, F + H, vectors, WIDTH), of the sums that each term adds to. */
static void pack_forward(const Plan *plan, const float *w_ih, const float *w_hh, float *packed) {
    const int64_t width = plan->blocks * plan->span;
    memset(packed, 0, (size_t)(plan->blocks * plan->units * plan->terms) * sizeof *packed);
    for (int64_t row = 0; row < plan->blocks * plan->H; row++)
        for (int hidden = 0; hidden < 2; hidden++) {
            const int64_t unit = row % plan->H, columns = hidden ? plan->H : plan->F;
            const int64_t vector = sum_of(plan, row / plan->H, hidden) - hidden * plan->hidden;
            const float *from = (hidden ? w_hh : w_ih) + row * columns;
            float *to = packed + (unit / plan->span * plan->terms + hidden * plan->F) * width;
            for (int64_t column = 0; column < columns; column++)
                to[column * width + vector * WIDTH + unit % plan->span] = from[column];
        }
}

/* w (blocks H, columns) as panels for the way back: (columns / PANEL, blocks units, PANEL), columns padded to WIDE. */
static void pack_back(const Plan *plan, const float *w, int64_t columns, int hidden, float *packed) {
    const int64_t rows = plan->blocks * plan->units;
    memset(packed, 0, (size_t)(rows * rounded(columns, WIDE)) * sizeof *packed);
    for (int64_t block = 0; block < plan->blocks; block++)
        for (int64_t unit = 0; unit < plan->H; unit++) {
            const int64_t row = (sum_of(plan, block, hidden) - hidden * plan->hidden) * plan->units + unit;
            for (int64_t column = 0; column < columns; column++)
                packed[(column / PANEL * rows + row) * PANEL + column % PANEL] =
                    w[(block * plan->H + unit) * columns + column];
        }
}

INLINE void store_valid(float *to, Vector value, int64_t valid) { /* beyond the units stands the one */
    if (valid >= WIDTH) store(to, value);
    else if (valid > 0) memcpy(to, &value, (size_t)valid * sizeof *to);
}

/* One step of `count` sequences and a panel of units. */
static void step(const Plan *plan, int64_t count, int64_t unit, const float *weights, const float *bias,
                 const float *row_in, float *row_out, float *gates, float *states) {
    const int64_t apart = plan->cell == PLAIN ? WIDTH : plan->units, valid = plan->H - unit, F = plan->F;
    float sums[CHUNK][PANEL];
    for (int64_t row = 0; row < count; row++)
        for (int v = 0; v < 4; v++) store(sums[row] + v * WIDTH, load(bias + v * apart + unit));
    if (plan->cell == GRU) {
        add_panel(count, 0, 3, F, row_in, plan->row, 1, weights, *sums, PANEL);
        add_panel(count, 1, 3, plan->H, row_in + F, plan->row, 1, weights + F * 3 * WIDTH, *sums, PANEL);
    } else {
        add_panel(count, 0, 4, plan->terms, row_in, plan->row, 1, weights, *sums, PANEL);
    }
    for (int64_t row = 0; row < count; row++) {
        Vector sum[4], hidden;
        for (int v = 0; v < 4; v++) sum[v] = load(sums[row] + v * WIDTH);
        float *state = states + row * plan->state + unit, *out = row_out + row * plan->row + F + unit;
        if (plan->cell == LSTM) {
            sum[0] = sigmoid(sum[0]), sum[1] = sigmoid(sum[1]), sum[2] = tangent(sum[2]), sum[3] = sigmoid(sum[3]);
            Vector cell = fused(sum[1], load(state), sum[0] * sum[2]);
            store(state + plan->N * plan->state, cell);
            store_valid(out, sum[3] * tangent(cell), valid);
        } else if (plan->cell == GRU) {
            sum[1] = sigmoid(sum[1]), sum[2] = sigmoid(sum[2]), sum[0] = tangent(fused(sum[1], sum[3], sum[0]));
            hidden = fused(sum[2], load(state) - sum[0], sum[0]);
            store(state + plan->N * plan->state, hidden);
            store_valid(out, hidden, valid);
        } else {
            for (int v = 0; v < 4; v++) store_valid(out + v * WIDTH, sum[v] = tangent(sum[v]), valid - v * WIDTH);
        }
        for (int v = 0; v < 4; v++) store(gates + row * plan->columns + unit + v * apart, sum[v]);
    }
}

/* All steps of `count` sequences from the first on. */
static void walk(const Plan *plan, int64_t first, int64_t count, const float *x, const float *weights,
                 const float *bias, float *rows, float *gates, float *states) {
    for (int64_t at = 0; at < count * plan->state; at++) states[first * plan->state + at] = 0;
    for (int64_t t = 0; t <= plan->T; t++)
        for (int64_t n = first; n < first + count; n++) {
            float *row = rows + (t * plan->N + n) * plan->row;
            if (t == 0) memset(row, 0, (size_t)plan->row * sizeof *row);
            if (t < plan->T) memcpy(row, x + (n * plan->T + t) * plan->F, (size_t)plan->F * sizeof *row);
            row[plan->terms] = 1.0f;
        }
    for (int64_t t = 0; t < plan->T; t++) {
        const int64_t at = t * plan->N + first;
        for (int64_t unit = 0; unit < plan->units; unit += plan->span)
            step(plan, count, unit, weights + unit * plan->blocks * plan->terms, bias, rows + at * plan->row,
                 rows + (at + plan->N) * plan->row, gates + at * plan->columns, states + at * plan->state);
    }
}

/* x (N, T, F), w_ih (G, F), w_hh (G, H), biases (G), G = blocks * H; the initial state is zero. Writes rows, gates and
 * states, which layer_backward needs. Returns 1 without memory, else 0. */
int layer_forward(const Sizes *sizes, const float *x, const float *w_ih, const float *w_hh, const float *b_ih,
                  const float *b_hh, float *rows, float *gates, float *states) {
    const Plan plan = planned(sizes);
    float *weights = allocated(plan.columns * (plan.terms + 1));
    if (!weights) return 1;
    pack_forward(&plan, w_ih, w_hh, weights);
    float *bias = weights + plan.columns * plan.terms;
    memset(bias, 0, (size_t)plan.columns * sizeof *bias);
    for (int64_t row = 0; row < plan.blocks * plan.H; row++) {
        bias[sum_of(&plan, row / plan.H, 0) * plan.units + row % plan.H] += b_ih[row];
        bias[sum_of(&plan, row / plan.H, 1) * plan.units + row % plan.H] += b_hh[row];
    }
#pragma omp parallel for schedule(dynamic) num_threads(plan.threads)
    for (int64_t chunk = 0; chunk < plan.chunks; chunk++)
        walk(&plan, chunk * CHUNK, least(CHUNK, plan.N - chunk * CHUNK), x, weights, bias, rows, gates, states);
    free(weights);
    return 0;
}

/* What a part of the batch needs on the way back. */
typedef struct {
    float *d_gates;   /* (STEPS * CHUNK, gate) */
    float *rows;      /* (STEPS * CHUNK, row), in the order of d_gates */
    float *panel;     /* (STEPS * CHUNK, PANEL) of d_gates */
    float *d_hidden;  /* (CHUNK, H, padded to WIDE) */
    float *d_state;   /* (CHUNK, state) */
    float *d_input;   /* (CHUNK, F, padded to WIDE) */
    float *d_weights; /* (F + H + 1, gate): the sum so far */
} Scratch;

/* Gradients of the sums of one sequence at one step; d_hidden is complete, d_state becomes that of the step before. */
static void gate_gradients(const Plan *plan, const float *gates, const float *states, const float *d_hidden,
                           float *d_state, float *d_gates) {
    const int64_t units = plan->units;
    for (int64_t unit = 0; unit < units; unit += WIDTH) {
        const float *gate = gates + unit, *state = states + unit;
        float *to = d_gates + unit;
        Vector dh = load(d_hidden + unit);
        if (plan->cell == LSTM) {
            Vector i = load(gate), f = load(gate + units), g = load(gate + 2 * units), o = load(gate + 3 * units);
            Vector out = tangent(load(state + plan->N * units));
            Vector d_cell = fused(dh * o, 1.0f - out * out, load(d_state + unit));
            store(to, d_cell * g * (i * (1.0f - i)));
            store(to + units, d_cell * load(state) * (f * (1.0f - f)));
            store(to + 2 * units, d_cell * i * (1.0f - g * g));
            store(to + 3 * units, dh * out * (o * (1.0f - o)));
            store(d_state + unit, d_cell * f);
        } else if (plan->cell == GRU) {
            Vector n = load(gate), r = load(gate + units), z = load(gate + 2 * units), part = load(gate + 3 * units);
            dh = dh + load(d_state + unit);
            Vector d_n = dh * (1.0f - z) * (1.0f - n * n);
            store(to, d_n);
            store(to + units, d_n * part * (r * (1.0f - r)));
            store(to + 2 * units, dh * (load(state) - n) * (z * (1.0f - z)));
            store(to + 3 * units, d_n * r);
            store(d_state + unit, dh * z);
        } else {
            store(to, dh * (1.0f - load(gate) * load(gate)));
        }
    }
}

/* Adds the products of the gradients of sums of some steps with the rows of these steps. */
static void add_weight_gradients(const Plan *plan, int64_t terms, const Scratch *my) {
    for (int64_t column = 0; column < plan->columns; column += PANEL) {
        for (int64_t term = 0; term < terms; term++) /* from far apart to one place in the cache */
            for (int64_t v = 0; v < PANEL; v += WIDTH)
                store(my->panel + term * PANEL + v, load(my->d_gates + term * plan->gate + column + v));
        const int64_t first = column < plan->blocks * plan->units ? 0 : plan->F; /* of sums that take from the input, */
        const int64_t last = column + PANEL > plan->hidden * plan->units ? plan->terms : plan->F; /* the hidden state */
        float *out = my->d_weights + column;
        add_product(last - first, PANEL, terms, my->rows + first, 1, plan->row, my->panel, out + first * plan->gate,
                    plan->gate);
        add_product(1, PANEL, terms, my->rows + plan->terms, 1, plan->row, my->panel, out + plan->terms * plan->gate,
                    plan->gate);
    }
}

static void walk_back(const Plan *plan, int64_t first, int64_t count, const Scratch *my, const float *back_hidden,
                      const float *back_input, const float *rows, const float *gates, const float *states,
                      const float *d_outputs, const float *d_last, float *dx) {
    const int64_t H = plan->H, T = plan->T, F = plan->F, wide = rounded(H, WIDE), padded = rounded(F, WIDE);
    const int64_t summed = plan->blocks * plan->units;
    memset(my->d_hidden, 0, (size_t)(count * wide) * sizeof(float));
    memset(my->d_state, 0, (size_t)(count * plan->state) * sizeof(float));
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
            gate_gradients(plan, gates + (at + n) * plan->columns, states + (at + n) * plan->state, d_hidden,
                           my->d_state + n * plan->state, d_gates + n * plan->gate);
        }
        memcpy(my->rows + held * count * plan->row, rows + at * plan->row, (size_t)(count * plan->row) * sizeof(float));
        memset(my->d_hidden, 0, (size_t)(count * wide) * sizeof(float));
        if (t)
            add_product(count, wide, summed, d_gates + plan->hidden * plan->units, plan->gate, 1, back_hidden,
                        my->d_hidden, wide);
        if (dx) {
            memset(my->d_input, 0, (size_t)(count * padded) * sizeof(float));
            add_product(count, padded, summed, d_gates, plan->gate, 1, back_input, my->d_input, padded);
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
static void sum_parts(const Plan *plan, const Scratch *scratch, float *dw_ih, float *dw_hh, float *db_ih,
                      float *db_hh) {
#pragma omp parallel for schedule(static) num_threads(plan->threads)
    for (int64_t term = 0; term <= plan->terms; term++) {
        float *sum = scratch[0].d_weights + term * plan->gate;
        for (int64_t part = 1; part < plan->parts; part++)
            for (int64_t column = 0; column < plan->columns; column++)
                sum[column] += scratch[part].d_weights[term * plan->gate + column];
        for (int64_t row = 0; row < plan->blocks * plan->H; row++) {
            const float *of_input = sum + sum_of(plan, row / plan->H, 0) * plan->units + row % plan->H;
            const float *of_hidden = sum + sum_of(plan, row / plan->H, 1) * plan->units + row % plan->H;
            if (term < plan->F) dw_ih[row * plan->F + term] = *of_input;
            else if (term < plan->terms) dw_hh[row * plan->H + term - plan->F] = *of_hidden;
            else db_ih[row] = *of_input, db_hh[row] = *of_hidden;
        }
    }
}

/* Places of each part's scratch in one block of memory; its size in floats if there is no memory. */
static int64_t divided(const Plan *plan, float *memory, Scratch *scratch) {
    const int64_t held = STEPS * least(CHUNK, plan->N), count = least(CHUNK, plan->N);
    const int64_t sizes[] = {held * plan->gate, held * plan->row, held * PANEL, count * rounded(plan->H, WIDE),
                             count * plan->state, count * rounded(plan->F, WIDE), (plan->terms + 1) * plan->gate};
    int64_t used = 0;
    for (int64_t part = 0; part < plan->parts; part++)
        for (int place = 0; place < 7; place++) {
            if (memory) ((float **)&scratch[part])[place] = memory + used;
            used += rounded(sizes[place], 16);
        }
    return used;
}

/* rows, gates and states: of layer_forward. d_outputs (N, T, H) and d_last (N, H), of the last hidden state, may be
 * NULL: zero; dx (N, T, F) may be NULL: not wanted. Writes dw_ih (G, F), dw_hh (G, H), db_ih and db_hh (G) and dx.
 * Returns 1 without memory, else 0. */
int layer_backward(const Sizes *sizes, const float *w_ih, const float *w_hh, const float *rows, const float *gates,
                   const float *states, const float *d_outputs, const float *d_last, float *dw_ih, float *dw_hh,
                   float *db_ih, float *db_hh, float *dx) {
    const Plan plan = planned(sizes);
    const int64_t summed = plan.blocks * plan.units;
    const int64_t hidden = summed * rounded(plan.H, WIDE), input = summed * rounded(plan.F, WIDE);
    float *back_hidden = allocated(hidden + (dx ? input : 0) + divided(&plan, NULL, NULL));
    if (!back_hidden) return 1;
    float *back_input = back_hidden + hidden;
    Scratch scratch[PARTS];
    divided(&plan, back_input + (dx ? input : 0), scratch);
    pack_back(&plan, w_hh, plan.H, 1, back_hidden);
    if (dx) pack_back(&plan, w_ih, plan.F, 0, back_input);
#pragma omp parallel for schedule(dynamic) num_threads(plan.threads)
    for (int64_t part = 0; part < plan.parts; part++) {
        const int64_t end = (part + 1) * plan.chunks / plan.parts;
        memset(scratch[part].d_weights, 0, (size_t)((plan.terms + 1) * plan.gate) * sizeof(float));
        for (int64_t chunk = part * plan.chunks / plan.parts; chunk < end; chunk++)
            walk_back(&plan, chunk * CHUNK, least(CHUNK, plan.N - chunk * CHUNK), &scratch[part], back_hidden,
                      back_input, rows, gates, states, d_outputs, d_last, dx);
    }
    sum_parts(&plan, scratch, dw_ih, dw_hh, db_ih, db_hh);
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
 * shape, comes from the place matrix (x, y) + shift + move, in pixels from the middle; places float64 (N, 6): the
 * matrix, (2, 2), and the shift, (2,); moves (N, height, width, 2) in x and y, or NULL. */
void resample(int64_t N, int64_t height, int64_t width, const uint8_t *images, const double *places,
              const float *moves, uint8_t *out) {
    const double middle_y = (double)(height - 1) / 2, middle_x = (double)(width - 1) / 2;
    for (int64_t n = 0; n < N; n++, places += 6, images += height * width)
        for (int64_t row = 0; row < height; row++)
            for (int64_t column = 0; column < width; column++) {
                const double right = (double)column - middle_x, down = (double)row - middle_y;
                double x = places[0] * right + places[1] * down + places[4] + middle_x;
                double y = places[2] * right + places[3] * down + places[5] + middle_y;
                if (moves) x += *moves++, y += *moves++;
                const double x0 = floor(x), y0 = floor(y), across = x - x0, along = y - y0;
                const double above = pixel(images, height, width, y0, x0) * (1 - across) +
                                     pixel(images, height, width, y0, x0 + 1) * across;
                const double below = pixel(images, height, width, y0 + 1, x0) * (1 - across) +
                                     pixel(images, height, width, y0 + 1, x0 + 1) * across;
                *out++ = (uint8_t)rint(above * (1 - along) + below * along);
            }
}
