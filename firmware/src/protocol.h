/* Generated from firmware/protocol.toml by `python -m hilgate.link.codegen`. Do not edit.
 *
 * A frame on the wire is COBS(opcode u8, sequence u16, body, CRC-32) and one zero byte; integers are little-endian.
 * The structs are the fixed parts of bodies. Those of answers follow the status byte and do not contain it.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the structs below are the bytes on the wire");

#define PROTOCOL_VERSION 1u
/** Added to a request's opcode in its answer. */
#define PROTOCOL_OP_ANSWER 0x80u
/** The sequence number of frames that answer no request. */
#define PROTOCOL_SEQUENCE_NONE 0xFFFFu

/* Limits. */
#define PROTOCOL_LIMIT_BODY_BYTES 1024u
#define PROTOCOL_LIMIT_FRAME_BYTES 1037u
#define PROTOCOL_LIMIT_RING_BYTES 4096u
#define PROTOCOL_LIMIT_WINDOW 3u
#define PROTOCOL_LIMIT_CHUNK_BYTES 1016u
#define PROTOCOL_LIMIT_BENCH_RUNS 200u
#define PROTOCOL_LIMIT_PROFILE_LAYERS 120u
#define PROTOCOL_LIMIT_FIRST_BAUD 115200u
#define PROTOCOL_LIMIT_BAUD_CONFIRM_MS 500u
#define PROTOCOL_LIMIT_QUIESCE_US 200u

/* States: the link and the measurement are one machine. */
/** waits for a frame; every command is legal */
#define PROTOCOL_STATE_IDLE 0u
/** input chunks arrive; offsets must be contiguous; any command but load, infer, output, bench, profile ends it */
#define PROTOCOL_STATE_LOAD 1u
/** the request is acknowledged in full, the transmitter has drained, the receiver is off for quiesce_us */
#define PROTOCOL_STATE_QUIESCE 2u
/** interrupts are masked around each measured call; nothing moves on the link */
#define PROTOCOL_STATE_MEASURE 3u
/** the answer is sent; then idle */
#define PROTOCOL_STATE_REPORT 4u

/* Status codes of answers. */
/** done */
#define PROTOCOL_ERROR_OK 0u
/** the frame's CRC-32 does not match; detail: the CRC that was computed */
#define PROTOCOL_ERROR_BAD_CRC 1u
/** the frame or its body is too short or too long for its opcode; detail: the length seen */
#define PROTOCOL_ERROR_BAD_LENGTH 2u
/** no such command in this protocol version; detail: the opcode */
#define PROTOCOL_ERROR_UNKNOWN_OPCODE 3u
/** the sequence number is neither the next nor the last one; detail: the number expected */
#define PROTOCOL_ERROR_BAD_SEQUENCE 4u
/** a field is outside its range; detail: the value */
#define PROTOCOL_ERROR_BAD_ARGUMENT 5u
/** the command is not legal now; detail: the state */
#define PROTOCOL_ERROR_BAD_STATE 6u
/** infer, bench or profile before the whole input was loaded; detail: the bytes loaded so far */
#define PROTOCOL_ERROR_NO_INPUT 7u
/** the weights blob does not belong to this code or is damaged; detail: model_check's result */
#define PROTOCOL_ERROR_BAD_WEIGHTS 8u
/** received bytes were lost; detail: how many overruns since reset */
#define PROTOCOL_ERROR_OVERRUN 9u
/** this core or emulator has no cycle counter; detail: 0 */
#define PROTOCOL_ERROR_NO_COUNTER 10u
/** the image's hash does not match its own slot; detail: the first four bytes of the computed hash */
#define PROTOCOL_ERROR_IMAGE_DAMAGED 11u

/* Opcodes. */
/** Who are you. Accepts any sequence number and starts a new sequence with it. */
#define PROTOCOL_OP_IDENTIFY 0x01u
/** Send the body back; one byte less than the longest body, for the answer's status. */
#define PROTOCOL_OP_ECHO 0x02u
/** One chunk of the input tensor. Offset 0 starts a new input; later chunks must be contiguous. */
#define PROTOCOL_OP_LOAD 0x03u
/** Run the model once on the loaded input, which stays loaded. Of an output longer than the answer only the
 *  beginning is sent; `output` gives the rest. */
