/* The commands of protocol.toml: what each does once its frame is known to be whole, in sequence and of legal length.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdint.h>

/** One request and the answer that grows for it. */
typedef struct command_exchange {
    const uint8_t *body; /* of the request */
    uint32_t body_bytes;
    uint8_t *out; /* the answer's body after its status byte; room for PROTOCOL_LIMIT_BODY_BYTES - 1 */
    uint32_t out_bytes;
    uint32_t detail; /* sent when the status is not PROTOCOL_ERROR_OK */
} command_exchange;

/** What is left to do after the answer has been sent. */
typedef enum command_after {
    COMMAND_DONE,
    COMMAND_SET_BAUD,
    COMMAND_RESET,
    COMMAND_CRASH,
    COMMAND_HANG,
} command_after;

/** Once after start-up: hashes and checks. */
void command_start(void);
/** Execute the request of `opcode`; returns its status, PROTOCOL_ERROR_... */
uint8_t command_execute(uint8_t opcode, command_exchange *exchange);
/** What the last executed command wants after its answer; asking clears it. */
command_after command_take_after(void);
/** The rate that COMMAND_SET_BAUD asks for. */
uint32_t command_baud(void);

#endif
