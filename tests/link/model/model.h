/* A model for tests of the link: an input of several chunks, three layers, an output of three answers. As `compile`
 * emits one. */
#ifndef MODEL_H
#define MODEL_H

#include <stdint.h>

#define MODEL_INPUT_BYTES 2500u
#define MODEL_INPUT_OFFSET 0u
#define MODEL_OUTPUT_BYTES 2300u
#define MODEL_OUTPUT_OFFSET 2512u
#define MODEL_ARENA_BYTES 4816u
#define MODEL_WEIGHTS_BYTES 80u
#define MODEL_LAYERS 3u
extern const uint8_t model_architecture_hash[16];
extern const uint8_t model_weights[];

int32_t model_check(const uint8_t *weights, uint32_t bytes);
void model_run(const uint8_t *weights, uint8_t *arena);
typedef void (*model_layer_fn)(void *context, uint32_t layer, const uint8_t *output, uint32_t bytes);
void model_profile(const uint8_t *weights, uint8_t *arena, model_layer_fn after, void *context);

#endif