#define PROTOCOL_OP_INFER 0x04u
/** Run warmup times uncounted, then runs times counted, input restored before each, interrupts off around each. */
#define PROTOCOL_OP_BENCH 0x05u
/** Run once; for each layer its cycles and the CRC-32 of its output tensor (computed outside the counted time). */
#define PROTOCOL_OP_PROFILE 0x06u
/** Sizes and marks of RAM, in bytes. */
#define PROTOCOL_OP_MEMORY 0x07u
/** Change the rate. Answered at the old rate; the host then sends a frame at the new rate within baud_confirm_ms,
 *  else both return to first_baud. */
#define PROTOCOL_OP_BAUD 0x08u
/** Read and clear the record of the last crash: all zero when there was none. */
#define PROTOCOL_OP_FAULT 0x09u
/** Answer, drain, reset. kind 0: system reset; 1: crash on purpose (a permanently undefined instruction); 2: hang
 *  with interrupts off until the watchdog bites. 1 and 2 exist to test the path that reports them. */
#define PROTOCOL_OP_RESET 0x0Au
/** The output tensor of the last run from an offset on, as much as an answer holds. Legal from a run until the
 *  next input begins; it does not end a load. */
#define PROTOCOL_OP_OUTPUT 0x0Bu
/** The device was reset by a crash; sent once after start-up. */
#define PROTOCOL_OP_FAULT_EVENT 0x70u
/** A frame that could not be attributed to a command (bad CRC, bad length); sequence 0xFFFF. */
#define PROTOCOL_OP_ERROR_EVENT 0x7Fu

/* Values of clock_source. */
#define PROTOCOL_CLOCK_SOURCE_RESET_DEFAULT 0u
#define PROTOCOL_CLOCK_SOURCE_HSE_PLL 1u
#define PROTOCOL_CLOCK_SOURCE_HSI_PLL 2u
#define PROTOCOL_CLOCK_SOURCE_HSE_BYPASS_PLL 3u

/* Values of reset_cause. */
#define PROTOCOL_RESET_CAUSE_UNKNOWN 0u
#define PROTOCOL_RESET_CAUSE_POWER_ON 1u
#define PROTOCOL_RESET_CAUSE_PIN 2u
#define PROTOCOL_RESET_CAUSE_SOFTWARE 3u
#define PROTOCOL_RESET_CAUSE_WATCHDOG 4u
#define PROTOCOL_RESET_CAUSE_FAULT 5u

/* Values of counter. */
#define PROTOCOL_COUNTER_NONE 0u
#define PROTOCOL_COUNTER_DWT 1u
#define PROTOCOL_COUNTER_TIMER 2u

/* Values of fault_kind. */
#define PROTOCOL_FAULT_KIND_NONE 0u
#define PROTOCOL_FAULT_KIND_HARD_FAULT 1u
#define PROTOCOL_FAULT_KIND_MEM_MANAGE 2u
#define PROTOCOL_FAULT_KIND_BUS_FAULT 3u
#define PROTOCOL_FAULT_KIND_USAGE_FAULT 4u
#define PROTOCOL_FAULT_KIND_WATCHDOG 5u
#define PROTOCOL_FAULT_KIND_NMI 6u
#define PROTOCOL_FAULT_KIND_UNEXPECTED_INTERRUPT 7u

/** The body of every answer whose status is not `ok`, and of error_event. */
typedef struct __attribute__((packed)) protocol_error_body {
    uint8_t status;
    uint32_t detail;
} protocol_error_body;
#define PROTOCOL_ERROR_BODY_BYTES 5u
_Static_assert(sizeof(protocol_error_body) == 5, "protocol_error_body must have no padding");
_Static_assert(offsetof(protocol_error_body, status) == 0, "status has moved");
_Static_assert(offsetof(protocol_error_body, detail) == 1, "detail has moved");

