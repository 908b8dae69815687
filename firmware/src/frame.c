#include "frame.h"

#include "crc32.h"
#include "port.h"

#include <string.h>

void frame_receiver_reset(frame_receiver *receiver) {
    receiver->count = 0;
    receiver->block = 0;
    receiver->block_is_full = 1; /* no zero stands before the first block */
    receiver->bytes_seen = 0;
}

static void append(frame_receiver *receiver, uint8_t byte) {
    if (receiver->count < FRAME_MAX_BYTES) receiver->frame.bytes[receiver->count] = byte;
    if (receiver->count < UINT32_MAX) receiver->count++;
}

/** The zero byte came: judge what was collected. */
static frame_event finish(frame_receiver *receiver) {
    link_frame *frame = &receiver->frame;
    const uint32_t count = receiver->count;
    const uint8_t block = receiver->block, seen = receiver->bytes_seen;
    frame_receiver_reset(receiver);
    if (!seen) return FRAME_NOTHING; /* two zeros in a row: hosts flush the line so */
    receiver->detail = count;
    if (block != 0 || count < FRAME_HEADER_BYTES + FRAME_CRC_BYTES || count > FRAME_MAX_BYTES) return FRAME_BAD_LENGTH;
    frame->body_bytes = count - FRAME_HEADER_BYTES - FRAME_CRC_BYTES;
    uint32_t sent;
    memcpy(&sent, frame->bytes + count - FRAME_CRC_BYTES, sizeof sent);
    receiver->detail = crc32_update(CRC32_START, frame->bytes, count - FRAME_CRC_BYTES);
    return sent == receiver->detail ? FRAME_READY : FRAME_BAD_CRC;
}

frame_event frame_receive(frame_receiver *receiver, uint8_t byte) {
    if (byte == 0) return finish(receiver);
    receiver->bytes_seen = 1;
    if (receiver->block > 0) {
        receiver->block--;
        append(receiver, byte);
        return FRAME_NOTHING;
    }
    if (!receiver->block_is_full) append(receiver, 0);
    receiver->block = (uint8_t)(byte - 1u);
    receiver->block_is_full = byte == 255u;
    return FRAME_NOTHING;
}

uint8_t frame_opcode(const link_frame *frame) {
    return frame->bytes[0];
}

uint16_t frame_sequence(const link_frame *frame) {
    return (uint16_t)(frame->bytes[1] | (frame->bytes[2] << 8));
}

uint8_t *frame_body(link_frame *frame) {
    return frame->bytes + FRAME_HEADER_BYTES;
}

void frame_seal(uint8_t *bytes, uint32_t body_bytes, uint8_t opcode, uint16_t sequence) {
    bytes[0] = opcode;
    bytes[1] = (uint8_t)sequence;
    bytes[2] = (uint8_t)(sequence >> 8);
    const uint32_t count = FRAME_HEADER_BYTES + body_bytes;
    const uint32_t crc = crc32_update(CRC32_START, bytes, count);
    memcpy(bytes + count, &crc, sizeof crc);
}

void frame_send(const uint8_t *bytes, uint32_t body_bytes) {
    static const uint8_t end = 0;
    const uint32_t total = FRAME_HEADER_BYTES + body_bytes + FRAME_CRC_BYTES;
    uint32_t start = 0;
    for (;;) {
        uint32_t run = 0; /* bytes before the next zero, at most 254 */
        while (start + run < total && run < 254u && bytes[start + run] != 0) run++;
        const uint8_t code = (uint8_t)(run + 1u);
        port_console_write(&code, 1);
        port_console_write(bytes + start, run);
        start += run;
        if (start == total) break;
        if (run < 254u) start++; /* the code stands for this zero */
    }
    port_console_write(&end, 1);
}
