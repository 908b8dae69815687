/* Crashes in the way that the first input byte asks for; model.h and weights.c are the fixture model's. */
#include "model.h"

const uint8_t model_architecture_hash[16] = {'f', 'i', 'x', 't', 'u', 'r', 'e', ' ',
                                             'm', 'o', 'd', 'e', 'l', ' ', '0', '1'};

int32_t model_check(const uint8_t *weights, uint32_t bytes) {
    (void)weights;
    return bytes == MODEL_WEIGHTS_BYTES ? 0 : 1;
}

static void layer_1(uint8_t how) {
    switch (how) {
    case 1: /* nothing is mapped there */
        (void)*(volatile uint32_t *)0x60000000u;
        break;
    case 2: /* LDRD must be aligned, whatever CCR says */
        __asm volatile("ldr r0, =0x20000002\n\tldrd r2, r3, [r0]" ::: "r0", "r2", "r3", "memory");
        break;
    case 3: /* the stack leaves RAM at its lower end */
        __asm volatile("ldr r0, =0x20000004\n\tmov sp, r0\n\tpush {r0, r1, r2, r3}" ::: "r0", "memory");
        break;
    case 4: /* a jump to an even address leaves Thumb state */
        __asm volatile("ldr r0, =0x08000000\n\tbx r0" ::: "r0");
        break;
    case 5: /* an interrupt that nobody handles: EXTI4, as soon as interrupts are on again */
        *(volatile uint32_t *)0xE000E100u = 1u << 10;
        *(volatile uint32_t *)0xE000E200u = 1u << 10;
        break;
    case 6: /* three ways for the stack to look at the crash; r0 is where it ends before */
        __asm volatile("mov r0, sp\n\tldr r1, =0x60000000\n\tldr r1, [r1]" ::: "r0", "r1", "memory");
        break;
    case 7: /* with an FPU context, so that the frame is the long one */
        __asm volatile("vmov.f32 s0, #1.0\n\tmov r0, sp\n\tldr r1, =0x60000000\n\tldr r1, [r1]" ::
                           : "r0", "r1", "memory");
        break;
    case 8: /* not at a multiple of eight, so that a word is skipped */
        __asm volatile("sub sp, #4\n\tmov r0, sp\n\tldr r1, =0x60000000\n\tldr r1, [r1]" ::: "r0", "r1", "memory");
        break;
    case 9: /* NMI, which no mask stops: ICSR.NMIPENDSET */
        *(volatile uint32_t *)0xE000ED04u = 1u << 31;
        __asm volatile("dsb\n\tisb");
        break;
    case 10: /* a supervisor call while all is masked: it escalates, and no other fault stands behind it */
        __asm volatile("svc #0");
        break;
    case 11: /* peripherals do not execute */
        __asm volatile("ldr r0, =0x40000001\n\tbx r0" ::: "r0");
        break;
    default:
        break;
    }
}

void model_run(const uint8_t *weights, uint8_t *arena) {
    (void)weights;
    layer_1(arena[0]);
}

void model_profile(const uint8_t *weights, uint8_t *arena, model_layer_fn after, void *context) {
    (void)weights;
    after(context, 0, arena, 1);
    layer_1(arena[0]);
    after(context, 1, arena, 1);
}
