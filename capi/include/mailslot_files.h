/* mailslot_files.h - calls that are no calls on mailslots, for libmailslot. Included by windows.h.
 *
 * "Use no other functions on mailslots" (Win32, Mailslot Operations). Programs that call them all the same compile;
 * the calls fail with ERROR_INVALID_FUNCTION. Temporary files and processes are those of the C library. */
#ifndef MAILSLOT_FILES_H
#define MAILSLOT_FILES_H

#include <stdio.h>
#include <unistd.h>

typedef struct _WIN32_FIND_DATAW {
    DWORD dwFileAttributes;
    WCHAR cFileName[MAX_PATH];
} WIN32_FIND_DATAW, *LPWIN32_FIND_DATAW;

#define INVALID_FILE_ATTRIBUTES 0xFFFFFFFFU
#define INVALID_SET_FILE_POINTER 0xFFFFFFFFU
#define FILE_BEGIN 0U
#define FILE_TYPE_UNKNOWN 0U
#define CP_UTF8 65001U

static inline BOOL mailslot_refuse(void) { SetLastError(ERROR_INVALID_FUNCTION); return FALSE; }
static inline DWORD GetFileType(HANDLE file) { (void)file; mailslot_refuse(); return FILE_TYPE_UNKNOWN; }
static inline BOOL GetFileSizeEx(HANDLE file, PLARGE_INTEGER size) { (void)file; (void)size; return mailslot_refuse(); }
static inline BOOL FlushFileBuffers(HANDLE file) { (void)file; return mailslot_refuse(); }
static inline DWORD SetFilePointer(HANDLE file, LONG low, PLONG high, DWORD method)
{
    (void)file; (void)low; (void)high; (void)method;
    mailslot_refuse();
    return INVALID_SET_FILE_POINTER;
}
static inline DWORD GetFileAttributesW(LPCWSTR name) { (void)name; mailslot_refuse(); return INVALID_FILE_ATTRIBUTES; }
static inline BOOL DeleteFileW(LPCWSTR name) { (void)name; return mailslot_refuse(); }
static inline HANDLE FindFirstFileW(LPCWSTR name, LPWIN32_FIND_DATAW data)
{
    (void)name; (void)data;
    mailslot_refuse();
    return INVALID_HANDLE_VALUE;
}
static inline BOOL FindClose(HANDLE find) { (void)find; return mailslot_refuse(); }
static inline BOOL WaitNamedPipeW(LPCWSTR name, DWORD timeout) { (void)name; (void)timeout; return mailslot_refuse(); }
/* No thread's waiting calls can be ended by their thread; CancelIoEx ends those of a handle. */
static inline BOOL CancelSynchronousIo(HANDLE thread) { (void)thread; return mailslot_refuse(); }

/* Completion routines and ports: a read with an event does the same. */
typedef VOID(CALLBACK *LPOVERLAPPED_COMPLETION_ROUTINE)(DWORD code, DWORD length, LPOVERLAPPED);
static inline BOOL ReadFileEx(HANDLE file, LPVOID buffer, DWORD size, LPOVERLAPPED overlapped,
                              LPOVERLAPPED_COMPLETION_ROUTINE routine)
{
    (void)file; (void)buffer; (void)size; (void)overlapped; (void)routine;
    return mailslot_refuse();
}
static inline DWORD SleepEx(DWORD milliseconds, BOOL alertable) { (void)alertable; Sleep(milliseconds); return 0; }
static inline HANDLE CreateIoCompletionPort(HANDLE file, HANDLE port, ULONG_PTR key, DWORD threads)
{
    (void)file; (void)port; (void)key; (void)threads;
    mailslot_refuse();
    return NULL;
}
static inline BOOL GetQueuedCompletionStatus(HANDLE port, LPDWORD length, PULONG_PTR key, LPOVERLAPPED *overlapped,
                                             DWORD milliseconds)
{
    (void)port; (void)length; (void)key; (void)overlapped; (void)milliseconds;
    return mailslot_refuse();
}

static inline DWORD GetTempPathA(DWORD size, LPSTR path)
{
    const char *directory = getenv("TMPDIR");
    int length = snprintf(path, size, "%s/", directory && *directory ? directory : "/tmp");
    return length < 0 ? 0 : (DWORD)length;
}
static inline UINT GetTempFileNameA(LPCSTR path, LPCSTR prefix, UINT unique, LPSTR name)
{
    int file;
    if (snprintf(name, MAX_PATH, "%s/%sXXXXXX", path, prefix) >= MAX_PATH) return mailslot_refuse();
    (void)unique;
    file = mkstemp(name);
    if (file < 0) return mailslot_refuse();
    close(file);
    return 1;
}
static inline BOOL DeleteFileA(LPCSTR name) { return unlink(name) == 0 || mailslot_refuse(); }

/* Only of the calling process. */
static inline BOOL TerminateProcess(HANDLE process, UINT code)
{
    if (process == INVALID_HANDLE_VALUE) _exit((int)code);
    SetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}
static inline UINT GetACP(void) { return CP_UTF8; }

/* Modules are names; of ntdll's functions there are those that this library has. */
static inline HMODULE GetModuleHandleA(LPCSTR name) { (void)name; return INVALID_HANDLE_VALUE; }
static inline FARPROC GetProcAddress(HMODULE module, LPCSTR name)
{
    (void)module;
    if (strcmp(name, "RtlGetLastNtStatus") == 0) return (FARPROC)(void (*)(void))RtlGetLastNtStatus;
    if (strcmp(name, "RtlNtStatusToDosError") == 0) return (FARPROC)(void (*)(void))RtlNtStatusToDosError;
    if (strcmp(name, "NtCreateMailslotFile") == 0) return (FARPROC)(void (*)(void))NtCreateMailslotFile;
    if (strcmp(name, "NtQueryObject") == 0) return (FARPROC)(void (*)(void))NtQueryObject;
    SetLastError(127); /* ERROR_PROC_NOT_FOUND */
    return NULL;
}

#endif
