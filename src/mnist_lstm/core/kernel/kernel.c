/* The arithmetic of an update, with the same bits on every processor and with any number of threads.
 *
 * Every sum has one order that no vector width and no number of threads changes: vectors run along units, never along
 * a sum; each product in a sum of the layer is a fused multiply-add; the batch is split by a rule of its size alone;
 * exponential, logarithm and tanh are functions of this file. It must be compiled with -ffp-contract=off.
 *
 * With -DBFLOAT16 the layer keeps rows and gates in 16 bits and multiplies pairs of bfloat16 by the processor's own
 * instruction, so its bits are those of such processors alone; states, sums and all else stay float32.
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

INLINE Vector bounded(Vector x, float bound) { /* not a number stays so: of two, these give the second then */
#if WIDTH == 16
    return (Vector)_mm512_max_ps((__m512)all(-bound), _mm512_min_ps((__m512)all(bound), (__m512)x));
#elif WIDTH == 8
    return (Vector)_mm256_max_ps((__m256)all(-bound), _mm256_min_ps((__m256)all(bound), (__m256)x));
#else
    const Integers low = x < -bound, high = x > bound;
    return (Vector)(((Integers)x & ~(low | high)) | ((Integers)all(-bound) & low) | ((Integers)all(bound) & high));
#endif
}

/* Factors of the layer's products: `PAIR` neighbouring terms, or rows, are multiplied at once, and lie together. Gates
 * are between -1 and 1, so that 16 bits of fixed point keep more of them than bfloat16 would. */