/** One layer: its cycles and the CRC-32 of its output tensor. */
typedef struct __attribute__((packed)) protocol_profile_row {
    uint32_t cycles;
    uint32_t crc32;
} protocol_profile_row;
#define PROTOCOL_PROFILE_ROW_BYTES 8u
_Static_assert(sizeof(protocol_profile_row) == 8, "protocol_profile_row must have no padding");
_Static_assert(offsetof(protocol_profile_row, cycles) == 0, "cycles has moved");
_Static_assert(offsetof(protocol_profile_row, crc32) == 4, "crc32 has moved");

/** Sent unasked once after the reset that a crash caused (opcode 0x70, sequence 0), and as the answer to `fault`. */
typedef struct __attribute__((packed)) protocol_fault_record {
    uint32_t kind;
    uint32_t pc;
    uint32_t lr;
    uint32_t sp;
    uint32_t xpsr;
    uint32_t cfsr;
    uint32_t hfsr;
    uint32_t mmfar;
    uint32_t bfar;
    uint32_t r0;
    uint32_t r1;
    uint32_t r2;
    uint32_t r3;
    uint32_t r12;
    uint32_t state;
    uint32_t layer;
} protocol_fault_record;
#define PROTOCOL_FAULT_RECORD_BYTES 64u
_Static_assert(sizeof(protocol_fault_record) == 64, "protocol_fault_record must have no padding");
_Static_assert(offsetof(protocol_fault_record, kind) == 0, "kind has moved");
_Static_assert(offsetof(protocol_fault_record, pc) == 4, "pc has moved");
_Static_assert(offsetof(protocol_fault_record, lr) == 8, "lr has moved");
_Static_assert(offsetof(protocol_fault_record, sp) == 12, "sp has moved");
_Static_assert(offsetof(protocol_fault_record, xpsr) == 16, "xpsr has moved");
_Static_assert(offsetof(protocol_fault_record, cfsr) == 20, "cfsr has moved");
_Static_assert(offsetof(protocol_fault_record, hfsr) == 24, "hfsr has moved");
_Static_assert(offsetof(protocol_fault_record, mmfar) == 28, "mmfar has moved");
_Static_assert(offsetof(protocol_fault_record, bfar) == 32, "bfar has moved");
_Static_assert(offsetof(protocol_fault_record, r0) == 36, "r0 has moved");
_Static_assert(offsetof(protocol_fault_record, r1) == 40, "r1 has moved");
_Static_assert(offsetof(protocol_fault_record, r2) == 44, "r2 has moved");
_Static_assert(offsetof(protocol_fault_record, r3) == 48, "r3 has moved");
_Static_assert(offsetof(protocol_fault_record, r12) == 52, "r12 has moved");
_Static_assert(offsetof(protocol_fault_record, state) == 56, "state has moved");
_Static_assert(offsetof(protocol_fault_record, layer) == 60, "layer has moved");

/** Fixed part of the request of identify. */
typedef struct __attribute__((packed)) protocol_identify_request {
    uint16_t version;
} protocol_identify_request;
#define PROTOCOL_IDENTIFY_REQUEST_BYTES 2u
_Static_assert(sizeof(protocol_identify_request) == 2, "protocol_identify_request must have no padding");
_Static_assert(offsetof(protocol_identify_request, version) == 0, "version has moved");

