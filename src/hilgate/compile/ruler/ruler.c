/* The ruler's interface (see ruler.py) around a generated model: what a benchmark of the engine alone needs, nothing
 * else. */
#include "model.h"

extern uint32_t ruler_data_from[], ruler_data_start[], ruler_data_end[], ruler_bss_start[], ruler_bss_end[];

static _Alignas(16) uint8_t arena[MODEL_ARENA_BYTES];

/* Where the input and the output lie, filled by bm_init. */
uint32_t bm_in_ptr, bm_in_len, bm_out_ptr, bm_out_len, bm_arena_used;

void bm_reset(void);
int bm_init(void);
int bm_invoke(void);

__attribute__((used)) void bm_reset(void) {
    const uint32_t *from = ruler_data_from;
    for (uint32_t *to = ruler_data_start; to != ruler_data_end; to++) *to = *from++;
    for (uint32_t *to = ruler_bss_start; to != ruler_bss_end; to++) *to = 0;
}

__attribute__((used)) int bm_init(void) {
    bm_in_ptr = (uint32_t)(uintptr_t)(arena + MODEL_INPUT_OFFSET);
    bm_in_len = MODEL_INPUT_BYTES;
    bm_out_ptr = (uint32_t)(uintptr_t)(arena + MODEL_OUTPUT_OFFSET);
    bm_out_len = MODEL_OUTPUT_BYTES;
    bm_arena_used = MODEL_ARENA_BYTES;
    return 0;
}

__attribute__((used)) int bm_invoke(void) {
    model_run(model_weights, arena);
    return 0;
}
