/* conio.h - single keys of the terminal, for libmailslot. Where the standard input is no terminal, its bytes. */
#ifndef MAILSLOT_CONIO_H
#define MAILSLOT_CONIO_H

#include <poll.h>
#include <termios.h>
#include <unistd.h>

static inline int mailslot_key(int echo)
{
    struct termios before, now;
    unsigned char key;
    ssize_t got;
    int terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        now = before;
        now.c_lflag &= ~(tcflag_t)(ICANON | (echo ? 0 : ECHO));
        now.c_cc[VMIN] = 1;
        now.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &now);
    }
    got = read(STDIN_FILENO, &key, 1);
    if (terminal) tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return got == 1 ? key : -1;
}
static inline int _getch(void) { return mailslot_key(0); }
static inline int _getche(void) { return mailslot_key(1); }
static inline int _kbhit(void)
{
    struct termios before, now;
    struct pollfd in = { STDIN_FILENO, POLLIN, 0 };
    int hit, terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        now = before;
        now.c_lflag &= ~(tcflag_t)ICANON;
        tcsetattr(STDIN_FILENO, TCSANOW, &now);
    }
    hit = poll(&in, 1, 0) == 1;
    if (terminal) tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return hit;
}
#define getch _getch
#define getche _getche
#define kbhit _kbhit

#endif
