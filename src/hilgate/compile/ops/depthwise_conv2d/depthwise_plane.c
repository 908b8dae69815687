#include "depthwise_plane.h"

#include "bytes.h"

/* `rows` rows of `width` pixels that lie `step` bytes apart: the first byte of each as int16, `pitch` values from one
 * row to the next. */
HILGATE_INLINE void depthwise_gather(int16_t *to, const int8_t *from, uint32_t width, uint32_t rows, uint32_t step,
                                     uint32_t pitch) {
    for (; rows > 0u; rows--, to += pitch - width)
        for (uint32_t n = width; n > 0u; n--, from += step) *to++ = *from;
}

/* The same for the first two bytes, each into its plane; both planes lie alike to word boundaries. On DSP cores four
 * pixels take 16 cycles for 8 values; a row that starts between words begins with one pixel alone. */
HILGATE_INLINE void depthwise_gather2(int16_t *to, int16_t *two, const int8_t *from, uint32_t width, uint32_t rows,
                                      uint32_t step, uint32_t pitch) {
#if HILGATE_DSP
#define GATHER_SPLIT(a, b)                                                                                             \
    "pkhbt " a ", " a ", " b ", lsl #16\nsxtb16 " b ", " a "\nsxtb16 " a ", " a ", ror #8\n"                           \
    "str " b ", [%[to]], #4\nstr " a ", [%[two]], #4\n"
#define GATHER_FOUR                                                                                                    \
    "ldrh %[a], [%[from]]\nldrh %[b], [%[from], %[s]]\nldrh %[c], [%[from], %[s], lsl #1]\n"                           \
    "ldrh %[d], [%[from], %[s3]]\nadd %[from], %[from], %[s], lsl #2\n" GATHER_SPLIT("%[a]", "%[b]")                   \
        GATHER_SPLIT("%[c]", "%[d]")
#define GATHER_ONE                                                                                                     \
    "ldrsb %[a], [%[from]]\nldrsb %[b], [%[from], #1]\nadd %[from], %[from], %[s]\n"                                   \
    "strh %[a], [%[to]], #2\nstrh %[b], [%[two]], #2\n"
    int32_t a, b, c, d;
    uint32_t count;
    const uint32_t n = width - (((uintptr_t)to & 2u) >> 1), skip = 2u * (pitch - width);
    if (rows == 0u) return;
    __asm__ volatile(
        "1:\ntst %[to], #2\nbeq 2f\n" GATHER_ONE "2:\nlsrs %[count], %[n], #3\nbeq 4f\n"
        "3:\n" GATHER_FOUR GATHER_FOUR "subs %[count], %[count], #1\nbne 3b\n"
        "4:\ntst %[n], #4\nbeq 5f\n" GATHER_FOUR "5:\ntst %[n], #2\nbeq 6f\n"
        "ldrh %[a], [%[from]]\nldrh %[b], [%[from], %[s]]\n" GATHER_SPLIT(
            "%[a]",
            "%[b]") "add %[from], %[from], %[s], lsl #1\n"
                    "6:\ntst %[n], #1\nbeq 7f\n" GATHER_ONE
                    "7:\nadd %[to], %[to], %[skip]\nadd %[two], %[two], %[skip]\nsubs %[rows], %[rows], #1\nbne 1b\n"
        : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [count] "=&r"(count), [to] "+&r"(to),
          [two] "+&r"(two), [from] "+&r"(from), [rows] "+&r"(rows)
        : [s] "r"(step), [s3] "r"(3u * step), [n] "r"(n), [skip] "r"(skip)
        : "memory", "cc");
#undef GATHER_SPLIT
#undef GATHER_FOUR
#undef GATHER_ONE
#else
    depthwise_gather(to, from, width, rows, step, pitch);
    depthwise_gather(two, from + 1, width, rows, step, pitch);
#endif
}

/* n values, n a multiple of 8. */
HILGATE_INLINE void depthwise_fill(int16_t *to, int32_t value, uint32_t n) {
    hilgate_u32 *t = (hilgate_u32 *)(void *)to;
    const uint32_t pair = ((uint32_t)value & 0xffffu) * 0x10001u;
    for (; n > 0u; n -= 8u, t += 4) t[0] = pair, t[1] = pair, t[2] = pair, t[3] = pair;
}

/* Rows of a plane. */
HILGATE_INLINE int32_t depthwise_plane_rows(const depthwise_shape *s) {
    return (s->band - 1) * s->stride_h + s->rows;
}