/** Fixed part of the answer of identify. */
typedef struct __attribute__((packed)) protocol_identify_answer {
    uint16_t version;
    uint16_t board_id;
    uint8_t state;
    uint8_t clock_source;
    uint8_t reset_cause;
    uint8_t counter;
    uint32_t clock_hz;
    uint32_t baud;
    uint32_t input_bytes;
    uint32_t output_bytes;
    uint16_t layers;
    uint8_t image_ok;
    uint8_t fault_pending;
    uint8_t uid[12];
    uint8_t image_hash[32];
    uint8_t architecture_hash[16];
    uint8_t weights_hash[32];
} protocol_identify_answer;
#define PROTOCOL_IDENTIFY_ANSWER_BYTES 120u
_Static_assert(sizeof(protocol_identify_answer) == 120, "protocol_identify_answer must have no padding");
_Static_assert(offsetof(protocol_identify_answer, version) == 0, "version has moved");
_Static_assert(offsetof(protocol_identify_answer, board_id) == 2, "board_id has moved");
_Static_assert(offsetof(protocol_identify_answer, state) == 4, "state has moved");
_Static_assert(offsetof(protocol_identify_answer, clock_source) == 5, "clock_source has moved");
_Static_assert(offsetof(protocol_identify_answer, reset_cause) == 6, "reset_cause has moved");
_Static_assert(offsetof(protocol_identify_answer, counter) == 7, "counter has moved");
_Static_assert(offsetof(protocol_identify_answer, clock_hz) == 8, "clock_hz has moved");
_Static_assert(offsetof(protocol_identify_answer, baud) == 12, "baud has moved");
_Static_assert(offsetof(protocol_identify_answer, input_bytes) == 16, "input_bytes has moved");
_Static_assert(offsetof(protocol_identify_answer, output_bytes) == 20, "output_bytes has moved");
_Static_assert(offsetof(protocol_identify_answer, layers) == 24, "layers has moved");
_Static_assert(offsetof(protocol_identify_answer, image_ok) == 26, "image_ok has moved");
_Static_assert(offsetof(protocol_identify_answer, fault_pending) == 27, "fault_pending has moved");
_Static_assert(offsetof(protocol_identify_answer, uid) == 28, "uid has moved");
_Static_assert(offsetof(protocol_identify_answer, image_hash) == 40, "image_hash has moved");
_Static_assert(offsetof(protocol_identify_answer, architecture_hash) == 72, "architecture_hash has moved");
_Static_assert(offsetof(protocol_identify_answer, weights_hash) == 88, "weights_hash has moved");

/** Fixed part of the request of load. */
typedef struct __attribute__((packed)) protocol_load_request {
    uint32_t offset;
} protocol_load_request;
#define PROTOCOL_LOAD_REQUEST_BYTES 4u
_Static_assert(sizeof(protocol_load_request) == 4, "protocol_load_request must have no padding");
_Static_assert(offsetof(protocol_load_request, offset) == 0, "offset has moved");

/** Fixed part of the answer of load. */
typedef struct __attribute__((packed)) protocol_load_answer {
    uint32_t loaded;
} protocol_load_answer;
#define PROTOCOL_LOAD_ANSWER_BYTES 4u
_Static_assert(sizeof(protocol_load_answer) == 4, "protocol_load_answer must have no padding");
_Static_assert(offsetof(protocol_load_answer, loaded) == 0, "loaded has moved");

/** Fixed part of the answer of infer. */
typedef struct __attribute__((packed)) protocol_infer_answer {
    uint32_t cycles;
} protocol_infer_answer;
#define PROTOCOL_INFER_ANSWER_BYTES 4u
_Static_assert(sizeof(protocol_infer_answer) == 4, "protocol_infer_answer must have no padding");
_Static_assert(offsetof(protocol_infer_answer, cycles) == 0, "cycles has moved");

/** Fixed part of the request of bench. */
typedef struct __attribute__((packed)) protocol_bench_request {
    uint16_t warmup;
    uint16_t runs;
} protocol_bench_request;
#define PROTOCOL_BENCH_REQUEST_BYTES 4u
_Static_assert(sizeof(protocol_bench_request) == 4, "protocol_bench_request must have no padding");
_Static_assert(offsetof(protocol_bench_request, warmup) == 0, "warmup has moved");
_Static_assert(offsetof(protocol_bench_request, runs) == 2, "runs has moved");

/** Fixed part of the request of profile. */
typedef struct __attribute__((packed)) protocol_profile_request {
    uint16_t first_layer;
} protocol_profile_request;
#define PROTOCOL_PROFILE_REQUEST_BYTES 2u
_Static_assert(sizeof(protocol_profile_request) == 2, "protocol_profile_request must have no padding");
_Static_assert(offsetof(protocol_profile_request, first_layer) == 0, "first_layer has moved");

