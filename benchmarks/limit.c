/* Multiplies and adds in registers alone, which no product of matrices can exceed on the same processor. */
#include <stdint.h>

#ifdef __AVX512F__
#define LANES 16
#else
#define LANES 8
#endif
#define SUMS 12 /* independent, so that each waits for none */

typedef float Vector __attribute__((vector_size(4 * LANES)));

/* Makes `rounds` x SUMS x LANES multiplications with an addition each; returns their sum so that none is left out. */
float multiply(int64_t rounds, float factor) {
    Vector sums[SUMS], factors = factor - (Vector){0};
    for (int at = 0; at < SUMS; at++)
        sums[at] = factors * (float)at; /* equal ones would be computed once */
    for (int64_t round = 0; round < rounds; round++)
        for (int at = 0; at < SUMS; at++)
            sums[at] = sums[at] * factors + factors;
    float total = 0;
    for (int at = 0; at < SUMS * LANES; at++)
        total += sums[at / LANES][at % LANES];
    return total;
}

int64_t operations(int64_t rounds) { return rounds * SUMS * LANES * 2; }
