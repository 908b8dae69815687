/* What of the memory is cached: everything that can be, but what DMA writes. */
#ifndef CACHE_H
#define CACHE_H

/** Clock the D2 SRAMs, set the MPU's regions, then switch both caches on. */
void cache_start(void);

#endif
