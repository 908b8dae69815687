#include "command.h"

#include "fault.h"
#include "model.h"
#include "port.h"
#include "protocol.h"
#include "runner.h"
#include "state.h"

#include <string.h>

#define BAUD_ERROR_LIMIT_PPM 20000u /* 2 %: two 8N1 ends tolerate less than 5 % together */
#define INFER_OUTPUT_LIMIT (PROTOCOL_LIMIT_BODY_BYTES - 1u - PROTOCOL_INFER_ANSWER_BYTES)
#define OUTPUT_LIMIT (PROTOCOL_LIMIT_BODY_BYTES - 1u)
_Static_assert(MODEL_LAYERS > 0 && MODEL_LAYERS <= UINT16_MAX, "the number of layers is sent as u16, and is not 0");

static command_after after;
static uint32_t wanted_baud;
static port_image image;

void command_start(void) {
    port_image_get(&image);
    runner_start();
}

static uint8_t refuse(command_exchange *exchange, uint8_t status, uint32_t detail) {
    exchange->detail = detail;
    return status;
}

static uint8_t answer(command_exchange *exchange, const void *bytes, uint32_t count) {
    memcpy(exchange->out, bytes, count);
    exchange->out_bytes = count;
    return PROTOCOL_ERROR_OK;
}

static uint8_t command_identify(command_exchange *exchange) {
    const port_facts *facts = port_facts_get();
    protocol_identify_request request;
    memcpy(&request, exchange->body, sizeof request);
    /* A newer host knows how to speak to us; only one of two versions back is refused. */
    if (request.version + 1u < PROTOCOL_VERSION) return refuse(exchange, PROTOCOL_ERROR_BAD_ARGUMENT, request.version);
    runner_forget_input();
    protocol_identify_answer who = {
        .version = PROTOCOL_VERSION,
        .board_id = facts->board_id,
        .state = state_now(),
        .clock_source = facts->clock_source,
        .reset_cause = fault_reset_cause(),
        .counter = facts->counter,
        .clock_hz = facts->clock_hz,
        .baud = port_console_baud(),
        .input_bytes = MODEL_INPUT_BYTES,
        .output_bytes = MODEL_OUTPUT_BYTES,
        .layers = MODEL_LAYERS,
        .image_ok = image.ok,
        .fault_pending = fault_pending(),
    };
    memcpy(who.uid, facts->uid, sizeof who.uid);
    memcpy(who.image_hash, image.hash, sizeof who.image_hash);
    memcpy(who.architecture_hash, model_architecture_hash, sizeof who.architecture_hash);
    memcpy(who.weights_hash, runner_weights_hash(), sizeof who.weights_hash);
    return answer(exchange, &who, sizeof who);
}

static uint8_t command_echo(command_exchange *exchange) {
    return answer(exchange, exchange->body, exchange->body_bytes);
}

static uint8_t command_load(command_exchange *exchange) {
    protocol_load_request request;
    memcpy(&request, exchange->body, sizeof request);
    const uint8_t state = state_now();
    if (request.offset != 0 && state != PROTOCOL_STATE_LOAD) return refuse(exchange, PROTOCOL_ERROR_BAD_STATE, state);
    if (!runner_load(request.offset, exchange->body + sizeof request,
                     exchange->body_bytes - PROTOCOL_LOAD_REQUEST_BYTES)) {
        return refuse(exchange, PROTOCOL_ERROR_BAD_ARGUMENT, request.offset);
    }
    state_enter(PROTOCOL_STATE_LOAD);
    const protocol_load_answer loaded = {.loaded = runner_loaded_bytes()};
    return answer(exchange, &loaded, sizeof loaded);
}

/** What must hold before the model may run. */
static uint8_t check_ready(command_exchange *exchange) {
    uint32_t hash_start;
    memcpy(&hash_start, image.hash, sizeof hash_start);
    if (!image.ok) return refuse(exchange, PROTOCOL_ERROR_IMAGE_DAMAGED, hash_start);
    const int32_t fault = runner_weights_fault();
    if (fault != 0) return refuse(exchange, PROTOCOL_ERROR_BAD_WEIGHTS, (uint32_t)fault);
    if (!runner_input_is_whole()) return refuse(exchange, PROTOCOL_ERROR_NO_INPUT, runner_loaded_bytes());
    return PROTOCOL_ERROR_OK;
}