/* One or two channels' input rows `first` and after, as far as they exist, into the planes. */
HILGATE_SHARED void depthwise_planes(const depthwise_shape *s, int16_t *plane, int16_t *two, const int8_t *x,
                                     int32_t first, uint32_t both) {
    const int32_t pitch = s->pitch / 2, start = first > 0 ? first : 0;
    const int32_t reached = first + depthwise_plane_rows(s), end = reached < s->in_h ? reached : s->in_h;
    const int32_t chunk = s->in_row == s->in_w * s->in_pixel ? end - start : 1; /* rows that follow each other in x */
    for (int32_t row = start; row < end; row += chunk) {
        const int32_t at = (row - first) * pitch + s->pad_left;
        const int8_t *from = x + row * s->in_row;
        if (both) {
            depthwise_gather2(plane + at, two + at, from, s->in_w, (uint32_t)chunk, (uint32_t)s->in_pixel,
                              (uint32_t)pitch);
        } else {
            depthwise_gather(plane + at, from, s->in_w, (uint32_t)chunk, (uint32_t)s->in_pixel, (uint32_t)pitch);
        }
    }
}

/* A channel's weights as pairs. Of three in a row, DSP cores shift two at once: w + 128 does not reach its neighbour.
 * They read the byte before w, which the stream has. */
HILGATE_INLINE int32_t *depthwise_pairs(int32_t *channel, const int8_t *w, int32_t rows, int32_t taps, int32_t left) {
#if HILGATE_DSP
    if (taps == 3) {
        uint32_t a, b, c;
        const int8_t *from = w - 1;
        __asm__ volatile(
            "1:\nldr %[a], [%[from]], #3\neor %[a], %[a], #0x80808080\nuxtb16 %[b], %[a], ror #8\n"
            "uxtb16 %[a], %[a]\nlsl %[b], %[b], %[left]\nlsl %[a], %[a], %[left]\n"
            "ssub16 %[b], %[b], %[offset]\nssub16 %[a], %[a], %[offset]\n" /* (w0 w2) and (? w1) */
            "pkhbt %[c], %[b], %[a]\npkhtb %[a], %[b], %[a], asr #16\n"
            "str %[c], [%[to]], #4\nstr %[a], [%[to]], #4\nsubs %[rows], %[rows], #1\nbne 1b\n"
            : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [from] "+&r"(from), [to] "+&r"(channel), [rows] "+&r"(rows)
            : [left] "r"(left), [offset] "r"(0x00800080u << left)
            : "memory", "cc");
        return channel;
    }
#endif
    for (; rows > 0; rows--, w += taps) {
        uint32_t before = (uint32_t)(w[0] * (1 << left));
        for (int32_t t = 1; t < taps; t++) {
            const uint32_t here = (uint32_t)(w[t] * (1 << left));
            *channel++ = (int32_t)((before & 0xffffu) | here << 16);
            before = here;
        }
    }
    return channel;
}

/* A channel as cores read it, from its words and weights of the stream. */
HILGATE_INLINE void depthwise_channel(const depthwise_shape *s, int32_t *channel, const hilgate_i32 *words,
                                      const int8_t *w, int32_t taps, int32_t zero) {
    const int32_t n = words[0] & 31;
    const int32_t left = s->rounding == PANEL_DOUBLE ? 1 : s->rounding == PANEL_POSITIVE ? s->top - n + 1 : 0;
    *channel++ = (words[0] >> 5) * (1 << left);
    channel = depthwise_pairs(channel, w, s->rows, taps, left);
    channel[0] = words[1];
    channel[1] = zero;
    if (s->rounding == PANEL_DOUBLE) channel[1] = (2 * zero + 1) * (1 << n) >> 1;
    if (s->rounding == PANEL_POSITIVE) channel[1] = zero * (1 << s->top) + (1 << (s->top - 1)) + (1 << (left - 2));
    channel[2] = n;
}

/* `rows` rows of outputs of every channel from input row `first` on. general: a constant; where it is 0, kernels are 3
 * wide, up to 7 high, and every input channel has one output channel. */
