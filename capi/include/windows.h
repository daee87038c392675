/* windows.h - what programs around mailslots need of it, for libmailslot.
 *
 * WCHAR is wchar_t, so that L"" literals are strings of it: 32 bits on Unix, 16 with -fshort-wchar; the header takes
 * the matching functions. With -fshort-wchar it also gives wcslen and its relatives, because those of the C library
 * are for the other width. DWORD is 32 bits, and LONG too; `long` is 64. */
#ifndef MAILSLOT_WINDOWS_H
#define MAILSLOT_WINDOWS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WINAPI
#define APIENTRY
#define CALLBACK
#define NTAPI
#define VOID void
#define CONST const

typedef int BOOL, INT;
typedef char CHAR;
typedef short SHORT;
typedef int32_t LONG;
typedef int64_t LONGLONG, LONG64;
typedef unsigned char BYTE, UCHAR, BOOLEAN;
typedef uint16_t WORD, USHORT;
typedef uint32_t DWORD, ULONG, UINT;
typedef uint64_t DWORDLONG, ULONGLONG, DWORD64, ULONG64;
typedef intptr_t INT_PTR, LONG_PTR;
typedef uintptr_t UINT_PTR, ULONG_PTR, DWORD_PTR;
typedef size_t SIZE_T;
typedef wchar_t WCHAR;
typedef void *PVOID, *LPVOID;
typedef const void *LPCVOID;
typedef BOOL *LPBOOL, *PBOOL;
typedef BYTE *LPBYTE, *PBYTE;
typedef DWORD *LPDWORD, *PDWORD;
typedef LONG *LPLONG, *PLONG;
typedef ULONG *PULONG;
typedef ULONG_PTR *PULONG_PTR;
typedef CHAR *LPSTR, *PSTR;
typedef const CHAR *LPCSTR, *PCSTR;
typedef WCHAR *LPWSTR, *PWSTR;
typedef const WCHAR *LPCWSTR, *PCWSTR;
typedef void *HANDLE, *HMODULE, *HINSTANCE, *HGLOBAL, *HLOCAL;
typedef HANDLE *LPHANDLE, *PHANDLE;
typedef INT_PTR(WINAPI *FARPROC)(void);
#ifdef UNICODE
typedef WCHAR TCHAR;
#define TEXT(text) L##text
#else
typedef CHAR TCHAR;
#define TEXT(text) text
#endif
typedef TCHAR *LPTSTR, *PTSTR;
typedef const TCHAR *LPCTSTR, *PCTSTR;

