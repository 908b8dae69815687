#include "link.h"

#include "command.h"
#include "fault.h"
#include "frame.h"
#include "port.h"
#include "state.h"

#include <stdbool.h>
#include <string.h>

/* Request body lengths by opcode, from protocol.toml. */
typedef struct length_rule {
    uint8_t opcode;
    uint16_t shortest, longest;
} length_rule;
#define LENGTH_RULE(name, opcode, shortest, longest, answer) {opcode, shortest, longest},
static const length_rule length_rules[] = {PROTOCOL_COMMANDS(LENGTH_RULE)};

/* After reset no number is right: only `identify` starts a sequence. */
#define EXPECT_IDENTIFY 0x10000u

static frame_receiver receiver;
static link_frame answer;                   /* kept until the next one, for a retry */
static uint32_t expected = EXPECT_IDENTIFY; /* sequence number of the next request */
static bool answered;                       /* `answer` belongs to request `expected - 1` */
static uint32_t overruns;                   /* reported so far */
static bool baud_unconfirmed;
static uint32_t baud_deadline_us;

/** Send a short frame that must leave the kept answer alone. */
static void send_aside(uint8_t opcode, uint16_t sequence, const void *body, uint32_t body_bytes) {
    uint8_t bytes[FRAME_HEADER_BYTES + PROTOCOL_FAULT_RECORD_BYTES + FRAME_CRC_BYTES];
    memcpy(bytes + FRAME_HEADER_BYTES, body, body_bytes);
    frame_seal(bytes, body_bytes, opcode, sequence);
    frame_send(bytes, body_bytes);
}

static void send_error_event(uint8_t status, uint32_t detail) {
    const protocol_error_body body = {.status = status, .detail = detail};
    send_aside(PROTOCOL_OP_ERROR_EVENT, PROTOCOL_SEQUENCE_NONE, &body, sizeof body);
}

void link_start(void) {
    protocol_fault_record record;
    frame_receiver_reset(&receiver);
    if (!fault_is_fresh()) return;
    fault_peek(&record);
    send_aside(PROTOCOL_OP_FAULT_EVENT, 0, &record, sizeof record);
}

static void send_answer(const link_frame *request, uint8_t status, const command_exchange *exchange) {
    uint8_t *body = frame_body(&answer);
    body[0] = status;
    if (status == PROTOCOL_ERROR_OK) {
        answer.body_bytes = 1u + exchange->out_bytes;
    } else {
        memcpy(body + 1, &exchange->detail, sizeof exchange->detail);
        answer.body_bytes = PROTOCOL_ERROR_BODY_BYTES;
    }
    frame_seal(answer.bytes, answer.body_bytes, frame_opcode(request) | PROTOCOL_OP_ANSWER, frame_sequence(request));
    frame_send(answer.bytes, answer.body_bytes);
}

static uint8_t execute(const link_frame *request, command_exchange *exchange) {
    const uint8_t opcode = frame_opcode(request);
    for (uint32_t i = 0; i < sizeof length_rules / sizeof length_rules[0]; i++) {
        if (length_rules[i].opcode != opcode) continue;
        if (request->body_bytes < length_rules[i].shortest || request->body_bytes > length_rules[i].longest) {
            exchange->detail = request->body_bytes;
            return PROTOCOL_ERROR_BAD_LENGTH;
        }
    }
    return command_execute(opcode, exchange);
}

static void change_baud(void) {
    port_console_drain();
    port_console_set_baud(command_baud());
    frame_receiver_reset(&receiver);
    baud_unconfirmed = true;
    baud_deadline_us = port_time_us() + PROTOCOL_LIMIT_BAUD_CONFIRM_MS * 1000u;
}

static void finish(void) {
    const command_after after = command_take_after();
    if (after == COMMAND_DONE) return;
    if (after == COMMAND_SET_BAUD) {
        change_baud();
        return;
    }
    port_console_drain();
    if (after == COMMAND_RESET) port_reset();
    if (after == COMMAND_CRASH) port_crash();
    (void)port_interrupts_mask();
    for (;;) {
    }
}

static void handle(link_frame *request) {
    const uint16_t sequence = frame_sequence(request);
    const uint8_t opcode = frame_opcode(request);
    const bool is_retry =
        answered && sequence == (uint16_t)(expected - 1u) && frame_opcode(&answer) == (opcode | PROTOCOL_OP_ANSWER);
    baud_unconfirmed = false; /* a whole frame at this rate confirms it */
    if (is_retry && opcode != PROTOCOL_OP_IDENTIFY) {
        frame_send(answer.bytes, answer.body_bytes);
        return;
    }
    if (sequence != expected && opcode != PROTOCOL_OP_IDENTIFY) {
        /* Not kept as the last answer: a retry of the request before must still find its own. */
        const protocol_error_body body = {.status = PROTOCOL_ERROR_BAD_SEQUENCE, .detail = expected};
        send_aside(opcode | PROTOCOL_OP_ANSWER, sequence, &body, sizeof body);
        return;
    }
    command_exchange exchange = {
        .body = frame_body(request), .body_bytes = request->body_bytes, .out = frame_body(&answer) + 1};
    const uint8_t status = execute(request, &exchange);
    expected = (uint16_t)(sequence + 1u);
    answered = true;
    send_answer(request, status, &exchange);
    if (state_now() != PROTOCOL_STATE_LOAD) state_enter(PROTOCOL_STATE_IDLE);
    finish();
}

static void check_overruns(void) {
    const uint32_t now = port_console_overruns();
    if (now == overruns) return;
    overruns = now;
    frame_receiver_reset(&receiver);
    send_error_event(PROTOCOL_ERROR_OVERRUN, now);
}

static void check_baud(void) {
    if (!baud_unconfirmed || (int32_t)(port_time_us() - baud_deadline_us) < 0) return;
    baud_unconfirmed = false;
    port_console_set_baud(PROTOCOL_LIMIT_FIRST_BAUD);
    frame_receiver_reset(&receiver);
}

void link_poll(void) {
    check_overruns();
    check_baud();
    for (int32_t byte = port_console_read(); byte >= 0; byte = port_console_read()) {
        switch (frame_receive(&receiver, (uint8_t)byte)) {
        case FRAME_NOTHING:
            continue;
        case FRAME_READY:
            handle(&receiver.frame);
            break;
        case FRAME_BAD_CRC:
            send_error_event(PROTOCOL_ERROR_BAD_CRC, receiver.detail);
            break;
        case FRAME_BAD_LENGTH:
            send_error_event(PROTOCOL_ERROR_BAD_LENGTH, receiver.detail);
            break;
        }
        port_watchdog_feed(); /* a line full of rubbish keeps this loop busy for seconds */
    }
}
