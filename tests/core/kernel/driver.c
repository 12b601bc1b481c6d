/* Trains a layer and its readout on made data by the kernel alone, and prints a digest of all bits: N T F H K updates and
 * the cell's number. */
#include "kernel.c"

#include <stdio.h>

static uint32_t drawn;

static float *made(int64_t count, float limit) {
    float *values = malloc((size_t)count * sizeof *values);
    for (int64_t at = 0; at < count; at++) {
        drawn = drawn * 1664525u + 1013904223u;
        values[at] = ((float)(drawn >> 8) / 8388608.0f - 1.0f) * limit;
    }
    return values;
}

static void add(uint64_t *digest, const void *bytes, size_t count) { /* FNV-1a */
    for (size_t at = 0; at < count; at++) *digest = (*digest ^ ((const uint8_t *)bytes)[at]) * 1099511628211u;
}

static float float_of(Factor factor) {
    if (PAIR == 1) return factor;
    const uint32_t bits = (uint32_t)factor << 16; /* of bfloat16 */
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

enum { W_IH, W_HH, BIAS, READOUT, SHIFT, WEIGHTS };

int main(int count, char **words) {
    if (count != 8) return 2;
    drawn = 1;
    const int64_t N = atoll(words[1]), T = atoll(words[2]), F = atoll(words[3]), H = atoll(words[4]);
    const int64_t K = atoll(words[5]), updates = atoll(words[6]), cell = atoll(words[7]);
    const Sizes sizes = {N, T, F, H, cell, 2, 1};
    const int64_t G = (cell == LSTM ? 4 : cell == GRU ? 3 : 1) * H;
    const int64_t counts[WEIGHTS] = {G * F, G * H, G, H * K, K};
    int64_t inputs, row, columns, state;
    layer_shapes(&sizes, &inputs, &row, &columns, &state);
    float *x = made(N * T * F, 1), *fixed = made(G, 1), *weights[WEIGHTS], *first[WEIGHTS], *second[WEIGHTS];
    float *gradients[WEIGHTS], *ones = malloc((size_t)N * sizeof(float)), *d_fixed = malloc((size_t)G * sizeof(float));
    for (int each = 0; each < WEIGHTS; each++) {
        weights[each] = made(counts[each], 0.2f), gradients[each] = made(counts[each], 0);
        first[each] = made(counts[each], 0), second[each] = made(counts[each], 0);
    }
    const size_t row_bytes = (size_t)((T + 1) * N * row) * sizeof(Factor);
    const size_t gate_bytes = (size_t)(T * N * columns) * sizeof(Gate);
    free(made((T + 1) * N * row, 0)), free(made(T * N * columns, 0)); /* the numbers drawn after these have digests */
    Factor *rows = memset(malloc(row_bytes), 0xff, row_bytes); /* not numbers: what is read must have been written */
    Gate *gates = memset(malloc(gate_bytes), 0xff, gate_bytes);
    float *states = made((T + 1) * N * state, 0);
    float *logits = made(N * K, 0), *d_logits = made(N * K, 0), *d_last = made(N * H, 0), *last = made(N * H, 0);
    float *turned = made(H * K, 0), *d_outputs = made(N * T * H, 0.001f), *dx = made(N * T * F, 0);
    int64_t *targets = malloc((size_t)N * sizeof *targets);
    for (int64_t n = 0; n < N; n++) targets[n] = n % K, ones[n] = 1;
    uint64_t digest = 14695981039346656037u;
    for (int64_t update = 1; update <= updates; update++) {
        if (layer_forward(&sizes, x, weights[W_IH], weights[W_HH], weights[BIAS], fixed, rows, gates, states)) return 1;
        for (int64_t at = 0; at < N * H; at++)
            last[at] = float_of(rows[(T * N + at / H) * row + inputs + at % H]);
        product(N, H, K, last, H, 1, weights[READOUT], weights[SHIFT], logits);
        const double loss = cross_entropy(N, K, logits, targets, 0.1, d_logits);
        for (int64_t h = 0; h < H; h++)
            for (int64_t k = 0; k < K; k++) turned[k * H + h] = weights[READOUT][h * K + k];
        product(N, K, H, d_logits, K, 1, turned, NULL, d_last);
        product(H, N, K, last, 1, H, d_logits, NULL, gradients[READOUT]);
        product(1, N, K, ones, N, 1, d_logits, NULL, gradients[SHIFT]);
        if (layer_backward(&sizes, weights[W_IH], weights[W_HH], rows, gates, states, update % 2 ? d_outputs : NULL,
                          d_last, gradients[W_IH], gradients[W_HH], gradients[BIAS], d_fixed, update % 3 ? dx : NULL))
            return 1;
        double norm = 0;
        for (int each = 0; each < WEIGHTS; each++) norm = sum_of_squares(counts[each], gradients[each], norm);
        for (int each = 0; each < WEIGHTS; each++) {
            if (each == SHIFT) sgd(counts[each], weights[each], gradients[each], first[each], 0.01, 0.1, 0.9);
            else adam(counts[each], weights[each], gradients[each], first[each], second[each], 0.01, 0.1, each % 2, update);
        }
        if (cell == GRU) add(&digest, d_fixed, (size_t)G * sizeof *d_fixed); /* that of BIAS in other cells */
        add(&digest, &loss, sizeof loss), add(&digest, &norm, sizeof norm);
        add(&digest, dx, (size_t)(N * T * F) * sizeof *dx);
    }
    for (int each = 0; each < WEIGHTS; each++) add(&digest, weights[each], (size_t)counts[each] * sizeof(float));
    move_average(counts[W_IH], first[W_IH], weights[W_IH], 0.25);
    add(&digest, first[W_IH], (size_t)counts[W_IH] * sizeof(float));
    uint8_t image[2 * 7 * 5], moved[2 * 7 * 5];
    const double places[12] = {0.9, 0.2, -0.3, 1.1, 1.5, -0.7, 1, 0, 0, 1, 100, -1e9};
    for (int at = 0; at < 70; at++) image[at] = (uint8_t)(at * 37);
    resample(2, 7, 5, image, places, NULL, moved);
    add(&digest, moved, sizeof moved);
    printf("%016llx\n", (unsigned long long)digest);
    void *all_of_them[] = {x,      fixed,    ones,   d_fixed, rows,   gates,     states,
                           logits, d_logits, d_last, last,    turned, d_outputs, dx};
    for (size_t at = 0; at < sizeof all_of_them / sizeof *all_of_them; at++) free(all_of_them[at]);
    for (int each = 0; each < WEIGHTS; each++)
        free(weights[each]), free(gradients[each]), free(first[each]), free(second[each]);
    free(targets);
    return 0;
}
