/* The link: frames in, sequence numbers, retries, answers out, error events, the timed fall-back of the baud rate. */
#ifndef LINK_H
#define LINK_H

/** Reset the receiver and report the last crash, if there was one. */
void link_start(void);
/** Handle what has arrived; returns when nothing is left to read. */
void link_poll(void);

#endif
