/* Frames on the wire: COBS(opcode u8, sequence u16, body, CRC-32) and one zero byte.
 *
 * The receiver decodes as bytes arrive, so that no encoded frame is ever stored; the sender encodes as bytes leave.
 */
#ifndef FRAME_H
#define FRAME_H

#include "protocol.h"

#include <stdint.h>

#define FRAME_HEADER_BYTES 3u
#define FRAME_CRC_BYTES 4u
#define FRAME_MAX_BYTES (FRAME_HEADER_BYTES + PROTOCOL_LIMIT_BODY_BYTES + FRAME_CRC_BYTES)

/** A decoded frame, or one to send. `bytes`: header, body and room for the CRC; `body_bytes`: of the body alone. */
typedef struct link_frame {
    uint32_t body_bytes;
    uint8_t bytes[FRAME_MAX_BYTES];
} link_frame;

/** What frame_receive found. */
typedef enum frame_event {
    FRAME_NOTHING, /* more bytes are needed */
    FRAME_READY,   /* receiver->frame is whole and its CRC is right */
    FRAME_BAD_CRC,
    FRAME_BAD_LENGTH,
} frame_event;

typedef struct frame_receiver {
    link_frame frame;
    uint32_t count;        /* decoded bytes so far; beyond FRAME_MAX_BYTES they are counted but not stored */
    uint32_t detail;       /* of FRAME_BAD_CRC: the CRC computed; of FRAME_BAD_LENGTH: the decoded length seen */
    uint8_t block;         /* bytes left of the current COBS block */
    uint8_t block_is_full; /* the current block was a 255: no zero follows it */
    uint8_t bytes_seen;    /* 1 once a byte of this frame came */
} frame_receiver;

void frame_receiver_reset(frame_receiver *receiver);
/** Feed one byte of the wire. */
frame_event frame_receive(frame_receiver *receiver, uint8_t byte);

uint8_t frame_opcode(const link_frame *frame);
uint16_t frame_sequence(const link_frame *frame);
uint8_t *frame_body(link_frame *frame);

/** Fill in header and CRC around the body of `body_bytes` bytes which is already at bytes + FRAME_HEADER_BYTES. */
void frame_seal(uint8_t *bytes, uint32_t body_bytes, uint8_t opcode, uint16_t sequence);
/** Encode a sealed frame onto the console, piece by piece. */
void frame_send(const uint8_t *bytes, uint32_t body_bytes);

#endif
