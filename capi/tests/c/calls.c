/* Calls of libmailslot with arguments that no program should give, and those that the probes leave out. */
#include <windows.h>
#include <conio.h>
#include <io.h>
#include <stdio.h>
#include <tchar.h>
#include <winternl.h>

static int failures;

static void check(int line, const char *what, int right)
{
    if (right) return;
    failures++;
    printf("line %d: not %s (last error %u: %s)\n", line, what, (unsigned)GetLastError(), mailslot_last_error_text());
}
#define CHECK(what) check(__LINE__, #what, (what))
#define FAILS(call, code) (SetLastError(0), !(call) && GetLastError() == (code))
#define OPENS_NOT(call, code) (SetLastError(0), (call) == INVALID_HANDLE_VALUE && GetLastError() == (code))

static HANDLE ready;

static DWORD WINAPI other_thread(LPVOID parameter)
{
    SetLastError(77);
    SetEvent(ready);
    WaitForSingleObject(*(HANDLE *)parameter, INFINITE);
    return GetLastError() == 77 ? 42 : 1;
}

static DWORD WINAPI reader(LPVOID parameter)
{
    char message[8];
    DWORD read = 9;
    SetEvent(ready);
    if (ReadFile(*(HANDLE *)parameter, message, sizeof message, &read, NULL)) return 0;
    return GetLastError();
}