typedef union _LARGE_INTEGER {
    struct { DWORD LowPart; LONG HighPart; } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef struct _SECURITY_ATTRIBUTES {
    DWORD nLength;
    LPVOID lpSecurityDescriptor;
    BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

typedef struct _OVERLAPPED {
    ULONG_PTR Internal;
    ULONG_PTR InternalHigh;
    union {
        __extension__ struct { DWORD Offset; DWORD OffsetHigh; };
        PVOID Pointer;
    };
    HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED;

typedef DWORD(WINAPI *LPTHREAD_START_ROUTINE)(LPVOID);

#ifndef TRUE
#define TRUE 1
#define FALSE 0
#endif
#define INVALID_HANDLE_VALUE ((HANDLE)(intptr_t)-1)
#define MAX_PATH 260
#define MAX_COMPUTERNAME_LENGTH 15

#define MAILSLOT_NO_MESSAGE ((DWORD)-1)
#define MAILSLOT_WAIT_FOREVER ((DWORD)-1)
#define INFINITE 0xFFFFFFFFU
#define WAIT_OBJECT_0 0U
#define WAIT_TIMEOUT 258U
#define WAIT_FAILED 0xFFFFFFFFU
#define MAXIMUM_WAIT_OBJECTS 64
#define STILL_ACTIVE 259U

#define DELETE 0x00010000U
#define READ_CONTROL 0x00020000U
#define WRITE_DAC 0x00040000U
#define SYNCHRONIZE 0x00100000U
#define MAXIMUM_ALLOWED 0x02000000U
#define GENERIC_ALL 0x10000000U
#define GENERIC_EXECUTE 0x20000000U
#define GENERIC_WRITE 0x40000000U
#define GENERIC_READ 0x80000000U
#define FILE_READ_DATA 0x0001U
#define FILE_WRITE_DATA 0x0002U
#define FILE_APPEND_DATA 0x0004U
#define FILE_READ_ATTRIBUTES 0x0080U
#define FILE_WRITE_ATTRIBUTES 0x0100U
#define FILE_SHARE_READ 1U
#define FILE_SHARE_WRITE 2U
#define FILE_SHARE_DELETE 4U
#define CREATE_NEW 1U
#define CREATE_ALWAYS 2U
#define OPEN_EXISTING 3U
#define OPEN_ALWAYS 4U
#define TRUNCATE_EXISTING 5U
#define FILE_ATTRIBUTE_NORMAL 0x00000080U
#define FILE_FLAG_WRITE_THROUGH 0x80000000U
#define FILE_FLAG_OVERLAPPED 0x40000000U
#define DUPLICATE_CLOSE_SOURCE 1U
#define DUPLICATE_SAME_ACCESS 2U
#define CREATE_SUSPENDED 4U

#define NO_ERROR 0U
#define ERROR_SUCCESS 0U
#define ERROR_INVALID_FUNCTION 1U
#define ERROR_FILE_NOT_FOUND 2U
#define ERROR_PATH_NOT_FOUND 3U
#define ERROR_ACCESS_DENIED 5U
#define ERROR_INVALID_HANDLE 6U
#define ERROR_NOT_ENOUGH_MEMORY 8U
#define ERROR_SHARING_VIOLATION 32U
#define ERROR_HANDLE_EOF 38U
#define ERROR_NOT_SUPPORTED 50U
#define ERROR_BAD_NETPATH 53U
#define ERROR_INVALID_PARAMETER 87U
#define ERROR_BROKEN_PIPE 109U
#define ERROR_BUFFER_OVERFLOW 111U
#define ERROR_SEM_TIMEOUT 121U
#define ERROR_INSUFFICIENT_BUFFER 122U
#define ERROR_INVALID_NAME 123U
#define ERROR_ALREADY_EXISTS 183U
#define ERROR_FILENAME_EXCED_RANGE 206U
#define ERROR_OPERATION_ABORTED 995U
#define ERROR_IO_INCOMPLETE 996U
#define ERROR_IO_PENDING 997U
#define ERROR_NOACCESS 998U
#define ERROR_NO_UNICODE_TRANSLATION 1113U
#define ERROR_NOT_ENOUGH_SERVER_MEMORY 1130U
#define ERROR_NOT_FOUND 1168U
#define ERROR_INTERNAL_ERROR 1359U
#define ERROR_NO_SYSTEM_RESOURCES 1450U
#define ERROR_INVALID_USER_BUFFER 1784U

/* Mailslots */
HANDLE WINAPI CreateMailslotA(LPCSTR name, DWORD max_message_size, DWORD read_timeout, LPSECURITY_ATTRIBUTES);
HANDLE WINAPI CreateFileA(LPCSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES, DWORD disposition,
                          DWORD flags, HANDLE template_file);
#if __SIZEOF_WCHAR_T__ == 4
#define CreateMailslotW mailslot_CreateMailslotW32
#define CreateFileW mailslot_CreateFileW32
#define GetComputerNameW mailslot_GetComputerNameW32
#endif
HANDLE WINAPI CreateMailslotW(LPCWSTR name, DWORD max_message_size, DWORD read_timeout, LPSECURITY_ATTRIBUTES);
HANDLE WINAPI CreateFileW(LPCWSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES, DWORD disposition,
                          DWORD flags, HANDLE template_file);
BOOL WINAPI ReadFile(HANDLE, LPVOID buffer, DWORD size, LPDWORD read, LPOVERLAPPED);
BOOL WINAPI WriteFile(HANDLE, LPCVOID buffer, DWORD size, LPDWORD written, LPOVERLAPPED);
BOOL WINAPI GetMailslotInfo(HANDLE, LPDWORD max_message_size, LPDWORD next_size, LPDWORD message_count,
                            LPDWORD read_timeout);
BOOL WINAPI SetMailslotInfo(HANDLE, DWORD read_timeout);
BOOL WINAPI GetOverlappedResult(HANDLE, LPOVERLAPPED, LPDWORD length, BOOL wait);
BOOL WINAPI CancelIo(HANDLE);
BOOL WINAPI CancelIoEx(HANDLE, LPOVERLAPPED);
#define HasOverlappedIoCompleted(overlapped) ((DWORD)(overlapped)->Internal != 0x103U)
BOOL WINAPI CloseHandle(HANDLE);
BOOL WINAPI DuplicateHandle(HANDLE source_process, HANDLE source, HANDLE target_process, LPHANDLE target,
                            DWORD access, BOOL inherit, DWORD options);

/* Errors */
DWORD WINAPI GetLastError(void);
VOID WINAPI SetLastError(DWORD);
/* Of this library only: the thread's last failure in words (UTF-8), valid until its next. */
const char *mailslot_last_error_text(void);

/* Of ntdll */
DWORD NTAPI RtlGetLastNtStatus(void);
DWORD NTAPI RtlNtStatusToDosError(DWORD status);
LONG NTAPI NtQueryObject(HANDLE, int information_class, void *information, ULONG size, ULONG *needed);

struct _OBJECT_ATTRIBUTES;
DWORD NTAPI NtCreateMailslotFile(HANDLE *, ULONG access, struct _OBJECT_ATTRIBUTES *, void *status, ULONG options,
                                 ULONG quota, ULONG max_message_size, LARGE_INTEGER *read_timeout);

/* Threads, events, waiting */
HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES, SIZE_T stack, LPTHREAD_START_ROUTINE, LPVOID parameter,
                           DWORD flags, LPDWORD id);
BOOL WINAPI GetExitCodeThread(HANDLE, LPDWORD code);
HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES, BOOL manual_reset, BOOL initial_state, LPCSTR name);
HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES, BOOL manual_reset, BOOL initial_state, LPCWSTR name);
BOOL WINAPI SetEvent(HANDLE);
BOOL WINAPI ResetEvent(HANDLE);
DWORD WINAPI WaitForSingleObject(HANDLE, DWORD milliseconds);
DWORD WINAPI WaitForMultipleObjects(DWORD count, const HANDLE *handles, BOOL all, DWORD milliseconds);
VOID WINAPI Sleep(DWORD milliseconds);
DWORD WINAPI GetTickCount(void);
ULONGLONG WINAPI GetTickCount64(void);

