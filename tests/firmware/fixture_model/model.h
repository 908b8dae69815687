/* A tiny model by hand: the test double of the C folder's contract (docs/architecture.md). 8 -> 6 -> 4, two layers. */
#ifndef MODEL_H
#define MODEL_H

#include <stdint.h>

#define MODEL_INPUT_BYTES 8u
#define MODEL_INPUT_OFFSET 0u
#define MODEL_OUTPUT_BYTES 4u
#define MODEL_OUTPUT_OFFSET 0u /* over the input: a run destroys what it ran on */
#define MODEL_ARENA_BYTES 16u
#define MODEL_WEIGHTS_BYTES 176u
#define MODEL_LAYERS 2u

extern const uint8_t model_architecture_hash[16];
extern const uint8_t model_weights[];

int32_t model_check(const uint8_t *weights, uint32_t bytes);
void model_run(const uint8_t *weights, uint8_t *arena);
typedef void (*model_layer_fn)(void *context, uint32_t layer, const uint8_t *output, uint32_t bytes);
void model_profile(const uint8_t *weights, uint8_t *arena, model_layer_fn after, void *context);

#endif
