#include "runner.h"

#include "crc32.h"
#include "model.h"
#include "port.h"
#include "section.h"
#include "sha256.h"
#include "state.h"

#include <string.h>

#define HASH_PIECE_BYTES 8192u /* the watchdog is fed between pieces */

static uint8_t arena[MODEL_ARENA_BYTES] SECTION_ARENA;
static uint8_t input[MODEL_INPUT_BYTES]; /* the arena's copy is overwritten by a run, so it is restored from here */
static uint32_t loaded;
static bool has_output;
static int32_t weights_fault;
static uint8_t weights_hash[SHA256_BYTES];

void runner_start(void) {
    sha256_context context;
    sha256_start(&context);
    for (uint32_t done = 0; done < MODEL_WEIGHTS_BYTES; done += HASH_PIECE_BYTES) {
        const uint32_t rest = MODEL_WEIGHTS_BYTES - done;
        sha256_update(&context, model_weights + done, rest < HASH_PIECE_BYTES ? rest : HASH_PIECE_BYTES);
        port_watchdog_feed();
    }
    sha256_finish(&context, weights_hash);
    weights_fault = model_check(model_weights, MODEL_WEIGHTS_BYTES);
}

const uint8_t *runner_weights_hash(void) {
    return weights_hash;
}

int32_t runner_weights_fault(void) {
    return weights_fault;
}

bool runner_load(uint32_t offset, const uint8_t *bytes, uint32_t count) {
    if (offset != 0 && offset != loaded) return false;
    if (offset > MODEL_INPUT_BYTES || count > MODEL_INPUT_BYTES - offset) return false;
    memcpy(input + offset, bytes, count);
    has_output = false;
    loaded = offset + count;
    return true;
}

uint32_t runner_loaded_bytes(void) {
    return loaded;
}

bool runner_input_is_whole(void) {
    return loaded == MODEL_INPUT_BYTES;
}

void runner_forget_input(void) {
    loaded = 0;
    has_output = false;
}

uint32_t runner_infer(void) {
    memcpy(arena + MODEL_INPUT_OFFSET, input, MODEL_INPUT_BYTES);
    port_watchdog_feed();
    const uint32_t interrupts = port_interrupts_mask();
    const uint32_t start = port_cycles();
    model_run(PLACEMENT_WEIGHTS, arena);
    const uint32_t cycles = port_cycles() - start;
    port_interrupts_restore(interrupts);
    has_output = true;
    return cycles;
}

bool runner_has_output(void) {
    return has_output;
}

const uint8_t *runner_output(void) {
    return arena + MODEL_OUTPUT_OFFSET;
}

/* Where `after_layer` writes. `start`: the counter when the layer that runs began. */
typedef struct profile_context {
    uint32_t first, count;
    protocol_profile_row *rows;
    uint32_t start;
} profile_context;

static void after_layer(void *opaque, uint32_t layer, const uint8_t *output, uint32_t bytes) {
    profile_context *context = opaque;
    const uint32_t cycles = port_cycles() - context->start;
    if (layer >= context->first && layer - context->first < context->count) {
        protocol_profile_row *row = context->rows + (layer - context->first);
        row->cycles = cycles;
        row->crc32 = crc32_update(CRC32_START, output, bytes);
    }
    port_watchdog_feed();
    state_enter_layer(layer + 1u);
    context->start = port_cycles();
}

void runner_profile(uint32_t first, uint32_t count, protocol_profile_row *rows) {
    profile_context context = {.first = first, .count = count, .rows = rows};
    memcpy(arena + MODEL_INPUT_OFFSET, input, MODEL_INPUT_BYTES);
    const uint32_t interrupts = port_interrupts_mask();
    state_enter_layer(0);
    context.start = port_cycles();
    model_profile(PLACEMENT_WEIGHTS, arena, after_layer, &context);
    port_interrupts_restore(interrupts);
    has_output = true;
}