/* Names */
BOOL WINAPI GetComputerNameA(LPSTR buffer, LPDWORD size);
BOOL WINAPI GetComputerNameW(LPWSTR buffer, LPDWORD size);

#ifdef __cplusplus
}
#endif

#ifdef UNICODE
#define CreateMailslot CreateMailslotW
#define CreateFile CreateFileW
#define CreateEvent CreateEventW
#define GetComputerName GetComputerNameW
#else
#define CreateMailslot CreateMailslotA
#define CreateFile CreateFileA
#define CreateEvent CreateEventA
#define GetComputerName GetComputerNameA
#endif

/* What the C library has under another name */
#define CopyMemory(to, from, size) memcpy((to), (from), (size))
#define ZeroMemory(at, size) memset((at), 0, (size))
#define lstrlenA(text) ((int)strlen(text))
#define GMEM_FIXED 0x0000U
#define GMEM_ZEROINIT 0x0040U
#define GPTR (GMEM_FIXED | GMEM_ZEROINIT)
#define LPTR GPTR

/* Fixed memory only: movable memory has no use here, and gets NULL. */
static inline HGLOBAL GlobalAlloc(UINT flags, SIZE_T size)
{
    void *at = NULL;
    if ((flags & ~GPTR) == 0) at = (flags & GMEM_ZEROINIT) ? calloc(1, size ? size : 1) : malloc(size ? size : 1);
    if (!at) SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return at;
}
static inline HGLOBAL GlobalFree(HGLOBAL at) { free(at); return NULL; }
static inline HLOCAL LocalAlloc(UINT flags, SIZE_T size) { return GlobalAlloc(flags, size); }
static inline HLOCAL LocalFree(HLOCAL at) { return GlobalFree(at); }
static inline HANDLE GetCurrentProcess(void) { return INVALID_HANDLE_VALUE; }

#include "mailslot_files.h"
#include "mailslot_text.h"

#endif