/** Fixed part of the answer of memory. */
typedef struct __attribute__((packed)) protocol_memory_answer {
    uint32_t arena_bytes;
    uint32_t static_bytes;
    uint32_t stack_bytes;
    uint32_t stack_seen_bytes;
    uint32_t overruns;
} protocol_memory_answer;
#define PROTOCOL_MEMORY_ANSWER_BYTES 20u
_Static_assert(sizeof(protocol_memory_answer) == 20, "protocol_memory_answer must have no padding");
_Static_assert(offsetof(protocol_memory_answer, arena_bytes) == 0, "arena_bytes has moved");
_Static_assert(offsetof(protocol_memory_answer, static_bytes) == 4, "static_bytes has moved");
_Static_assert(offsetof(protocol_memory_answer, stack_bytes) == 8, "stack_bytes has moved");
_Static_assert(offsetof(protocol_memory_answer, stack_seen_bytes) == 12, "stack_seen_bytes has moved");
_Static_assert(offsetof(protocol_memory_answer, overruns) == 16, "overruns has moved");

/** Fixed part of the request of baud. */
typedef struct __attribute__((packed)) protocol_baud_request {
    uint32_t baud;
} protocol_baud_request;
#define PROTOCOL_BAUD_REQUEST_BYTES 4u
_Static_assert(sizeof(protocol_baud_request) == 4, "protocol_baud_request must have no padding");
_Static_assert(offsetof(protocol_baud_request, baud) == 0, "baud has moved");

/** Fixed part of the answer of baud. */
typedef struct __attribute__((packed)) protocol_baud_answer {
    uint32_t baud;
    uint32_t error_ppm;
} protocol_baud_answer;
#define PROTOCOL_BAUD_ANSWER_BYTES 8u
_Static_assert(sizeof(protocol_baud_answer) == 8, "protocol_baud_answer must have no padding");
_Static_assert(offsetof(protocol_baud_answer, baud) == 0, "baud has moved");
_Static_assert(offsetof(protocol_baud_answer, error_ppm) == 4, "error_ppm has moved");

/** Fixed part of the answer of fault. */
typedef struct __attribute__((packed)) protocol_fault_answer {
    struct protocol_fault_record fault;
} protocol_fault_answer;
#define PROTOCOL_FAULT_ANSWER_BYTES 64u
_Static_assert(sizeof(protocol_fault_answer) == 64, "protocol_fault_answer must have no padding");
_Static_assert(offsetof(protocol_fault_answer, fault) == 0, "fault has moved");

/** Fixed part of the request of reset. */
typedef struct __attribute__((packed)) protocol_reset_request {
    uint8_t kind;
} protocol_reset_request;
#define PROTOCOL_RESET_REQUEST_BYTES 1u
_Static_assert(sizeof(protocol_reset_request) == 1, "protocol_reset_request must have no padding");
_Static_assert(offsetof(protocol_reset_request, kind) == 0, "kind has moved");

/** Fixed part of the request of output. */
typedef struct __attribute__((packed)) protocol_output_request {
    uint32_t offset;
} protocol_output_request;
#define PROTOCOL_OUTPUT_REQUEST_BYTES 4u
_Static_assert(sizeof(protocol_output_request) == 4, "protocol_output_request must have no padding");
_Static_assert(offsetof(protocol_output_request, offset) == 0, "offset has moved");

/** Every command: X(name, opcode, shortest request body, longest request body, longest answer body). */
#define PROTOCOL_COMMANDS(X)                                                                                           \
    X(identify, 0x01u, 2u, 2u, 121u)                                                                                   \
    X(echo, 0x02u, 0u, 1023u, 1024u)                                                                                   \
    X(load, 0x03u, 4u, 1020u, 5u)                                                                                      \
    X(infer, 0x04u, 0u, 0u, 1024u)                                                                                     \
    X(bench, 0x05u, 4u, 4u, 1024u)                                                                                     \
    X(profile, 0x06u, 2u, 2u, 1024u)                                                                                   \
    X(memory, 0x07u, 0u, 0u, 21u)                                                                                      \
    X(baud, 0x08u, 4u, 4u, 9u)                                                                                         \
    X(fault, 0x09u, 0u, 0u, 65u)                                                                                       \
    X(reset, 0x0Au, 1u, 1u, 1u)                                                                                        \
    X(output, 0x0Bu, 4u, 4u, 1024u)

#endif