HILGATE_INLINE void depthwise_band(const depthwise_shape *s, const uint8_t *stream, const int8_t *x, int32_t first,
                                   int32_t rows, int32_t zero, int8_t *y, int16_t *planes, const int general) {
    const int32_t plane_values = depthwise_plane_rows(s) * (s->pitch / 2);
    int16_t *two = planes + plane_values;
    const int32_t rest = s->out_w % s->outputs, whole = s->out_w - rest, last = s->out_w - s->edge_outputs;
    const int32_t step = s->stride_h * s->pitch;
    const depthwise_block block = {rows, whole * s->stride_w * 2, step - whole * s->stride_w * 2,
                                   s->out_row - whole * s->out_pixel, s->out_pixel};
    const int32_t edge_bytes = s->edge_outputs * s->stride_w * 2; /* what is left of a row, maybe with some again */
    const depthwise_block edge = {rows, edge_bytes, step - edge_bytes, s->out_row - s->edge_outputs * s->out_pixel,
                                  s->out_pixel};
    const hilgate_i32 *words = (const hilgate_i32 *)(const void *)stream;
    const int8_t *weights = (const int8_t *)(words + 2 * s->channels);
    const uint32_t multiplier = general ? s->multiplier : 1u, inputs = s->channels / multiplier;
    const int32_t taps = general ? s->taps : 3;
    int32_t few[4 + DEPTHWISE_WORDS_FEW];
    int32_t *channel = few;
    if (general) channel = (int32_t *)(void *)(two + plane_values + 8);
    for (uint32_t c = 0; c < s->channels; c++, words += 2, weights += taps * s->rows) {
        const uint32_t in = c / multiplier;
        depthwise_channel(s, channel, words, weights, taps, zero);
        if ((in & 1u) == 0u && in * multiplier == c) depthwise_planes(s, planes, two, x + in, first, in + 1u < inputs);
        const int16_t *plane = in & 1u ? two : planes;
        s->run(plane, channel, y + c, &block);
        if (rest > 0) s->edge(plane + last * s->stride_w, channel, y + last * s->out_pixel + (int32_t)c, &edge);
    }
}

/* All outputs, band after band. */
HILGATE_INLINE void depthwise_image(const int8_t *x, const uint8_t *stream, const hilgate_output *output, int32_t fill,
                                    int8_t *y, int16_t *planes, const depthwise_shape *s, const int general) {
    for (int32_t at = 0; at < s->out_h; at += s->band) {
        const int32_t rows = at + s->band <= s->out_h ? s->band : s->out_h - at;
        depthwise_fill(planes, fill, ((uint32_t)depthwise_plane_rows(s) * s->pitch + 7u) & ~7u);
        depthwise_band(s, stream, x, at * s->stride_h - s->pad_top, rows, output->zero_point, y + at * s->out_row,
                       planes, general);
    }
}

HILGATE_SHARED void depthwise_plane_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                       const hilgate_i32 *fill, int8_t *y, int16_t *planes, const depthwise_shape *s) {
    depthwise_image(x, stream, output, fill[0], y, planes, s, 0);
    bytes_clamp(y, (uint32_t)s->out_h * s->out_w * s->channels, output);
}

/* Along one axis, the outputs `phase`, phase + dilation, ... read the inputs `first`, first + dilation, ...: how many
 * inputs and outputs these are, and how many reads fall before the first input. */
typedef struct {
    int32_t first, in, out, pad;
} depthwise_phase;

HILGATE_INLINE depthwise_phase depthwise_take(int32_t phase, int32_t dilation, int32_t in, int32_t out, int32_t pad) {
    const int32_t before = phase < pad ? (pad - phase + dilation - 1) / dilation : 0;
    const int32_t first = phase - pad + before * dilation;
    const depthwise_phase found = {first, (in - first + dilation - 1) / dilation,
                                   (out - phase + dilation - 1) / dilation, before};
    return found;
}

HILGATE_SHARED void depthwise_general_s8(const int8_t *x, const uint8_t *stream, const hilgate_output *output,
                                         const hilgate_i32 *fill, int8_t *y, int16_t *planes,
                                         const depthwise_shape *s) {
    depthwise_shape part = *s;
    part.in_row *= s->dilation_h, part.out_row *= s->dilation_h;
    part.in_pixel *= s->dilation_w, part.out_pixel *= s->dilation_w;
    for (int32_t a = 0; a < s->dilation_h; a++) {
        const depthwise_phase h = depthwise_take(a, s->dilation_h, s->in_h, s->out_h, s->pad_top);
        for (int32_t b = 0; b < s->dilation_w; b++) {
            const depthwise_phase w = depthwise_take(b, s->dilation_w, s->in_w, s->out_w, s->pad_left);
            part.in_h = (uint16_t)h.in, part.out_h = (uint16_t)h.out, part.pad_top = (uint8_t)h.pad;
            part.in_w = (uint16_t)w.in, part.out_w = (uint16_t)w.out, part.pad_left = (uint8_t)w.pad;
            depthwise_image(x + h.first * s->in_row + w.first * s->in_pixel, stream, output, fill[0],
                            y + a * s->out_row + b * s->out_pixel, planes, &part, 1);
        }
    }
    bytes_clamp(y, (uint32_t)s->out_h * s->out_w * s->channels, output);
}
