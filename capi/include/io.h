/* io.h - names of the C library with an underscore, for libmailslot. */
#ifndef MAILSLOT_IO_H
#define MAILSLOT_IO_H

#include <stdio.h>
#include <unistd.h>

/* Files have no text mode here. */
#define _O_BINARY 0
#define _O_TEXT 0
#define _fileno fileno
#define _isatty isatty
static inline int _setmode(int file, int mode) { (void)file; return mode; }

#endif