/** Nothing moves on the link from here to measurement_end. */
static void measurement_begin(void) {
    state_enter(PROTOCOL_STATE_QUIESCE);
    port_console_drain();
    port_console_receive(false);
    port_wait_us(PROTOCOL_LIMIT_QUIESCE_US);
    state_enter(PROTOCOL_STATE_MEASURE);
}

static void measurement_end(void) {
    state_enter(PROTOCOL_STATE_REPORT);
    port_console_receive(true);
}

static uint8_t command_infer(command_exchange *exchange) {
    const uint8_t status = check_ready(exchange);
    if (status != PROTOCOL_ERROR_OK) return status;
    measurement_begin();
    const protocol_infer_answer measured = {.cycles = runner_infer()};
    measurement_end();
    memcpy(exchange->out, &measured, sizeof measured);
    const uint32_t count = MODEL_OUTPUT_BYTES < INFER_OUTPUT_LIMIT ? MODEL_OUTPUT_BYTES : INFER_OUTPUT_LIMIT;
    memcpy(exchange->out + sizeof measured, runner_output(), count);
    exchange->out_bytes = PROTOCOL_INFER_ANSWER_BYTES + count;
    return PROTOCOL_ERROR_OK;
}

static uint8_t command_output(command_exchange *exchange) {
    protocol_output_request request;
    memcpy(&request, exchange->body, sizeof request);
    if (!runner_has_output()) return refuse(exchange, PROTOCOL_ERROR_BAD_STATE, state_now());
    if (request.offset >= MODEL_OUTPUT_BYTES) return refuse(exchange, PROTOCOL_ERROR_BAD_ARGUMENT, request.offset);
    const uint32_t rest = MODEL_OUTPUT_BYTES - request.offset;
    return answer(exchange, runner_output() + request.offset, rest < OUTPUT_LIMIT ? rest : OUTPUT_LIMIT);
}

static uint8_t command_bench(command_exchange *exchange) {
    protocol_bench_request request;
    memcpy(&request, exchange->body, sizeof request);
    if (request.runs == 0 || request.runs > PROTOCOL_LIMIT_BENCH_RUNS) {
        return refuse(exchange, PROTOCOL_ERROR_BAD_ARGUMENT, request.runs);
    }
    if (request.warmup > PROTOCOL_LIMIT_BENCH_RUNS) {
        return refuse(exchange, PROTOCOL_ERROR_BAD_ARGUMENT, request.warmup);
    }
    if (port_facts_get()->counter == PROTOCOL_COUNTER_NONE) return refuse(exchange, PROTOCOL_ERROR_NO_COUNTER, 0);
    const uint8_t status = check_ready(exchange);
    if (status != PROTOCOL_ERROR_OK) return status;
    measurement_begin();
    for (uint32_t i = 0; i < request.warmup; i++) (void)runner_infer();
    for (uint32_t i = 0; i < request.runs; i++) {
        const uint32_t cycles = runner_infer();
        memcpy(exchange->out + 4u * i, &cycles, sizeof cycles);
    }
    measurement_end();
    exchange->out_bytes = 4u * request.runs;
    return PROTOCOL_ERROR_OK;
}

static uint8_t command_profile(command_exchange *exchange) {
    protocol_profile_request request;
    memcpy(&request, exchange->body, sizeof request);
    if (request.first_layer >= MODEL_LAYERS) {
        return refuse(exchange, PROTOCOL_ERROR_BAD_ARGUMENT, request.first_layer);
    }
    const uint8_t status = check_ready(exchange);
    if (status != PROTOCOL_ERROR_OK) return status;
    uint32_t count = MODEL_LAYERS - request.first_layer;
    if (count > PROTOCOL_LIMIT_PROFILE_LAYERS) count = PROTOCOL_LIMIT_PROFILE_LAYERS;
    memset(exchange->out, 0, count * PROTOCOL_PROFILE_ROW_BYTES);
    measurement_begin();
    runner_profile(request.first_layer, count, (protocol_profile_row *)exchange->out);
    measurement_end();
    exchange->out_bytes = count * PROTOCOL_PROFILE_ROW_BYTES;
    return PROTOCOL_ERROR_OK;
}

