/* The model runner: weights, input, arena, and the counted runs. */
#ifndef RUNNER_H
#define RUNNER_H

#include "protocol.h"

#include <stdbool.h>
#include <stdint.h>

/** Check and hash the weights; once after start-up. */
void runner_start(void);
const uint8_t *runner_weights_hash(void);
/** 0, or the rule of model_check that the weights break. */
int32_t runner_weights_fault(void);

/** Take `count` input bytes at `offset`, which must be 0 or the number loaded so far. False: refused, nothing changed.
 */
bool runner_load(uint32_t offset, const uint8_t *bytes, uint32_t count);
uint32_t runner_loaded_bytes(void);
bool runner_input_is_whole(void);
void runner_forget_input(void);

/** Run once on the loaded input; returns the cycles of the call of model_run. */
uint32_t runner_infer(void);
/** Whether the output of a run stands in the arena: from that run until the next input begins. */
bool runner_has_output(void);
const uint8_t *runner_output(void);

/** Run once by model_profile; write the rows of layers `first` .. `first + count - 1`. */
void runner_profile(uint32_t first, uint32_t count, protocol_profile_row *rows);

#endif
