/* Runs driver.c on a PC without an operating system, which an emulator of a processor does in a minute: a disk whose
 * first sector loads the rest, turns on 64 bits and all vector registers, and trains for each line of RUNS. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

__asm__(".section .first, \"ax\"\n .code16\n"
        "cli\n xor %ax, %ax\n mov %ax, %ds\n mov %ax, %es\n mov %ax, %ss\n mov $0x7c00, %sp\n"
        "load: mov $packet, %si\n mov $0x42, %ah\n mov $0x80, %dl\n int $0x13\n jc halt\n" /* the BIOS reads the disk */
        "addw $0x800, segment\n addl $64, sector\n cmpl $sectors, sector\n jb load\n"
        "in $0x92, %al\n or $2, %al\n out %al, $0x92\n" /* addresses above 1 MiB */
        "movl $0x2003, 0x1000\n movl $0x3003, 0x2000\n mov $0x83, %eax\n mov $0x3000, %di\n" /* maps 1 GiB to itself */
        "page: mov %eax, (%di)\n movl $0, 4(%di)\n add $0x200000, %eax\n add $8, %di\n cmp $0x4000, %di\n jb page\n"
        "mov $0x1000, %eax\n mov %eax, %cr3\n mov $0x40620, %eax\n mov %eax, %cr4\n" /* PAE, SSE, XSAVE */
        "mov $0xc0000080, %ecx\n rdmsr\n or $0x100, %eax\n wrmsr\n" /* long mode */
        "mov $0x80000003, %eax\n mov %eax, %cr0\n lgdt table\n ljmp $8, $wide\n"
        "halt: hlt\n jmp halt\n"
        "packet: .word 16, 64, 0\n segment: .word 0x7e0\n sector: .long 1, 0\n"
        ".balign 8\n segments: .quad 0, 0x209a0000000000, 0x920000000000\n table: .word 23\n .long segments\n"
        ".org 510\n .word 0xaa55\n .code64\n"
        "wide: mov $16, %eax\n mov %eax, %ss\n mov $0x1000000, %esp\n"
        "mov $13, %eax\n xor %ecx, %ecx\n cpuid\n xor %ecx, %ecx\n xsetbv\n call run\n" /* all that XSAVE knows */
        ".previous\n");

int main(int count, char **words);

enum { SERIAL = 0x3f8, LINE = SERIAL + 3, STATUS = SERIAL + 5, READY = 0x20, EMPTY = 0x40, POWER = 0x8900 };

static void out(uint16_t port, char byte) { __asm__ volatile("outb %0, %1" : : "a"(byte), "Nd"(port)); }
static void wait(uint8_t state) {
    for (uint8_t status = 0; !(status & state);) __asm__ volatile("inb %1, %0" : "=a"(status) : "Nd"((uint16_t)STATUS));
}
static void put(char byte) { wait(READY), out(SERIAL, byte); }

/* What the driver needs of the C library and of OpenMP, for one thread. */
static char *const heap = (char *)0x1000000, *top;
void *aligned_alloc(size_t to, size_t size) {
    char *place = top + (-(uintptr_t)top & (to - 1));
    top = place + size;
    return place;
}
void *malloc(size_t size) { return aligned_alloc(64, size); }
void free(void *place) { (void)place; }
void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    return start;
}
void *memset(void *to, int byte, size_t count) {
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(byte) : "memory");
    return start;
}
long long strtoll(const char *text, char **end, int base) {
    long long value = 0;
    for (; *text; text++) value = value * base + (*text - '0');
    return (void)end, value;
}
int printf(const char *format, ...) { /* a number of 16 hexadecimal digits */
    va_list values;
    va_start(values, format);
    const unsigned long long value = va_arg(values, unsigned long long);
    va_end(values);
    for (int digit = 60; digit >= 0; digit -= 4) put("0123456789abcdef"[value >> digit & 15]);
    return put('\n'), 17;
}
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags) {
    (void)threads, (void)flags, body(data);
}
_Bool GOMP_loop_nonmonotonic_dynamic_start(long start, long end, long step, long chunk, long *from, long *to) {
    return (void)step, (void)chunk, *from = start, *to = end, start < end;
}
_Bool GOMP_loop_nonmonotonic_dynamic_next(long *from, long *to) { return (void)from, (void)to, 0; }
void GOMP_loop_end_nowait(void) {}
int omp_get_num_threads(void) { return 1; }
int omp_get_thread_num(void) { return 0; }

void run(void) {
    static char lines[] = RUNS;
    char *words[8] = {"driver"}, *at = lines;
    out(LINE, 0x83), out(SERIAL, 1), out(SERIAL + 1, 0), out(LINE, 3); /* 115,200 baud, 8 bits */
    while (*at) {
        int count = 1;
        for (words[count++] = at; *at != '\n'; at++)
            if (*at == ' ') *at = 0, words[count++] = at + 1;
        *at++ = 0, top = heap;
        if (main(count, words)) put('?');
    }
    wait(EMPTY);
    for (const char *text = "Shutdown"; *text; text++) out(POWER, *text); /* Bochs ends */
}