#ifdef BFLOAT16
typedef uint16_t Factor;
typedef int16_t Gate;
enum { PAIR = 2, LINE = 32, FIXED = 32767 };
INLINE Vector widened(const Factor *from) {
    return (Vector)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from)), 16);
}
INLINE void narrow(Factor *to, Vector value) {
    _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh((__m512)value));
}
INLINE Vector gate_in(const Gate *from) {
    const __m512i whole = _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)from));
    return (Vector)_mm512_cvtepi32_ps(whole) * (1.0f / FIXED);
}
INLINE void keep_gate(Gate *to, Vector value) {
    _mm256_storeu_si256((__m256i *)to, _mm512_cvtepi32_epi16(_mm512_cvtps_epi32((__m512)(value * (float)FIXED))));
}
INLINE Factor factor_of(float value) { /* rounded to even; not a number stays so */
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return value != value ? 0x7fff : (Factor)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
INLINE Vector pair_in(const Factor *from) {
    int32_t pair;
    memcpy(&pair, from, sizeof pair);
    return (Vector)_mm512_set1_epi32(pair);
}
INLINE Vector multiplied(Vector a, Vector b, Vector sum) {
    return (Vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
}
#else
typedef float Factor;
typedef float Gate;
enum { PAIR = 1, LINE = 16 };
INLINE Vector widened(const Factor *from) { return load(from); }
INLINE void narrow(Factor *to, Vector value) { store(to, value); }
INLINE Vector gate_in(const Gate *from) { return load(from); }
INLINE void keep_gate(Gate *to, Vector value) { store(to, value); }
INLINE Factor factor_of(float value) { return value; }
INLINE Vector pair_in(const Factor *from) { return all(*from); }
INLINE Vector multiplied(Vector a, Vector b, Vector sum) { return fused(a, b, sum); }
#endif

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
INLINE void add_tile(int rows, int first, int vectors, int64_t pairs, const Factor *a, int64_t a_row, int64_t a_pair,
                     const Factor *b, float *out, int64_t out_row) {
    Vector sums[TILE][4];
    for (int row = 0; row < rows; row++)
        for (int v = 0; v < vectors; v++) sums[row][v] = load(out + row * out_row + (first + v) * WIDTH);
    for (int64_t pair = 0; pair < pairs; pair++) {
        Vector factor[TILE];
        for (int row = 0; row < rows; row++) factor[row] = pair_in(a + row * a_row + pair * a_pair);
        for (int v = 0; v < vectors; v++) {
            Vector weights = load((const float *)(b + (pair * vectors + v) * WIDTH * PAIR));
            PIN(weights);
            for (int row = 0; row < rows; row++) sums[row][v] = multiplied(factor[row], weights, sums[row][v]);
        }
    }
    for (int row = 0; row < rows; row++)
        for (int v = 0; v < vectors; v++) store(out + row * out_row + (first + v) * WIDTH, sums[row][v]);
}

/* out (rows, PANEL) += a b, in the vectors of a panel from `first` on, over the terms in their order.
 * a: rows `a_row` and pairs of terms `a_pair` factors apart; b (pairs, vectors, WIDTH, PAIR). */
INLINE void add_panel(int64_t rows, int first, int vectors, int64_t pairs, const Factor *a, int64_t a_row,
                      int64_t a_pair, const Factor *b, float *out, int64_t out_row) {
    int64_t row = 0;
#define ADD(size) \
    add_tile(size, first, vectors, pairs, a + row * a_row, a_row, a_pair, b, out + row * out_row, out_row)
    for (; row + TILE <= rows; row += TILE) ADD(TILE);
    for (; row + 2 <= rows; row += 2) ADD(2);
    if (row < rows) ADD(1);
#undef ADD
}

/* out (rows, columns) += a b, columns a multiple of PANEL; b (columns / PANEL, pairs, PANEL, PAIR). */
static void add_product(int64_t rows, int64_t columns, int64_t pairs, const Factor *a, int64_t a_row, int64_t a_pair,
                        const Factor *b, float *out, int64_t out_row) {
    for (int64_t column = 0; column < columns; column += PANEL)
        add_panel(rows, 0, 4, pairs, a, a_row, a_pair, b + column * pairs * PAIR, out + column, out_row);
}

/* to (pairs, columns, PAIR) of from (rows, columns), columns a multiple of WIDTH. */
static void paired(int64_t rows, int64_t columns, const Factor *from, int64_t from_row, Factor *to, int64_t to_row) {
#ifdef BFLOAT16
    for (int64_t row = 0; row < rows; row += 2, from += 2 * from_row, to += 2 * to_row)
        for (int64_t column = 0; column < columns; column += WIDTH) {
            const Vector second = row + 1 < rows ? widened(from + from_row + column) : all(0);
            const __m512i first = _mm512_srli_epi32((__m512i)widened(from + column), 16);
            store((float *)(to + 2 * column), (Vector)_mm512_or_si512((__m512i)second, first));
        }
#else
    for (int64_t row = 0; row < rows; row++)
        memcpy(to + row * to_row, from + row * from_row, (size_t)columns * sizeof *to);
#endif
}

/* A unit has sums: an LSTM those of its gates i, f, g, o, a plain cell one, and a GRU four: the input's part of n, r, z,
 * and the hidden state's part of n, which r multiplies. So a GRU's first three take from the input, and its last three
 * from the hidden state. */
enum { LSTM, GRU, PLAIN };

typedef struct {
    int64_t N, T, F, H, cell, threads;
    int64_t kept; /* 1: gates and states of all steps, which the way back needs; 0: of the latest step */
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
    int64_t inputs;  /* F, padded to pairs */
    int64_t terms;   /* a row holds the inputs, the hidden state before the step, padded to pairs, and a one */
    int64_t row;     /* factors from row to row: an odd number of cache lines, so that a column fills all cache sets */
    int64_t next;    /* sequences from a step's gates and states to those of the next step: N, or 0 if not kept */
    int64_t gate;    /* factors from sequence to sequence in the gradients of sums, odd for the same reason */
    int64_t parts, chunks;
    int threads;
} Plan;

static Plan planned(const Sizes *sizes) {
    Plan plan = {.N = sizes->N, .T = sizes->T, .F = sizes->F, .H = sizes->H, .cell = sizes->cell};
    plan.threads = (int)sizes->threads;
    plan.next = sizes->kept * plan.N;
    plan.blocks = plan.cell == LSTM ? 4 : plan.cell == GRU ? 3 : 1;
    plan.hidden = plan.cell == GRU;
    plan.sums = plan.cell == PLAIN ? 1 : 4;
    plan.span = PANEL / plan.sums;
    plan.units = rounded(plan.H, plan.cell == PLAIN ? WIDE : UNITS);
    plan.columns = plan.sums * plan.units;
    plan.state = plan.cell == PLAIN ? 0 : plan.units;
    plan.inputs = rounded(plan.F, PAIR);
    plan.terms = plan.inputs + rounded(plan.H, PAIR);
    plan.row = (rounded(plan.terms + 1, LINE) / LINE | 1) * LINE;
    plan.gate = rounded(plan.columns, 2 * LINE) + LINE;
    plan.chunks = (plan.N + CHUNK - 1) / CHUNK;
    plan.parts = least(plan.chunks, PARTS);
    return plan;
}

/* The digest of the source from which this library was built. */
const char *source(void) { return SOURCE; }

/* The shapes of what layer_forward keeps: rows (T + 1, N, row), gates (T, N, columns), states (T + 1, N, state); of the
 * last two only (1, N, ...) if not kept.
 * The hidden states after step t are rows[t + 1, :, inputs : inputs + H]. */
void layer_shapes(const Sizes *sizes, int64_t *inputs, int64_t *row, int64_t *columns, int64_t *state) {
    const Plan plan = planned(sizes);
    *inputs = plan.inputs, *row = plan.row, *columns = plan.columns, *state = plan.state;
}

/* The sum of a block of torch's weights of the input, or of the hidden state; a GRU's blocks are r, z, n. */
static int64_t sum_of(const Plan *plan, int64_t block, int hidden) {
    return plan->cell != GRU ? block : block < 2 ? block + 1 : hidden ? 3 : 0;
}

/* The weights of one step: (units / span, pairs of terms, vectors, WIDTH, PAIR), of the sums that each adds to. */
static void pack_forward(const Plan *plan, const float *w_ih, const float *w_hh, Factor *packed) {
    const int64_t width = plan->blocks * plan->span;
#pragma omp parallel for schedule(static) num_threads(plan->threads)
    for (int64_t first = 0; first < plan->units; first += plan->span) {
        Factor *panel = packed + first * plan->blocks * plan->terms;
        memset(panel, 0, (size_t)(width * plan->terms) * sizeof *panel);
        for (int64_t at = 0; at < 2 * plan->blocks; at++) {
            const int64_t hidden = at % 2, block = at / 2, columns = hidden ? plan->H : plan->F;
            const int64_t vector = sum_of(plan, block, (int)hidden) - hidden * plan->hidden;
            const float *from = (hidden ? w_hh : w_ih) + (block * plan->H + first) * columns;
            Factor *to = panel + hidden * plan->inputs * width + vector * WIDTH * PAIR;
            for (int64_t column = 0; column < columns; column++)
                for (int64_t unit = 0; unit < least(plan->span, plan->H - first); unit++)
                    to[(column / PAIR * width + unit) * PAIR + column % PAIR] = factor_of(from[unit * columns + column]);
        }
    }
}

/* w (blocks H, columns) as panels for the way back: (columns / PANEL, blocks units in pairs, PANEL, PAIR), columns
 * padded to WIDE. */
static void pack_back(const Plan *plan, const float *w, int64_t columns, int hidden, Factor *packed) {
    const int64_t rows = plan->blocks * plan->units;
    memset(packed, 0, (size_t)(rows * rounded(columns, WIDE)) * sizeof *packed);
#pragma omp parallel for schedule(static) num_threads(plan->threads)
    for (int64_t from = 0; from < plan->blocks * plan->H; from++) {
        const int64_t block = sum_of(plan, from / plan->H, hidden) - hidden * plan->hidden;
        const int64_t row = block * plan->units + from % plan->H;
        for (int64_t column = 0; column < columns; column++)
            packed[((column / PANEL * rows + row) / PAIR * PANEL + column % PANEL) * PAIR + row % PAIR] =
                factor_of(w[from * columns + column]);
    }
}

INLINE void narrow_valid(Factor *to, Vector value, int64_t valid) { /* beyond the units stands the one */
    Factor all_of[WIDTH];
    if (valid >= WIDTH) narrow(to, value);
    else if (valid > 0) narrow(all_of, value), memcpy(to, all_of, (size_t)valid * sizeof *to);
}

/* One step of `count` sequences and a panel of units. */
static void step(const Plan *plan, int64_t count, int64_t unit, const Factor *weights, const float *bias,
                 const Factor *row_in, Factor *row_out, Gate *gates, float *states) {
    const int64_t apart = plan->cell == PLAIN ? WIDTH : plan->units, valid = plan->H - unit, inputs = plan->inputs;
    float sums[CHUNK][PANEL];
    for (int64_t row = 0; row < count; row++)
        for (int v = 0; v < 4; v++) store(sums[row] + v * WIDTH, load(bias + v * apart + unit));
    if (plan->cell == GRU) {
        add_panel(count, 0, 3, inputs / PAIR, row_in, plan->row, PAIR, weights, *sums, PANEL);
        add_panel(count, 1, 3, (plan->terms - inputs) / PAIR, row_in + inputs, plan->row, PAIR,
                  weights + inputs * 3 * WIDTH, *sums, PANEL);
    } else {
        add_panel(count, 0, 4, plan->terms / PAIR, row_in, plan->row, PAIR, weights, *sums, PANEL);
    }
    for (int64_t row = 0; row < count; row++) {
        Vector sum[4], hidden;
        for (int v = 0; v < 4; v++) sum[v] = load(sums[row] + v * WIDTH);
        float *state = states + row * plan->state + unit;
        Factor *out = row_out + row * plan->row + inputs + unit;
        Gate *gate = gates + row * plan->columns + unit * plan->sums; /* those of a panel lie together */
        if (plan->cell == LSTM) {
            sum[0] = sigmoid(sum[0]), sum[1] = sigmoid(sum[1]), sum[2] = tangent(sum[2]), sum[3] = sigmoid(sum[3]);
            Vector cell = fused(sum[1], load(state), sum[0] * sum[2]);
            store(state + plan->next * plan->state, cell);
            narrow_valid(out, sum[3] * tangent(cell), valid);
        } else if (plan->cell == GRU) {
            sum[1] = sigmoid(sum[1]), sum[2] = sigmoid(sum[2]), sum[0] = tangent(fused(sum[1], sum[3], sum[0]));
            hidden = fused(sum[2], load(state) - sum[0], sum[0]);
            store(state + plan->next * plan->state, hidden);
            narrow_valid(out, hidden, valid);
        } else {
            for (int v = 0; v < 4; v++) narrow_valid(out + v * WIDTH, sum[v] = tangent(sum[v]), valid - v * WIDTH);
        }
        for (int v = 0; v < 3; v++) keep_gate(gate + v * WIDTH, sum[v]);
        if (plan->cell == GRU) narrow((Factor *)gate + 3 * WIDTH, sum[3]); /* of any size */
        else keep_gate(gate + 3 * WIDTH, sum[3]);
    }
}

/* All steps of `count` sequences from the first on. */
static void walk(const Plan *plan, int64_t first, int64_t count, const float *x, const Factor *weights,
                 const float *bias, Factor *rows, Gate *gates, float *states) {
    for (int64_t at = 0; at < count * plan->state; at++) states[first * plan->state + at] = 0;
    for (int64_t t = 0; t <= plan->T; t++)
        for (int64_t n = first; n < first + count; n++) {
            Factor *row = rows + (t * plan->N + n) * plan->row;
            if (t == 0) memset(row, 0, (size_t)plan->row * sizeof *row);
            row[plan->inputs - 1] = row[plan->terms - 1] = 0; /* where pairs are padded */
            for (int64_t f = 0; t < plan->T && f < plan->F; f++) row[f] = factor_of(x[(n * plan->T + t) * plan->F + f]);
            row[plan->terms] = factor_of(1);
        }
    for (int64_t t = 0; t < plan->T; t++) {
        const int64_t at = t * plan->N + first, kept = t * plan->next + first;
        for (int64_t unit = 0; unit < plan->units; unit += plan->span)
            step(plan, count, unit, weights + unit * plan->blocks * plan->terms, bias, rows + at * plan->row,
                 rows + (at + plan->N) * plan->row, gates + kept * plan->columns, states + kept * plan->state);
    }
}

/* x (N, T, F), w_ih (G, F), w_hh (G, H), biases (G), G = blocks * H; the initial state is zero. Writes rows, gates and
 * states, which layer_backward needs. Returns 1 without memory, else 0. */
int layer_forward(const Sizes *sizes, const float *x, const float *w_ih, const float *w_hh, const float *b_ih,
                  const float *b_hh, Factor *rows, Gate *gates, float *states) {
    const Plan plan = planned(sizes);
    float *bias = allocated(plan.columns * (plan.terms + 1));
    if (!bias) return 1;
    Factor *weights = (Factor *)(bias + plan.columns);
    pack_forward(&plan, w_ih, w_hh, weights);
    memset(bias, 0, (size_t)plan.columns * sizeof *bias);
    for (int64_t row = 0; row < plan.blocks * plan.H; row++) {
        bias[sum_of(&plan, row / plan.H, 0) * plan.units + row % plan.H] += b_ih[row];
        bias[sum_of(&plan, row / plan.H, 1) * plan.units + row % plan.H] += b_hh[row];
    }
#pragma omp parallel for schedule(dynamic) num_threads(plan.threads)
    for (int64_t chunk = 0; chunk < plan.chunks; chunk++)
        walk(&plan, chunk * CHUNK, least(CHUNK, plan.N - chunk * CHUNK), x, weights, bias, rows, gates, states);
    free(bias);
    return 0;
}

/* What a part of the batch needs on the way back. */
typedef struct {
    Factor *d_gates;  /* (STEPS * CHUNK, gate) */
    Factor *rows;     /* (STEPS * CHUNK in pairs, row, PAIR), in the order of d_gates */
    Factor *panel;    /* (STEPS * CHUNK in pairs, PANEL, PAIR) of d_gates */
    float *d_hidden;  /* (CHUNK, H, padded to WIDE) */
    float *d_state;   /* (CHUNK, state) */
    float *d_input;   /* (CHUNK, F, padded to WIDE) */
    float *d_weights; /* (F + H + 1, gate): the sum so far */
} Scratch;

/* Gradients of the sums of one sequence at one step; d_hidden is complete, d_state becomes that of the step before. */
static void gate_gradients(const Plan *plan, const Gate *gates, const float *states, const float *d_hidden,
                           float *d_state, Factor *d_gates) {
    const int64_t units = plan->units;
    for (int64_t unit = 0; unit < units; unit += WIDTH) {
        const Gate *gate = gates + unit * plan->sums;
        const float *state = states + unit;
        Factor *to = d_gates + unit;
        Vector dh = load(d_hidden + unit);
        if (plan->cell == LSTM) {
            Vector i = gate_in(gate), f = gate_in(gate + WIDTH), g = gate_in(gate + 2 * WIDTH);
            Vector o = gate_in(gate + 3 * WIDTH);
            Vector out = tangent(load(state + plan->N * units));
            Vector d_cell = fused(dh * o, 1.0f - out * out, load(d_state + unit));
            narrow(to, d_cell * g * (i * (1.0f - i)));
            narrow(to + units, d_cell * load(state) * (f * (1.0f - f)));
            narrow(to + 2 * units, d_cell * i * (1.0f - g * g));
            narrow(to + 3 * units, dh * out * (o * (1.0f - o)));
            store(d_state + unit, d_cell * f);
        } else if (plan->cell == GRU) {
            Vector n = gate_in(gate), r = gate_in(gate + WIDTH), z = gate_in(gate + 2 * WIDTH);
            Vector part = widened((const Factor *)gate + 3 * WIDTH);
            dh = dh + load(d_state + unit);
            Vector d_n = dh * (1.0f - z) * (1.0f - n * n);
            narrow(to, d_n);
            narrow(to + units, d_n * part * (r * (1.0f - r)));
            narrow(to + 2 * units, dh * (load(state) - n) * (z * (1.0f - z)));
            narrow(to + 3 * units, d_n * r);
            store(d_state + unit, dh * z);
        } else {
            Vector hidden = gate_in(gate);
            narrow(to, dh * (1.0f - hidden * hidden));
        }
    }
}

/* Adds the products of the gradients of sums of some steps with the rows of these steps. */
static void add_weight_gradients(const Plan *plan, int64_t pairs, const Scratch *my) {
    const int64_t row = plan->row * PAIR, gate = plan->gate, inputs = plan->inputs, terms = plan->terms;
    for (int64_t column = 0; column < plan->columns; column += PANEL) {
        paired(pairs * PAIR, PANEL, my->d_gates + column, gate, my->panel, PANEL); /* to one place in the cache */
        const int64_t first = column < plan->blocks * plan->units ? 0 : inputs; /* of sums that take from the input, */
        const int64_t last = column + PANEL > plan->hidden * plan->units ? terms : inputs; /* the hidden state */
        float *out = my->d_weights + column;
        add_product(last - first, PANEL, pairs, my->rows + first * PAIR, PAIR, row, my->panel, out + first * gate, gate);
        add_product(1, PANEL, pairs, my->rows + terms * PAIR, PAIR, row, my->panel, out + terms * gate, gate);
    }
}

static void walk_back(const Plan *plan, int64_t first, int64_t count, const Scratch *my, const Factor *back_hidden,
                      const Factor *back_input, const Factor *rows, const Gate *gates, const float *states,
                      const float *d_outputs, const float *d_last, float *dx) {
    const int64_t H = plan->H, T = plan->T, F = plan->F, wide = rounded(H, WIDE), padded = rounded(F, WIDE);
    const int64_t summed = plan->blocks * plan->units, even = rounded(count, PAIR);
    memset(my->d_gates, 0, (size_t)(even == count ? 0 : STEPS * even * plan->gate) * sizeof(Factor));
    memset(my->d_hidden, 0, (size_t)(count * wide) * sizeof(float));
    memset(my->d_state, 0, (size_t)(count * plan->state) * sizeof(float));
    for (int64_t n = 0; d_last && n < count; n++)
        memcpy(my->d_hidden + n * wide, d_last + (first + n) * H, (size_t)H * sizeof(float));
    int64_t held = 0; /* steps whose gate gradients wait for their products */
    for (int64_t t = T - 1; t >= 0; t--) {
        Factor *d_gates = my->d_gates + held * even * plan->gate;
        const int64_t at = t * plan->N + first;
        for (int64_t n = 0; n < count; n++) {
            float *d_hidden = my->d_hidden + n * wide;
            for (int64_t unit = 0; d_outputs && unit < H; unit++)
                d_hidden[unit] += d_outputs[((first + n) * T + t) * H + unit];
            gate_gradients(plan, gates + (at + n) * plan->columns, states + (at + n) * plan->state, d_hidden,
                           my->d_state + n * plan->state, d_gates + n * plan->gate);
        }
        paired(count, plan->row, rows + at * plan->row, plan->row, my->rows + held * even * plan->row, plan->row);
        memset(my->d_hidden, 0, (size_t)(count * wide) * sizeof(float));
        if (t)
            add_product(count, wide, summed / PAIR, d_gates + plan->hidden * plan->units, plan->gate, PAIR, back_hidden,
                        my->d_hidden, wide);
        if (dx) {
            memset(my->d_input, 0, (size_t)(count * padded) * sizeof(float));
            add_product(count, padded, summed / PAIR, d_gates, plan->gate, PAIR, back_input, my->d_input, padded);
            for (int64_t n = 0; n < count; n++)
                memcpy(dx + ((first + n) * T + t) * F, my->d_input + n * padded, (size_t)F * sizeof(float));
        }
        if (++held == STEPS || !t) {
            add_weight_gradients(plan, held * even / PAIR, my);
            held = 0;
        }
    }
}

/* Sums the partial gradients in order, into the shapes of torch's weights. */
static void sum_parts(const Plan *plan, const Scratch *scratch, float *dw_ih, float *dw_hh, float *db_ih,
                      float *db_hh) {
    const int64_t H = plan->H, F = plan->F, gate = plan->gate;
#pragma omp parallel num_threads(plan->threads)
    {
#pragma omp for schedule(static)
        for (int64_t at = 0; at < (plan->terms + 1) * gate; at += UNITS)
            for (int64_t part = 1; part < plan->parts; part++)
                for (int64_t lane = 0; lane < UNITS; lane++)
                    scratch[0].d_weights[at + lane] += scratch[part].d_weights[at + lane];
#pragma omp for schedule(static)
        for (int64_t row = 0; row < plan->blocks * H; row++) {
            const float *of_input = scratch[0].d_weights + sum_of(plan, row / H, 0) * plan->units + row % H;
            const float *of_hidden = scratch[0].d_weights + sum_of(plan, row / H, 1) * plan->units + row % H;
            for (int64_t f = 0; f < F; f++) dw_ih[row * F + f] = of_input[f * gate];
            for (int64_t h = 0; h < H; h++) dw_hh[row * H + h] = of_hidden[(plan->inputs + h) * gate];
            db_ih[row] = of_input[plan->terms * gate], db_hh[row] = of_hidden[plan->terms * gate];
        }
    }
}

/* Places of each part's scratch in one block of memory; its size in floats if there is no memory. */
static int64_t divided(const Plan *plan, float *memory, Scratch *scratch) {
    const int64_t held = STEPS * least(CHUNK, plan->N), count = least(CHUNK, plan->N);
    const int64_t sizes[] = {held * plan->gate, held * plan->row, held * PANEL, count * rounded(plan->H, WIDE),
                             count * plan->state, count * rounded(plan->F, WIDE), (plan->terms + 1) * plan->gate};
    int64_t used = 0;
    for (int64_t part = 0; part < plan->parts; part++) {
        float *at[7];
        for (int place = 0; place < 7; place++) {
            at[place] = memory ? memory + used : NULL;
            used += rounded(sizes[place], 16);
        }
        if (memory)
            scratch[part] = (Scratch){(Factor *)at[0], (Factor *)at[1], (Factor *)at[2], at[3], at[4], at[5], at[6]};
    }
    return used;
}

/* rows, gates and states: of layer_forward. d_outputs (N, T, H) and d_last (N, H), of the last hidden state, may be
 * NULL: zero; dx (N, T, F) may be NULL: not wanted. Writes dw_ih (G, F), dw_hh (G, H), db_ih and db_hh (G) and dx.
 * Returns 1 without memory, else 0. */
int layer_backward(const Sizes *sizes, const float *w_ih, const float *w_hh, const Factor *rows, const Gate *gates,
                   const float *states, const float *d_outputs, const float *d_last, float *dw_ih, float *dw_hh,
                   float *db_ih, float *db_hh, float *dx) {
    const Plan plan = planned(sizes);
    const int64_t summed = plan.blocks * plan.units;
    const int64_t hidden = summed * rounded(plan.H, WIDE), input = summed * rounded(plan.F, WIDE);
    float *memory = allocated(hidden + (dx ? input : 0) + divided(&plan, NULL, NULL));
    if (!memory) return 1;
    Factor *back_hidden = (Factor *)memory, *back_input = (Factor *)(memory + hidden);
    Scratch scratch[PARTS];
    divided(&plan, memory + hidden + (dx ? input : 0), scratch);
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
    free(memory);
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
