#include "model.h"

#include <stddef.h>
#include <string.h>

const uint8_t model_architecture_hash[16] = "link test model";

int32_t model_check(const uint8_t *weights, uint32_t bytes) {
    return bytes == MODEL_WEIGHTS_BYTES && memcmp(weights, "HGW1", 4) == 0 ? 0 : 1;
}

/* Layer 0: in place, every byte depends on its place and on the weights. */
static void scale(const uint8_t *weights, uint8_t *arena) {
    for (uint32_t i = 0; i < MODEL_INPUT_BYTES; i++) arena[i] = (uint8_t)(arena[i] * (weights[64 + i % 16] | 1u) + i);
}

/* Layer 1: in place, a running sum, so that one wrong byte is seen in all that follow. */
static void accumulate(uint8_t *arena) {
    for (uint32_t i = 1; i < MODEL_INPUT_BYTES; i++) arena[i] = (uint8_t)(arena[i] + arena[i - 1]);
}

/* Layer 2: the last bytes, reversed. */
static void reverse(uint8_t *arena) {
    for (uint32_t i = 0; i < MODEL_OUTPUT_BYTES; i++) arena[MODEL_OUTPUT_OFFSET + i] = arena[MODEL_INPUT_BYTES - 1 - i];
}

void model_profile(const uint8_t *weights, uint8_t *arena, model_layer_fn after, void *context) {
    scale(weights, arena);
    if (after != NULL) after(context, 0, arena, MODEL_INPUT_BYTES);
    accumulate(arena);
    if (after != NULL) after(context, 1, arena, MODEL_INPUT_BYTES);
    reverse(arena);
    if (after != NULL) after(context, 2, arena + MODEL_OUTPUT_OFFSET, MODEL_OUTPUT_BYTES);
}

void model_run(const uint8_t *weights, uint8_t *arena) {
    model_profile(weights, arena, NULL, NULL);
}
