/* mailslot_text.h - text as programs for Windows have it, for libmailslot. Included by windows.h.
 *
 * With -fshort-wchar: the wide functions, which the C library has for 32 bits only.
 * With -DMAILSLOT_WIN32_PRINTF: printf and its relatives for formats in which `l` means 32 bits and `I64` 64, as
 * Windows has them. Needs an ABI in which an argument of 32 bits takes a whole place, as those of x86-64 and AArch64. */
#ifndef MAILSLOT_TEXT_H
#define MAILSLOT_TEXT_H

#include <stdarg.h>
#include <stdio.h>

#if __SIZEOF_WCHAR_T__ == 2
static inline size_t mailslot_wcslen(const WCHAR *text)
{
    size_t length = 0;
    while (text[length]) length++;
    return length;
}
static inline WCHAR *mailslot_wcscpy(WCHAR *to, const WCHAR *from)
{
    memcpy(to, from, (mailslot_wcslen(from) + 1) * sizeof *from);
    return to;
}
static inline WCHAR *mailslot_wcscat(WCHAR *to, const WCHAR *from)
{
    mailslot_wcscpy(to + mailslot_wcslen(to), from);
    return to;
}
static inline int mailslot_wcscmp(const WCHAR *a, const WCHAR *b)
{
    while (*a && *a == *b) a++, b++;
    return (*a > *b) - (*a < *b);
}
#define wcslen mailslot_wcslen
#define wcscpy mailslot_wcscpy
#define wcscat mailslot_wcscat
#define wcscmp mailslot_wcscmp
#endif

/* wsprintfW for %s, %d, %u, %x, %c and %%; as there, at most 1,024 characters are written. */
static inline int wsprintfW(LPWSTR to, LPCWSTR format, ...)
{
    enum { LONGEST = 1024 };
    int length = 0;
    va_list list;
    va_start(list, format);
    for (; *format && length < LONGEST - 1; format++) {
        char digits[16];
        const char *digit = digits;
        if (*format != L'%') {
            to[length++] = *format;
            continue;
        }
        format++;
        digits[0] = 0;
        if (*format == L's') {
            const WCHAR *text = va_arg(list, const WCHAR *);
            while (*text && length < LONGEST - 1) to[length++] = *text++;
        } else if (*format == L'c') {
            to[length++] = (WCHAR)va_arg(list, int);
        } else if (*format == L'd') {
            snprintf(digits, sizeof digits, "%d", va_arg(list, int));
        } else if (*format == L'u') {
            snprintf(digits, sizeof digits, "%u", va_arg(list, unsigned));
        } else if (*format == L'x') {
            snprintf(digits, sizeof digits, "%x", va_arg(list, unsigned));
        } else if (*format == L'%') {
            to[length++] = L'%';
        } else {
            break;
        }
        while (*digit && length < LONGEST - 1) to[length++] = (WCHAR)*digit++;
    }
    va_end(list);
    to[length] = 0;
    return length;
}

#ifdef MAILSLOT_WIN32_PRINTF
/* The format in the C library's terms. */
static inline const char *mailslot_format(const char *format, char *room, size_t size)
{
    size_t at = 0;
    while (*format && at + 3 < size) {
        room[at++] = *format;
        if (*format++ != '%') continue;
        while (*format && strchr("-+ #0123456789.*", *format) && at + 3 < size) room[at++] = *format++;
        if (format[0] == 'l' && format[1] != 'l' && format[1] != 's') {
            format++;
        } else if (strncmp(format, "I64", 3) == 0) {
            room[at++] = 'l';
            room[at++] = 'l';
            format += 3;
        } else {
            while (*format == 'l' && at + 3 < size) room[at++] = *format++;
        }
        if (*format && at + 3 < size) room[at++] = *format++;
    }
    room[at] = 0;
    return room;
}
static inline int mailslot_vsnprintf(char *to, size_t size, const char *format, va_list list)
{
    char room[2048];
    return vsnprintf(to, size, mailslot_format(format, room, sizeof room), list);
}
static inline int mailslot_vfprintf(FILE *file, const char *format, va_list list)
{
    char room[2048];
    return vfprintf(file, mailslot_format(format, room, sizeof room), list);
}
static inline int mailslot_printf(const char *format, ...)
{
    va_list list;
    int length;
    va_start(list, format);
    length = mailslot_vfprintf(stdout, format, list);
    va_end(list);
    return length;
}
static inline int mailslot_fprintf(FILE *file, const char *format, ...)
{
    va_list list;
    int length;
    va_start(list, format);
    length = mailslot_vfprintf(file, format, list);
    va_end(list);
    return length;
}
static inline int mailslot_sprintf(char *to, const char *format, ...)
{
    va_list list;
    int length;
    va_start(list, format);
    length = mailslot_vsnprintf(to, SIZE_MAX / 2, format, list);
    va_end(list);
    return length;
}
static inline int mailslot_snprintf(char *to, size_t size, const char *format, ...)
{
    va_list list;
    int length;
    va_start(list, format);
    length = mailslot_vsnprintf(to, size, format, list);
    va_end(list);
    return length;
}
#define vsnprintf mailslot_vsnprintf
#define vfprintf mailslot_vfprintf
#define printf mailslot_printf
#define fprintf mailslot_fprintf
#define sprintf mailslot_sprintf
#define snprintf mailslot_snprintf
#endif

#endif
