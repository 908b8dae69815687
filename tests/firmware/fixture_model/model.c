#include "model.h"

#include <string.h>

#define HEADER_BYTES 64u
#define HIDDEN_OFFSET 8u
#define HIDDEN 6u

const uint8_t model_architecture_hash[16] = {'f', 'i', 'x', 't', 'u', 'r', 'e', ' ',
                                             'm', 'o', 'd', 'e', 'l', ' ', '0', '1'};

/** y[o] = clamp((sum over i of w[o][i] x[i]) / 16), floor division. */
static void dense(const int8_t *weights, const int8_t *x, uint32_t inputs, int8_t *y, uint32_t outputs) {
    for (uint32_t o = 0; o < outputs; o++) {
        int32_t sum = 0;
        for (uint32_t i = 0; i < inputs; i++) sum += weights[o * inputs + i] * x[i];
        sum >>= 4;
        y[o] = (int8_t)(sum < -128 ? -128 : sum > 127 ? 127 : sum);
    }
}

static uint32_t word_at(const uint8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint32_t crc32(const uint8_t *bytes, uint32_t count) {
    uint32_t crc = 0xFFFFFFFFu;
    for (uint32_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

int32_t model_check(const uint8_t *weights, uint32_t bytes) {
    if (bytes != MODEL_WEIGHTS_BYTES || memcmp(weights, "HGW1", 4) != 0) return 1;
    if (memcmp(weights + 8, model_architecture_hash, sizeof model_architecture_hash) != 0) return 2;
    if (word_at(weights + 24) != bytes - HEADER_BYTES) return 3;
    return word_at(weights + 28) == crc32(weights + HEADER_BYTES, bytes - HEADER_BYTES) ? 0 : 4;
}

static void layer_0(const uint8_t *weights, uint8_t *arena) {
    dense((const int8_t *)weights + 64, (const int8_t *)arena, 8, (int8_t *)arena + HIDDEN_OFFSET, HIDDEN);
}

static void layer_1(const uint8_t *weights, uint8_t *arena) {
    dense((const int8_t *)weights + 112, (const int8_t *)arena + HIDDEN_OFFSET, HIDDEN, (int8_t *)arena, 4);
}

void model_run(const uint8_t *weights, uint8_t *arena) {
    layer_0(weights, arena);
    layer_1(weights, arena);
}

void model_profile(const uint8_t *weights, uint8_t *arena, model_layer_fn after, void *context) {
    layer_0(weights, arena);
    after(context, 0, arena + HIDDEN_OFFSET, HIDDEN);
    layer_1(weights, arena);
    after(context, 1, arena + MODEL_OUTPUT_OFFSET, MODEL_OUTPUT_BYTES);
}