static uint8_t command_memory(command_exchange *exchange) {
    port_memory marks;
    port_memory_get(&marks);
    const protocol_memory_answer memory = {
        .arena_bytes = MODEL_ARENA_BYTES,
        .static_bytes = marks.static_bytes,
        .stack_bytes = marks.stack_bytes,
        .stack_seen_bytes = marks.stack_seen_bytes,
        .overruns = port_console_overruns(),
    };
    return answer(exchange, &memory, sizeof memory);
}

static uint8_t command_baud_change(command_exchange *exchange) {
    protocol_baud_request request;
    memcpy(&request, exchange->body, sizeof request);
    const uint32_t error_ppm = port_console_baud_error_ppm(request.baud);
    if (error_ppm >= BAUD_ERROR_LIMIT_PPM) return refuse(exchange, PROTOCOL_ERROR_BAD_ARGUMENT, request.baud);
    wanted_baud = request.baud;
    after = COMMAND_SET_BAUD;
    const protocol_baud_answer rate = {.baud = request.baud, .error_ppm = error_ppm};
    return answer(exchange, &rate, sizeof rate);
}

static uint8_t command_fault(command_exchange *exchange) {
    protocol_fault_answer record;
    fault_take(&record.fault);
    return answer(exchange, &record, sizeof record);
}

static uint8_t command_reset(command_exchange *exchange) {
    static const command_after kinds[] = {COMMAND_RESET, COMMAND_CRASH, COMMAND_HANG};
    const uint8_t kind = exchange->body[0];
    if (kind >= sizeof kinds / sizeof kinds[0]) return refuse(exchange, PROTOCOL_ERROR_BAD_ARGUMENT, kind);
    after = kinds[kind];
    return PROTOCOL_ERROR_OK;
}

/** Commands other than these end the load: a half-loaded input is forgotten, a whole one stays. */
static void leave_load(uint8_t opcode) {
    if (state_now() != PROTOCOL_STATE_LOAD) return;
    if (opcode == PROTOCOL_OP_LOAD || opcode == PROTOCOL_OP_INFER || opcode == PROTOCOL_OP_OUTPUT) return;
    if (opcode == PROTOCOL_OP_BENCH || opcode == PROTOCOL_OP_PROFILE) return;
    if (!runner_input_is_whole()) runner_forget_input();
    state_enter(PROTOCOL_STATE_IDLE);
}

uint8_t command_execute(uint8_t opcode, command_exchange *exchange) {
    leave_load(opcode);
    switch (opcode) {
    case PROTOCOL_OP_IDENTIFY:
        return command_identify(exchange);
    case PROTOCOL_OP_ECHO:
        return command_echo(exchange);
    case PROTOCOL_OP_LOAD:
        return command_load(exchange);
    case PROTOCOL_OP_INFER:
        return command_infer(exchange);
    case PROTOCOL_OP_BENCH:
        return command_bench(exchange);
    case PROTOCOL_OP_PROFILE:
        return command_profile(exchange);
    case PROTOCOL_OP_MEMORY:
        return command_memory(exchange);
    case PROTOCOL_OP_BAUD:
        return command_baud_change(exchange);
    case PROTOCOL_OP_FAULT:
        return command_fault(exchange);
    case PROTOCOL_OP_RESET:
        return command_reset(exchange);
    case PROTOCOL_OP_OUTPUT:
        return command_output(exchange);
    default:
        return refuse(exchange, PROTOCOL_ERROR_UNKNOWN_OPCODE, opcode);
    }
}

command_after command_take_after(void) {
    const command_after taken = after;
    after = COMMAND_DONE;
    return taken;
}

uint32_t command_baud(void) {
    return wanted_baud;
}