static void mailslots(void)
{
    char message[16] = "";
    DWORD n = 9, max = 0, next = 0, count = 9, timeout = 9;
    HANDLE server, client, twin = NULL;
    OVERLAPPED overlapped;

    memset(&overlapped, 0, sizeof overlapped);
    CHECK(OPENS_NOT(CreateMailslotA(NULL, 0, 0, NULL), ERROR_PATH_NOT_FOUND));
    CHECK(OPENS_NOT(CreateMailslotW(NULL, 0, 0, NULL), ERROR_PATH_NOT_FOUND));
    CHECK(OPENS_NOT(CreateMailslotA("\\\\.\\mailslot\\\xff", 0, 0, NULL), ERROR_NO_UNICODE_TRANSLATION));
    CHECK(OPENS_NOT(CreateMailslotA("\\\\PC7\\mailslot\\x", 0, 0, NULL), ERROR_PATH_NOT_FOUND));
    CHECK(OPENS_NOT(CreateFileA(NULL, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL), ERROR_PATH_NOT_FOUND));
    CHECK(OPENS_NOT(CreateFileA("/etc/passwd", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL), ERROR_INVALID_NAME));

    server = CreateMailslotW(L"\\\\.\\mailslot\\caf\x00e9", 8, 0, NULL);
    CHECK(server != INVALID_HANDLE_VALUE);
    client = CreateFileA("\\\\.\\MAILSLOT\\CAF\xc3\x89", GENERIC_WRITE, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(client != INVALID_HANDLE_VALUE);
    CHECK(WriteFile(client, "12 left", 7, NULL, NULL));
    CHECK(WriteFile(client, NULL, 0, &n, NULL) && n == 0);
    CHECK(FAILS(WriteFile(client, NULL, 1, &n, NULL), ERROR_INVALID_USER_BUFFER));
    CHECK(FAILS(WriteFile(client, "nine byte", 9, &n, NULL), ERROR_INVALID_PARAMETER) && n == 0);
    CHECK(FAILS(WriteFile(server, "x", 1, &n, NULL), ERROR_ACCESS_DENIED));
    CHECK(FAILS(ReadFile(client, message, 1, &n, NULL), ERROR_ACCESS_DENIED));
    CHECK(FAILS(ReadFile(server, NULL, 16, &n, NULL), ERROR_NOACCESS));
    CHECK(FAILS(ReadFile(server, message, 6, &n, NULL), ERROR_INSUFFICIENT_BUFFER) && message[0] == 0);
    CHECK(FAILS(CancelIoEx(server, &overlapped), ERROR_NOT_FOUND) && CancelIo(server));
    CHECK(FAILS(GetOverlappedResult(server, NULL, &n, FALSE), ERROR_INVALID_PARAMETER));
    CHECK(GetMailslotInfo(server, &max, &next, &count, &timeout));
    CHECK(max == 8 && next == 7 && count == 2 && timeout == 0);
    CHECK(GetMailslotInfo(client, NULL, NULL, NULL, NULL));
    CHECK(FAILS(SetMailslotInfo(client, 1), ERROR_INVALID_HANDLE));
    CHECK(ReadFile(server, message, sizeof message, &n, NULL) && n == 7 && memcmp(message, "12 left", 7) == 0);
    CHECK(ReadFile(server, NULL, 0, NULL, NULL));
    CHECK(FAILS(ReadFile(server, message, 1, &n, NULL), ERROR_SEM_TIMEOUT) && RtlGetLastNtStatus() == 0xC00000B5U);

    CHECK(DuplicateHandle(GetCurrentProcess(), server, GetCurrentProcess(), &twin, 0, FALSE,
                          DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
    CHECK(FAILS(CloseHandle(server), ERROR_INVALID_HANDLE));
    CHECK(WriteFile(client, "x", 1, &n, NULL) && ReadFile(twin, message, 1, &n, NULL));
    CHECK(CloseHandle(twin) && FAILS(CloseHandle(twin), ERROR_INVALID_HANDLE));
    CHECK(FAILS(WriteFile(client, "x", 1, &n, NULL), ERROR_INVALID_HANDLE));
    CHECK(CloseHandle(client));
}

static void wrong_handles(void)
{
    static const intptr_t wrong[] = { 0, -1, -2, 1, 3, 0x7fffffff, INTPTR_MIN, INTPTR_MAX };
    char byte;
    DWORD n;
    size_t i;
    HANDLE event = CreateEvent(NULL, TRUE, FALSE, NULL);
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        HANDLE handle = (HANDLE)wrong[i];
        CHECK(FAILS(ReadFile(handle, &byte, 1, &n, NULL), ERROR_INVALID_HANDLE));
        CHECK(FAILS(WriteFile(handle, "x", 1, &n, NULL), ERROR_INVALID_HANDLE));
        CHECK(FAILS(GetMailslotInfo(handle, &n, NULL, NULL, NULL), ERROR_INVALID_HANDLE));
        CHECK(FAILS(SetMailslotInfo(handle, 0), ERROR_INVALID_HANDLE));
        CHECK(wrong[i] == -1 || FAILS(CloseHandle(handle), ERROR_INVALID_HANDLE));
        CHECK(WaitForSingleObject(handle, 0) == WAIT_FAILED && GetLastError() == ERROR_INVALID_HANDLE);
    }
    CHECK(FAILS(ReadFile(event, &byte, 1, &n, NULL), ERROR_INVALID_HANDLE));
    CHECK(FAILS(SetMailslotInfo(event, 0), ERROR_INVALID_HANDLE));
    CHECK(CloseHandle(event));
}

static void threads(void)
{
    HANDLE go = CreateEvent(NULL, FALSE, FALSE, NULL), server, thread, both[2];
    DWORD code = 0, id = 0;
    ready = CreateEvent(NULL, FALSE, FALSE, NULL);
    CHECK(CreateEventA(NULL, FALSE, FALSE, "name") == NULL && GetLastError() == ERROR_NOT_SUPPORTED);
    CHECK(CreateThread(NULL, 0, NULL, NULL, 0, NULL) == NULL && GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(WaitForSingleObject(ready, 0) == WAIT_TIMEOUT);
    SetLastError(5);
    thread = CreateThread(NULL, 0, other_thread, &go, 0, &id);
    CHECK(thread != NULL && id != 0);
    CHECK(WaitForSingleObject(ready, INFINITE) == WAIT_OBJECT_0);
    CHECK(GetLastError() == 5);
    CHECK(GetExitCodeThread(thread, &code) && code == STILL_ACTIVE);
    both[0] = ready;
    both[1] = thread;
    CHECK(SetEvent(go) && WaitForMultipleObjects(2, both, FALSE, INFINITE) == WAIT_OBJECT_0 + 1);
    CHECK(GetExitCodeThread(thread, &code) && code == 42);
    CHECK(CloseHandle(thread) && CloseHandle(go));

    /* A handle that is closed under a read ends it; the name is free. */
    server = CreateMailslotA("\\\\.\\mailslot\\closing", 0, MAILSLOT_WAIT_FOREVER, NULL);
    thread = CreateThread(NULL, 0, reader, &server, 0, NULL);
    CHECK(WaitForSingleObject(ready, INFINITE) == WAIT_OBJECT_0);
    CHECK(CloseHandle(server));
    CHECK(WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0 && GetExitCodeThread(thread, &code));
    CHECK(code == ERROR_OPERATION_ABORTED || code == ERROR_INVALID_HANDLE);
    CHECK(CloseHandle(thread));
    server = CreateMailslotA("\\\\.\\mailslot\\closing", 0, MAILSLOT_WAIT_FOREVER, NULL);
    CHECK(server != INVALID_HANDLE_VALUE && CloseHandle(server));
    CHECK(CloseHandle(ready));
}

static void text(void)
{
    char name[MAX_COMPUTERNAME_LENGTH + 1];
    WCHAR wide[MAX_COMPUTERNAME_LENGTH + 1], made[64];
    DWORD size = sizeof name, wide_size = sizeof wide / sizeof *wide, none = 0;
    CHECK(GetComputerNameA(name, &size) && size == strlen(name));
    CHECK(GetComputerNameW(wide, &wide_size) && wide_size == size && wcslen(wide) == size);
    CHECK(FAILS(GetComputerNameA(name, &none), ERROR_BUFFER_OVERFLOW) && none == size + 1);
    CHECK(wsprintfW(made, L"%s-%d%%", L"ab", 7) == 5 && wcscmp(made, L"ab-7%") == 0);
    CHECK(GlobalAlloc(2, 8) == NULL && GlobalFree(GlobalAlloc(GPTR, 8)) == NULL);
}

int main(void)
{
    mailslots();
    wrong_handles();
    threads();
    text();
    if (failures == 0) printf("all passed\n");
    return failures;
}
