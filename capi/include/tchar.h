/* tchar.h - names that follow _UNICODE, for libmailslot. */
#ifndef MAILSLOT_TCHAR_H
#define MAILSLOT_TCHAR_H

#include <stdio.h>
#include <windows.h>

#ifdef _UNICODE
#if __SIZEOF_WCHAR_T__ != 4
#error "tchar.h with _UNICODE needs the C library's wide characters: without -fshort-wchar"
#endif
#define _T(text) L##text
#define _tprintf wprintf
#define _ftprintf fwprintf
#define _tcslen wcslen
#define _tcscpy wcscpy
#define _tcscat wcscat
#define _tcscmp wcscmp
#define _tcschr wcschr
#else
#define _T(text) text
#define _tprintf printf
#define _ftprintf fprintf
#define _stprintf sprintf
#define _tcslen strlen
#define _tcscpy strcpy
#define _tcscat strcat
#define _tcscmp strcmp
#define _tcschr strchr
#endif
/* The arguments of a program are bytes on Unix, whatever _UNICODE says. */
#define _tmain main

#endif
