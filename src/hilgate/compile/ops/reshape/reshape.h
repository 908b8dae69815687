/* reshape: a view. The output is the input's memory under another shape; the planner gives both one address, and the
 * compiler emits no call and no code. */
#ifndef HILGATE_RESHAPE_H
#define HILGATE_RESHAPE_H

#endif
