/* winternl.h - counted strings and what native calls take, for libmailslot. */
#ifndef MAILSLOT_WINTERNL_H
#define MAILSLOT_WINTERNL_H

#include <windows.h>

typedef LONG NTSTATUS;

/* Lengths are in bytes of UTF-16, so that strings of it need -fshort-wchar. */
typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;

typedef struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    PUNICODE_STRING ObjectName;
    ULONG Attributes;
    PVOID SecurityDescriptor;
    PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;

typedef struct _IO_STATUS_BLOCK {
    __extension__ union { NTSTATUS Status; PVOID Pointer; };
    ULONG_PTR Information;
} IO_STATUS_BLOCK, *PIO_STATUS_BLOCK;

#define OBJ_CASE_INSENSITIVE 0x40U
#define OBJ_OPENIF 0x80U
#define FILE_SYNCHRONOUS_IO_NONALERT 0x20U
#define InitializeObjectAttributes(p, n, a, r, s) \
    ((p)->Length = sizeof(OBJECT_ATTRIBUTES), (p)->RootDirectory = (r), (p)->Attributes = (a), \
     (p)->ObjectName = (n), (p)->SecurityDescriptor = (s), (p)->SecurityQualityOfService = NULL)

#endif
